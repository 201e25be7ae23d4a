"""A comparison as plain values, and what its values are called; all of it, nothing anew."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from visionhub.analysis.compare import Comparison, Part
from visionhub.analysis.measured import Measured
from visionhub.report.terminal import Section

SMALL = 0.005  # what two decimals would make 0, or 1
ROUNDING = 1e-9  # what may be an error of computing
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


def intervals(rows: Iterable[Measured], about: Mapping[str, Any]) -> str:
    """How the intervals that are there were made, each way with how many, and of what.

    >>> intervals([], {"confidence": 0.95, "draws": 2000, "seed": 0, "sources": "none given"})
    '95 % intervals: none; sources: none given'
    """
    ways = Counter(
        row.estimate.method.split(", ")[0] for row in rows if row.estimate.low is not None
    )
    drawn = f" ({about['draws']:,} draws, seed {about['seed']})"
    told = [
        f"{many:,} by {way}{drawn if 'bootstrap' in way else ''}"
        for way, many in ways.most_common()
    ]
    share = f"{100 * about['confidence']:g} %"
    return f"{share} intervals: {', '.join(told) or 'none'}; sources: {about['sources']}"


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
    """For a terminal: what a reader asks first, task by task."""
    from visionhub.report.compared_terminal import sections as made

    return made(found)


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
    """Two decimals; more where these would say 0 or 1, and of large numbers none.

    >>> [number(one) for one in (0.5, 0.0004, 0.99918, 1.0, -0.9996, 1234.5)]
    ['0.50', '0.0004', '0.9992', '1.00', '-0.9996', '1,234']
    """
    if value is None:
        return ""
    size = abs(value)
    if size >= 100:  # noqa: PLR2004
        return f"{value:,.0f}"
    if ROUNDING < size < SMALL:
        return f"{value:.1g}"
    left = 1 - size
    digits = math.ceil(-math.log10(left)) if ROUNDING < left <= SMALL else 2
    return f"{value:.{digits}f}".replace("-0.00", "0.00")
