"""Tables of results as CSV or Parquet, one file a table, with a codebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

from visionhub.analysis.part import Apart
from visionhub.errors import UsageError
from visionhub.report.codebook import codebook_text
from visionhub.report.files import folder, spare, whole
from visionhub.report.formats import WRITERS
from visionhub.report.tidy import Column, TidyTable
from visionhub.store.cells import Meaning
from visionhub.store.study import StudyFile

Rows: TypeAlias = Sequence[Mapping[str, Any]]

REAL, INTEGER = "real", "integer"
INTRO = """\
# Codebook

One file a table. `measures` is what was found, one row a measure; the other tables are what it
comes from.

- `value` is empty where a measure cannot be estimated, and `low` and `high` where it has no
  interval; `reason` then says why. No empty cell is a 0.
- `low` and `high` are the interval at the level `confidence`, made as `method` says, from `n` units
  of `clusters` sources. `lowest` and `highest` are no interval: they are what the value could be
  whatever the censored scores are.
- `a` and `b` are two raters, and some measures have a direction: of the first, against the second.
  Where `b` is empty `a` is one rater, or all of them with + between.
- Measures of several levels are of the same answers: `exact` compares words as they are,
  `crosswalk` what they mean, with what is broader, `codebook` the constructs of the user.
- Scores of different providers are not comparable numbers, and none is compared as if it were.
- A `revision` that begins with `rehearsal` is a stand-in's answer: no finding. One that begins with
  `imported` came from answers that were kept before.
- An empty cell (CSV) or null (Parquet) is a missing value. Labels may be words such as NA or null:
  read CSV with that guess switched off, in pandas with
  `read_csv(…, keep_default_na=False, na_values=[""])`, in R with `na.strings = ""`.
"""


def write_rows(
    tables: Mapping[str, Rows],
    about: Mapping[str, str],
    meanings: Mapping[str, tuple[str, str]],
    out: Path,
    form: str,
    *,
    overwrite: bool = False,
) -> list[Path]:
    """Write every table that has rows into a folder, all of them or, after an error, none.

    about: what each table is; meanings: what each column is, and its unit. form: csv or parquet.
    UsageError when a file is there already and is not to be overwritten; when it is, a table that
    has no rows now is removed, for it would be read as one of these.
    """
    some = {name: rows for name, rows in tables.items() if rows}
    described = [TidyTable(n, about[n], _columns(rows, meanings), "") for n, rows in some.items()]
    targets = [out / f"{name}.{form}" for name in some] + [out / "codebook.md"]
    there = next((path for path in targets if path.exists()), None)
    if there is not None and not overwrite:
        raise UsageError(f"{str(there)!r} exists already: add --overwrite, or name another folder.")
    folder(out)
    writer = WRITERS[form]()
    with ExitStack() as files:
        for table, path in zip(described, targets, strict=False):
            names = [column.name for column in table.columns]
            rows = (tuple(row.get(name) for name in names) for row in some[table.name])
            writer.write(table, rows, files.enter_context(whole(path)))
        files.enter_context(whole(targets[-1])).write(codebook_text(described, INTRO).encode())
    for name in tables.keys() - some.keys():
        old = out / f"{name}.{form}"
        spare(old, f"Cannot remove {str(old)!r}")
        old.unlink(missing_ok=True)
    return targets


def apart_rows(found: Iterable[tuple[str, Apart]], study: StudyFile) -> Iterator[dict[str, Any]]:
    """How far two raters are apart about each image. found: with the task of each."""
    pairs = list(found)
    wanted = {image for _, one in pairs for image in one.images.tolist()}
    names = {
        row[0]: row[1:]
        for row in study.stream(
            "SELECT i.id, i.sha256, (SELECT path FROM paths p WHERE p.image_id = i.id ORDER BY "
            "p.id LIMIT 1) FROM images i"
        )
        if row[0] in wanted
    }
    for task, one in pairs:
        for image, distance in zip(one.images.tolist(), one.distance.tolist(), strict=True):
            sha256, path = names[image]
            yield {
                "task": task,
                "image": sha256,
                "path": path,
                "a": one.raters[0],
                "b": one.raters[1],
                "about": one.about,
                "distance": distance,
            }


def _columns(rows: Rows, meanings: Mapping[str, tuple[str, str]]) -> tuple[Column, ...]:
    names = dict.fromkeys(name for row in rows for name in row)
    return tuple(
        Column(name, name, _kind(row.get(name) for row in rows), Meaning(*meanings[name]))
        for name in names
    )


def _kind(values: Iterable[object]) -> str:
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, bool}:
        return INTEGER if kinds else "text"
    return REAL if kinds <= {int, float} else "text"
