"""The provider: settings, grouping, one call with its outcomes, and the way to the parsers."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

from visionhub.errors import (
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    UnexpectedBody,
    UsageError,
)
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
from visionhub_google import credentials
from visionhub_google.adopt import adopted
from visionhub_google.answer import annotate
from visionhub_google.asking import grouped, message_for, ratios, whole
from visionhub_google.client import Clients, Route
from visionhub_google.inbox import Received
from visionhub_google.leaves import LEAVES, answered
from visionhub_google.split import Part, split
from visionhub_google.tasks import (
    FEATURES,
    IMAGES_PER_CALL,
    METERED,
    OPERATION,
    PER_SECOND,
    SETTINGS,
    TASKS,
)
from visionhub_google.translate import KEY_VARIABLE

OK = 200
CALLS = 1024  # in flight at once: what one process can still hold
MOST = 86_400  # seconds of patience, calls a second
EXHAUSTED = 8  # google.rpc.Code, RESOURCE_EXHAUSTED
PASSING = {4, EXHAUSTED, 10, 13, 14}  # deadline, exhausted, aborted, internal, unavailable


class GoogleVision(Provider):
    """Google Cloud Vision v1. One call carries up to 16 images, each with all that is asked of it.

    No answer says which model gave it: the requested model is in the revision, the client's version
    and the time are kept with the body.
    """

    name = "google"
    tasks: ClassVar[Mapping[Task, TaskSpec]] = TASKS
    settings: ClassVar[Mapping[str, Parameter]] = SETTINGS
    variables: ClassVar[Sequence[str]] = (KEY_VARIABLE,)
    leaves: ClassVar = LEAVES
    images_per_batch: ClassVar[int] = IMAGES_PER_CALL
    requires: ClassVar[Sequence[str]] = ("google.cloud.vision_v1",)

    def __init__(self) -> None:
        self.concurrency = int(SETTINGS["concurrency"].default)  # type: ignore[arg-type]
        self._clients: Clients | None = None
        self._lock = threading.Lock()

    def configure(self, given: Mapping[str, str]) -> None:
        """Take settings; UsageError for one that cannot be used."""
        super().configure(given)
        self.concurrency = self._count("concurrency", 1, CALLS)
        self._count("batch", 1, IMAGES_PER_CALL)
        self._count("call_bytes", 1, 2**31)
        for name in ("timeout", "rate_calls", "rate_units"):
            least = 0.001 if name == "timeout" else 0.0  # a rate of 0 is the built-in one
            if not least <= self._number(name) <= MOST:
                raise self.unusable(name, f"give a number from {least:g} to {MOST}")
        host, _, port = str(self.setting("sandbox")).rpartition(":")
        if self.rehearsing and not (host and port.isdigit()):
            raise self.unusable("sandbox", "give host:port, such as 127.0.0.1:8099")

    def revision(self, task: Task, options: Mapping[str, Value]) -> str:
        """API version and requested model; an earlier answer does not tell which that was."""
        words = f"vision v1 {options.get('model', 'model unknown')}"
        return f"rehearsal {words}" if self.rehearsing else words

    def ready(self, wanted: Mapping[Task, Mapping[str, Value]], announce: Announce) -> None:
        """Check the parameters, find credentials and make the client."""
        for task, options in wanted.items():
            if "max_results" in options and whole(options["max_results"]) < 1:
                raise UsageError(f"--param {task}.max_results: give a number from 1.")
            ratios(options.get("aspect_ratios", []))
        self._connected()

    def rates(self) -> Mapping[str, float]:
        """Calls a second, and images a second of the features with a quota of their own."""
        calls = self._number("rate_calls") or PER_SECOND
        units = self._number("rate_units") or PER_SECOND
        return {OPERATION: calls, **dict.fromkeys(METERED, units)}

    def takes(self, batch: Batch) -> Mapping[str, int]:
        """One call, and one unit for each image with labels or text."""
        units = Counter(FEATURES[request.task] for request in batch.requests)
        return {OPERATION: 1, **{name: units[name] for name in METERED if units[name]}}

    def batches(self, works: Sequence[Work]) -> Iterator[Batch]:
        """Calls of up to `batch` images and `call_bytes` bytes."""
        images, size = self.setting("batch"), self.setting("call_bytes")
        return grouped(works, min(whole(images), IMAGES_PER_CALL), whole(size))

    def fetch(self, batch: Batch) -> Iterable[Outcome]:
        """One call; an error for one image is that image's own."""
        clients = self._connected()
        try:
            received = clients.call(message_for(batch))
        except ProviderError as error:
            return self._failed(batch, error, clients)
        if received is None:
            raise ProviderUnavailable("Google's client returned without an answer.")
        return outcomes_of(batch, received, clients.version)

    def parse(self, body: bytes, request: Request) -> Annotation:
        """Read one image's answer, JSON or protobuf."""
        return annotate(body, request)

    def adopt(self, data: bytes) -> Sequence[Adopted]:
        """Earlier answers in a JSON document."""
        return adopted(data)

    def _failed(self, batch: Batch, error: ProviderError, clients: Clients) -> Iterable[Outcome]:
        """A call without an answer; or with one that only the client could not decode."""
        received = clients.inbox.last
        if received is None:
            raise error
        if received.status == OK:
            return outcomes_of(batch, received, clients.version)
        body = _body(received.data, received, clients.version)
        return [Outcome(batch.requests, error, body)]

    def _connected(self) -> Clients:
        """The client, made once, by whichever thread comes first."""
        with self._lock:
            if self._clients is None:
                found = credentials.find(rehearsing=self.rehearsing)
                self._clients = Clients(self._route(), found)
            return self._clients

    def _route(self) -> Route:
        return Route(
            transport=str(self.setting("transport")),
            sandbox=str(self.setting("sandbox")),
            endpoint=str(self.setting("endpoint")),
            concurrency=self._count("concurrency", 1, CALLS),
            timeout=self._number("timeout"),
        )

    def _count(self, name: str, least: int, most: int) -> int:
        value = whole(self.setting(name))
        if not least <= value <= most:
            raise self.unusable(name, f"give a number from {least} to {most}")
        return value

    def _number(self, name: str) -> float:
        value = self.setting(name)
        return float(value) if isinstance(value, int | float) else 0.0


