"""Photographs for `make bench-clouds`: JPEG files near a wanted size, no two alike in bytes."""

from __future__ import annotations

import hashlib
import io
import random
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

KINDS = 4  # pictures that are drawn; the rest differ in a comment behind their end
SIDES = {10: (320, 240), 200: (1024, 768)}  # pixels of a usual photograph of so many KB


@dataclass(frozen=True)
class Photo:
    """A file with what a run knows of it before it asks."""

    path: Path
    sha256: str
    width: int
    height: int


def photos(folder: Path, kilobytes: int, count: int) -> list[Photo]:
    """`count` files of about so many KB, made anew."""
    folder.mkdir()
    width, height = SIDES[kilobytes]
    kinds = [_picture(width, height, 1000 * kilobytes, seed) for seed in range(KINDS)]
    made = []
    for number in range(count):
        data = kinds[number % KINDS] + number.to_bytes(4)  # changes nothing but the hash
        path = folder / f"{number:04}.jpg"
        path.write_bytes(data)
        made.append(Photo(path, hashlib.sha256(data).hexdigest(), width, height))
    return made


def _picture(width: int, height: int, size: int, seed: int) -> bytes:
    """Blurred noise with some that is sharp, at the quality that comes nearest to `size` bytes."""
    lot = random.Random(seed)
    coarse = Image.frombytes("RGB", (16, 12), lot.randbytes(16 * 12 * 3))
    fine = Image.frombytes("RGB", (width // 2, height // 2), lot.randbytes(width * height * 3 // 4))
    large = Image.Resampling.BICUBIC
    drawn = Image.blend(
        coarse.resize((width, height), large), fine.resize((width, height), large), 0.2
    )
    tried = (_jpeg(drawn, quality) for quality in range(20, 96, 3))
    return min(tried, key=lambda data: abs(len(data) - size))


def _jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()
