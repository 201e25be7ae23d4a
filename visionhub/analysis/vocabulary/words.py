"""Words as they are compared: without case, hyphens, accents or plural, and which words a label is.

`key` is what equal words share. WordNet's own lemmas are indexed by the same key, so that
"Hors d'oeuvre", "hors d oeuvre" and "hors_d'oeuvre" are one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

JOINT = "_"
_OTHER = re.compile(r"(?:[^\w&+#]|_)+")  # neither letter nor digit; C# and R&B keep theirs
_ASIDE = re.compile(r"\(([^()]*)\)")

# The rules of detachment of WordNet's morphological processor for nouns (Princeton, morphy(7WN)).
ENDINGS = (
    ("ses", "s"),
    ("xes", "x"),
    ("zes", "z"),
    ("ches", "ch"),
    ("shes", "sh"),
    ("men", "man"),
    ("ies", "y"),
    ("s", ""),
)
SHORT = 3  # letters; what is left of a plural has as many at least
NO_PLURAL = ("ss", "us", "is")


def key(word: str) -> str:
    """A word without case, accents and punctuation, its parts joined by underscores."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", word).casefold())
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return _OTHER.sub(JOINT, letters).strip(JOINT)


def singulars(word: str) -> Iterator[str]:
    """What a key may be the plural of, by the rules of detachment, the likeliest first."""
    for ending, single in ENDINGS:
        if word.endswith(ending) and len(word) > len(ending):
            yield word.removesuffix(ending) + single


def stem(word: str) -> str:
    """One key for singular and plural of a word that no dictionary knows: selfies, selfie."""
    if word.endswith(NO_PLURAL) or len(word) <= SHORT:
        return word
    single = next((single for single in singulars(word) if len(single) >= SHORT), word)
    return single.removesuffix("ie") + "y" if single.endswith("ie") else single


def readings(name: str) -> tuple[str, ...]:
    """The words that a label stands for: itself, then each part of a list "tench, Tinca tinca".

    What stands in parentheses ("Bat (Animal)") is no part of the word; see `aside`.
    """
    bare = _ASIDE.sub(" ", name)
    parts = bare.split(", ") if ", " in bare else ()
    return tuple(dict.fromkeys(k for k in map(key, (bare, *parts)) if k))


def aside(name: str) -> tuple[str, ...]:
    """What a label adds in parentheses to say which meaning it has."""
    return tuple(k for k in map(key, _ASIDE.findall(name)) if k)
