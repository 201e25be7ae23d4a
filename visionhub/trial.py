"""How `visionhub.testing` asks a provider: requests as the engine would make them, and answers."""

from __future__ import annotations

import functools
import io
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest

from visionhub.errors import ProviderError
from visionhub.images import render, sha256_of
from visionhub.provider import Batch, Body, Outcome, Provider, Request, Value, Work, canonical
from visionhub.schema import Annotation, Task

IMPURE = ("open", "socket.", "subprocess.", "os.", "sqlite3.", "urllib.")  # Python's audit events


class Trial:
    """A provider under test, and what it is asked.

    options: parameters by task, where the defaults are not what should be tested.
    recorded: further bodies by task that `parse` is tried on, such as a service's real answers.
    """

    provider: ClassVar[type[Provider]]
    options: ClassVar[Mapping[Task, Mapping[str, Value]]] = {}
    recorded: ClassVar[Mapping[Task, Sequence[bytes]]] = {}

    def make(self) -> Provider:
        """Make a provider; override it to hand over a client that replays recordings."""
        return self.provider()

    def images(self) -> Sequence[bytes]:
        """Choose the image files that are sent; override it with some that show something."""
        return picture(160, 120), picture(96, 128)

    def complete(self, task: Task) -> dict[str, Value]:
        """Complete a task's parameters with its defaults."""
        parameters = self.provider.tasks[task].parameters
        defaults = {name: parameter.default for name, parameter in parameters.items()}
        return {**defaults, **self.options.get(task, {})}

    def works(self, files: Sequence[bytes] = ()) -> list[Work]:
        """All tasks for each picture, as the engine would ask for them."""
        return [self._work(data) for data in files or self.images()]

    def _work(self, data: bytes) -> Work:
        _, image = render(data, self.provider.limits)
        requests = [
            Request(
                sha256_of(data),
                image.sha256,
                image.width,
                image.height,
                task,
                self.provider.name,
                self.make().revision(task, self.complete(task)),
                canonical(self.complete(task)),
            )
            for task in self.provider.tasks
        ]
        return Work(image, tuple(requests))

    def prepared(self) -> Provider:
        """Make a provider that may fetch."""
        provider = self.make()
        provider.ready({task: self.complete(task) for task in provider.tasks}, print)
        return provider

    @classmethod
    @functools.cache
    def answers(cls) -> tuple[tuple[Request, bytes], ...]:
        """Fetch each request's body once for all tests; recorded bodies come after."""
        contract = cls()
        provider, works = contract.prepared(), contract.works()
        fetched = [
            pair
            for batch in provider.batches(works)
            for pair in bodies(provider.fetch(batch), strict=True)
        ]
        example = {request.task: request for request, _ in fetched}
        return (
            *fetched,
            *((example[task], body) for task, kept in cls.recorded.items() for body in kept),
        )

    def parsed(self) -> Iterator[tuple[Request, Annotation]]:
        """Parse all answers."""
        for request, body in self.answers():
            yield request, self.make().parse(body, request)


def picture(width: int, height: int) -> bytes:
    """Make a JPEG that shows a gradient, sizes in pixels."""
    from PIL import Image

    out = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(out, "JPEG")
    return out.getvalue()


def bodies(outcomes: Iterable[Outcome], *, strict: bool = False) -> Iterator[tuple[Request, bytes]]:
    """Pair each request with its body; `strict` fails on those that have none."""
    for outcome in outcomes:
        if isinstance(outcome.result, Body):
            yield from ((request, outcome.result.data) for request in outcome.requests)
        elif strict:
            pytest.fail(f"an ordinary picture was not answered: {outcome.result!r}")


def attempt(provider: Provider, batch: Batch) -> list[Outcome]:
    """Fetch a batch; nothing when the provider refuses it as a whole."""
    try:
        return list(provider.fetch(batch))
    except ProviderError:
        return []


def field_of(task: Task) -> str:
    """Name the field of an annotation that a task fills."""
    return "text_lines" if task is Task.TEXT else task.value


def found(request: Request, annotation: Annotation) -> Sequence[Any]:
    """List what the provider reported for the task."""
    things: Sequence[Any] = getattr(annotation, field_of(request.task), ())
    return things


def named(options: Mapping[str, Value]) -> set[str]:
    """Collect what parameters ask for by name: words, members of lists, switches that are on."""
    asked: set[str] = set()
    for name, value in options.items():
        asked |= {value} if isinstance(value, str) else set()
        asked |= set(value) if isinstance(value, list) else set()
        asked |= {name} if value is True else set()
    return asked


@contextmanager
def sealed() -> Iterator[list[str]]:
    """Refuse this thread files, sockets and processes within the block; list what was tried."""
    tried: list[str] = []
    watched = [threading.get_ident()]  # emptied at the end: an audit hook cannot be taken away

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if threading.get_ident() in watched and event.startswith(IMPURE):
            tried.append(f"{event} {arguments!r}"[:200])
            raise PermissionError(f"parse must not use {event}")

    sys.addaudithook(watch)
    try:
        yield tried
    finally:
        watched.clear()
