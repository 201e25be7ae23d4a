"""Labels, classes, attributes and categories one by one, for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from visionhub.analysis.compare import Part
from visionhub.analysis.measured import Measured
from visionhub.analysis.methods import title_of
from visionhub.report.compared import number
from visionhub.report.terminal import Section

PAIR = 2
SHOWN, FEW = 8, 5  # labels and classes of a table, and of one of several
WITHOUT = "_without:"
CLASSES = (("F1", "f1", 0.5), ("mean IoU", "mean_iou", 0.5), ("as many", "count_equal", None))
# Of attributes, categories and ratings: what is shown of each, in this order.
SHORT = (
    "agreement", "percent_agreement", "cohen_kappa", "spearman", "weighted_kappa_quadratic",
    "weighted_kappa_after_monotone_fit", "sign_of_b", "mean_absolute_difference_degrees",
    "ranges_overlap", "mean_absolute_difference_years", "mean_difference_years", "mean_difference",
    "icc_agreement", "alpha_ordinal",
)  # fmt: skip
COVERED = {"icc_agreement": ("sign_of_b", "ranges_overlap"), "alpha_ordinal": ("spearman",)}


class Told(Protocol):
    """See `compared_terminal.Reasons`."""

    def cell(self, row: Measured | None) -> str:
        """A value."""

    def notes(self) -> tuple[str, ...]:
        """What its letters stand for."""


def things_tables(part: Part, told: Callable[[], Told]) -> Iterator[Section]:
    """Labels or classes of each pair, the most frequent first, at the last level that there is."""
    rows = [row for row in part.rows if row.thing and len(row.raters) == PAIR]
    levels = list(dict.fromkeys(row.level for row in rows))
    pairs = dict.fromkeys(row.raters for row in rows)
    shown = SHOWN if len(pairs) == 1 else FEW
    for raters in pairs:
        mine = [row for row in rows if row.raters == raters and row.level == levels[-1]]
        table = _labels if part.task == "labels" else _classes
        if mine:
            yield table(part, raters, levels[-1], mine, told(), shown)


def _labels(
    part: Part,
    raters: tuple[str, ...],
    level: str,
    rows: Sequence[Measured],
    reasons: Told,
    shown: int,
) -> Section:
    """How often each says a label, and how far they agree on it."""
    counts = {
        row["thing"]: row
        for row in part.tables["cells"]
        if (row["a"], row["b"], row["level"]) == (*raters, level)
    }
    cells = {(row.thing, row.measure): row for row in rows}
    things = list(dict.fromkeys(row.thing for row in rows))
    lines = [
        [thing, *_counted(counts[thing]),
         *(reasons.cell(cells.get((thing, name))) for name in ("cohen_kappa", "gwet_ac1"))]
        for thing in things[:shown]
    ]  # fmt: skip
    names = " ~ ".join(f"{name} ({letter})" for name, letter in zip(raters, "AB", strict=True))
    cut = sum(counts[thing]["unknown"] for thing in things)
    open_ = "cut: a list ended before it could be there." if cut else ""
    columns = ("images with", "A", "B", "both", "cut", "kappa", "AC1")
    notes = (*_lines(f"{_more(things, shown)} {open_}"), *reasons.notes())
    return Section(f"{names}, {level}", columns, lines, notes, columns[1:])


def _counted(row: dict[str, Any]) -> list[str]:
    first, second = row["both"] + row["only_a"], row["both"] + row["only_b"]
    return [f"{many:,}" for many in (first, second, row["both"], row["unknown"])]


def _classes(
    part: Part,
    raters: tuple[str, ...],
    level: str,
    rows: Sequence[Measured],
    reasons: Told,
    shown: int,
) -> Section:
    cells = {(row.thing, row.measure, row.at): row for row in rows}
    things = list(dict.fromkeys(row.thing for row in rows))
    lines = [
        [thing, *(reasons.cell(cells.get((thing, name, at))) for _, name, at in CLASSES)]
        for thing in things[:shown]
    ]
    columns = tuple(title for title, _, _ in CLASSES)
    notes = (*_lines(_more(things, shown)), *reasons.notes())
    title = f"{' ~ '.join(raters)}, {level} (IoU 0.5)"
    return Section(title, ("class", *columns), lines, notes, columns)


def _more(things: Sequence[str], shown: int) -> str:
    left = len(things) - shown
    return f"{left:,} more are in the other forms." if left > 0 else ""


def _lines(text: str) -> tuple[str, ...]:
    return (text.strip(),) if text.strip() else ()


def reliability_table(part: Part, told: Callable[[], Told]) -> Iterator[Section]:
    """All raters of each label, and without whom they would agree most."""
    rows = [row for row in part.rows if row.thing and len(row.raters) > PAIR]
    things = list(dict.fromkeys(row.thing for row in rows))
    if not things:
        return
    reasons, lines = told(), []
    for thing in things[:SHOWN]:
        mine = {row.measure: row for row in rows if row.thing == thing}
        lines.append(
            [
                thing,
                str(len(mine["alpha_nominal"].raters)),
                reasons.cell(mine["alpha_nominal"]),
                *_best_without(list(mine.values())),
            ]
        )
    columns = ("label", "raters", "alpha", "best", "without")
    note = f"{_more(things, SHOWN)} best: the alpha of the others without one of them."
    title = f"All raters who have a word for it, {rows[0].level}"
    yield Section(title, columns, lines, (note.strip(), *reasons.notes()), columns[1:4])


def _best_without(rows: Sequence[Measured]) -> tuple[str, str]:
    """The highest alpha without one rater, and who that is."""
    start = f"alpha_nominal{WITHOUT}"
    found = [
        (row.estimate.value, row.measure.removeprefix(start))
        for row in rows
        if row.measure.startswith(start) and row.estimate.value is not None
    ]
    value, name = max(found, default=(None, ""))
    return number(value), name


def long_table(part: Part, told: Callable[[], Told]) -> Iterator[Section]:
    """Attributes, categories and ratings: measures of each below one another."""
    rows = [row for row in part.rows if row.thing]
    for raters in dict.fromkeys(row.raters for row in rows):
        mine = [row for row in rows if row.raters == raters]
        reasons, lines, left = told(), [], 0
        for thing in dict.fromkeys(row.thing for row in mine):
            of_thing = [row for row in mine if row.thing == thing]
            some = _chosen(of_thing)
            left += len(of_thing) - len(some)
            lines += [
                [
                    thing if not at else "",
                    title_of(row.measure),
                    reasons.cell(row),
                    f"{row.estimate.n:,}",
                ]
                for at, row in enumerate(some)
            ]
        columns = ("", "measure", "value", "n")
        more = (f"{left:,} more measures of these are in the other forms.",) if left else ()
        yield Section(" ~ ".join(raters), columns, lines, (*more, *reasons.notes()), columns[2:])


def _chosen(rows: Sequence[Measured]) -> list[Measured]:
    """What is shown of one thing."""
    by_name = {row.measure: row for row in rows}
    names = [name for name in SHORT if name in by_name]
    names = [n for n in names if not any(other in by_name for other in COVERED.get(n, ()))]
    return [by_name[name] for name in names] or list(rows)
