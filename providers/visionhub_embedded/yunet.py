"""YuNet: faces and five landmarks out of a fixed 640x640 network.

Recipe: Wu, Peng and Yu, "YuNet: a tiny millisecond-level face detector" (2023), as OpenCV's face
detector runs it: BGR, 0..255, no normalisation; anchor-free heads on strides 8, 16 and 32; score =
sqrt(classification * objectness); non-maximum suppression at an overlap of .3.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from visionhub_embedded.boxes import suppress
from visionhub_embedded.runtime import OnnxModel

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 640  # pixels; the graph takes no other
STRIDES = (8, 16, 32)
OVERLAP = 0.3  # intersection over union above which the weaker of two boxes is dropped
SHARED = 64  # pixels of overlap between tiles: a larger face is seen well in the whole picture

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Detections:
    """Faces in pixels of one picture.

    boxes: (n, 4) as x_min, y_min, x_max, y_max; points: (n, 5, 2) as right eye, left eye, nose,
    right and left corner of the mouth, each the person's own right or left; scores: (n,).
    """

    boxes: Floats
    points: Floats
    scores: Floats

    def __len__(self) -> int:
        return len(self.scores)

    def placed(self, scale: float, left: float, top: float) -> Detections:
        """Move from a view of the picture, shown at `scale` from (left, top), onto the picture."""
        origin = np.array([left, top], dtype=np.float32)
        boxes = self.boxes / np.float32(scale) + np.tile(origin, 2)
        return Detections(boxes, self.points / np.float32(scale) + origin, self.scores)

    def take(self, keep: NDArray[np.intp] | NDArray[np.bool_]) -> Detections:
        """Those at the given positions, in that order."""
        return Detections(self.boxes[keep], self.points[keep], self.scores[keep])


def decode(heads: Mapping[str, Floats], min_score: float) -> Detections:
    """Boxes, points and scores of the cells that reach `min_score`, in pixels of the input.

    heads: cls_S (1, n, 1), obj_S (1, n, 1), bbox_S (1, n, 4), kps_S (1, n, 10) for every stride S;
    cells run row by row, and a cell's prior is its column and row times the stride.
    """
    boxes, points, scores = [], [], []
    for stride in STRIDES:
        cls, obj = (np.clip(heads[f"{kind}_{stride}"][0, :, 0], 0, 1) for kind in ("cls", "obj"))
        score = np.sqrt(cls * obj)
        (index,) = np.nonzero(score >= min_score)
        columns = SIDE // stride
        prior = np.stack([index % columns, index // columns], axis=1).astype(np.float32)
        shape = heads[f"bbox_{stride}"][0, index]
        middle = (prior + shape[:, :2]) * stride
        half = np.exp(shape[:, 2:]) * stride / 2
        boxes.append(np.concatenate([middle - half, middle + half], axis=1))
        offsets = heads[f"kps_{stride}"][0, index].reshape(-1, 5, 2)
        points.append((offsets + prior[:, None]) * stride)
        scores.append(score[index])
    return Detections(np.concatenate(boxes), np.concatenate(points), np.concatenate(scores))


def distinct(found: Detections, overlap: float = OVERLAP) -> Detections:
    """Greedy non-maximum suppression: the best-scored box of each overlapping group, best first."""
    found = found.take(np.argsort(-found.scores, kind="stable"))
    return found.take(suppress(found.boxes, overlap))


def views(width: int, height: int, tiles: int) -> Iterator[tuple[float, float, float]]:
    """List the square views to look at, as scale, left, top (in pixels of the picture).

    First the whole picture, never enlarged. When that shrank it, up to `tiles` by `tiles` views of
    the picture at a larger scale follow, because a face that shrinks below some ten pixels is lost.
    """
    longest = max(width, height)
    yield min(1.0, SIDE / longest), 0.0, 0.0
    scale = min(1.0, (SIDE + (tiles - 1) * (SIDE - SHARED)) / longest)
    if tiles > 1 and longest > SIDE:
        for top in starts(height * scale):
            for left in starts(width * scale):
                yield scale, left / scale, top / scale


def starts(length: float) -> list[float]:
    """Evenly spaced beginnings of views that cover `length` and share at least `SHARED` pixels."""
    count = 1 + max(0, math.ceil((length - SIDE) / (SIDE - SHARED) - 1e-6))
    return [i * (length - SIDE) / (count - 1) for i in range(count)] if count > 1 else [0.0]


def view(image: Image, scale: float, left: float, top: float) -> Floats:
    """One view as (1, 3, 640, 640) float32 BGR; what lies beyond the picture is black."""
    right = min(left + SIDE / scale, image.width)
    bottom = min(top + SIDE / scale, image.height)
    size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    part = image.resize(size, Pillow.Resampling.BILINEAR, box=(left, top, right, bottom))
    canvas = np.zeros((SIDE, SIDE, 3), dtype=np.float32)
    canvas[: size[1], : size[0]] = np.asarray(part, dtype=np.float32)
    return np.ascontiguousarray(canvas[:, :, ::-1].transpose(2, 0, 1)[None])


def repaired(model: bytes) -> bytes:
    """Make the quantised graph one that onnxruntime takes: 20 biases lose a block size.

    The attributes `block_size` = 64, `axis` = 0 in the encoded graph become `block_size` = 0, which
    means one scale for the whole tensor, and each has one scale. The outputs equal OpenCV's.
    """
    blocked = b"\n\nblock_size\x18\x40\xa0\x01\x02*\x0b\n\x04axis\x18\x00"
    return model.replace(blocked, blocked.replace(b"\x40", b"\x00", 1))


class FaceDetector:
    """The detector, ready to run; one instance a thread."""

    def __init__(self, weights: bytes) -> None:
        self.model = OnnxModel(repaired(weights))

    def detect(self, image: Image, min_score: float, tiles: int) -> Detections:
        """Faces of an RGB picture in its pixels, best first."""
        parts = [
            self.look(image, where, min_score) for where in views(image.width, image.height, tiles)
        ]
        found = Detections(
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.points for part in parts]),
            np.concatenate([part.scores for part in parts]),
        )
        return distinct(found)

    def look(self, image: Image, where: tuple[float, float, float], min_score: float) -> Detections:
        """Faces in one view, in pixels of the picture, without those that its inner edges cut."""
        heads = self.model.run({"input": view(image, *where)})
        found = decode(heads, min_score).placed(*where)
        scale, left, top = where
        low = np.array([left, top])
        high = low + SIDE / scale
        size = np.array([image.width, image.height])
        cut = (found.boxes[:, :2] < low) & (low > 0)
        cut |= (found.boxes[:, 2:] > high) & (high < size - 0.5)
        kept: NDArray[np.bool_] = np.logical_not(cut.any(axis=1))
        return found.take(kept)
