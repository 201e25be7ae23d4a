"""What the crosswalk did: how much each tier mapped, what is left, and what fell together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from visionhub.analysis.compare import Part
from visionhub.report.card import safe
from visionhub.report.compared_page.axis import short
from visionhub.report.compared_page.listing import listing, plain_table
from visionhub.report.compared_page.roster import Roster
from visionhub.report.plain import percent

WIDTH, HEIGHT, ROOM = 600, 26, 34  # of a bar; of a segment that holds its number
TIERS = {
    "exact": "the same word",
    "identifier": "identifiers",
    "words": "words and WordNet",
    "vectors": "vectors, accepted by you",
    "person": "your crosswalk",
    "codebook": "your codebook",
    "none": "no word for it",
}
WIDER = "broader or narrower"
Row: TypeAlias = Mapping[str, Any]
TEXT = (
    "Of all that a rater said (each label counts as often as it was given), how much the other has "
    "a word for, by what maps it. Striped: only something broader or narrower than the word can be "
    "compared. White: not mapped at all, and so in no figure of comparable labels."
)
PATTERN = (
    '<svg width="0" height="0" class="defs" aria-hidden="true"><defs><pattern id="stripes" '
    'width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<path class="stripe" d="M1.5 0V6"/></pattern></defs></svg>'
)


def crosswalk(part: Part, roster: Roster) -> str:
    """The whole section; empty where no words were mapped."""
    rows = part.tables.get("mapped", [])
    if not rows:
        return ""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["of"], row["to"]), []).append(row)
    bars = "".join(_bar(at, pair, some, roster) for at, (pair, some) in enumerate(groups.items()))
    return (
        f"<section><h3>What could be compared at all</h3><p>{TEXT}</p>{PATTERN}{_legend(rows)}"
        '<div class="wide"><table class="bars"><thead><tr><th scope="col">labels of</th>'
        '<th scope="col">for which this one has a word</th><th></th>'
        f'<th scope="col" class="num">not mapped</th></tr></thead><tbody>{bars}</tbody></table>'
        f"</div>{_numbers(rows, roster)}{_left(part, roster)}{_collapses(part)}</section>"
    )


def _legend(rows: Sequence[Row]) -> str:
    there = {row["tier"] for row in rows}
    items = "".join(
        f'<li><svg class="swatch" viewBox="0 0 20 14" aria-hidden="true">'
        f'<rect class="t-{tier}" width="20" height="14"/></svg>{text}</li>'
        for tier, text in TIERS.items()
        if tier in there
    )
    return f'<ul class="key-list">{items}</ul>'


def _bar(at: int, pair: tuple[str, str], rows: Sequence[Row], roster: Roster) -> str:
    known = [row for row in rows if row["share"] is not None]
    said = "; ".join(f"{_named(row)} {percent(row['share'])}" for row in known)
    left = sum(row["share"] for row in known if row["tier"] == "none")
    return (
        f'<tr><th scope="row">{roster.tag(pair[0])}</th><td>{roster.tag(pair[1])}</td><td>'
        f'<svg class="stack" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-labelledby="b{at}t b{at}d"><title id="b{at}t">Labels of {safe(pair[0])} that '
        f'{safe(pair[1])} has a word for</title><desc id="b{at}d">{safe(said, 900)}</desc>'
        f'{_segments(known)}</svg></td><td class="num">{percent(left)}</td></tr>'
    )


def _named(row: Row) -> str:
    wider = f", {WIDER}" if row["how"] == WIDER else ""
    return f"{TIERS.get(row['tier'], row['tier'])}{wider}"


def _segments(rows: Sequence[Row]) -> str:
    parts, start = [], 0.0
    order = {tier: place for place, tier in enumerate(TIERS)}
    last = len(TIERS)
    for row in sorted(
        rows,
        key=lambda row: (row["tier"] == "none", row["how"] == WIDER, order.get(row["tier"], last)),
    ):
        width = row["share"] * WIDTH
        box = f'x="{short(start)}" width="{short(width)}" height="{HEIGHT}"'
        parts.append(f'<rect class="t-{safe(row["tier"])}" {box}/>')
        parts += [f'<rect class="stripes" {box}/>'] if row["how"] == WIDER else []
        if width >= ROOM:
            middle = short(start + width / 2)
            parts.append(f'<text x="{middle}" y="18">{percent(row["share"])}</text>')
        start += width
    return "".join(parts)


def _numbers(rows: Sequence[Row], roster: Roster) -> str:
    columns = ("labels of", "compared with", "mapped by", "labels", "given so often", "share, %")
    values = [
        (
            f"{roster.letter(row['of'])} {row['of']}", f"{roster.letter(row['to'])} {row['to']}",
            _named(row), row["labels"], row["mass"],
            None if row["share"] is None else 100 * row["share"],
        )
        for row in rows
    ]  # fmt: skip
    table = plain_table(columns, values, columns[3:])
    return f"<details><summary>Numbers</summary>{listing(table, len(values), 'row')}</details>"


def _left(part: Part, roster: Roster) -> str:
    """The most frequent labels that are not mapped, pair by pair."""
    groups: dict[tuple[str, str], list[str]] = {}
    for row in part.tables.get("unmapped", ()):
        text = f"{safe(row['label'])} <small>{row['mass']:,}</small>"
        groups.setdefault((row["of"], row["to"]), []).append(f"<li>{text}</li>")
    if not groups:
        return ""
    body = "".join(
        f'<tr><th scope="row">{roster.tag(a)}</th><td>{roster.tag(b)}</td>'
        f'<td><ul class="words">{"".join(words)}</ul></td></tr>'
        for (a, b), words in groups.items()
    )
    return (
        '<h4>The most frequent labels without a counterpart</h4><div class="wide"><table><thead>'
        '<tr><th scope="col">labels of</th><th scope="col">that this one has no word for</th>'
        f'<th scope="col">label, and how often</th></tr></thead><tbody>{body}</tbody></table></div>'
    )


def _collapses(part: Part) -> str:
    rows = part.tables.get("collapses", [])
    if not rows:
        return ""
    columns = ("vocabulary", "taken for one thing", "labels", "given so often")
    values = [(row["vocabulary"], row["concept"], row["labels"], row["mass"]) for row in rows]
    table = plain_table(columns, values, columns[3:])
    return (
        "<h4>Labels of one vocabulary that count as one thing</h4><p>Each of these is a judgement: "
        "a wrong one makes services agree, or differ, that do not.</p>"
        f"{listing(table, len(values), 'label')}"
    )
