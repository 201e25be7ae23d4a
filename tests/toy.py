"""A provider for tests of the engine: answers at once, counts its calls, fails when told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from typing import ClassVar

from visionhub.errors import AuthenticationError, ProviderUnavailable, RefusedImage, UnexpectedBody
from visionhub.images import Limits
from visionhub.provider import Batch, Body, Outcome, Parameter, Provider, Request, TaskSpec, Value
from visionhub.schema import (
    Annotation,
    Attribute,
    Box,
    Face,
    Label,
    Object,
    Person,
    Point,
    SafeSearch,
    Scale,
    Status,
    Task,
    TextLine,
    probability,
)

SPEC = TaskSpec(
    scale=Scale.PROBABILITY,
    vocabulary="toy",
    floor=0.1,
    max_results=5,
    parameters={"min_score": Parameter(0.1, "the floor"), "style": Parameter("a", "any word")},
)


class Toy(Provider):
    """`calls` lists the tasks asked; `fault` maps a task to what goes wrong with it."""

    name: ClassVar[str] = "toy"
    limits: ClassVar[Limits] = Limits(min_side=20)
    concurrency: ClassVar[int] = 3
    tasks: ClassVar[Mapping[Task, TaskSpec]] = {
        Task.LABELS: SPEC,
        Task.OBJECTS: SPEC,
        Task.FACES: TaskSpec(Scale.PROBABILITY, sensitive=("age", "embedding")),
        Task.PEOPLE: SPEC,
        Task.TEXT: SPEC,
        Task.SAFE_SEARCH: SPEC,
    }
    release = "1"

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fault: dict[str, str] = {}
        self.lock = threading.Lock()

    def revision(self, task: Task, options: Mapping[str, Value]) -> str:
        return f"toy@{self.release}"

    def fetch(self, batch: Batch) -> Iterable[Outcome]:
        for request in batch.requests:
            with self.lock:
                self.calls.append(request.task.value)
                fault = self.fault.get(request.task.value, "")
                if fault == "flaky":
                    self.fault.pop(request.task.value)
            if fault == "flaky":
                raise ProviderUnavailable("down for a moment")
            if fault == "auth":
                raise AuthenticationError("no key: set TOY_KEY")
            if fault == "crash":
                raise RuntimeError("a fault in the adapter")
            if fault == "forget":
                continue
            if fault == "refuse":
                yield Outcome((request,), RefusedImage("toy does not like it"))
                continue
            score = 0.2 + int(request.sent_sha256[:2], 16) / 500
            answer = {"task": request.task.value, "score": score}
            data = json.dumps(answer).encode()
            yield Outcome((request,), Body(data[:9] if fault == "cut" else data, model_version="7"))

    def parse(self, body: bytes, request: Request) -> Annotation:
        try:
            answer = json.loads(body)
            score, task = probability(answer.pop("score")), Task(answer.pop("task"))
        except (ValueError, KeyError) as error:
            raise UnexpectedBody(f"no toy body: {error}") from error
        unknown = tuple(answer)
        box, point = Box.of(0.1, 0.2, 0.5, 1.2), Point("nose", 0.3, 0.4, 0.9)
        if task is Task.LABELS:
            if (score.value or 0) < float(str(request.options["min_score"])):
                return Annotation(Status.BELOW_FLOOR, unknown=unknown)
            labels = (Label("cat", score, "toy:1", ("animal",)), Label("<b>tom</b>", score))
            return Annotation(labels=labels, unknown=unknown)
        if task is Task.OBJECTS:
            return Annotation(objects=(Object("cat", score, box),), unknown=unknown)
        if task is Task.FACES:
            asked = request.options["attributes"]
            assert isinstance(asked, list)
            ages = (Attribute("age", number=33.0, low=30.0, high=36.0),) if "age" in asked else ()
            vector = (0.5, 0.25) if "embedding" in asked else ()
            face = Face(score, box, (point,), roll=3.0, attributes=ages, embedding=vector)
            return Annotation(faces=(face,), unknown=unknown)
        if task is Task.PEOPLE:
            return Annotation(people=(Person(score, box, (point,)),), unknown=unknown)
        if task is Task.TEXT:
            line = TextLine("STOP", box, score, polygon=((0.1, 0.2), (0.5, 0.2)))
            return Annotation(text_lines=(line,), unknown=unknown)
        return Annotation(safe_search=(SafeSearch("nsfw", score),), unknown=unknown)
