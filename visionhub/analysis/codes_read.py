"""Reading what people coded: from a table, or from COCO JSON.

A table has the columns image and label, and may have coder (else its own name), value (1 or yes, 0
or no, ? or NA for "could not tell", or a number for ratings; left out: 1) and x_min, y_min, x_max,
y_max (ratios of the upright picture). A row with a label of "" says that the coder looked and found
nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from visionhub.analysis.codes import Code, Codes, scales
from visionhub.analysis.frames import BOX
from visionhub.analysis.naming import Names, image_column
from visionhub.engine.lists import rows_of
from visionhub.errors import UsageError
from visionhub.store.items import printable
from visionhub.store.study import StudyFile

WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0, "": 1.0}
SHOWN, LONGEST = 3, 60  # rows that a note names, and letters of what each says
UNTOLD = ("na", "n/a", "nan", "?")

_Found = Iterator[tuple[int | str, Code]]  # an image's id; else where it is named, and how


def coders(study: StudyFile, paths: Iterable[str]) -> list[Codes]:
    """All coders of several files; UsageError when two files have a coder of one name."""
    names = Names(study)
    found = [codes for path in paths for codes in read_codes(names, path)]
    known: set[str] = set()
    for one in found:
        if one.name in known:
            raise UsageError(
                f"--codes: the coder {one.name!r} is in two files: put the codes into one, or give "
                f"the coders of one file other names in its column coder."
            )
        known.add(one.name)
    ratings = scales(found)
    return [replace(one, ratings=ratings) for one in found]


def read_codes(names: Names, path: str) -> list[Codes]:
    """The coders of one file. Raises UsageError, with the line, for what cannot be read."""
    if not Path(path).is_file():
        what = "is a folder: name a file" if Path(path).is_dir() else "is not there"
        raise UsageError(f"--codes {path} {what}.")
    read = _coco if path.lower().endswith(".json") else _table
    found: list[Code] = []
    strange: list[str] = []
    for image, code in read(path, names):
        if isinstance(image, str):
            strange.append(image)
        else:
            found.append(code)
    if not found:
        raise UsageError(f"--codes {path}: {_nothing(strange)}.")
    found, torn = _settled(found)
    mine: dict[str, list[Code]] = {}
    for code in found:
        mine.setdefault(code.coder, []).append(code)
    notes = _notes(Path(path).name, strange, torn)
    return [
        Codes.of(name, rows, () if at else notes) for at, (name, rows) in enumerate(mine.items())
    ]


def _settled(rows: list[Code]) -> tuple[list[Code], int]:
    """Codes of whole images, those left open that contradict each other; and how many these are."""
    said: dict[tuple[str, int, str], set[float]] = {}
    for code in rows:
        if code.label and math.isnan(code.box[0]) and not math.isnan(code.value):
            said.setdefault((code.coder, code.image, code.label), set()).add(code.value)
    torn = {key for key, values in said.items() if len(values) > 1}
    if not torn:
        return rows, 0
    return [
        replace(code, value=math.nan)
        if math.isnan(code.box[0]) and (code.coder, code.image, code.label) in torn
        else code
        for code in rows
    ], len(torn)


def _nothing(strange: Sequence[str]) -> str:
    """Why no code of a file counts."""
    if not strange:
        return "there are no codes in it"
    return (
        f"none of its images is in the study, such as {strange[0]}: write them as its paths, file "
        f"names or hashes (visionhub export --table images lists them)"
    )


def _notes(name: str, strange: Sequence[str], torn: int) -> tuple[str, ...]:
    found = []
    if strange:
        rows = "1 row names an image" if len(strange) == 1 else f"{len(strange):,} rows name images"
        some = ", ".join(strange[:SHOWN]) + (" …" if len(strange) > SHOWN else "")
        found.append(f"{name}: {rows} that the study does not hold: {some}.")
    if torn:
        found.append(
            f"{name}: {torn:,} times a coder said two things of one label of one image: these "
            f"count as missing."
        )
    return tuple(found)


def _table(path: str, names: Names) -> _Found:
    folder, own = str(Path(path).parent), Path(path).stem
    columns = (image_column(path, "--codes"), "label")
    for line, cells in rows_of(path, columns, ("coder", "value", *BOX)):
        image, label, coder, value, *box = (_text(cell.strip()) for cell in cells)
        if not image and not label:
            continue  # an empty line
        at = f"--codes {path}, line {line}"
        if not image:
            raise UsageError(f"{at}: it names no image.")
        code = Code(coder or own, 0, label, _value(value, at), _box(box, at))
        found = names.find(image, folder)
        yield found or f"{image[:LONGEST]!r} (line {line})", replace(code, image=found or 0)


def _text(cell: str) -> str:
    r"""A cell as text that can be written anywhere: bytes that are no UTF-8 become \\xNN."""
    return printable(cell)[0]


def _value(text: str, at: str) -> float:
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    if text.lower() in UNTOLD:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        raise UsageError(f"{at}: value {text!r} is neither yes nor no, nor a number.") from None
    if not math.isfinite(value):
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


def _coco(path: str, names: Names) -> _Found:
    """Boxes of the COCO format: pixels of the upright picture, one category each."""
    try:
        document = json.loads(Path(path).read_text("utf-8"))
        images = {one["id"]: dict(one) for one in document["images"]}
        categories = {one["id"]: str(one["name"]) for one in document["categories"]}
        boxes = [dict(one) for one in document["annotations"]]
    except (ValueError, KeyError, TypeError, OSError, RecursionError) as error:
        raise UsageError(
            f"--codes {path} is no COCO JSON (images, categories, annotations): {error!r}."
        ) from None
    own, folder = Path(path).stem, str(Path(path).parent)
    files = {key: _text(str(one.get("file_name", ""))) for key, one in images.items()}
    ids = {key: names.find(file, folder) for key, file in files.items()}
    for key, found in ids.items():
        yield found or repr(files[key][:LONGEST]), Code(own, found or 0, "")
    for number, one in enumerate(boxes):
        at = f"--codes {path}, annotation {number}"
        try:
            found = ids[one["image_id"]]
        except (KeyError, TypeError):
            raise UsageError(f"{at}: its image_id is none of the images.") from None
        if found is not None:
            yield found, _boxed(one, found, images, categories, own, at)


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
    numbers = (x, y, width, height, across, down)
    if not (all(map(math.isfinite, numbers)) and min(width, height) >= 0 < min(across, down)):
        raise UsageError(
            f"{at}: [{x:g}, {y:g}, {width:g}, {height:g}] in a picture of {across:g} x {down:g} is "
            f"no box in pixels: left, top, width, height."
        )
    ends = (x / across, y / down, (x + width) / across, (y + height) / down)
    box = tuple(min(max(value, 0.0), 1.0) for value in ends)
    return Code(own, image, label, 1.0, box, bool(one.get("iscrowd")))
