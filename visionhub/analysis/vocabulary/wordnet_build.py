"""Makes the package's WordNet file out of Princeton's: `python -m …wordnet_build FOLDER [OUT]`.

FOLDER holds data.noun, index.noun and noun.exc of WordNet 3.0, as Debian's package wordnet-base
puts them into /usr/share/wordnet. The same three files give the same bytes with the same version
of the zstd library, and the same text with any.

The text has five parts, each ended by an empty line, and each line of the first three is a synset,
by ascending offset: how much its offset is above the one before; its words as WordNet writes them;
its hypernyms, as how many synsets away they stand, with `i` before what it is an instance of
(the format read is that of wndb(5WN)). The fourth has the words with several senses: of how many
WordNet knows how frequent they are, and all of them in its order (most frequent first), as numbers
of synsets. The fifth has irregular plurals.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

HYPERNYM, INSTANCE = "@", "@i"
LEVEL = 19


class Synset(NamedTuple):
    """What a line of data.noun says. parents: (pointer, offset)."""

    offset: int
    words: list[str]
    parents: list[tuple[str, int]]


def built(folder: Path) -> str:
    """The text of the file."""
    synsets = [_synset(line) for line in _lines(folder / "data.noun")]
    number = {synset.offset: i for i, synset in enumerate(synsets)}
    offsets = [0, *(synset.offset for synset in synsets)]
    parts = (
        [str(after - before) for before, after in pairwise(offsets)],
        [" ".join(synset.words) for synset in synsets],
        [_relative(synset, number) for synset in synsets],
        list(_ambiguous(_lines(folder / "index.noun"), number)),
        [line.rstrip("\n") for line in _lines(folder / "noun.exc")],
    )
    return "".join("\n".join(part) + "\n\n" for part in parts)


def compressed(text: str) -> bytes:
    """The bytes of the file."""
    import zstandard

    return zstandard.ZstdCompressor(level=LEVEL).compress(text.encode("ascii"))


def _lines(path: Path) -> Iterator[str]:
    """Lines but for the licence at the top, which is indented."""
    with path.open(encoding="ascii") as file:
        yield from (line for line in file if not line.startswith("  "))


def _synset(line: str) -> Synset:
    fields = line.partition(" | ")[0].split()
    after = 4 + 2 * int(fields[3], 16)
    pointers = fields[after + 1 : after + 1 + 4 * int(fields[after])]
    parents = [
        (symbol, int(offset))
        for symbol, offset in zip(pointers[::4], pointers[1::4], strict=True)
        if symbol in (HYPERNYM, INSTANCE)
    ]
    return Synset(int(fields[0]), fields[4:after:2], parents)


def _relative(synset: Synset, number: dict[int, int]) -> str:
    here = number[synset.offset]
    return " ".join(
        ("i" if symbol == INSTANCE else "") + str(number[offset] - here)
        for symbol, offset in synset.parents
    )


def _ambiguous(lines: Iterator[str], number: dict[int, int]) -> Iterator[str]:
    for line in lines:
        fields = line.split()
        senses = fields[-int(fields[2]) :]
        if len(senses) > 1:
            ranked = fields[-len(senses) - 1]
            yield " ".join((fields[0], ranked, *(str(number[int(offset)]) for offset in senses)))


if __name__ == "__main__":
    from visionhub.analysis.vocabulary.wordnet import FILE

    target = Path(sys.argv[2]) if sys.argv[2:] else Path(__file__).parent / "data" / FILE
    target.write_bytes(compressed(built(Path(sys.argv[1]))))
