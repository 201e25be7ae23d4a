"""One headline of each task, pair by pair, for the top of the page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from visionhub.analysis.compare import Part
from visionhub.analysis.measured import Measured
from visionhub.report.card import safe
from visionhub.report.compared_page.matrix import PAIR, cell_of
from visionhub.report.compared_page.roster import Roster
from visionhub.report.compared_page.values import Reasons

BOXES = "F1 of boxes at IoU .5"
# Of labels those that can be compared: of all of them, two empty lists would agree in full.
HEADLINES = {  # task -> measure, threshold, words
    "labels": ("jaccard_comparable", None, "labels: Jaccard of comparable labels, {level}"),
    "objects": ("f1", 0.5, f"objects: {BOXES}"),
    "faces": ("f1", 0.5, f"faces: {BOXES}"),
    "text": ("character_error_rate", None, "text: character error rate (less is more agreement)"),
}


@dataclass(frozen=True)
class Headline:
    """The measure that stands for a task. words: what it is called; rows: by pair of raters."""

    words: str
    rows: dict[tuple[str, ...], Measured]

    @classmethod
    def of(cls, part: Part) -> Headline | None:
        """Of labels at the last level that there is; None for tasks without a headline."""
        if part.task not in HEADLINES:
            return None
        measure, at, words = HEADLINES[part.task]
        rows = [
            row
            for row in part.rows
            if row.measure == measure and row.at == at and not row.thing and len(row.raters) == PAIR
        ]
        level = rows[-1].level if rows else ""
        found = {row.raters: row for row in rows if row.level == level}
        return cls(words.format(level=level), found)


def glance(parts: Iterable[Part], roster: Roster) -> str:
    """The section; empty where no task has a headline."""
    columns = [found for part in parts if (found := Headline.of(part)) is not None]
    pairs = dict.fromkeys(pair for one in columns for pair in one.rows)
    if not pairs:
        return ""
    reasons = Reasons()
    head = "".join(f'<th scope="col">{safe(one.words)}</th>' for one in columns)
    body = "".join(
        f'<tr><th scope="row">{roster.pair(pair)}</th>'
        + "".join(
            cell_of(one.rows.get(pair), reasons, shaded=True, empty="not compared")
            for one in columns
        )
        + "</tr>"
        for pair in pairs
    )
    return (
        '<section><h3>At a glance</h3><div class="wide"><table class="matrix glance"><thead><tr>'
        f'<td class="corner"></td>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        f"{reasons.html()}</section>"
    )
