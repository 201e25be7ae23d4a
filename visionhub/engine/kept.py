"""Documents that somebody kept, and the answers in them: one a file, one a line, lists, wrappers.

A provider knows its own bodies (`Provider.adopt`). What people put around them is known here: a
list of answers, an object of answers by file name, an object that names an image beside its answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from visionhub.engine.naming import ANSWER_NAMES, DEEP, Around, letters, names_image
from visionhub.engine.slices import Member, NoJson, members, text_of, value_of
from visionhub.errors import UnexpectedBody, UsageError
from visionhub.provider import Adopted, Provider


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

    names: what the document calls its image, surest first. keys: the members that the answer lies
    in, from the outside. place: its number among all answers of the document, from 0.
    """

    document: Document
    item: Adopted
    names: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    place: int = 0
    of: int = 1
    date: str | None = None


def pieces(provider: Provider, document: Document) -> list[Piece | Lost]:
    """The answers in a document, and what in it is none."""
    if document.problem:
        return [Lost(document.source, document.problem)]
    try:
        text = text_of(document.data)
        value = value_of(text)
    except NoJson as error:
        return [Lost(document.source, str(error))]
    around = Around((document.image,) if document.image else ())
    found = _search(provider, document, Member("", value, text), around, DEEP)
    if isinstance(found, str):
        return [Lost(document.source, found, document.image or "")]
    return _numbered(found)


def _search(
    provider: Provider, document: Document, member: Member, around: Around, deep: int
) -> list[Piece | Lost] | str:
    """What is in one member; why nothing is."""
    around = around.within(member.value)
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
    provider: Provider, document: Document, outer: Member, around: Around, deep: int
) -> list[Piece | Lost]:
    """What is in the members of a list or an object; nothing when none of them holds an answer.

    Items of a list, and members with the name of an image, are answers in their own right: where
    one holds none, it is lost. Other members stand beside an answer.
    """
    inside = list(_inside(outer))
    found: list[Piece | Lost] = []
    lost: list[Lost] = []
    for number, member in enumerate(inside):
        context = around.at(member.name, number, len(inside))
        more = _search(provider, document, member, context, deep) if _full(member, around) else ""
        if isinstance(more, list) and _belongs(member, more):
            found += more
        elif isinstance(more, str) and _expected(member, around):
            place = member.name or f"item {number}"
            lost.append(Lost(f"{document.source}, {place}", more))
    return [*found, *lost] if found else []


def _full(member: Member, around: Around) -> bool:
    """Whether a member may be an answer: an empty one only where an answer is to be expected."""
    if member.value or not member.name or names_image(member.name):
        return True
    return bool(around.names) and letters(member.name) in ANSWER_NAMES


def _expected(member: Member, around: Around) -> bool:
    """Whether a member should have been an answer, and is no name of one that stands beside it."""
    if member.name:
        return names_image(member.name)
    return not isinstance(member.value, str) or member.value not in around.names


def _belongs(member: Member, found: list[Piece | Lost]) -> bool:
    """Whether what looks like answers are some: a list in an object says whose each of them is.

    Otherwise it is part of something else, such as the frames of a film.
    """
    if not (member.name and isinstance(member.value, list)):
        return True
    return all(part.names for part in found if isinstance(part, Piece))


def _adopted(document: Document, adopted: Iterable[Adopted], around: Around) -> Iterator[Piece]:
    items = list(adopted)
    for place, item in enumerate(items):
        names = around.of_answer(place, len(items))
        if item.image:
            names = (item.image, *names)
        yield Piece(document, item, names, around.keys, place, len(items), around.date)


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
    keys = {piece.keys for piece in several if piece.keys}
    if len(several) <= 1 or (len(set(tasks)) == len(tasks) and len(keys) == len(several)):
        return [replace(part, of=1) if isinstance(part, Piece) else part for part in found]
    place = count()
    return [
        replace(part, place=next(place), of=len(several)) if isinstance(part, Piece) else part
        for part in found
    ]
