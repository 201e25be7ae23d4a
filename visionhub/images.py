"""From a file's bytes to the one rendering that every provider is sent.

Identity is the SHA-256 of the file's bytes. The canonical rendering is EXIF-upright, sRGB, the
first frame, without alpha, as JPEG or PNG within `Limits`; a file that already conforms is passed
through untouched, so that the bytes on disk are the bytes that were sent.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from visionhub.decode import (
    FORMATS,
    MEMORY,
    can_decode,
    count_frames,
    decoding,
    halve_if_large,
    memory_of,
    open_picture,
    patiently,
)
from visionhub.encode import encode, is_lossless
from visionhub.errors import UsageError
from visionhub.exif import read_exif
from visionhub.memory import Allowance
from visionhub.srgb import conforms, is_deep, to_srgb

if TYPE_CHECKING:
    from PIL.Image import Image

CACHED_PIXELS = 4_000_000  # pictures up to this size stay decoded with their rendering
DECODING = Allowance(MEMORY)  # of the whole process, because memory is
JPEG, PNG = "image/jpeg", "image/png"
MEDIA_TYPES = {"JPEG": JPEG, "MPO": JPEG, "PNG": PNG}
# Values of Image.Transpose that set a picture upright, by EXIF orientation (CIPA DC-008, 4.6.5).
SIDEWAYS = (5, 6, 7, 8)
UPRIGHT = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a provider takes.

    The defaults fit every service that we know, so that the rendering of an image, and with it the
    cache, does not change when another provider joins a study.

    Figures: Amazon Rekognition (5 MB of bytes, JPEG and PNG, 10,000 pixels a side) and Google
    Cloud Vision (75 million pixels), as documented in 2026.
    """

    media_types: frozenset[str] = frozenset({"image/jpeg", "image/png"})
    max_bytes: int = 5 * 1024 * 1024
    max_side: int = 10_000
    min_side: int = 1
    max_pixels: int = 75_000_000

    def __and__(self, other: Limits) -> Limits:
        """What both take; `min_side` stays apart, because images are never enlarged."""
        return Limits(
            self.media_types & other.media_types,
            min(self.max_bytes, other.max_bytes),
            min(self.max_side, other.max_side),
            max(self.min_side, other.min_side),
            min(self.max_pixels, other.max_pixels),
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
    data: bytes = field(repr=False)
    media_type: str
    width: int
    height: int
    transform: tuple[str, ...] = ()
    pixels: Image | None = field(default=None, repr=False, compare=False)

    def open(self) -> Image:
        """The sent picture as an RGB Pillow image; decoded at most once for small pictures.

        The same object is handed out again: copy it before changing it.
        """
        if self.pixels is not None:
            return self.pixels
        image = patiently(lambda: _rgb(open_picture(self.data)))
        if image.width * image.height <= CACHED_PIXELS:
            self.pixels = image
        return image


def sha256_of(data: bytes) -> str:
    """The identity of an image: hexadecimal SHA-256 of its file's bytes."""
    return hashlib.sha256(data).hexdigest()


def decoder_version() -> str:
    """What decodes here ("Pillow 13.0.0 avif heif"): unreadable images are retried on a change."""
    import PIL

    codecs = [name for name in FORMATS if name in ("AVIF", "HEIF") and can_decode(name)]
    return " ".join([f"Pillow {PIL.__version__}", *map(str.lower, codecs)])


def load(data: bytes) -> tuple[Image, ImageFacts]:
    """Decode a file's first frame in full, as it is stored, and read what the file says of itself.

    The picture is neither upright nor in sRGB yet (a TIFF is upright: its decoder does that);
    a JPEG too large for memory comes at half its size, while the facts give the true one.
    Raises UnreadableImage with one of `decode.REASONS`.
    """
    return patiently(lambda: _load(data))


def render(data: bytes, limits: Limits) -> tuple[ImageFacts, Rendering]:
    """A file's facts and its canonical rendering within `limits`; the same bytes give the same.

    Raises UnreadableImage with one of `decode.REASONS`, and UsageError when the limits leave
    neither JPEG nor PNG.
    """
    if not limits.media_types & {JPEG, PNG}:
        raise UsageError("The chosen providers have no image format in common: run them one by one")
    return patiently(lambda: _render(data, limits))


def _load(data: bytes) -> tuple[Image, ImageFacts]:
    image = open_picture(data)
    with decoding(), DECODING.take(memory_of(image, len(data))):
        return _decoded(image, data)


def _render(data: bytes, limits: Limits) -> tuple[ImageFacts, Rendering]:
    image = open_picture(data)
    with decoding(), DECODING.take(memory_of(image, len(data))):
        image, facts = _decoded(image, data)
        media_type = MEDIA_TYPES.get(facts.format, "")
        if not _conforms(image, facts, data, limits):
            return facts, _rendered(image, facts, data, limits)
        pixels = _rgb(image) if _small(image) else None
        sha256, width, height = sha256_of(data), facts.width, facts.height
        return facts, Rendering(sha256, data, media_type, width, height, (), pixels)


def _decoded(image: Image, data: bytes) -> tuple[Image, ImageFacts]:
    """The pixels of the first frame, and the facts."""
    mode, (width, height), format_ = image.mode, image.size, str(image.format)
    frames = count_frames(image, data)
    tiff = format_ == "TIFF"  # its tags are gone after loading; PNG's EXIF may follow the pixels
    camera = read_exif(image) if tiff else None
    halve_if_large(image)
    image.load()
    camera = camera or read_exif(image)
    if camera.orientation in SIDEWAYS and not tiff:
        width, height = height, width
    return image, ImageFacts(
        format_,
        mode,
        width,
        height,
        frames,
        **{part.name: getattr(camera, part.name) for part in fields(camera)},
    )


def _conforms(image: Image, facts: ImageFacts, data: bytes, limits: Limits) -> bool:
    """Whether the file may be sent as it is.

    Of a JPEG with more pictures behind the first (MPO: stereo, depth, a small copy), every decoder
    shows the first; as the first is the one that counts, the photograph is sent as it was taken.
    """
    return (
        MEDIA_TYPES.get(facts.format) in limits.media_types
        and facts.orientation == 1
        and (facts.frames == 1 or facts.format == "MPO")
        and max(facts.width, facts.height) <= limits.max_side
        and facts.width * facts.height <= limits.max_pixels
        and len(data) <= limits.max_bytes
        and conforms(image, data)
    )


def _rendered(image: Image, facts: ImageFacts, data: bytes, limits: Limits) -> Rendering:
    """Law 5, step by step: first frame, eight bits, sRGB, opaque, upright, within the limits."""
    from PIL.Image import Transpose

    steps = [f"first of {facts.frames} frames"] if facts.frames > 1 else []
    steps += ["16-bit->8-bit"] if is_deep(image, data) else []
    lossless = is_lossless(image, data)
    image, done = to_srgb(image)
    steps += done
    if facts.orientation > 1:
        steps.append(f"orientation {facts.orientation}")
        if facts.format != "TIFF":
            image = image.transpose(Transpose[UPRIGHT[facts.orientation]])
    if image.size != (facts.width, facts.height):
        steps.append(f"decode {facts.width}x{facts.height} at {image.width}x{image.height}")
    sent = encode(
        image,
        lossless=lossless,
        jpeg=JPEG in limits.media_types,
        png=PNG in limits.media_types,
        max_bytes=limits.max_bytes,
        largest=(limits.max_side, limits.max_pixels),
    )
    pixels = _rgb(sent.image) if sent.media_type == PNG and _small(sent.image) else None
    transform = (*steps, *sent.steps)
    size = sent.image.size
    return Rendering(sha256_of(sent.data), sent.data, sent.media_type, *size, transform, pixels)


def _small(image: Image) -> bool:
    """Whether a picture stays decoded with its rendering."""
    return image.width * image.height <= CACHED_PIXELS


def _rgb(image: Image) -> Image:
    """As RGB, without copying what is RGB."""
    image.load()
    return image if image.mode == "RGB" else image.convert("RGB")
