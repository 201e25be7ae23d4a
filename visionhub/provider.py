"""What a provider is: the interface between visionhub and one vision service.

A provider has two halves. `fetch` is impure (network, money, model inference) and returns the
answer exactly as it was received; `parse` is pure and turns those bytes into an `Annotation`. The
store keeps the bytes, so a better `parse` never costs anything.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from importlib.util import find_spec
from types import MappingProxyType, ModuleType
from typing import ClassVar, TypeAlias

from visionhub.errors import MissingExtra, ProviderError, RefusedImage, UsageError
from visionhub.images import Limits, Rendering
from visionhub.leaves import Leaves
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

    def read(self, name: str, text: str, option: str = "--param") -> Value:
        """The value that a user typed, as the default's type; UsageError when it is none."""
        typed = f"{option} {name}={text}".lstrip()  # no option: `name` is a variable
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
            raise UsageError(f"{typed}: expected a value of type {kind}") from error
        if self.choices and value not in self.choices:
            raise UsageError(f"{typed}: choose one of {', '.join(self.choices)}")
        return value


def _truth(text: str) -> bool:
    """Yes or no; ValueError for anything else, so that a misspelt yes is not taken for a no."""
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if text.lower() not in words:
        raise ValueError(f"neither yes nor no: {text}")
    return words[text.lower()]


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What a vendor stops offering: an attribute (or all, when empty), from when, for whom."""

    attribute: str
    on: date
    whom: str = "everybody"

    def __str__(self) -> str:
        return f"{self.attribute or 'all of it'}, {self.on.isoformat()}, for {self.whom}"


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """What a provider offers for one task.

    floor: the lowest score that is reported, on `scale`; below it absence is censored.
    max_results: the most results in one answer; reaching it makes an answer `truncated`.
    vocabulary: the name of the closed label set, or of the vendor's open one.
    sensitive: attributes that are given only when asked for by name.
    sku: the price line that one request counts against; None is free of charge.
    withdrawn: what of the task is no longer offered from some day on.
    gated: the task itself is sensitive (it names or matches people): `--sensitive TASK`.
    """

    scale: Scale
    vocabulary: str = ""
    floor: float | None = None
    max_results: int | None = None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    sensitive: tuple[str, ...] = ()
    sku: str | None = None
    withdrawn: tuple[Withdrawal, ...] = ()
    gated: bool = False


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


NOT_REPORTED = "not reported"
"""The model version of a body whose service does not say which model answered."""


@dataclass(frozen=True, slots=True)
class Body:
    """An answer exactly as received. One body may answer several requests about one image.

    Of a call that carried several images, it is what was received without the others' parts.
    """

    data: bytes
    media_type: str = "application/json"
    model_version: str | None = None  # as the provider reported it; see NOT_REPORTED
    client: str | None = None  # the SDK that received it, with its version


@dataclass(frozen=True, slots=True)
class Outcome:
    """How requests ended: a body that answers all of them, or the error that they share.

    body: what was received with an error, if anything: it is kept.
    """

    requests: tuple[Request, ...]
    result: Body | ProviderError
    body: Body | None = None


@dataclass(frozen=True, slots=True)
class Adopted:
    """An earlier answer, found in a document that somebody kept.

    tasks: those that the answer says something about. received_at: UTC, "YYYY-MM-DDThh:mm:ssZ",
    where the document tells. image: the path, address or file name of it, where it gives one.
    """

    tasks: tuple[Task, ...]
    body: Body
    received_at: str | None = None
    image: str | None = None


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
    settings: how it is reached (region, transport, rate, …): no part of what is asked. Users give
        them with `--set provider.name=value` or in a variable VISIONHUB_PROVIDER_NAME. A provider
        with a setting `sandbox` (the address of a rehearsal server) can be rehearsed.
    variables: variables of the environment VISIONHUB_… that it reads beside its settings, such as
        a key, which belongs into no command line.
    leaves: what becomes of every member of its bodies.
    """

    name: ClassVar[str]
    tasks: ClassVar[Mapping[Task, TaskSpec]]
    limits: ClassVar[Limits] = Limits()
    concurrency: int = 0
    images_per_batch: ClassVar[int] = 1
    models: ClassVar[Sequence[ModelCard]] = ()
    requires: ClassVar[Sequence[str]] = ()
    settings: ClassVar[Mapping[str, Parameter]] = MappingProxyType({})
    variables: ClassVar[Sequence[str]] = ()
    leaves: ClassVar[Sequence[Leaves]] = ()
    _given: Mapping[str, str] = MappingProxyType({})

    def configure(self, given: Mapping[str, str]) -> None:
        """Take settings as users type them, before anything else is called.

        Raises UsageError for a setting that is not known or cannot be read.
        """
        for name in given:
            if name not in self.settings:
                known = ", ".join(self.settings) or "none"
                raise UsageError(f"--set {self.name}.{name}: its settings are: {known}.")
        self._given = MappingProxyType(dict(given))
        for name in self.settings:
            self.setting(name)

    def setting(self, name: str) -> Value:
        """A setting's value: as given, else from its variable, else the default."""
        option, where, text = self._typed(name)
        parameter = self.settings[name]
        return parameter.read(where, text, option) if text else parameter.default

    def unusable(self, name: str, says: str) -> UsageError:
        """The error of a setting with a value that cannot be used; it names where that stands."""
        option, where, text = self._typed(name)
        return UsageError(f"{option} {where}={text}: {says}.".lstrip())

    def _typed(self, name: str) -> tuple[str, str, str]:
        """The option, if it was one, the name and the text of a setting; no text where none is."""
        if text := self._given.get(name):
            return "--set", f"{self.name}.{name}", text
        known = variable(self.name, name)
        return "", known, os.environ.get(known, "")

    @property
    def rehearsing(self) -> bool:
        """Whether a stand-in on this machine answers, and not the service."""
        return "sandbox" in self.settings and bool(self.setting("sandbox"))

    def rates(self) -> Mapping[str, float]:
        """Calls or units a second that may be used, by the names that `takes` uses."""
        return {}

    def region(self) -> str:
        """Where the service runs, as its price list names it; empty where it has one price."""
        return ""

    def takes(self, batch: Batch) -> Mapping[str, int]:
        """How much of each rate one `fetch` of this batch uses up."""
        return {batch.operation: 1}

    def adopt(self, data: bytes) -> Sequence[Adopted]:
        """Earlier answers in one JSON document; none when it holds none of this service's.

        Raises UnexpectedBody, which says what the document is, when it is not a wire body.
        """
        raise UsageError(f"{self.name} reads no earlier answers.")

    @abstractmethod
    def revision(self, task: Task, options: Mapping[str, Value]) -> str:
        """The API version, or the weights' hash: whatever makes old and new answers differ."""

    def ready(self, wanted: Mapping[Task, Mapping[str, Value]], announce: Announce) -> None:
        """Check credentials, load or fetch weights, before the first image is read.

        `announce` shows one line to the user. Raises MissingExtra, ModelError, AuthenticationError.
        """

    def refusal(self, image: Rendering, task: Task) -> RefusedImage | None:
        """Why a task is not asked about an image, which then costs nothing; None when it is."""
        least = self.limits.min_side
        if min(image.width, image.height) >= least:
            return None
        size = f"{image.width}x{image.height} px"
        return RefusedImage(f"{size}: {self.name} takes {least} px a side and more")

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


def variable(provider: str, setting: str) -> str:
    """The variable of the environment in which a setting may stand."""
    return f"VISIONHUB_{provider}_{setting}".upper().replace("-", "_")


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
