"""From a study to arrays: who answered about which images, and what. The one part that reads files.

Twenty million rows fit into memory because words are numbers: each distinct one is kept once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from visionhub.analysis.raters import Rater
from visionhub.store.study import StudyFile

Integers: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]

BLOCK = 100_000  # rows fetched at a time

_REQUESTS = """
SELECT r.id, r.image_id, r.status = 'truncated' FROM requests r
LEFT JOIN bodies b ON b.id = r.body_id
WHERE r.question_id = ? AND coalesce(b.model_version, '') = ?
  AND r.status IN ('observed', 'truncated', 'below_floor') ORDER BY r.image_id, r.id
"""
# Of some images: CROSS JOIN and + hold SQLite to the order of the text, from few images on.
_REQUESTS_OF = """
SELECT r.id, r.image_id, r.status = 'truncated' FROM json_each(?) AS some
CROSS JOIN requests r ON r.image_id = some.value LEFT JOIN bodies b ON b.id = r.body_id
WHERE +r.question_id = ? AND coalesce(b.model_version, '') = ?
  AND r.status IN ('observed', 'truncated', 'below_floor') ORDER BY r.image_id, r.id
"""


@dataclass(frozen=True)
class Answers:
    """What one rater says about images: one row a label, object, face, line of text or category.

    images: (n,) ids of all images that it has answered for, ascending; an image without rows is one
    about which it says "none". truncated: (n,) whether the most results were reached. at: (m,) for
    each row the position of its image in `images`, ascending; within an image rows keep the
    rater's own order. rank: (m,) 1, 2, 3… numbers: (m,) columns of numbers, nan where empty.
    words: (m,) columns of numbers of texts, -1 where empty; texts: what they stand for.
    """

    rater: Rater
    images: Integers
    truncated: Bools
    at: Integers
    rank: Integers
    numbers: Mapping[str, Floats] = field(default_factory=dict)
    words: Mapping[str, Integers] = field(default_factory=dict)
    texts: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def boxes(self) -> Floats:
        """(m, 4) x_min, y_min, x_max, y_max."""
        return np.stack([self.numbers[name] for name in BOX], axis=1)

    def only(self, images: Integers) -> Answers:
        """The same about these images alone, which must be ascending and all answered."""
        place = np.searchsorted(self.images, images)
        position = np.full(len(self.images), -1, dtype=np.int64)
        position[place] = np.arange(len(images))
        kept = position[self.at] >= 0
        return Answers(
            self.rater,
            images,
            self.truncated[place],
            position[self.at][kept],
            self.rank[kept],
            {name: column[kept] for name, column in self.numbers.items()},
            {name: column[kept] for name, column in self.words.items()},
            self.texts,
        )


BOX = ("x_min", "y_min", "x_max", "y_max")


def common(answers: Sequence[Answers]) -> Integers:
    """Ids of the images that all of them have answered for, ascending."""
    shared = answers[0].images
    for other in answers[1:]:
        shared = np.intersect1d(shared, other.images, assume_unique=True)
    return shared


def read(
    study: StudyFile,
    rater: Rater,
    table: str,
    *,
    numbers: Sequence[str] = (),
    words: Sequence[str] = (),
    where: str = "",
    some: Sequence[int] | None = None,
) -> Answers:
    """One rater's rows of an annotation table. where: a further condition on the table `t`.

    some: ids of the images to read about, a few hundred; None for all.
    """
    requests, images, truncated = _requests(study, rater, some)
    names = (*numbers, *words)
    whose: tuple[str, object] = ("SELECT id FROM requests WHERE question_id = ?", rater.question)
    if some is not None:
        whose = ("SELECT value FROM json_each(?)", json.dumps(requests.tolist()))
    sql = (
        f"SELECT t.request_id, t.rank{''.join(f', t.{name}' for name in names)} FROM {table} t "
        f"WHERE t.request_id IN ({whose[0]}) {where}"
    )
    coders = {name: _Coder() for name in words}
    kinds: list[_Kind] = [np.int64, np.int64, *(np.float64 for _ in numbers), *coders.values()]
    request, rank, *rest = _columns(study.stream(sql, whose[1:]), kinds)
    at = _places(requests, request)
    kept = np.flatnonzero(at >= 0)  # of an image that was rendered twice the latest answer counts
    kept = kept[np.lexsort((rank[kept], at[kept]))]
    columns = dict(zip(names, rest, strict=True))
    return Answers(
        rater,
        images,
        truncated,
        at[kept],
        rank[kept],
        {name: columns[name][kept] for name in numbers},
        {name: columns[name][kept] for name in words},
        {name: list(coder.texts) for name, coder in coders.items()},
    )


def _requests(
    study: StudyFile, rater: Rater, some: Sequence[int] | None
) -> tuple[Integers, Integers, Bools]:
    """Ids of the requests that count, of each image the latest; their images; whether cut off."""
    given = (rater.question, rater.model_version)
    rows = (
        study.stream(_REQUESTS, given)
        if some is None
        else study.stream(_REQUESTS_OF, (json.dumps(list(some)), *given))
    )
    requests, images, truncated = _columns(rows, (np.int64, np.int64, np.bool_))
    latest = np.append(images[1:] != images[:-1], True)[: len(images)]
    return requests[latest], images[latest], truncated[latest]


class _Coder:
    """Numbers for texts, in the order in which they are met; -1 for none."""

    def __init__(self) -> None:
        self.texts: dict[str, int] = {}

    def __call__(self, values: Sequence[str | None]) -> Integers:
        number = self.texts.setdefault
        return np.array(
            [-1 if v is None else number(v, len(self.texts)) for v in values], dtype=np.int64
        )


_Kind: TypeAlias = type[np.generic] | Callable[[Sequence[Any]], Integers]


def _columns(rows: Iterable[tuple[Any, ...]], kinds: Sequence[_Kind]) -> list[Any]:
    """Rows as arrays, one a column, a block at a time; an empty number is nan."""
    source = iter(rows)
    parts: list[list[Any]] = [
        [np.zeros(0, kind if isinstance(kind, type) else np.int64)] for kind in kinds
    ]
    while block := list(islice(source, BLOCK)):
        for part, kind, column in zip(parts, kinds, zip(*block, strict=True), strict=True):
            part.append(np.array(column, dtype=kind) if isinstance(kind, type) else kind(column))
    return [np.concatenate(part) for part in parts]


def _places(values: Integers, asked: Integers) -> Integers:
    """Where each of `asked` stands in `values`, which are all different; -1 for nowhere."""
    if not len(values):
        return np.full(len(asked), -1, dtype=np.int64)
    order = np.argsort(values)
    place = order[np.minimum(np.searchsorted(values[order], asked), len(values) - 1)]
    return np.where(values[place] == asked, place, -1)


def distinct(answers: Sequence[Answers], name: str) -> list[str]:
    """All texts of a column that any of them has, each once."""
    return list(dict.fromkeys(chain.from_iterable(one.texts[name] for one in answers)))
