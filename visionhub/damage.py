"""JSON answers, changed on purpose: what `visionhub.testing` tries a parser with.

A path is the way to a member: names of objects' members and positions in lists, from the top.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeAlias

Json: TypeAlias = Any  # what json.loads returns
Path: TypeAlias = tuple[str | int, ...]

STRANGER = "a_member_that_no_vendor_has"
MOST = 60  # members of one answer that are changed in turn
BADLY_TYPED: tuple[Json, ...] = (None, "a word", -1.5e9, [], {}, True)


def answer_in(body: bytes) -> Json:
    """Read a JSON body; None when it is something else."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def damaged(body: bytes) -> Iterator[tuple[Path, bytes]]:
    """Answers in which one member is gone or is something else, each with the member's path."""
    answer = answer_in(body)
    for path, member in islice(_members(answer), 1, MOST):
        for value in BADLY_TYPED:
            if value != member:
                yield path, _with(body, path, value)
        yield path, _without(body, path)


def with_stranger(body: bytes) -> Iterator[tuple[Path, bytes]]:
    """Answers with one more member, at the top or in an object that stands in a list.

    Other objects may be maps, of which any name is a legitimate key.
    """
    for path, member in islice(_members(answer_in(body)), MOST):
        if isinstance(member, dict) and (not path or isinstance(path[-1], int)):
            yield path, _with(body, (*path, STRANGER), 1)


def cut_short(body: bytes) -> list[bytes]:
    """Give what is left of a JSON body when a connection breaks, or when an error page is kept."""
    if not isinstance(answer_in(body), dict):
        return []
    empty = [b"", b"null", b"[]", b"17", b"{}", b'{"ResponseMetadata": {}}']
    return [*empty, body[: len(body) // 2], body.rstrip()[:-1]]


def _members(answer: Json, path: Path = ()) -> Iterator[tuple[Path, Json]]:
    """Walk the answer itself, then all that is in it; of a list of like things the first two."""
    if answer is not None:
        yield path, answer
    if isinstance(answer, dict):
        for name, value in answer.items():
            yield from _members(value, (*path, name))
    elif isinstance(answer, list):
        for position, value in enumerate(answer[:2]):
            yield from _members(value, (*path, position))


def _with(body: bytes, path: Path, value: Json) -> bytes:
    answer = json.loads(body)
    _holder(answer, path)[path[-1]] = value
    return json.dumps(answer).encode()


def _without(body: bytes, path: Path) -> bytes:
    answer = json.loads(body)
    del _holder(answer, path)[path[-1]]
    return json.dumps(answer).encode()


def _holder(answer: Json, path: Path) -> Json:
    for step in path[:-1]:
        answer = answer[step]
    return answer
