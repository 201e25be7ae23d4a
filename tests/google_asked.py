"""What tests ask the Google adapter: providers at a server, images with tasks, one call."""

from __future__ import annotations

import json

from visionhub_google import GoogleVision

from tests.conftest import jpeg
from visionhub.images import render, sha256_of
from visionhub.provider import Request, Work, canonical
from visionhub.schema import Task

TRANSPORTS = ("rest", "grpc")
ONE = {"responses": [{"labelAnnotations": [{"description": "cat", "mid": "/m/1", "score": 0.5}]}]}


def google(server, transport, **settings):
    provider = GoogleVision()
    given = {"sandbox": server.sandbox, "transport": transport, **settings}
    provider.configure({name: str(value) for name, value in given.items()})
    return provider


def work(data, *tasks, **options):
    """One image with some tasks asked about it, at their defaults."""
    _, image = render(data, GoogleVision.limits)
    provider = GoogleVision()
    requests = []
    for task in tasks or (Task.LABELS,):
        parameters = provider.tasks[task].parameters
        asked = {name: parameter.default for name, parameter in parameters.items()}
        asked |= {name: value for name, value in options.items() if name in asked}
        revision = provider.revision(task, asked)
        sent = (sha256_of(data), image.sha256, image.width, image.height)
        requests.append(Request(*sent, task, "google", revision, canonical(asked)))
    return Work(image, tuple(requests))


def works(count):
    return [work(jpeg(64, 48, shift)) for shift in range(count)]


def fetched(provider, *asked):
    (batch,) = provider.batches(asked)
    return list(provider.fetch(batch))


def item_error(code, **more):
    return {"error": {"code": code, "message": f"M{code}", **more}}


def parse(task, answer, width=200, height=100, **options):
    """What is read in an answer for one image of 200 x 100 pixels."""
    body = json.dumps({"responses": [answer]}).encode()
    request = Request("i", "s", width, height, task, "google", "r", canonical(options))
    return GoogleVision().parse(body, request)


def pixels(*pairs):
    return {"vertices": [{"x": x, "y": y} for x, y in pairs]}


def rectangle(left, top, right, bottom):
    return pixels((left, top), (right, top), (right, bottom), (left, bottom))
