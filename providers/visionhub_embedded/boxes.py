"""Overlap of boxes, for the non-maximum suppression of faces and people."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


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
