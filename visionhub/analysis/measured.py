"""One row of a comparison: a measure, of whom, of what, with its estimate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from visionhub.analysis.estimate import Estimate

MEANINGS = {
    "task": ("what was asked: labels, objects, faces, text, safe_search …", ""),
    "level": ("how words were compared: exact, crosswalk or codebook; empty where none were", ""),
    "thing": ("the label, class, category or attribute; empty for all of them together", ""),
    "measure": ("name of the measure: see docs/methods.md", ""),
    "a": ("the first rater, or all of them with + between", ""),
    "b": ("the second rater; empty where there are not just two", ""),
    "at": ("the threshold that it holds at", "as `at_what` says"),
    "at_what": ("what `at` is a threshold of", ""),
    "value": ("the measure; empty where it cannot be estimated", "as the measure"),
    "low": ("lower end of its interval", "as the measure"),
    "high": ("upper end of its interval", "as the measure"),
    "confidence": ("level of the interval; empty where there is none", "0 to 1"),
    "lowest": ("the least that it can be whatever the censored scores are", "as the measure"),
    "highest": ("the most that it can be whatever the censored scores are", "as the measure"),
    "n": ("units that it rests on: images, or pairs of boxes, faces or lines", "units"),
    "clusters": ("sources that these come from; without sources each unit is its own", "sources"),
    "method": ("how the interval was made", ""),
    "reason": ("why there is no value, or no interval", ""),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure of agreement, complete in itself; see MEANINGS for its parts."""

    task: str
    measure: str
    raters: tuple[str, ...]
    estimate: Estimate
    level: str = ""
    thing: str = ""
    at: float | None = None
    at_what: str = ""
    lowest: float | None = None
    highest: float | None = None

    def row(self) -> dict[str, str | float | int | None]:
        """As one row with the columns of MEANINGS."""
        pair = len(self.raters) == 2  # noqa: PLR2004
        found = self.estimate
        return {
            "task": self.task,
            "level": self.level,
            "thing": self.thing,
            "measure": self.measure,
            "a": self.raters[0] if pair else " + ".join(self.raters),
            "b": self.raters[1] if pair else "",
            "at": self.at,
            "at_what": self.at_what,
            "value": found.value,
            "low": found.low,
            "high": found.high,
            "confidence": None if found.low is None else found.level,
            "lowest": self.lowest,
            "highest": self.highest,
            "n": found.n,
            "clusters": found.clusters,
            "method": found.method,
            "reason": found.reason,
        }


def find(
    rows: Iterable[Measured],
    measure: str,
    raters: Iterable[str] = (),
    *,
    level: str = "",
    thing: str = "",
    at: float | None = None,
) -> Measured | None:
    """The first row that is this measure, of these raters if any are named."""
    wanted = tuple(raters)
    for row in rows:
        same = (row.measure, row.level, row.thing, row.at) == (measure, level, thing, at)
        if same and (not wanted or row.raters == wanted):
            return row
    return None
