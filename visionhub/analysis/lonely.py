"""Why there is nobody to compare: whom the user named, and what the codes are of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from visionhub.analysis.codes import Codes
from visionhub.analysis.compare_tasks import RATINGS
from visionhub.analysis.part import Wanted
from visionhub.analysis.raters import called, offers, versions
from visionhub.schema import Task
from visionhub.store.study import StudyFile


def lonely(study: StudyFile, task: str, wanted: Wanted) -> str:
    """A sentence about one task that has not two raters."""
    if task == RATINGS:
        return f"-t {task}: {_no_ratings(wanted.coders)}."
    found = versions(study, Task(task))
    named = [called(word) for word in wanted.raters if offers(found, word)]
    there = named or ([] if wanted.raters else [one.provider for one in found])
    who = ", ".join(dict.fromkeys(there)) or "nobody"
    whose = " of those that --rater names" if wanted.raters else ""
    codes = "".join(f"; {reason}" for reason in _other_codes(task, wanted.coders))
    return f"-t {task}: two raters are needed, and{whose} {who} has answered{codes}."


def nobody(wanted: Wanted) -> str:
    """A sentence about all tasks, none of which has two raters."""
    more = "give codes with --codes, or name two versions with --rater"
    names = dict.fromkeys(map(called, wanted.raters))
    if len(names) == 1 and not wanted.coders:
        return f"--rater names {next(iter(names))} alone: name another rater beside it, {more}."
    of = " of those that --rater names" if names else ""
    return (
        f"no task has answers of two raters{of}. Ask another provider with  visionhub annotate, "
        f"{more}."
    )


def _no_ratings(coders: Sequence[Codes]) -> str:
    if not any(one.ratings for one in coders):
        return "give numbers that people coded, other than 0 and 1, with --codes"
    return (
        "numbers of two coders are needed, or of one and the scores that providers give to a "
        "construct of --codebook with the same name"
    )


def _other_codes(task: str, coders: Sequence[Codes]) -> Iterator[str]:
    """Why the codes that were given are none for the task."""
    if task not in ("labels", "objects"):
        if coders:
            yield "codes are compared for labels, objects and ratings only"
        return
    boxed = [one for one in coders if one.boxed.any()]
    if task == "objects":
        if coders and not boxed:
            yield "the codes have no boxes"
        return
    numbers = sorted({name for one in coders for name in one.ratings & set(one.labels)})
    mute = ", ".join(one.name for one in coders if not one.of_images)
    if mute and numbers:
        yield (
            f"the codes of {mute} are ratings, for a number other than 0 and 1 was given for "
            f"{', '.join(numbers[:3])}: -t ratings compares them"
        )
    elif mute:
        yield f"the codes of {mute} are not about whole images"
