"""Answers that others have recorded: all of them are read, or named with the reason why not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from visionhub_rekognition import Rekognition

from tests.test_rekognition_leaves import request
from visionhub.errors import UnexpectedBody
from visionhub.provider import NOT_REPORTED, installed
from visionhub.schema import Annotation, Status, Task
from visionhub.store.rows import flaw

if not installed(("boto3",)):
    pytest.skip("the extra 'aws' is not installed: not tested", allow_module_level=True)

VIDEO, COLLECTION, BROKEN = "about a video", "a collection", "not JSON"
OURS = ("amazon", "rekognition", "aws_devguide/", "awscli_examples/", "botocore_examples/")
READ = {  # file: how many things each task finds in it
    "edenai/raw/object_detection.amazon.json": {"labels": 22, "objects": 6},
    "edenai/raw/face_detection.amazon.json": {"faces": 1},
    "edenai/raw/explicit_content.amazon.json": {"safe_search": 2},
    "edenai/raw/face_compare.amazon.json": {"face_matches": 1},
    "aws_devguide/DetectFaces.json": {"faces": 1},
    "aws_devguide/CompareFaces.json": {"face_matches": 2},
    "aws_devguide/DetectProtectiveEquipment.json": {"people": 1},
    "aws_devguide/DetectModerationLabels.json": {"safe_search": 3},
    "aws_devguide/DetectText.json": {"text": 6},
    "aws_devguide/DetectLabels_console.json": {"labels": 36},
    "awscli_examples/compare-faces.json": {"face_matches": 1},
    "awscli_examples/detect-faces.json": {"faces": 1},
    "awscli_examples/detect-labels.json": {"labels": 29, "objects": 27},
    "awscli_examples/detect-moderation-labels.json": {"safe_search": 2},
    "awscli_examples/detect-text.json": {"text": 3},
    "awscli_examples/recognize-celebrities.json": {"celebrities": 5},
    "botocore_examples/CompareFaces.0.json": {"face_matches": 1},
    "botocore_examples/DetectFaces.0.json": {"faces": 1},
    "botocore_examples/DetectLabels.0.json": {"labels": 2},
}
REFUSED = {  # file: words of the reason
    "edenai/raw/ocr.amazon.json": "Textract",
    **{
        f"edenai/wrapped/{name}.amazon.json": "another program's own form"
        for name in ("object_detection", "face_detection", "explicit_content", "face_compare")
    },
    **{
        f"aws_devguide/{name}.NOT_VALID_JSON.txt": BROKEN
        for name in ("DetectLabels_cars", "DetectLabels_v3", "RecognizeCelebrities")
    },
    "aws_devguide/IndexFaces.json": COLLECTION,
    "aws_devguide/SearchFacesByImage.json": "SearchFacesByImage",
    **{
        f"awscli_examples/get-{name}.json": VIDEO
        for name in (
            *("celebrity-recognition", "content-moderation", "face-detection", "face-search"),
            *("label-detection", "person-tracking"),
        )
    },
    **{
        f"awscli_examples/start-{name}.json": "started a job"
        for name in (
            *("celebrity-recognition", "content-moderation", "face-detection", "face-search"),
            *("label-detection", "person-tracking"),
        )
    },
    "awscli_examples/get-celebrity-info.json": "Name, Urls",
    "awscli_examples/create-collection.json": COLLECTION,
    "awscli_examples/describe-collection.json": COLLECTION,
    "awscli_examples/delete-collection.json": "StatusCode",
    "awscli_examples/delete-faces.json": "DeletedFaces",
    "awscli_examples/index-faces.json": COLLECTION,
    "awscli_examples/list-collections.json": "collections",
    "awscli_examples/list-faces.json": COLLECTION,
    "awscli_examples/search-faces.json": "SearchFaces",
    "awscli_examples/create-stream-processor.json": "StreamProcessorArn",
    "awscli_examples/describe-stream-processor.json": "CreationTimestamp",
    "awscli_examples/list-stream-processors.json": "stream processors",
    "botocore_examples/CreateCollection.0.json": "CollectionArn",
    "botocore_examples/DeleteCollection.0.json": "StatusCode",
    "botocore_examples/DeleteFaces.0.json": "DeletedFaces",
    "botocore_examples/IndexFaces.0.json": COLLECTION,
    "botocore_examples/ListCollections.0.json": "collections",
    "botocore_examples/ListFaces.0.json": "Faces",
    "botocore_examples/SearchFaces.0.json": "SearchFaces",
    "botocore_examples/SearchFacesByImage.0.json": "SearchFacesByImage",
}


@pytest.fixture(scope="module")
def recorded(shared) -> Path:
    folder = shared / "recorded"
    if not folder.is_dir():
        pytest.skip("no folder ../shared/recorded beside the checkout: real answers not tested")
    return folder


def ours(recorded: Path) -> list[str]:
    """Every recorded file that has to do with AWS, by the index and by the folders."""
    listed = [one["file"] for one in json.loads((recorded / "INDEX.json").read_text())]
    found = [str(path.relative_to(recorded)) for path in recorded.rglob("*") if path.is_file()]
    pictures = (".jpg", ".jpeg", ".png")
    return sorted(
        file
        for file in {*listed, *found}
        if any(word in file for word in OURS) and not file.endswith(pictures)
        # Single error bodies and messages are not answers to import: tests/test_rekognition_faults.
        if not file.startswith(("errors_verbatim/", "constructed_errors/"))
    )


def read(data: bytes) -> dict[Task, Annotation]:
    (found,) = Rekognition().adopt(data)
    assert found.body.data == data
    return {task: Rekognition().parse(found.body.data, request(task)) for task in found.tasks}


def test_every_recorded_answer_is_read_or_named(recorded):
    labels_2017 = {f for f in ours(recorded) if f.startswith("cloudy_vision/")}
    assert len(labels_2017) == 24
    assert set(ours(recorded)) == {*READ, *REFUSED, *labels_2017}


@pytest.mark.parametrize("file", READ)
def test_a_wire_body_is_read_without_a_stranger(recorded, file):
    found = read((recorded / file).read_bytes())
    assert {task.value: len(annotation) for task, annotation in found.items()} == READ[file]
    for annotation in found.values():
        assert not annotation.unknown
        assert not flaw(annotation)
        assert annotation.status is Status.OBSERVED


def test_the_answers_of_2017_are_labels_only(recorded):
    for file in ours(recorded):
        if file.startswith("cloudy_vision/"):
            data = (recorded / file).read_bytes()
            (found,) = Rekognition().adopt(data)
            assert found.tasks == (Task.LABELS,), "they have no Instances, and tell of no object"
            assert found.received_at
            assert found.received_at.startswith("2017-04-")
            (annotation,) = read(data).values()
            assert len(annotation) == len(json.loads(data)["Labels"]) > 0
            assert not annotation.unknown
            assert not flaw(annotation)


@pytest.mark.parametrize("file", REFUSED)
def test_what_is_no_answer_of_ours_is_refused_with_what_it_is(recorded, file):
    with pytest.raises(UnexpectedBody) as caught:
        Rekognition().adopt((recorded / file).read_bytes())
    assert REFUSED[file] in str(caught.value)


def test_no_answer_of_another_service_is_taken(recorded):
    for path in sorted(recorded.rglob("*.json")):
        file = str(path.relative_to(recorded))
        if file not in READ and not file.endswith(".rekognition.json"):
            with pytest.raises(UnexpectedBody):
                Rekognition().adopt(path.read_bytes())


def test_a_landmark_that_stands_twice_is_counted(recorded):
    data = (recorded / "botocore_examples/DetectFaces.0.json").read_bytes()
    (annotation,) = read(data).values()
    given = json.loads(data)["FaceDetails"][0]["Landmarks"]
    kept = annotation.faces[0].landmarks
    assert len(kept) == len({point["Type"] for point in given}) < len(given)
    assert str(len(given) - len(kept)) in annotation.reason


def test_every_instance_is_an_object_and_no_label_without_one(recorded):
    data = (recorded / "edenai/raw/object_detection.amazon.json").read_bytes()
    found = read(data)
    told = [
        (x["Name"], i["Confidence"]) for x in json.loads(data)["Labels"] for i in x["Instances"]
    ]
    assert [(x.name, x.score.value) for x in found[Task.OBJECTS].objects] == told
    assert not {"Living Room", "Couch"} & {x.name for x in found[Task.OBJECTS].objects}


def test_the_persons_own_left_is_left(recorded):
    """In a face that looks at the camera, the person's right eye is left in the picture."""
    for file in ("aws_devguide/DetectFaces.json", "awscli_examples/detect-faces.json"):
        (annotation,) = read((recorded / file).read_bytes()).values()
        at = {point.name: point.x for point in annotation.faces[0].landmarks}
        assert len(at) == 30
        pairs = {
            ("left_eye", "right_eye"),
            ("left_eye_pupil", "right_eye_pupil"),
            ("left_eye_left_corner", "left_eye_right_corner"),
            ("right_eye_left_corner", "right_eye_right_corner"),
            ("left_of_left_eyebrow", "right_of_left_eyebrow"),
            ("left_of_right_eyebrow", "right_of_right_eyebrow"),
            ("nose_bottom_left", "nose_bottom_right"),
            ("mouth_left", "mouth_right"),
            ("upper_jawline_left", "upper_jawline_right"),
            ("mid_jawline_left", "mid_jawline_right"),
        }
        assert all(at[left] > at[right] for left, right in pairs)


