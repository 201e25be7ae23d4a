"""Forest plots that are tables: a row a label, its intervals drawn and its numbers beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from visionhub.analysis.compare import Part
from visionhub.analysis.measured import Measured
from visionhub.report.card import safe
from visionhub.report.compared_page.axis import Axis, drawing, grid, heading, mark
from visionhub.report.compared_page.choice import MOST, choice
from visionhub.report.compared_page.listing import listing
from visionhub.report.compared_page.roster import Roster
from visionhub.report.compared_page.values import Reasons, counted_units, line
from visionhub.report.compared_page.wording import LEVELS, MEANING, at_words, name_of, ordered

PAIR = 2
TITLES = {
    "labels": ("Label by label", "label"),
    "objects": ("Class by class", "class"),
    "faces": ("Attribute by attribute", "attribute"),
    "safe_search": ("Category by category", "category"),
    "ratings": ("Rating by rating", "rating"),
    "text": ("Whether there is text at all", "what is seen"),
}
COUNTS = ("both", "only_a", "only_b", "neither", "unknown")
Key: TypeAlias = tuple[str, float | None]  # a measure, and where it holds if it is there often


@dataclass
class Line:
    """One row: what it is about, its measures, and the counts that belong to it."""

    name: str
    measured: dict[Key, Measured] = field(default_factory=dict)
    counts: Mapping[str, Any] = field(default_factory=dict)


class Forest:
    """The measures that can be chosen in a section, and its rows as drawings and cells."""

    def __init__(self, rows: Sequence[Measured]) -> None:
        places: dict[str, set[float | None]] = {}
        for row in rows:
            places.setdefault(row.measure, set()).add(row.at)
        self._several = {measure for measure, found in places.items() if len(found) > 1}
        by_key: dict[Key, list[Measured]] = {}
        for row in rows:
            by_key.setdefault(self.key(row), []).append(row)
        order = {measure: at for at, measure in enumerate(ordered(places))}
        known = [key for key in by_key if key[0] in order]
        self.keys = sorted(known, key=lambda key: (order[key[0]], key[1] or 0))[:MOST]
        self.names = [self._name(by_key[key][0]) for key in self.keys]
        self._axes = {key: Axis.of(by_key[key]) for key in self.keys}

    def key(self, row: Measured) -> Key:
        """Under which choice a row stands."""
        return row.measure, row.at if row.measure in self._several else None

    def _name(self, row: Measured) -> str:
        where = f", {at_words(row)}" if row.measure in self._several else ""
        return name_of(row.measure) + where

    def meanings(self) -> str:
        """What each choice is."""
        return "".join(
            f'<p class="v v{at}">{safe(MEANING[key[0]])}</p>'
            for at, key in enumerate(self.keys)
            if key[0] in MEANING
        )

    def heads(self) -> str:
        """The head of the drawings, with the axes, and of the cells with the numbers."""
        axes = "".join(
            f'<g class="v v{at}">{heading(self._axes[key])}</g>' for at, key in enumerate(self.keys)
        )
        cells = "".join(
            f'<th scope="col" class="v v{at}" data-sort="number">{safe(name)}</th>'
            for at, name in enumerate(self.names)
        )
        return f'<th class="plot">{drawing(axes, "axis")}</th>{cells}'

    def views(self, *lines: Line) -> str:
        """The class of what has not every measure: it is shown with those that a line of it has."""
        met = {key for one in lines for key in one.measured}
        there = [f"v{at}" for at, key in enumerate(self.keys) if key in met]
        return "" if len(there) == len(self.keys) else f' class="v {" ".join(there)}"'

    def first_of(self, lines: Iterable[Line]) -> bool:
        """Whether some of them have the measure that is seen first."""
        return any(self.keys[0] in one.measured for one in lines)

    def cells(self, one: Line, reasons: Reasons) -> str:
        """One row's drawing, and its numbers. reasons: those told below."""
        found = [(at, key, one.measured.get(key)) for at, key in enumerate(self.keys)]
        marks = "".join(
            f'<g class="v v{at}">{grid(self._axes[key])}{mark(row, self._axes[key])}</g>'
            for at, key, row in found
            if row is not None
        )
        numbers = "".join(
            f'<td class="v v{at}"{_sorted_by(row)}>{line(row, reasons)}</td>'
            for at, _, row in found
        )
        return f'<td class="plot">{drawing(marks, "row")}</td>{numbers}'


