"""What one task of the embedded provider is: models, preprocessing, inference, decoding.

`predict` is the impure half: it runs the model's published recipe (resize, crop, normalise,
inference, decode, non-maximum suppression) and returns plain JSON, which is stored as the body.
`parse` is the pure half and sees only that JSON.
"""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from visionhub.errors import UsageError
from visionhub.provider import Request, TaskSpec, Value, import_extra
from visionhub.schema import Annotation, Status, Task
from visionhub.weights import ModelCard

if TYPE_CHECKING:
    from PIL.Image import Image

Answer: TypeAlias = dict[str, Any]
EXTRA = "embedded"
HEADER = frozenset({"task", "model", "runtime"})  # what the provider adds to every answer


class TaskModel(ABC):
    """One task, answered by one or several local models.

    cards: every model that the task can use; the first default one answers unless the option
    `model` names another. Instances serve one thread at a time, and load weights on creation or
    first use, so that interpreters are never shared between threads.
    requires: the packages of the extra that `predict` imports.
    recipe: a number that grows whenever `predict` would answer differently with the same weights.
    """

    task: ClassVar[Task]
    spec: ClassVar[TaskSpec]
    cards: ClassVar[tuple[ModelCard, ...]]
    requires: ClassVar[tuple[str, ...]] = ("numpy",)
    recipe: ClassVar[int] = 1
    at_once: ClassVar[int] = 64  # instances, where each takes much memory

    @classmethod
    def used(cls, options: Mapping[str, Value]) -> tuple[ModelCard, ...]:
        """Give the cards of the models that the options call for; UsageError for an unknown one."""
        name = options.get("model")
        if name is None:
            return tuple(card for card in cls.cards if card.default)
        chosen = tuple(card for card in cls.cards if card.name == name)
        if not chosen:
            known = ", ".join(card.name for card in cls.cards)
            raise UsageError(f"--param {cls.task}.model={name}: choose one of {known}")
        return chosen

    @classmethod
    def revision(cls, options: Mapping[str, Value]) -> str:
        """Name weights and recipe in one line: answers of equal revision are comparable."""
        cards = "+".join(card.revision for card in cls.used(options))
        return f"{cards}/recipe-{cls.recipe}"

    @classmethod
    def check(cls, options: Mapping[str, Value]) -> None:
        """Raise MissingExtra for an absent package, UsageError for an impossible option."""
        for module in cls.requires:
            package(module)
        least = cls.option(options, "min_score") if "min_score" in cls.spec.parameters else 0.0
        if not isinstance(least, int | float) or not 0 <= least <= 1:
            raise UsageError(f"--param {cls.task}.min_score={least}: give a number from 0 to 1")

    @classmethod
    def check_count(cls, options: Mapping[str, Value], name: str, most: int) -> None:
        """Raise UsageError for an option that is no whole number from 1 to `most`."""
        given = cls.option(options, name)
        if not isinstance(given, int) or not 1 <= given <= most:
            raise UsageError(f"--param {cls.task}.{name}={given}: give a number from 1 to {most}")

    @classmethod
    def option(cls, options: Mapping[str, Value], name: str) -> Value:
        """Read one option, or its default."""
        return options.get(name, cls.spec.parameters[name].default)

    @abstractmethod
    def predict(self, image: Image, options: Mapping[str, Value]) -> Answer:
        """Run the model on an upright RGB picture: six digits, ratios for geometry."""

    @staticmethod
    @abstractmethod
    def parse(answer: Answer, request: Request) -> Annotation:
        """Read what `predict` returned, with the members of `HEADER` added.

        May raise KeyError, TypeError or ValueError: the provider turns them into UnexpectedBody.
        """


def package(name: str) -> ModuleType:
    """Import a package of the extra, or a module of ours that needs one; MissingExtra without it.

    onnxruntime, from 1.29 on, keeps a number for the machine and reports sessions, with names and
    hashes of models, to its maker. Photographs of people are private, so that this is turned off:
    by the variable, which it reads once, when it is imported, and by its own switch, the only one
    on Windows. Who wants it sets ORT_DISABLE_TELEMETRY=0.
    """
    private = os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1") != "0"
    module = import_extra(name, EXTRA)
    if private and name == "onnxruntime":
        module.disable_telemetry_events()
    return module


def text(item: Mapping[str, Any], name: str) -> str:
    """Read a member that must be text; KeyError or TypeError when it is not."""
    value = item[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is {value!r}, not text")
    return value


def number(value: object) -> float:
    """Read a value that must be a finite number; TypeError or ValueError when it is not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    if not math.isfinite(value):
        raise ValueError(f"{value!r} is not finite")
    return float(value)


def items(answer: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Read a member that must be a list of objects; KeyError or TypeError when it is not."""
    found = answer[name]
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise TypeError(f"{name} is not a list of objects")
    return found


def strangers(answer: Mapping[str, Any], known: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """List the dotted paths of members that the parser does not know.

    known: the top-level members besides `HEADER`, each with the members of its items.
    """
    top = {name for name in answer if name not in HEADER and name not in known}
    deep = {
        f"{name}.{member}"
        for name, members in known.items()
        if isinstance(answer.get(name), list)
        for item in answer[name]
        if isinstance(item, dict)
        for member in item.keys() - set(members)
    }
    return tuple(sorted(top | deep))


def floored(kept: int, scores: Iterable[float], least: float) -> tuple[Status, str]:
    """Give status and reason: nothing seen is `observed`, all too weak is censored."""
    best = max(scores, default=None)
    if kept or best is None:
        return Status.OBSERVED, ""
    return Status.BELOW_FLOOR, f"the best score, {best:g}, is below min_score {least:g}"
