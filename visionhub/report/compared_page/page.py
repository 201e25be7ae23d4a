"""`visionhub compare --html`: the whole comparison on one page that loads nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from visionhub.analysis.compare import Comparison, Part
from visionhub.errors import UsageError
from visionhub.report.card import safe
from visionhub.report.compared_page.choice import rules
from visionhub.report.compared_page.crosswalk import crosswalk
from visionhub.report.compared_page.forest import forest
from visionhub.report.compared_page.gallery import Gallery, PageCounts
from visionhub.report.compared_page.head import header
from visionhub.report.compared_page.ladder import (
    against_gold,
    departures,
    left_out,
    left_out_one_by_one,
    levels,
)
from visionhub.report.compared_page.matrix import matrix
from visionhub.report.compared_page.ranking import Ranking
from visionhub.report.compared_page.roster import Roster
from visionhub.report.compared_page.sweep import sweeps
from visionhub.report.compared_page.tools import gallery_head
from visionhub.report.compared_page.wording import TITLES
from visionhub.report.document import asset, head
from visionhub.report.files import whole
from visionhub.report.plain import plain
from visionhub.store.study import StudyFile

ENDINGS = (".html", ".htm")
MOST_RATERS = 16  # of whom a word is marked by who has it: three bits each, in a script's number
TOO_MANY = (
    f"Photographs are left out: there are more than {MOST_RATERS} raters. Compare fewer, with "
    "<code>--rater</code>, to see them."
)


def check_name(out: Path) -> None:
    """Raise UsageError where a page cannot have this name."""
    if out.suffix.lower() not in ENDINGS:
        raise UsageError(f"--html {str(out)!r}: end it in .html.")


def compared_page(
    found: Comparison, study: StudyFile, out: Path, *, gallery: int = 200, show_faces: bool = False
) -> PageCounts:
    """Write one self-contained page of a comparison, with at most `gallery` photographs, to `out`.

    With more than MOST_RATERS raters there are none: nobody could tell their boxes apart. Memory
    is bounded by the comparison and one batch of photographs. Raises UsageError when `out`
    cannot be written or has another ending than .html.
    """
    check_name(out)
    roster = Roster.of(found)
    ranking = Ranking.of_most(found, 0 if _too_many(roster) else gallery)
    shown = Gallery(study, found, roster, ranking, show_faces)
    with whole(out) as file:
        for text in _page(found, roster, shown):
            file.write(text.encode())
    return shown.counts


def _too_many(roster: Roster) -> bool:
    return len(roster.names) > MOST_RATERS


def _page(found: Comparison, roster: Roster, shown: Gallery) -> Iterator[str]:
    style, script = asset("page.css") + asset("compared_page/compared.css") + rules(), _script()
    yield head(f"Comparison: {plain(found.study)}", style, [script])
    any_photographs = bool(shown.counts.photographs)
    yield header(found, roster, gallery=any_photographs)
    yield '<main id="main" tabindex="-1">\n'
    for part in found.parts:
        yield _task(part, roster)
    if any_photographs:
        yield gallery_head(found, roster, shown.ranking, show_faces=shown.show_faces)
    if _too_many(roster):
        yield f"<p>{TOO_MANY}</p>"
    yield f"<script>{script}</script>\n"
    if any_photographs:
        yield from shown.html()
        yield "</section>\n"
    yield (
        "</main>\n<footer><p>This page is one file. It loads nothing from any network and sends "
        "nothing. Its pictures are small copies without metadata. All numbers are also in "
        "<code>--csv</code>, <code>--parquet</code> and <code>--json</code>.</p></footer>\n"
        "</body>\n</html>\n"
    )


def _script() -> str:
    return asset("compared_page/compared.js") + asset("compared_page/gallery.js")


def _task(part: Part, roster: Roster) -> str:
    """Everything about one task."""
    sections = (
        levels(part, roster),
        matrix(part, roster),
        forest(part, roster),
        sweeps(part, roster),
        crosswalk(part, roster),
        against_gold(part, roster),
        departures(part, roster),
        left_out(part, roster),
        left_out_one_by_one(part, roster),
    )
    title = TITLES.get(part.task, part.task)
    return (
        f'<section class="task" id="{safe(part.task)}"><h2>{safe(title)}</h2>'
        f"{''.join(sections)}</section>\n"
    )
