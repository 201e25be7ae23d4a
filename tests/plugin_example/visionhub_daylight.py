"""A provider for visionhub: is it light or dark in the picture?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import ClassVar

from PIL import ImageStat

from visionhub.errors import UnexpectedBody
from visionhub.provider import Batch, Body, Outcome, Parameter, Provider, Request, TaskSpec, Value
from visionhub.schema import Annotation, Label, Scale, Score, Task

THRESHOLD = Parameter(0.5, "brightness from which a picture is light, 0 to 1")
LABELS = TaskSpec(Scale.UNCALIBRATED, vocabulary="daylight", parameters={"threshold": THRESHOLD})


class Daylight(Provider):
    """The mean brightness of the picture, and a word for it."""

    name = "daylight"
    tasks: ClassVar = {Task.LABELS: LABELS}

    def revision(self, task: Task, options: Mapping[str, Value]) -> str:
        """Change this word whenever `fetch` would answer differently."""
        return "mean-1"

    def fetch(self, batch: Batch) -> Iterable[Outcome]:
        """One body for each picture; a service would be called here, once."""
        for work in batch.works:
            mean = ImageStat.Stat(work.image.open().convert("L")).mean[0] / 255
            body = json.dumps({"brightness": round(mean, 6)}).encode()
            yield Outcome(work.requests, Body(body, model_version="mean-1"))

    def parse(self, body: bytes, request: Request) -> Annotation:
        """A label, with the brightness as its score; needs nothing but the body."""
        try:
            answer = json.loads(body)
            brightness = answer["brightness"] + 0.0
        except (ValueError, TypeError, LookupError) as error:
            raise UnexpectedBody(f"daylight answered without a brightness: {error}") from error
        word = "light" if brightness >= request.options["threshold"] else "dark"
        label = Label(word, Score(Scale.UNCALIBRATED, brightness))
        return Annotation(labels=(label,), unknown=tuple(sorted(answer.keys() - {"brightness"})))
