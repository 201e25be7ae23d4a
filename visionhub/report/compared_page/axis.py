"""A straight axis, and values with their intervals drawn along it: SVG for rows of a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from visionhub.analysis.measured import Measured
from visionhub.report.compared_page.values import is_open

WIDTH, HEIGHT, EDGE = 300, 20, 8  # of a row, in units of the drawing
MIDDLE = HEIGHT / 2


@dataclass(frozen=True)
class Axis:
    """From one value to another, over so many units of a drawing."""

    low: float
    high: float
    start: float = EDGE
    end: float = WIDTH - EDGE

    @classmethod
    def of(cls, rows: Iterable[Measured]) -> Axis:
        """That holds all values, intervals and bounds: 0 to 1, or -1 to 1, where that is enough."""
        values = [0.0]
        for row in rows:
            found = row.estimate
            some = (found.value, found.low, found.high, row.lowest, row.highest)
            values += [one for one in some if one is not None]
        low, high = min(values), max(values)
        if low >= -1 and high <= 1:
            return cls(0.0 if low >= 0 else -1.0, 1.0)
        step = _step(high - low)
        return cls(math.floor(low / step) * step, math.ceil(high / step) * step)

    def x(self, value: float) -> float:
        """Where a value lies, kept within the axis."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    @property
    def ticks(self) -> Sequence[float]:
        """Round values on it, five or so."""
        step = _step(self.high - self.low)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(at * step, 10) for at in range(first, last + 1)]


def _step(span: float) -> float:
    """A round number (1, 2, 2.5 or 5 times a power of ten) of which some four make the span."""
    raw = span / 4
    power: float = 10.0 ** math.floor(math.log10(raw))
    return next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * (1 - 1e-9))


def short(value: float) -> str:
    """A coordinate, as short as it can be."""
    return f"{value:.1f}".removesuffix(".0")


def heading(axis: Axis) -> str:
    """The numbers of an axis."""
    return "".join(f'<text x="{short(axis.x(tick))}" y="13">{tick:g}</text>' for tick in axis.ticks)


def grid(axis: Axis, height: float = HEIGHT) -> str:
    """Thin lines at the ticks, and a stronger one at 0."""
    others = "".join(f"M{short(axis.x(tick))} 0V{short(height)}" for tick in axis.ticks if tick)
    zero = f'<path class="zero" d="M{short(axis.x(0))} 0V{short(height)}"/>'
    return f'<path class="grid" d="{others}"/>' + (zero if axis.low <= 0 <= axis.high else "")


def mark(row: Measured, axis: Axis) -> str:
    """The value as a dot, its interval as a thick line, what is left open as a thin one."""
    found, parts, middle = row.estimate, [], short(MIDDLE)
    if is_open(row) and row.lowest is not None and row.highest is not None:
        low, high = short(axis.x(row.lowest)), short(axis.x(row.highest))
        ends = f"M{low} 5V15M{high} 5V15"
        parts.append(f'<path class="open" d="M{low} {middle}H{high}{ends}"/>')
    if found.low is not None and found.high is not None:
        low, high = short(axis.x(found.low)), short(axis.x(found.high))
        parts.append(f'<path class="span" d="M{low} {middle}H{high}"/>')
    if found.value is not None:
        parts.append(f'<circle class="dot" cx="{short(axis.x(found.value))}" cy="{middle}" r="4"/>')
    return "".join(parts)


def drawing(inside: str, kind: str) -> str:
    """One row's drawing; what it shows is said in the cells beside it."""
    return f'<svg class="{kind}" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">{inside}</svg>'
