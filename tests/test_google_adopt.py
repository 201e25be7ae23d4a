"""Earlier answers: what a document holds of them, and what it is when it holds none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from visionhub_google import GoogleVision
from visionhub_rekognition.operations import OPERATIONS

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


@pytest.mark.parametrize("name", [n for operation in OPERATIONS for n in operation.members])
def test_answers_of_every_operation_of_rekognition_are_called_so(name):
    with pytest.raises(UnexpectedBody, match=r"but an answer of Amazon Rekognition$"):
        GOOGLE.adopt(dumped({name: [], "ResponseMetadata": {}}))


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
    assert found[2].image == full()["context"]["uri"]


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
        ({"adult": 1, "spoof": 1, "violence": 2}, "inside of a safeSearchAnnotation"),
        ([{"description": "cat"}], "a list of entities"),
        ([1], "a list"),
        ("cat", "a bare str"),
        (None, "a bare null"),
        ({"responses": {}}, "'responses' is no list"),
        ({"responses": [1]}, "'responses' is no list"),
        ({"Labels": [], "OrientationCorrection": ""}, "but an answer of Amazon Rekognition"),
        ({"FaceDetails": []}, "but an answer of Amazon Rekognition"),
        ({"Lables": [], "Orientation": "3.0"}, "an object with the members Lables, Orientation"),
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


def kept_by_the_client(message, **options):
    """What people keep who use the client: its own conversions of one image's message."""
    from google.protobuf.json_format import MessageToDict

    return dumped(MessageToDict(message._pb, **options))


@pytest.fixture(scope="module")
def message():
    vision = pytest.importorskip("google.cloud.vision_v1")
    answer = {**full(), "error": {}}
    del answer["context"]
    return vision.AnnotateImageResponse.from_json(dumped(answer), ignore_unknown_fields=True)


DIALECTS = {
    "MessageToDict": kept_by_the_client,
    "MessageToDict, snake_case": lambda m: kept_by_the_client(m, preserving_proto_field_name=True),
    "to_json": lambda m: type(m).to_json(m).encode(),
    "to_json, snake_case": lambda m: type(m).to_json(m, preserving_proto_field_name=True).encode(),
    "to_dict": lambda m: dumped(type(m).to_dict(m)),
    "to_dict in its envelope": lambda m: dumped({"responses": [type(m).to_dict(m)]}),
    ".NET": lambda m: dumped(nulled(json.loads(type(m).to_json(m)))),
    "R, without auto_unbox": lambda m: dumped(boxed(json.loads(kept_by_the_client(m)))),
}


def nulled(value):
    if isinstance(value, list):
        return [nulled(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: nulled(member) or None for name, member in value.items()} | {"ETag": None}


def boxed(value):
    if isinstance(value, dict):
        return {name: boxed(member) for name, member in value.items()}
    return [boxed(item) for item in value] if isinstance(value, list) else [value]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_way_to_keep_the_client_s_message_is_read_alike(message, dialect):
    plain = kept_by_the_client(message)
    data = DIALECTS[dialect](message)
    (found,) = GOOGLE.adopt(data)
    assert found.body.data == data
    assert found.tasks == GOOGLE.adopt(plain)[0].tasks
    assert len(found.tasks) == 10
    for task in found.tasks:
        assert parse(data, task) == parse(plain, task)


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if "to_" in name or "N" in name])
def test_empty_lists_that_a_client_prints_say_nothing(message, dialect):
    """Whoever asked for labels alone was not told that there are no faces."""
    labels = type(message)(label_annotations=message.label_annotations)
    (found,) = GOOGLE.adopt(DIALECTS[dialect](labels))
    assert found.tasks == (Task.LABELS,)
    (empty,) = GOOGLE.adopt(DIALECTS[dialect](type(message)()))
    assert empty.tasks == ()
    assert len(parse(empty.body.data, Task.LABELS)) == 0


def test_new_members_of_other_dialects_are_named_as_they_stand():
    answer = {
        "label_annotations": [{"description": "x", "brand_new": 1}],
        "new_task": 1,
        "file_name": "a",
    }
    assert parse(dumped(answer), Task.LABELS).unknown == (
        "labelAnnotations[].brand_new",
        "new_task",
    )


def test_a_bucket_s_address_names_the_image_with_its_folders():
    item = {**LABELS, "context": {"uri": "gs://bucket/north/a 1.jpg"}}
    assert GOOGLE.adopt(dumped({"responses": [item]}))[0].image == "gs://bucket/north/a 1.jpg"


def test_what_tools_put_beside_an_answer_is_not_new():
    """4CAT writes the file's name into the item itself, a line an image."""
    line = dumped({"file_name": "a.jpg", "labelAnnotations": LABELS["labelAnnotations"]})
    assert parse(line, Task.LABELS).unknown == ()
