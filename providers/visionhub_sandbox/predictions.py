"""What local models see in a picture, asked once for each picture and task."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from visionhub.errors import VisionHubError
from visionhub.images import Limits, render
from visionhub.provider import Batch, Body, Provider, Request, Value, Work, canonical
from visionhub.schema import Annotation, Task
from visionhub_sandbox.once import Once
from visionhub_sandbox.pictures import Picture

KEPT = 1024  # annotations that are remembered
MAIN = (Task.LABELS, Task.OBJECTS, Task.FACES, Task.TEXT, Task.SAFE_SEARCH)


class Predictions:
    """Annotations by any provider whose models run here; none at all without one."""

    def __init__(self, models: Provider | None, announce: Callable[[str], None]) -> None:
        self._models, self._announce = models, announce
        self._kept: Once[tuple[str, Task, str], Annotation] = Once(KEPT)
        self._ready: set[tuple[Task, str]] = set()
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Whose models answer; empty without any."""
        return self._models.name if self._models else ""

    def prepare(self) -> None:
        """Load what the common tasks need; MissingExtra or ModelError says what is absent."""
        for task in MAIN:
            if self._models is not None and task in self._models.tasks:
                self._prepare(self._models, task, self._options(self._models, task, {}))

    def of(
        self, picture: Picture, task: Task, wanted: Mapping[str, Value] | None = None
    ) -> Annotation:
        """What the models say about a picture; nothing where they do not offer the task."""
        models = self._models
        if models is None or task not in models.tasks:
            return Annotation()
        options = self._options(models, task, wanted or {})
        key = (picture.sha256, task, canonical(options))
        return self._kept.get(key, lambda: self._ask(models, picture, task, options))

    def guesses(self, picture: Picture, attributes: Sequence[str]) -> Annotation:
        """Faces with sensitive attributes; without them where their models cannot be had."""
        spec = self._models.tasks.get(Task.FACES) if self._models else None
        asked: list[str] = [name for name in attributes if spec and name in spec.sensitive]
        if asked:
            try:
                return self.of(picture, Task.FACES, {"attributes": asked})
            except VisionHubError as error:
                self._announce(f"NOTE faces without {', '.join(asked)}: {error}")
        return self.of(picture, Task.FACES)

    @staticmethod
    def _options(models: Provider, task: Task, wanted: Mapping[str, Value]) -> dict[str, Value]:
        parameters = models.tasks[task].parameters
        return {name: parameter.default for name, parameter in parameters.items()} | dict(wanted)

    def _prepare(self, models: Provider, task: Task, options: dict[str, Value]) -> None:
        key = (task, canonical(options))
        with self._lock:  # weights are looked for by one thread
            if key not in self._ready:
                models.ready({task: options}, self._announce)
                self._ready.add(key)

    def _ask(
        self, models: Provider, picture: Picture, task: Task, options: dict[str, Value]
    ) -> Annotation:
        self._prepare(models, task, options)
        _, image = render(picture.data, models.limits & Limits())
        size = (image.width, image.height)
        revision = models.revision(task, options)
        request = Request(
            picture.sha256, image.sha256, *size, task, models.name, revision, canonical(options)
        )
        [outcome] = models.fetch(Batch((Work(image, (request,)),)))
        if not isinstance(outcome.result, Body):
            raise outcome.result
        return models.parse(outcome.result.data, request)
