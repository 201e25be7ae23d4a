"""Words to print. Labels, recognised text and file names come from outside and are not trusted.

A label may hold an escape sequence that clears the screen, or a mark that turns the reading
direction around; the photographed text itself may. Both are dropped here, once, for every command.
"""

from __future__ import annotations

import re

# C0 and C1 controls but white space; Unicode's bidirectional marks, embeddings, overrides and
# isolates (UAX #9); the byte order mark; the invisible tag characters.
HIDDEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
    "\U000e0000-\U000e007f]"
)
SPACE = re.compile("[\t-\r\x85\u2028\u2029]+")


def counted(number: int, word: str) -> str:
    """A number with its noun: 1 image, 2 images, 1,000 images."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def percent(share: float, digits: int = 0) -> str:
    """A share in per cent; what is not nothing, or not all, is not rounded to it.

    >>> percent(0.0004), percent(0.25), percent(0.9996), percent(1)
    ('<1 %', '25 %', '>99 %', '100 %')
    """
    text, least = f"{100 * share:.{digits}f}", 10**-digits
    if 0 < share < 1 and float(text) in (0, 100):
        return f"<{least:g} %" if share < 0.5 else f">{100 - least:g} %"  # noqa: PLR2004
    return f"{text} %"


def plain(value: object, longest: int = 0) -> str:
    r"""`value` on one line without control characters; cut to `longest` characters when given.

    Surrogates, which stand for bytes of a file name that are no UTF-8, become \xNN or \uNNNN.
    """
    text = HIDDEN.sub("", SPACE.sub(" ", str(value)))
    text = re.sub("[\udc80-\udcff]", lambda byte: f"\\x{ord(byte[0]) - 0xDC00:02x}", text)
    text = text.encode("utf-8", "backslashreplace").decode()
    return f"{text[: longest - 1]}…" if longest and len(text) > longest else text
