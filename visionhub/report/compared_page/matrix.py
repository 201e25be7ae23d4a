"""The agreement matrix of a task: raters by raters, one measure at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from visionhub.analysis.compare import Part
from visionhub.analysis.measured import Measured
from visionhub.report.card import safe
from visionhub.report.compared_page.choice import MOST, choice
from visionhub.report.compared_page.roster import Roster
from visionhub.report.compared_page.values import Reasons, cell
from visionhub.report.compared_page.wording import (
    ACROSS,
    LESS,
    MEANING,
    MIRROR,
    facet,
    name_of,
    ordered,
)

PAIR = 2
STEPS = 10  # of shade
WHOLE = ("safe_search",)  # tasks without a measure of everything: each of their things has a matrix
Cells = Mapping[tuple[str, str], Measured]


def matrix(part: Part, roster: Roster) -> str:
    """The whole section; empty where no measure is of a pair of raters."""
    rows = [row for row in part.rows if _belongs(row, part.task)]
    measures = [one for one in ordered(row.measure for row in rows) if one not in MIRROR.values()]
    if not measures:
        return ""
    measures = measures[:MOST]
    panels = "".join(
        f'<div class="v v{at}">{_panel(rows, measure, roster)}</div>'
        for at, measure in enumerate(measures)
    )
    names = [ACROSS[one][0] if one in ACROSS else name_of(one) for one in measures]
    return (
        f'<section class="pick"><h3>Who agrees with whom</h3>'
        f"{choice(f'm-{part.task}', 'Measure', names)}{panels}</section>"
    )


def _belongs(row: Measured, task: str) -> bool:
    pair = len(row.raters) == PAIR and not row.measure.startswith("coco_")
    return pair and (not row.thing or task in WHOLE)


def _panel(rows: Sequence[Measured], measure: str, roster: Roster) -> str:
    mirror = MIRROR.get(measure, "")
    facets: dict[str, dict[tuple[str, str], Measured]] = {}
    for row in rows:
        a, b = row.raters
        if row.measure == measure:
            facets.setdefault(facet(row), {})[a, b] = row
        elif row.measure == mirror:
            facets.setdefault(facet(row), {})[b, a] = row
    reasons = Reasons()
    shaded = all(abs(row.estimate.value or 0) <= 1 for row in rows if row.measure == measure)
    tables = "".join(
        _table(text, cells, roster, reasons, shaded=shaded) for text, cells in facets.items()
    )
    meaning = ACROSS[measure][1] if measure in ACROSS else MEANING.get(measure, "")
    return f'<p>{safe(meaning)}</p><div class="facets">{tables}</div>{reasons.html()}'


def _table(caption: str, cells: Cells, roster: Roster, reasons: Reasons, *, shaded: bool) -> str:
    """One matrix: its upper half where both sides say the same, else all of it."""
    there = {name for pair in cells for name in pair}
    names = [name for name in roster.names if name in there]
    both = any((b, a) in cells for a, b in cells)
    down, across = (names, names) if both else (names[:-1], names[1:])
    head = "".join(f'<th scope="col">{roster.tag(name)}</th>' for name in across)
    body = "".join(
        f'<tr><th scope="row">{roster.tag(a)}</th>'
        + "".join(
            cell_of(_of(cells, a, b, names, both=both), reasons, shaded=shaded) for b in across
        )
        + "</tr>"
        for a in down
    )
    title = f"<caption>{safe(caption)}</caption>" if caption else ""
    return (
        f'<div class="wide"><table class="matrix">{title}<thead><tr><td class="corner"></td>{head}'
        f"</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _of(cells: Cells, a: str, b: str, names: Sequence[str], *, both: bool) -> Measured | None:
    """Where both sides say the same, the cell above the diagonal, whoever was named first."""
    if both:
        return cells.get((a, b))
    return (cells.get((a, b)) or cells.get((b, a))) if names.index(a) < names.index(b) else None


def cell_of(row: Measured | None, reasons: Reasons, *, shaded: bool, empty: str = "") -> str:
    """One cell. shaded: whether its measure has an end, so that darker can mean more."""
    if row is None:
        return f'<td class="blank">{empty}</td>'
    shade = f"q{_shade(row)}" if shaded and row.estimate.value is not None else "q"
    return f'<td class="{shade}">{cell(row, reasons)}</td>'


def _shade(row: Measured) -> int:
    """0 to STEPS: the darker, the more agreement."""
    value = row.estimate.value or 0.0
    agreement = 1 - value if row.measure.startswith(LESS) else value
    return round(STEPS * min(max(agreement, 0.0), 1.0))
