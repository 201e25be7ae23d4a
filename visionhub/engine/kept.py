"""Documents that somebody kept, and the answers in them: one a file, one a line, lists, wrappers.

A provider knows its own bodies (`Provider.adopt`). What people put around them is known here: a
list of answers, an object of answers by file name, an object that names an image beside its answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count

from visionhub.engine.slices import Member, NoJson, members, text_of, value_of
from visionhub.engine.walk import IMAGE_SUFFIXES
from visionhub.errors import UnexpectedBody, UsageError
from visionhub.leaves import Json
from visionhub.provider import Adopted, Provider

DEEP = 4  # wrappers within wrappers
# Names of members, in small letters without marks, that hold the name of the image.
_NAMES = (
    "image imagepath imagefile imagefilename imagename imageuri imageurl imagesha256 imageid "
    "filename filepath file path photo photopath picture uri url sha256 id name key images "
    "requests s3object"
)
_DATES = "receivedat requestedat createdat timestamp datetime date time"
_ANSWERS = "answer response apiresponse result body raw output data annotation annotations json"
IMAGE_NAMES, DATE_NAMES = tuple(_NAMES.split()), tuple(_DATES.split())
ANSWER_NAMES = tuple(_ANSWERS.split())
HASH = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
IMAGE_END = re.compile(rf"(?:{'|'.join(sorted(map(re.escape, IMAGE_SUFFIXES)))})$", re.IGNORECASE)
NOT_LETTERS = re.compile(r"[^a-z0-9]")


@dataclass(frozen=True, slots=True)
class Document:
    """A file, a line of one, or a row of a table.

    source: how a person finds it. file: the path of its file. own: whether it is all that the
    file holds, so that the file's name may tell the image. image: as a table's row names it.
    """

    source: str
    file: str
    data: bytes
    own: bool = False
    image: str | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """Something that is not imported: where it stands, why, and which image it is about, if known.

    image: as the answer calls it, or the path of the image.
    """

    source: str
    reason: str
    image: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """One answer in a document.

    names: what the document calls its image, surest first. key: the member that holds the answer
    in an object of answers. place: its number among all answers of the document, from 0.
    """

    document: Document
    item: Adopted
    names: tuple[str, ...] = ()
    key: str = ""
    place: int = 0
    of: int = 1
    date: str | None = None


@dataclass(frozen=True, slots=True)
class _Around:
    """What the wrappers say."""

    names: tuple[str, ...] = ()
    images: tuple[str, ...] = ()  # of a call with several images, in order
    key: str = ""
    date: str | None = None

    def with_members(self, value: Mapping[str, Json]) -> _Around:
        plain = {NOT_LETTERS.sub("", name.lower()): v for name, v in value.items()}
        found = [plain[name] for name in IMAGE_NAMES if name in plain]
        names = tuple(name for v in found if (name := _name_in(v)))
        several = [tuple(map(_name_in, v)) for v in found if isinstance(v, list) and v]
        lists = [images for images in several if all(images)]
        dates = [moment(plain[name]) for name in DATE_NAMES if name in plain]
        return replace(
            self,
            names=names + self.names,
            images=lists[0] if lists else self.images,
            date=next(filter(None, dates), self.date),
        )


def pieces(provider: Provider, document: Document) -> list[Piece | Lost]:
    """The answers in a document, and what in it is none."""
    if document.problem:
        return [Lost(document.source, document.problem)]
    try:
        text = text_of(document.data)
        value = value_of(text)
    except NoJson as error:
        return [Lost(document.source, str(error))]
    around = _Around((document.image,) if document.image else ())
    found = _search(provider, document, Member("", value, text), around, DEEP)
    if isinstance(found, str):
        return [Lost(document.source, found, document.image or "")]
    return _numbered(found)


def _search(
    provider: Provider, document: Document, member: Member, around: _Around, deep: int
) -> list[Piece | Lost] | str:
    """What is in one member; why nothing is."""
    if isinstance(member.value, dict):
        around = around.with_members(member.value)
    why = f"it holds no answer of {provider.name}"
    try:
        adopted = provider.adopt(member.text.encode("utf-8", "surrogatepass"))
    except UnexpectedBody as error:
        why, adopted = str(error), ()
    except UsageError:
        raise
    except Exception as error:  # one document must not end an import of thousands
        why, adopted = f"{provider.name} cannot read it: {type(error).__name__}: {error}", ()
    if adopted:
        return list(_adopted(document, adopted, around))
    return (_all_of(provider, document, member, around, deep - 1) if deep else []) or why


def _all_of(
    provider: Provider, document: Document, outer: Member, around: _Around, deep: int
) -> list[Piece | Lost]:
    """What is in the members of a list or an object; nothing when none of them holds an answer.

    Items of a list, and members with the name of an image, are answers in their own right: where
    one holds none, it is lost. Other members stand beside an answer.
    """
    inside = list(_inside(outer))
    listed = around.images if isinstance(outer.value, list) else ()
    names = listed if len(listed) == len(inside) else ()
    found: list[Piece | Lost] = []
    lost: list[Lost] = []
    for number, member in enumerate(inside):
        own = (names[number],) if names else around.names
        context = replace(around, names=own, key=member.name or around.key)
        more = _search(provider, document, member, context, deep) if _full(member, around) else ""
        if isinstance(more, list) and _belongs(member, more):
            found += more
        elif isinstance(more, str) and (not member.name or names_image(member.name)):
            place = member.name or f"item {number}"
            lost.append(Lost(f"{document.source}, {place}", more))
    return [*found, *lost] if found else []


def _full(member: Member, around: _Around) -> bool:
    """Whether a member may be an answer: an empty one only where an answer is to be expected."""
    if member.value or not member.name or names_image(member.name):
        return True
    return bool(around.names) and NOT_LETTERS.sub("", member.name.lower()) in ANSWER_NAMES


def _belongs(member: Member, found: list[Piece | Lost]) -> bool:
    """Whether what looks like answers are some: a list in an object says whose each of them is.

    Otherwise it is part of something else, such as the frames of a film.
    """
    if not (member.name and isinstance(member.value, list)):
        return True
    return all(part.names for part in found if isinstance(part, Piece))


def _adopted(document: Document, adopted: Iterable[Adopted], around: _Around) -> Iterator[Piece]:
    items = list(adopted)
    listed = around.images if len(around.images) == len(items) else ()
    for place, item in enumerate(items):
        names = (listed[place],) if listed else around.names if len(items) == 1 else ()
        if item.image:
            names = (item.image, *names)
        yield Piece(document, item, names, around.key, place, len(items), around.date)


def _inside(member: Member) -> Iterator[Member]:
    """Members that may hold answers: objects, lists, and JSON that was put into a text."""
    if not isinstance(member.value, dict | list):
        return
    for inside in members(member.text):
        if isinstance(inside.value, dict | list):
            yield inside
        elif isinstance(inside.value, str) and inside.value.lstrip()[:1] in ("{", "["):
            try:
                yield Member(inside.name, value_of(inside.value), inside.value)
            except NoJson:
                continue
        elif isinstance(member.value, list) or names_image(inside.name):
            yield inside


def _numbered(found: list[Piece | Lost]) -> list[Piece | Lost]:
    """Several answers without a name of their own are told apart by their place.

    Answers to different tasks, each under a name of its own, are about one image: their document's.
    """
    several = [part for part in found if isinstance(part, Piece)]
    tasks = [task for piece in several for task in piece.item.tasks]
    keys = {piece.key for piece in several}
    if len(several) <= 1 or (len(set(tasks)) == len(tasks) and len(keys - {""}) == len(several)):
        return [replace(part, of=1) if isinstance(part, Piece) else part for part in found]
    place = count()
    return [
        replace(part, place=next(place), of=len(several)) if isinstance(part, Piece) else part
        for part in found
    ]


def names_image(text: str) -> bool:
    """Whether a text looks like the name of an image's file, or is its hash."""
    return bool(IMAGE_END.search(text.partition("?")[0]) or HASH.fullmatch(text))


def _name_in(value: Json, deep: int = DEEP) -> str:
    """The name of an image: a text, or what names one in an object, such as a bucket's key."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or not deep:
        return ""
    inner = (_name_in(v, deep - 1) for v in value.values())
    return next((name for name in inner if names_image(name)), "")


def moment(text: object) -> str | None:
    """A time in ISO 8601 as the study writes it (UTC, to the second); None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    zoned = found if found.tzinfo else found.replace(tzinfo=UTC)
    try:
        return zoned.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError):
        return None
