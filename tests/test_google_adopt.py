"""Earlier answers: what a document holds of them, and what it is when it holds none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from visionhub_google import GoogleVision

from tests.google_answers import full
from visionhub.errors import ProviderError, UnexpectedBody
from visionhub.provider import NOT_REPORTED, Request, canonical
from visionhub.schema import Task
from visionhub.store.rows import flaw

GOOGLE = GoogleVision()
LABELS = {"labelAnnotations": [{"description": "Käse", "score": 0.5}]}
NO_ANSWER = {
    "edenai/raw/explicit_content.google.json": "the inside of a safeSearchAnnotation",
    "edenai/raw/landmark_detection.google.json": "a list of entities",
    "edenai/wrapped/explicit_content.google.json": "another project's wrapper",
    "edenai/wrapped/face_detection.google.json": "another project's wrapper",
    "edenai/wrapped/landmark_detection.google.json": "another project's wrapper",
    "edenai/wrapped/logo_detection.google.json": "another project's wrapper",
    "edenai/wrapped/object_detection.google.json": "another project's wrapper",
    "errors_verbatim/gcv_400_api_key_expired.json": "the error of a whole call (HTTP 400)",
    "errors_verbatim/gcv_per_image_code3_megapixels.json": "the inside of an error",
    "constructed_errors/gcv_200_mixed_batch.json": "an object with the members body, how, status",
    "constructed_errors/gcv_400_payload.json": "an object with the members body, how, status",
    "constructed_errors/gcv_403_PERMISSION_DENIED.json": "an object with the members body",
    "constructed_errors/gcv_429_RESOURCE_EXHAUSTED.json": "an object with the members body",
    "constructed_errors/gcv_500_INTERNAL.json": "an object with the members body, how, status",
    "constructed_errors/gcv_503_UNAVAILABLE.json": "an object with the members body, how, status",
}
"""Recorded files that are no wire bodies of Google's, each with what it is instead."""


def dumped(value):
    return json.dumps(value, ensure_ascii=False).encode()


def parse(body, task, **options):
    asked = canonical({"attributes": ["emotion"], **options})
    request = Request("i", "s", 640, 480, task, "google", "imported", asked)
    return GOOGLE.parse(body, request)


def test_a_whole_answer_is_kept_byte_for_byte():
    data = json.dumps({"responses": [LABELS], "response_time": 0.5}, indent=3).encode()
    (found,) = GOOGLE.adopt(data)
    assert found.body.data == data
    assert found.tasks == (Task.LABELS,)
    assert (found.body.model_version, found.image, found.received_at) == (NOT_REPORTED, None, None)
    assert parse(found.body.data, Task.LABELS).unknown == ()


def test_several_answers_in_one_document():
    found = GOOGLE.adopt(dumped({"responses": [LABELS, {}, full()]}))
    assert [len(each.tasks) for each in found] == [1, 0, 10]
    assert [label.name for label in parse(found[0].body.data, Task.LABELS).labels] == ["Käse"]
    assert len(parse(found[1].body.data, Task.LABELS)) == 0
    assert found[2].image == "picture one.jpg"


@pytest.mark.parametrize(
    "data",
    [b"\xef\xbb\xbf" + dumped(LABELS), b"\n \t" + dumped(LABELS) + b"\r\n",
     json.dumps(LABELS, ensure_ascii=False).encode("utf-16"), dumped(LABELS)],
)  # fmt: skip
def test_marks_and_blanks_around_a_document(data):
    (found,) = GOOGLE.adopt(data)
    assert found.body.data == dumped(LABELS)
    assert found.tasks == (Task.LABELS,)
    assert [label.name for label in parse(found.body.data, Task.LABELS).labels] == ["Käse"]


def test_an_empty_item_is_an_empty_answer_in_its_envelope():
    (found,) = GOOGLE.adopt(b"{}")
    assert found.tasks == ()
    assert len(parse(found.body.data, Task.LOGOS)) == 0


