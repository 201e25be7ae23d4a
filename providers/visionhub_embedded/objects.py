"""Objects: things with boxes, in the 80 words of COCO."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from visionhub.provider import Parameter, Request, TaskSpec, Value
from visionhub.schema import Annotation, Box, Object, Scale, Status, Task, probability
from visionhub.weights import ModelCard
from visionhub_embedded import cards
from visionhub_embedded.base import (
    Answer,
    TaskModel,
    floored,
    items,
    number,
    package,
    strangers,
    text,
)

if TYPE_CHECKING:
    from PIL.Image import Image

FLOOR = 0.25
MOST = 100
GAPS = frozenset({12, 26, 29, 30, 45, 66, 68, 69, 71, 83})  # numbers COCO gave and took back
CATEGORIES = tuple(number for number in range(1, 91) if number not in GAPS)


class Objects(TaskModel):
    """COCO detection with EfficientDet-Lite0, or with YOLO11n where its licence is accepted."""

    task = Task.OBJECTS
    cards = (cards.EFFICIENTDET_LITE0_INT8, cards.YOLO11N)
    requires = ("numpy", "ai_edge_litert", "onnxruntime")
    spec = TaskSpec(
        scale=Scale.PROBABILITY,
        vocabulary="coco-80",
        floor=FLOOR,
        max_results=MOST,
        parameters={
            "min_score": Parameter(FLOOR, "lowest score that is reported, from 0.01"),
            "model": Parameter(
                cards[0].name, "which network answers", tuple(card.name for card in cards)
            ),
        },
    )

    def __init__(self) -> None:
        self._networks: dict[str, tuple[Any, Callable[[int], int]]] = {}

    def predict(self, image: Image, options: Mapping[str, Value]) -> Answer:
        """At most `MOST` boxes of at least .01, best first, in ratios; they may reach outside."""
        network, category = self._network(options)
        found = network.detect(image)
        rows = zip(found.boxes.tolist(), found.classes.tolist(), found.scores.tolist(), strict=True)
        objects = [
            {
                "box": [round(side, 6) for side in box],
                "category": category(index),
                "name": network.names[index],
                "score": round(score, 6),
            }
            for box, index, score in rows
            if category(index) not in GAPS
        ]
        return {"objects": objects}

    def _network(self, options: Mapping[str, Value]) -> tuple[Any, Callable[[int], int]]:
        [card] = self.used(options)
        if card.name not in self._networks:
            self._networks[card.name] = _open(card)
        return self._networks[card.name]

    @staticmethod
    def parse(answer: Answer, request: Request) -> Annotation:
        """Boxes of at least `min_score`; the identifier is COCO's category number."""
        least = number(Objects.option(request.options, "min_score"))
        found = [(item, number(item["score"])) for item in items(answer, "objects")]
        objects = tuple(_object(item, score) for item, score in found if score >= least)
        status, reason = floored(len(objects), (score for _, score in found), least)
        if len(objects) >= MOST:
            status, reason = Status.TRUNCATED, f"the {MOST} strongest boxes were kept"
        unknown = strangers(answer, {"objects": ("box", "category", "name", "score")})
        return Annotation(status, reason, objects=objects, unknown=unknown)


def _open(card: ModelCard) -> tuple[Any, Callable[[int], int]]:
    """Load the network, and say how its class index becomes COCO's category number."""
    runtime = package("visionhub_embedded.runtime")
    detectors = package("visionhub_embedded.detectors")
    [weights] = runtime.load(card)
    if card is cards.YOLO11N:
        return detectors.Yolo(weights, 640, 114, centred=True), CATEGORIES.__getitem__
    return detectors.EfficientDetLite(weights), lambda index: index + 1


def _object(item: Mapping[str, Any], score: float) -> Object:
    category = item["category"]
    if isinstance(category, bool) or category not in CATEGORIES:
        raise ValueError(f"{category!r} is no category of COCO")
    x_min, y_min, x_max, y_max = (number(side) for side in item["box"])
    box = Box.of(x_min, y_min, x_max, y_max)
    return Object(text(item, "name"), probability(score), box, vendor_id=str(category))
