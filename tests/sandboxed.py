"""For tests of the sandbox: the SDKs' own clients, and models that see the same everywhere."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from visionhub_sandbox import Sandbox

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
    Score,
    Task,
    TextLine,
    probability,
)

EYES = (Point("right_eye", 0.3, 0.3), Point("left_eye", 0.5, 0.3))  # the person's own sides
MOUTH = (Point("mouth_right", 0.32, 0.6), Point("mouth_left", 0.48, 0.6))
FACE = Box(0.2, 0.1, 0.6, 0.7)
GUESSES = {
    "age": (Attribute("age", number=31.5, low=26.2, high=40.1),),
    "gender": (Attribute("gender", word="female", score=Score(Scale.UNCALIBRATED, 0.75)),),
    "emotion": (
        Attribute("emotion", word="neutral", score=Score(Scale.UNCALIBRATED, 0.8)),
        Attribute("emotion", word="fearful", score=Score(Scale.UNCALIBRATED, 0.2)),
    ),
}
SEEN = {
    Task.LABELS: Annotation(
        labels=(
            Label("golden retriever", probability(0.9), parents=("dog",)),
            Label("dog", probability(0.4)),
            Label("street_sign", probability(0.2)),
        )
    ),
    Task.OBJECTS: Annotation(
        objects=(
            Object("dog", probability(0.8), Box(0.0, 0.25, 0.5, 1.0)),
            Object("dog", probability(0.6), Box(0.5, 0.25, 0.75, 0.5)),
            Object("cat", probability(0.3), Box(0.1, 0.1, 0.2, 0.2)),
        )
    ),
    Task.TEXT: Annotation(
        text_lines=(
            TextLine("NO  ENTRY", Box(0.0, 0.0, 0.9, 0.1), probability(0.9)),
            TextLine("ever", Box(0.1, 0.5, 0.5, 0.6), probability(0.6)),
        )
    ),
    Task.SAFE_SEARCH: Annotation(safe_search=(SafeSearch("nsfw", probability(0.6)),)),
    Task.PEOPLE: Annotation(
        people=(
            Person(
                probability(0.9),
                Box(0.0, 0.0, 1.0, 1.0),
                (Point("nose", 0.5, 0.1, 0.9), Point("left_wrist", 0.2, 0.5, 0.7)),
            ),
        )
    ),
}


class Seer(Provider):
    """Sees `SEEN` in every picture, and two faces; counts what it is asked."""

    name: ClassVar[str] = "seer"
    tasks: ClassVar[Mapping[Task, TaskSpec]] = {
        **{task: TaskSpec(Scale.PROBABILITY) for task in SEEN},
        Task.FACES: TaskSpec(
            Scale.PROBABILITY,
            parameters={"attributes": Parameter([], "guesses")},
            sensitive=("age", "gender", "emotion", "embedding"),
        ),
    }

    def __init__(self, slow: float = 0.0) -> None:
        self.asked: list[tuple[str, str]] = []
        self._slow, self._lock = slow, threading.Lock()

    def revision(self, task: Task, options: Mapping[str, Value]) -> str:
        return "seer@1"

    def fetch(self, batch: Batch) -> Iterable[Outcome]:
        for request in batch.requests:
            threading.Event().wait(self._slow)
            with self._lock:
                self.asked.append((request.task.value, request.parameters))
            yield Outcome((request,), Body(json.dumps(request.task.value).encode()))

    def parse(self, body: bytes, request: Request) -> Annotation:
        if request.task is not Task.FACES:
            return SEEN[request.task]
        named = request.options["attributes"]
        assert isinstance(named, list)
        return Annotation(
            faces=(_face(FACE, 0.95, named), _face(Box(0.7, 0, 0.8, 0.2), 0.9, named))
        )


def _face(box: Box, score: float, named: list[str]) -> Face:
    guesses = tuple(each for name in named for each in GUESSES.get(name, ()))
    vector = (box.x_min, 1.0) if "embedding" in named else ()
    points = (*EYES, Point("nose", 0.4, 0.457), *MOUTH)
    return Face(probability(score), box, points, attributes=guesses, embedding=vector)


@contextmanager
def rekognition(sandbox: Sandbox, timeout: float = 10.0, *, checks: bool = True) -> Iterator[Any]:
    """boto3's client with one attempt a call; `checks`: it looks at parameters before it asks."""
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "rekognition",
        endpoint_url=f"http://{sandbox.address}",
        region_name="eu-west-1",
        aws_access_key_id="rehearsal",
        aws_secret_access_key="rehearsal",
        config=Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            read_timeout=timeout,
            parameter_validation=checks,
            max_pool_connections=32,
        ),
    )
    try:
        yield client
    finally:
        client.close()


@contextmanager
def google(sandbox: Sandbox, transport: str) -> Iterator[Any]:
    """Google's client over REST or gRPC."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import vision

    if transport == "rest":
        client = vision.ImageAnnotatorClient(
            transport="rest",
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": f"http://{sandbox.address}"},
        )
        with client:
            yield client
        return
    import grpc
    from google.cloud.vision_v1.services.image_annotator.transports import (
        ImageAnnotatorGrpcTransport,
    )

    with grpc.insecure_channel(sandbox.grpc_address) as channel:
        yield vision.ImageAnnotatorClient(transport=ImageAnnotatorGrpcTransport(channel=channel))


def annotate(client: Any, *images: bytes, features: Iterable[Any], timeout: float = 10.0) -> Any:
    """One call of Google's client, every feature for every image, one attempt."""
    asked = [each if isinstance(each, dict) else {"type_": each} for each in features]
    requests = [{"image": {"content": image}, "features": asked} for image in images]
    return client.batch_annotate_images(requests=requests, retry=None, timeout=timeout)
