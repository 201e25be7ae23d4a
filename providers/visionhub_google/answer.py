"""From one image's body to an annotation: the envelope, the image's error, then the task's part."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from visionhub.errors import ProviderError, RefusedImage, UnexpectedBody
from visionhub.provider import Request
from visionhub.schema import Annotation, Status, Task
from visionhub_google import entities, faces, pictures, texts
from visionhub_google.dialects import known, plain
from visionhub_google.leaves import ENVELOPE, IMAGE, ROOTS, answered
from visionhub_google.reading import Frame, Json, items, member, text
from visionhub_google.split import RESPONSES, is_json

INVALID = (3, 11)  # google.rpc.Code: the image cannot be used, whoever asks again

READERS: dict[Task, Callable[[Json, Frame, Request], Annotation]] = {
    Task.LABELS: lambda answer, _, __: entities.labels(answer),
    Task.OBJECTS: lambda answer, frame, _: entities.objects(answer, frame),
    Task.LANDMARKS: lambda answer, frame, _: entities.landmarks(answer, frame),
    Task.LOGOS: lambda answer, frame, _: entities.logos(answer, frame),
    Task.FACES: lambda answer, frame, request: faces.faces(answer, frame, _asked(request)),
    Task.TEXT: lambda answer, frame, _: texts.texts(answer, frame),
    Task.SAFE_SEARCH: lambda answer, _, __: pictures.safe_search(answer),
    Task.COLORS: lambda answer, _, __: pictures.colors(answer),
    Task.CROP_HINTS: lambda answer, frame, _: pictures.crop_hints(answer, frame),
    Task.WEB: lambda answer, _, __: pictures.web(answer),
}


def annotate(body: bytes, request: Request) -> Annotation:
    """Read a body for one request.

    Raises UnexpectedBody when it is no answer for one image, RefusedImage or ProviderError when it
    is the service's error for this image.
    """
    try:
        answer, unknown = _opened(body, request.task)
        _check(answer, request.task)
        frame = Frame(float(request.width), float(request.height))
        annotation = READERS[request.task](answer, frame, request)
        annotation = _noted(_counted(annotation, answer, request), answer)
    except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError) as error:
        raise UnexpectedBody(f"Google's answer cannot be read: {error}") from error
    return replace(annotation, unknown=unknown)


def _opened(body: bytes, task: Task) -> tuple[Json, tuple[str, ...]]:
    """The image's item, and the members that nobody knows."""
    if not is_json(body):
        from visionhub_google.wire import opened

        return opened(body, task)
    whole = json.loads(body)
    answer = only(whole)
    strangers = IMAGE.strangers(answer, task)
    if RESPONSES in whole:
        return answer, (*ENVELOPE.strangers(whole), *strangers)
    return answer, tuple(name for name in strangers if name not in ENVELOPE.dropped)


def only(whole: Json) -> Json:
    """The one item of an answer, or the item itself where it was kept without its envelope.

    Raises ValueError when it is neither.
    """
    if RESPONSES in whole:
        found = items(whole, RESPONSES)
        if len(found) != 1:
            raise ValueError(f"it answers {len(found)} images")
        return plain(found[0])
    names = known(whole)
    if not any(answered(task, names) for task in ROOTS) and "error" not in names:
        raise ValueError(f"it has no member 'responses' but {', '.join(whole) or 'none'}")
    return plain(whole)


def _check(answer: Json, task: Task) -> None:
    """Raise the image's own error, unless the task was answered beside it.

    Whether it is charged for in a call that went well is not documented: as if it were.
    """
    error = _error(answer)
    if error is None or answered(task, answer):
        return
    code, message = error
    say = f"Google Cloud Vision: {message or 'no reason given'} (code {code})"
    kind = RefusedImage if code in INVALID else ProviderError
    raise kind(say, charged=True)


def _error(answer: Json) -> tuple[int, str] | None:
    """Code and message of the image's own error; None where all went well, which is code 0, too."""
    error = member(answer, "error")
    code, message = error.get("code", 0), text(error, "message")
    if not isinstance(code, int):
        raise TypeError(f"an error's code is {code!r}")
    well = not error or ("code" in error and not code and not message)
    return None if well else (code, message)


def _noted(annotation: Annotation, answer: Json) -> Annotation:
    """Name an error that came beside the answer."""
    error = _error(answer)
    if error is None:
        return annotation
    say = f"beside an error: {error[1]} (code {error[0]})"
    return replace(annotation, reason="; ".join(filter(None, (annotation.reason, say))))


def _counted(annotation: Annotation, answer: Json, request: Request) -> Annotation:
    """Mark an answer as cut off when it is as long as was asked for at most."""
    most = request.options.get("max_results")
    if not isinstance(most, int) or not most:
        return annotation
    if request.task is Task.WEB:
        found = member(answer, ROOTS[Task.WEB][0])
        count = max(len(items(found, name)) for name in pictures.LISTS)
    else:
        count = len(annotation)
    if count < most:
        return annotation
    if annotation.status is Status.OBSERVED:
        return replace(annotation, status=Status.TRUNCATED)
    return replace(annotation, reason=f"{annotation.reason}; cut off at {most} results")


def _asked(request: Request) -> list[str]:
    attributes = request.options.get("attributes", [])
    return attributes if isinstance(attributes, list) else []
