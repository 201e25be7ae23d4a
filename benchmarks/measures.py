"""The measures of `make evaluate` that are plain arithmetic: intervals and words.

Boxes are compared by the product itself: visionhub.analysis.coco and greedy.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable

Z = 1.959963984540054  # the normal distribution's two-sided 95 %
TERM = re.compile(r"[^\W_]+")  # a run of letters and digits
SHORTEST = 3  # letters and digits; shorter fragments are found anywhere by chance


def wilson(hits: int, n: int, z: float = Z) -> tuple[float, float]:
    """Bound a proportion by the score interval of Wilson (1927), without continuity correction.

    ValueError unless 0 <= hits <= n and n > 0.
    """
    if not 0 <= hits <= n or n == 0:
        raise ValueError(f"{hits} of {n} is no proportion")
    share, bend = hits / n, z * z / n
    middle = share + bend / 2
    half = z * math.sqrt(share * (1 - share) / n + bend / (4 * n))
    low = 0.0 if hits == 0 else (middle - half) / (1 + bend)
    high = 1.0 if hits == n else (middle + half) / (1 + bend)
    return low, high


def terms(text: str) -> list[str]:
    """Split a text into words: runs of letters and digits, casefolded."""
    return [word.casefold() for word in TERM.findall(text)]


def words_found(truth: str, found: Iterable[str]) -> tuple[int, int]:
    """Count the words of the truth that were read, each as often as it was read, and all of them.

    Order is not looked at, because columns are read in more than one right order.
    """
    wanted, read = Counter(terms(truth)), Counter(terms("\n".join(found)))
    return (wanted & read).total(), wanted.total()


def fragments_found(truth: str, found: Iterable[str]) -> tuple[int, int]:
    """Count the lines of the truth that stand within one line that was read, and all of them.

    Spaces and punctuation are left out on both sides; fragments under three characters are not
    counted at all.
    """
    pieces = ["".join(terms(line)) for line in truth.splitlines()]
    wanted = [piece for piece in pieces if len(piece) >= SHORTEST]
    read = ["".join(terms(line)) for line in found]
    return sum(any(piece in line for line in read) for piece in wanted), len(wanted)
