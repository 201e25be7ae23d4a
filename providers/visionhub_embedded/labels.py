"""Labels: what the whole picture shows, in the 1,000 words of ImageNet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from visionhub.provider import Parameter, Request, TaskSpec, Value
from visionhub.schema import Annotation, Label, Scale, Task, probability
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
from visionhub_embedded.imagenet import SYNSETS

if TYPE_CHECKING:
    from PIL.Image import Image

KEPT = 0.001  # classes below stay out of the body
FLOOR = 0.01


class Labels(TaskModel):
    """ImageNet classification with EfficientNet-Lite0."""

    task = Task.LABELS
    cards = (cards.EFFICIENTNET_LITE0, cards.EFFICIENTNET_LITE0_INT8)
    requires = ("numpy", "ai_edge_litert")
    spec = TaskSpec(
        scale=Scale.PROBABILITY,
        vocabulary="imagenet-1k",
        floor=FLOOR,
        parameters={
            "min_score": Parameter(FLOOR, "lowest probability that is reported"),
            "model": Parameter(
                cards[0].name, "which network answers", tuple(card.name for card in cards)
            ),
        },
    )

    def __init__(self) -> None:
        self._networks: dict[str, Any] = {}

    def predict(self, image: Image, options: Mapping[str, Value]) -> Answer:
        """Give all classes of at least `KEPT`, best first."""
        network = self._network(options)
        found = network.probabilities(image)
        order = (-found).argsort(kind="stable")
        best = order[: int((found >= KEPT).sum())]
        classes = [
            {"index": int(i), "name": network.labels[i], "score": round(float(found[i]), 6)}
            for i in best
        ]
        return {"classes": classes}

    def _network(self, options: Mapping[str, Value]) -> Any:  # noqa: ANN401 - numpy stays unimported
        [card] = self.used(options)
        if card.name not in self._networks:
            runtime = package("visionhub_embedded.runtime")
            classifiers = package("visionhub_embedded.classifiers")
            [weights] = runtime.load(card)
            self._networks[card.name] = classifiers.EfficientNetLite(weights)
        return self._networks[card.name]

    @staticmethod
    def parse(answer: Answer, request: Request) -> Annotation:
        """Classes of at least `min_score`; the identifier is the WordNet synset."""
        least = number(Labels.option(request.options, "min_score"))
        classes = [(item, number(item["score"])) for item in items(answer, "classes")]
        labels = tuple(
            Label(text(item, "name"), probability(score), vendor_id=_synset(item["index"]))
            for item, score in classes
            if score >= least
        )
        status, reason = floored(len(labels), (score for _, score in classes), least)
        unknown = strangers(answer, {"classes": ("index", "name", "score")})
        return Annotation(status, reason, labels=labels, unknown=unknown)


def _synset(index: object) -> str:
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(SYNSETS):
        raise ValueError(f"{index!r} is no class of ImageNet-1k")
    return SYNSETS[index]
