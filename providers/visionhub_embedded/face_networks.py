"""The networks for faces, each loaded when it is first needed; one instance a thread."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visionhub_embedded.age_gender import AgeNet, GenderNet
from visionhub_embedded.cards_faces import AGE, EMOTION, GENDER, SFACE, YUNET
from visionhub_embedded.emotion import EmotionNet
from visionhub_embedded.runtime import load
from visionhub_embedded.sface import FaceEmbedder
from visionhub_embedded.yunet import Detections, FaceDetector

if TYPE_CHECKING:
    from PIL.Image import Image

Floats = NDArray[np.float32]


class FaceNetworks:
    """Detector, and one network for each sensitive attribute."""

    @cached_property
    def detector(self) -> FaceDetector:
        """YuNet."""
        return FaceDetector(*load(YUNET))

    @cached_property
    def age(self) -> AgeNet:
        """Cydral's age network."""
        return AgeNet(*load(AGE))

    @cached_property
    def gender(self) -> GenderNet:
        """Cydral's gender network."""
        return GenderNet(*load(GENDER))

    @cached_property
    def emotion(self) -> EmotionNet:
        """Expression network of face-api.js."""
        return EmotionNet(*load(EMOTION))

    @cached_property
    def embedder(self) -> FaceEmbedder:
        """SFace."""
        return FaceEmbedder(*load(SFACE))

    def detect(self, image: Image, min_score: float, tiles: int) -> Detections:
        """Faces of an RGB picture in its pixels, best first."""
        return self.detector.detect(image, min_score, tiles)

    def guess(
        self, name: str, image: Image, box: Floats, points: Floats
    ) -> list[float] | dict[str, float]:
        """One sensitive attribute of the face with this box (4,) and points (5, 2) in pixels."""
        if name == "embedding":
            return [round(value, 6) for value in self.embedder.embed(image, points).tolist()]
        found = (
            self.age.guess(image, points)
            if name == "age"
            else self.gender.guess(image, points)
            if name == "gender"
            else self.emotion.guess(image, box)
        )
        return {word: round(value, 6) for word, value in found.items()}
