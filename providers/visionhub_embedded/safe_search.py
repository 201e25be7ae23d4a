"""Safe search: how likely a picture is pornographic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from visionhub.provider import Parameter, Request, TaskSpec, Value
from visionhub.schema import Annotation, SafeSearch, Scale, Task, probability
from visionhub.weights import ModelCard
from visionhub_embedded import cards
from visionhub_embedded.base import Answer, TaskModel, items, number, package, strangers, text

if TYPE_CHECKING:
    from PIL.Image import Image


class Safety(TaskModel):
    """Yahoo's open_nsfw, or NudeNet's body parts where its licence is accepted."""

    task = Task.SAFE_SEARCH
    cards = (cards.OPEN_NSFW, cards.NUDENET_320N)
    requires = ("numpy", "onnxruntime")
    spec = TaskSpec(
        scale=Scale.PROBABILITY,
        vocabulary="open-nsfw",
        parameters={
            "model": Parameter(
                cards[0].name, "which network answers", tuple(card.name for card in cards)
            ),
        },
    )

    def __init__(self) -> None:
        self._networks: dict[str, Any] = {}

    def predict(self, image: Image, options: Mapping[str, Value]) -> Answer:
        """Score every category of the network; NudeNet: the strongest box of each part."""
        [card] = self.used(options)
        network = self._network(card)
        if card is cards.OPEN_NSFW:
            scores = {"nsfw": network.probability(image)}
        else:
            parts = network.scores(network.fit(image))[1].max(axis=0).tolist()
            scores = dict(zip(network.names, parts, strict=True))
        found = [{"name": name.lower(), "score": round(scores[name], 6)} for name in scores]
        return {"categories": found}

    def _network(self, card: ModelCard) -> Any:  # noqa: ANN401 - numpy stays unimported
        if card.name not in self._networks:
            self._networks[card.name] = _open(card)
        return self._networks[card.name]

    @staticmethod
    def parse(answer: Answer, request: Request) -> Annotation:
        """All categories, strongest first."""
        found = [
            SafeSearch(text(item, "name"), probability(number(item["score"])))
            for item in items(answer, "categories")
        ]
        if not found:
            raise ValueError("no category")
        found.sort(key=lambda category: -(category.score.value or 0.0))
        unknown = strangers(answer, {"categories": ("name", "score")})
        return Annotation(safe_search=tuple(found), unknown=unknown)


def _open(card: ModelCard) -> Any:  # noqa: ANN401 - numpy stays unimported
    runtime = package("visionhub_embedded.runtime")
    [weights] = runtime.load(card)
    if card is cards.OPEN_NSFW:
        return package("visionhub_embedded.classifiers").OpenNsfw(weights)
    return package("visionhub_embedded.detectors").Yolo(weights, 320, 0, centred=False)
