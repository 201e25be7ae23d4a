"""Writes `docs/study.md`.

    python -m visionhub.store.page > docs/study.md

Names, types and keys come from a database that was migrated on the spot; meanings and units from
`visionhub.store.tables`.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from visionhub.store.cells import TableMeaning
from visionhub.store.study import StudyFile
from visionhub.store.tables import TABLES, VIEWS

INTRO = """\
# The study file

A study is one SQLite file (`study.db` unless named otherwise). Any tool that reads SQLite reads it:
the `sqlite3` shell, DB Browser, R's RSQLite, pandas' `read_sql`, Datasette. visionhub is its only
writer; read it as you like beside that, but do not change it by hand.

How it hangs together: a file in `paths` holds an image; an image is rendered once for all providers
(`renderings`); a question (`questions`) about a rendering is a request (`requests`); its answer is
kept as it came (`bodies`); what it says is in the annotation tables; and `status` tells, for each
image, provider and task, which answer is current and why there are, or are not, rows. What was
spent is in the ledger: an attempt (`attempts`) holds its highest cost before it is sent, request by
request (`charges`), and the account (`accounts`) keeps the sums under the cap. Start from the
views: they join all this.

- A score keeps its native value, and `scale` says how to read it. Scores on different scales, or of
  different providers, are not comparable numbers.
- No row is not "no". Read `v_status` beside every table: `observed` with no row means that the
  provider looked and found none; `below_floor` and scores under `questions.floor` are censored.
  A local detector has two thresholds: it keeps candidates down to a lower one than the floor in its
  raw answer. No candidate is `observed` with no row; candidates under the floor, `below_floor`.
- Boxes and points are ratios of the upright picture that was sent: multiply by `images.width` and
  `images.height` for pixels, origin at the top left.
- Face attributes are guesses from appearance, and embeddings are biometric data: both exist only
  where they were asked for by name.

This page is generated: `make docs`.
"""

EXAMPLES = {
    "What is most often seen, and by whom": (
        "SELECT provider, name, count(*) AS images, round(avg(score), 3) AS mean_score, scale\n"
        "FROM v_labels WHERE rank = 1 GROUP BY provider, scale, name ORDER BY images DESC LIMIT 10"
    ),
    "Photographs with at least two people, by one provider's objects": (
        "SELECT path, count(*) AS people FROM v_objects\n"
        "WHERE name = 'person' AND score >= 0.5 GROUP BY provider, image HAVING count(*) >= 2"
    ),
    "Faces per photograph, zeros included, unanswered ones left out": (
        "-- 0 means: no face at or above questions.floor (below_floor: only weaker candidates)\n"
        "SELECT s.path, s.provider, count(f.rank) AS faces, s.status FROM v_status s\n"
        "LEFT JOIN v_faces f ON f.image = s.image AND f.provider = s.provider\n"
        "WHERE s.task = 'faces' AND s.status IN ('observed', 'truncated', 'below_floor')\n"
        "GROUP BY s.image, s.provider"
    ),
    "Coverage: how each request ended": (
        "SELECT provider, task, status, count(*) AS images FROM v_status\n"
        "GROUP BY provider, task, status ORDER BY provider, task, images DESC"
    ),
    "Boxes in pixels": (
        "SELECT o.path, o.name, round(o.x_min * i.width) AS left_px, "
        "round(o.y_min * i.height) AS top_px,\n"
        "  round((o.x_max - o.x_min) * i.width) AS width_px, "
        "round((o.y_max - o.y_min) * i.height) AS height_px\n"
        "FROM v_objects o JOIN images i ON i.sha256 = o.image"
    ),
    "One image under several names": (
        "SELECT i.sha256, count(*) AS files, group_concat(p.path, ' | ') AS paths\n"
        "FROM images i JOIN paths p ON p.image_id = i.id GROUP BY i.id HAVING count(*) > 1"
    ),
    "Photographs that cannot be read, and why": (
        "SELECT p.path, coalesce(i.problem, p.problem) AS problem, i.problem_detail\n"
        "FROM paths p LEFT JOIN images i ON i.id = p.image_id\n"
        "WHERE i.problem IS NOT NULL OR p.problem IS NOT NULL"
    ),
    "What was spent, and on what": (
        "SELECT provider, task, state, count(*) AS requests, sum(units) AS units,\n"
        "  sum(charge) / 1000000.0 AS spent, currency FROM v_ledger WHERE NOT rehearsal\n"
        "GROUP BY provider, task, state, currency ORDER BY spent DESC"
    ),
    "Where and when": (
        "SELECT path, taken_at, utc_offset, latitude, longitude FROM images i\n"
        "JOIN paths p ON p.image_id = i.id WHERE latitude IS NOT NULL ORDER BY taken_at"
    ),
}
"""Questions with the SELECT that answers them; a test runs each."""


BEHIND = {"v_ledger": ("runs", "owners", "attempts", "charges")}
"""Views of another name than their table's."""
INTEGERS = ("run", "attempt")  # ids that a view gives under a shorter name


