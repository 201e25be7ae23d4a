"""No secret stands in a cassette, in the clear or in base64; and what is planted is found."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml

from tests.cassettes import (
    KEPT_OF_ANSWERS,
    KEPT_OF_QUERIES,
    KEPT_OF_REQUESTS,
    Tape,
    clean_answer,
    clean_request,
    tapes,
)
from tests.leaks import REMOVED, SECRETS, decoded, leaks, scrubbed
from visionhub.images import sha256_of

every = pytest.mark.parametrize("tape", tapes(), ids=lambda tape: f"{tape.provider}/{tape.task}")

PLANTED = {  # put together here, so that no search for secrets takes this file for one
    "an AWS access key id": "AK" + "IAIOSFODNN7EXAMPLE",
    "an AWS signature": "AWS4-" + "HMAC-SHA256 Credential=x/20260101/eu-central-1",
    "a signature": "Signa" + "ture=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400",
    "a session token": "X-Amz-Security-" + "Token",
    "a bearer token": "Bea" + "rer mF_9.B5f-4.1JqM",
    "a Google access token": "ya" + "29.a0AfH6SMBx-example",
    "a Google refresh token": "1/" + "/0gExampleExampleExample",
    "a Google client secret": "GOC" + "SPX-exampleexample",
    "a Google API key": "AI" + "zaSyExampleExampleExampleExampleExample",
    "an API key in a header": "x-goog-" + "api-key",
    "an API key in a query": "https://vision.googleapis.com/v1/images:annotate?" + "key=abc123",
    "a token (JWT)": "ey" + "JhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    "a private key": "-----BEGIN " + "PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----",
    "a service account": "recorder@my-project.iam.gservice" + "account.com",
    "a name of AWS (ARN)": "arn:" + "aws:iam::123456789012:user/somebody",
    "an AWS account": "account " + "123456789012",
    "a Google project": "has not been used in project " + "123456789012 before",
    "a cookie": "Set-" + "Cookie: NID=511",
}


def plain(secret: str) -> Any:
    return secret


def as_vcrpy_writes_bytes(secret: str) -> Any:
    return secret.encode()  # YAML's !!binary, which is base64


def in_base64(secret: str) -> Any:
    return base64.b64encode(f"Date: today; {secret}".encode()).decode()


def in_base64_of_urls_within_json(secret: str) -> Any:
    text = base64.urlsafe_b64encode(f"??>>{secret}".encode()).decode().rstrip("=")
    return json.dumps({"page": f"token/{text}"})


def twice_in_base64(secret: str) -> Any:
    return base64.b64encode(base64.b64encode(secret.encode())).decode()


def escaped_in_json(secret: str) -> Any:
    return '{"message": "' + "".join(f"\\u{ord(sign):04x}" for sign in secret) + '"}'


WAYS_IN = (
    plain,
    as_vcrpy_writes_bytes,
    in_base64,
    in_base64_of_urls_within_json,
    twice_in_base64,
    escaped_in_json,
)


@every
def test_a_cassette_holds_no_secret(tape: Tape) -> None:
    assert leaks(tape.path) == []


@pytest.mark.parametrize("way", WAYS_IN, ids=lambda way: way.__name__)
@pytest.mark.parametrize("kind", SECRETS)
def test_a_planted_secret_is_found(kind: str, way: Callable[[str], Any], tmp_path: Path) -> None:
    document = yaml.safe_load(Tape("google", "logos", "street").path.read_text("utf-8"))
    document["interactions"][0]["request"]["headers"]["Accept"] = [way(PLANTED[kind])]
    path = tmp_path / "planted.yaml"
    path.write_text(yaml.safe_dump(document), "utf-8")
    assert f"interactions[0].request.headers.Accept[0]: {kind}" in leaks(path)


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_in_a_comment_or_a_name_is_found(kind: str, tmp_path: Path) -> None:
    secret = PLANTED[kind].replace("\n", " ")
    path = tmp_path / "planted.yaml"
    path.write_text(f"# {secret}\na: b\n", "utf-8")
    assert f"a comment: {kind}" in leaks(path)
    path.write_text(yaml.safe_dump({"headers": {secret: "b"}}), "utf-8")
    assert f"headers: {kind}" in leaks(path)


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_in_the_clear_is_taken_out(kind: str) -> None:
    text = json.dumps({"message": f"before, {PLANTED[kind]} and after"})
    clean = scrubbed(text)
    assert REMOVED in clean
    assert not SECRETS[kind].search(clean)
    assert clean.startswith('{"message": "before, ')
    assert isinstance(json.loads(clean), dict)


def request_of(body: Any, headers: dict[str, Any], uri: str) -> Any:
    """A request as vcrpy has it."""
    return SimpleNamespace(body=json.dumps(body).encode(), headers=headers, uri=uri, method="POST")


@pytest.mark.parametrize(
    "encode",
    [base64.b64encode, base64.urlsafe_b64encode, lambda data: base64.urlsafe_b64encode(data)[:-1]],
)
def test_of_a_request_stays_what_is_listed(encode: Callable[[bytes], bytes]) -> None:
    """Pictures become hashes, in whichever base64 and wherever they stand."""
    picture = Tape("google", "labels", "street").image() + b"\xff\xfe\xfb\x00"
    assert len(picture) % 3 != 0, "so that there is padding to leave out"
    text = encode(picture).decode()
    body = {"requests": [{"image": {"content": text}, "model": "builtin/stable"}], "other": text}
    headers = {
        "Content-Type": "application/json",
        "X-Amz-Target": b"RekognitionService.DetectFaces",
        "Authorization": PLANTED["an AWS signature"],
        "X-Amz-Date": "20260101T000000Z",
        "x-amz-security-token": "abc",
        "x-goog-api-key": "abc",
        "amz-sdk-invocation-id": "abc",
        "Cookie": "abc",
    }
    uri = "https://vision.googleapis.com/v1/images:annotate?%24alt=json&key=abc&X-Amz-Signature=d"
    clean = clean_request(request_of(body, headers, uri))
    assert clean.headers == {
        "Content-Type": "application/json",
        "X-Amz-Target": "RekognitionService.DetectFaces",
    }
    assert clean.uri == "https://vision.googleapis.com/v1/images:annotate?%24alt=json"
    asked = json.loads(clean.body)
    written = f"sha256:{sha256_of(picture)}"
    assert asked["requests"][0] == {"image": {"content": written}, "model": "builtin/stable"}
    assert asked["other"] == written
    assert clean_request(clean).body == clean.body, "cleaning twice changes nothing"


def test_a_picture_that_is_no_base64_is_not_written() -> None:
    request = request_of({"Image": {"Bytes": "no base64!"}}, {}, "https://example.org/")
    with pytest.raises(ValueError, match="Bytes holds no picture"):
        clean_request(request)


def test_of_an_answer_stays_what_is_listed() -> None:
    headers = {
        "Content-Type": ["application/json"],
        "x-amzn-RequestId": ["00000000-0000-4000-8000-000000000000"],
        "Set-Cookie": ["NID=511"],
        "x-amz-id-2": ["abc"],
    }
    body = json.dumps({"message": f"{PLANTED['a name of AWS (ARN)']} is not allowed"})
    clean = clean_answer({"headers": headers, "body": {"string": body.encode()}, "status": {}})
    assert set(clean["headers"]) == {"Content-Type", "x-amzn-RequestId"}
    assert clean["body"]["string"] == b'{"message": "REMOVED is not allowed"}'
    assert len(headers) == 4, "the client still gets them"


@every
def test_a_cassette_holds_nothing_that_is_not_listed(tape: Tape) -> None:
    """Also in one that somebody edited or brought from elsewhere."""
    document = yaml.safe_load(tape.path.read_text("utf-8"))
    for interaction in document["interactions"]:
        request, answer = interaction["request"], interaction["response"]
        assert {name.lower() for name in request["headers"]} <= KEPT_OF_REQUESTS
        assert {name.lower() for name in answer["headers"]} <= KEPT_OF_ANSWERS
        query = urlsplit(request["uri"]).query
        assert {name for name, _ in parse_qsl(query)} <= KEPT_OF_QUERIES
        pictures = re.findall(r'"(?:Bytes|content)": "([^"]*)"', request["body"])
        assert pictures
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", each) for each in pictures)


def test_what_is_no_base64_decodes_to_nothing() -> None:
    assert decoded("a sentence, with a comma") is None
    assert decoded("sha256:00") is None
    assert decoded("_-8=") == decoded("/+8=") == decoded("_-8") == b"\xff\xef"
