"""What `make bench-clouds` prints: a row a comparison, and whether the two demands are met."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

MOST_CPU = 1.10  # of the bare SDK's CPU time an image
LEAST_SPEEDUP = 8.0  # times the bare SDK's sequential throughput
VERDICT_FLIGHT = 16


@dataclass(frozen=True)
class Spent:
    """One turn of one side; seconds."""

    images: int
    wall: float
    cpu: float


@dataclass
class Cell:
    """One comparison, round by round. whole: from files to a study, start included."""

    way: str
    size: int  # KB an image
    flight: int = 0  # calls at once
    batch: int = 1  # images a call
    whole: bool = False
    ours: list[Spent] = field(default_factory=list)
    bare: list[Spent] = field(default_factory=list)

    def at(self, flight: int, batch: int) -> Cell:
        """An empty comparison of the same service and size."""
        return Cell(self.way, self.size, flight, batch)

    @property
    def title(self) -> str:
        """What is compared, in words."""
        what = "files to study" if self.whole else "adapter"
        return f"{self.way} | {what} | {self.size} | {self.batch} | {self.flight}"

    @property
    def ratios(self) -> list[float]:
        """Ours over bare: CPU time an image, within each round."""
        pairs = zip(self.ours, self.bare, strict=True)
        return [a.cpu / a.images / (b.cpu / b.images) for a, b in pairs]

    @property
    def ratio(self) -> float:
        return median(self.ratios)


def rate(turns: Sequence[Spent]) -> float:
    """Images a second."""
    return median(turn.images / turn.wall for turn in turns)


def milliseconds(turns: Sequence[Spent]) -> float:
    """CPU milliseconds an image."""
    return median(turn.cpu / turn.images * 1000 for turn in turns)


def printed(cells: Sequence[Cell]) -> Iterator[str]:
    """The table, in Markdown."""
    yield (
        "| SDK | what | KB | images/call | in flight | calls/s | images/s, ours | bare "
        "| CPU ms/image, ours | bare | CPU ours/bare | images/s over bare at 1 |"
    )
    yield "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|---|--:|"
    for cell in cells:
        rates = [rate(turns) for turns in (cell.ours, cell.bare)]
        costs = " | ".join(f"{milliseconds(turns):.2f}" for turns in (cell.ours, cell.bare))
        spread = f"{cell.ratio:.2f} [{min(cell.ratios):.2f} to {max(cell.ratios):.2f}]"
        times = speedup(cell, cells)
        yield (
            f"| {cell.title} | {rates[0] / cell.batch:,.1f} | {rates[0]:,.1f} | {rates[1]:,.1f} "
            f"| {costs} | {spread} | {f'{times:.1f}' if times else ''} |"
        )


def speedup(cell: Cell, cells: Sequence[Cell]) -> float | None:
    """Our throughput over that of the bare loop with one image in flight."""
    for other in cells:
        alike = (other.way, other.size) == (cell.way, cell.size)
        if alike and (other.flight, other.batch, other.whole) == (1, 1, False):
            return rate(cell.ours) / rate(other.bare)
    return None


def verdicts(cells: Sequence[Cell]) -> Iterator[str]:
    """Whether the demands are met, at 16 in flight; the worst comparison decides."""
    for whole in (False, True):
        judged = [c for c in cells if c.flight == VERDICT_FLIGHT and c.whole is whole]
        what = "From files to study" if whole else "Adapter"
        if not judged:
            continue
        dearest = max(judged, key=lambda cell: cell.ratio)
        yield (
            f"{what}: CPU an image within 10% of the bare SDK's at {VERDICT_FLIGHT} in flight: "
            f"{_word(dearest.ratio <= MOST_CPU)}; at most {dearest.ratio:.2f} ({dearest.title})."
        )
        times = {cell.title: speedup(cell, cells) or 0.0 for cell in judged}
        slowest = min(times, key=times.__getitem__)
        yield (
            f"{what}: 8 times the bare SDK's sequential throughput at {VERDICT_FLIGHT} in flight: "
            f"{_word(times[slowest] >= LEAST_SPEEDUP)}; at least {times[slowest]:.1f} ({slowest})."
        )


def _word(met: bool) -> str:
    return "met" if met else "NOT MET"
