"""Estimates as HTML: the value, its interval, what it rests on, or in words why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field

from visionhub.analysis.estimate import Estimate
from visionhub.analysis.measured import Measured
from visionhub.report.card import safe
from visionhub.report.compared import number


@dataclass
class Reasons:
    """Reasons that are told once below a table, each with a number that cells refer to."""

    found: dict[str, int] = field(default_factory=dict)

    def mark(self, reason: str) -> str:
        """The number of a reason, with the whole of it for who points at it."""
        at = self.found.setdefault(reason, len(self.found) + 1)
        return f'<sup title="{safe(reason)}">{at}</sup>'

    def html(self) -> str:
        """The list below the table; empty without a reason."""
        items = "".join(f"<li><sup>{at}</sup> {safe(text)}</li>" for text, at in self.found.items())
        return f'<ol class="reasons">{items}</ol>' if items else ""


def counted_units(found: Estimate) -> str:
    """How many units, and of how many sources where these are others."""
    alone = found.clusters in (0, found.n)
    return f"n {found.n:,}" + ("" if alone else f", {found.clusters:,} sources")


def interval(found: Estimate) -> str:
    """The interval in words; empty without one."""
    if found.low is None or found.high is None:
        return ""
    return f"{number(found.low)} to {number(found.high)}"


def is_open(row: Measured) -> bool:
    """Whether censored scores could move the value."""
    return row.lowest is not None and row.highest is not None and row.lowest < row.highest


def bounds(row: Measured) -> str:
    """What censored scores leave open, in words; empty where they leave nothing."""
    return f"{number(row.lowest)} to {number(row.highest)}" if is_open(row) else ""


def cell(row: Measured, reasons: Reasons) -> str:
    """The inside of a table's cell."""
    found = row.estimate
    units = f"<small>{counted_units(found)}</small>"
    if found.value is None:
        return f'<span class="none">not estimable{reasons.mark(found.reason)}</span>{units}'
    mark = reasons.mark(found.reason) if found.reason else ""
    parts = [f"<b>{number(found.value)}</b>{mark}"]
    parts += [f'<span class="ci">{span}</span>'] if (span := interval(found)) else []
    parts += (
        [f'<small title="worst and best case">open: {span}</small>']
        if (span := bounds(row))
        else []
    )
    return "".join([*parts, units])


def line(row: Measured | None, reasons: Reasons | None = None) -> str:
    """The same on one line; without `reasons`, for few lines, with the reason written out."""
    if row is None:
        return ""
    found, why = row.estimate, ""
    if found.reason:
        why = (
            reasons.mark(found.reason)
            if reasons is not None
            else f" <small>{safe(found.reason)}</small>"
        )
    if found.value is None:
        return f'<span class="none">not estimable</span>{why}'
    span = interval(found)
    text = f"<b>{number(found.value)}</b>" + (f' <span class="ci">{span}</span>' if span else "")
    return text + why
