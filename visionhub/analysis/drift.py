"""The same provider about the same photographs at two times: what has changed, task by task.

Two versions are compared that a user names, or the two most recent ones: collections of kept
answers, revisions, model versions, canaries. Each stays a version of its own; nothing is mixed.
Reads the study; sends and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from visionhub.analysis import drift_versions
from visionhub.analysis.drift_boxes import Boxed
from visionhub.analysis.drift_flips import Flip
from visionhub.analysis.drift_said import Likelihoods, Read
from visionhub.analysis.drift_scores import NEAR, TOLERANCE
from visionhub.analysis.drift_things import Things
from visionhub.analysis.drift_verdict import Verdict, verdict
from visionhub.analysis.drift_versions import Two
from visionhub.analysis.frames import BOX, Answers, read
from visionhub.analysis.measured import Measured
from visionhub.analysis.part import Part
from visionhub.analysis.raters import handle, versions
from visionhub.analysis.scored import WORDS
from visionhub.analysis.settings import Settings
from visionhub.engine.rehearsal import is_rehearsal
from visionhub.errors import UsageError
from visionhub.schema import Task
from visionhub.store.study import StudyFile

NOISE = (
    "A service's answers differ in the last digits whenever it is asked: scores count as moved "
    "beyond a tolerance of {tolerance:g} of the score. Two canaries of one day tell how much it "
    "is; without them small differences cannot be told from noise."
)
LEVELS = (
    "Each piece of evidence is held against the level of the intervals by itself: of several, one "
    "may be a false alarm. The flips of all labels count as one."
)


@dataclass(frozen=True)
class WantedDrift:
    """What to compare.

    provider: "" for all that have two versions. tasks: () for all. raters: two, as `raters.choose`
    takes them, the earlier one first; () for the two most recent. canary: the moment of a canary
    that is compared with the current answers. tolerance: of scores, as a share of the greater.
    """

    provider: str = ""
    tasks: Sequence[str] = ()
    raters: Sequence[str] = ()
    canary: str = ""
    tolerance: float = TOLERANCE
    settings: Settings = field(default_factory=Settings)


@dataclass
class DriftPart(Part):
    """One task of one provider: see `Part`. noise: the same measures of two canaries of one day."""

    noise: list[Measured] = field(default_factory=list)
    verdict: Verdict = field(default_factory=lambda: Verdict(None))

    @property
    def provider(self) -> str:
        """Whose versions these are."""
        return self.raters[0].provider


@dataclass(repr=False)
class Drift:
    """All that was found, by task. about: what identifies how it was made."""

    study: str
    rehearsal: bool
    about: dict[str, Any] = field(default_factory=dict)
    parts: list[DriftPart] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool | None:
        """Whether there is evidence of a change in any task; None where no task can tell."""
        told = [part.verdict.changed for part in self.parts if part.verdict.changed is not None]
        return any(told) if told else None

    def __repr__(self) -> str:  # all of it would be a million characters in a notebook
        tasks = ", ".join(
            f"{part.task} ({part.verdict.words}, {len(part.rows):,} measures)"
            for part in self.parts
        )
        raters = dict.fromkeys(rater.name for part in self.parts for rater in part.raters)
        mock = ", a rehearsal" if self.rehearsal else ""
        return f"Drift({self.study}{mock}: {tasks}; of {', '.join(raters)})"


def drift(study: StudyFile, wanted: WantedDrift) -> Drift:
    """Compare two versions. Raises UsageError when there are no two, or one is not there."""
    for task in wanted.tasks:
        if task not in LOOKS:
            raise UsageError(f"-t {task}: choose among {', '.join(LOOKS)}.")
    found = Drift(study.path.name, is_rehearsal(study), _about(wanted))
    for two in _pairs(study, wanted):
        found.parts.append(_part(study, two, wanted))
    if not found.parts:
        whose = wanted.provider or "any provider"
        raise UsageError(
            f"{study.path}: there are no two versions of {whose} for "
            f"{', '.join(wanted.tasks or LOOKS)} that have images in common. Ask once more with  "
            f"visionhub drift --canary, or import earlier answers."
        )
    found.notes += drift_versions.numbered([part.raters for part in found.parts])
    found.notes += [NOISE.format(tolerance=wanted.tolerance), LEVELS]
    return found


def _about(wanted: WantedDrift) -> dict[str, Any]:
    how, sources = wanted.settings.how, wanted.settings.sources
    return {
        "draws": how.draws,
        "seed": how.seed,
        "confidence": how.level,
        "sources": getattr(sources, "name", "none: each image is its own"),
        "tolerance": wanted.tolerance,
        "near_floor": NEAR,
    }


def _pairs(study: StudyFile, wanted: WantedDrift) -> Iterator[Two]:
    """What is compared with what, in the order of tasks."""
    refused: list[UsageError] = []
    some = False
    for task in wanted.tasks or LOOKS:
        for two in _of_task(study, task, wanted, refused):
            some = True
            yield two
    if refused and (wanted.tasks or not some):
        raise refused[0]


def _of_task(
    study: StudyFile, task: str, wanted: WantedDrift, refused: list[UsageError]
) -> Iterator[Two]:
    if wanted.raters:
        try:
            yield drift_versions.named(study, task, wanted.raters)
        except UsageError as error:  # a task that one of the two was not asked is no fault
            refused.append(error)
        return
    for provider in dict.fromkeys(rater.provider for rater in versions(study, Task(task))):
        if wanted.provider in ("", provider):
            two = (
                drift_versions.since(study, task, provider, wanted.canary)
                if wanted.canary
                else drift_versions.latest(study, task, provider)
            )
            if two is not None:
                yield two


def _part(study: StudyFile, two: Two, wanted: WantedDrift) -> DriftPart:
    part = DriftPart(two.task, (two.before, two.after))
    flips = LOOKS[two.task](study, two, wanted, part)
    other = drift_versions.noise(study, two)
    if other is not None and other.names != two.names:
        lesser = Part(other.task, (other.before, other.after))
        LOOKS[two.task](study, other, wanted, lesser, closely=False)
        part.noise = lesser.rows
        part.notes.append(f"Noise: {other.names[0]} and {other.names[1]}, of one day.")
    part.notes += drift_versions.caveats(study, two)
    part.notes += _others(study, two)
    part.add("statuses", drift_versions.statuses(study, two))
    part.verdict = verdict(
        two,
        drift_versions.common_images(study, two.before, two.after),
        part.rows,
        part.noise,
        flips,
        level=wanted.settings.how.level,
        tolerance=wanted.tolerance,
    )
    return part


def _others(study: StudyFile, two: Two) -> Iterator[str]:
    """Versions that are in the study and not in this comparison."""
    found = versions(study, Task(two.task))
    taken = {(one.question, one.model_version) for one in (two.before, two.after)}
    for one in found:
        if one.provider == two.after.provider and (one.question, one.model_version) not in taken:
            yield (
                f"Not compared: {one.images:,} answers of {one.version}: --rater {one.provider}@"
                f"{handle(one, found)}"
            )


def _answers(
    study: StudyFile, two: Two, table: str, numbers: Sequence[str], words: Sequence[str]
) -> tuple[Answers, Answers]:
    before, after = (
        read(study, one, table, numbers=numbers, words=words) for one in (two.before, two.after)
    )
    return before, after


Named = Sequence[tuple[str, Flip]]


def _closely(part: Part, things: Things, settings: Settings) -> Named:
    """Label by label: a table, and what it is made of."""
    found = things.flips(settings)
    part.add("flips", map(things.flip_row, found))
    return [(things.words.label(flip.thing), flip) for flip in found]


def _things(part: Part, things: Things, wanted: WantedDrift, *, closely: bool) -> Named:
    part.rows += things.measures(wanted.settings, wanted.tolerance)
    if not closely:
        return ()
    part.add("changes", [things.counts()])
    part.add("vocabulary", things.changes())
    part.apart.append(things.apart())
    return _closely(part, things, wanted.settings)


def _labels(
    study: StudyFile, two: Two, wanted: WantedDrift, part: Part, *, closely: bool = True
) -> Named:
    answers = _answers(study, two, "labels", ("score",), ("name", "vendor_id"))
    return _things(part, Things.of("labels", *answers), wanted, closely=closely)


def _boxes(
    study: StudyFile, two: Two, wanted: WantedDrift, part: Part, *, closely: bool = True
) -> Named:
    words = ("name", "vendor_id") if two.task == "objects" else ()
    answers = _answers(study, two, two.task, (*BOX, "score"), words)
    boxed = Boxed.of(two.task, *answers)
    part.rows += boxed.measures(wanted.settings, wanted.tolerance)
    if not closely:
        return ()
    part.add("changes", [boxed.counts()])
    part.apart.append(boxed.apart())
    if not words:
        return ()
    things = Things.of("objects", *answers)
    part.add("vocabulary", things.changes())
    return _closely(part, things, wanted.settings)


def _text(
    study: StudyFile, two: Two, wanted: WantedDrift, part: Part, *, closely: bool = True
) -> Named:
    found = Read.of(*_answers(study, two, "text_lines", ("score",), ("text", "level")))
    part.rows += found.measures(wanted.settings)
    if not closely:
        return ()
    part.apart.append(found.apart())
    return _closely(part, found.presence(), wanted.settings)


def _safe_search(
    study: StudyFile, two: Two, wanted: WantedDrift, part: Part, *, closely: bool = True
) -> Named:
    answers = _answers(study, two, "safe_search", ("score",), ("category", "score_word"))
    if {two.before.scale, two.after.scale} != {WORDS}:
        things = Things.of("safe_search", *answers, name="category", vendor_id="")
        return _things(part, things, wanted, closely=closely)
    found = Likelihoods.of(*answers)
    part.rows += found.measures(wanted.settings)
    if not closely:
        return ()
    part.add("transitions", found.transitions())
    return _closely(part, found.likely(), wanted.settings)


LOOKS: Mapping[str, Callable[..., Named]] = {
    "labels": _labels,
    "objects": _boxes,
    "faces": _boxes,
    "text": _text,
    "safe_search": _safe_search,
}
