"""What a provider is: the interface between visionhub and one vision service.

A provider has two halves. `fetch` is impure (network, money, model inference) and returns the
answer exactly as it was received; `parse` is pure and turns those bytes into an `Annotation`. The
store keeps the bytes, so a better `parse` never costs anything.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from importlib.util import find_spec
from types import MappingProxyType, ModuleType
from typing import ClassVar, TypeAlias

from visionhub.errors import MissingExtra, ProviderError, UsageError
from visionhub.images import Limits, Rendering
from visionhub.schema import Annotation, Scale, Task
from visionhub.weights import ModelCard

Value: TypeAlias = str | int | float | bool | list[str]
Announce: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Parameter:
    """An option of a task: its default (which fixes its type), meaning, and allowed choices."""

    default: Value
    help: str
    choices: tuple[str, ...] = ()

    def read(self, name: str, text: str) -> Value:
        """The value that a user typed, as the default's type; UsageError when it is none."""
        try:
            value: Value = (
                _truth(text)
                if isinstance(self.default, bool)
                else text.split(",")
                if isinstance(self.default, list)
                else type(self.default)(text)
            )
        except ValueError as error:
            kind = type(self.default).__name__
            raise UsageError(f"--param {name}={text}: expected a value of type {kind}") from error
        if self.choices and value not in self.choices:
            raise UsageError(f"--param {name}={text}: choose one of {', '.join(self.choices)}")
        return value


def _truth(text: str) -> bool:
    """Yes or no; ValueError for anything else, so that a misspelt yes is not taken for a no."""
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if text.lower() not in words:
        raise ValueError(f"neither yes nor no: {text}")
    return words[text.lower()]


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """What a provider offers for one task.

    floor: the lowest score that is reported, on `scale`; below it absence is censored.
    max_results: the most results in one answer; reaching it makes an answer `truncated`.
    vocabulary: the name of the closed label set, or of the vendor's open one.
    sensitive: attributes that are given only when asked for by name.
    sku: the price line that one request counts against; None is free of charge.
    withdrawn: dates after which (part of) the task is no longer offered, with what ends.
    """

    scale: Scale
    vocabulary: str = ""
    floor: float | None = None
    max_results: int | None = None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    sensitive: tuple[str, ...] = ()
    sku: str | None = None
    withdrawn: Mapping[str, date] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """One question: an image, a task, a provider at a revision, and parameters.

    `parameters` is canonical JSON, complete with defaults, so that equal requests have equal keys.
    `width` and `height` are those of the sent rendering, in pixels.
    """

    image_sha256: str
    sent_sha256: str
    width: int
    height: int
    task: Task
    provider: str
    revision: str
    parameters: str

    @cached_property
    def options(self) -> Mapping[str, Value]:
        """The parameters, read."""
        options: dict[str, Value] = json.loads(self.parameters)
        return MappingProxyType(options)

    @cached_property
    def key(self) -> str:
        """The question's identity, a hexadecimal SHA-256: an answered key is not asked again."""
        parts = [self.image_sha256, self.sent_sha256, self.provider]
        parts += [self.task.value, self.revision, self.parameters]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def canonical(parameters: Mapping[str, Value]) -> str:
    """Parameters as the one JSON text that equal parameters share."""
    return json.dumps(parameters, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Work:
    """One rendering with all that one provider is asked about it."""

    image: Rendering
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """What one `fetch` answers: one call of the vendor's API, or one pass of local models."""

    works: tuple[Work, ...]
    operation: str = ""

    @property
    def requests(self) -> tuple[Request, ...]:
        """All requests of the batch, image by image."""
        return tuple(request for work in self.works for request in work.requests)


@dataclass(frozen=True, slots=True)
class Body:
    """An answer exactly as received. One body may answer several requests about one image."""

    data: bytes
    media_type: str = "application/json"
    model_version: str | None = None  # as the provider reported it; None when it reports none


@dataclass(frozen=True, slots=True)
class Outcome:
    """How requests ended: a body that answers all of them, or the error that they share."""

    requests: tuple[Request, ...]
    result: Body | ProviderError


class Provider(ABC):
    """An interchangeable vision service. Subclass it, set the class variables, write three methods.

    name: the word users type after `-p`.
    tasks: what is offered; a task that is not here is `unsupported`.
    limits: what an image must fulfil to be sent.
    concurrency: how many `fetch` calls may be in flight at once; 0 means one per processor.
    images_per_batch: how many images one `fetch` may carry; works come in groups of that size.
    models: cards of local models, empty for a remote service.
    requires: modules out of an extra without which nothing can be asked; weights of a provider
        that lacks them are not pulled unless they are named.
    """

    name: ClassVar[str]
    tasks: ClassVar[Mapping[Task, TaskSpec]]
    limits: ClassVar[Limits] = Limits()
    concurrency: ClassVar[int] = 0
    images_per_batch: ClassVar[int] = 1
    models: ClassVar[Sequence[ModelCard]] = ()
    requires: ClassVar[Sequence[str]] = ()

    @abstractmethod
    def revision(self, task: Task, options: Mapping[str, Value]) -> str:
        """The API version, or the weights' hash: whatever makes old and new answers differ."""

    def ready(self, wanted: Mapping[Task, Mapping[str, Value]], announce: Announce) -> None:
        """Check credentials, load or fetch weights, before the first image is read.

        `announce` shows one line to the user. Raises MissingExtra, ModelError, AuthenticationError.
        """

    def batches(self, works: Sequence[Work]) -> Iterator[Batch]:
        """Group works as the vendor's API takes them; one image a call unless overridden."""
        for work in works:
            yield Batch((work,))

    @abstractmethod
    def fetch(self, batch: Batch) -> Iterable[Outcome]:
        """Answer every request of the batch with one attempt; no retry happens inside.

        Runs in several threads at once. May raise a ProviderError for the batch as a whole.
        """

    @abstractmethod
    def parse(self, body: bytes, request: Request) -> Annotation:
        """Read a body. Pure: no network, no clock, no pixels; UnexpectedBody when it cannot."""


def installed(modules: Sequence[str]) -> bool:
    """Whether modules can be found; none is imported but the parents of dotted ones."""
    try:
        return all(find_spec(module) is not None for module in modules)
    except ModuleNotFoundError:
        return False


def import_extra(module: str, extra: str) -> ModuleType:
    """Import a package that lies in an extra, at the moment it is needed.

    Raises MissingExtra, which says what to install, when it is absent.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = (error.name or module).partition(".")[0]
        raise MissingExtra(extra, missing) from error
