"""What is asked of an import of earlier answers, what is checked of it first, and its counts."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from visionhub import registry
from visionhub.engine.documents import rows
from visionhub.engine.lists import is_table
from visionhub.engine.matching import compiled
from visionhub.engine.plan import sensitive_of
from visionhub.engine.sources import Sources, shown
from visionhub.errors import UsageError
from visionhub.provider import Provider, TaskSpec, Value, canonical
from visionhub.schema import Task
from visionhub.store.items import Question

UNDATED = "the files' time of change"
"""Where the date of an answer is from that is not known: copying a file may change it."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """Which earlier answers are to be imported, as users say it.

    answers, images: files and folders. collection: its name, that of the folder unless given.
    tasks: what the answers had been asked for; empty: what they say something about.
    match: a table of answers and images. pattern: how the answers' files are named.
    received: the day on which answers came that do not tell. sensitive: words, as in `annotate`.
    """

    provider: str
    answers: tuple[str, ...]
    images: tuple[str, ...]
    collection: str | None = None
    tasks: tuple[str, ...] = ()
    match: str | None = None
    pattern: str | None = None
    received: str | None = None
    sensitive: tuple[str, ...] = ()

    def said(self) -> dict[str, Any]:
        """What was asked for, ready for JSON."""
        paths = {"answers": self.answers, "images": self.images}
        plain = {name: [shown(path) for path in found] for name, found in paths.items()}
        match = shown(self.match) if self.match is not None else None
        return {**asdict(self), **plain, "match": match}


@dataclass(repr=False)
class Imported:
    """Counts of an import. `ended` and `held` count by task, `ended` by status too.

    replaced: answers in place of the one that was current. older, undated: answers that are not
    current, because the one that is came later, or because it is not known when they came.
    """

    collection: str = ""
    documents: int = 0
    answers: int = 0  # found in the documents
    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    results: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    dates: Counter[str] = field(default_factory=Counter)  # of what is stored: where they are from
    replaced: int = 0
    older: int = 0
    undated: int = 0
    reasons: Counter[str] = field(default_factory=Counter)  # of what is not imported
    interrupted: bool = False

    @property
    def lost(self) -> int:
        """How much is not imported, or imported without being understood."""
        return sum(self.reasons.values())

    def __repr__(self) -> str:
        new, held = sum(self.ended.values()), sum(self.held.values())
        return f"Imported({new} answers, {held} held already, {self.lost} not imported)"

    def summary(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        tasks = dict.fromkeys([*(task for task, _ in self.ended), *self.held])
        return {
            "collection": self.collection,
            "documents": self.documents,
            "answers": self.answers,
            "imported": sum(self.ended.values()),
            "held": sum(self.held.values()),
            "not_imported": self.lost,
            "interrupted": self.interrupted,
            "tasks": [
                {
                    "task": task,
                    "held": self.held[task],
                    "results": self.results[task],
                    "statuses": {s: n for (t, s), n in self.ended.items() if t == task},
                }
                for task in tasks
            ],
            "dates_from": dict(self.dates),
            "current": {
                "replaced": self.replaced,
                "not_newer": self.older,
                "not_dated": self.undated,
            },
            "reasons": dict(self.reasons.most_common()),
            "unknown_members": dict(self.unknown),
        }


@dataclass(frozen=True, slots=True)
class Ready:
    """What can be checked before anything is read: the provider and its questions.

    asked: the tasks that the user named; empty for those of each answer. closed: tasks that name
    or match people, and were not asked for by name.
    """

    provider: Provider
    collection: str
    questions: dict[Task, Question]
    asked: tuple[Task, ...]
    closed: frozenset[Task]
    received: str | None


def ready(asked: Earlier) -> Ready:
    """Check what was asked; UsageError, UnknownProvider."""
    provider = registry.get(asked.provider)
    if type(provider).adopt is Provider.adopt:
        raise UsageError(f"--provider {provider.name}: it reads no earlier answers.")
    _check_files(asked)
    tasks = tuple(_task(name, provider) for name in dict.fromkeys(asked.tasks))
    offered = {name for task in provider.tasks for name in sensitive_of(provider, task)}
    for name in asked.sensitive:
        if name not in offered:
            known = ", ".join(sorted(offered)) or "nothing sensitive"
            raise UsageError(f"--sensitive {name}: {provider.name} offers {known}.")
    collection = asked.collection or _collection(asked.answers)
    questions = {
        task: _question(provider.name, task, spec, collection, asked.sensitive)
        for task, spec in provider.tasks.items()
    }
    gated = (task for task, spec in provider.tasks.items() if spec.gated)
    closed = frozenset(task for task in gated if task.value not in asked.sensitive)
    return Ready(provider, collection, questions, tasks, closed, _day(asked.received))


def _check_files(asked: Earlier) -> None:
    """UsageError when something that is named is not there, or is no table that can be used."""
    for path in asked.answers:
        if not os.path.lexists(path):
            raise UsageError(f"{shown(path)}: no such file or folder")
    Sources.of(asked.images).check()
    if asked.match and not os.path.isfile(asked.match):  # noqa: PTH113 - bytes of any encoding
        raise UsageError(f"--match {shown(asked.match)}: there is no such file.")
    tables = [path for path in asked.answers if is_table(path)]
    for path in (*tables, *([asked.match] if asked.match else [])):
        for _ in rows(path):
            break
    if asked.pattern:
        compiled(asked.pattern)


def _task(name: str, provider: Provider) -> Task:
    known = [task.value for task in provider.tasks]
    if name not in known:
        raise UsageError(f"-t {name}: {provider.name} offers {', '.join(known)}.")
    return Task(name)


def _collection(answers: Sequence[str]) -> str:
    """The name of the folder that all answers lie in."""
    paths = [Path(os.path.realpath(path)) for path in answers]
    names = {path.name if path.is_dir() else path.parent.name for path in paths}
    if len(names) != 1 or "" in names:
        found = ", ".join(sorted(names - {""})) or "none"
        raise UsageError(f"--collection: name the collection; the answers' folders are: {found}.")
    return shown(names.pop())


def _question(
    provider: str, task: Task, spec: TaskSpec, collection: str, sensitive: Sequence[str]
) -> Question:
    """What had been asked then: floor and maximum are not known."""
    parameters: dict[str, Value] = {"collection": collection}
    if attributes := sorted(set(spec.sensitive) & set(sensitive)):
        parameters["attributes"] = attributes
    kept = TaskSpec(spec.scale, spec.vocabulary)
    return Question(provider, task, f"imported {collection}", canonical(parameters), kept)


def _day(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--date {text}: write it as YYYY-MM-DD.") from None
    if day > max(date.today(), datetime.now(UTC).date()):  # noqa: DTZ011 - the user's own day
        raise UsageError(f"--date {text}: that day is still to come; give the day they came.")
    return f"{day.isoformat()}T00:00:00Z"
