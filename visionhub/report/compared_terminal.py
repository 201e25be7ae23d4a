"""A comparison for a terminal of 80 columns: per task, what a reader asks first.

Pairs are rows and a table is one question: how alike are the labels, are the same boxes found, is
the same text read. Everything else that was measured is in the other forms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from string import ascii_lowercase

from visionhub.analysis.compare import Comparison, Part
from visionhub.analysis.estimate import Estimate
from visionhub.analysis.measured import Measured
from visionhub.report.compared import intervals, number
from visionhub.report.compared_blocks import BLOCKS, Block
from visionhub.report.compared_things import long_table, reliability_table, things_tables
from visionhub.report.plain import counted, percent, plain
from visionhub.report.terminal import Section

PAIR = 2
MOST_PAIRS = 3  # pairs of raters whose labels are shown one by one
LONGEST = 45  # letters of a version
ELSEWHERE = "All measures, of every label and class: --csv, --parquet, --json or --html."


@dataclass
class Reasons:
    """Why something is missing: each reason has a letter, which stands beside what lacks it."""

    letters: dict[str, str] = field(default_factory=dict)

    def cell(self, row: Measured | None) -> str:
        """A value with its interval; without either, the letter of the reason."""
        if row is None:
            return ""
        found = row.estimate
        mark = ""
        if found.reason:
            at = len(self.letters) % len(ascii_lowercase)
            mark = f" ({self.letters.setdefault(found.reason, ascii_lowercase[at])})"
        if found.value is None:
            return f"none{mark}"
        if found.low is None or found.high is None:
            return f"{number(found.value)}{mark}"
        return f"{number(found.value)} [{number(found.low)}, {number(found.high)}]"

    def notes(self) -> tuple[str, ...]:
        """What the letters stand for."""
        return tuple(f"({letter}) {reason}" for reason, letter in self.letters.items())


def sections(found: Comparison) -> Iterator[Section]:
    """The tables of every task, and what to know about them."""
    title = f"{found.study}: {', '.join(part.task for part in found.parts)}"
    title += " (REHEARSAL: no finding)" if found.rehearsal else ""
    rows = (row for part in found.parts for row in part.rows)
    how = f"In brackets {intervals(rows, found.about)}."
    yield Section(title, notes=(how, *found.notes, ELSEWHERE))
    for part in found.parts:
        yield from _part(part)


def _part(part: Part) -> Iterator[Section]:
    raters = [
        f"{one.name}: {counted(one.images, 'image')}{_version(one.revision, one.model_version)}"
        for one in part.raters
    ]
    yield Section(f"## {part.task}", notes=(*raters, *part.notes))
    for block in BLOCKS.get(part.task, ()):
        yield from _block(block, part)
    pairs = {row.raters for row in part.rows if len(row.raters) == PAIR}
    if part.task in ("labels", "objects"):
        if len(pairs) <= MOST_PAIRS:
            yield from things_tables(part, Reasons)
        yield from reliability_table(part, Reasons)
    elif part.task != "text":
        yield from long_table(part, Reasons)
    yield from _mapped(part)


def _version(revision: str, model: str) -> str:
    """What is known of a version that tells something."""
    parts = [revision, f"model {model}" if model not in ("", "not reported", revision) else ""]
    told = ", ".join(part for part in parts if part)
    return f", {plain(told, LONGEST)}" if told else ""


def _block(block: Block, part: Part) -> Iterator[Section]:
    """One question: a row for each pair, or rater, or all together."""
    rows = [row for row in part.rows if row.thing == block.thing]
    columns = _columns(block, rows)
    cells = {(row.measure, row.at, row.level, row.raters): row for row in rows}
    groups = [
        raters
        for raters in dict.fromkeys(row.raters for row in rows)
        if any((*key, raters) in cells for _, key in columns)
    ]
    if not groups:
        return
    reasons, lines = Reasons(), []
    shown: list[Measured] = []
    for raters in groups:
        mine = [cells.get((*key, raters)) for _, key in columns]
        shown += [row for row in mine if row is not None]
        lines.append([_named(raters), *map(reasons.cell, mine)])
        if any(map(_open, mine)):
            lines.append(["  were no list cut", *map(_bounds, mine)])
    lines += _without(block, part, groups, [key for _, key in columns], reasons)
    titles = tuple(title for title, _ in columns)
    notes = (_count(shown), *([block.note] if block.note else []), *reasons.notes())
    yield Section(block.title, ("", *titles), lines, notes, titles)


_Key = tuple[str, float | None, str]


def _columns(block: Block, rows: Sequence[Measured]) -> list[tuple[str, _Key]]:
    """Titles of columns with the measure, threshold and level of each."""
    if not block.levels:
        levels = {row.measure: row.level for row in rows}
        return [
            (title, (measure, at, levels.get(measure, ""))) for title, measure, at in block.columns
        ]
    _, measure, at = block.columns[0]
    levels_ = dict.fromkeys(row.level for row in rows if (row.measure, row.at) == (measure, at))
    return [(level, (measure, at, level)) for level in levels_]


def _without(
    block: Block,
    part: Part,
    groups: Sequence[tuple[str, ...]],
    keys: Sequence[_Key],
    reasons: Reasons,
) -> Iterator[list[str]]:
    """All raters but one; of three, pairs are just that."""
    cells = {
        (row.measure, row.at, row.level): row
        for row in part.rows
        if not row.thing and "_without:" in row.measure
    }
    for name in max(groups, key=len) if len(part.raters) > PAIR + 1 and block.levels else ():
        mine = [cells.get((f"{measure}_without:{name}", at, level)) for measure, at, level in keys]
        if any(mine):
            yield [f"without {name}", *map(reasons.cell, mine)]


def _named(raters: tuple[str, ...]) -> str:
    return " ~ ".join(raters) if len(raters) <= PAIR else f"all {len(raters)}"


def _open(row: Measured | None) -> bool:
    """Whether censored scores can move a value."""
    if row is None or row.lowest is None or row.highest is None:
        return False
    return number(row.lowest) != number(row.highest)


def _bounds(row: Measured | None) -> str:
    return (
        f"{number(row.lowest)} to {number(row.highest)}" if row is not None and _open(row) else ""
    )


def _count(rows: Iterable[Measured]) -> str:
    """What numbers rest on; images, if the table does not say otherwise."""
    found = [row.estimate for row in rows]
    text = f"n: {_range(found, lambda one: one.n)}"
    if any(one.clusters != one.n for one in found):
        text += f", from {_range(found, lambda one: one.clusters)} sources"
    return text


def _range(found: Sequence[Estimate], of: Callable[[Estimate], int]) -> str:
    numbers = sorted({of(one) for one in found})
    few = numbers if len(numbers) == 1 else [numbers[0], numbers[-1]]
    return " to ".join(f"{one:,}" for one in few)


def _mapped(part: Part) -> Iterator[Section]:
    """Tier by tier the share of what a rater said that another has words for."""
    rows = part.tables.get("mapped", [])
    tiers = list(dict.fromkeys(row["tier"] for row in rows))
    shares: dict[tuple[str, str], dict[str, float]] = {}
    for row in rows:
        mine = shares.setdefault((row["of"], row["to"]), {})
        mine[row["tier"]] = mine.get(row["tier"], 0.0) + (row["share"] or 0.0)
    if not shares:
        return
    order = [*(tier for tier in tiers if tier != "none"), *(["none"] if "none" in tiers else [])]
    lines = [
        [one, other, *(percent(mine[t]) if t in mine else "" for t in order)]
        for (one, other), mine in shares.items()
    ]
    note = (
        "The first step that maps a label counts; what is broader or narrower is a match, too. "
        "none: the other has no word for it. More can be mapped: visionhub vocabulary propose."
    )
    columns = ("labels of", "with words of", *order)
    title = "What share of the labels could be compared, and by what?"
    yield Section(title, columns, lines, (note,), tuple(order))
