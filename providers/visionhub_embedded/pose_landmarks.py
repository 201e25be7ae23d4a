"""BlazePose's landmark network: 33 points of one body.

Recipe: as for the detector, with MediaPipe's settings: a square crop 1.25 times as large as the
circle around the body, turned upright, 256x256, values 0..1; 39 points of which the last six serve
tracking in video only; each point refined on its heat map in a 7x7 window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visionhub_embedded.alignment import Matrix, apply, crop, inverse, similarity
from visionhub_embedded.people import KEYPOINTS
from visionhub_embedded.pose_detector import sigmoid
from visionhub_embedded.runtime import LiteRtModel

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 256
ENLARGED = 1.25
REACH = 3  # cells of the heat map on each side of a point that refine it
CONFIDENT = 0.5  # peak of the heat map, below which a point stays where it was
HALF = 0.5  # from a pixel's corner, where ratios start, to its middle, where indices do
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pose:
    """points (33, 2) in pixels of the picture; visibility (33,) and presence, 0..1."""

    points: Matrix
    visibility: Floats
    presence: float


def upright(hips: Floats, rim: Floats) -> Matrix:
    """Map the picture's pixel indices to the crop's.

    The circle around `hips` through `rim`, enlarged, fills the crop, and `rim` points up.
    ValueError when the two points coincide.
    """
    middle = SIDE / 2
    target = np.array([[middle, middle], [middle, middle - middle / ENLARGED]]) - HALF
    return similarity(np.stack([hips, rim]) - HALF, target)


def refine(points: Floats, heat: Floats) -> Floats:
    """Points (n, 2) in ratios, each moved to the mean of its heat map (h, w, n of logits) nearby.

    A point stays where its map is nowhere confident, or where it lies outside the map.
    """
    height, width, count = heat.shape
    moved = points.copy()
    for n in range(count):
        column, row = int(points[n, 0] * width), int(points[n, 1] * height)
        if not (0 <= column < width and 0 <= row < height):
            continue
        top, left = max(0, row - REACH), max(0, column - REACH)
        patch = sigmoid(heat[top : row + REACH + 1, left : column + REACH + 1, n])
        if patch.max() >= CONFIDENT:
            x = (left + np.arange(patch.shape[1])) @ patch.sum(axis=0) / patch.sum()
            y = (top + np.arange(patch.shape[0])) @ patch.sum(axis=1) / patch.sum()
            moved[n] = x / width, y / height
    return moved


class PoseLandmarks:
    """The network, ready to run; one instance a thread."""

    def __init__(self, weights: bytes) -> None:
        self.model = LiteRtModel(weights)

    def find(self, image: Image, hips: Floats, rim: Floats) -> Pose:
        """Find the pose of the body with these alignment points, in pixels of an RGB picture."""
        matrix = upright(hips, rim)
        pixels = crop(image, matrix, SIDE, smooth=True).astype(np.float32) / np.float32(255)
        raw, presence, _mask, heat, _world = self.model.run(pixels[None])
        values = raw.reshape(-1, 5)
        points = refine(values[:, :2].astype(np.float32) / np.float32(SIDE), heat[0])
        placed = apply(inverse(matrix), points[: len(KEYPOINTS)] * SIDE - HALF) + HALF
        visibility = sigmoid(values[: len(KEYPOINTS), 3])
        return Pose(placed, visibility, float(presence[0, 0]))
