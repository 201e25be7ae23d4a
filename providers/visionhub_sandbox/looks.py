"""What can be computed from the pixels alone: colours, brightness, contrast, sharpness."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from visionhub.schema import Box
from visionhub_sandbox.once import Once
from visionhub_sandbox.pictures import Picture

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 320  # pixels of the longer side that is looked at
KEPT = 1024
PICTURES = 16  # small copies that are held
DARK = 255 / 2
SHARP = 40.0  # standard deviation of edges from which a picture counts as fully sharp
Sides: TypeAlias = tuple[float, float, float, float]
WHOLE: Sides = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Quality:
    """Each from 0 to 100: mean brightness, spread of brightness, strength of edges."""

    brightness: float
    contrast: float
    sharpness: float


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour from 0 to 255 a channel, and its share of the pixels, 0 to 1."""

    red: int
    green: int
    blue: int
    fraction: float


class Looks:
    """Computes each thing once for a picture."""

    def __init__(self) -> None:
        self._images: Once[str, Image] = Once(PICTURES)
        self._colours: Once[tuple[str, int], tuple[Colour, ...]] = Once(KEPT)
        self._qualities: Once[tuple[str, Sides], Quality] = Once(KEPT)

    def colours(self, picture: Picture, most: int) -> tuple[Colour, ...]:
        """The dominant colours by median cut (Heckbert 1982), the most frequent first."""
        return self._colours.get(
            (picture.sha256, most), lambda: _colours(self._image(picture), most)
        )

    def quality(self, picture: Picture, box: Box | None = None) -> Quality:
        """Brightness, contrast and sharpness of a picture, or of what lies in a box."""
        sides = (box.x_min, box.y_min, box.x_max, box.y_max) if box else WHOLE
        return self._qualities.get(
            (picture.sha256, sides), lambda: _quality(self._image(picture), sides)
        )

    def _image(self, picture: Picture) -> Image:
        return self._images.get(picture.sha256, lambda: _small(picture.data))


def _small(data: bytes) -> Image:
    """A small upright copy in RGB."""
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(data)) as image:
        image.draft("RGB", (SIDE, SIDE))
        upright = ImageOps.exif_transpose(image).convert("RGB")
    upright.thumbnail((SIDE, SIDE))
    return upright


def _colours(image: Image, most: int) -> tuple[Colour, ...]:
    reduced = image.quantize(max(1, min(most, 256)))
    palette = reduced.getpalette() or []
    counts = sorted(enumerate(reduced.histogram()), key=lambda pair: (-pair[1], pair[0]))
    pixels = reduced.width * reduced.height
    return tuple(
        Colour(palette[3 * at], palette[3 * at + 1], palette[3 * at + 2], count / pixels)
        for at, count in counts
        if count
    )


def _quality(image: Image, sides: Sides) -> Quality:
    from PIL import ImageFilter, ImageStat

    across, down = image.width, image.height
    left, top = int(sides[0] * across), int(sides[1] * down)
    right, bottom = max(left + 3, round(sides[2] * across)), max(top + 3, round(sides[3] * down))
    grey = image.crop((left, top, right, bottom)).convert("L")
    stat = ImageStat.Stat(grey)
    edges = ImageStat.Stat(grey.filter(ImageFilter.FIND_EDGES)).stddev[0]
    return Quality(
        round(stat.mean[0] / 255 * 100, 4),
        round(min(stat.stddev[0] / DARK, 1.0) * 100, 4),
        round(min(edges / SHARP, 1.0) * 100, 4),
    )
