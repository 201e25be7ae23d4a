"""The provider `rekognition`: what it offers, and how works become calls and bodies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from threading import Lock
from typing import ClassVar

from visionhub.errors import RefusedImage, UnexpectedBody
from visionhub.images import Limits, Rendering
from visionhub.leaves import Leaves
from visionhub.provider import (
    NOT_REPORTED,
    Adopted,
    Announce,
    Batch,
    Body,
    Outcome,
    Parameter,
    Provider,
    Request,
    TaskSpec,
    Value,
    Work,
)
from visionhub.schema import Annotation, Task
from visionhub_rekognition import adopted, answers, offered
from visionhub_rekognition.leaves import LEAVES
from visionhub_rekognition.operations import (
    API_VERSION,
    BY_NAME,
    BY_TASK,
    MAX_BYTES,
    OPERATIONS,
    Operation,
    arguments,
)
from visionhub_rekognition.reading import document
from visionhub_rekognition.source import Sources
from visionhub_rekognition.transport import Connection, Way, connect

LARGEST = 16 * 1024 * 1024  # bytes of an answer; a thousand labels with boxes come to 1 MB
FAST_REGIONS = ("us-east-1", "us-west-2")
FAST, SLOW = 50.0, 5.0  # calls a second: from memory of AWS's quotas page, unverified


class Rekognition(Provider):
    """Amazon Rekognition's operations on single pictures.

    One picture a call. Labels, objects and colours of a picture share one call of DetectLabels.
    """

    name: ClassVar[str] = "rekognition"
    tasks: ClassVar[Mapping[Task, TaskSpec]] = offered.TASKS
    # The shortest side that any operation takes; each has its own, see `refusal`.
    limits: ClassVar[Limits] = Limits(
        max_bytes=MAX_BYTES, min_side=min(operation.sides[0] for operation in OPERATIONS)
    )
    concurrency: int = 16
    requires: ClassVar[Sequence[str]] = ("boto3",)
    settings: ClassVar[Mapping[str, Parameter]] = offered.SETTINGS
    leaves: ClassVar[Sequence[Leaves]] = LEAVES

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._connecting = Lock()
        self._sources = Sources(Limits(min_side=BY_TASK[Task.FACE_MATCHES].sides[0]))

    def configure(self, given: Mapping[str, str]) -> None:
        """Take settings; the connection pool has room for as many calls as run at once."""
        super().configure(given)
        self.concurrency = self._way().concurrency

    def _way(self) -> Way:
        way = Way(
            region=str(self.setting("region")),
            profile=str(self.setting("profile")),
            instance_role=bool(self.setting("instance_role")),
            endpoint=str(self.setting("endpoint")),
            sandbox=str(self.setting("sandbox")),
            concurrency=int(str(self.setting("concurrency"))),
            timeout=float(str(self.setting("timeout"))),
            rate=float(str(self.setting("rate"))),
        )
        name, says = way.wrong()
        if name:
            raise self.unusable(name, says)
        return way

    def rates(self) -> Mapping[str, float]:
        """Calls a second by operation."""
        way = self._way()
        rate = way.rate or (FAST if way.find_region() in FAST_REGIONS else SLOW)
        return {operation.name: rate for operation in OPERATIONS}

    def region(self) -> str:
        """The AWS region: prices differ between them."""
        return self._way().find_region()

    def revision(self, task: Task, options: Mapping[str, Value]) -> str:
        """API version and region; for face matches also the source picture's SHA-256."""
        parts = ["rehearsal"] if self.rehearsing else []
        parts += [API_VERSION, self._way().find_region()]
        if task is Task.FACE_MATCHES and options.get("source"):
            parts.append(f"source {self._sources.sha256(str(options['source']))}")
        return " ".join(filter(None, parts))

    def ready(self, wanted: Mapping[Task, Mapping[str, Value]], announce: Announce) -> None:
        """Check parameters, credentials and region, and load the SDK; nothing is sent."""
        for task, options in wanted.items():
            offered.check(task, options)
            if task is Task.FACE_MATCHES:
                self._sources.bytes_of(str(options.get("source", "")))
        self._connect(announce)

    def _connect(self, announce: Announce) -> Connection:
        """The one client, made at the first call: making clients is not thread-safe, using is."""
        with self._connecting:
            if self._connection is None:
                self._connection = connect(self._way(), announce)
            return self._connection

    def refusal(self, image: Rendering, task: Task) -> RefusedImage | None:
        """Each operation takes pictures of other sizes."""
        return BY_TASK[task].refusal(image)

    def batches(self, works: Sequence[Work]) -> Iterator[Batch]:
        """One call for each picture and operation, and for each way of asking it."""
        for work in works:
            calls: dict[tuple[str, str], list[Request]] = {}
            for request in work.requests:
                operation = BY_TASK[request.task].name
                alike = "" if operation == "DetectLabels" else request.parameters
                calls.setdefault((operation, alike), []).append(request)
            for (operation, _), requests in calls.items():
                yield Batch((Work(work.image, tuple(requests)),), operation)

    def fetch(self, batch: Batch) -> Iterator[Outcome]:
        """One call, which answers all requests of the batch."""
        operation = BY_NAME[batch.operation]
        for work in batch.works:
            yield from self._ask(operation, work)

    def _ask(self, operation: Operation, work: Work) -> list[Outcome]:
        if refusal := operation.refusal(work.image):
            return [Outcome(work.requests, refusal)]
        path, source = "", b""
        if operation.tasks == (Task.FACE_MATCHES,):
            path = str(work.requests[0].options["source"])
            source = self._sources.bytes_of(path)
        connection = self._connect(lambda _: None)
        reply = connection.call(
            operation, arguments(operation, work.image.data, work.requests, source)
        )
        body = Body(reply.data or b"", model_version=reply.version, client=connection.name)
        if reply.error is None:
            self._sources.worked(path)
            return outcomes_of(operation, work.requests, body)
        error = self._sources.blamed(path, reply.error) if path else reply.error
        return [Outcome(work.requests, error, body if reply.data else None)]

    def parse(self, body: bytes, request: Request) -> Annotation:
        """Read a body; needs neither boto3 nor an account."""
        return answers.parse(body, request)

    def adopt(self, data: bytes) -> Sequence[Adopted]:
        """An answer that boto3 or the AWS command line gave, and that somebody saved as JSON."""
        return adopted.adopt(data)


def outcomes_of(operation: Operation, requests: tuple[Request, ...], body: Body) -> list[Outcome]:
    """What an answer of status 200 brings: the SDK takes one that was cut short for an empty one.

    A damaged one is kept with the error: whether it is charged nobody can tell.
    """
    name, size = operation.name, len(body.data)
    if size > LARGEST:  # not even kept
        long = f"{name} was answered with {size:,} bytes: no answer is that long"
        return [Outcome(requests, UnexpectedBody(long))]
    try:
        answer = document(body.data)
    except (ValueError, RecursionError) as error:
        cut = UnexpectedBody(f"{name} was answered with a damaged body of {size:,} bytes: {error}")
        return [Outcome(requests, cut, body)]
    there = tuple(request for request in requests if operation.holds(answer, request.task))
    left = tuple(request for request in requests if request not in there)
    lacks = UnexpectedBody(f"{name} was answered without what was asked for")
    answered = replace(body, model_version=body.model_version or NOT_REPORTED)
    outcomes = [Outcome(there, answered)] if there else []
    return [*outcomes, Outcome(left, lacks, body)] if left else outcomes