class TestDocuments:
    """What people have saved, and how."""

    def test_versions_and_dates_are_taken_over(self):
        saved = {
            "Labels": [],
            "LabelModelVersion": "3.0",
            "ResponseMetadata": {"HTTPHeaders": {"date": "Fri, 04 Nov 2022 09:04:33 GMT"}},
        }
        (found,) = Rekognition().adopt(json.dumps(saved).encode())
        assert found.body.model_version == "3.0"
        assert found.received_at == "2022-11-04T09:04:33Z"
        (found,) = Rekognition().adopt(b'{"FaceDetails": []}')
        assert (found.body.model_version, found.received_at) == (NOT_REPORTED, None)

    def test_tasks_are_those_that_the_answer_tells_of(self):
        boxes = [{"Name": "Car", "Confidence": 90.0, "Instances": []}]
        plain = [{"Name": "Car", "Confidence": 90.0}]
        colors = {"ImageProperties": {"Quality": {"Sharpness": 50.0}}}
        empty = {"ImageProperties": {"Quality": {"Sharpness": None}, "DominantColors": []}}
        told = {
            json.dumps({"Labels": plain}): (Task.LABELS,),
            json.dumps({"Labels": []}): (Task.LABELS,),
            json.dumps({"Labels": boxes}): (Task.LABELS, Task.OBJECTS),
            json.dumps({"Labels": boxes, **colors}): (Task.LABELS, Task.OBJECTS, Task.COLORS),
            json.dumps({"Labels": [], **colors}): (Task.COLORS,),
            json.dumps(colors): (Task.COLORS,),
            json.dumps({"Labels": boxes, **empty}): (Task.LABELS, Task.OBJECTS),
        }
        for document, tasks in told.items():
            (found,) = Rekognition().adopt(document.encode())
            assert found.tasks == tasks
            assert all(not a.unknown for a in read(document.encode()).values())

    def test_a_byte_order_mark_does_no_harm(self):
        (found,) = Rekognition().adopt(b'\xef\xbb\xbf{"Labels": []}')
        assert Rekognition().parse(found.body.data, request(Task.LABELS)).labels == ()

    def test_what_the_sdk_for_javascript_adds_is_no_stranger(self):
        saved = {"$metadata": {"httpStatusCode": 200, "attempts": 1}, "TextDetections": []}
        (annotation,) = read(json.dumps(saved).encode()).values()
        assert not annotation.unknown

    @pytest.mark.parametrize(
        ("document", "reason"),
        [
            (b"", "not JSON"),
            (b"\xff\xfe\x00", "not JSON"),
            (b"[]", "list"),
            (b"{}", "nothing"),
            (b'{"Labels": "Car"}', "Labels"),
            (b'{"Labels": ["Car"]}', "Labels"),
            (b'{"Labels": [{"Timestamp": 0, "Label": {}}]}', "Labels"),
            (b'{"Labels": [{"Name": ["Car"], "Confidence": [99.5]}]}', "auto_unbox = TRUE"),
            (b'{"FaceDetails": [{"BoundingBox": {"Width": [0.5]}}]}', "auto_unbox = TRUE"),
            (b'{"Error": {"Code": "AccessDeniedException"}}', "error"),
            (b'{"__type": "ThrottlingException"}', "error"),
            (b'{"labels": [{"name": "Car"}]}', "labels"),
            (b'{"Labels": [], "ResponseMetadata": {"HTTPHeaders": {"date": "today"}}}', "date"),
            (b'{"Labels":' + b"[" * 100_000, ""),
        ],
    )
    def test_other_documents_are_refused(self, document, reason):
        with pytest.raises(UnexpectedBody, match="no answer of Rekognition") as caught:
            Rekognition().adopt(document)
        assert reason in str(caught.value)
