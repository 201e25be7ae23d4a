"""The box detectors: EfficientDet-Lite in LiteRT, and YOLO exports in onnxruntime."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visionhub_embedded.boxes import Indices, Letterbox, suppress
from visionhub_embedded.classifiers import embedded_labels
from visionhub_embedded.runtime import LiteRtModel, OnnxModel

if TYPE_CHECKING:
    from PIL.Image import Image

Floats = NDArray[np.float32]

LEVELS = range(3, 8)  # of the feature pyramid; strides 8 to 128
OCTAVES = 3  # anchor sizes a level: 2^0, 2^(1/3), 2^(2/3)
ASPECTS = (1.0, 2.0, 0.5)  # width / height
ANCHOR_SCALE = 3.0  # anchor side in strides; 4 in the paper, 3 in the Lite family
CANDIDATES = 1000  # boxes that reach suppression, best first
MOST = 100  # boxes an image, as COCO counts them
LEAST = 0.01  # scores below are noise to every use we know


@dataclass(frozen=True, slots=True)
class Detections:
    """Best first: boxes (n, 4) x_min, y_min, x_max, y_max; classes (n,); scores (n,)."""

    boxes: Floats
    classes: Indices
    scores: Floats


def anchors(side: int) -> Floats:
    """Lay EfficientDet's anchors as (n, 4): centre x, centre y, width, height in input pixels.

    Tan, Pang and Le, "EfficientDet" (2020), after RetinaNet: on each level a grid of
    ceil(side / 2^level) cells, and in each cell `OCTAVES` x `ASPECTS` boxes of equal centre.
    """
    parts = []
    for level in LEVELS:
        cells = -(-side // 2**level)
        stride = side / cells
        centres = (np.arange(cells) + 0.5) * stride
        y, x = np.meshgrid(centres, centres, indexing="ij")
        sizes = [ANCHOR_SCALE * stride * 2 ** (octave / OCTAVES) for octave in range(OCTAVES)]
        shapes = np.array([(size * a**0.5, size / a**0.5) for size in sizes for a in ASPECTS])
        grid = np.empty((cells, cells, len(shapes), 4), dtype=np.float32)
        grid[..., 0], grid[..., 1] = x[..., None], y[..., None]
        grid[..., 2:] = shapes
        parts.append(grid.reshape(-1, 4))
    return np.concatenate(parts)


def corners(centred: Floats) -> Floats:
    """Turn boxes (n, 4) from centre and size to x_min, y_min, x_max, y_max."""
    half = centred[:, 2:] / 2
    return np.concatenate([centred[:, :2] - half, centred[:, :2] + half], axis=1)


def decode(offsets: Floats, at: Floats) -> Floats:
    """Move and stretch anchors by the box head's (n, 4) y, x, height, width; corners in pixels.

    Centres move in units of the anchor's size, sizes grow by the exponential (Faster R-CNN's code).
    """
    centre = at[:, :2] + offsets[:, 1::-1] * at[:, 2:]
    size = np.exp(offsets[:, :1:-1]) * at[:, 2:]
    return corners(np.concatenate([centre, size], axis=1))


def apart(boxes: Floats, classes: Indices) -> Floats:
    """Move boxes (n, 4) so that those of two classes never touch: each class is then suppressed."""
    extent = np.float32(np.abs(boxes).max(initial=1.0) * 2)
    moved: Floats = boxes + classes[:, None].astype(np.float32) * extent
    return moved


def best(scores: Floats) -> tuple[Indices, Indices]:
    """Find rows and classes of the strongest scores, (boxes, classes); ties by place."""
    rows, classes = np.nonzero(scores >= LEAST)
    order = np.argsort(-scores[rows, classes], kind="stable")[:CANDIDATES]
    return rows[order], classes[order]


class EfficientDetLite:
    """EfficientDet-Lite in LiteRT; `names` by class, `???` where COCO has a gap in its numbers.

    Recipe: the family's published one: fitted into the upper left corner, the rest filled with the
    mean (127); overlap .5.
    """

    overlap = 0.5

    def __init__(self, weights: bytes) -> None:
        self.model = LiteRtModel(weights)
        self.names = [name.strip() for name in embedded_labels(weights)]
        self._side = self.model.shape[1]
        self._anchors = anchors(self._side)

    def detect(self, image: Image) -> Detections:
        """Find objects, in ratios of the picture."""
        fitted = Letterbox.of(image, self._side, 127, centred=False)
        heads = {found.shape[-1]: found[0] for found in self.model.run(fitted.pixels[None])}
        offsets, scores = heads.pop(4), heads.popitem()[1]
        rows, classes = best(scores)
        boxes = fitted.ratios(decode(offsets[rows], self._anchors[rows]))
        kept = suppress(apart(boxes, classes), self.overlap)[:MOST]
        return Detections(boxes[kept], classes[kept], scores[rows[kept], classes[kept]])


class Yolo:
    """A YOLO (v8 and later) export in onnxruntime; `names` by class, as the file names them.

    Recipe: the publisher's prediction: fitted into a square, the rest filled with `fill`, 0..1,
    channels first; the head gives centre, size and one score a class; overlap .7.
    """

    overlap = 0.7

    def __init__(self, weights: bytes, side: int, fill: int, *, centred: bool) -> None:
        self.model = OnnxModel(weights)
        named: dict[int, str] = ast.literal_eval(self.model.metadata["names"])
        self.names = [named[index] for index in sorted(named)]
        self._side, self._fill, self._centred = side, fill, centred

    def scores(self, fitted: Letterbox) -> tuple[Floats, Floats]:
        """Run the network: boxes (n, 4) as centre and size in pixels, scores (n, classes)."""
        data = np.ascontiguousarray(fitted.pixels.transpose(2, 0, 1)[None], dtype=np.float32)
        data /= np.float32(255)
        [found] = self.model.run({"images": data}).values()
        return found[0, :4].T, found[0, 4:].T

    def fit(self, image: Image) -> Letterbox:
        """Fit the picture as the network takes it."""
        return Letterbox.of(image, self._side, self._fill, centred=self._centred)

    def detect(self, image: Image) -> Detections:
        """Find objects, in ratios of the picture."""
        fitted = self.fit(image)
        centred, scores = self.scores(fitted)
        rows, classes = best(scores)
        boxes = fitted.ratios(corners(centred[rows]))
        kept = suppress(apart(boxes, classes), self.overlap)[:MOST]
        return Detections(boxes[kept], classes[kept], scores[rows[kept], classes[kept]])
