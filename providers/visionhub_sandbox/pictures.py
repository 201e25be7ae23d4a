"""The images of requests: what they are, and what is wrong with them."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field

from visionhub.images import SIDEWAYS
from visionhub_sandbox.once import Once

ORIENTATION = 0x0112  # the EXIF tag; both vendors' boxes then lie in the turned picture
KEPT = 4096  # facts of so many pictures are remembered


@dataclass(frozen=True, slots=True)
class Facts:
    """Format as Pillow names it (empty: no image), and the upright picture's sides in pixels."""

    format: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """An image as it came in; the facts are remembered by its hash, the bytes are not."""

    sha256: str
    data: bytes = field(repr=False, compare=False)
    facts: Facts = field(compare=False)


class Pictures:
    """Reads each image once, however often it is sent."""

    def __init__(self) -> None:
        self._facts: Once[str, Facts] = Once(KEPT)

    def open(self, data: bytes) -> Picture:
        """What came in; bytes that are no image have no format."""
        sha256 = hashlib.sha256(data).hexdigest()
        return Picture(sha256, data, self._facts.get(sha256, lambda: _facts(data)))


def _facts(data: bytes) -> Facts:
    """Decode at an eighth of the size (of a JPEG), which finds a file that ends early."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            sides = (image.width, image.height)
            if image.getexif().get(ORIENTATION) in SIDEWAYS:
                sides = (image.height, image.width)
            facts = Facts(str(image.format), *sides)
            image.draft("RGB", (max(1, image.width // 8), max(1, image.height // 8)))
            image.load()
    except Exception:  # whatever a decoder raises: it is no picture
        return Facts()
    return facts
