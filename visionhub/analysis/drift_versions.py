"""Which two versions of a provider are laid side by side, and what else differs between them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from visionhub.analysis.raters import Rater, choose, handle, versions
from visionhub.errors import UsageError
from visionhub.schema import Task
from visionhub.store.study import StudyFile

PAIR = 2
IMPORTED = "imported "
GUESSES = "attributes"  # a parameter that adds guesses about faces, and changes nothing else
_ANSWERED = (
    "SELECT r.image_id FROM requests r LEFT JOIN bodies b ON b.id = r.body_id WHERE r.question_id "
    "= ? AND coalesce(b.model_version, '') = ? AND r.status IN ('observed', 'truncated', "
    "'below_floor')"
)
_COMMON = f"SELECT count(*) FROM ({_ANSWERED} INTERSECT {_ANSWERED})"  # noqa: S608 (no value in it)
_BOTH = (  # the latest request of each about an image
    "WITH a AS (SELECT image_id, max(id) AS id FROM requests WHERE question_id = ? GROUP BY 1), "
    "b AS (SELECT image_id, max(id) AS id FROM requests WHERE question_id = ? GROUP BY 1) "
)
_STATUSES = _BOTH + (  # noqa: S608 (no value in it)
    "SELECT x.status, y.status, count(*) FROM a JOIN b ON b.image_id = a.image_id JOIN requests x "
    "ON x.id = a.id JOIN requests y ON y.id = b.id GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
)
_SENT = _BOTH + (  # noqa: S608
    "SELECT count(*) FROM a JOIN b ON b.image_id = a.image_id JOIN requests x ON x.id = a.id JOIN "
    "requests y ON y.id = b.id JOIN renderings m ON m.id = x.rendering_id JOIN renderings n ON "
    "n.id = y.rendering_id WHERE m.sha256 != n.sha256"
)
_CLIENTS = (
    "SELECT DISTINCT b.client FROM requests r JOIN bodies b ON b.id = r.body_id WHERE "
    "r.question_id = ? AND coalesce(b.model_version, '') = ? AND b.client IS NOT NULL ORDER BY 1"
)


@dataclass(frozen=True, slots=True)
class Two:
    """Two versions of one provider for one task, as a rule the earlier one first."""

    task: str
    before: Rater
    after: Rater

    @property
    def names(self) -> tuple[str, str]:
        """What they are called."""
        return self.before.name, self.after.name

    @property
    def one_day(self) -> bool:
        """Whether both are canaries of one day, so that what differs is noise."""
        days = {self.before.canary[:10], self.after.canary[:10]}
        return len(days) == 1 and "" not in days

    @property
    def imported(self) -> tuple[bool, bool]:
        """Which of the two came from answers that somebody had kept."""
        first, second = self.before, self.after
        return first.revision.startswith(IMPORTED), second.revision.startswith(IMPORTED)

    @property
    def parameters(self) -> dict[str, tuple[Any, Any]]:
        """Parameters that are known of both and differ."""
        if any(self.imported):
            return {}
        return _differing(self.before, self.after)


def _differing(one: Rater, other: Rater) -> dict[str, tuple[Any, Any]]:
    mine, theirs = json.loads(one.parameters), json.loads(other.parameters)
    names = sorted((mine.keys() | theirs.keys()) - {GUESSES})
    return {n: (mine.get(n), theirs.get(n)) for n in names if mine.get(n) != theirs.get(n)}


def named(study: StudyFile, task: str, words: Sequence[str]) -> Two:
    """The two that a user named, in that order. UsageError for what fits none, or two providers."""
    if len(words) != PAIR:
        raise UsageError("--rater: name two versions of one provider, the earlier one first.")
    before, after = choose(versions(study, Task(task)), words, task).raters
    if before.provider != after.provider:
        raise UsageError(
            f"--rater: {before.provider} and {after.provider} are two providers: see  visionhub "
            f"compare."
        )
    return Two(task, before, after)


def latest(study: StudyFile, task: str, provider: str) -> Two | None:
    """The two most recent versions that have images in common; None where there are no two.

    Of versions that a version can be laid beside, those come first that were asked the same.
    """
    found = versions(study, Task(task))
    mine = [rater for rater in found if rater.provider == provider]
    mine.sort(key=lambda rater: (rater.last, rater.canary, rater.question), reverse=True)
    for place, after in enumerate(mine):
        for before in sorted(mine[place + 1 :], key=lambda one: not _alike(one, after)):
            if common_images(study, before, after):
                return _two(task, before, after, found)
    return None


def since(study: StudyFile, task: str, provider: str, canary: str) -> Two | None:
    """A canary, after the version that most of the current answers are of; else the one before it.

    canary: its moment. None where it has nothing in common with any other.
    """
    found = versions(study, Task(task))
    mine = [rater for rater in found if rater.provider == provider]
    after = [rater for rater in mine if rater.canary == canary]
    others = [rater for rater in mine if rater.canary != canary]
    others.sort(key=lambda rater: (not rater.canary, rater.current, rater.last), reverse=True)
    for again in sorted(after, key=lambda rater: -rater.images):
        for before in others:
            if common_images(study, before, again):
                return _two(task, before, again, found)
    return None


def noise(study: StudyFile, two: Two) -> Two | None:
    """Two canaries of one day that asked what these two asked: what differs between is noise."""
    found = versions(study, Task(two.task))
    alike = [r for r in found if r.canary and r.provider == two.after.provider]
    alike = [r for r in alike if _alike(r, two.after) and r.requested == two.after.requested]
    alike.sort(key=lambda rater: rater.canary, reverse=True)
    for place, after in enumerate(alike):
        for before in alike[place + 1 :]:
            pair = _two(two.task, before, after, found)
            if pair.one_day and common_images(study, before, after):
                return pair
    return None


def _alike(one: Rater, other: Rater) -> bool:
    """Whether both were asked the same, as far as is known."""
    if one.revision.startswith(IMPORTED) or other.revision.startswith(IMPORTED):
        return one.revision.startswith(IMPORTED) == other.revision.startswith(IMPORTED)
    return not _differing(one, other)


def _two(task: str, before: Rater, after: Rater, found: Sequence[Rater]) -> Two:
    named = (replace(r, name=f"{r.provider}@{handle(r, found)}") for r in (before, after))
    return Two(task, *named)


def common_images(study: StudyFile, one: Rater, other: Rater) -> int:
    """How many images both have answered for."""
    values = (one.question, one.model_version, other.question, other.model_version)
    return int(study.query(_COMMON, values).rows[0][0])


def clients(study: StudyFile, rater: Rater) -> str:
    """The SDKs that received its answers, with their versions."""
    rows = study.query(_CLIENTS, (rater.question, rater.model_version)).rows
    return ", ".join(row[0] for row in rows)


def statuses(study: StudyFile, two: Two) -> list[dict[str, Any]]:
    """How requests about the same images ended, then and now: rows with a number of images."""
    if two.before.question == two.after.question:
        return []
    rows = study.query(_STATUSES, (two.before.question, two.after.question)).rows
    pair = {"a": two.names[0], "b": two.names[1]}
    return [{**pair, "status_a": a, "status_b": b, "images": n} for a, b, n in rows]


def numbered(pairs: Sequence[Sequence[Rater]]) -> Iterator[str]:
    """What the number in a version's name is, where one is called by it."""
    for rater in (one for pair in pairs for one in pair):
        if f"q{rater.question}" in rater.name.split("@"):
            yield (
                f"{rater.name}: q{rater.question} is the number of a question in this study: one "
                f"task, asked of one version with one set of parameters."
            )
            return


def caveats(study: StudyFile, two: Two) -> Iterator[str]:
    """What a reader has to know before a difference is put down to the service."""
    for name, (then, now) in two.parameters.items():
        yield f"Another question: {name} was {then} and is {now}. What differs may come from that."
    for rater, imported in zip((two.before, two.after), two.imported, strict=True):
        if imported:
            yield (
                f"{rater.name}: kept answers; which parameters they were asked with, and which "
                f"bytes were sent, is not known."
            )
    if not any(two.imported) and two.before.question != two.after.question:
        questions = (two.before.question, two.after.question)
        if other := int(study.query(_SENT, questions).rows[0][0]):
            yield f"{other:,} images were sent as other bytes then and now (other limits)."
    if two.before.scale != two.after.scale:
        yield f"Scores were on another scale: {two.before.scale}, now {two.after.scale}."
    if two.one_day:
        yield "Both are canaries of one day: what differs is the service's own noise."
