"""SFace: a face as a unit vector of 128 numbers.

Recipe: Zhong et al., "SFace: sigmoid-constrained hypersphere loss for robust face recognition"
(2021), as OpenCV's face recogniser runs it: five points aligned to the 112x112 template by a
similarity transform, RGB 0..255 (the graph normalises). Two vectors of one person have a cosine of
about .36 or more, the threshold that OpenCV's model page gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visionhub_embedded.alignment import crop, similarity
from visionhub_embedded.runtime import OnnxModel

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 112
# Where right eye, left eye, nose and mouth corners of a frontal face lie in the crop.
TEMPLATE = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)


class FaceEmbedder:
    """The network, ready to run; one instance a thread."""

    def __init__(self, weights: bytes) -> None:
        self.model = OnnxModel(weights)
        # Quantisation left the old float weights among the graph's inputs. No node reads them,
        # yet the runtime demands a value: zeros serve.
        self.stale = {
            name: np.zeros(shape, dtype=np.float32)
            for name, shape in self.model.inputs.items()
            if name != "data"
        }

    def embed(self, image: Image, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn the face with these points (5, 2) in pixels into a vector (128,) of length 1."""
        face = crop(image, similarity(points, TEMPLATE), SIDE, smooth=False)
        data = np.ascontiguousarray(face.transpose(2, 0, 1)[None], dtype=np.float32)
        vector = self.model.run({**self.stale, "data": data})["fc1"][0]
        unit: NDArray[np.float32] = vector / np.maximum(np.linalg.norm(vector), np.float32(1e-12))
        return unit
