"""Faces: boxes and five points; age, gender, emotion and embedding only when asked for by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from visionhub.errors import UsageError
from visionhub.provider import Parameter, Request, TaskSpec, Value
from visionhub.schema import (
    Annotation,
    Attribute,
    Box,
    Face,
    Point,
    Scale,
    Score,
    Task,
)
from visionhub.weights import ModelCard
from visionhub_embedded.base import (
    Answer,
    TaskModel,
    floored,
    items,
    number,
    package,
    strangers,
)
from visionhub_embedded.cards_faces import AGE, EMOTION, GENDER, SFACE, YUNET

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from visionhub_embedded.face_networks import FaceNetworks

    Floats: TypeAlias = NDArray[np.float32]

FLOOR = 0.7
KEPT = 0.3  # lowest score in a body
TILES = 6
SENSITIVE = {"age": AGE, "gender": GENDER, "emotion": EMOTION, "embedding": SFACE}
POINTS = ("right_eye", "left_eye", "nose", "mouth_right", "mouth_left")
MEMBERS = ("score", "box", "landmarks", *SENSITIVE)


class Faces(TaskModel):
    """Faces by YuNet, and what `attributes` names about each by a network of its own.

    Left and right in the names of points are the person's own, not the viewer's.
    """

    task = Task.FACES
    cards = (YUNET, *SENSITIVE.values())
    requires = ("numpy", "onnxruntime")
    spec = TaskSpec(
        scale=Scale.UNCALIBRATED,
        vocabulary="face",
        floor=FLOOR,
        parameters={
            "min_score": Parameter(FLOOR, f"lowest score that is reported, from {KEPT}"),
            "attributes": Parameter([], f"sensitive, comma-separated: {', '.join(SENSITIVE)}"),
            "tiles": Parameter(
                2, f"look closer at large pictures, in tiles x tiles parts, 1 to {TILES}"
            ),
        },
        sensitive=tuple(SENSITIVE),
    )

    def __init__(self) -> None:
        self._opened: FaceNetworks | None = None

    @classmethod
    def used(cls, options: Mapping[str, Value]) -> tuple[ModelCard, ...]:
        """Name the detector's card and those of the attributes asked for; UsageError for others."""
        return (YUNET, *(SENSITIVE[name] for name in _asked(options)))

    @classmethod
    def check(cls, options: Mapping[str, Value]) -> None:
        """Raise MissingExtra for an absent package, UsageError for an impossible option."""
        cls.check_count(options, "tiles", TILES)
        super().check(options)

    def predict(self, image: Image, options: Mapping[str, Value]) -> Answer:
        """Faces of at least `KEPT`, best first, in ratios; they may reach outside.

        Attributes are computed for faces of at least `min_score` only: no other is ever reported.
        """
        least = number(self.option(options, "min_score"))
        tiles = int(number(self.option(options, "tiles")))
        networks = self._networks()
        found = networks.detect(image, min(KEPT, least), tiles)
        faces = []
        for box, points, score in zip(found.boxes, found.points, found.scores, strict=True):
            face = _described(box, points, float(score), image)
            asked = _asked(options) if face["score"] >= least else ()
            faces.append(face | {name: networks.guess(name, image, box, points) for name in asked})
        return {"faces": faces}

    def _networks(self) -> FaceNetworks:
        if self._opened is None:
            module = package("visionhub_embedded.face_networks")
            self._opened = module.FaceNetworks()
        return self._opened

    @staticmethod
    def parse(answer: Answer, request: Request) -> Annotation:
        """Faces of at least `min_score`, with the attributes that the request asked for.

        Gender is the likelier word; emotion is all seven words, the likeliest first. Their scores
        are softmax outputs, which overstate certainty (Guo et al. 2017): they only order.
        """
        least = number(Faces.option(request.options, "min_score"))
        asked = _asked(request.options)
        found = [(item, number(item["score"])) for item in items(answer, "faces")]
        faces = tuple(_face(item, score, asked) for item, score in found if score >= least)
        status, reason = floored(len(faces), (score for _, score in found), least)
        unknown = strangers(answer, {"faces": MEMBERS})
        return Annotation(status, reason, faces=faces, unknown=unknown)


def _asked(options: Mapping[str, Value]) -> tuple[str, ...]:
    named = Faces.option(options, "attributes")
    if not isinstance(named, list):
        raise UsageError(f"--param faces.attributes={named}: give a list of words")
    words = [word.strip() for word in named if word.strip()]
    strange = [word for word in words if word not in SENSITIVE]
    if strange:
        known = ", ".join(SENSITIVE)
        raise UsageError(f"--param faces.attributes={strange[0]}: choose from {known}")
    return tuple(word for word in SENSITIVE if word in words)


def _described(box: Floats, points: Floats, score: float, image: Image) -> dict[str, Any]:
    width, height = image.width, image.height
    x_min, y_min, x_max, y_max = box.tolist()
    sides = (x_min / width, y_min / height, x_max / width, y_max / height)
    return {
        "score": round(score, 6),
        "box": [round(side, 6) for side in sides],
        "landmarks": [[round(x / width, 6), round(y / height, 6)] for x, y in points.tolist()],
    }


def _face(item: Mapping[str, Any], score: float, asked: tuple[str, ...]) -> Face:
    x_min, y_min, x_max, y_max = (number(side) for side in item["box"])
    rows = zip(POINTS, item["landmarks"], strict=True)
    vector = item["embedding"] if "embedding" in asked else ()
    return Face(
        Score(Scale.UNCALIBRATED, score),
        Box.of(x_min, y_min, x_max, y_max),
        landmarks=tuple(Point(name, number(x), number(y)) for name, (x, y) in rows),
        attributes=tuple(one for name in asked for one in _attributes(name, item)),
        embedding=tuple(number(value) for value in vector),
    )


def _attributes(name: str, item: Mapping[str, Any]) -> list[Attribute]:
    if name == "embedding":
        return []
    values = {word: number(value) for word, value in item[name].items()}
    if name == "age":
        return [Attribute(name, None, values["years"], values["low"], values["high"])]
    words = sorted(values, key=lambda word: -values[word])
    kept = words[:1] if name == "gender" else words
    scores = {word: Score(Scale.UNCALIBRATED, values[word]) for word in kept}
    return [Attribute(name, word, score=score) for word, score in scores.items()]
