"""What `make evaluate` prints: figures with their number of cases and interval, as Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.measures import wilson


@dataclass(frozen=True)
class Figure:
    """One measured number.

    photographs: which set; n: how many of `of` (photographs, faces, words ...) it rests on.
    low, high: a 95 % interval where there is one. unit: empty for a share from 0 to 1.
    """

    task: str
    photographs: str
    measure: str
    value: float | None
    n: int
    of: str = "photographs"
    low: float | None = None
    high: float | None = None
    unit: str = ""

    @property
    def cells(self) -> list[str]:
        interval = "" if self.low is None else f"{_shown(self.low)} to {_shown(self.high)}"
        value = f"{_shown(self.value)} {self.unit}".strip()
        return [self.task, self.photographs, self.measure, value, interval, f"{self.n} {self.of}"]

    def as_json(self) -> dict[str, Any]:
        """All fields; what is not a number becomes null."""
        fields = asdict(self)
        missing = (k for k, v in fields.items() if isinstance(v, float) and math.isnan(v))
        return {**fields, **dict.fromkeys(missing)}


def share(
    task: str, photographs: str, measure: str, hits: int, n: int, of: str = "photographs"
) -> Figure:
    """Make a proportion a figure, with its Wilson interval: the cases count as independent."""
    if n == 0:
        return Figure(task, photographs, measure, None, 0, of)
    low, high = wilson(hits, n)
    return Figure(task, photographs, measure, hits / n, n, of, low, high)


def recall_precision(
    task: str,
    photographs: str,
    counts: Sequence[int],
    of: tuple[str, str],
    least: float = 0.5,
) -> Iterator[Figure]:
    """Make (found, missed, false) counts two figures; `of` names what is true and what is found."""
    hits, missed, false = map(int, counts)
    yield share(task, photographs, f"recall at IoU {least}", hits, hits + missed, of[0])
    yield share(task, photographs, f"precision at IoU {least}", hits, hits + false, of[1])


def table(figures: Iterable[Figure]) -> str:
    """Write figures as a Markdown table."""
    head = ["task", "photographs", "measure", "value", "95 % interval", "n"]
    return markdown(head, (figure.cells for figure in figures))


def markdown(head: list[str], rows: Iterable[list[str]]) -> str:
    """Write rows as a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _shown(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "none"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
