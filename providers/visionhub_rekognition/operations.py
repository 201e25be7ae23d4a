"""The operations of Rekognition that are called: what each answers, what it takes, how it is asked.

Figures: AWS's developer guide, "Guidelines and quotas" (read 2026), and the SDK's own model, which
gives the parameters, their defaults and their ranges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from visionhub.errors import RefusedImage
from visionhub.images import Rendering
from visionhub.provider import Request, Value
from visionhub.schema import Task

COLORS = "ImageProperties"
API_VERSION = "2016-06-27"
MAX_BYTES = 5 * 1024 * 1024  # of the picture itself, before base64
Arguments: TypeAlias = dict[str, Any]  # keyword arguments of a method of boto3's client


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    name: on the wire, in the price list and in quotas; method: of boto3's client.
    members: of which every answer has at least one; `holds` looks for them.
    version: the member that tells which model answered, empty where none does.
    sides: pixels of the shorter and the longer side that are taken.
    """

    name: str
    method: str
    tasks: tuple[Task, ...]
    members: tuple[str, ...]
    version: str = ""
    sides: tuple[int, int] = (80, 10_000)
    max_bytes: int = MAX_BYTES

    def holds(self, answer: Mapping[str, Any], task: Task) -> bool:
        """Whether an answer has a member that answers a task: without any it is damaged.

        The SDK's model requires no member. AWS's examples leave out one of two lists that is empty.
        """
        if task is Task.COLORS:
            return isinstance(answer.get(COLORS), dict)
        return any(isinstance(answer.get(name), list) for name in self.members)

    def refusal(self, image: Rendering) -> RefusedImage | None:
        """Why the operation does not take a picture; None when it does."""
        least, most = self.sides
        shorter, longer = sorted((image.width, image.height))
        if shorter < least or longer > most:
            return RefusedImage(
                f"{self.name} takes pictures of {least} to {most:,} pixels a side; this one has "
                f"{image.width} x {image.height}."
            )
        if len(image.data) > self.max_bytes:
            return RefusedImage(
                f"{self.name} takes pictures of up to {self.max_bytes:,} bytes; this one has "
                f"{len(image.data):,}."
            )
        return None


OPERATIONS = (
    Operation(
        "DetectLabels",
        "detect_labels",
        (Task.LABELS, Task.OBJECTS, Task.COLORS),
        ("Labels", COLORS),
        "LabelModelVersion",
    ),
    Operation("DetectFaces", "detect_faces", (Task.FACES,), ("FaceDetails",)),
    Operation("DetectText", "detect_text", (Task.TEXT,), ("TextDetections",), "TextModelVersion"),
    Operation(
        "DetectModerationLabels",
        "detect_moderation_labels",
        (Task.SAFE_SEARCH,),
        ("ModerationLabels",),
        "ModerationModelVersion",
    ),
    Operation(
        "DetectProtectiveEquipment",
        "detect_protective_equipment",
        (Task.PEOPLE,),
        ("Persons",),
        "ProtectiveEquipmentModelVersion",
        (64, 4096),
        4 * 1024 * 1024,
    ),
    Operation(
        "RecognizeCelebrities",
        "recognize_celebrities",
        (Task.CELEBRITIES,),
        ("CelebrityFaces", "UnrecognizedFaces"),
    ),
    Operation(
        "CompareFaces", "compare_faces", (Task.FACE_MATCHES,), ("FaceMatches", "UnmatchedFaces")
    ),
)
BY_TASK = {task: operation for operation in OPERATIONS for task in operation.tasks}
BY_NAME = {operation.name: operation for operation in OPERATIONS}

GUESSES = {"age": "AGE_RANGE", "gender": "GENDER", "emotion": "EMOTIONS"}
FACE_ATTRIBUTES = (
    "DEFAULT",
    "BEARD",
    "EYEGLASSES",
    "EYES_OPEN",
    "EYE_DIRECTION",
    "FACE_OCCLUDED",
    "MOUTH_OPEN",
    "MUSTACHE",
    "SMILE",
    "SUNGLASSES",
)
"""All that DetectFaces can tell about a face, without the guesses that are sensitive."""


def arguments(
    operation: Operation, image: bytes, requests: Sequence[Request], source: bytes
) -> Arguments:
    """What the client's method is called with; `source` is the face to look for, or empty.

    Several requests are answered by one call that asks for the most that any of them wants.
    """
    sent: Arguments = {"Image": {"Bytes": image}}
    if operation.name == "CompareFaces":
        sent = {"SourceImage": {"Bytes": source}, "TargetImage": {"Bytes": image}}
    build = BUILD.get(operation.name)
    return {**sent, **build(requests)} if build else sent


def number(options: Mapping[str, Value], name: str) -> float | None:
    """An option's number; None when it is not given, as with answers from elsewhere."""
    value = options.get(name)
    return float(value) if isinstance(value, int | float) else None


def asked_for(options: Mapping[str, Value]) -> tuple[str, ...]:
    """The sensitive guesses that a request asks for by name."""
    value = options.get("attributes")
    words = value if isinstance(value, list) else ()
    return tuple(word for word in GUESSES if word in words)


def _numbers(requests: Sequence[Request], name: str) -> list[float]:
    values = (number(request.options, name) for request in requests)
    return [value for value in values if value is not None]


def _labels(requests: Sequence[Request]) -> Arguments:
    colors = [request for request in requests if request.task is Task.COLORS]
    general = [request for request in requests if request.task is not Task.COLORS]
    sent: Arguments = {"Features": []}
    if general:
        sent["Features"].append("GENERAL_LABELS")
        sent["MinConfidence"] = min(_numbers(general, "min_confidence"))
        sent["MaxLabels"] = int(max(_numbers(general, "max_results")))
    if colors:
        sent["Features"].append("IMAGE_PROPERTIES")
        most = int(max(_numbers(colors, "max_results")))
        sent["Settings"] = {"ImageProperties": {"MaxDominantColors": most}}
    return sent


def _faces(requests: Sequence[Request]) -> Arguments:
    guesses = {GUESSES[word] for request in requests for word in asked_for(request.options)}
    if len(guesses) == len(GUESSES):
        return {"Attributes": ["ALL"]}
    return {"Attributes": sorted({*FACE_ATTRIBUTES, *guesses})}


def _text(requests: Sequence[Request]) -> Arguments:
    return {"Filters": {"WordFilter": {"MinConfidence": min(_numbers(requests, "min_confidence"))}}}


def _moderation(requests: Sequence[Request]) -> Arguments:
    return {"MinConfidence": min(_numbers(requests, "min_confidence"))}


def _compare(requests: Sequence[Request]) -> Arguments:
    threshold = min(_numbers(requests, "min_similarity"))
    quality = requests[0].options["quality_filter"]
    return {"SimilarityThreshold": threshold, "QualityFilter": quality}


BUILD: Mapping[str, Callable[[Sequence[Request]], Arguments]] = {
    "DetectLabels": _labels,
    "DetectFaces": _faces,
    "DetectText": _text,
    "DetectModerationLabels": _moderation,
    "CompareFaces": _compare,
}
