"""Recorded answers go before predictions, by the hash of the picture."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError
from google.cloud import vision
from visionhub_sandbox import Fault, Sandbox

from tests.conftest import jpeg
from tests.sandboxed import Seer, annotate, google, rekognition
from visionhub.errors import UsageError
from visionhub.images import sha256_of

F = vision.Feature.Type
RECORDED = {
    "Labels": [
        {"Name": "Boat", "Confidence": 97.5, "Instances": [{"Confidence": 60.0}]},
        {"Name": "Sea", "Confidence": 70.25, "Instances": []},
    ],
    "LabelModelVersion": "3.0",
    "ImageProperties": {"Quality": {"Brightness": 12.5}},
}
ITEM = {
    "labelAnnotations": [
        {"mid": "/m/019jd", "description": "Boat", "score": 0.97},
        {"mid": "/m/06npx", "description": "Sea", "score": 0.7},
    ],
    "safeSearchAnnotation": {"adult": 1, "racy": "POSSIBLE"},
}


def cassette(path: Path, request: Any, body: bytes, target: str = "", status: int = 200) -> None:
    """A file as vcrpy writes it: headers as lists, boto3's as bytes."""
    path.parent.mkdir(exist_ok=True)
    uri = "https://rekognition.eu-west-1.amazonaws.com/"
    if not target:
        uri = "https://vision.googleapis.com/v1/images:annotate?%24alt=json%3Benum-encoding%3Dint"
    headers = {"X-Amz-Target": [f"RekognitionService.{target}".encode()]} if target else {}
    interaction = {
        "request": {
            "body": json.dumps(request),
            "headers": headers,
            "method": "POST",
            "uri": uri,
        },
        "response": {
            "body": {"string": body},
            "headers": {"Content-Type": ["application/x-amz-json-1.1"]},
            "status": {"code": status, "message": "OK"},
        },
    }
    if body[:2] == b"\x1f\x8b":
        interaction["response"]["headers"]["Content-Encoding"] = ["gzip"]  # type: ignore[index]
    path.write_text(yaml.safe_dump({"interactions": [interaction], "version": 1}))


@pytest.fixture
def folder(tmp_path: Path, photo: bytes) -> Path:
    """Cassettes of one picture for both services."""
    image = f"sha256:{sha256_of(photo)}"
    features = ["GENERAL_LABELS", "IMAGE_PROPERTIES"]
    asked: Any = {"Image": {"Bytes": image}, "MinConfidence": 50.0, "Features": features}
    body = json.dumps(RECORDED, indent=3).encode()
    cassette(
        tmp_path / "rekognition" / "labels_boat.yaml", asked, gzip.compress(body), "DetectLabels"
    )
    asked = {"Image": {"Bytes": image}}
    refused = json.dumps({"__type": "AccessDeniedException", "Message": "no"}).encode()
    cassette(tmp_path / "rekognition" / "text_boat.yaml", asked, refused, "DetectText", 400)
    kinds = [{"type": 4, "maxResults": 5}, {"type": "SAFE_SEARCH_DETECTION"}]
    asked = {"requests": [{"image": {"content": image}, "features": kinds}]}
    body = json.dumps({"responses": [ITEM]}, indent=3).encode()
    cassette(tmp_path / "google" / "labels_boat.yaml", asked, body)
    return tmp_path


def test_a_recorded_request_gets_the_recorded_bytes(folder: Path, photo: bytes) -> None:
    bodies: list[bytes] = []
    features = ["IMAGE_PROPERTIES", "GENERAL_LABELS"][::-1]
    with Sandbox(Seer(), cassettes=folder) as sandbox:
        with rekognition(sandbox) as client:
            hook = lambda response_dict, **_: bodies.append(response_dict["body"])  # noqa: E731
            client.meta.events.register("before-parse.rekognition.*", hook)
            client.detect_labels(Image={"Bytes": photo}, MinConfidence=50, Features=features)
            with pytest.raises(ClientError, match="AccessDenied"):
                client.detect_text(Image={"Bytes": photo})
        with google(sandbox, "rest") as client:
            keep = lambda response, *_, **__: bodies.append(response.content)  # noqa: E731
            client.transport._session.hooks["response"] = keep
            kinds = [{"type_": F.LABEL_DETECTION, "max_results": 5}, F.SAFE_SEARCH_DETECTION]
            annotate(client, photo, features=kinds)
    assert bodies[0] == json.dumps(RECORDED, indent=3).encode()
    assert bodies[2] == json.dumps({"responses": [ITEM]}, indent=3).encode()


