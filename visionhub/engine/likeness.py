"""Which images look the same: a perceptual hash, and groups of images whose hashes are close.

The hash is dHash (N. Krawetz, "Kind of Like That", hackerfactor.com, 2013): the picture in grey at
9 x 8 pixels; each of 64 bits tells whether a pixel is darker than the one to its right. It survives
scaling, recompression and changes of brightness, but not cropping, mirroring or turning. The same
is done from top to bottom, for another 64 bits: they confirm what the first 64 find, for different
things on a plain ground can agree in one direction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, groupby, islice, pairwise
from typing import TYPE_CHECKING

from visionhub.decode import decoding, memory_of, open_picture, patiently
from visionhub.images import DECODING, Rendering

if TYPE_CHECKING:
    from PIL.Image import Image

CLOSE = 3  # bits, of the first 64, in which near duplicates may differ
CONFIRMED = 6  # bits, of the other 64
LONG, SHORT = 9, 8  # grey pixels
DRAFT = 16  # times as many on each side are decoded at least, where a decoder can leave out some
FLAT = 3.0  # grey levels of 255, standard deviation: below it the bits are noise
BITS = 64
ONES = 2**BITS - 1
BANDS = 6  # of the first 64 bits
CUTS = tuple(BITS + round(BITS * band / BANDS) for band in range(BANDS + 1))
CROWD = 50  # hashes alike in half of their bits that are all compared with one another


def fingerprint(sent: Rendering) -> int | None:
    """The 128-bit hash of a rendering; None for a picture so flat that a hash would say nothing.

    Raises UnreadableImage.
    """
    from PIL.Image import Resampling, Transpose
    from PIL.ImageStat import Stat

    grey = _grey(sent)
    wide = grey.resize((LONG, SHORT), Resampling.BOX)
    if Stat(wide).stddev[0] < FLAT:
        return None
    high = grey.resize((SHORT, LONG), Resampling.BOX).transpose(Transpose.TRANSPOSE)
    across, down = _rises(wide.tobytes()), _rises(high.tobytes())
    return None if across in (0, ONES) else across << BITS | down


def _grey(sent: Rendering) -> Image:
    """The picture in grey; of a big one that is no longer decoded, as few pixels as will do."""
    if sent.pixels is not None:
        return sent.pixels.convert("L")
    return patiently(lambda: _small_grey(sent.data))


def _small_grey(data: bytes) -> Image:
    picture = open_picture(data)
    with decoding(), DECODING.take(memory_of(picture, len(data))):
        picture.draft("L", (LONG * DRAFT, LONG * DRAFT))
        return picture.convert("L")


def _rises(cells: bytes) -> int:
    """64 bits: whether a pixel of a row is darker than the next one."""
    found = 0
    for row in range(0, LONG * SHORT, LONG):
        for at in range(row, row + LONG - 1):
            found = found << 1 | (cells[at] < cells[at + 1])
    return found


def distance(one: int, other: int) -> int:
    """In how many of the first 64 bits two hashes differ."""
    return ((one ^ other) >> BITS).bit_count()


def alike(one: int, other: int) -> bool:
    """Whether two hashes are those of near duplicates."""
    return distance(one, other) <= CLOSE and ((one ^ other) & ONES).bit_count() <= CONFIRMED


def groups(hashes: Sequence[int]) -> list[list[int]]:
    """Positions of hashes that are near duplicates, in groups of two and more, in order.

    A group is what hangs together: each member is a near duplicate of another one, though perhaps
    not of the first.
    """
    first: dict[int, int] = {}
    for position, value in enumerate(hashes):
        first.setdefault(value, position)
    above = {value: value for value in first}
    for one, other in near_pairs(list(first)):
        a, b = sorted((_top(above, one), _top(above, other)), key=first.__getitem__)
        above[b] = a
    members: dict[int, list[int]] = {}
    for position, value in enumerate(hashes):
        members.setdefault(_top(above, value), []).append(position)
    return [group for group in members.values() if len(group) > 1]


def _top(above: dict[int, int], value: int) -> int:
    """The hash that stands for a value's group, as far as it is known."""
    while above[value] != value:
        above[value] = above[above[value]]
        value = above[value]
    return value


def near_pairs(hashes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Every pair of different hashes that are near duplicates, perhaps more than once.

    By pigeonholes: the CLOSE bits that differ lie in at most CLOSE bands, so that two close hashes
    agree in all other bands, whichever these are. Half of the bits are asked to agree, because 16
    often do, even among photographs (a sky). Exact but for crowds, such as pictures of one fixed
    camera: of more than CROWD hashes that agree so far, each is compared with the next CROWD only.
    """
    masks = [(1 << stop) - (1 << start) for start, stop in pairwise(CUTS)]
    for kept in combinations(masks, BANDS - CLOSE):
        mask = sum(kept)
        ordered = sorted(hashes, key=lambda value, mask=mask: (value & mask, value))  # type: ignore[misc]
        for _, crowd in groupby(ordered, key=mask.__and__):
            yield from _compared(list(crowd))


def _compared(crowd: Sequence[int]) -> Iterator[tuple[int, int]]:
    for at, one in enumerate(crowd):
        for other in islice(crowd, at + 1, at + 1 + CROWD):
            if alike(one, other):
                yield one, other
