"""What the raters of a comparison, each in its own version, said about a few photographs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from visionhub.analysis.codes import Codes
from visionhub.analysis.compare import Comparison, Part
from visionhub.analysis.faces import SENSITIVE
from visionhub.analysis.frames import BOX, Answers, read
from visionhub.report.answers import Box, Item, Shown
from visionhub.report.shown import attribute_texts
from visionhub.schema import Status, Task
from visionhub.store.study import StudyFile

TABLES = {  # task -> annotation table, columns of numbers, columns of texts
    "labels": ("labels", ("score",), ("name", "vendor_id")),
    "objects": ("objects", (*BOX, "score"), ("name", "vendor_id")),
    "faces": ("faces", (*BOX, "score"), ()),
    "text": ("text_lines", (*BOX, "score"), ("text", "level")),
}
_NUMBERS = ("number", "low", "high", "score")
_WORDS = ("name", "value", "score_word", "scale")
_SEARCHED = (
    "SELECT s.image_id, s.provider, s.status, s.request_id FROM status s WHERE s.task = 'faces' "
    "AND s.image_id IN (SELECT value FROM json_each(?))"
)
_BOXES = (
    "SELECT request_id, rank, x_min, y_min, x_max, y_max FROM faces "
    "WHERE request_id IN (SELECT value FROM json_each(?))"
)


@dataclass(frozen=True)
class Listener:
    """Reads what was said, for the tasks that a page shows photographs of."""

    study: StudyFile
    found: Comparison

    def answers(self, part: Part, images: Sequence[int]) -> tuple[Answers, ...]:
        """Of each rater of a task, about these images alone, which ascend."""
        people = {one.name: one for one in self.found.coders}
        table, numbers, words = TABLES[part.task]
        return tuple(
            _coded(people[rater.name], images, boxed=part.task != "labels")
            if rater.human
            else read(self.study, rater, table, numbers=numbers, words=words, some=images)
            for rater in part.raters
        )

    def guesses(self, part: Part, images: Sequence[int]) -> list[dict[tuple[int, int], list[str]]]:
        """Of each rater of faces, by position of image and rank of face, its attributes in words.

        Age, gender and emotion only where they were compared.
        """
        left_out = [name for name in SENSITIVE if name not in self.found.about["guesses"]]
        return [
            _attributes(
                read(
                    self.study,
                    rater,
                    "face_attributes",
                    numbers=_NUMBERS,
                    words=_WORDS,
                    some=images,
                ),
                left_out,
            )
            for rater in part.raters
        ]

    def searched(self, images: Sequence[int]) -> dict[int, list[Shown]]:
        """By image, where faces are, by every provider that looked for them (current answers)."""
        listed = _json(images)
        rows = self.study.query(_SEARCHED, (listed,)).rows
        boxes: dict[int, list[Item]] = {}
        requests = _json([row[3] for row in rows if row[3] is not None])
        for request, rank, *box in self.study.query(_BOXES, (requests,)).rows:
            boxes.setdefault(request, []).append(_face(rank, box))
        found: dict[int, list[Shown]] = {image: [] for image in images}
        for image, provider, status, request in rows:
            items = tuple(boxes.get(request, ()))
            found[image].append(Shown(provider, Task.FACES.value, status, items=items))
        return found


def _json(numbers: Sequence[int]) -> str:
    return f"[{','.join(map(str, numbers))}]"


def _face(rank: int, box: Sequence[float]) -> Item:
    x_min, y_min, x_max, y_max = box
    return Item(rank, "face", box=(x_min, y_min, x_max, y_max))


def _coded(codes: Codes, images: Sequence[int], *, boxed: bool) -> Answers:
    answers = codes.answers(boxed=boxed)
    return answers.only(np.intersect1d(answers.images, np.array(images, dtype=np.int64)))


def _attributes(rows: Answers, left_out: Sequence[str]) -> dict[tuple[int, int], list[str]]:
    """Texts as on the contact sheet, by position of image and rank of face."""
    found: dict[tuple[int, int], list[dict[str, object]]] = {}
    for at in range(len(rows.at)):
        one: dict[str, object] = {
            name: rows.texts[name][rows.words[name][at]]
            for name in _WORDS
            if rows.words[name][at] >= 0
        }
        numbers = {name: float(rows.numbers[name][at]) for name in _NUMBERS}
        one |= {name: value for name, value in numbers.items() if not np.isnan(value)}
        if one["name"] not in left_out:
            key = (int(rows.images[rows.at[at]]), int(rows.rank[at]))
            found.setdefault(key, []).append(one)
    return {
        key: attribute_texts(Item(0, "", details={"attributes": some}))
        for key, some in found.items()
    }


def faces_of(rater: str, answers: Answers, image: int) -> list[Shown]:
    """One rater's faces of one image, so that what is drawn is blurred too."""
    place = int(np.searchsorted(answers.images, image))
    if place == len(answers.images) or answers.images[place] != image:
        return []
    rows = np.flatnonzero(answers.at == place)
    items = tuple(_face(int(answers.rank[n]), answers.boxes[n].tolist()) for n in rows)
    cut = Status.TRUNCATED if answers.truncated[place] else Status.OBSERVED
    return [Shown(rater, Task.FACES.value, cut.value, items=items)]


def box_of(answers: Answers, row: int) -> Box | None:
    """The box of one row; None where answers have no boxes."""
    if BOX[0] not in answers.numbers:
        return None
    x_min, y_min, x_max, y_max = (float(answers.numbers[name][row]) for name in BOX)
    return x_min, y_min, x_max, y_max
