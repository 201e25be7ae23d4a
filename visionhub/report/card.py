"""One photograph of a contact sheet, as HTML. Every text that is not ours is escaped by `safe`."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from visionhub.report.answers import Item, Shown
from visionhub.report.find import FoundImage
from visionhub.report.layers import bones
from visionhub.report.plain import plain
from visionhub.report.shown import attribute_texts
from visionhub.report.thumbnail import Privacy, Thumbnail
from visionhub.schema import Scale, Status

if TYPE_CHECKING:
    from visionhub.report.page import Sheet

OPEN_ITEMS = 4  # results of a task that are seen at once
NUMBERED = ("objects", "faces", "people")  # whose boxes carry a number; text would be buried
FULL = {Scale.PROBABILITY.value: 1.0, Scale.PERCENT.value: 100.0}
HEADINGS = {"safe_search": "Unsafe content", "people": "People (pose)"}
QUIET = (Status.OBSERVED, Status.BELOW_FLOOR, Status.UNSUPPORTED)
PRIVACY = {
    Privacy.BLURRED: "faces blurred",
    Privacy.WHOLE: "blurred: not searched for faces",
    Privacy.NONE_FOUND: "",
    Privacy.SHOWN: "",
}


@dataclass
class Card:
    """An image, what is said about it, and its picture or why there is none."""

    image: FoundImage
    answers: tuple[Shown, ...]
    picture: Thumbnail | None = None
    problem: str = ""


def safe(value: object, longest: int = 300) -> str:
    """Text from outside, for HTML text and quoted attributes: no control characters, no markup."""
    return escape(plain(value, longest), quote=True)


def heading(task: str) -> str:
    """A task in words."""
    return HEADINGS.get(task, task.replace("_", " ").capitalize())


def card_html(card: Card, sheet: Sheet) -> str:
    """The whole card."""
    problem = bool(card.picture is None or any(a.status == Status.ERROR for a in card.answers))
    found = [answer for answer in card.answers if answer.items]
    empty = [answer for answer in card.answers if not answer.items]
    parts = [
        f'<article class="card" data-problem="{int(problem)}" aria-labelledby="i{card.image.id}">',
        _figure(card, sheet),
        *(_section(answer, sheet) for answer in found),
        _missing(empty),
        _source(card.image),
        "</article>\n",
    ]
    return "\n".join(part for part in parts if part)


def _figure(card: Card, sheet: Sheet) -> str:
    image, facts = card.image, card.image.facts
    known = [facts["taken_at"].replace("T", " ")[:16]] if facts["taken_at"] else []
    known += [f"{facts['width']} x {facts['height']} px"] if facts["width"] else []
    known += [facts["format"]] if facts["format"] else []
    note = PRIVACY[card.picture.privacy] if card.picture else ""
    badge = f'<span class="badge">{note}</span>' if note else ""
    return (
        f'<figure><div class="frame">{_picture(card, sheet)}{badge}</div>'
        f'<figcaption><h2 id="i{image.id}" class="name">{safe(image.name)}</h2>'
        f'<p class="facts">{safe(" · ".join(known))}</p></figcaption></figure>'
    )


def _picture(card: Card, sheet: Sheet) -> str:
    if card.picture is None:
        reason = card.image.facts["problem"] or "no picture"
        detail = f"<span>{safe(card.problem)}</span>" if card.problem else ""
        return f'<div class="absent"><strong>{safe(reason)}</strong>{detail}</div>'
    small = card.picture
    data = base64.b64encode(small.jpeg).decode()
    view = f"0 0 {small.width} {small.height}"
    groups = "".join(_group(answer, sheet, small) for answer in card.answers)
    return (
        f'<img src="data:image/jpeg;base64,{data}" width="{small.width}" height="{small.height}" '
        f'loading="lazy" decoding="async" alt="{_alternative(card)}">'
        f'<svg viewBox="{view}" preserveAspectRatio="xMidYMid meet" aria-hidden="true">'
        f"{groups}</svg>"
    )


def _alternative(card: Card) -> str:
    """What the picture shows, for those who do not see it: the best of each answer."""
    words = [f"Photograph {card.image.name}"]
    words += [note] if card.picture and (note := PRIVACY[card.picture.privacy]) else []
    for answer in card.answers:
        best = ", ".join(item.name for item in answer.items[:3])
        words += [f"{heading(answer.task)}: {best}"] if best else []
    return safe(". ".join(words), 500)


def _group(answer: Shown, sheet: Sheet, small: Thumbnail) -> str:
    """The boxes and skeletons of one answer, in pixels of the thumbnail."""
    shapes = "".join(_shape(answer, item, small) for item in answer.items if item.box)
    if not shapes:
        return ""
    return f'<g class="{sheet.style(answer)}" data-task="{safe(answer.task)}">{shapes}</g>'


def _shape(answer: Shown, item: Item, small: Thumbnail) -> str:
    def at(point: tuple[float, float]) -> str:
        return f"{point[0] * small.width:.1f} {point[1] * small.height:.1f}"

    x_min, y_min, x_max, y_max = item.box or (0.0, 0.0, 0.0, 0.0)
    corners = item.polygon or ((x_min, y_min), (x_max, y_min), (x_max, y_max), (x_min, y_max))
    path = "M" + "L".join(map(at, corners)) + "Z"
    # Joints only: marks on eyes and mouths would tell the shape of a face that is blurred.
    path += "".join(f"M{at(start)}L{at(end)}" for start, end in bones(item))
    text = ""
    if answer.task in NUMBERED:
        x = max(2.0, x_min * small.width + 4)
        y = min(max(17.0, y_min * small.height + 18), small.height - 3)
        text = f'<text x="{x:.1f}" y="{y:.1f}">{item.rank}</text>'
    return f'<path class="under" d="{path}"/><path d="{path}"/>{text}'


def _section(answer: Shown, sheet: Sheet) -> str:
    """What one provider found for one task."""
    scales = sorted({item.scale for item in answer.items if item.scale})
    first, rest = answer.items[:OPEN_ITEMS], answer.items[OPEN_ITEMS:]
    numbered = answer.task in NUMBERED
    more = ""
    if rest:
        more = (
            f"<details><summary>{len(rest)} more</summary>"
            f'<ol start="{OPEN_ITEMS + 1}">{_items(rest, numbered)}</ol></details>'
        )
    cut = "" if answer.status == Status.OBSERVED else f'<p class="why">{safe(answer.sentence)}</p>'
    placed = any(item.box for item in answer.items)
    key = f'<span class="key {sheet.style(answer)}"></span>' if placed else ""
    return (
        f'<section data-task="{safe(answer.task)}" data-found="1">'
        f"<h3>{key}{safe(heading(answer.task))}"
        f" <small>{safe(answer.provider)} · {safe(', '.join(scales) or 'no score')}</small></h3>"
        f"<ol>{_items(first, numbered)}</ol>{more}{cut}</section>"
    )


def _items(items: Iterable[Item], numbered: bool) -> str:
    return "".join(_item(item, numbered) for item in items)


def _item(item: Item, numbered: bool) -> str:
    number = f'<span class="number">{item.rank}</span>' if numbered else ""
    more = "".join(f"<small>{safe(text)}</small>" for text in attribute_texts(item))
    score = f'<span class="score">{safe(item.score_text)}</span>' if item.score_text else ""
    return f'<li>{number}<span class="name">{safe(item.name)}{more}</span>{_bar(item)}{score}</li>'


def _bar(item: Item) -> str:
    """The score as a length, on scales that have an end."""
    full = FULL.get(item.scale or "")
    if full is None or item.score is None:
        return ""
    length = f"{40 * item.score / full:.1f}"
    return (
        '<svg class="bar" viewBox="0 0 40 6" aria-hidden="true">'
        f'<rect width="40" height="6"/><rect class="full" width="{length}" height="6"/></svg>'
    )


def _missing(answers: Sequence[Shown]) -> str:
    """Tasks without results, a line for each reason; what was not asked is left out."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for answer in answers:
        if answer.status != Status.NOT_REQUESTED:
            reason = (answer.provider, answer.status, answer.sentence)
            groups.setdefault(reason, []).append(answer.task)
    return f'<ul class="missing">{"".join(_reasons(groups))}</ul>' if groups else ""


def _reasons(groups: Mapping[tuple[str, str, str], Sequence[str]]) -> Iterator[str]:
    for (provider, status, sentence), tasks in groups.items():
        kind = "quiet" if status in QUIET else "loud"
        yield (
            f'<li class="{kind}" data-task="{safe(" ".join(tasks))}">'
            f"<b>{safe(', '.join(map(heading, tasks)))}</b> <small>{safe(provider)}</small> "
            f"<code>{safe(status)}</code> {safe(sentence)}</li>"
        )


def _source(image: FoundImage) -> str:
    paths = "".join(f"<li>{safe(path, 1000)}</li>" for path in image.paths)
    return (
        '<details class="source"><summary>File</summary><ul>'
        f"{paths or '<li>its file has changed since</li>'}</ul>"
        f"<p>image {image.id} · SHA-256 <code>{safe(image.sha256)}</code></p></details>"
    )
