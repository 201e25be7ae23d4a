"""Labels as raters emit them: a name in a vocabulary, with what the vendor says about it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MID = re.compile(r"/[a-z]/[\w-]+")
_BRACKETED = re.compile(r"(.+) \[([^\[\]]+)\]")


@dataclass(frozen=True, slots=True)
class Term:
    """One label of one vocabulary.

    vocabulary: `questions.vocabulary`, or the provider's name where that is empty. vendor_id: the
    vendor's identifier: a mid (/m/0bt9lr, of the Knowledge Graph and of Open Images), a WordNet
    synset (n02084071), a number of a class. parents, aliases, categories: as the vendor gives them.
    images: in how many images it was emitted; mass: how often in all (boxes count each).
    """

    vocabulary: str
    name: str
    vendor_id: str | None = None
    parents: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    images: int = 0
    mass: int = 0

    @property
    def key(self) -> tuple[str, str, str | None]:
        """Which term it is."""
        return self.vocabulary, self.name, self.vendor_id

    @property
    def mid(self) -> str | None:
        """Its Knowledge Graph identifier, where the vendor's is one."""
        return self.vendor_id if self.vendor_id and MID.fullmatch(self.vendor_id) else None

    def with_more(self, other: Term) -> Term:
        """Both as one: counts added, what is said about either said about it."""
        return replace(
            self,
            parents=_both(self.parents, other.parents),
            aliases=_both(self.aliases, other.aliases),
            categories=_both(self.categories, other.categories),
            images=self.images + other.images,
            mass=self.mass + other.mass,
        )


def _both(mine: Sequence[str], theirs: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*mine, *theirs)))


class Terms:
    """All terms of a comparison, each once, in the order in which they were given.

    A term's number, by which arrays name it, is its place.
    """

    def __init__(self, terms: Iterable[Term]) -> None:
        found: dict[tuple[str, str, str | None], Term] = {}
        for term in terms:
            known = found.get(term.key)
            found[term.key] = known.with_more(term) if known else term
        self._terms = tuple(found.values())
        self._numbers = {key: i for i, key in enumerate(found)}

    def __len__(self) -> int:
        return len(self._terms)

    def __getitem__(self, number: int) -> Term:
        return self._terms[number]

    def __iter__(self) -> Iterator[Term]:
        return iter(self._terms)

    @cached_property
    def vocabularies(self) -> tuple[str, ...]:
        """The vocabularies that there are, each once."""
        return tuple(dict.fromkeys(term.vocabulary for term in self._terms))

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """How each term stands in a crosswalk.

        By its name, or where its vocabulary has one name for several things by name and identifier:
        "crane [n02012849]".
        """
        ids: dict[tuple[str, str], set[str]] = defaultdict(set)
        for term in self._terms:
            if term.vendor_id is not None:
                ids[term.vocabulary, term.name].add(term.vendor_id)
        return tuple(
            f"{term.name} [{term.vendor_id}]"
            if term.vendor_id and len(ids[term.vocabulary, term.name]) > 1
            else term.name
            for term in self._terms
        )

    @cached_property
    def _named(self) -> dict[str, list[int]]:
        """Numbers of terms by name without case, and by label."""
        found: dict[str, list[int]] = defaultdict(list)
        for i, (term, label) in enumerate(zip(self._terms, self.labels, strict=True)):
            for word in {term.name.casefold(), label.casefold()}:
                found[word].append(i)
        return found

    def find(self, label: str, vocabulary: str = "") -> list[int]:
        """Terms that a crosswalk or codebook means by a label, whatever the case of its letters.

        vocabulary: empty for any. A bracketed identifier counts only where the name needs it.
        """
        found = self._named.get(label.casefold(), [])
        bracketed = _BRACKETED.fullmatch(label)
        if not found and bracketed:
            name, vendor_id = bracketed[1].casefold(), bracketed[2]
            found = [i for i in self._named.get(name, []) if self._terms[i].vendor_id == vendor_id]
        return [i for i in found if not vocabulary or self._terms[i].vocabulary == vocabulary]

    def ordered(self, numbers: Iterable[int]) -> list[int]:
        """Terms by how often they are emitted, the most frequent first; of equals, by their names.

        So what is made of terms does not depend on the order in which they were given.
        """
        return sorted(numbers, key=lambda i: (-self[i].mass, self[i].vocabulary, self.labels[i]))

    def named(self, number: int) -> tuple[str, str]:
        """How a term stands in a crosswalk: vocabulary and label."""
        return self[number].vocabulary, self.labels[number]

    def numbers(
        self,
        vocabulary: str,
        names: Sequence[str],
        name: NDArray[np.int64],
        ids: Sequence[str],
        vendor_id: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """(m,) numbers of the terms of m rows; -1 for what is no term.

        name, vendor_id: (m,) places in `names` and `ids`, -1 for an empty identifier.
        """
        import numpy as np

        width = len(ids) + 1
        pairs, rows = np.unique(name * width + vendor_id + 1, return_inverse=True)
        known = [
            self._numbers.get((vocabulary, names[pair // width], _id(ids, pair % width)), -1)
            for pair in pairs.tolist()
        ]
        return np.array(known, dtype=np.int64)[rows]


def _id(ids: Sequence[str], place: int) -> str | None:
    return ids[place - 1] if place else None
