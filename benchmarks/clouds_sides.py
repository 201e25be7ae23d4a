"""The two sides of `make bench-clouds`: the product's adapter, and the least code with its SDK.

Both read the files, send the same bytes with the same feature in calls of the same size, through
as many threads and connections, and try once. The bare side takes the SDK's answer and looks at
nothing in it; ours parses it, hashes and packs the body, and keeps to rates and retries. Between
them stand our call without all that (`call`), and a bare loop that keeps what it gets (`kept`).
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import visionhub
from benchmarks.clouds_photos import Photo
from visionhub import registry
from visionhub.engine.ask import ask
from visionhub.engine.gate import Gate
from visionhub.engine.plan import Ask, plan
from visionhub.images import JPEG, Rendering
from visionhub.provider import Batch, Body, Request, Work
from visionhub.schema import Annotation

Sdk: TypeAlias = Any  # an object of an SDK's, which come without types
TIMEOUT = 60.0  # seconds
MOST_RESULTS, LEAST_PERCENT, MOST_LABELS = 50, 55.0, 1000  # the adapters' own defaults
RATES = ("rate", "rate_calls", "rate_units")
UNLIMITED = "10000"  # a second


@dataclass(frozen=True)
class Way:
    """One service through one SDK and transport."""

    title: str
    provider: str
    transport: str = ""

    @property
    def usual_batch(self) -> int:
        """Images a call, as the product sends them unless it is told otherwise."""
        return registry.get(self.provider).images_per_batch


WAYS = (
    Way("boto3", "rekognition"),
    Way("google REST", "google", "rest"),
    Way("google gRPC", "google", "grpc"),
)


def settings(way: Way, in_flight: int, batch: int) -> dict[str, str]:
    """The product's settings for a comparison: no limit but the number in flight."""
    offered = registry.get(way.provider).settings
    wanted = {"concurrency": str(in_flight), "timeout": str(TIMEOUT), "batch": str(batch)}
    wanted |= dict.fromkeys(RATES, UNLIMITED)
    wanted |= {"transport": way.transport} if way.transport else {}
    return {f"{way.provider}.{name}": text for name, text in wanted.items() if name in offered}


class Ours:
    """The adapter as a run uses it: through `engine.ask`, behind a gate."""

    def __init__(self, way: Way, address: str, in_flight: int, batch: int) -> None:
        chosen = settings(way, in_flight, batch)
        wanted = Ask((way.provider,), ("labels",), settings=chosen, sandbox=address)
        planned = plan(wanted, print)
        self._provider = planned.providers[way.provider]
        [self._question] = planned.questions
        self._gate = Gate(self._provider)
        self._stop = threading.Event()

    def answered(self, photos: Sequence[Photo]) -> int:
        """Ask about these photographs in one call; how many were answered."""
        parts = ask(self._provider, self._batch(photos), self._stop, self._gate)
        return sum(isinstance(part.result, Annotation) and len(part.result) > 0 for part in parts)

    def call(self, photos: Sequence[Photo]) -> int:
        """The adapter's call alone, whose bodies are dropped."""
        outcomes = self._provider.fetch(self._batch(photos))
        return sum(isinstance(outcome.result, Body) for outcome in outcomes)

    def _batch(self, photos: Sequence[Photo]) -> Batch:
        [batch] = self._provider.batches([self._work(photo) for photo in photos])
        return batch

    def _work(self, photo: Photo) -> Work:
        asked = self._question
        sides = (photo.width, photo.height)
        data = photo.path.read_bytes()
        request = Request(
            photo.sha256,
            photo.sha256,
            *sides,
            asked.task,
            asked.provider,
            asked.revision,
            asked.parameters,
        )
        return Work(Rendering(photo.sha256, data, JPEG, *sides), (request,))


