"""The embedded provider: every task answered by small pre-trained models on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from visionhub import archives
from visionhub.errors import (
    ProviderError,
    RefusedImage,
    UnexpectedBody,
    UnreadableImage,
    UsageError,
    VisionHubError,
)
from visionhub.provider import Announce, Batch, Body, Outcome, Provider, Request, Value, Work
from visionhub.schema import Annotation, Task
from visionhub.weights import ModelCard
from visionhub_embedded.base import Answer, TaskModel
from visionhub_embedded.faces import Faces
from visionhub_embedded.labels import Labels
from visionhub_embedded.objects import Objects
from visionhub_embedded.people import People
from visionhub_embedded.pool import Pool
from visionhub_embedded.safe_search import Safety
from visionhub_embedded.text import Text

if TYPE_CHECKING:
    from PIL.Image import Image

TASKS: Mapping[Task, type[TaskModel]] = MappingProxyType(
    {model.task: model for model in (Labels, Objects, Faces, People, Text, Safety)}
)

MALFORMED = (AttributeError, LookupError, OverflowError, RecursionError, TypeError, ValueError)


class Embedded(Provider):
    """Open models on LiteRT and onnxruntime; no session serves two threads at once."""

    name = "embedded"
    tasks = MappingProxyType({task: model.spec for task, model in TASKS.items()})
    models: ClassVar[tuple[ModelCard, ...]] = tuple(
        {card.name: card for model in TASKS.values() for card in model.cards}.values()
    )

    def __init__(self) -> None:
        self._pools = {task: Pool(model, model.at_once) for task, model in TASKS.items()}

    def revision(self, task: Task, options: Mapping[str, Value]) -> str:
        """Name the models with their weights, and the version of the recipe around them."""
        return _of(task).revision(options)

    def ready(self, wanted: Mapping[Task, Mapping[str, Value]], announce: Announce) -> None:
        """Check the extra's packages and all options, then pull the weights that are absent.

        An archive that is downloaded gives up all default weights in it, except sensitive ones, so
        that the next task finds its own. A licence that restricts use is announced.

        Raises MissingExtra, UsageError, ModelError.
        """
        asked = [(TASKS[task], options) for task, options in wanted.items() if task in TASKS]
        for model, options in asked:
            model.check(options)
        cards = dict.fromkeys(card for model, options in asked for card in model.used(options))
        for card in cards:
            if card.notice:
                announce(f"NOTE {card.notice}")
        beside = [card for card in self.models if card.default and not card.sensitive]
        archives.ensure_all(list(cards), announce, beside)

    def fetch(self, batch: Batch) -> Iterable[Outcome]:
        """Decode each picture once and answer each of its requests with a body of its own."""
        return [outcome for work in batch.works for outcome in self._answers(work)]

    def _answers(self, work: Work) -> list[Outcome]:
        try:
            image = work.image.open()
        except UnreadableImage as error:
            return [Outcome(work.requests, RefusedImage(str(error)))]
        return [Outcome((ask,), self._answer(ask, image)) for ask in work.requests]

    def _answer(self, request: Request, image: Image) -> Body | ProviderError:
        _of(request.task)  # a sentence for a task that is not offered
        try:
            with self._pools[request.task].lent() as model:
                return self._body(model, image, request)
        except VisionHubError:
            raise
        except Exception as error:  # one odd picture must not end a run of thousands
            return ProviderError(f"{request.task}: {type(error).__name__}: {error}")

    @staticmethod
    def _body(model: TaskModel, image: Image, request: Request) -> Body:
        found = model.predict(image, request.options)
        revision = model.revision(request.options)
        header = {"task": request.task.value, "model": revision, "runtime": _runtime(model)}
        text = json.dumps({**header, **found}, sort_keys=True, ensure_ascii=False, allow_nan=False)
        return Body(text.encode(), model_version=revision)

    def parse(self, body: bytes, request: Request) -> Annotation:
        """Read a body of the request's task; UnexpectedBody when it is anything else."""
        model = _of(request.task)
        try:
            answer = _read(body)
            if answer["task"] != request.task.value:
                raise ValueError(f"it answers {answer['task']!r}")
            return model.parse(answer, request)
        except MALFORMED as error:
            what = f"{type(error).__name__}: {error}"
            raise UnexpectedBody(f"no body of embedded {request.task}: {what}") from error


def _of(task: Task) -> type[TaskModel]:
    if task not in TASKS:
        known = ", ".join(TASKS)
        raise UsageError(f"embedded does not offer {task}: choose from {known}")
    return TASKS[task]


def _read(body: bytes) -> Answer:
    answer = json.loads(body)
    if not isinstance(answer, dict):
        raise TypeError("it is not a JSON object")
    return answer


def _runtime(model: TaskModel) -> str:
    """Name the packages that computed the answer, for the record; no part of the revision."""
    return ", ".join(f"{name} {_version(name)}" for name in model.requires)


def _version(module: str) -> str:
    try:
        return version(module.replace("_", "-"))
    except PackageNotFoundError:
        return "unknown"
