"""Google's images:annotate, over REST and gRPC, as its documentation describes it (2026).

A call is read into `Ask`s, one an image; each is answered by a dictionary in the REST shape.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from visionhub.errors import VisionHubError
from visionhub_sandbox import google_shapes as shapes
from visionhub_sandbox.answers import MARK, Answer, Refusal, delivered
from visionhub_sandbox.calls import Call
from visionhub_sandbox.cassettes import HASH, Recorded
from visionhub_sandbox.desk import Desk
from visionhub_sandbox.faults import Fault
from visionhub_sandbox.google_enums import FEATURES, numbered
from visionhub_sandbox.pictures import Picture
from visionhub_sandbox.strangers import add_members

NAME, OPERATION = "google", "BatchAnnotateImages"
MOST_IMAGES = 16
MB = 1024 * 1024
JSON_BYTES = 10 * MB
IMAGE_BYTES = 20 * MB
PIXELS = 75_000_000
DEFAULT_RESULTS = 10
EXHAUSTED = 8  # google.rpc.Code, RESOURCE_EXHAUSTED
STATUSES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED"}
STATUSES |= {404: "NOT_FOUND", 409: "ABORTED", 429: "RESOURCE_EXHAUSTED", 499: "CANCELLED"}
STATUSES |= {500: "INTERNAL", 501: "UNIMPLEMENTED", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}
MEDIA_TYPE, HEADERS = "application/json; charset=UTF-8", {MARK: "1"}
RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"
Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing that is asked about an image; `most` is how many results are wanted."""

    type: str
    most: int = DEFAULT_RESULTS


@dataclass(frozen=True, slots=True)
class Ask:
    """One image of a call. Without bytes, `elsewhere` names what was given in their place."""

    picture: Picture | None
    features: tuple[Feature, ...]
    elsewhere: str = ""


class Google:
    """The service at one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def rest(self, body: bytes, *, numbers: bool) -> Answer:
        """Answer one POST; `numbers` says that enumerations are wanted as numbers."""
        try:
            asks, fault = self.attend("rest", lambda: self._asks(body))
            recorded = self._recorded(body, asks)
            if recorded is not None and not _changes(fault):
                return delivered(recorded.status, recorded.data, MEDIA_TYPE, HEADERS, fault)
            answer = self.responses(asks, fault)
        except Refusal as refusal:
            return _refused(refusal)
        if fault is not None and fault.kind == "unknown_field":
            add_members(answer, "sandboxUnknown")
        text = json.dumps(numbered(answer) if numbers else answer, indent=2, ensure_ascii=False)
        return delivered(200, text.encode(), MEDIA_TYPE, HEADERS, fault)

    def _recorded(self, body: bytes, asks: Sequence[Ask]) -> Recorded | None:
        """What was recorded for exactly this call."""
        if not self._desk.cassettes:
            return None
        request = json.loads(body)
        for item, ask in zip(request["requests"], asks, strict=True):
            if ask.picture:
                item["image"] = {"content": f"{HASH}{ask.picture.sha256}"}
        return self._desk.cassettes.verbatim(NAME, request)

    def attend(
        self, transport: str, read: Callable[[], Sequence[Ask]]
    ) -> tuple[Sequence[Ask], Fault | None]:
        """Read a call, count it, and wait; Refusal when it cannot be read, or meets one."""
        try:
            asks = read()
        except Refusal:
            self._desk.attend(Call(NAME, OPERATION, transport, refused=True), lambda _: None)
            raise
        types = dict.fromkeys(feature.type for ask in asks for feature in ask.features)
        sent = [(ask.picture.sha256, _types(ask)) for ask in asks if ask.picture]
        images, lines = tuple(sha256 for sha256, _ in sent), tuple(asked for _, asked in sent)
        call = Call(NAME, OPERATION, transport, tuple(types), images, lines)
        fault = self._desk.attend(call, _refusal, lambda fault: _spared(asks, fault))
        if refusal := _refusal(fault):
            raise refusal
        return asks, fault

    def responses(self, asks: Sequence[Ask], fault: Fault | None) -> Json:
        """The whole answer of a call, with the image that a fault spoils."""
        try:
            items = [self._item(ask) for ask in asks]
        except VisionHubError as error:  # the models could not answer
            raise Refusal("INTERNAL", str(error), 500) from error
        if fault is not None and fault.kind == "item_error":
            spoilt = _spoilt(asks, fault)
            code = 13 if fault.code is None else int(fault.code)
            items[spoilt] = error_item(code, "A scripted error of this image.")
        return {"responses": items}

    def ask(self, data: bytes, features: Sequence[Feature], elsewhere: str) -> Ask:
        """An image of a call with what is asked about it."""
        picture = self._desk.pictures.open(data) if data else None
        return Ask(picture, tuple(features), elsewhere)

    def _asks(self, body: bytes) -> list[Ask]:
        if len(body) > JSON_BYTES:
            raise invalid(f"The request exceeds {JSON_BYTES} bytes.")
        try:
            request = json.loads(body)
            items = request.get("requests") or []
            check_count(len(items))
            return [self._ask_of(item) for item in items]
        except (ValueError, TypeError, AttributeError) as error:
            raise invalid(f"The request is not of the documented form: {error}.") from error

    def _ask_of(self, item: Mapping[str, Any]) -> Ask:
        image = item.get("image") or {}
        source = image.get("source") or {}
        try:
            data = base64.b64decode(image.get("content") or "", validate=True)
        except binascii.Error as error:
            raise invalid(f"image.content is no base64: {error}.") from error
        features = [_feature(feature) for feature in item.get("features") or []]
        return self.ask(data, features, str(next(iter(source.values()), "")))

    def _item(self, ask: Ask) -> Json:
        flaw = _flaw(ask)
        if flaw or ask.picture is None:
            return flaw
        item: Json = {}
        for feature in ask.features:
            item |= self._part(ask.picture, feature)
        return item

    def _part(self, picture: Picture, feature: Feature) -> Json:
        """One feature of an image: recorded, or filled from predictions."""
        recorded = self._desk.cassettes.google(picture.sha256, feature.type, feature.most)
        if recorded is not None:
            return recorded
        fill = shapes.FILLS.get(feature.type)
        return fill(self._desk, picture, feature.most) if fill else {}


def invalid(message: str) -> Refusal:
    """A call that the service refuses as a whole."""
    return Refusal("INVALID_ARGUMENT", message, 400)


def check_count(images: int) -> None:
    """Refuse a call without images, or with too many."""
    if not images:
        raise invalid("The request has no images.")
    if images > MOST_IMAGES:
        raise invalid(f"Too many images in one request: {images}, at most {MOST_IMAGES}.")


def feature(type_: object, most: object) -> Feature:
    """A feature by its name or number; Refusal for one that is not known."""
    names = {number: name for name, number in FEATURES.items()}
    name = names.get(type_) if isinstance(type_, int) else type_
    if name not in FEATURES:
        raise invalid(f"features.type {type_!r} is not known.")
    if not isinstance(most, int) or most < 0:
        raise invalid(f"features.maxResults {most!r} is no count.")
    return Feature(str(name), most or DEFAULT_RESULTS)


def _feature(item: Mapping[str, Any]) -> Feature:
    return feature(item.get("type", 0), item.get("maxResults", 0))


def error_item(code: int, message: str) -> Json:
    """What stands in the place of an image's annotations."""
    return {"error": {"code": code, "message": message}}


