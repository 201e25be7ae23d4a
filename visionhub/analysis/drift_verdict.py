"""Whether a provider's answers have changed: yes only with the evidence named.

Answers of a service differ a little whenever it is asked; so there is no "unchanged", only "no
evidence of a change". What two canaries of one day differ by is that noise; where it is not known,
a share of 5 % is taken for it.

Evidence is, each at the level of the intervals: another model or version, as asked for or as
reported; labels that flip in one direction (Holm over all of them); scores, or numbers of things,
that rose or fell on average; changes far from the floor, renamed or moved boxes, other text, more
than the noise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from visionhub.analysis.drift_flips import Flip
from visionhub.analysis.drift_versions import IMPORTED, Two
from visionhub.analysis.estimate import Estimate
from visionhub.analysis.measured import Measured
from visionhub.analysis.resample import FEW
from visionhub.provider import NOT_REPORTED

NAMED = 5
DIRECTED = {
    "score_shift_mean": "scores moved on average",
    "net_per_image": "things gained less those lost, an image",
}
ASSUMED = 0.05  # the most that is taken for noise where it is not known
# Measures that rise with change, what each says, and whether it counts where no noise is known.
RISING = {
    "changed_far_from_floor": (
        "share of images where something far from the floor came or went",
        1,
    ),
    "scores_moved": ("share of scores that moved beyond the tolerance", 0),
    "boxes_moved": ("share of boxes that lie elsewhere", 1),
    "renamed": ("share of boxes that are called otherwise", 1),
    "character_error_rate": ("share of characters that differ", 1),
    "raised": ("share of words that rose", 0),
    "lowered": ("share of words that fell", 0),
}
ONE_DAY = "both are canaries of one day: this is the noise itself"
NOTHING = "no image has answers of both"


@dataclass(frozen=True, slots=True)
class Verdict:
    """changed: None where it cannot be told. evidence: sentences.

    reason: why it cannot be told, or what differs and is no evidence.
    """

    changed: bool | None
    evidence: tuple[str, ...] = ()
    reason: str = ""

    @property
    def words(self) -> str:
        """In short."""
        if self.changed is None:
            return "cannot be told"
        return "changed" if self.changed else "no evidence of a change"


def verdict(
    two: Two,
    images: int,
    rows: Sequence[Measured],
    noise: Sequence[Measured],
    flips: Sequence[tuple[str, Flip]],
    *,
    level: float,
    tolerance: float,
) -> Verdict:
    """Put together what speaks for a change. flips: with the name of each label."""
    if not images:
        return Verdict(None, reason=NOTHING)
    floor = {(row.measure, row.thing, row.at): row.estimate for row in noise}
    evidence = (
        *_told(two),
        *_flipped(flips, 1 - level),
        *_shifted(rows, floor, tolerance),
        *_risen(rows, floor),
    )
    if two.one_day:
        return Verdict(None, evidence, ONE_DAY)
    if two.parameters:
        names = ", ".join(two.parameters)
        return Verdict(None, evidence, f"another question was asked ({names})")
    return Verdict(bool(evidence), evidence, "" if evidence else _uncounted(rows))


def _told(two: Two) -> Iterator[str]:
    """What the provider, or the study, says itself."""
    then, now = two.before.requested, two.after.requested
    if then != now and not any(one.startswith(IMPORTED) for one in (then, now)):
        yield f"another model was asked for: {then}, now {now}"
    models = (two.before.model_version, two.after.model_version)
    if models[0] != models[1] and not {"", NOT_REPORTED} & set(models):
        yield f"the provider reports another model version: {models[0]}, now {models[1]}"


def _flipped(flips: Iterable[tuple[str, Flip]], alpha: float) -> Iterator[str]:
    tested = [(name, flip) for name, flip in flips if flip.holm is not None]
    sure = [(name, flip) for name, flip in tested if (flip.holm or 0.0) < alpha]
    if sure:
        names = [f"{name} ({flip.gained:+d}, {-flip.lost:+d})" for name, flip in sure[:NAMED]]
        more = ", …" if len(sure) > NAMED else ""
        are = "is" if len(sure) == 1 else "are"
        yield (
            f"{len(sure)} of {len(tested)} labels that flipped {are} given of more, or of fewer, "
            f"images (Holm-adjusted p < {alpha:.2g}): {', '.join(names)}{more}"
        )


def _shifted(
    rows: Iterable[Measured],
    floor: dict[tuple[str, str, float | None], Estimate],
    tolerance: float,
) -> Iterator[str]:
    for row in rows:
        ends = _sure(row.estimate)
        if row.measure not in DIRECTED or ends is None or ends[0] <= 0 <= ends[1]:
            continue
        usual = floor.get((row.measure, row.thing, row.at))
        least = max(tolerance, *map(abs, _ends(usual)))
        value = row.estimate.value or 0.0
        if abs(value) > least:
            yield f"{DIRECTED[row.measure]}: {value:+.3g}{_interval(row.estimate)}"


def _risen(
    rows: Iterable[Measured], floor: dict[tuple[str, str, float | None], Estimate]
) -> Iterator[str]:
    for row in rows:
        words, without_noise = RISING.get(row.measure, ("", 0))
        usual = floor.get((row.measure, row.thing, row.at))
        known = usual is not None and usual.estimable
        ends = _sure(row.estimate)
        if not words or ends is None or not (known or without_noise):
            continue
        least = max(_ends(usual)) if known else ASSUMED
        if ends[0] > least:
            of = f" ({row.thing})" if row.thing else ""
            above = f", above {least:.2g}, {'the noise of one day' if known else 'taken for noise'}"
            value = row.estimate.value or 0.0
            yield f"{words}{of}: {value:.3g}{_interval(row.estimate)}{above}"


def _uncounted(rows: Iterable[Measured]) -> str:
    """What differs, where none of it is evidence: or a reader finds it in the table below."""
    some = [
        f"{RISING[row.measure][0]}{f' ({row.thing})' if row.thing else ''} "
        f"{row.estimate.value:.2g}{_interval(row.estimate)}"
        for row in rows
        if row.measure in RISING and row.estimate.value
    ]
    more = ", …" if len(some) > NAMED else ""
    what = f"what differs is within the noise, or too uncertain: {', '.join(some[:NAMED])}{more}"
    return what if some else ""


def _sure(found: Estimate) -> tuple[float, float] | None:
    """The interval; the value itself where it is the same in enough units to have none.

    Enough boxes and enough images: one box that moved, among forty images, is none.
    """
    if found.value is None or (found.low is None and min(found.n, found.clusters) < FEW):
        return None
    return _ends(found)


def _ends(usual: Estimate | None) -> tuple[float, float]:
    """An interval, or the value where there is none; 0 for nothing."""
    if usual is None or usual.value is None:
        return 0.0, 0.0
    if usual.low is None or usual.high is None:
        return usual.value, usual.value
    return usual.low, usual.high


def _interval(found: Estimate) -> str:
    if found.low is None or found.high is None:
        return ""
    return f" [{found.low:.3g}, {found.high:.3g}]"
