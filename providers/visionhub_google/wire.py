"""A protobuf body as the JSON that the service would have sent, as far as it is read.

Only members that are mapped are taken out of the message: a page of text has more members that are
not. Unknown fields are looked for in the whole message, and only named one by one if there are any.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from visionhub.provider import import_extra
from visionhub.schema import Task
from visionhub_google.leaves import IMAGE, ROOTS
from visionhub_google.reading import Json

Message: TypeAlias = Any  # a protobuf message
Plan: TypeAlias = dict[str, "Plan"]


def opened(body: bytes, task: Task) -> tuple[Json, tuple[str, ...]]:
    """The item of a serialized answer for one image, and the numbers of its unknown fields.

    Raises ValueError when it is no such message.
    """
    message = _read(body)
    if len(message.responses) != 1:
        raise ValueError(f"it answers {len(message.responses)} images")
    size = message.ByteSize()
    message.DiscardUnknownFields()
    unknown = () if message.ByteSize() == size else _strangers(_read(body), task)
    return _plain(message.responses[0], PLANS[task]), unknown


def _read(body: bytes) -> Message:
    types = import_extra("google.cloud.vision_v1", "google")
    decode_error = import_extra("google.protobuf.message", "google").DecodeError
    message = types.BatchAnnotateImagesResponse.pb()()
    try:
        message.ParseFromString(body)
    except decode_error as error:
        raise ValueError(f"it is no answer of Google's: {error}") from error
    return message


def _plan(task: Task) -> Plan:
    """The mapped members of a task's part, as a tree by JSON names."""
    roots = {*ROOTS[task], "error"}
    plan: Plan = {}
    for path in IMAGE.mapped:
        node = plan
        steps = path.replace("[]", "").split(".")
        if steps[0] in roots:
            for step in steps:
                node = node.setdefault(step, {})
    return plan


PLANS: Mapping[Task, Plan] = MappingProxyType({task: _plan(task) for task in ROOTS})


def _plain(message: Message, plan: Plan) -> Json:
    """A message as JSON, without members that are at their default."""
    found = {}
    for field, value in message.ListFields():
        below = plan.get(field.json_name)
        if below is None:
            continue
        if not below:
            found[field.json_name] = value
        elif field.is_repeated:
            found[field.json_name] = [_plain(each, below) for each in value]
        else:
            found[field.json_name] = _plain(value, below)
    return found


def _strangers(message: Message, task: Task) -> tuple[str, ...]:
    """Paths of unknown fields: of the envelope and of the task's part, by number (`#23`)."""
    others = {root for other in ROOTS if other is not task for root in ROOTS[other]}
    found: set[str] = set()
    _search(message, "", others - set(ROOTS[task]), found)
    return tuple(sorted(path.removeprefix("responses[].") for path in found))


def _search(message: Message, path: str, skipped: set[str], found: set[str]) -> None:
    fields = import_extra("google.protobuf.unknown_fields", "google").UnknownFieldSet(message)
    found.update(f"{path}#{field.field_number}" for field in fields)
    for field, value in message.ListFields():
        if field.message_type is None or field.json_name in skipped:
            continue
        if field.is_repeated:
            for each in value:
                _search(each, f"{path}{field.json_name}[].", skipped, found)
        else:
            _search(value, f"{path}{field.json_name}.", skipped, found)
