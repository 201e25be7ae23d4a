"""What people said about images, as raters beside the providers: from a table, or from COCO JSON.

A table has the columns image and label, and may have coder (else its own name), value (1 or yes, 0
or no, or a number for ratings; left out: 1) and x_min, y_min, x_max, y_max (ratios of the upright
picture). A row with a label of "" says that the coder looked and found nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from visionhub.analysis.frames import BOX, Answers, Bools, Floats, Integers
from visionhub.analysis.naming import Names, image_column
from visionhub.analysis.raters import CODER, Rater
from visionhub.engine.lists import rows_of
from visionhub.errors import UsageError
from visionhub.store.study import StudyFile

WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0, "": 1.0}
VOCABULARY = "codes"


@dataclass(frozen=True)
class Code:
    """One code: who, which image, what. value: nan for "could not tell". box: four nan for none."""

    coder: str
    image: int
    label: str
    value: float = 1.0
    box: tuple[float, ...] = (math.nan,) * 4
    crowd: bool = False


@dataclass(frozen=True)
class Codes:
    """The codes of one coder.

    image: (m,) ids; label: (m,) places in `labels`, -1 for none; value: (m,); boxes: (m, 4),
    nan for none; crowd: (m,) whether a box stands for a crowd. looked: ids of all images that the
    coder has seen. strange: rows about images that the study does not hold.
    """

    name: str
    labels: tuple[str, ...]
    image: Integers
    label: Integers
    value: Floats
    boxes: Floats
    crowd: Bools
    looked: Integers
    strange: int = 0

    @property
    def rater(self) -> Rater:
        """The coder as a rater."""
        return Rater(self.name, CODER, 0, vocabulary=VOCABULARY, images=len(self.looked))

    def answers(self, *, boxed: bool) -> Answers:
        """What was said to be there, as answers: with a box each, or of whole images."""
        there = ~np.isnan(self.boxes[:, 0]) if boxed else np.ones(len(self.image), np.bool_)
        kept = np.flatnonzero(there & (self.label >= 0) & (self.value > 0))
        images = np.unique(self.looked)
        at = np.searchsorted(images, self.image[kept])
        order = np.argsort(at, kind="stable")
        kept, at = kept[order], at[order]
        rank = np.arange(len(at)) - np.searchsorted(at, at) + 1
        numbers = dict(zip(BOX, self.boxes[kept].T, strict=True)) if boxed else {}
        return Answers(
            self.rater,
            images,
            np.zeros(len(images), dtype=np.bool_),
            at,
            rank,
            {
                **numbers,
                "score": np.full(len(kept), np.nan),
                "crowd": self.crowd[kept].astype(float),
            },
            {"name": self.label[kept], "vendor_id": np.full(len(kept), -1, dtype=np.int64)},
            {"name": list(self.labels), "vendor_id": []},
        )

    def values(self, label: str) -> dict[int, float]:
        """What was coded about one label, by image; nan where the coder could not tell."""
        if label not in self.labels:
            return {}
        kept = self.label == self.labels.index(label)
        return dict(zip(self.image[kept].tolist(), self.value[kept].tolist(), strict=True))


def read_codes(study: StudyFile, path: str) -> list[Codes]:
    """The coders of one file. Raises UsageError, with the line, for what cannot be read."""
    if not Path(path).is_file():
        raise UsageError(f"--codes {path}: there is no such file.")
    names = Names(study)
    read = _coco if path.lower().endswith(".json") else _table
    found, strange = [], 0
    for image, code in read(path, names, study):
        if image is None:
            strange += 1
        else:
            found.append(code)
    if not found:
        raise UsageError(f"--codes {path}: none of its rows names an image of the study.")
    coders = dict.fromkeys(code.coder for code in found)
    return [_codes(name, [c for c in found if c.coder == name], strange) for name in coders]


def _codes(name: str, rows: Sequence[Code], strange: int) -> Codes:
    labels = tuple(dict.fromkeys(code.label for code in rows if code.label))
    places = {label: at for at, label in enumerate(labels)}
    return Codes(
        name,
        labels,
        np.array([code.image for code in rows], dtype=np.int64),
        np.array([places.get(code.label, -1) for code in rows], dtype=np.int64),
        np.array([code.value for code in rows], dtype=np.float64),
        np.array([code.box for code in rows], dtype=np.float64).reshape(-1, 4),
        np.array([code.crowd for code in rows], dtype=np.bool_),
        np.unique(np.array([code.image for code in rows], dtype=np.int64)),
        strange,
    )


_Found = Iterator[tuple[int | None, Code]]


def _table(path: str, names: Names, study: StudyFile) -> _Found:
    folder, own = str(Path(path).parent), Path(path).stem
    columns = (image_column(path), "label")
    for line, cells in rows_of(path, columns, ("coder", "value", *BOX)):
        image, label, coder, value, *box = (cell.strip() for cell in cells)
        at = f"{path}, line {line}"
        code = Code(coder or own, 0, label, _value(value, at), _box(box, at))
        found = names.find(image, folder)
        yield found, Code(code.coder, found or 0, code.label, code.value, code.box)


def _value(text: str, at: str) -> float:
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    if text.lower() in ("na", "nan", "?"):
        return math.nan
    try:
        value = float(text)
    except ValueError:
        raise UsageError(f"{at}: value {text!r} is neither yes nor no, nor a number.") from None
    if math.isinf(value):
        raise UsageError(f"{at}: value {text!r} is no number.")
    return value


def _box(cells: Sequence[str], at: str) -> tuple[float, ...]:
    if not any(cells):
        return (math.nan,) * 4
    try:
        box = tuple(float(cell) for cell in cells)
    except ValueError:
        raise UsageError(f"{at}: a box is {', '.join(BOX)}, four numbers.") from None
    x_min, y_min, x_max, y_max = box
    if not (0 <= x_min <= x_max <= 1 and 0 <= y_min <= y_max <= 1):
        raise UsageError(
            f"{at}: {box} is no box in ratios of the picture (0 to 1, smaller ends first)."
        )
    return box


def _coco(path: str, names: Names, study: StudyFile) -> _Found:
    """Boxes of the COCO format: pixels of the upright picture, one category each."""
    try:
        document = json.loads(Path(path).read_text("utf-8"))
        images = {one["id"]: one for one in document["images"]}
        categories = {one["id"]: str(one["name"]) for one in document["categories"]}
        boxes = list(document["annotations"])
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise UsageError(
            f"--codes {path} is no COCO JSON (images, categories, annotations): {error!r}."
        ) from None
    own, folder = Path(path).stem, str(Path(path).parent)
    ids = {key: names.find(str(one.get("file_name", "")), folder) for key, one in images.items()}
    for found in ids.values():
        yield found, Code(own, found or 0, "")
    for number, one in enumerate(boxes):
        found = ids.get(one.get("image_id"))
        if found is not None:
            yield found, _boxed(one, found, images, categories, own, f"{path}, annotation {number}")


def _boxed(
    one: dict[str, Any],
    image: int,
    images: dict[Any, dict[str, Any]],
    categories: dict[Any, str],
    own: str,
    at: str,
) -> Code:
    try:
        x, y, width, height = (float(value) for value in one["bbox"])
        sizes = images[one["image_id"]]
        across, down = float(sizes["width"]), float(sizes["height"])
        label = categories[one["category_id"]]
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"{at}: it lacks a box, a category or an image's size: {error!r}."
        ) from None
    ends = (x / across, y / down, (x + width) / across, (y + height) / down)
    box = tuple(min(max(value, 0.0), 1.0) for value in ends)
    return Code(own, image, label, 1.0, box, bool(one.get("iscrowd")))


def coders(study: StudyFile, paths: Iterable[str]) -> list[Codes]:
    """All coders of several files; UsageError when two files have a coder of one name."""
    found = [codes for path in paths for codes in read_codes(study, path)]
    names = [one.name for one in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"--codes: the coder {twice!r} is in two files: put the codes into one.")
    return found
