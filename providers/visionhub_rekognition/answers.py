"""From the body of an answer to an annotation. Pure: nothing but the body and the request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from visionhub.errors import UnexpectedBody
from visionhub.provider import Request, Value
from visionhub.schema import Annotation, Task
from visionhub_rekognition.faces import LANDMARKS, read_faces
from visionhub_rekognition.known_faces import read_celebrities, read_matches
from visionhub_rekognition.labels import read_colors, read_labels, read_objects
from visionhub_rekognition.leaves import LEAVES
from visionhub_rekognition.operations import BY_TASK
from visionhub_rekognition.others import LEVELS, read_moderation, read_people, read_text
from visionhub_rekognition.reading import Json, document

READERS: Mapping[Task, Callable[[Json, Mapping[str, Value]], Annotation]] = {
    Task.LABELS: read_labels,
    Task.OBJECTS: read_objects,
    Task.COLORS: read_colors,
    Task.FACES: read_faces,
    Task.TEXT: read_text,
    Task.SAFE_SEARCH: read_moderation,
    Task.PEOPLE: read_people,
    Task.CELEBRITIES: read_celebrities,
    Task.FACE_MATCHES: read_matches,
}
TABLES = {table.kind: table for table in LEAVES}


def parse(body: bytes, request: Request) -> Annotation:
    """Read a body; UnexpectedBody when it is not what the service documents."""
    operation = BY_TASK[request.task]
    try:
        answer = document(body)
        annotation = READERS[request.task](answer, request.options)
    except (ValueError, OverflowError, RecursionError) as error:
        raise UnexpectedBody(f"no answer of {operation.name}: {error}") from error
    strangers = TABLES[operation.name].strangers(answer, request.task)
    return replace(annotation, unknown=tuple(sorted({*strangers, *_new_words(annotation)})))


def _new_words(annotation: Annotation) -> Iterator[str]:
    """Words of closed lists that the service has come to use since this was written."""
    known = set(LANDMARKS.values())
    for face in annotation.faces:
        for point in face.landmarks:
            if point.name not in known:
                yield f"FaceDetails[].Landmarks[].Type={point.name}"
    for line in annotation.text_lines:
        if line.level not in LEVELS:
            yield f"TextDetections[].Type={line.level.upper()}"
