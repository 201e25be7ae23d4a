"""Agreement on labels against the threshold, as a drawing with its numbers in a table below it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from visionhub.analysis.compare import Part
from visionhub.report.card import safe
from visionhub.report.compared import number
from visionhub.report.compared_page.axis import Axis, short
from visionhub.report.compared_page.listing import plain_table
from visionhub.report.compared_page.roster import Roster
from visionhub.report.compared_page.wording import LEVELS

WIDTH, HEIGHT = 640, 380
LEFT, RIGHT, TOP, BOTTOM = 56, 120, 16, 270  # of the field; below it stand the thresholds
APART = 52  # units between two thresholds that are written
Row: TypeAlias = Mapping[str, Any]
UNCUT = 2  # points before the thresholds: everything, and what was returned
TEXT = (
    "Scores of two raters are not comparable, so no threshold is shared: at each point both are "
    "cut to as many labels a photograph, and each has a threshold of its own. Line: the mean "
    "Jaccard of comparable labels. Dark band: its interval. Light band: from the worst to the best "
    "that censored scores leave open. Grey points rest on too few photographs for an interval. "
    "What holds along the whole line does not depend on a threshold."
)


def sweeps(part: Part, roster: Roster) -> str:
    """The whole section: a drawing for each pair and level."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in part.tables.get("sweep", ()):
        groups.setdefault((row["level"], row["a"], row["b"]), []).append(row)
    figures = "".join(
        _figure(at, level, (a, b), rows, roster)
        for at, ((level, a, b), rows) in enumerate(groups.items())
    )
    if not figures:
        return ""
    return (
        f"<section><h3>Threshold by threshold</h3><p>{TEXT}</p>"
        f'<div class="sweeps">{figures}</div></section>'
    )


def _figure(
    at: int, level: str, raters: tuple[str, str], rows: Sequence[Row], roster: Roster
) -> str:
    title = f"{roster.pair(raters)}, {safe(LEVELS.get(level, level))}"
    name = f"{roster.short(raters)}, {level}"
    return (
        f"<figure><figcaption>{title}</figcaption>"
        f'<div class="wide">{_drawing(at, name, raters, rows, roster)}</div>'
        f"<details><summary>Numbers</summary>"
        f'<div class="wide">{_table(rows, raters, roster)}</div></details></figure>'
    )


def _drawing(at: int, name: str, raters: Sequence[str], rows: Sequence[Row], roster: Roster) -> str:
    cuts = sorted((row for row in rows if row["point"] >= UNCUT), key=_rate)
    most = max(map(_rate, rows), default=1.0) or 1.0
    x = Axis(0.0, most * 1.02, LEFT, WIDTH - RIGHT)
    y = Axis(0.0, 1.0, BOTTOM, TOP)
    first, last = (cuts[0], cuts[-1]) if cuts else (None, None)
    said = (
        f"From {_rate(first):.2g} to {_rate(last):.2g} labels a photograph the mean Jaccard goes "
        f"from {_value(first)} to {_value(last)}."
        if first is not None and last is not None
        else "No threshold leaves anything to compare."
    )
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-labelledby="s{at}t s{at}d"><title id="s{at}t">Threshold sweep of {safe(name)}'
        f'</title><desc id="s{at}d">{safe(said)} The numbers are in the table below.</desc>'
        f"{_field(x, y)}{_band(cuts, x, y, 'lowest', 'highest', 'outer')}"
        f"{_band(cuts, x, y, 'low', 'high', 'inner')}{_line(cuts, x, y)}"
        f"{_uncut(rows, x, y)}{_thresholds(cuts, x, raters, roster)}</svg>"
    )


def _rate(row: Row) -> float:
    return float(row["labels_an_image_a"] + row["labels_an_image_b"]) / 2


def _value(row: Row) -> str:
    return "not estimable" if row["jaccard"] is None else number(row["jaccard"])


def _field(x: Axis, y: Axis) -> str:
    """Grid, numbers of both axes, and what they are of."""
    down = "".join(f"M{LEFT} {short(y.x(t))}H{WIDTH - RIGHT}" for t in y.ticks)
    up = "".join(f"M{short(x.x(t))} {BOTTOM}v5" for t in x.ticks)
    left = "".join(
        f'<text class="end" x="{LEFT - 8}" y="{short(y.x(t) + 4)}">{t:g}</text>' for t in y.ticks
    )
    below = "".join(
        f'<text class="mid" x="{short(x.x(t))}" y="{BOTTOM + 19}">{t:g}</text>' for t in x.ticks
    )
    middle = (LEFT + WIDTH - RIGHT) / 2
    return (
        f'<path class="grid" d="{down}"/>'
        f'<path class="axis" d="{up}M{LEFT} {BOTTOM}H{WIDTH - RIGHT}"/>'
        f'{left}{below}<text class="mid soft" x="{short(middle)}" y="{BOTTOM + 38}">'
        f'labels a photograph</text><text class="mid soft" transform="translate(14 '
        f'{(TOP + BOTTOM) // 2}) rotate(-90)">mean Jaccard</text>'
    )