def study_page() -> str:
    """The text of docs/study.md, made from a freshly migrated study."""
    with (
        tempfile.TemporaryDirectory() as folder,
        StudyFile(Path(folder) / "study.db", write=True) as study,
    ):
        tables = [line for name in TABLES for line in _table(study, name, TABLES[name])]
        views = [line for name in VIEWS for line in _view(study, name, VIEWS[name])]
    lines = [INTRO, "## Questions to begin with", ""]
    for title, sql in EXAMPLES.items():
        lines += [f"{title}:", "", "```sql", f"{sql};", "```", ""]
    lines += ["## Views", "", *views, "## Tables", "", *tables]
    lines.append("`_sqlite_migrations` is sqlite-utils' note of the migrations that were applied.")
    return "\n".join(lines) + "\n"


def _table(study: StudyFile, name: str, meaning: TableMeaning) -> Iterator[str]:
    keys = {row[3]: f"{row[2]}.{row[4]}" for row in _pragma(study, "foreign_key_list", name)}
    yield from (f"### {name}", "", meaning.text, "", "| column | type | meaning | unit |")
    yield "|---|---|---|---|"
    primary = {}
    for _, column, kind, required, _, place in _pragma(study, "table_info", name):
        if place:
            primary[place] = column
        type_ = f"{kind}, required" if required else kind
        yield _row(column, type_, meaning, f" → `{keys[column]}`" if column in keys else "")
    yield ""
    yield f"Primary key: {', '.join(f'`{primary[place]}`' for place in sorted(primary))}."
    yield from _unique(study, name)
    yield ""


def _unique(study: StudyFile, name: str) -> Iterator[str]:
    """A sentence for each index: what is unique, and what is quick to look up, of which rows."""
    for _, index, unique, origin, _ in sorted(_pragma(study, "index_list", name)):
        if origin == "pk":
            continue
        columns = ", ".join(f"`{row[2]}`" for row in _pragma(study, "index_info", index))
        ((text,),) = study.query("SELECT sql FROM sqlite_master WHERE name = ?", (index,)).rows
        rows = (text or "").partition(" WHERE ")[2]
        where = f" where `{rows}`" if rows else ""
        yield f"{'Unique' if unique else 'Indexed'}: {columns}{where}."


def _view(study: StudyFile, name: str, meaning: TableMeaning) -> Iterator[str]:
    yield from (f"### {name}", "", meaning.text, "", "| column | type | meaning | unit |")
    yield "|---|---|---|---|"
    # SQLite versions differ in the type that they tell for a view's expressions: take the table's.
    tables = BEHIND.get(name, (name.removeprefix("v_"),))
    types = {row[1]: row[2] for table in tables for row in _pragma(study, "table_info", table)}
    for _, column, *_ in _pragma(study, "table_info", name):
        fallback = "INTEGER" if column in INTEGERS else "TEXT"
        yield _row(column, types.get(column, fallback), meaning, "")
    yield ""


def _row(column: str, kind: str, meaning: TableMeaning, key: str) -> str:
    text, unit = meaning.columns[column]
    return f"| `{column}`{key} | {kind} | {text} | {unit} |"


def _pragma(study: StudyFile, pragma: str, name: str) -> list[tuple[str, ...]]:
    return study.query(f"PRAGMA {pragma}({name})").rows


if __name__ == "__main__":
    sys.stdout.write(study_page())
