"""The sandbox as Rekognition, asked by boto3's own client."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from PIL import Image
from visionhub_sandbox import Sandbox

from tests.conftest import jpeg
from tests.sandboxed import Seer, rekognition


@pytest.fixture(scope="module")
def seer() -> Seer:
    return Seer()


@pytest.fixture(scope="module")
def client(seer: Seer) -> Iterator[Any]:
    with Sandbox(seer) as sandbox, rekognition(sandbox) as client:
        yield client


def answered(response: dict[str, Any]) -> dict[str, Any]:
    metadata = response.pop("ResponseMetadata")
    assert metadata["HTTPHeaders"]["x-visionhub-sandbox"] == "1"
    assert metadata["RequestId"]
    return response


def png(width: int, height: int, format_: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (255, 0, 0)).save(out, format_)
    return out.getvalue()


def test_labels_and_the_boxes_of_things_come_in_one_list(client: Any, photo: bytes) -> None:
    answer = answered(client.detect_labels(Image={"Bytes": photo}, MinConfidence=15))
    assert answer["LabelModelVersion"] == "sandbox"
    found = {label["Name"]: label for label in answer["Labels"]}
    assert [*found] == ["Golden Retriever", "Dog", "Cat", "Street Sign"]
    assert found["Golden Retriever"]["Confidence"] == 90
    assert found["Golden Retriever"]["Parents"] == [{"Name": "Dog"}]
    assert found["Golden Retriever"]["Instances"] == []
    assert [each["Confidence"] for each in found["Dog"]["Instances"]] == [80, 60]
    assert found["Dog"]["Instances"][0]["BoundingBox"] == {
        "Width": 0.5,
        "Height": 0.75,
        "Left": 0.0,
        "Top": 0.25,
    }


def test_floors_counts_and_filters_are_honoured(client: Any, photo: bytes) -> None:
    image = {"Bytes": photo}
    default = client.detect_labels(Image=image)["Labels"]
    assert [each["Name"] for each in default] == ["Golden Retriever", "Dog"]
    high = client.detect_labels(Image=image, MinConfidence=70)["Labels"]
    assert [len(each["Instances"]) for each in high] == [0, 1]
    one = client.detect_labels(Image=image, MaxLabels=1, MinConfidence=0)["Labels"]
    assert [each["Name"] for each in one] == ["Golden Retriever"]
    without = {"GeneralLabels": {"LabelExclusionFilters": ["Dog"]}}
    rest = client.detect_labels(Image=image, Settings=without)["Labels"]
    assert [each["Name"] for each in rest] == ["Golden Retriever"]


def test_colours_are_those_of_the_picture(client: Any) -> None:
    answer = answered(
        client.detect_labels(Image={"Bytes": png(100, 90)}, Features=["IMAGE_PROPERTIES"])
    )
    assert "Labels" not in answer
    [colour] = answer["ImageProperties"]["DominantColors"]
    assert colour == {
        "Red": 255,
        "Green": 0,
        "Blue": 0,
        "HexCode": "#ff0000",
        "CSSColor": "red",
        "SimplifiedColor": "red",
        "PixelPercent": 100.0,
    }
    assert answer["ImageProperties"]["Quality"]["Contrast"] == 0


def test_faces_are_named_from_the_viewers_side_and_guessed_only_when_asked(
    client: Any, seer: Seer, photo: bytes
) -> None:
    seer.asked.clear()
    plain = answered(client.detect_faces(Image={"Bytes": photo}))["FaceDetails"]
    assert [round(each["BoundingBox"]["Width"], 3) for each in plain] == [0.4, 0.1]
    assert plain[0]["Confidence"] == 95
    points = {each["Type"]: each["X"] for each in plain[0]["Landmarks"]}
    assert points == {
        "eyeLeft": 0.3,
        "eyeRight": 0.5,
        "mouthLeft": 0.32,
        "mouthRight": 0.48,
        "nose": 0.4,
    }
    assert abs(plain[0]["Pose"]["Roll"]) < 0.001
    assert abs(plain[0]["Pose"]["Yaw"]) < 0.001
    assert set(plain[0]) == {
        "BoundingBox",
        "Landmarks",
        "Pose",
        "Quality",
        "Confidence",
    }
    assert json.loads(seer.asked[-1][1]) == {"attributes": []}
    full = client.detect_faces(Image={"Bytes": photo}, Attributes=["ALL"])["FaceDetails"][0]
    assert full["AgeRange"] == {"Low": 26, "High": 41}
    assert full["Gender"] == {"Value": "Female", "Confidence": 75.0}
    assert full["Emotions"] == [
        {"Type": "CALM", "Confidence": 80.0},
        {"Type": "FEAR", "Confidence": 20.0},
    ]
    age = client.detect_faces(Image={"Bytes": photo}, Attributes=["AGE_RANGE"])["FaceDetails"][0]
    assert "AgeRange" in age
    assert "Gender" not in age
    assert json.loads(seer.asked[-1][1]) == {"attributes": ["age"]}


def test_lines_come_before_their_words(client: Any, photo: bytes) -> None:
    answer = answered(client.detect_text(Image={"Bytes": photo}))
    assert answer["TextModelVersion"] == "sandbox"
    found = [
        (each["Type"], each["Id"], each.get("ParentId"), each["DetectedText"])
        for each in answer["TextDetections"]
    ]
    assert found == [
        ("LINE", 0, None, "NO  ENTRY"),
        ("LINE", 1, None, "ever"),
        ("WORD", 2, 0, "NO"),
        ("WORD", 3, 0, "ENTRY"),
        ("WORD", 4, 1, "ever"),
    ]
    entry = answer["TextDetections"][3]["Geometry"]
    assert entry["BoundingBox"]["Left"] == pytest.approx(0.4)
    assert entry["BoundingBox"]["Width"] == pytest.approx(0.5)
    assert entry["Polygon"][2] == {"X": pytest.approx(0.9), "Y": pytest.approx(0.1)}


def test_moderation_is_the_one_branch_that_the_models_tell(client: Any, photo: bytes) -> None:
    answer = answered(client.detect_moderation_labels(Image={"Bytes": photo}))
    assert answer["ModerationLabels"] == [
        {"Name": "Explicit", "ParentName": "", "TaxonomyLevel": 1, "Confidence": 60.0}
    ]
    high = client.detect_moderation_labels(Image={"Bytes": photo}, MinConfidence=61)
    assert high["ModerationLabels"] == []


def test_persons_celebrities_and_matches(client: Any, photo: bytes) -> None:
    wanted = {"MinConfidence": 80, "RequiredEquipmentTypes": ["FACE_COVER"]}
    worn = answered(
        client.detect_protective_equipment(Image={"Bytes": photo}, SummarizationAttributes=wanted)
    )
    parts = [(each["Name"], each["Confidence"]) for each in worn["Persons"][0]["BodyParts"]]
    assert parts == [("FACE", 90), ("HEAD", 90), ("LEFT_HAND", 70)]
    assert worn["Summary"]["PersonsWithoutRequiredEquipment"] == [0]
    famous = answered(client.recognize_celebrities(Image={"Bytes": photo}))
    assert famous["CelebrityFaces"] == []
    assert len(famous["UnrecognizedFaces"]) == 2
    same = client.compare_faces(SourceImage={"Bytes": photo}, TargetImage={"Bytes": photo})
    assert same["FaceMatches"][0]["Similarity"] == pytest.approx(100)
    strict = client.compare_faces(
        SourceImage={"Bytes": photo}, TargetImage={"Bytes": photo}, SimilarityThreshold=99.9
    )
    assert (len(strict["FaceMatches"]), len(strict["UnmatchedFaces"])) == (1, 1)


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (b"no image", "InvalidImageFormatException"),
        (png(100, 100, "BMP"), "InvalidImageFormatException"),
        (jpeg(160, 120)[:-900], "InvalidImageFormatException"),
        (png(79, 200), "InvalidParameterException"),
        (png(10_001, 80), "ImageTooLargeException"),
        (jpeg(160, 120) + b"\0" * 5 * 1024 * 1024, "ImageTooLargeException"),
    ],
)
def test_images_are_refused_as_documented(client: Any, image: bytes, code: str) -> None:
    with pytest.raises(ClientError) as caught:
        client.detect_labels(Image={"Bytes": image})
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["Error"]["Message"]
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize(
    "wrong",
    [{"MinConfidence": 100.5}, {"MinConfidence": -1}, {"MaxLabels": -1}, {"Features": ["ALL"]}],
)
def test_parameters_are_refused_as_documented(photo: bytes, wrong: dict[str, Any]) -> None:
    with (
        Sandbox() as sandbox,
        rekognition(sandbox, checks=False) as client,
        pytest.raises(ClientError, match="InvalidParameterException"),
    ):
        client.detect_labels(Image={"Bytes": photo}, **wrong)


def test_other_places_and_operations(client: Any) -> None:
    with pytest.raises(ClientError, match="InvalidS3ObjectException"):
        client.detect_labels(Image={"S3Object": {"Bucket": "bucket", "Name": "a.jpg"}})
    with pytest.raises(ClientError, match="UnknownOperationException"):
        client.list_collections()


def test_without_models_answers_are_empty(photo: bytes) -> None:
    image = {"Bytes": photo}
    with Sandbox() as sandbox, rekognition(sandbox) as client:
        assert answered(client.detect_labels(Image=image)) == {
            "Labels": [],
            "LabelModelVersion": "sandbox",
        }
        assert answered(client.detect_faces(Image=image)) == {"FaceDetails": []}
        assert answered(client.detect_text(Image=image))["TextDetections"] == []
        assert answered(client.detect_moderation_labels(Image=image))["ModerationLabels"] == []
        assert answered(client.compare_faces(SourceImage=image, TargetImage=image)) == {
            "FaceMatches": [],
            "UnmatchedFaces": [],
        }
