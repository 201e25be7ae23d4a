"""Colours and quality of a picture in the shape of DetectLabels' image properties."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeAlias

from visionhub_sandbox.desk import Desk
from visionhub_sandbox.looks import Colour
from visionhub_sandbox.pictures import Picture

SIMPLE = (
    "red",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
    "brown",
    "black",
    "white",
    "grey",
)
Rgb: TypeAlias = tuple[int, int, int]


def properties(desk: Desk, picture: Picture, most: int) -> dict[str, Any]:
    """ImageProperties of the whole picture; foreground and background are not told apart."""
    quality = desk.looks.quality(picture)
    return {
        "Quality": {
            "Brightness": quality.brightness,
            "Sharpness": quality.sharpness,
            "Contrast": quality.contrast,
        },
        "DominantColors": [_colour(each) for each in desk.looks.colours(picture, most)],
    }


def _colour(colour: Colour) -> dict[str, Any]:
    rgb = (colour.red, colour.green, colour.blue)
    return {
        "Red": colour.red,
        "Blue": colour.blue,
        "Green": colour.green,
        "HexCode": "#" + "".join(f"{channel:02x}" for channel in rgb),
        "CSSColor": _nearest(rgb, tuple(_named())),
        "SimplifiedColor": _nearest(rgb, SIMPLE),
        "PixelPercent": round(100 * colour.fraction, 6),
    }


def _nearest(rgb: Rgb, names: tuple[str, ...]) -> str:
    known = _named()
    return min(
        names, key=lambda name: sum((a - b) ** 2 for a, b in zip(rgb, known[name], strict=True))
    )


@cache
def _named() -> dict[str, Rgb]:
    """The colours that CSS has names for, as Pillow lists them."""
    from PIL import ImageColor

    return {name: ImageColor.getrgb(name)[:3] for name in ImageColor.colormap}
