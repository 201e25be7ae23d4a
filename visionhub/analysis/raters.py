"""Who answered: a provider at one revision, with one set of parameters, at one model version.

Two versions of one provider are two raters. A study that holds several for a task is compared by
the one that has most current answers; the others are named, never mixed in, and can be chosen. A
canary, which asked about a few images once more, is a version too, and is taken only when named.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from visionhub.errors import UsageError
from visionhub.schema import Task
from visionhub.store.study import StudyFile

CODER = "coder"

_VERSIONS = """
SELECT q.id, q.provider, q.revision, q.parameters, q.scale, q.vocabulary, q.floor, q.max_results,
  coalesce(b.model_version, ''), count(DISTINCT r.image_id), sum(s.request_id IS NOT NULL),
  min(b.received_at), max(b.received_at), coalesce(c.asked_at, ''), coalesce(c.revision, q.revision)
FROM questions q JOIN requests r ON r.question_id = q.id LEFT JOIN bodies b ON b.id = r.body_id
LEFT JOIN status s ON s.request_id = r.id LEFT JOIN canaries c ON c.question_id = q.id
WHERE q.task = ? AND r.status IN ('observed', 'truncated', 'below_floor')
GROUP BY q.id, coalesce(b.model_version, '') ORDER BY q.provider, q.id
"""


@dataclass(frozen=True, slots=True)
class Rater:
    """One who rates images: a provider's version, or a human coder (then `question` is 0).

    images: how many it has answered for; current: how many of these answers are the study's current
    ones. first, last: when answers came (UTC). floor and max_results as in `questions`. canary: the
    moment of a canary, empty for all others; requested: the revision without it.
    """

    name: str
    provider: str
    question: int
    revision: str = ""
    model_version: str = ""
    parameters: str = "{}"
    scale: str = ""
    vocabulary: str = ""
    floor: float | None = None
    max_results: int | None = None
    images: int = 0
    current: int = 0
    first: str = ""
    last: str = ""
    canary: str = ""
    requested: str = ""

    @property
    def human(self) -> bool:
        """Whether it is a coder."""
        return self.provider == CODER

    @property
    def version(self) -> str:
        """Everything that tells it from other versions of the same provider, for people."""
        parts = [self.revision, self.model_version and f"model {self.model_version}"]
        return ", ".join(part for part in parts if part)


def versions(study: StudyFile, task: Task) -> list[Rater]:
    """Every version of every provider that has answered for a task."""
    found = []
    for (
        number,
        provider,
        revision,
        parameters,
        scale,
        words,
        floor,
        most,
        model,
        *rest,
    ) in study.query(_VERSIONS, (task.value,)).rows:
        images, current, first, last, canary, requested = rest
        found.append(
            Rater(
                provider,
                provider,
                number,
                revision,
                model,
                parameters,
                scale,
                words or provider,
                floor,
                most,
                images,
                current or 0,
                first or "",
                last or "",
                canary,
                requested,
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Chosen:
    """The raters of one comparison, and what a reader has to know about those left out."""

    raters: tuple[Rater, ...]
    notes: tuple[str, ...] = ()


def choose(found: Sequence[Rater], wanted: Iterable[str] = (), task: str = "") -> Chosen:
    """Pick raters by what a user typed, or of each provider the version with most current answers.

    wanted: `provider`, or `provider@part@…` with parts of its revision, model version, parameters,
    or q and the number of its question; each perhaps as `name=…`. UsageError for what fits none.
    """
    words = list(wanted)
    if words:
        named = [_named(found, word, task) for word in words]
        return Chosen(_distinct(named), _left_out(found, named, task))
    regular = [rater for rater in found if not rater.canary]
    usual = [_usual(mine) for mine in _by_provider(regular).values()]
    return Chosen(tuple(usual), _left_out(found, usual, task))


def _by_provider(found: Iterable[Rater]) -> dict[str, list[Rater]]:
    mine: dict[str, list[Rater]] = {}
    for rater in found:
        mine.setdefault(rater.provider, []).append(rater)
    return mine


def _usual(mine: Sequence[Rater]) -> Rater:
    return max(mine, key=lambda r: (not r.canary, r.current, r.images, r.last))


def _named(found: Sequence[Rater], word: str, task: str) -> Rater:
    name, provider, parts = _read(word)
    mine = [rater for rater in found if rater.provider == provider]
    if not mine:
        raise UsageError(f"--rater {word}: {_unknown(found, provider, task)}")
    fitting = [rater for rater in mine if _fits(rater, parts)] if parts else [_usual(mine)]
    if len(fitting) > 1:  # a canary's revision begins as that of what it asked again
        fitting = [rater for rater in fitting if not rater.canary] or fitting
    if len(fitting) != 1:
        several = "; ".join(
            f"{provider}@{handle(rater, found)} ({rater.version})" for rater in mine
        )
        which = "fits several versions" if fitting else "fits no version"
        raise UsageError(f"--rater {word}: {which} of {provider} for {task}. There are: {several}.")
    return replace(fitting[0], name=name)


def _unknown(found: Sequence[Rater], provider: str, task: str) -> str:
    """Who has answered, where the one that was named has not; and who may have been meant."""
    names = list(dict.fromkeys(rater.provider for rater in found))
    have = "have" if len(names) > 1 else "has"
    near = get_close_matches(provider, names, 1)
    meant = f" Did you mean {near[0]}?" if near else ""
    known = ", ".join(names) or "nobody"
    return f"{provider} has not answered for {task}; {known} {have}.{meant}"


def offers(found: Iterable[Rater], word: str) -> bool:
    """Whether a version fits what a user typed."""
    _, provider, parts = _read(word)
    return any(rater.provider == provider and _fits(rater, parts) for rater in found)


def choosable(found: Iterable[Rater], word: str) -> bool:
    """Whether the provider that a user typed has answered at all."""
    return any(rater.provider == _read(word)[1] for rater in found)


def called(word: str) -> str:
    """The name that a rater is to have."""
    return _read(word)[0]


def _read(word: str) -> tuple[str, str, list[str]]:
    """What a rater is to be called, its provider, and parts of its version."""
    alias, equals, rest = word.partition("=")
    spec = rest if equals else word
    provider, *parts = spec.split("@")
    name = alias if equals else spec
    if not name.strip() or not provider:
        raise UsageError(f"--rater {word}: write it as PROVIDER, PROVIDER@PART or NAME=PROVIDER.")
    return name, provider, parts


def _fits(rater: Rater, parts: Sequence[str]) -> bool:
    texts = (rater.revision, rater.model_version, rater.parameters)
    return all(part == f"q{rater.question}" or any(part in t for t in texts) for part in parts)


def _distinct(raters: Sequence[Rater]) -> tuple[Rater, ...]:
    names = [rater.name for rater in raters]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"--rater: two raters are called {name}: name them, as in a={name}.")
    met: dict[tuple[int, str], str] = {}
    for one in raters:
        same = met.setdefault((one.question, one.model_version), one.name)
        if same != one.name:
            raise UsageError(
                f"--rater: {same} and {one.name} are the very same answers: name another version."
            )
    return tuple(raters)


def _left_out(found: Sequence[Rater], chosen: Sequence[Rater], task: str) -> tuple[str, ...]:
    taken = {(rater.question, rater.model_version) for rater in chosen}
    providers = {rater.provider for rater in chosen}
    return tuple(
        f"{task}: {rater.provider} has {rater.images:,} answers {_whose(rater)}, which are not "
        f"mixed in: --rater {rater.provider}@{handle(rater, found)} compares them "
        f"({rater.version}{_differing(rater, chosen)})."
        for rater in found
        if rater.provider in providers and (rater.question, rater.model_version) not in taken
    )


def _whose(rater: Rater) -> str:
    return f"of a canary of {rater.canary}" if rater.canary else "of another version"


def handle(rater: Rater, found: Sequence[Rater]) -> str:
    """The shortest way to name a version."""
    same = [other for other in found if other.provider == rater.provider]
    for part in (rater.canary, rater.revision.removeprefix("imported "), rater.model_version):
        if part and " " not in part and sum(_fits(other, [part]) for other in same) == 1:
            return part
    sole = sum(other.question == rater.question for other in same) == 1
    return f"q{rater.question}" if sole else f"q{rater.question}@{rater.model_version}"


def _differing(rater: Rater, chosen: Sequence[Rater]) -> str:
    """The parameters in which a version differs from the chosen one of its provider."""
    other = next(one for one in chosen if one.provider == rater.provider)
    mine, theirs = json.loads(rater.parameters), json.loads(other.parameters)
    changed = [name for name in sorted(mine) if mine[name] != theirs.get(name)]
    return "".join(f", {name}={mine[name]}" for name in changed)
