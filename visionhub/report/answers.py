"""What a study currently says about some images, gathered for showing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from visionhub.schema import Point, Scale, Status, Task
from visionhub.store.study import StudyFile

Box = tuple[float, float, float, float]

NAMED = {  # annotation table of a task -> the column that names a thing, or what all of it is
    "labels": "name",
    "objects": "name",
    "faces": "",
    "people": "",
    "text_lines": "text",
    "safe_search": "category",
    "landmarks": "name",
    "logos": "name",
    "colors": "name",
    "crop_hints": "",
    "web": "text",
    "celebrities": "name",
    "face_matches": "",
}
SINGULAR = {
    "faces": "face",
    "people": "person",
    "crop_hints": "crop",
    "face_matches": "face",
    "celebrities": "unknown face",
}
POINTS = {"faces": "face_landmarks", "people": "keypoints"}
USED = frozenset(
    [
        "request_id",
        "rank",
        "score",
        "score_word",
        "scale",
        "x_min",
        "y_min",
        "x_max",
        "y_max",
        "polygon",
        "name",
        "text",
        "category",
    ]
)
ORDER = {task.value: place for place, task in enumerate(Task)}

_STATUS = (
    "SELECT s.image_id, s.provider, s.task, s.status, s.reason, s.results, s.request_id, "
    "q.revision, q.vocabulary, q.floor, q.max_results, b.model_version, b.received_at "
    "FROM status s LEFT JOIN requests r ON r.id = s.request_id LEFT JOIN questions q ON "
    "q.id = r.question_id LEFT JOIN bodies b ON b.id = r.body_id WHERE s.image_id IN "
)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was reported: box and points in ratios of the upright picture."""

    rank: int
    name: str
    score: float | None = None
    word: str | None = None
    scale: str | None = None
    box: Box | None = None
    polygon: tuple[tuple[float, float], ...] = ()
    points: tuple[Point, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def score_text(self) -> str:
        """The native score with two decimals, or its word; empty when there is none.

        A percentage has one decimal: models are not exact to a hundredth of a per cent.
        """
        if self.score is None:
            return self.word or ""
        return f"{self.score:.1f} %" if self.scale == Scale.PERCENT else f"{self.score:.2f}"


@dataclass(frozen=True, slots=True)
class Shown:
    """The current answer of one provider about one task of one image, or why there is none."""

    provider: str
    task: str
    status: str
    reason: str = ""
    results: int = 0
    request_id: int | None = None
    revision: str | None = None
    vocabulary: str | None = None
    floor: float | None = None
    max_results: int | None = None
    model_version: str | None = None
    received_at: str | None = None
    items: tuple[Item, ...] = ()

    @property
    def sentence(self) -> str:
        """The status in words."""
        floor = "" if self.floor is None else f" of {self.floor:g}"
        most = "" if self.max_results is None else f" at {self.max_results} results"
        said = {
            Status.OBSERVED: "looked, and found none",
            Status.BELOW_FLOOR: f"nothing reached the floor{floor}: censored, which is not 'no'",
            Status.TRUNCATED: f"cut off{most}: there may be more",
            Status.NOT_REQUESTED: "not asked about this image",
        }
        text = said.get(Status(self.status), "")
        if self.items and self.status == Status.OBSERVED:
            text = ""
        return ": ".join(part for part in (text, self.reason) if part) or self.status


def answers(study: StudyFile, image_ids: Sequence[int]) -> dict[int, tuple[Shown, ...]]:
    """Current answers by image id, in the order of tasks and providers.

    What was asked about other images of the study only is there as `not_requested`. Everything of
    these images is held in memory: ask for a few hundred at a time.
    """
    rows = study.query(f"{_STATUS}({_marks(image_ids)})", image_ids).rows
    items = _items(study, [row[6] for row in rows if row[5] and row[6] is not None])
    asked = study.query("SELECT DISTINCT provider, task FROM status").rows
    missing = Status.NOT_REQUESTED.value
    found = {(i, p, t): Shown(p, t, missing) for i in image_ids for p, t in asked}
    for image_id, provider, task, *rest in rows:
        things = tuple(items.get(rest[3], ()))
        shown = Shown(provider, task, *rest)
        found[image_id, provider, task] = replace(shown, items=things)
    ordered = sorted(found, key=lambda key: (ORDER.get(key[2], len(ORDER)), key[1]))
    return {i: tuple(found[key] for key in ordered if key[0] == i) for i in image_ids}


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _rows(study: StudyFile, table: str, requests: Sequence[int]) -> Iterator[dict[str, Any]]:
    order = "request_id, rank, item" if table == "face_attributes" else "request_id, rank"
    sql = f"SELECT * FROM {table} WHERE request_id IN ({_marks(requests)}) ORDER BY {order}"
    yield from study.query(sql, requests)


def _items(study: StudyFile, requests: Sequence[int]) -> dict[int, list[Item]]:
    """Everything reported in these requests, by request id."""
    found: dict[int, list[Item]] = {}
    attributes = _grouped(_rows(study, "face_attributes", requests))
    for table in NAMED:
        points = _grouped(_rows(study, POINTS[table], requests)) if table in POINTS else {}
        for row in _rows(study, table, requests):
            key = (row["request_id"], row["rank"])
            guessed = attributes.get(key, []) if table == "faces" else []
            found.setdefault(key[0], []).append(_item(table, row, points.get(key, []), guessed))
    return found


def _grouped(rows: Iterable[dict[str, Any]]) -> dict[tuple[int, int], list[dict[str, Any]]]:
    groups: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["request_id"], row["rank"]), []).append(row)
    return groups


def _item(
    table: str,
    row: Mapping[str, Any],
    points: Sequence[Mapping[str, Any]],
    guessed: Sequence[Mapping[str, Any]],
) -> Item:
    box = tuple(row[side] for side in ("x_min", "y_min", "x_max", "y_max") if side in row)
    details = {k: v for k, v in row.items() if k not in USED and v is not None}
    if guessed:
        drop = ("request_id", "rank", "item")
        details["attributes"] = [
            {k: v for k, v in one.items() if k not in drop and v is not None} for one in guessed
        ]
    return Item(
        rank=row["rank"],
        name=(row[NAMED[table]] if NAMED[table] else None) or SINGULAR.get(table, ""),
        score=row["score"],
        word=row["score_word"],
        scale=row["scale"],
        box=box if len(box) == 4 and None not in box else None,  # noqa: PLR2004
        polygon=tuple((x, y) for x, y in json.loads(row.get("polygon") or "[]")),
        points=tuple(Point(p["name"], p["x"], p["y"], p["score"]) for p in points),
        details=details,
    )
