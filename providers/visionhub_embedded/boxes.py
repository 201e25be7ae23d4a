"""What the detectors of objects, faces and people share: a fitted picture, overlap of boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from visionhub_embedded.classifiers import GAP

if TYPE_CHECKING:
    from PIL.Image import Image

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Letterbox:
    """A picture scaled to fit a square, and where it lies there: `pixels` (side, side, 3)."""

    pixels: Bytes
    width: int
    height: int
    left: int
    top: int

    @classmethod
    def of(cls, image: Image, side: int, fill: int, *, centred: bool) -> Letterbox:
        """Fit the picture, its shape kept, into the middle or the upper left corner."""
        ratio = side / max(image.size)
        width, height = (max(1, round(length * ratio)) for length in image.size)
        left, top = ((side - width) // 2, (side - height) // 2) if centred else (0, 0)
        pixels = np.full((side, side, 3), fill, dtype=np.uint8)
        small = image.resize((width, height), Pillow.Resampling.BILINEAR, None, GAP)
        pixels[top : top + height, left : left + width] = np.asarray(small)
        return cls(pixels, width, height, left, top)

    def ratios(self, boxes: Floats) -> Floats:
        """Turn boxes or pairs of points (n, 4) from pixels of the square to ratios."""
        corner = np.array([self.left, self.top] * 2, dtype=np.float32)
        size = np.array([self.width, self.height] * 2, dtype=np.float32)
        return (boxes - corner) / size


def overlaps(box: Floats, boxes: Floats) -> Floats:
    """Intersection over union of one box (4,) with each of boxes (n, 4).

    A box is x_min, y_min, x_max, y_max.
    """
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[2:], boxes[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    total = np.prod(box[2:] - box[:2]) + areas - shared
    iou: Floats = shared / np.maximum(total, np.float32(1e-9))
    return iou


def suppress(boxes: Floats, overlap: float) -> Indices:
    """Suppress non-maxima greedily; indices of the boxes that stay.

    boxes: (n, 4), best first. overlap: intersection over union above which the weaker box goes.
    """
    left = np.arange(len(boxes))
    kept: list[int] = []
    while left.size:
        first, left = left[0], left[1:]
        kept.append(int(first))
        left = left[overlaps(boxes[first], boxes[left]) <= overlap]
    return np.array(kept, dtype=np.intp)
