"""JSON documents cut into the texts of their members: an answer keeps the bytes it was kept in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from visionhub.leaves import Json

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an object (name) or of a list (name is empty): its value and its exact text."""

    name: str
    value: Json
    text: str


class NoJson(ValueError):
    """Says what a document is instead."""


def text_of(data: bytes) -> str:
    """A document's text, whichever of Unicode's encodings it is in; NoJson when in none.

    PowerShell's `>` writes UTF-16, spreadsheets a byte order mark.
    """
    if not data.strip():
        raise NoJson("it is empty")
    try:
        return data.decode(json.detect_encoding(data)).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise NoJson("it is no text in UTF-8, so no JSON") from None


def value_of(text: str) -> Json:
    """A document's value; NoJson says where reading ended, or what else it looks like."""
    try:
        return json.loads(text)
    except RecursionError:
        raise NoJson("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        start = text.lstrip()[:2]
        if start in ("{'", "['") or text.lstrip().startswith("[{'"):
            kind = "a Python object as str() prints it, no JSON: save answers with json.dumps"
            raise NoJson(f"it is {kind}") from None
        raise NoJson(f"it is no JSON: {error}") from None


def members(text: str) -> Iterator[Member]:
    """The members of an object or the items of a list, in order. `text` must be valid JSON."""
    at = _skip(text, 0)
    named = text[at] == "{"
    at = _skip(text, at + 1)
    while text[at] not in "}]":
        name = ""
        if named:
            name, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        value, end = _DECODER.raw_decode(text, at)
        yield Member(name, value, text[at:end])
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
