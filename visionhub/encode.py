"""Write an upright sRGB picture as the bytes that are sent: JPEG or PNG, within given limits.

A lossless source becomes PNG when that fits, anything else JPEG (quality 95, no chroma
subsampling). What is too large is made smaller, by Lanczos resampling of the full picture, until
its bytes fit; quality is never lowered. No metadata is written.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from visionhub.errors import UnreadableImage

if TYPE_CHECKING:
    from PIL.Image import Image

QUALITY = 95
PNG_LEVEL = 6
ATTEMPTS = 12


@dataclass(frozen=True, slots=True)
class Encoded:
    """Encoded bytes with the picture that they hold (before compression) and the last steps."""

    data: bytes
    media_type: str
    image: Image
    steps: tuple[str, ...]


class _Full(Exception):
    """The bytes have reached the limit."""


class _Capped(io.BytesIO):
    """A file in memory that stops the encoder as soon as it is too large."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def write(self, data: bytes) -> int:  # type: ignore[override]
        written = super().write(data)
        if self.tell() > self.limit:
            raise _Full
        return written


def encode(
    image: Image, *, lossless: bool, jpeg: bool, png: bool, max_bytes: int, largest: tuple[int, int]
) -> Encoded:
    """The picture within `max_bytes`; `jpeg` and `png` say what is allowed.

    largest: the longest side and the number of pixels that are allowed.
    Raises UnreadableImage("cannot_fit") when no size at all fits.
    """
    size = fitting_size(image.size, *largest)
    if png and (lossless or not jpeg):
        picture = _resized(image, size)
        data = _png(picture, max_bytes)
        if data is not None:
            return Encoded(data, "image/png", picture, (*_resize_step(image, size), "encode png"))
    for _ in range(ATTEMPTS):
        picture = _resized(image, size)
        data = _jpeg(picture) if jpeg else _png(picture, max_bytes)
        if data is not None and len(data) <= max_bytes:
            kind, name = ("image/jpeg", f"jpeg q{QUALITY}") if jpeg else ("image/png", "png")
            return Encoded(data, kind, picture, (*_resize_step(image, size), f"encode {name}"))
        shrink = 0.7 if data is None else min(0.95, 0.97 * math.sqrt(max_bytes / len(data)))
        size = (max(1, int(size[0] * shrink)), max(1, int(size[1] * shrink)))
    raise UnreadableImage("cannot_fit", f"no rendering of it is within {max_bytes} bytes")


def fitting_size(size: tuple[int, int], max_side: int, max_pixels: int) -> tuple[int, int]:
    """The largest size of the same shape within the limits; never larger than `size`."""
    width, height = size
    longest = max(size)
    if longest > max_side:
        width, height = width * max_side // longest, height * max_side // longest
    if width * height > max_pixels:
        scale = math.sqrt(max_pixels / (width * height))
        width, height = int(width * scale), int(height * scale)
    return max(1, width), max(1, height)


def _resize_step(image: Image, size: tuple[int, int]) -> tuple[str, ...]:
    if image.size == size:
        return ()
    return (f"resize {image.width}x{image.height}->{size[0]}x{size[1]}",)


def _resized(image: Image, size: tuple[int, int]) -> Image:
    from PIL.Image import Resampling

    return image if image.size == size else image.resize(size, Resampling.LANCZOS)


def _jpeg(image: Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=QUALITY, subsampling=0)
    return out.getvalue()


def _png(image: Image, max_bytes: int) -> bytes | None:
    """PNG bytes, None when there are too many."""
    out = _Capped(max_bytes)
    try:
        image.save(out, "PNG", compress_level=PNG_LEVEL)
    except _Full:
        return None
    return out.getvalue()


def is_lossless(image: Image, data: bytes) -> bool:
    """Whether a source was stored without loss, so that PNG keeps all of it."""
    if image.format == "TIFF":
        return image.info.get("compression") not in ("jpeg", "tiff_jpeg", "webp")
    if image.format == "WEBP":
        return b"VP8L" in data[12:64]  # the chunk itself, or the first one after VP8X
    return image.format in ("PNG", "GIF", "BMP", "DIB")
