"""What one task of the embedded provider is: models, preprocessing, inference, decoding.

`predict` is the impure half: it runs the model's published recipe (resize, crop, normalise,
inference, decode, non-maximum suppression) and returns plain JSON, which is stored as the body.
`parse` is the pure half and sees only that JSON.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from visionhub.errors import UsageError
from visionhub.provider import Request, TaskSpec, Value
from visionhub.schema import Annotation, Task
from visionhub.weights import ModelCard

if TYPE_CHECKING:
    from PIL.Image import Image

Answer: TypeAlias = dict[str, Any]
EXTRA = "embedded"


class TaskModel(ABC):
    """One task, answered by one or several local models.

    cards: every model that the task can use; the first default one answers unless the option
    `model` names another. Instances are created once per thread, and load weights on creation or
    first use, so that interpreters are never shared between threads.
    """

    task: ClassVar[Task]
    spec: ClassVar[TaskSpec]
    cards: ClassVar[tuple[ModelCard, ...]]

    @classmethod
    def used(cls, options: Mapping[str, Value]) -> tuple[ModelCard, ...]:
        """The cards of the models that these options call for; UsageError for an unknown name."""
        name = options.get("model")
        if name is None:
            return tuple(card for card in cls.cards if card.default)
        chosen = tuple(card for card in cls.cards if card.name == name)
        if not chosen:
            known = ", ".join(card.name for card in cls.cards)
            raise UsageError(f"--param {cls.task}.model={name}: choose one of {known}")
        return chosen

    @abstractmethod
    def predict(self, image: Image, options: Mapping[str, Value]) -> Answer:
        """Run the model on an upright RGB picture; numbers rounded to six digits, ratios for geometry."""

    @staticmethod
    @abstractmethod
    def parse(answer: Answer, request: Request) -> Annotation:
        """Read what `predict` returned."""
