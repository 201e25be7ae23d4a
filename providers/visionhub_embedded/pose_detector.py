"""BlazePose's detector: where people are, how large, and which way up.

Recipe: Bazarevsky et al., "BlazePose: on-device real-time body pose tracking" (2020), with the
settings of MediaPipe's pose landmarker: 224x224 letterboxed, values -1..1; 2254 anchors, each with
a box and four points of which the first two count: the middle of the hips, and a point on the
circle around the body, beyond the head; weighted non-maximum suppression at an overlap of .3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visionhub_embedded.boxes import Letterbox, overlaps
from visionhub_embedded.runtime import LiteRtModel

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 224
GRIDS = ((28, 2), (14, 2), (7, 6))  # cells a side of each grid, and anchors in a cell
OVERLAP = 0.3

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Bodies:
    """Detected bodies, best first.

    boxes (n, 4): x_min, y_min, x_max, y_max, around the head and shoulders; hips (n, 2) and rims
    (n, 2): the middle of the circle around the body and a point on it; scores (n,). All in ratios
    of the network's square input, or in pixels of the picture, as the maker says.
    """

    boxes: Floats
    hips: Floats
    rims: Floats
    scores: Floats

    def __len__(self) -> int:
        return len(self.scores)


def anchors() -> Floats:
    """List the middles (2254, 2) of the anchors in ratios; each is as large as the input."""
    parts = []
    for cells, repeats in GRIDS:
        middle = (np.arange(cells, dtype=np.float32) + np.float32(0.5)) / np.float32(cells)
        y, x = np.meshgrid(middle, middle, indexing="ij")
        parts.append(np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), repeats, axis=0))
    return np.concatenate(parts)


def sigmoid(logits: Floats) -> Floats:
    """Squash logits to 0..1; they are clipped so that float32 does not overflow."""
    values: Floats = np.reciprocal(1 + np.exp(-np.clip(logits, -80, 80)), dtype=np.float32)
    return values


def decode(raw: Floats, logits: Floats, min_score: float) -> Bodies:
    """Bodies of at least `min_score`, in ratios, out of the network's (2254, 12) and (2254,)."""
    scores = sigmoid(logits)
    (index,) = np.nonzero(scores >= min_score)
    index = index[np.argsort(-scores[index], kind="stable")]
    values = raw[index].reshape(-1, 6, 2) / np.float32(SIDE)
    middle = anchors()[index]
    centre, half = values[:, 0] + middle, values[:, 1] / 2
    boxes = np.concatenate([centre - half, centre + half], axis=1)
    return Bodies(boxes, values[:, 2] + middle, values[:, 3] + middle, scores[index])


def merge(found: Bodies, overlap: float = OVERLAP) -> Bodies:
    """Weighted non-maximum suppression: each overlapping group becomes its score-weighted mean.

    `found` is best first; a group keeps the score of its best.
    """
    values = np.concatenate([found.boxes, found.hips, found.rims], axis=1)
    rest = np.arange(len(found))
    groups, scores = [], []
    while rest.size:
        near = overlaps(found.boxes[rest[0]], found.boxes[rest]) > overlap
        near[0] = True  # a box without area overlaps nothing, not even itself
        weights = found.scores[rest[near], None]
        groups.append((values[rest[near]] * weights).sum(axis=0) / weights.sum())
        scores.append(found.scores[rest[0]])
        rest = rest[~near]
    merged = np.array(groups, dtype=np.float32).reshape(-1, 8)
    top = np.array(scores, dtype=np.float32)
    return Bodies(merged[:, :4], merged[:, 4:6], merged[:, 6:], top)


class PoseDetector:
    """The detector, ready to run; one instance a thread."""

    def __init__(self, weights: bytes) -> None:
        self.model = LiteRtModel(weights)

    def detect(self, image: Image, min_score: float) -> Bodies:
        """Bodies in an RGB picture, in its pixels, best first."""
        fitted = Letterbox.of(image, SIDE, 0, centred=True)
        pixels = fitted.pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)
        raw, logits = self.model.run(pixels[None])
        found = merge(decode(raw[0], logits[0, :, 0], min_score))
        size = np.array([image.width, image.height] * 2, dtype=np.float32)
        boxes = fitted.ratios(found.boxes * np.float32(SIDE)) * size
        points = np.concatenate([found.hips, found.rims], axis=1) * np.float32(SIDE)
        placed = fitted.ratios(points) * size
        return Bodies(boxes, placed[:, :2], placed[:, 2:], found.scores)
