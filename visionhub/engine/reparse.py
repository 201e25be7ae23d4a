"""Rebuild every derived table from the bodies. Costs no request: parsing is pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from visionhub import registry
from visionhub.engine.ask import parse
from visionhub.errors import ProviderError, UnexpectedBody
from visionhub.provider import Provider, Request, TaskSpec
from visionhub.schema import Annotation, Scale, Task
from visionhub.store.items import Answer, Question
from visionhub.store.record import Recorder
from visionhub.store.study import StudyFile

BATCH = 500

_BODIES = (
    "SELECT r.id, r.image_id, r.question_id, i.sha256, n.sha256, n.width, n.height, q.provider, "
    "q.task, q.revision, q.parameters, q.scale, b.data FROM requests r JOIN bodies b ON b.id = "
    "r.body_id JOIN images i ON i.id = r.image_id JOIN renderings n ON n.id = r.rendering_id JOIN "
    "questions q ON q.id = r.question_id WHERE r.id > ? ORDER BY r.id LIMIT ?"
)


def reparse(study: StudyFile) -> Counter[str]:
    """Parse all stored bodies again; counts by status. Which answer is current does not change.

    Raises UnknownProvider when an adapter that a body needs is not installed; nothing is changed
    for the batch that needed it.
    """
    counts: Counter[str] = Counter()
    providers: dict[str, Provider] = {}
    recorder = Recorder(study, run_id=0)
    for rows in _pages(study):
        for name in {row[7] for row in rows} - providers.keys():
            providers[name] = registry.get(name)
        found = [(row[0], _answer(providers[row[7]], row)) for row in rows]
        with study.transaction():
            recorder.reparsed(found)
        counts.update(answer.status.value for _, answer in found)
    with study.transaction():  # an error may have become an answer, or the other way round
        recorder.versions_anew()
    return counts


def _pages(study: StudyFile) -> Iterator[list[tuple[Any, ...]]]:
    last = 0
    while rows := study.query(_BODIES, (last, BATCH)).rows:
        last = rows[-1][0]
        yield rows


def _answer(provider: Provider, row: tuple[Any, ...]) -> Answer:
    import zstandard

    _, image_id, question_id, *asked, scale, data = row
    image, sent, width, height, name, task, revision, parameters = asked
    request = Request(image, sent, width, height, Task(task), name, revision, parameters)
    try:
        body = zstandard.ZstdDecompressor().decompress(data)
    except zstandard.ZstdError as error:
        result: Annotation | ProviderError = UnexpectedBody(f"stored body damaged: {error}")
    else:
        result = parse(provider, body, request)
    question = Question(name, Task(task), revision, parameters, TaskSpec(Scale(scale)))
    return Answer(image_id, question_id, question, result)
