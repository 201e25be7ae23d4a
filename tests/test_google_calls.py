"""Calls of the Google adapter through the real client, over REST and gRPC."""

from __future__ import annotations

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from visionhub_google import GoogleVision

from tests.conftest import jpeg
from tests.google_answers import full, holding, well
from tests.google_asked import ONE, TRANSPORTS, fetched, google, item_error, work, works
from tests.google_server import Reply, protobuf, serving
from visionhub.engine.ask import ask
from visionhub.images import sha256_of
from visionhub.provider import NOT_REPORTED, Body, Work
from visionhub.schema import Annotation, Task


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_17_images_are_two_calls_and_every_byte_arrives_as_it_is(transport):
    asked = works(17)
    with serving(well) as server:
        provider = google(server, transport)
        batches = list(provider.batches(asked))
        assert [len(batch.works) for batch in batches] == [16, 1]
        outcomes = [outcome for batch in batches for outcome in provider.fetch(batch)]
    assert [outcome.requests for outcome in outcomes] == [each.requests for each in asked]
    assert all(isinstance(outcome.result, Body) for outcome in outcomes)
    assert [len(call) for call in server.calls] == [16, 1]
    sent = [image.content for call in server.calls for image in call]
    assert sent == [jpeg(64, 48, shift) for shift in range(17)], "bytes were encoded again"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_each_image_carries_its_own_features_with_their_parameters(transport):
    first = work(jpeg(64, 48), Task.LABELS, Task.TEXT, max_results=7, kind="document",
                 model="builtin/weekly", language_hints=["de", "fr"])  # fmt: skip
    second = work(jpeg(64, 48, 1), Task.CROP_HINTS, Task.FACES, aspect_ratios=["1", "1.78"])
    with serving(well) as server:
        fetched(google(server, transport), first, second)
    one, two = server.calls[0]
    assert set(one.features) == {"LABEL_DETECTION", "DOCUMENT_TEXT_DETECTION"}
    assert one.features["LABEL_DETECTION"]["maxResults"] == 7
    assert one.features["LABEL_DETECTION"]["model"] == "builtin/weekly"
    assert "maxResults" not in one.features["DOCUMENT_TEXT_DETECTION"]
    assert one.context["languageHints"] == ["de", "fr"]
    assert one.context["textDetectionParams"] == {"enableTextDetectionConfidenceScore": True}
    assert set(two.features) == {"CROP_HINTS", "FACE_DETECTION"}
    assert two.features["FACE_DETECTION"]["maxResults"] == 50
    assert two.context["cropHintsParams"]["aspectRatios"] == pytest.approx([1, 1.78])


def test_every_task_asks_for_the_feature_that_is_its_price_line():
    asked = work(jpeg(64, 48), *GoogleVision.tasks)
    with serving(well) as server:
        (outcome,) = fetched(google(server, "rest"), asked)
    skus = {spec.sku for spec in GoogleVision.tasks.values()}
    assert set(server.calls[0][0].features) == skus
    assert len(skus) == 10
    assert outcome.requests == asked.requests


def test_a_task_asked_twice_is_two_calls():
    """An answer has room for one of each; the same image is sent again."""
    once, again = work(jpeg(64, 48), max_results=5), work(jpeg(64, 48), max_results=6)
    both = Work(once.image, (*once.requests, *again.requests))
    with serving(well) as server:
        provider = google(server, "grpc")
        (batch,) = provider.batches([both])
        outcomes = list(provider.fetch(batch))
    assert Counter(r.key for o in outcomes for r in o.requests) == Counter(
        r.key for r in both.requests
    )
    limits = [image.features["LABEL_DETECTION"]["maxResults"] for image in server.calls[0]]
    assert limits == [5, 6]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_one_image_s_body_is_what_was_received(transport):
    answer = {"responses": [full()]}
    sent = json.dumps(answer, indent=3).encode() if transport == "rest" else protobuf(answer)
    with serving(lambda _: Reply(sent)) as server:
        (outcome,) = fetched(google(server, transport), *works(1))
    body = outcome.result
    assert body.data == sent
    media = {"rest": "application/json", "grpc": "application/x-protobuf"}
    assert body.media_type == media[transport]
    assert body.model_version == NOT_REPORTED
    assert body.client.startswith("google-cloud-vision 3.")
    assert body.client.endswith(transport)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_members_that_the_client_does_not_know_are_kept(transport):
    item = {"labelAnnotations": [{"description": "cat", "score": 0.5}]}
    if transport == "rest":
        sent = json.dumps({"responses": [{**item, "brandNew": {"a": 1}}]}).encode()
    else:
        inside = protobuf({"responses": [item]})[2:] + b"\xfa\x3e\x01x"
        sent = b"\n" + bytes([len(inside)]) + inside
    with serving(lambda _: Reply(sent)) as server:
        provider = google(server, transport)
        (outcome,) = fetched(provider, *works(1))
    assert outcome.result.data == sent
    annotation = provider.parse(outcome.result.data, outcome.requests[0])
    assert annotation.unknown == ({"rest": "brandNew", "grpc": "#1007"}[transport],)
    assert [label.name for label in annotation.labels] == ["cat"]


def test_only_the_image_that_failed_is_asked_again():
    turns = iter([[ONE["responses"][0], item_error(14), {}], [ONE["responses"][0]]])
    with serving(lambda _: Reply({"responses": next(turns)})) as server:
        provider = google(server, "grpc")
        (batch,) = provider.batches(works(3))
        ends = ask(provider, batch)
    assert [len(call) for call in server.calls] == [3, 1]
    assert server.calls[1][0].content == batch.works[1].image.data
    assert all(isinstance(end.result, Annotation) for end in ends)
    assert len(ends) == 3


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_threads_do_not_mix_their_answers_and_share_connections(transport):
    count, rounds = 40, 3
    together = threading.Barrier(count)

    def echo(asked):
        together.wait(20)
        names = [sha256_of(image.content) for image in asked]
        found = [{"labelAnnotations": [{"description": name, "score": 0.5}]} for name in names]
        return Reply({"responses": found})

    asked = works(count)
    with serving(echo) as server:
        provider = google(server, transport, concurrency=count)

        def run(each):
            names = set()
            for _ in range(rounds):
                (outcome,) = fetched(provider, each)
                (label,) = provider.parse(outcome.result.data, outcome.requests[0]).labels
                names.add(label.name)
            return names

        with ThreadPoolExecutor(count) as pool:
            said = list(pool.map(run, asked))
    assert said == [{each.image.sha256} for each in asked]
    assert len(server.calls) == count * rounds
    if transport == "rest":
        assert len(server.connections) == count, "connections were opened and dropped"
    else:
        assert len(server.connections) == 2, "one channel for every 32 calls in flight"


def test_holding_gives_what_was_asked_for():
    """The answers above are worth something only if they are parts of the full one."""
    assert set(holding("TEXT_DETECTION")) == {"textAnnotations", "fullTextAnnotation"}