def test_a_narrower_request_gets_its_part(folder: Path, photo: bytes) -> None:
    image = {"Bytes": photo}
    with Sandbox(Seer(), cassettes=folder) as sandbox, rekognition(sandbox) as client:
        answer = client.detect_labels(Image=image, MinConfidence=65)
        assert [each["Name"] for each in answer["Labels"]] == ["Boat", "Sea"]
        assert answer["Labels"][0]["Instances"] == []
        assert answer["LabelModelVersion"] == "3.0"
        assert "ImageProperties" not in answer
        assert len(client.detect_labels(Image=image, MaxLabels=1)["Labels"]) == 1
        assert len(client.detect_faces(Image=image)["FaceDetails"]) == 2  # not recorded: the models


@pytest.mark.parametrize("transport", ["rest", "grpc"])
def test_google_mixes_recorded_and_other_pictures(
    folder: Path, photo: bytes, transport: str
) -> None:
    one = {"type_": F.LABEL_DETECTION, "max_results": 1}
    features = [one, F.SAFE_SEARCH_DETECTION, F.OBJECT_LOCALIZATION]
    with Sandbox(Seer(), cassettes=folder) as sandbox, google(sandbox, transport) as client:
        answers = annotate(client, photo, jpeg(160, 120, 9), features=features).responses
    boat, other = answers
    assert [each.mid for each in boat.label_annotations] == ["/m/019jd"]
    assert boat.safe_search_annotation.racy == vision.Likelihood.POSSIBLE
    assert len(boat.localized_object_annotations) == 3  # not recorded: the models
    assert other.label_annotations[0].description == "Golden retriever"


def test_faults_come_over_recordings_too(folder: Path, photo: bytes) -> None:
    faults = [Fault("unknown_field", times=1), Fault("error", times=1)]
    with Sandbox(cassettes=folder, faults=faults) as sandbox, rekognition(sandbox) as client:
        ask = {"Image": {"Bytes": photo}, "MinConfidence": 50}
        assert client.detect_labels(**ask)["Labels"][0]["Name"] == "Boat"
        assert sandbox.calls.recent[-1].fault == "unknown_field"
        with pytest.raises(ClientError, match="InternalServerError"):
            client.detect_labels(**ask)


def test_another_picture_is_not_answered_from_a_recording(folder: Path) -> None:
    with Sandbox(cassettes=folder) as sandbox, rekognition(sandbox) as client:
        answer = client.detect_labels(Image={"Bytes": jpeg(160, 120, 9)}, MinConfidence=50)
    assert answer["Labels"] == []
    assert answer["LabelModelVersion"] == "sandbox"


@pytest.mark.parametrize(
    "text", ["[", "just text", "interactions:\n- request: {}", "interactions: 3"]
)
def test_a_bad_cassette_is_named_in_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(UsageError, match=r"bad\.yaml is no cassette") as caught:
        Sandbox(cassettes=tmp_path)
    assert "\n" not in str(caught.value)


def test_a_recorded_answer_must_fit_its_request(tmp_path: Path) -> None:
    asked = {"requests": [{"image": {"content": "sha256:00"}}]}
    cassette(tmp_path / "google" / "odd.yaml", asked, b'{"responses": [{}]}')
    with pytest.raises(UsageError, match=r"odd\.yaml is no cassette"):
        Sandbox(cassettes=tmp_path)


def test_an_absent_folder_and_an_absent_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="there is no such folder"):
        Sandbox(cassettes=tmp_path / "nothing")
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(UsageError, match="pip install pyyaml"):
        Sandbox(cassettes=tmp_path)
