"""Earlier answers: JSON documents that boto3, the AWS command line or another SDK brought home."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime

from visionhub.errors import UnexpectedBody
from visionhub.provider import NOT_REPORTED, Adopted, Body
from visionhub.schema import Task
from visionhub_rekognition.operations import OPERATIONS, Operation
from visionhub_rekognition.reading import Json, document, part, parts

OURS = {
    "DetectLabels": ("Labels", "Name"),
    "DetectFaces": ("FaceDetails", "BoundingBox"),
    "DetectText": ("TextDetections", "DetectedText"),
    "DetectModerationLabels": ("ModerationLabels", "Name"),
    "DetectProtectiveEquipment": ("Persons", "BoundingBox"),
    "RecognizeCelebrities": ("CelebrityFaces", "Face"),
    "CompareFaces": ("FaceMatches", "Face"),
}
"""The list in an operation's answers, and a member that each of its items has."""

FOREIGN = {
    "JobStatus": "an answer about a video (a Get… operation of Rekognition), not about a picture",
    "FaceRecords": "an answer of Rekognition's IndexFaces, which fills a collection",
    "SearchedFaceBoundingBox": "an answer of Rekognition's SearchFacesByImage",
    "SearchedFaceId": "an answer of Rekognition's SearchFaces",
    "FaceModelVersion": "an answer about a collection of faces, not about a picture",
    "CustomLabels": "an answer of Rekognition's DetectCustomLabels, whose labels are one's own",
    "JobId": "what started a job of Rekognition on a video",
    "StreamProcessors": "a list of Rekognition's stream processors",
    "CollectionIds": "a list of Rekognition's collections of faces",
    "Blocks": "an answer of Amazon Textract",
    "responses": "an answer of Google Cloud Vision",
    "labelAnnotations": "a part of an answer of Google Cloud Vision",
    "faceAnnotations": "a part of an answer of Google Cloud Vision",
    "localizedObjectAnnotations": "a part of an answer of Google Cloud Vision",
    "textAnnotations": "a part of an answer of Google Cloud Vision",
    "standardized_response": "another program's own form of an answer",
    "__type": "an error that AWS answered with",
    "Error": "an error that boto3 raised",
}
"""Members by which a document is known that holds no answer of ours, and what it is."""


def adopt(data: bytes) -> Sequence[Adopted]:
    """The answer that a document holds.

    Raises UnexpectedBody, which says what the document is, when it holds none.
    """
    try:
        answer = document(data)
        operation = _operation(answer)
        tasks = _tasks(answer, operation)
        received = _date(answer)
    except (ValueError, OverflowError, RecursionError) as error:
        raise UnexpectedBody(f"no answer of Rekognition: {error}") from error
    version = answer.get(operation.version) if operation.version else None
    known = version if isinstance(version, str) else NOT_REPORTED
    return [Adopted(tasks, Body(data, model_version=known), received)]


def _operation(answer: Json) -> Operation:
    """The operation whose answer this is, by its members; ValueError when there is none."""
    for name, what in FOREIGN.items():
        if name in answer:
            raise ValueError(what)
    for operation in OPERATIONS:
        if any(_has(answer, operation, name) for name in operation.members):
            if any(_boxed(answer, operation, name) for name in operation.members):
                raise ValueError("every value in a list, as R writes it without auto_unbox = TRUE")
            return operation
    members = ", ".join(sorted(answer)[:5]) or "nothing"
    raise ValueError(f"a document with {members} in it")


def _has(answer: Json, operation: Operation, name: str) -> bool:
    """Whether a member is there and is what this operation puts there."""
    if not isinstance(answer.get(name), list):
        return name == "ImageProperties" and bool(part(answer, name))
    listed, each = OURS[operation.name]
    return name != listed or all(each in item for item in parts(answer, name))


def _boxed(answer: Json, operation: Operation, name: str) -> bool:
    """Whether the first item holds a plain value in a list of one."""
    found = answer.get(name)
    item = found[0] if isinstance(found, list) and found else None
    value = item.get(OURS[operation.name][1]) if isinstance(item, dict) else None
    inner = next(iter(value.values()), None) if isinstance(value, dict) else value
    return isinstance(inner, list)


def _says(value: object) -> bool:
    """Whether there is anything in an object: R's client prints those that did not come empty."""
    if isinstance(value, dict):
        return any(map(_says, value.values()))
    return any(map(_says, value)) if isinstance(value, list) else value is not None


def _tasks(answer: Json, operation: Operation) -> tuple[Task, ...]:
    """Tasks that the answer says something about.

    Answers from before 2018 have no Instances at all, and say nothing about objects. Colours alone
    were asked for where they come with an empty list of labels.
    """
    if operation.name != "DetectLabels":
        return operation.tasks
    labels, colors = parts(answer, "Labels"), _says(answer.get("ImageProperties"))
    found = {
        Task.LABELS: bool(labels) or not colors,
        Task.OBJECTS: any("Instances" in label for label in labels),
        Task.COLORS: colors,
    }
    return tuple(task for task, is_there in found.items() if is_there)


def _date(answer: Mapping[str, object]) -> str | None:
    """When it was received: the header Date that boto3 saves with an answer, in UTC."""
    headers = part(part(answer, "ResponseMetadata"), "HTTPHeaders")
    written = headers.get("date") or headers.get("Date")
    if not isinstance(written, str):
        return None
    return parsedate_to_datetime(written).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
