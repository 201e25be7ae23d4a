"""Compare everybody who has answered, task by task. Reads the study; sends and writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from visionhub.analysis.codes import Codes
from visionhub.analysis.compare_tasks import COMPARED, RATINGS
from visionhub.analysis.lonely import lonely, nobody
from visionhub.analysis.part import Part, Wanted
from visionhub.analysis.raters import called, choosable, choose, offers, versions
from visionhub.engine.rehearsal import is_rehearsal
from visionhub.errors import UsageError
from visionhub.schema import Task
from visionhub.store.study import StudyFile

__all__ = ["Comparison", "Part", "Wanted", "compare"]


@dataclass(repr=False)
class Comparison:
    """All that was found, by task.

    about: what identifies how it was made. coders: the people who took part.
    """

    study: str
    rehearsal: bool
    about: dict[str, Any] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    coders: tuple[Codes, ...] = ()

    def __repr__(self) -> str:  # all of it would be a million characters in a notebook
        tasks = ", ".join(f"{part.task} ({len(part.rows):,} measures)" for part in self.parts)
        raters = dict.fromkeys(rater.name for part in self.parts for rater in part.raters)
        mock = ", a rehearsal" if self.rehearsal else ""
        return f"Comparison({self.study}{mock}: {tasks}; of {', '.join(raters)})"


def compare(study: StudyFile, wanted: Wanted) -> Comparison:
    """Compare raters. Raises UsageError when there are no two to compare, or one is not there."""
    unknown = [task for task in wanted.tasks if task not in COMPARED]
    if unknown:
        raise UsageError(f"-t {unknown[0]}: choose among {', '.join(COMPARED)}.")
    _check_raters(study, wanted)
    found = Comparison(study.path.name, is_rehearsal(study), _about(wanted))
    found.coders = tuple(wanted.coders)
    for task in dict.fromkeys(wanted.tasks) or COMPARED:
        part = COMPARED[task](study, wanted)
        if part is not None:
            found.parts.append(part)
        elif wanted.tasks:
            raise UsageError(lonely(study, task, wanted))
    if not found.parts:
        raise UsageError(f"{study.path}: {nobody(wanted)}")
    return found


def _check_raters(study: StudyFile, wanted: Wanted) -> None:
    """Whoever is named has answered for something that is compared; no two have one name."""
    tasks = [Task(task) for task in wanted.tasks or COMPARED if task != RATINGS]
    found = {task: versions(study, task) for task in tasks or [Task.LABELS]}
    for word in wanted.raters:
        if any(offers(mine, word) for mine in found.values()):
            continue
        answered = [task for task, mine in found.items() if choosable(mine, word)]
        task = (answered or list(found))[0]
        choose(found[task], [word], task.value)  # it has the sentence that says what there is
    names = {one.provider for mine in found.values() for one in mine}
    if wanted.raters:
        names = {called(word) for word in wanted.raters}
    twice = next((one.name for one in wanted.coders if one.name in names), None)
    if twice is not None:
        raise UsageError(
            f"--codes: the coder {twice!r} has the name of a provider: write another name into the "
            f"column coder, or call the provider otherwise with --rater NAME={twice}."
        )


def _about(wanted: Wanted) -> dict[str, Any]:
    how, sources = wanted.settings.how, wanted.settings.sources
    return {
        "draws": how.draws,
        "seed": how.seed,
        "confidence": how.level,
        "sources": getattr(sources, "name", "none: each image is its own"),
        "guesses": ", ".join(wanted.sensitive) or "none",
    }
