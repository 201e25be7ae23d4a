"""Bring any Pillow mode to what every provider reads the same way: 8-bit grey or RGB, sRGB, opaque.

Colour management is Little CMS through `PIL.ImageCms`, relative colorimetric intent. An embedded
profile that is broken, or is for another colour space than the picture has, is ignored, as image
viewers do.
"""

from __future__ import annotations

import io
import math
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, cast

from visionhub.errors import UnreadableImage

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageCms import ImageCmsProfile

SPACES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}  # ICC colour space -> mode
DEEP = 16  # bits a channel, as byte 24 of a PNG says
SAME = 2  # sRGB profiles of different makers differ by rounding; Adobe RGB and P3 by dozens


def conforms(image: Image, data: bytes) -> bool:
    """Whether a file's pixels are opaque 8-bit grey or RGB in sRGB already."""
    return (
        image.mode in ("L", "RGB")
        and not is_deep(image, data)
        and not image.has_transparency_data
        and _profile(image, image.mode) is None
    )


def is_deep(image: Image, data: bytes) -> bool:
    """Whether a PNG has 16 bits a colour, of which Pillow keeps the upper eight without a word."""
    return image.format == "PNG" and image.mode[0] != "I" and data[24] == DEEP


def to_srgb(image: Image) -> tuple[Image, list[str]]:
    """The picture as opaque L or RGB in sRGB, and the steps that this took.

    Raises UnreadableImage for pixels that have no scale (floating point with infinities).
    """
    icc = image.info.get("icc_profile")
    image, steps = _to_eight_bits(image)
    image, alpha = _split_alpha(image)
    image.info = {"icc_profile": icc} if icc else {}
    image, done = _manage_colour(image)
    steps += done
    if alpha is not None:
        from PIL import Image as pillow  # noqa: N813

        white = pillow.new(image.mode, image.size, "white")
        white.paste(image, mask=alpha)
        image, steps = white, [*steps, "alpha flattened on white"]
    image.info = {}  # else Pillow writes what it knows of the source into the copy
    return image, steps


def _to_eight_bits(image: Image) -> tuple[Image, list[str]]:
    """One of L, LA, RGB, RGBA, CMYK, LAB."""
    mode = image.mode
    if mode[0] in "IF":
        return _deep_grey(image)
    if mode == "1":
        return image.convert("LA" if image.has_transparency_data else "L"), ["1-bit->8-bit"]
    if mode in ("P", "PA"):
        return image.convert("RGBA" if image.has_transparency_data else "RGB"), ["palette->rgb"]
    if mode in ("L", "RGB"):
        keyed = image.has_transparency_data  # one colour is declared transparent (PNG's tRNS)
        return (image.convert(f"{mode}A") if keyed else image), []
    if mode in ("La", "RGBa"):
        return image.convert(mode.upper()), []
    known = mode in ("LA", "RGBA", "CMYK", "LAB")
    return (image, []) if known else (image.convert("RGB"), [f"{mode.lower()}->rgb"])


def _deep_grey(image: Image) -> tuple[Image, list[str]]:
    """16-bit grey scaled to 8 bits.

    32-bit grey has no agreed white: its own range becomes 0..255, and the step names it.
    """
    if image.mode.startswith("I;16"):
        wide = image if image.mode == "I;16" else image.convert("I")
        return wide.point(lambda value: value * (255 / 65535) + 0.5).convert("L"), ["16-bit->8-bit"]
    low, high = cast("tuple[float, float]", image.getextrema())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise UnreadableImage("damaged", "floating-point pixels without a finite range")
    scale = 255 / (high - low) if high > low else 0.0
    scaled = image.convert("F").point(lambda value: value * scale + (0.5 - low * scale))
    return scaled.convert("L"), [f"range {low:g}..{high:g}->8-bit"]


def _split_alpha(image: Image) -> tuple[Image, Image | None]:
    """Colour and alpha apart; no alpha when there is none."""
    if image.mode not in ("LA", "RGBA"):
        return image, None
    return image.convert(image.mode[:-1]), image.getchannel("A")


def _manage_colour(image: Image) -> tuple[Image, list[str]]:
    """Through the embedded profile to sRGB; without one, by the mode's usual meaning."""
    profile = _profile(image, image.mode)
    if profile is not None:
        grey = image.mode == "L"
        image = _through(image, profile)
        return (image.convert("L") if grey else image), ["icc->srgb"]
    if image.mode == "LAB":
        from PIL import ImageCms

        lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        return _through(image, lab), ["lab->srgb"]
    if image.mode == "CMYK":
        return image.convert("RGB"), ["cmyk->rgb without a profile"]
    return image, []


def _profile(image: Image, mode: str) -> ImageCmsProfile | None:
    """The embedded profile when it fits the mode and is not sRGB."""
    icc = image.info.get("icc_profile")
    if not isinstance(icc, bytes) or not icc or _space(icc) != mode or _is_srgb(icc, mode):
        return None
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(io.BytesIO(icc))


@lru_cache(maxsize=16)
def _space(icc: bytes) -> str:
    """The Pillow mode that a profile is for, or "" when it cannot be used."""
    from PIL import Image as pillow  # noqa: N813
    from PIL import ImageCms

    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        mode = SPACES[str(profile.profile.xcolor_space).strip()]
        _through(pillow.new(mode, (1, 1)), profile)  # half a profile opens, and fails only here
    except (KeyError, OSError, ValueError, TypeError, ImageCms.PyCMSError):
        return ""
    return mode


@lru_cache(maxsize=16)
def _is_srgb(icc: bytes, mode: str) -> bool:
    """Whether a usable profile changes nothing, found by sending colours through it.

    Names do not tell: sRGB profiles come under dozens of descriptions.
    """
    if mode not in ("L", "RGB"):
        return False
    from PIL import Image as pillow  # noqa: N813
    from PIL import ImageChops, ImageCms

    levels = range(0, 256, 51)
    cube = bytes(level for color in product(levels, repeat=3) for level in color)
    probe = pillow.frombytes("RGB", (len(levels) ** 2, len(levels)), cube).convert(mode)
    seen = _through(probe, ImageCms.ImageCmsProfile(io.BytesIO(icc)))
    spread = ImageChops.difference(seen, probe.convert("RGB")).tobytes()
    return max(spread) <= SAME


def _through(image: Image, profile: ImageCmsProfile) -> Image:
    """Colours of `profile` as sRGB."""
    from PIL import ImageCms

    result = ImageCms.profileToProfile(
        image,
        profile,
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
    )
    if result is None:  # only when told to work in place
        raise ValueError("no picture came back from colour management")
    return result