def test_an_image_s_error_is_an_answer():
    (found,) = GOOGLE.adopt(dumped({"responses": [{"error": {"code": 3, "message": "Bad."}}]}))
    assert found.tasks == ()
    with pytest.raises(ProviderError, match="Bad"):
        parse(found.body.data, Task.LABELS)


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ({"label_annotations": []}, "names in snake_case"),
        ({"responses": [{"label_annotations": []}]}, "a list of a Python dictionary"),
        ({"adult": 1, "spoof": 1, "violence": 2}, "inside of a safeSearchAnnotation"),
        ([{"description": "cat"}], "a list of entities"),
        ([1], "a list"),
        ("cat", "a bare str"),
        (None, "a bare NoneType"),
        ({"responses": {}}, "'responses' is no list"),
        ({"responses": [1]}, "'responses' is no list"),
        ({"Labels": [], "LabelModelVersion": "3.0"}, "the members LabelModelVersion, Labels"),
        ({"error": {"code": 403, "message": "M", "status": "PERMISSION_DENIED"}}, "HTTP 403"),
        ({"original_response": {}, "standardized_response": {}}, "another project's wrapper"),
    ],
)
def test_what_is_no_answer_is_told_by_what_it_is(document, what):
    with pytest.raises(UnexpectedBody, match="no answer of Google Cloud Vision") as caught:
        GOOGLE.adopt(dumped(document))
    assert what in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"not json", b'{"responses": [{}'])
def test_no_json_at_all(data):
    with pytest.raises(UnexpectedBody, match="no JSON document"):
        GOOGLE.adopt(data)


def recorded_files(shared: Path) -> dict[str, Path]:
    folder = shared / "recorded"
    if not folder.is_dir():
        pytest.skip("no folder ../shared/recorded beside the checkout: real answers not tested")
    found = {
        str(path.relative_to(folder)): path
        for path in sorted(folder.rglob("*.json"))
        if ".google." in path.name or path.name.startswith("gcv_")
    }
    assert len(found) > 60
    return found


def test_every_recorded_answer_parses_with_no_unknown_leaf(shared: Path):
    counts = dict.fromkeys(GOOGLE.tasks, 0)
    for name, path in recorded_files(shared).items():
        if name in NO_ANSWER:
            continue
        for found in GOOGLE.adopt(path.read_bytes()):
            for task in found.tasks:
                annotation = parse(found.body.data, task)
                assert annotation.unknown == (), name
                assert not flaw(annotation), name
                counts[task] += len(annotation)
    asked = (Task.LABELS, Task.FACES, Task.LOGOS, Task.SAFE_SEARCH, Task.OBJECTS, Task.TEXT)
    assert all(counts[task] for task in asked), counts


def test_every_recorded_file_that_is_no_answer_says_why(shared: Path):
    files = recorded_files(shared)
    assert files.keys() >= NO_ANSWER.keys()
    for name, reason in NO_ANSWER.items():
        with pytest.raises(UnexpectedBody) as caught:
            GOOGLE.adopt(files[name].read_bytes())
        assert reason in str(caught.value), name


def test_eyes_of_recorded_faces_are_on_the_person_s_side(shared: Path):
    """Faces that look into the camera: the person's left eye is further right in the picture."""
    sides = []
    for name, path in recorded_files(shared).items():
        if name in NO_ANSWER:
            continue
        for found in GOOGLE.adopt(path.read_bytes()):
            for face in parse(found.body.data, Task.FACES).faces if found.tasks else ():
                at = {point.name: point.x for point in face.landmarks}
                if abs(face.yaw or 0) < 20 and abs(face.roll or 0) < 20:
                    sides.append(at["left_eye"] > at["right_eye"])
                    assert at["mouth_left"] > at["mouth_right"]
    assert len(sides) >= 5
    assert all(sides)
