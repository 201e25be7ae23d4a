"""A provider for tests of imports: its bodies hold labels and faces, a call answers many images."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from visionhub.errors import RefusedImage, UnexpectedBody
from visionhub.leaves import Leaves
from visionhub.provider import (
    Adopted,
    Batch,
    Body,
    Outcome,
    Parameter,
    Provider,
    Request,
    TaskSpec,
    Value,
)
from visionhub.schema import Annotation, Attribute, Box, Celebrity, Face, Label, Scale, Score, Task

MEMBERS = {Task.LABELS: "words", Task.FACES: "heads", Task.CELEBRITIES: "names"}
LEAVES = Leaves(
    "answer",
    {
        "words[].word": "labels.name",
        "words[].p": "labels.score",
        "heads[].x": "faces.x_min",
        "heads[].age": "face_attributes.number",
        "names[].name": "celebrities.name",
    },
    {"took": "seconds that it took: says nothing about the picture", "error": "in status.reason"},
    {task: (member,) for task, member in MEMBERS.items()},
)


class Earlier(Provider):
    """A body: {"words": [{"word", "p"}], "heads": [{"x" in pixels, "age"}], "names": [{"name"}]}.

    A call's body: {"replies": [body, …]}. "wrote": when it came. "of": the image, where it tells.
    """

    name: ClassVar[str] = "earlier"
    tasks: ClassVar[Mapping[Task, TaskSpec]] = {
        Task.LABELS: TaskSpec(
            Scale.PERCENT, "open", parameters={"least": Parameter(50.0, "floor")}
        ),
        Task.FACES: TaskSpec(Scale.PERCENT, sensitive=("age",)),
        Task.CELEBRITIES: TaskSpec(Scale.PERCENT, gated=True),
    }
    leaves: ClassVar[Sequence[Leaves]] = (LEAVES,)

    def revision(self, task: Task, options: Mapping[str, Value]) -> str:
        return "1"

    def fetch(self, batch: Batch) -> Iterable[Outcome]:
        for request in batch.requests:
            data = {MEMBERS[request.task]: [], "wow": 1}
            yield Outcome((request,), Body(json.dumps(data).encode()))

    def adopt(self, data: bytes) -> Sequence[Adopted]:
        value = json.loads(data)
        if isinstance(value, list) or not isinstance(value, dict):
            return ()
        if "snake_words" in value:
            raise UnexpectedBody("it is what the old client printed and no answer as received")
        if "replies" in value:
            return [_adopted(json.dumps(reply).encode(), reply) for reply in value["replies"]]
        if value and not {*MEMBERS.values(), "error"} & value.keys():
            return ()
        return [_adopted(data, value)]

    def parse(self, body: bytes, request: Request) -> Annotation:
        value = json.loads(body)
        if "error" in value:
            raise RefusedImage(value["error"])
        if value.get("only", request.task) != request.task:
            raise UnexpectedBody(f"no {request.task} were asked for")
        try:
            return _annotation(value, request)
        except (KeyError, TypeError) as error:
            raise UnexpectedBody(f"lacks {error}") from error


def _adopted(data: bytes, value: dict[str, Any]) -> Adopted:
    tasks = tuple(task for task, member in MEMBERS.items() if member in value)
    return Adopted(tasks, Body(data), value.get("wrote"), value.get("of"))


def _annotation(value: dict[str, Any], request: Request) -> Annotation:
    unknown = LEAVES.strangers({n: v for n, v in value.items() if n not in ("wrote", "of", "only")})
    score = Score(Scale.PERCENT, 90.0)
    if request.task is Task.LABELS:
        words = value.get("words", [])
        labels = tuple(Label(w["word"], Score(Scale.PERCENT, w["p"])) for w in words)
        return Annotation(labels=labels, unknown=unknown)
    if request.task is Task.CELEBRITIES:
        found = tuple(Celebrity(Box(0, 0, 1, 1), n["name"], score) for n in value.get("names", []))
        return Annotation(celebrities=found, unknown=unknown)
    asked = request.options.get("attributes", [])
    faces = tuple(
        Face(
            score,
            Box.of(head["x"] / request.width, 0, 1, 1),
            attributes=(Attribute("age", number=head["age"]),) if asked else (),
        )
        for head in value.get("heads", [])
    )
    return Annotation(faces=faces, unknown=unknown)
