"""Recorded answers: cassettes in vcrpy's YAML, found again by the hash of the picture.

A cassette holds "sha256:<hex>" in place of each picture. A request that was recorded is answered
with the recorded bytes; one that asks for less of the same picture, with that part of them.
"""

from __future__ import annotations

import gzip
import importlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from visionhub.errors import UsageError
from visionhub_sandbox.cassette_parts import google_part, google_parts, rekognition_part

Json: TypeAlias = Any
HASH = "sha256:"


@dataclass(frozen=True, slots=True)
class Recorded:
    """An answer as it was received."""

    status: int
    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class _Interaction:
    service: str  # the operation of Rekognition, or google
    request: dict[str, Json]
    answer: Recorded


class Cassettes:
    """All recordings of a folder; empty without one. Read once, never changed."""

    def __init__(self, folder: Path | None = None) -> None:
        self._verbatim: dict[tuple[str, str], Recorded] = {}
        self._google: dict[tuple[str, str], dict[str, Json]] = {}
        self._rekognition: dict[tuple[str, tuple[str, ...]], list[tuple[Json, Json]]] = {}
        for path, interactions in _documents(folder) if folder else ():
            try:
                for each in interactions():
                    self._add(each)
            except (ValueError, LookupError, TypeError, AttributeError, OSError) as error:
                what = " ".join(f"{type(error).__name__}: {error}".split())
                raise UsageError(f"--cassettes: {path} is no cassette: {what}.") from error

    def __len__(self) -> int:
        return len(self._verbatim)

    def verbatim(self, service: str, request: Json) -> Recorded | None:
        """The answer to exactly this request, whose pictures are given as "sha256:<hex>"."""
        return self._verbatim.get((service, _canonical(service, request))) if self else None

    def google(self, sha256: str, feature: str, most: int) -> dict[str, Json] | None:
        """The members of a recorded image that answer one feature; None if it was not asked."""
        return google_part(self._google.get((sha256, feature)), most)

    def rekognition(
        self, operation: str, hashes: Sequence[str], request: Mapping[str, Json]
    ) -> dict[str, Json] | None:
        """The part of a recorded answer that answers a request; None if none was recorded.

        What was recorded in several calls, a feature each, also answers one that asks for all.
        """
        whole = self._rekognition_part(operation, hashes, request)
        features = request.get("Features") or ()
        if whole is not None or len(features) < 2:  # noqa: PLR2004 - several
            return whole
        merged: dict[str, Json] = {}
        for feature in features:
            part = self._rekognition_part(operation, hashes, {**request, "Features": [feature]})
            if part is None:
                return None
            merged |= part
        return merged

    def _rekognition_part(
        self, operation: str, hashes: Sequence[str], request: Mapping[str, Json]
    ) -> dict[str, Json] | None:
        for recorded, answer in self._rekognition.get((operation, tuple(hashes)), ()):
            part = rekognition_part(recorded, answer, request)
            if part is not None:
                return part
        return None

    def _add(self, interaction: _Interaction) -> None:
        service, request, answer = interaction.service, interaction.request, interaction.answer
        self._verbatim[service, _canonical(service, request)] = answer
        if answer.status != 200:  # noqa: PLR2004 - OK
            return
        body = json.loads(answer.data)
        if service == "google":
            for asked, item in zip(request["requests"], body.get("responses", ()), strict=False):
                sha256 = asked["image"]["content"].removeprefix(HASH)
                for feature, part in google_parts(asked, item).items():
                    self._google[sha256, feature] = part
        else:
            images = [member["Bytes"] for member in request.values() if _is_image(member)]
            hashes = tuple(text.removeprefix(HASH) for text in images)
            self._rekognition.setdefault((service, hashes), []).append((request, body))


def _is_image(member: Json) -> bool:
    return isinstance(member, dict) and str(member.get("Bytes", "")).startswith(HASH)


def _canonical(service: str, request: Json) -> str:
    """Equal requests as one text; of Google's, names for numbers, and nothing for defaults."""
    if service == "google":
        request = [_google_question(item) for item in request.get("requests") or ()]
    return json.dumps(_plain(request), sort_keys=True)


def _google_question(item: Json) -> Json:
    from visionhub_sandbox.google_enums import FEATURES

    names = {number: name for name, number in FEATURES.items()}
    features = [
        {**feature, "type": names.get(feature.get("type"), feature.get("type"))}
        for feature in item.get("features") or ()
    ]
    return {**item, "features": sorted(features, key=lambda feature: str(feature["type"]))}


def _plain(value: Json) -> Json:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if v not in (None, "", {}, [])}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _documents(folder: Path) -> Iterator[tuple[Path, Callable[[], list[_Interaction]]]]:
    """All cassettes of a folder, each with what reads it."""
    try:
        yaml: Any = importlib.import_module("yaml")
    except ModuleNotFoundError as error:
        raise UsageError(
            "--cassettes: reading cassettes needs the package PyYAML: run  pip install pyyaml"
        ) from error
    if not folder.is_dir():
        raise UsageError(f"--cassettes {folder}: there is no such folder.")
    for path in sorted(folder.rglob("*.yaml")):
        yield path, partial(_interactions, yaml, path)


def _interactions(yaml: Any, path: Path) -> list[_Interaction]:  # noqa: ANN401 - a module
    try:
        document = yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    found = [_interaction(each) for each in document["interactions"]]
    return [each for each in found if each is not None]


def _interaction(recorded: Json) -> _Interaction | None:
    """One recorded call; None for one of another service (a token, a region)."""
    request, response = recorded["request"], recorded["response"]
    target = _header(request, "x-amz-target")
    google = "images:annotate" in request["uri"]
    if not target and not google:
        return None
    body = json.loads(_as_bytes(request["body"]))
    data = _as_bytes(response["body"].get("string") or b"")
    if _header(response, "content-encoding") == "gzip":
        data = gzip.decompress(data)
    media_type = _header(response, "content-type") or "application/json"
    service = "google" if google else target.rpartition(".")[2]
    return _Interaction(service, body, Recorded(int(response["status"]["code"]), data, media_type))


def _header(message: Json, name: str) -> str:
    """A header's value, which vcrpy writes as text, as bytes, or as a list of either."""
    for key, value in (message.get("headers") or {}).items():
        if str(key).lower() == name:
            first = value[0] if isinstance(value, list) else value
            return _as_bytes(first).decode()
    return ""


def _as_bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
