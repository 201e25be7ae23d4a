"""What documents call an image, and when they say that an answer came."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from visionhub.engine.walk import IMAGE_SUFFIXES
from visionhub.leaves import Json

DEEP = 4  # objects within objects
# Names of members, in small letters without marks, that hold the name of the image.
_NAMES = (
    "image imagepath imagefile imagefilename imagename imageuri imageurl imagesha256 imageid "
    "filename filepath file path photo photopath photofile picture uri url sha256 sha1 md5 id name "
    "key images requests request s3object source"
)
_DATES = "receivedat requestedat createdat timestamp datetime date time"
_ANSWERS = "answer response apiresponse result body raw output data annotation annotations json"
IMAGE_NAMES, DATE_NAMES = tuple(_NAMES.split()), tuple(_DATES.split())
ANSWER_NAMES = tuple(_ANSWERS.split())
HASH = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
IMAGE_END = re.compile(rf"(?:{'|'.join(sorted(map(re.escape, IMAGE_SUFFIXES)))})$", re.IGNORECASE)
_NOT_LETTERS = re.compile(r"[^a-z0-9]")
_SECONDS = (978_307_200, 4_102_444_800)  # since 1970: from 2001 to 2100


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around an answer.

    names: what may be its image's, surest first. images: those of several images, by their place
    in a list or their key in an object. keys: the members that it lies in, from the outside.
    """

    names: tuple[str, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    date: str | None = None

    def within(self, value: Json) -> Around:
        """The same, one object or list further in."""
        if isinstance(value, list):
            first = value[0] if len(value) == 2 else None  # noqa: PLR2004 - [name, answer]
            if isinstance(first, str) and names_image(first):
                return replace(self, names=(first, *self.names))
            return self
        if not isinstance(value, dict):
            return self
        members = {letters(name): v for name, v in value.items()}
        found = [members[name] for name in IMAGE_NAMES if name in members]
        names = tuple(name for v in found if (name := _name_in(v)))
        several = (images for v in found if (images := _names_in(v)))
        dates = (moment(members[name]) for name in DATE_NAMES if name in members)
        return replace(
            self,
            names=names + self.names,
            images=next(several, self.images),
            date=next(filter(None, dates), self.date),
        )

    def at(self, key: str, place: int, of: int) -> Around:
        """The same, for the member of this name, or the item at this place of a list of `of`."""
        own = self.images.get(key or str(place)) if key or len(self.images) == of else None
        inner = replace(self, names=(own,), images={}) if own else self
        if names_image(key):
            inner = replace(inner, names=(key, *inner.names))
        return replace(inner, keys=(*self.keys, key)) if key else inner

    def of_answer(self, place: int, of: int) -> tuple[str, ...]:
        """Names of the image of one of the answers of a call."""
        inner = self.at("", place, of)
        return inner.names if of == 1 or inner is not self else ()


def letters(name: str) -> str:
    """A member's or a column's name in small letters, without marks between them."""
    return _NOT_LETTERS.sub("", name.lower())


def names_image(text: str) -> bool:
    """Whether a text looks like the name of an image's file, or is its hash."""
    return bool(IMAGE_END.search(text.partition("?")[0]) or HASH.fullmatch(text))


def _name_in(value: Json, deep: int = DEEP) -> str:
    """The name of one image: a text, or what names one in an object, such as a bucket's key.

    Empty where an object names several and does not say which it means.
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or not deep:
        return ""
    inner = {letters(key): _name_in(v, deep - 1) for key, v in value.items()}
    images = {key: name for key, name in inner.items() if names_image(name)}
    meant = next((images[key] for key in IMAGE_NAMES if key in images), "")
    return meant or (next(iter(images.values())) if len(set(images.values())) == 1 else "")


def _names_in(value: Json) -> dict[str, str]:
    """The names of several images, in a list or by keys (a table's column); all of them or none."""
    inside = dict(enumerate(value)) if isinstance(value, list) else value
    if not isinstance(inside, dict) or not inside or _name_in(value):
        return {}
    names = {str(key): _name_in(v) for key, v in inside.items()}
    return names if all(names.values()) else {}


def moment(value: object) -> str | None:
    """A time as the study writes it (UTC, to the second); None for anything else.

    It is read from ISO 8601, from the dates of HTTP and of mail, and from seconds or milliseconds
    since 1970. No service answered before 2001.
    """
    try:
        found = _of_number(value) if isinstance(value, int | float) else _of_text(value)
        zoned = found if found.tzinfo else found.replace(tzinfo=UTC)
        utc = zoned.astimezone(UTC)
        likely = _SECONDS[0] <= utc.timestamp() < _SECONDS[1]
        return utc.strftime("%Y-%m-%dT%H:%M:%SZ") if likely else None
    except (OverflowError, ValueError):
        return None


def _of_number(value: float) -> datetime:
    for unit in (1, 1000):
        if _SECONDS[0] <= value / unit < _SECONDS[1]:
            return datetime.fromtimestamp(value / unit, UTC)
    raise ValueError(value)


def _of_text(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError(value)  # noqa: TRY004 - as of a text that is no date
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        return parsedate_to_datetime(value)