def outcomes_of(batch: Batch, received: Received, client: str) -> list[Outcome]:
    """What an answer of status 200 brings; whether a damaged one is charged nobody can tell."""
    whole_body = _body(received.data, received, client)
    try:
        parts = split(received.data)
    except UnexpectedBody as error:
        return [Outcome(batch.requests, error, whole_body)]
    if len(parts) != len(batch.works):
        wrong = f"Google answered {len(parts)} images of {len(batch.works)} that were sent."
        # Kept with a request, an answer for one image would one day be read as the request's.
        kept = None if len(parts) == 1 else whole_body
        return [Outcome(batch.requests, UnexpectedBody(wrong), kept)]
    pairs = zip(batch.works, parts, strict=True)
    bodies = [(work, part, _body(part.data, received, client)) for work, part in pairs]
    return [outcome for each in bodies for outcome in _for_image(*each)]


def _body(data: bytes, received: Received, client: str) -> Body:
    return Body(data, received.media_type, NOT_REPORTED, client)


def _for_image(work: Work, part: Part, body: Body) -> list[Outcome]:
    """One image's outcomes: an error that may pass is for what was not answered beside it.

    An image that met a quota was not looked at, and is not charged, as with a whole call. Of one
    that was given up (too late, aborted, internal, unavailable) nobody can tell.
    """
    if part.code not in PASSING:
        return [Outcome(work.requests, body)]
    there = tuple(r for r in work.requests if answered(r.task, part.members))
    left = tuple(r for r in work.requests if r not in there)
    say = f"Google could not answer this image now (code {part.code}): {part.message}"
    kind = RateLimited if part.code == EXHAUSTED else ProviderUnavailable
    outcomes = [Outcome(there, body)] if there else []
    return [*outcomes, Outcome(left, kind(say), body)] if left else outcomes
