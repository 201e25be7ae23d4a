"""The provider `torch`: what it offers, and how works become batches and bodies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from threading import Lock
from typing import ClassVar

from visionhub.images import Rendering
from visionhub.provider import (
    Announce,
    Batch,
    Body,
    Outcome,
    Parameter,
    Provider,
    Request,
    TaskSpec,
    Value,
    Work,
)
from visionhub.schema import Annotation, Scale, Task
from visionhub.weights import ModelCard
from visionhub_torch import answers
from visionhub_torch.cards import CARDS
from visionhub_torch.network import Network, load
from visionhub_torch.sources import Choice, Source, resolve

# A detector takes whole pictures as 32-bit floats, 12 bytes a pixel: about 600 MB a batch.
BATCH_PIXELS = 50_000_000
BATCH = 8  # photographs in one forward pass; no parameter, because it is no part of the question


def _parameters(model: str, min_score: float) -> Mapping[str, Parameter]:
    return {
        "model": Parameter(model, "a network of torchvision, by the name of its builder"),
        "weights": Parameter(
            "",
            "a member of the network's weights enum, or the path of a state dict; empty: the "
            "network's default",
        ),
        "classes": Parameter(
            "", "a text file with one class name a line, for weights with a head of their own"
        ),
        "device": Parameter("auto", "where to compute", ("auto", "cpu", "cuda")),
        "min_score": Parameter(min_score, "the lowest score that is reported"),
    }


class TorchVision(Provider):
    """Any classification or detection network of torchvision, on the processor or a GPU.

    Answers vary in the last digits from machine to machine, and on CUDA from run to run, because
    floating-point sums are taken in no fixed order; the body names the device and the versions.
    A detector's `score` is its own confidence (softmax, sigmoid or, for FCOS, a geometric mean).
    """

    name: ClassVar[str] = "torch"
    requires: ClassVar[tuple[str, ...]] = ("torch", "torchvision")
    tasks: ClassVar[Mapping[Task, TaskSpec]] = {
        Task.LABELS: TaskSpec(
            Scale.PROBABILITY,
            vocabulary="imagenet-1k",
            floor=0.01,
            parameters=_parameters("mobilenet_v2", 0.01),
        ),
        Task.OBJECTS: TaskSpec(
            Scale.PROBABILITY,
            vocabulary="coco-80",
            floor=0.25,
            parameters=_parameters("ssdlite320_mobilenet_v3_large", 0.25),
        ),
    }
    # The forward pass takes turns; meanwhile the other threads decode and resize.
    concurrency = 4
    images_per_batch: ClassVar[int] = BATCH
    models: ClassVar[Sequence[ModelCard]] = CARDS

    def __init__(self) -> None:
        self._sources: dict[Choice, Source] = {}
        self._revisions: dict[Choice, str] = {}
        self._networks: dict[tuple[Choice, Value], Network] = {}
        self._loading = Lock()

    def revision(self, task: Task, options: Mapping[str, Value]) -> str:
        """Network, hash of the weights, and recipe; a file is hashed once for each instance."""
        choice = Choice.of(task, options)
        found = self._revisions.get(choice)
        if found is None:
            found = self._revisions[choice] = self._source(choice).revision
        return found

    def ready(self, wanted: Mapping[Task, Mapping[str, Value]], announce: Announce) -> None:
        """Fetch and load the networks of the wanted tasks."""
        for task, options in wanted.items():
            self._network(task, options, announce)

    def batches(self, works: Sequence[Work]) -> Iterator[Batch]:
        """Up to `BATCH` photographs with one and the same question."""
        groups: dict[tuple[Task, str], list[Work]] = {}
        for work in works:
            for request in work.requests:
                group = groups.setdefault((request.task, request.parameters), [])
                group.append(Work(work.image, (request,)))
        for (task, _), group in groups.items():
            for part in _parts(group, BATCH_PIXELS if task is Task.OBJECTS else None):
                yield Batch(part, operation=task.value)

    def fetch(self, batch: Batch) -> Iterator[Outcome]:
        """One forward pass for each question of the batch, and one body for each photograph."""
        groups: dict[tuple[Task, str], list[tuple[Rendering, Request]]] = {}
        for work in batch.works:
            for request in work.requests:
                key = (request.task, request.parameters)
                groups.setdefault(key, []).append((work.image, request))
        for (task, _), pairs in groups.items():
            options = pairs[0][1].options
            network = self._network(task, options, lambda _: None)
            found = network.predict(image.open() for image, _ in pairs)
            version = self.revision(task, options)
            for (_, request), answer in zip(pairs, found, strict=True):
                yield Outcome((request,), Body(answers.encode(answer), model_version=version))

    def parse(self, body: bytes, request: Request) -> Annotation:
        """Read a body; needs neither torch nor weights."""
        return answers.parse(body, request)

    def _source(self, choice: Choice) -> Source:
        found = self._sources.get(choice)
        if found is None:
            found = self._sources[choice] = resolve(choice)
        return found

    def _network(self, task: Task, options: Mapping[str, Value], announce: Announce) -> Network:
        choice = Choice.of(task, options)
        key = (choice, options["device"])
        with self._loading:
            if key not in self._networks:
                device = str(options["device"])
                self._networks[key] = load(self._source(choice), device, announce)
            return self._networks[key]


def _parts(works: Sequence[Work], pixels: int | None) -> Iterator[tuple[Work, ...]]:
    """Cut into runs of at most `BATCH` works and `pixels`; a larger picture goes alone."""
    part: list[Work] = []
    held = 0
    for work in works:
        area = work.image.width * work.image.height
        if part and (len(part) == BATCH or (pixels is not None and held + area > pixels)):
            yield tuple(part)
            part, held = [], 0
        part.append(work)
        held += area
    if part:
        yield tuple(part)
