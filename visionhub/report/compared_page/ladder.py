"""Measures of everything, as small forest plots: level by level, and with each rater left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from visionhub.analysis.compare import Part
from visionhub.analysis.measured import Measured
from visionhub.report.card import safe
from visionhub.report.compared_page.choice import choice
from visionhub.report.compared_page.forest import PAIR, Forest, Line
from visionhub.report.compared_page.listing import listing
from visionhub.report.compared_page.roster import Roster
from visionhub.report.compared_page.values import Reasons, line
from visionhub.report.compared_page.wording import LEVELS, name_of

LEAST = 3  # raters, of which one can be left out
WITHOUT, CONSENSUS, GOLD = "_without:", "consensus_", "coco_"
CLIMBING = (
    "jaccard", "jaccard_comparable", "alpha_jaccard", "alpha_jaccard_comparable", "masi",
    "masi_comparable", "rbo", "same_name",
)  # fmt: skip
Group = tuple[str, Sequence[tuple[str, Measured]]]  # a title, and labels with rows; HTML both


def plotted(title: str, name: str, text: str, groups: Sequence[Group]) -> str:
    """A section with one drawing a row. name: of its choice, once a page; text: a sentence."""
    every = [row for _, rows in groups for _, row in rows]
    if not every:
        return ""
    plot, reasons = Forest(every), Reasons()
    body = "".join(_rows(text_, rows, plot, reasons) for text_, rows in groups)
    table = (
        f'<table class="forest ladder"><thead><tr><td></td><td></td>{plot.heads()}</tr></thead>'
        f"{body}</table>"
    )
    return (
        f'<section class="pick"><h3>{title}</h3><p>{text}</p>'
        f"{choice(name, 'Measure', plot.names)}{plot.meanings()}"
        f'<div class="wide">{table}</div>{reasons.html()}</section>'
    )


def _rows(title: str, rows: Iterable[tuple[str, Measured]], plot: Forest, reasons: Reasons) -> str:
    lines: dict[str, Line] = {}
    for label, row in rows:
        lines.setdefault(label, Line(label)).measured[plot.key(row)] = row
    first = f'<th scope="rowgroup" rowspan="{len(lines)}">{title}</th>'
    body = "".join(
        f'<tr>{first if not at else ""}<th scope="row">{one.name}</th>'
        f"{plot.cells(one, reasons)}</tr>"
        for at, one in enumerate(lines.values())
    )
    return f"<tbody>{body}</tbody>"


def levels(part: Part, roster: Roster) -> str:
    """Each pair at every level of the vocabulary, below one another."""
    rows = [row for row in part.rows if row.measure in CLIMBING and row.level and not row.thing]
    pairs = dict.fromkeys(row.raters for row in rows if len(row.raters) == PAIR)
    groups = [
        (roster.pair(pair), [(_level(row), row) for row in rows if row.raters == pair])
        for pair in pairs
    ]
    text = (
        "Services do not share words. Read each pair from top to bottom: what is left of its "
        "disagreement when the same things count as the same, and when only your constructs count."
    )
    return plotted("From words to things", f"l-{part.task}", text, groups)


def _level(row: Measured) -> str:
    return safe(LEVELS.get(row.level, row.level))


def left_out(part: Part, roster: Roster) -> str:
    """Agreement of all raters, and without each of them, of everything."""
    rows = [row for row in part.rows if len(row.raters) >= LEAST and not row.thing and row.level]
    groups = [
        (_level(some[0]), [_named(row, roster) for row in some])
        for level in dict.fromkeys(row.level for row in rows)
        if (some := [row for row in rows if row.level == level])
    ]
    text = (
        "If agreement rises when a rater is left out, that rater is the odd one out; it says "
        "nothing about who is right."
    )
    return plotted("Without each rater in turn", f"o-{part.task}", text, groups)


def _named(row: Measured, roster: Roster) -> tuple[str, Measured]:
    measure, _, who = row.measure.partition(WITHOUT)
    label = f"without {roster.tag(who)}" if who else "all"
    return label, replace(row, measure=measure)


def left_out_one_by_one(part: Part, roster: Roster) -> str:
    """The same for each label: a table, for there are many."""
    rows = [row for row in part.rows if len(row.raters) >= LEAST and row.thing]
    if not rows:
        return ""
    columns = dict.fromkeys(_named(row, roster)[0] for row in rows)
    measures = list(dict.fromkeys(_named(row, roster)[1].measure for row in rows))
    cells = {(row.thing, *_column(row, roster)): row for row in rows}
    things = list(dict.fromkeys(row.thing for row in rows))
    reasons = Reasons()
    head = "".join(f'<th scope="col">{text}</th>' for text in columns)
    body = "".join(
        f'<tr><th scope="row">{safe(thing)}</th>'
        + "".join(f"<td>{_each(cells, thing, text, measures, reasons)}</td>" for text in columns)
        + "</tr>"
        for thing in things
    )
    table = (
        '<table><thead><tr><th scope="col" data-sort="text">label</th>'
        f"{head}</tr></thead><tbody>{body}</tbody></table>"
    )
    return (
        '<details class="pick"><summary>Label by label, without each rater in turn '
        f"<small>({len(things):,})</small></summary>"
        f"{choice(f'w-{part.task}', 'Measure', list(map(name_of, measures)))}"
        f"{listing(table, len(things), 'label')}{reasons.html()}</details>"
    )


def _column(row: Measured, roster: Roster) -> tuple[str, str]:
    label, named = _named(row, roster)
    return label, named.measure


def _each(
    cells: dict[tuple[str, str, str], Measured],
    thing: str,
    column: str,
    measures: Sequence[str],
    reasons: Reasons,
) -> str:
    return "".join(
        f'<span class="v v{at}">{line(cells.get((thing, column, measure)), reasons)}</span>'
        for at, measure in enumerate(measures)
    )


def departures(part: Part, roster: Roster) -> str:
    """How far each rater's boxes are from what the others see, and alpha of all."""
    rows = [row for row in part.rows if row.measure.startswith(CONSENSUS)]
    several = len({row.raters for row in rows}) >= LEAST
    others = "what the others see together" if several else "what both see"
    text = f"Each rater\u2019s boxes beside {others} (boxes fused, whatever they are called)."
    alphas = [row for row in part.rows if row.measure == "box_alpha" and len(row.raters) >= LEAST]
    more = "".join(f" Alpha of the boxes of all: {line(row)}." for row in alphas)
    groups: Iterator[Group] = iter([("", [(roster.tag(row.raters[0]), row) for row in rows])])
    return plotted("Who departs from the others", f"d-{part.task}", text + more, list(groups))


def against_gold(part: Part, roster: Roster) -> str:
    """COCO's figures of each rater with scores against the coder who is taken as true."""
    rows = [row for row in part.rows if row.measure.startswith(GOLD) and not row.thing]
    groups = [
        (roster.pair(pair), [(_level(row), row) for row in rows if row.raters == pair])
        for pair in dict.fromkeys(row.raters for row in rows)
    ]
    text = "Average precision of the second, with the codes of the first taken as true (COCO)."
    return plotted("Against gold", f"g-{part.task}", text, groups)
