"""What local models see in a picture, asked once for each picture and task."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from visionhub.errors import UnreadableImage, VisionHubError
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
            self._prepare(task, {})

    def of(
        self, picture: Picture, task: Task, wanted: Mapping[str, Value] | None = None
    ) -> Annotation:
        """What the models say about a picture; nothing where they do not offer the task."""
        if self._models is None or task not in self._models.tasks:
            return Annotation()
        options = self._options(task, wanted or {})
        key = (picture.sha256, task, canonical(options))
        return self._kept.get(key, lambda: self._ask(picture, task, options))

    def guesses(self, picture: Picture, attributes: list[str]) -> Annotation:
        """Faces with sensitive attributes; without them where their models cannot be had."""
        offered = self._models.tasks[Task.FACES].sensitive if self._offers_faces() else ()
        asked: list[str] = [name for name in attributes if name in offered]
        if asked:
            try:
                return self.of(picture, Task.FACES, {"attributes": asked})
            except VisionHubError as error:
                self._announce(f"NOTE faces without {', '.join(asked)}: {error}")
        return self.of(picture, Task.FACES)

    def _offers_faces(self) -> bool:
        return self._models is not None and Task.FACES in self._models.tasks

    def _options(self, task: Task, wanted: Mapping[str, Value]) -> dict[str, Value]:
        assert self._models is not None
        parameters = self._models.tasks[task].parameters
        return {name: parameter.default for name, parameter in parameters.items()} | dict(wanted)

    def _prepare(self, task: Task, wanted: Mapping[str, Value]) -> None:
        if self._models is None or task not in self._models.tasks:
            return
        options = self._options(task, wanted)
        with self._lock:  # weights are looked for by one thread
            key = (task, canonical(options))
            if key not in self._ready:
                self._models.ready({task: options}, self._announce)
                self._ready.add(key)

    def _ask(self, picture: Picture, task: Task, options: dict[str, Value]) -> Annotation:
        assert self._models is not None
        self._prepare(task, options)
        models = self._models
        try:
            _, image = render(picture.data, models.limits & Limits())
        except UnreadableImage:
            return Annotation()
        size = (image.width, image.height)
        revision = models.revision(task, options)
        request = Request(
            picture.sha256, image.sha256, *size, task, models.name, revision, canonical(options)
        )
        [outcome] = models.fetch(Batch((Work(image, (request,)),)))
        if not isinstance(outcome.result, Body):
            raise outcome.result
        return models.parse(outcome.result.data, request)
