"""`visionhub show`: one image of a study, for reading in a terminal or as JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from visionhub.report.answers import Item, Shown, answers
from visionhub.report.find import FoundImage, Photograph, photograph
from visionhub.report.terminal import Section
from visionhub.store.study import StudyFile

MEGA = 1e6
LONGEST = 100  # characters of a name in a table


class ImageReport:
    """One image with its file and every current answer about it."""

    def __init__(self, study: StudyFile, image: FoundImage) -> None:
        self.image = image
        self.answers: tuple[Shown, ...] = answers(study, [image.id])[image.id]
        self.file: Photograph = photograph(image)

    def as_json(self) -> dict[str, Any]:
        """Everything, as plain values: boxes and points in ratios of the upright picture."""
        return {
            "image": {**self.image.facts, "paths": list(self.image.paths)},
            "file_problem": self.file.problem or None,
            "answers": [asdict(answer) for answer in self.answers],
        }

    def sections(self) -> Iterator[Section]:
        """What a person reads: facts, then each answer, then what has no rows and why."""
        yield Section(self.image.name, notes=tuple(self._facts()))
        for answer in self.answers:
            if answer.items:
                yield _section(answer)
        empty = [[a.task, a.provider, a.status, a.sentence] for a in self.answers if not a.items]
        if empty:
            yield Section("No results", ("task", "provider", "status", "what that means"), empty)

    def _facts(self) -> Iterator[str]:
        facts, image = self.image.facts, self.image
        yield f"image {image.id} · SHA-256 {image.sha256}"
        if facts["problem"]:
            detail = f" ({facts['problem_detail']})" if facts["problem_detail"] else ""
            yield f"This file cannot be read as a photograph: {facts['problem']}{detail}"
        yield " · ".join(_known(facts))
        for path in image.paths:
            yield f"path  {path}"
        if self.file.problem:
            yield f"Note: {self.file.problem} ({self.file.path or 'no path'})."


def _known(facts: Mapping[str, Any]) -> Iterator[str]:
    """What the file says about itself, in words."""
    if facts["width"]:
        yield f"{facts['width']} x {facts['height']} px"
    if facts["format"]:
        yield f"{facts['format']} {facts['mode'] or ''}".strip()
    yield f"{facts['bytes'] / MEGA:.2f} MB"
    if facts["taken_at"]:
        zone = facts["utc_offset"] or "(zone unknown)"
        yield f"taken {facts['taken_at'].replace('T', ' ')} {zone}"
    if facts["latitude"] is not None and facts["longitude"] is not None:
        high = f", {facts['altitude']:g} m" if facts["altitude"] is not None else ""
        yield f"at {facts['latitude']:.5f}, {facts['longitude']:.5f} (WGS 84){high}"
    if facts["make"] or facts["model"]:
        yield f"camera {facts['make'] or ''} {facts['model'] or ''}".replace("  ", " ").rstrip()


def _section(answer: Shown) -> Section:
    boxes = any(item.box for item in answer.items)
    more = any(_details(item) for item in answer.items)
    columns = ["#", "name", "score", "scale"]
    columns += ["x_min", "y_min", "x_max", "y_max"] if boxes else []
    columns += ["more"] if more else []
    rows = [_cells(item, boxes=boxes, more=more) for item in answer.items]
    notes = [answer.sentence] if answer.status != "observed" or answer.reason else []
    guessed = {one["name"] for item in answer.items for one in item.details.get("attributes", ())}
    notes += [note] if (note := guesses_note(guessed)) else []
    right = ("#", "score", "x_min", "y_min", "x_max", "y_max")
    return Section(title(answer), tuple(columns), rows, tuple(notes), right)


def title(answer: Shown) -> str:
    """Task, provider, revision and floor in one line."""
    parts = [f"{answer.task} · {answer.provider}", answer.revision or ""]
    parts += [f"floor {answer.floor:g}"] if answer.floor is not None else []
    return " · ".join(part for part in parts if part)


def _cells(item: Item, *, boxes: bool, more: bool) -> Sequence[object]:
    name = item.name if len(item.name) <= LONGEST else f"{item.name[: LONGEST - 1]}…"
    cells: list[object] = [item.rank, name, item.score_text, item.scale]
    if boxes:
        cells += [f"{side:.3f}" for side in item.box] if item.box else [""] * 4
    return [*cells, _details(item)] if more else cells


def _details(item: Item) -> str:
    """Everything else about a thing, in a few words."""
    usual = {("level", "line"), ("level", 1)}
    details = [pair for pair in item.details.items() if pair[0] not in HIDDEN]
    words = [f"{key} {_short(value)}" for key, value in details if (key, value) not in usual]
    words += attribute_texts(item)
    words += [f"{len(item.points)} points"] if item.points else []
    words += ["reached outside the picture"] if item.details.get("clipped") else []
    return ", ".join(words)


def _short(value: object) -> object:
    return f"{value:.4g}" if isinstance(value, float) else value


GUESSES = frozenset({"age", "gender", "emotion"})
HIDDEN = frozenset({"attributes", "clipped", "vendor_id", "parents", "aliases", "categories"})


def attribute_texts(item: Item) -> list[str]:
    """What was guessed about a face, without the words whose score reads 0.00."""
    texts = (attribute_text(one) for one in item.details.get("attributes", ()))
    return [text for text in texts if "(0.00, " not in text]


def attribute_text(one: Mapping[str, Any]) -> str:
    """A property of a face: its value and the score of that, with the scale.

    Numbers are whole ones, with their range: the decimals of a guess say nothing.
    """
    score = Item(0, "", one.get("score"), one.get("score_word"), one.get("scale")).score_text
    if all(one.get(part) is None for part in ("value", "number", "low")):
        return f"{one['name']} {score}"  # only rated: blurred UNLIKELY
    text = f"{one['name']} {_guess(one)}"
    return f"{text} ({score}, {one['scale']})" if score else text


def _guess(one: Mapping[str, Any]) -> str:
    """The word, the number with its range, or the range alone."""
    if one.get("value") is not None:
        return str(one["value"])
    low, high = one.get("low"), one.get("high")
    ends = [] if low is None or high is None else list(dict.fromkeys([f"{low:.0f}", f"{high:.0f}"]))
    span = " to ".join(ends)
    if one.get("number") is None:
        return span or "?"
    # A range of one year says more of the network's conceit than of the face.
    return f"about {one['number']:.0f}" + (f" ({span})" if len(ends) > 1 else "")


def guesses_note(names: Collection[str]) -> str:
    """What to know before guesses about people are read or shown on; empty without one."""
    guessed = sorted(GUESSES.intersection(names))
    if not guessed:
        return ""
    return (
        f"Guessed from appearance, by weak models: {', '.join(guessed)}. Of no use for one "
        f"person; mind who sees this."
    )
