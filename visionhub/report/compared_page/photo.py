"""One photograph of the gallery as HTML: its picture with everybody's boxes, and who said what.

Attributes are in single quotes, because most photographs lie in the page as JSON.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from visionhub.report.answers import Box
from visionhub.report.card import PRIVACY, safe
from visionhub.report.compared import number
from visionhub.report.compared_page.roster import Roster
from visionhub.report.compared_page.told import Piece, Task, Told
from visionhub.report.compared_page.wording import TITLES
from visionhub.report.find import FoundImage
from visionhub.report.thumbnail import Thumbnail

PAIR = 2
OPEN_PIECES = 8  # of a rater that are seen at once
DRAWN = ("objects", "faces", "text")  # of which texts are drawn when they are chosen
NUMBERED = {"objects": "", "faces": "f"}  # what numbers of boxes begin with
LEGIBLE = 0.06  # of the picture's width: a narrower box carries no number


@dataclass
class Photo:
    """An image, how far apart raters are about it, what they told, its picture or why it has none.

    distances: for each task the pairs, by letters, and how far apart they are.
    """

    image: FoundImage
    overall: float
    tasks: Sequence[Task]
    distances: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    picture: Thumbnail | None = None
    problem: str = ""


@dataclass(frozen=True)
class Look:
    """How cards are made. whole: with what a script else adds, marks and lines under boxes."""

    roster: Roster
    whole: bool = False


def photo_html(photo: Photo, look: Look) -> str:
    """The whole card."""
    image = photo.image
    name = safe(image.name)
    path = safe(image.paths[0], 600) if image.paths else "its file has changed since"
    sections = "".join(_section(task, photo, look) for task in photo.tasks if task.told)
    return (
        f"<article class='card photo' aria-labelledby='p{image.id}'><figure><div class='frame'>"
        f"{_picture(photo, look)}</div><figcaption><h3 id='p{image.id}'>{name}</h3>"
        f"<p class='facts'>apart {number(photo.overall)} · image {image.id}</p>"
        f"<p class='facts path'>{path}</p><label class='facts'><input type='checkbox' "
        "class='large'> large</label></figcaption></figure>"
        f"<div class='said'>{sections}</div></article>"
    )


def _picture(photo: Photo, look: Look) -> str:
    if photo.picture is None:
        reason = photo.image.facts["problem"] or "no picture"
        detail = f"<span>{safe(photo.problem)}</span>" if photo.problem else ""
        return f"<div class='absent'><strong>{safe(reason)}</strong>{detail}</div>"
    small = photo.picture
    data = base64.b64encode(small.jpeg).decode()
    note = PRIVACY[small.privacy]
    badge = f"<span class='badge'>{note}</span>" if note else ""
    alternative = safe(f"Photograph {photo.image.name}{', ' + note if note else ''}")
    groups = "".join(
        _group(task.name, one, small, look)
        for task in photo.tasks
        if task.name in DRAWN
        for one in task.told
    )
    return (
        f"<img src='data:image/jpeg;base64,{data}' width='{small.width}' height='{small.height}' "
        f"decoding='async' alt='{alternative}'><svg viewBox='0 0 {small.width} {small.height}' "
        f"font-size='{round(max(8, small.width / 30))}' aria-hidden='true'>{groups}</svg>{badge}"
    )


def _group(task: str, told: Told, small: Thumbnail, look: Look) -> str:
    """One rater's boxes, in pixels of the thumbnail."""
    roster, texts = look.roster, ""
    if task in NUMBERED:
        numbered = [(at, one.box) for at, one in enumerate(told.pieces, 1) if one.box]
        paths = "".join(_path(box, small) for _, box in numbered)
        texts = "".join(
            _number(at, box, task, told, small, roster)
            for at, box in numbered
            if box[2] - box[0] >= LEGIBLE
        )
    else:
        paths = "".join(_path(box, small) for box in told.boxes)
    if not paths:
        return ""
    hidden = " off" if task == "text" else ""
    under = f"<path class='under' d='{paths}'/>" if look.whole else ""
    return (
        f"<g class='{roster.style(told.rater)}{hidden}' data-t='{task}' "
        f"data-r='{roster.place(told.rater)}'>{under}<path d='{paths}'/>{texts}</g>"
    )


