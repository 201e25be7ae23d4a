"""A comparison as plain values and for a terminal; all of it, nothing computed anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from visionhub.analysis.compare import Comparison, Part
from visionhub.analysis.estimate import Estimate
from visionhub.analysis.measured import Measured
from visionhub.report.terminal import Section

SHOWN = 12  # labels, classes and categories on the terminal; all are in the other forms
WORDS = {
    "jaccard": "Jaccard, all labels",
    "jaccard_comparable": "Jaccard, comparable labels",
    "masi": "MASI, all labels",
    "masi_comparable": "MASI, comparable labels",
    "alpha_jaccard": "alpha (Jaccard), all",
    "alpha_masi": "alpha (MASI), all",
    "alpha_jaccard_comparable": "alpha (Jaccard), comparable",
    "alpha_masi_comparable": "alpha (MASI), comparable",
    "shared_of_a": "share of A's labels in B",
    "shared_of_b": "share of B's labels in A",
    "shared_of_a_comparable": "share of A's comparable labels",
    "shared_of_b_comparable": "share of B's comparable labels",
    "rbo": "rank-biased overlap",
    "f1": "F1",
    "mean_iou": "mean IoU",
    "same_name": "same name, of matched boxes",
    "count_icc": "counts: ICC(A,1)",
    "count_equal": "counts: share equal",
    "count_mean_absolute_difference": "counts: mean |difference|",
    "gwet_ac1": "AC1",
    "pabak": "PABAK",
    "cohen_kappa": "kappa",
}
HIDDEN = ("rbo_min", "rbo_residual", "prevalence_index", "bias_index", "percent_agreement")


def as_json(found: Comparison) -> dict[str, Any]:
    """Everything, as plain values."""
    return {
        "study": found.study,
        "rehearsal": found.rehearsal,
        "about": found.about,
        "notes": found.notes,
        "tasks": [
            {
                "task": part.task,
                "about": part.about,
                "raters": [rater_row(part, at) for at in range(len(part.raters))],
                "notes": part.notes,
                "measures": [row.row() for row in part.rows],
                **part.tables,
            }
            for part in found.parts
        ],
    }


def rater_row(part: Part, at: int) -> dict[str, Any]:
    """Who rated, for a reader who wants to know exactly."""
    rater = part.raters[at]
    return {
        "task": part.task,
        "rater": rater.name,
        "provider": rater.provider,
        "revision": rater.revision,
        "model_version": rater.model_version,
        "parameters": rater.parameters,
        "scale": rater.scale,
        "vocabulary": rater.vocabulary,
        "floor": rater.floor,
        "max_results": rater.max_results,
        "images": rater.images,
        "first_answer": rater.first,
        "last_answer": rater.last,
    }


def sections(found: Comparison) -> Iterator[Section]:
    """For a terminal: the measures by task, and what to know about them."""
    title = f"{found.study}: {', '.join(part.task for part in found.parts)}"
    title += " (REHEARSAL: no finding)" if found.rehearsal else ""
    about = found.about
    yield Section(
        title,
        notes=(
            f"{100 * about['confidence']:g} % intervals, {about['draws']:,} draws, seed "
            f"{about['seed']}; sources: {about['sources']}. A: the first rater, B: the second.",
            *found.notes,
        ),
    )
    for part in found.parts:
        yield from _part(part)


def _part(part: Part) -> Iterator[Section]:
    names = ", ".join(
        f"{one.name} ({one.images:,} images{', ' + one.version if one.version else ''})"
        for one in part.raters
    )
    yield Section(f"## {part.task}", notes=(names, *part.notes))
    for raters in dict.fromkeys(row.raters for row in part.rows if not row.thing):
        rows = [row for row in part.rows if row.raters == raters and not row.thing]
        shown = [row for row in rows if row.measure not in HIDDEN]
        by_level = [row for row in shown if row.at is None]
        by_threshold = [row for row in shown if row.at is not None]
        title = " ~ ".join(raters)
        yield from _grid(title, by_level, lambda row: row.level or "value")
        yield from _grid(title, by_threshold, _threshold)
    yield from _things(part)
    yield from _mapped(part)


def _threshold(row: Measured) -> str:
    return f"{row.at_what} {row.at:g}{' ' + row.level if row.level else ''}"


def _grid(
    title: str, rows: Sequence[Measured], across: Callable[[Measured], str]
) -> Iterator[Section]:
    """Measures down, levels or thresholds across."""
    if not rows:
        return
    columns = list(dict.fromkeys(across(row) for row in rows))
    cells = {(row.measure, across(row)): row for row in rows}
    lines = []
    for measure in dict.fromkeys(row.measure for row in rows):
        found = [cells.get((measure, column)) for column in columns]
        lines.append([in_words(measure), *(cell(one) for one in found)])
    counts = sorted({_count(row.estimate) for row in rows})
    notes = [f"n: {', '.join(counts)}", *_reasons(rows)]
    yield Section(title, ("measure", *columns), lines, tuple(notes))


def _count(found: Estimate) -> str:
    return (
        f"{found.n:,}" if found.clusters == found.n else f"{found.n:,} ({found.clusters:,} sources)"
    )


def _reasons(rows: Iterable[Measured]) -> list[str]:
    """Why something is missing, each reason once."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.estimate.reason:
            found.setdefault(row.estimate.reason, []).append(in_words(row.measure))
    return [f"{', '.join(dict.fromkeys(measures))}: {reason}" for reason, measures in found.items()]