def _sorted_by(row: Measured | None) -> str:
    value = None if row is None else row.estimate.value
    return "" if value is None else f' data-v="{value:.4g}"'


def forest(part: Part, roster: Roster) -> str:
    """The whole section of a task: a table for each pair and level; empty without things."""
    rows = [row for row in part.rows if row.thing and len(row.raters) == PAIR]
    if not rows:
        return ""
    plot = Forest(rows)
    counts = {(c["a"], c["b"], c["level"], c["thing"]): c for c in part.tables.get("cells", ())}
    groups: dict[tuple[tuple[str, ...], str], dict[str, Line]] = {}
    for row in rows:
        lines = groups.setdefault((row.raters, row.level), {})
        found = lines.setdefault(row.thing, Line(row.thing))
        found.measured[plot.key(row)] = row
        a, b = row.raters
        found.counts = counts.get((a, b, row.level, row.thing), {})
    title, noun = TITLES.get(part.task, ("One by one", "row"))
    opened = next((key for key, lines in groups.items() if plot.first_of(lines.values())), None)
    tables = "".join(
        _group(*key, list(lines.values()), plot, roster, noun, first=key == opened)
        for key, lines in groups.items()
    )
    return (
        f'<section class="pick"><h3>{title}</h3>'
        f"{choice(f'f-{part.task}', 'Measure', plot.names)}{plot.meanings()}{LEGEND}{tables}"
        "</section>"
    )


LEGEND = (
    '<p class="legend"><svg viewBox="0 0 60 20" width="60" height="20" aria-hidden="true">'
    '<path class="open" d="M4 10H56M4 5V15M56 5V15"/><path class="span" d="M16 10H44"/>'
    '<circle class="dot" cx="30" cy="10" r="4"/></svg> Dot: the value. Thick line: its interval. '
    "Thin line: from the worst to the best that censored scores leave open; without one, nothing "
    "is open.</p>"
)


def _group(
    raters: tuple[str, ...],
    level: str,
    lines: Sequence[Line],
    plot: Forest,
    roster: Roster,
    noun: str,
    *,
    first: bool,
) -> str:
    counted = any(one.counts for one in lines)
    reasons = Reasons()
    extra = _count_heads(raters, roster) if counted else '<th scope="col">n</th>'
    body = "".join(
        f'<tr{plot.views(one)}><th scope="row">{safe(one.name)}</th>{plot.cells(one, reasons)}'
        f"{_counts(one) if counted else _units(one)}</tr>"
        for one in lines
    )
    head = f'<th scope="col" data-sort="text">{noun}</th>{plot.heads()}{extra}'
    table = f'<table class="forest"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    where = f", {LEVELS.get(level, level)}" if level else ""
    return (
        f"<details{plot.views(*lines)}{' open' if first else ''}>"
        f"<summary>{roster.pair(raters)}{safe(where)} "
        f"<small>({len(lines):,})</small></summary>{listing(table, len(lines), noun)}"
        f"{reasons.html()}</details>"
    )


def _count_heads(raters: Sequence[str], roster: Roster) -> str:
    a, b = map(roster.letter, raters)
    names = (
        "both",
        f"only {a}",
        f"only {b}",
        "neither",
        "open",
        f"prevalence {a}",
        f"prevalence {b}",
    )
    return "".join(f'<th scope="col" class="num" data-sort="number">{n}</th>' for n in names)


def _counts(one: Line) -> str:
    if not one.counts:
        return "<td></td>" * (len(COUNTS) + 2)
    numbers = [(one.counts[name], f"{one.counts[name]:,}") for name in COUNTS]
    shares = [one.counts["prevalence_a"], one.counts["prevalence_b"]]
    numbers += [(share, f"{100 * share:.1f} %") for share in shares]
    return "".join(f'<td class="num" data-v="{value:.6g}">{text}</td>' for value, text in numbers)


def _units(one: Line) -> str:
    row = next(iter(one.measured.values()))
    return f"<td><small>{counted_units(row.estimate)}</small></td>"
