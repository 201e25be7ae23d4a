"""What `make bench-clouds` prints: a row a comparison, and whether the two demands are met."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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


@dataclass(frozen=True)
class Cell:
    """One comparison: the turns of each side, round by round.

    Sides: `ours`; `bare`, whose answers are dropped; at some `call`, our call whose bodies are
    dropped, and `kept`, a bare loop that keeps its answers. whole: from files to a study, with all
    that happens before the first image is sent.
    """

    way: str
    size: int  # KB an image
    flight: int  # calls at once
    batch: int = 1  # images a call
    whole: bool = False
    turns: Mapping[str, list[Spent]] = field(default_factory=lambda: defaultdict(list))

    @property
    def title(self) -> str:
        """What is compared, in words."""
        what = "files to study" if self.whole else "adapter"
        return f"{self.way} | {what} | {self.size} | {self.batch} | {self.flight}"

    def ratios(self, side: str, other: str) -> list[float]:
        """CPU time an image, within each round; empty where a side was not measured."""
        pairs = zip(self.turns.get(side, ()), self.turns.get(other, ()), strict=False)
        return [(a.cpu / a.images) / (b.cpu / b.images) for a, b in pairs]

    def ratio(self, side: str, other: str) -> float | None:
        """The median of the ratios."""
        found = self.ratios(side, other)
        return median(found) if found else None

    def rate(self, side: str) -> float:
        """Images a second."""
        return median(turn.images / turn.wall for turn in self.turns[side])

    def milliseconds(self, side: str) -> float | None:
        """CPU milliseconds an image."""
        turns = self.turns.get(side)
        return median(turn.cpu / turn.images * 1000 for turn in turns) if turns else None


def printed(cells: Sequence[Cell]) -> Iterator[str]:
    """The table, in Markdown."""
    yield (
        "| SDK | what | KB | images/call | in flight | calls/s | images/s | bare | x bare at 1 "
        "| CPU ms/image | our call | bare | bare, kept | CPU/bare | our call/bare | CPU/kept |"
    )
    yield "|---|---|" + "--:|" * 14
    for cell in cells:
        ours = cell.rate("ours")
        rates = f"{ours / cell.batch:,.1f} | {ours:,.1f} | {cell.rate('bare'):,.1f}"
        costs = (cell.milliseconds(side) for side in ("ours", "call", "bare", "kept"))
        pairs = (("ours", "bare"), ("call", "bare"), ("ours", "kept"))
        spreads = " | ".join(_spread(cell.ratios(*pair)) for pair in pairs)
        shown = " | ".join(map(_figure, costs))
        yield (
            f"| {cell.title} | {rates} | {_figure(speedup(cell, cells), 1)} | {shown} | {spreads} |"
        )


def _figure(value: float | None, digits: int = 2) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _spread(ratios: Sequence[float]) -> str:
    return f"{median(ratios):.2f} [{min(ratios):.2f} to {max(ratios):.2f}]" if ratios else ""


def speedup(cell: Cell, cells: Sequence[Cell]) -> float | None:
    """Our throughput over that of the bare loop with one image in flight."""
    for other in cells:
        alike = (other.way, other.size) == (cell.way, cell.size)
        if alike and (other.flight, other.batch, other.whole) == (1, 1, False):
            return cell.rate("ours") / other.rate("bare")
    return None


def verdicts(cells: Sequence[Cell]) -> Iterator[str]:
    """Whether the demands are met, at 16 in flight; the worst comparison decides."""
    at = [cell for cell in cells if cell.flight == VERDICT_FLIGHT]
    adapters, wholes = ([c for c in at if c.whole is whole] for whole in (False, True))
    bare, kept = "the bare loop's", "a bare loop's that keeps its answers"
    yield _cost(adapters, "ours", "bare", f"Adapter, parsed and packed: CPU within 10% of {bare}")
    yield _cost(adapters, "call", "bare", f"Adapter, the call alone: CPU within 10% of {bare}")
    yield _cost(adapters, "ours", "kept", f"Adapter, parsed and packed: CPU within 10% of {kept}")
    yield _cost(wholes, "ours", "bare", f"Files to study: CPU within 10% of {bare}")
    yield _speed(adapters, cells, "Adapter")
    yield _speed(wholes, cells, "Files to study")


def _cost(judged: Sequence[Cell], side: str, other: str, demand: str) -> str:
    found = {c.title: ratio for c in judged if (ratio := c.ratio(side, other)) is not None}
    return _said(demand, found, lambda worst: worst <= MOST_CPU, max)


def _speed(judged: Sequence[Cell], cells: Sequence[Cell], what: str) -> str:
    found = {c.title: times for c in judged if (times := speedup(c, cells)) is not None}
    demand = f"{what}: images/s at least 8 times the bare loop's with one in flight"
    return _said(demand, found, lambda worst: worst >= LEAST_SPEEDUP, min)


def _said(
    demand: str,
    found: Mapping[str, float],
    met: Callable[[float], bool],
    worst: Callable[[Iterable[float]], float],
) -> str:
    if not found:
        return f"{demand}: not measured."
    least, most = min(found.values()), max(found.values())
    word = "met" if met(worst(found.values())) else "NOT MET"
    passed = sum(map(met, found.values()))
    return f"{demand}: {word} ({passed} of {len(found)}; {least:.2f} to {most:.2f})."
