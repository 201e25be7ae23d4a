"""Read what a camera wrote about a photograph: orientation, time, place, camera.

EXIF comes from the file, so nothing in it is believed: a value that is of the wrong type, outside
its range, or a placeholder (a date of zeros, a position of exactly 0, 0) is None, never an error.
Tags and their units: CIPA DC-008 (Exif 2.32), sections 4.6.4 to 4.6.6.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Exif, Image

ORIENTATION, MAKE, MODEL = 0x0112, 0x010F, 0x0110
EXIF_BLOCK, GPS_BLOCK = 0x8769, 0x8825
TAKEN_AT, UTC_OFFSET = 0x9003, 0x9011  # DateTimeOriginal; DateTime is when the file was changed
LATITUDE_REF, LATITUDE, LONGITUDE_REF, LONGITUDE, ALTITUDE_REF, ALTITUDE = range(1, 7)

FIRST_PHOTOGRAPH = 1826
DATE = re.compile(r"(\d{4})[:/.-](\d\d)[:/.-](\d\d)[ T](\d\d):(\d\d):(\d\d)(?!\d)")
OFFSET = re.compile(r"[+-](?:0\d|1[0-4]):[0-5]\d")


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """EXIF, read: positions in degrees, WGS 84; `orientation` is 1 when absent or not 1..8."""

    orientation: int = 1
    taken_at: str | None = None
    utc_offset: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None  # metres, negative below sea level
    make: str | None = None
    model: str | None = None


def read_exif(image: Image) -> CameraFacts:
    """What the EXIF of an opened picture says; for a TIFF call it before the pixels are loaded."""
    exif = _exif(image)
    if exif is None:
        return CameraFacts()
    camera, place = _block(exif, EXIF_BLOCK), _block(exif, GPS_BLOCK)
    base = _entries(exif)
    orientation = base.get(ORIENTATION)
    known = isinstance(orientation, int) and orientation in range(1, 9)
    latitude, longitude = _position(place)
    return CameraFacts(
        orientation=int(str(orientation)) if known else 1,
        taken_at=_date(camera.get(TAKEN_AT)),
        utc_offset=_offset(camera.get(UTC_OFFSET)),
        latitude=latitude,
        longitude=longitude,
        altitude=_altitude(place),
        make=_text(base.get(MAKE)),
        model=_text(base.get(MODEL)),
    )


def _exif(image: Image) -> Exif | None:
    """Parse the EXIF block.

    Not with `getexif()`, except for TIFF: that also takes the orientation from XMP, which browsers
    and vision services do not.
    """
    from PIL import Image as pillow  # noqa: N813

    try:
        if image.format == "TIFF":
            return image.getexif()
        raw = image.info.get("exif")
        if raw is None and isinstance(text := image.info.get("Raw profile type exif"), str):
            raw = bytes.fromhex("".join(text.split("\n")[3:]))  # how ImageMagick writes it in PNG
        if not isinstance(raw, bytes) or not raw:
            return None
        exif = pillow.Exif()
        exif.load(raw)
    except Exception:  # hostile bytes: every failure means "no EXIF"
        return None
    return exif


def _entries(exif: Exif) -> dict[int, object]:
    """The tags of the first block that can be read."""
    found: dict[int, object] = {}
    for tag in (ORIENTATION, MAKE, MODEL):
        try:
            found[tag] = exif.get(tag)
        except Exception:  # noqa: S112 (one bad tag must not hide the others)
            continue
    return found


def _block(exif: Exif, tag: int) -> Mapping[int, object]:
    """A nested block, empty when it is missing or damaged."""
    try:
        block = exif.get_ifd(tag)
    except Exception:  # as above
        return {}
    return block if isinstance(block, dict) else {}


def _text(value: object) -> str | None:
    """A printable line of at most 100 characters, or None when nothing is left."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        return None
    text = "".join(char for char in value.partition("\0")[0] if char.isprintable()).strip()
    return text[:100] or None


def _date(value: object) -> str | None:
    """EXIF's "YYYY:MM:DD HH:MM:SS" in ISO 8601; None for a date that no calendar or camera has."""
    match = DATE.match(_text(value) or "")
    if match is None or int(match[1]) < FIRST_PHOTOGRAPH:
        return None
    try:
        return datetime(*map(int, match.groups())).isoformat()  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return None


def _offset(value: object) -> str | None:
    """The zone of the time, "+01:00"."""
    text = _text(value) or ""
    return text if OFFSET.fullmatch(text) else None


def _number(value: object) -> float:
    """A rational, integer or float as a float; NaN for anything else and for n/0."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return math.nan


def _degrees(value: object, reference: object, letters: str, limit: int) -> float | None:
    """Degrees, minutes, seconds and a hemisphere as signed degrees; without a hemisphere, None."""
    letter = (_text(reference) or "").upper()
    if letter not in tuple(letters) or not isinstance(value, tuple) or len(value) != 3:  # noqa: PLR2004
        return None
    degrees, minutes, seconds = map(_number, value)
    if not (0 <= minutes <= 60 and 0 <= seconds <= 60):  # noqa: PLR2004 (also false for NaN)
        return None
    total = degrees + minutes / 60 + seconds / 3600
    if not 0 <= total <= limit:
        return None
    return round(-total if letter == letters[1] else total, 8)


def _position(place: Mapping[int, object]) -> tuple[float | None, float | None]:
    """Latitude and longitude, both or neither; 0, 0 is what a receiver without a fix writes."""
    latitude = _degrees(place.get(LATITUDE), place.get(LATITUDE_REF), "NS", 90)
    longitude = _degrees(place.get(LONGITUDE), place.get(LONGITUDE_REF), "EW", 180)
    if latitude is None or longitude is None or latitude == longitude == 0:
        return None, None
    return latitude, longitude


def _altitude(place: Mapping[int, object]) -> float | None:
    """Metres above sea level, negative when the reference says below."""
    height = _number(place.get(ALTITUDE))
    if not math.isfinite(height):
        return None
    below = place.get(ALTITUDE_REF) in (1, b"\x01", 3, b"\x03")  # Exif 3.0 adds 2 and 3
    return round(-height if below else height, 3)