class Boto3:
    """DetectLabels, as AWS's own examples call it, retries off and with room for all threads."""

    def __init__(self, way: Way, address: str, in_flight: int) -> None:
        import boto3
        from botocore.config import Config

        config = Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=in_flight,
            read_timeout=TIMEOUT,
            proxies={},
        )
        self._client = boto3.session.Session("bench", "bench").client(
            way.provider, "us-east-1", endpoint_url=f"http://{address}", config=config
        )

    def call(self, photos: Sequence[Photo]) -> int:
        """Call, and drop the answer."""
        return sum("Labels" in self._ask(photo) for photo in photos)

    def kept(self, photos: Sequence[Photo]) -> int:
        """Call, and keep the answer as JSON and its labels as rows."""
        return sum(map(self._keep, photos))

    def _ask(self, photo: Photo) -> Sdk:
        return self._client.detect_labels(
            Image={"Bytes": photo.path.read_bytes()},
            Features=["GENERAL_LABELS"],
            MinConfidence=LEAST_PERCENT,
            MaxLabels=MOST_LABELS,
        )

    def _keep(self, photo: Photo) -> bool:
        answer = self._ask(photo)
        rows = [
            (label["Name"], label["Confidence"], [each["Name"] for each in label["Parents"]])
            for label in answer["Labels"]
        ]
        return bool(rows and json.dumps(answer))


class Google:
    """batch_annotate_images with the client's own types, retries off."""

    def __init__(self, way: Way, address: str, in_flight: int) -> None:
        from google.cloud import vision_v1

        self._types = vision_v1
        connect = self._rest if way.transport == "rest" else self._grpc
        self._client = connect(address, in_flight)

    def call(self, photos: Sequence[Photo]) -> int:
        """Call, and drop the answer."""
        return len(self._ask(photos).responses)

    def kept(self, photos: Sequence[Photo]) -> int:
        """Call, and keep each image's answer as JSON and its labels as rows."""
        return sum(map(self._keep, self._ask(photos).responses))

    def _keep(self, item: Sdk) -> bool:
        rows = [(each.description, each.score, each.mid) for each in item.label_annotations]
        return bool(rows and type(item).to_json(item))

    def _ask(self, photos: Sequence[Photo]) -> Sdk:
        types = self._types
        label = types.Feature(
            type_=types.Feature.Type.LABEL_DETECTION,
            model="builtin/stable",
            max_results=MOST_RESULTS,
        )
        requests = [
            types.AnnotateImageRequest(
                image=types.Image(content=photo.path.read_bytes()), features=[label]
            )
            for photo in photos
        ]
        return self._client.batch_annotate_images(requests=requests, retry=None, timeout=TIMEOUT)

    def _rest(self, address: str, in_flight: int) -> Sdk:
        from google.auth.credentials import AnonymousCredentials
        from requests.adapters import HTTPAdapter

        client = self._types.ImageAnnotatorClient(
            credentials=AnonymousCredentials(),
            transport="rest",
            client_options={"api_endpoint": f"http://{address}"},
        )
        session = client.transport._session  # noqa: SLF001 - there is no public way to its pool
        session.mount("http://", HTTPAdapter(pool_maxsize=in_flight))
        session.trust_env = False  # proxies are looked up for each call, and not by our side either
        return client

    def _grpc(self, address: str, in_flight: int) -> Sdk:
        import grpc
        from google.cloud.vision_v1.services.image_annotator.transports import (
            ImageAnnotatorGrpcTransport,
        )

        host, _, port = address.rpartition(":")
        options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
        channel = grpc.insecure_channel(f"{host}:{int(port) + 1}", options)
        return self._types.ImageAnnotatorClient(
            transport=ImageAnnotatorGrpcTransport(channel=channel)
        )


def bare(way: Way, address: str, in_flight: int) -> Boto3 | Google:
    """The bare side of a way."""
    kind = Boto3 if way.provider == "rekognition" else Google
    return kind(way, address, in_flight)


class Whole:
    """The product from files to a study, start included; and a bare loop, start included."""

    def __init__(self, way: Way, address: str, in_flight: int, folder: Path) -> None:
        self.way, self.address, self.in_flight = way, address, in_flight
        self.folder, self.round = folder, 0

    def product(self, photos: Sequence[Photo]) -> int:
        """A new study of these photographs; how many were answered."""
        self.round += 1
        study = visionhub.Study(self.folder / f"{os.getpid()}-{id(self)}-{self.round}.db")
        done = study.annotate(
            [photo.path for photo in photos],
            providers=[self.way.provider],
            tasks=["labels"],
            settings=settings(self.way, self.in_flight, self.way.usual_batch),
            sandbox=self.address,
        )
        return done.done

    def loop(self, photos: Sequence[Photo]) -> int:
        """The same photographs in the same calls, the answers dropped."""
        batch = self.way.usual_batch
        call = bare(self.way, self.address, self.in_flight)
        calls = [photos[at : at + batch] for at in range(0, len(photos), batch)]
        with ThreadPoolExecutor(self.in_flight) as pool:
            return sum(pool.map(call.call, calls))