def _flaw(ask: Ask) -> Json:
    picture = ask.picture
    if ask.elsewhere and picture is None:
        return error_item(7, f"The stand-in reaches no other place: {ask.elsewhere}")
    if picture is None or not ask.features:
        return error_item(3, "Request must specify image and features.")
    if len(picture.data) > IMAGE_BYTES or not picture.facts.format:
        return error_item(3, "Bad image data.")
    if picture.facts.width * picture.facts.height > PIXELS:
        return error_item(3, f"The image has more than {PIXELS} pixels.")
    return {}


def _spoilt(asks: Sequence[Ask], fault: Fault) -> int:
    """Which image of the call: the one that the fault names, or by its place."""
    hashes = [ask.picture.sha256 if ask.picture else "" for ask in asks]
    return hashes.index(fault.image) if fault.image else min(fault.item, len(asks) - 1)


def _spared(asks: Sequence[Ask], fault: Fault | None) -> int | None:
    """The place, among images with bytes, of one that met a quota inside a good call."""
    if fault is None or fault.kind != "item_error" or fault.code != EXHAUSTED:
        return None
    return sum(ask.picture is not None for ask in asks[: _spoilt(asks, fault)])


def _changes(fault: Fault | None) -> bool:
    """Whether a fault changes the answer itself, so that recorded bytes cannot be sent."""
    return fault is not None and fault.kind in ("item_error", "unknown_field")


def _types(ask: Ask) -> tuple[str, ...]:
    """What is asked about an image: each is a unit of its own price line."""
    return tuple(dict.fromkeys(feature.type for feature in ask.features))


def _refusal(fault: Fault | None) -> Refusal | None:
    """What a fault says in place of an answer, if it says anything."""
    if fault is None:
        return None
    code = str(fault.code) if fault.code else ""
    if fault.kind == "throttle":
        return Refusal(
            code or "RESOURCE_EXHAUSTED", "Quota exceeded (scripted).", 429, fault.retry_after
        )
    if fault.kind in ("error", "expired_credentials"):
        status = fault.status or (500 if fault.kind == "error" else 401)
        known = {name: number for number, name in STATUSES.items()}
        status = known.get(code, status) if fault.status is None else status
        return Refusal(code or STATUSES.get(status, "UNKNOWN"), f"Scripted: {fault.kind}.", status)
    return None


def _refused(refusal: Refusal) -> Answer:
    error: Json = {"code": refusal.status, "message": refusal.message, "status": refusal.code}
    headers = dict(HEADERS)
    if refusal.retry_after is not None:
        headers["Retry-After"] = f"{refusal.retry_after:g}"
        error["details"] = [{"@type": RETRY_INFO, "retryDelay": f"{refusal.retry_after:g}s"}]
    text = json.dumps({"error": error}, indent=2)
    return Answer(refusal.status, text.encode(), headers=headers)