def _path(box: Box, small: Thumbnail) -> str:
    x, y, right, bottom = _pixels(box, small)
    return f"M{x} {y}H{right}V{bottom}H{x}Z"


def _pixels(box: Box, small: Thumbnail) -> list[int]:
    sizes = (small.width, small.height) * 2
    return [round(side * size) for side, size in zip(box, sizes, strict=True)]


def _number(at: int, box: Box, task: str, told: Told, small: Thumbnail, roster: Roster) -> str:
    """The rater's letter and the number of the box, at the corner that is this rater's."""
    place, high = roster.place(told.rater), round(max(8, small.width / 30))
    right, low = place % 2, place // 2 % 2
    pixels = _pixels(box, small)
    x = min(max(pixels[2] if right else pixels[0], 1), small.width - 1)
    y = pixels[3] - high // 4 if low else pixels[1] + high
    y = min(max(y, high), small.height - 2)
    name = f"{roster.letter(told.rater)}{NUMBERED[task]}{at}"
    end = " class='end'" if right else ""
    return f"<text x='{x}' y='{y}'{end}>{name}</text>"


def _section(task: Task, photo: Photo, look: Look) -> str:
    """One task: a column for each rater who answered."""
    columns = "".join(_column(task, one, look) for one in task.told)
    body = f"<div class='cols'>{columns}</div>"
    if not any(one.pieces or one.cut for one in task.told):
        who = ", ".join(look.roster.letter(one.rater) for one in task.told)
        body = f"<p class='nothing'>{who}: none</p>"
    return (
        f"<section data-t='{task.name}' data-a='{task.bits}'><h4>{TITLES[task.name]}"
        f"{_apart(photo.distances.get(task.name, []))}</h4>{body}</section>"
    )


def _apart(pairs: Sequence[tuple[str, float]]) -> str:
    """How far apart raters are, on average and pair by pair."""
    if not pairs:
        return ""
    middle = math.fsum(value for _, value in pairs) / len(pairs)
    each = ", ".join(f"{name} {number(value)}".replace(" ", "\u00a0") for name, value in pairs)
    more = f" <small>{each}</small>" if len(pairs) > 1 else ""
    return f" <span class='apart'>apart {number(middle)}{more}</span>"


def _column(task: Task, told: Told, look: Look) -> str:
    roster, others = look.roster, task.bits & ~told.bit
    head = f"<h5 class='key {roster.style(told.rater)}'>{roster.lettered(told.rater)}</h5>"
    if not told.pieces:
        body = "<p class='nothing'>none</p>"
    elif task.name == "text":
        runs = " ".join(
            f"<span{_state(piece, others, look)}>{safe(piece.text, 2000)}</span>"
            for piece in told.pieces
        )
        body = f"<p class='text'>{runs}</p>"
    else:
        body = _list(task.name, told, others, look)
    cut = "<p class='why'>cut off: there may be more</p>" if told.cut else ""
    return f"<div data-r='{roster.place(told.rater)}'>{head}{body}{cut}</div>"


def _list(task: str, told: Told, others: int, look: Look) -> str:
    """What is seen at once, and the rest folded away."""
    items = list(_items(task, told, others, look))
    first, rest = items[:OPEN_PIECES], items[OPEN_PIECES:]
    more = ""
    if rest:
        more = f"<details><summary>{len(rest)} more</summary><ul>{''.join(rest)}</ul></details>"
    return f"<ul>{''.join(first)}</ul>{more}"


def _items(task: str, told: Told, others: int, look: Look) -> Iterator[str]:
    for at, piece in enumerate(told.pieces, 1):
        label = f"<i>{NUMBERED[task]}{at}</i> " if task in NUMBERED else ""
        score = f" <small>{safe(piece.score)}</small>" if piece.score else ""
        more = "".join(f"<small class='more'>{safe(text)}</small>" for text in piece.more)
        yield f"<li{_state(piece, others, look)}>{label}{safe(piece.text)}{score}{more}</li>"


def _state(piece: Piece, others: int, look: Look) -> str:
    """The class that marks it, or what a script makes that class of, for any pair of raters."""
    raters = len(look.roster.names)
    packed = f" data-s='{piece.code.packed(raters)}'" if raters > PAIR else ""
    if packed and not look.whole:
        return packed
    return f" class='{piece.code.state(others)}'{packed}"
