"""JSON documents cut into the texts of their members: an answer keeps the bytes it was kept in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from visionhub.leaves import Json

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()
_KINDS = (
    (b"\x1f\x8b", "it is compressed with gzip: unpack it first"),
    (b"PK\x03\x04", "it is a ZIP archive: unpack it first"),
    (b"\x80", "it is a Python pickle, which may hold programs: save answers with json.dumps"),
    (b"PAR1", "it is a Parquet file: save its answers as JSON lines"),
    (b"\xff\xd8\xff", "it is a picture (JPEG)"),
    (b"\x89PNG", "it is a picture (PNG)"),
    (b"%PDF", "it is a PDF file"),
)
_MORE = re.compile(r"Extra data: line \d+")


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
        kinds = (kind for start, kind in _KINDS if data.startswith(start))
        raise NoJson(next(kinds, "it is no text in UTF-8, so no JSON")) from None


def value_of(text: str) -> Json:
    """A document's value; NoJson says where reading ended, or what else it looks like."""
    try:
        return json.loads(text)
    except RecursionError:
        raise NoJson("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise NoJson(_instead(text.lstrip(), error)) from None


def _instead(text: str, error: json.JSONDecodeError) -> str:
    """What a text is that is no JSON document."""
    if text.startswith(("{'", "['", "[{'")):
        return "it is a Python object as str() prints it, no JSON: save answers with json.dumps"
    if text.startswith("<"):
        return "it is a web page or XML, no JSON"
    if _MORE.match(str(error)) and text.startswith(("{", "[")):
        return "it is several JSON documents in one file: write one a line, into a .jsonl file"
    return f"it is no JSON: {error}"


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
