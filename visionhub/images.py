"""From a file's bytes to the one rendering that every provider is sent.

Identity is the SHA-256 of the file's bytes. The canonical rendering is EXIF-upright, sRGB, the
first frame, without alpha, as JPEG or PNG within `Limits`; a file that already conforms is passed
through untouched, so that the bytes on disk are the bytes that were sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class Limits:
    """What a provider takes. The defaults fit every service that we know, so that the rendering
    of an image, and with it the cache, does not change when another provider joins a study."""

    media_types: frozenset[str] = frozenset({"image/jpeg", "image/png"})
    max_bytes: int = 5 * 1024 * 1024
    max_side: int = 10_000
    min_side: int = 1

    def __and__(self, other: Limits) -> Limits:
        """What both take; `min_side` stays apart, because images are never enlarged."""
        return Limits(
            self.media_types & other.media_types,
            min(self.max_bytes, other.max_bytes),
            min(self.max_side, other.max_side),
            max(self.min_side, other.min_side),
        )


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What a file says about itself. Times are EXIF text, positions degrees (WGS 84)."""

    format: str = ""
    mode: str = ""
    width: int = 0  # pixels, upright
    height: int = 0
    frames: int = 1
    orientation: int = 1  # EXIF 1..8
    taken_at: str | None = None  # "YYYY-MM-DDTHH:MM:SS" without a zone, as the camera wrote it
    utc_offset: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    make: str | None = None
    model: str | None = None


@dataclass(slots=True)
class Rendering:
    """The bytes that are sent. `transform` lists what was done to the file, empty when nothing."""

    sha256: str
    data: bytes
    media_type: str
    width: int
    height: int
    transform: tuple[str, ...] = ()
    pixels: Image | None = field(default=None, repr=False, compare=False)

    def open(self) -> Image:
        """The sent picture as an RGB Pillow image; decoded at most once for small pictures."""
        raise NotImplementedError


# To be written:
#   sha256_of(data: bytes) -> str
#   load(data: bytes) -> tuple[Image, ImageFacts]      full decode; raises UnreadableImage(reason, detail)
#   render(data: bytes, limits: Limits) -> tuple[ImageFacts, Rendering]
#   decoder_version() -> str    "Pillow 13.0.0 avif heif": an unreadable image is retried when this changes