def _band(rows: Sequence[Row], x: Axis, y: Axis, low: str, high: str, kind: str) -> str:
    known = [row for row in rows if row[low] is not None and row[high] is not None]
    if not known:
        return ""
    there = [(x.x(_rate(row)), y.x(row[high])) for row in known]
    back = [(x.x(_rate(row)), y.x(row[low])) for row in reversed(known)]
    return f'<path class="band {kind}" d="M{_points([*there, *back])}Z"/>'


def _points(points: Iterable[tuple[float, float]]) -> str:
    return "L".join(f"{short(a)} {short(b)}" for a, b in points)


def _line(rows: Sequence[Row], x: Axis, y: Axis) -> str:
    """Joined where there are intervals; points on too few photographs stand alone."""
    known = [row for row in rows if row["jaccard"] is not None]
    sure = [row for row in known if row["low"] is not None]
    path = _points((x.x(_rate(row)), y.x(row["jaccard"])) for row in sure)
    dots = "".join(
        f'<circle class="{"dot" if row["low"] is not None else "dot few"}" '
        f'cx="{short(x.x(_rate(row)))}" cy="{short(y.x(row["jaccard"]))}" r="3.5">'
        f"<title>{_said(row)}</title></circle>"
        for row in known
    )
    return (f'<path class="curve" d="M{path}"/>' if sure else "") + dots


def _said(row: Row) -> str:
    """A point in words, for who points at it."""
    return (
        f"{_rate(row):.2f} labels a photograph: Jaccard {_value(row)} "
        f"({number(row['low'])} to {number(row['high'])}), thresholds "
        f"{_cut(row['threshold_a'])} and {_cut(row['threshold_b'])}"
    )


def _cut(value: float | None) -> str:
    return "none" if value is None else f"{value:.3g}"


def _uncut(rows: Sequence[Row], x: Axis, y: Axis) -> str:
    """Beside the field: what was returned, and what would be if both reported everything."""
    parts = []
    columns = ((1, "as", "returned"), (0, "if all were", "reported"))
    for place, (point, *words) in enumerate(columns):
        row = next((one for one in rows if one["point"] == point), None)
        if row is None or row["jaccard"] is None:
            continue
        at = short(WIDTH - RIGHT + 34 + 56 * place)
        span = f"M{at} {short(y.x(row['lowest']))}V{short(y.x(row['highest']))}"
        parts.append(f'<path class="open" d="{span}"/>')
        if point == 1 and row["low"] is not None:
            inner = f"M{at} {short(y.x(row['low']))}V{short(y.x(row['high']))}"
            parts.append(f'<path class="span" d="{inner}"/>')
        if point == 1:
            parts.append(f'<circle class="dot" cx="{at}" cy="{short(y.x(row["jaccard"]))}" r="4"/>')
        parts += [
            f'<text class="mid soft small" x="{at}" y="{BOTTOM + 19 + 14 * line}">{word}</text>'
            for line, word in enumerate(words)
        ]
    return "".join(parts)


def _thresholds(rows: Sequence[Row], x: Axis, raters: Sequence[str], roster: Roster) -> str:
    """Two lines of numbers: where each rater is cut, as dense as they can be read."""
    parts, last = [], float(LEFT + 24 - APART)  # the first has to clear the names
    for row in rows:
        at = x.x(_rate(row))
        if at - last < APART:
            continue
        last = at
        parts.append(f'<path class="axis" d="M{short(at)} {BOTTOM + 46}v5"/>')
        for line, side in enumerate("ab"):
            text = _cut(row[f"threshold_{side}"])
            y = BOTTOM + 66 + 18 * line
            parts.append(f'<text class="mid" x="{short(at)}" y="{y}">{text}</text>')
    names = "".join(
        f'<text class="soft" x="4" y="{BOTTOM + 66 + 18 * line}">{roster.letter(one)} cut at</text>'
        for line, one in enumerate(raters)
    )
    return "".join(parts) + names


def _table(rows: Sequence[Row], raters: Sequence[str], roster: Roster) -> str:
    a, b = map(roster.letter, raters)
    columns = (
        "point", f"labels a photograph, {a}", f"{b}", f"threshold {a}", f"threshold {b}",
        "mean Jaccard", "low", "high", "worst", "best", "n", "",
    )  # fmt: skip
    names = ("if all were reported", "as returned")
    values = [
        (
            names[row["point"]] if row["point"] < UNCUT else str(row["point"] - 1),
            row["labels_an_image_a"], row["labels_an_image_b"],
            row["threshold_a"] if row["point"] else None,
            row["threshold_b"] if row["point"] else None,
            row["jaccard"] if row["point"] else None,
            row["low"] if row["point"] else None, row["high"] if row["point"] else None,
            row["lowest"], row["highest"], row["n"], row["reason"],
        )
        for row in rows
    ]  # fmt: skip
    return plain_table(columns, values, columns[1:-1])
