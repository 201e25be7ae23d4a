"""The body of this provider, written from numbers and read back; nothing here needs torch.

A body is JSON: the task, what answered (`model`, `weights`, `sha256`, `recipe`, `runtime`), the
`floor` below which nothing is kept, and `labels` or `objects`, best first, each with the class
index `id`, `name`, `score` and, for objects, `box` as ratios. `limit` is the most objects that
the network reports at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from visionhub.errors import UnexpectedBody
from visionhub.provider import Request
from visionhub.schema import Annotation, Box, Label, Object, Score, Status, Task, probability

Answer: TypeAlias = dict[str, Any]

ABOUT = {"task", "model", "weights", "sha256", "recipe", "runtime", "floor"}
LABELS = ABOUT | {"labels"}
OBJECTS = ABOUT | {"objects", "limit"}
LABEL = {"id", "name", "score"}
OBJECT = LABEL | {"box"}


def encode(answer: Answer) -> bytes:
    """Write an answer as the body that is stored."""
    return json.dumps(answer, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def parse(body: bytes, request: Request) -> Annotation:
    """Read a body: what reaches the request's `min_score`; UnexpectedBody when it is not ours."""
    try:
        answer: Answer = json.loads(body)
        if answer["task"] != request.task.value:
            raise UnexpectedBody(f"a body about {answer['task']} answers no {request.task} request")
        least = max(float(request.options["min_score"]), float(answer["floor"]))  # type: ignore[arg-type]
        read = _labels if request.task is Task.LABELS else _objects
        return read(answer, least)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UnexpectedBody(f"not a body of the torch provider ({error!r})") from error


def _labels(answer: Answer, least: float) -> Annotation:
    items: Sequence[Answer] = answer["labels"]
    labels = tuple(
        Label(str(item["name"]), score, str(item["id"])) for item, score in _reaching(items, least)
    )
    # Softmax shares out the whole of 1, so an empty list can only mean that all fell short.
    status = Status.OBSERVED if labels else Status.BELOW_FLOOR
    unknown = _unknown(answer, LABELS, "labels", LABEL)
    return Annotation(status, _reason(status, least), labels=labels, unknown=unknown)


def _objects(answer: Answer, least: float) -> Annotation:
    items: Sequence[Answer] = answer["objects"]
    objects = tuple(
        Object(str(item["name"]), score, Box.of(*item["box"]), str(item["id"]))
        for item, score in _reaching(items, least)
    )
    status = Status.OBSERVED
    if len(objects) >= int(answer["limit"]):
        status = Status.TRUNCATED
    elif items and not objects:
        status = Status.BELOW_FLOOR
    unknown = _unknown(answer, OBJECTS, "objects", OBJECT)
    return Annotation(status, _reason(status, least), objects=objects, unknown=unknown)


def _reaching(items: Sequence[Answer], least: float) -> Iterator[tuple[Answer, Score]]:
    for item in items:
        score = probability(item["score"])
        if score.value is not None and score.value >= least:
            yield item, score


def _reason(status: Status, least: float) -> str:
    if status is Status.TRUNCATED:
        return "as many objects as the network reports at most"
    return f"nothing reached {least:g}" if status is Status.BELOW_FLOOR else ""


def _unknown(answer: Answer, known: set[str], items: str, parts: set[str]) -> tuple[str, ...]:
    inner = {f"{items}.{key}" for item in answer[items] for key in item.keys() - parts}
    return tuple(sorted((answer.keys() - known) | inner))