def in_words(measure: str) -> str:
    """A measure's name for people."""
    plain, _, left_out = measure.partition("_without:")
    words = WORDS.get(plain, plain.replace("_", " "))
    return f"{words}, without {left_out}" if left_out else words


def cell(row: Measured | None) -> str:
    """A value with its interval, and what censoring leaves open where that is not the same."""
    if row is None:
        return ""
    found = row.estimate
    if found.value is None:
        return "not estimable"
    text = number(found.value)
    if found.low is not None and found.high is not None:
        text += f" [{number(found.low)}, {number(found.high)}]"
    open_ = row.lowest is not None and row.highest is not None and row.lowest < row.highest
    return f"{text} ({number(row.lowest)} to {number(row.highest)})" if open_ else text


def number(value: float | None) -> str:
    """Two decimals, or more significant digits for what is small or large."""
    if value is None:
        return ""
    return f"{value:.2f}" if abs(value) < 100 else f"{value:,.0f}"  # noqa: PLR2004


def _things(part: Part) -> Iterator[Section]:
    """Labels, classes, categories or attributes one by one, with the measures in columns."""
    rows = [row for row in part.rows if row.thing and row.measure not in HIDDEN]
    keys = dict.fromkeys((row.raters, row.level) for row in rows)
    for raters, level in keys:
        mine = [row for row in rows if (row.raters, row.level) == (raters, level)]
        things = list(dict.fromkeys(row.thing for row in mine))
        measures = list(dict.fromkeys(row.measure for row in mine))[:4]
        cells = {(row.thing, row.measure): row for row in mine}
        lines = [
            [thing, *(cell(cells.get((thing, measure))) for measure in measures)]
            for thing in things[:SHOWN]
        ]
        left = f"{len(things) - SHOWN} more" if len(things) > SHOWN else ""
        more = (f"{left}: --csv, --json or --html have all of them.",) if left else ()
        title = " ~ ".join(raters) + (f", {level}" if level else "")
        yield Section(title, ("", *map(in_words, measures)), lines, more)


def _mapped(part: Part) -> Iterator[Section]:
    rows = part.tables.get("mapped", [])
    if not rows:
        return
    lines = [
        [
            row["of"],
            row["to"],
            f"{row['tier']}{', ' + row['how'] if row['how'] else ''}",
            row["labels"],
            "" if row["share"] is None else f"{100 * row['share']:.0f} %",
        ]
        for row in rows
    ]
    columns = ("labels of", "mapped to", "by", "labels", "share of mass")
    note = "none: what the other has no word for. visionhub vocabulary propose helps to map more."
    yield Section("What could be compared", columns, lines, (note,), ("labels", "share of mass"))
