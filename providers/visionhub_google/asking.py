"""One call: which images go into it, and what is asked of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, TypeAlias

from visionhub.errors import UsageError
from visionhub.provider import Batch, Request, Value, Work, import_extra
from visionhub.schema import Task
from visionhub_google.tasks import MOST_RATIOS, OPERATION, feature_of

Message: TypeAlias = Any  # a message of the client's library


def grouped(works: Sequence[Work], images: int, size: int) -> Iterator[Batch]:
    """Works in calls of at most so many images and so many bytes; one image may be larger."""
    call: list[Work] = []
    held = 0
    for work in chain.from_iterable(map(_rounds, works)):
        more = len(work.image.data)
        if call and (len(call) >= images or held + more > size):
            yield Batch(tuple(call), OPERATION)
            call, held = [], 0
        call.append(work)
        held += more
    if call:
        yield Batch(tuple(call), OPERATION)


def _rounds(work: Work) -> Iterator[Work]:
    """A work in parts that ask for each task once: an answer has room for one of each."""
    left = list(work.requests)
    while left:
        first: dict[Task, Request] = {}
        for request in left:
            first.setdefault(request.task, request)
        yield replace(work, requests=tuple(first.values()))
        left = [request for request in left if first[request.task] is not request]


def message_for(batch: Batch) -> Message:
    """The BatchAnnotateImagesRequest of a batch."""
    types = import_extra("google.cloud.vision_v1", "google")
    call = types.BatchAnnotateImagesRequest.pb()()
    for work in batch.works:
        item = call.requests.add()
        item.image.content = work.image.data
        for request in work.requests:
            _ask(item, request, types.Feature.Type)
    return types.BatchAnnotateImagesRequest.wrap(call)


def _ask(item: Message, request: Request, kinds: Message) -> None:
    """Add one request's feature, and its context, to an image's item."""
    options = request.options
    feature = item.features.add(type_=kinds[feature_of(request.task, options)])
    feature.model = str(options.get("model", ""))
    feature.max_results = whole(options.get("max_results", 0))
    context = item.image_context
    if request.task is Task.TEXT:
        context.language_hints.extend(words(options.get("language_hints", [])))
        if options.get("confidence"):
            context.text_detection_params.enable_text_detection_confidence_score = True
    elif request.task is Task.CROP_HINTS and options.get("aspect_ratios"):
        context.crop_hints_params.aspect_ratios.extend(ratios(options["aspect_ratios"]))


def whole(value: Value) -> int:
    """A whole number among options."""
    return value if isinstance(value, int) else 0


def words(value: Value) -> list[str]:
    """A list among options."""
    return value if isinstance(value, list) else [str(value)]


def ratios(value: Value) -> list[float]:
    """Aspect ratios; UsageError when one is no positive number, or there are too many."""
    try:
        found = [float(word) for word in words(value)]
    except ValueError:
        found = [0.0]
    if len(found) > MOST_RATIOS or not all(0 < ratio < float("inf") for ratio in found):
        raise UsageError(
            f"aspect_ratios={value}: give at most {MOST_RATIOS} positive numbers (width/height)."
        )
    return found
