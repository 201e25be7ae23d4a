"""A fixed set of a study's photographs is asked about again, now, apart from all other answers.

The set is chosen once for each provider: images that it has answered about and whose file is still
there, in the order of their hashes, which nobody chose and which is the same everywhere. What is
asked is what most current answers are to, under a revision that ends in the moment. All else (the
quote, consent, cap, ledger, retries) is that of any run: `prepare` only makes its Ask and Sources.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from visionhub import registry
from visionhub.engine.plan import DEFAULT_TASKS, Ask, is_service, plan
from visionhub.engine.progress import Progress
from visionhub.engine.rehearsal import is_rehearsal
from visionhub.engine.sources import Sources, shown
from visionhub.errors import UnreadableImage, UsageError
from visionhub.files import read
from visionhub.images import sha256_of
from visionhub.provider import Provider, Value
from visionhub.schema import Task
from visionhub.store import canaries
from visionhub.store.items import Beside, Question, now
from visionhub.store.study import StudyFile

SIZE = 50
DAY = timedelta(days=1)  # for which a canary that was cut off is gone on with
TICK = 0.05  # seconds


@dataclass(frozen=True)
class Canary:
    """A set that is ready to be asked about.

    ask, files: as for any run; `ask.canary` is the moment. images: how many the set has. left_out:
    (path, why) of photographs whose file is gone or is another one. goes_on: an earlier canary
    that was cut off is asked to its end.
    """

    ask: Ask
    files: Sources
    images: int
    left_out: tuple[tuple[str, str], ...]
    goes_on: bool = False

    @property
    def provider(self) -> str:
        """Who is asked."""
        return self.ask.providers[0]

    def summary(self) -> dict[str, Any]:
        """Everything that a reader wants to know, ready for JSON."""
        return {
            "provider": self.provider,
            "asked_at": self.ask.canary,
            "tasks": list(self.ask.tasks),
            "images": self.images,
            "goes_on": self.goes_on,
            "left_out": [{"path": path, "reason": why} for path, why in self.left_out],
        }


def prepare(study: Path, ask: Ask, size: int | None = None) -> Canary:
    """Choose the set, or take the one that was chosen; what is asked about it, and when.

    ask: one provider; no tasks are all that it has answered. size: of a set that is chosen now.
    Raises UsageError where there is nothing to ask about, and what `plan` and StudyFile raise.
    """
    if len(set(ask.providers)) != 1:
        raise UsageError("--canary: name one provider with -p: each has a set of its own.")
    name = ask.providers[0]
    with StudyFile(study) as opened:
        provider, usual = registry.get(name), canaries.usual(opened, name)
        _check_rehearsal(opened, ask, provider)
        asked = _as_usual(ask, provider, usual)
        known, begun = canaries.moments(opened, name), canaries.begun(opened, name)
        found = _set(opened, name, asked.tasks, size, asked_before=bool(known))
    if not known:
        with StudyFile(study, write=True, shared=True) as writing:
            canaries.choose(writing, name, [one.image_id for one in found])
    paths = [one.path for one in found if not one.why]
    left_out = tuple((one.path, one.why) for one in found if one.why)
    if not paths:
        raise UsageError(f"--canary: none of the {len(found)} photographs of the set is there.")
    questions = plan(asked, lambda _: None, to_send=False).questions
    moment = _unfinished(begun, questions)
    goes_on = bool(moment)
    while not moment or (moment in known and not goes_on):  # one canary a second
        time.sleep(TICK if moment else 0)
        moment = now()
    asked = replace(asked, canary=moment)
    return Canary(asked, Sources.of(paths), len(found), left_out, goes_on)


def finish(study: Path, canary: Canary, progress: Progress) -> None:
    """Note that all of it was asked, unless the run was cut off."""
    if not (progress.interrupted or progress.unsent or progress.elsewhere):
        with StudyFile(study, write=True, shared=True) as opened:
            canaries.finish(opened, canary.provider, canary.ask.canary)


def _check_rehearsal(study: StudyFile, ask: Ask, provider: Provider) -> None:
    """UsageError where the service itself would be asked: else it is its credentials that lack."""
    rehearsing = ask.sandbox or f"{provider.name}.sandbox" in ask.settings or provider.rehearsing
    if is_service(type(provider)) and not rehearsing and is_rehearsal(study):
        raise UsageError(f"--canary: {str(study.path)!r} is a rehearsal: add --sandbox.")


def _as_usual(ask: Ask, provider: Provider, usual: Mapping[str, str]) -> Ask:
    """The tasks and parameters of the current answers, where the user names no others."""
    offered = [task for task in DEFAULT_TASKS if task in provider.tasks]
    tasks = ask.tasks or tuple(task for task in offered if task in usual)
    for task in tasks:
        if task not in offered:
            known = ", ".join(offered)
            raise UsageError(f"--canary -t {task}: {provider.name} can be asked again for {known}.")
        if task not in usual:
            raise UsageError(
                f"--canary: the study holds no answers of {provider.name} for {task}: annotate "
                f"first."
            )
    if not tasks:
        raise UsageError(
            f"--canary: the study holds no answers of {provider.name}: annotate first."
        )
    before = {
        f"{task}.{name}": text
        for task in tasks
        for name, text in _typed(provider, Task(task), json.loads(usual[task]))
    }
    return replace(ask, tasks=tuple(tasks), parameters=before | dict(ask.parameters))


def _typed(provider: Provider, task: Task, held: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    """Parameters of an earlier question that can still be given, as they are typed.

    Guesses about people are not taken over: they are asked for by name, each time.
    """
    for name, parameter in provider.tasks[task].parameters.items():
        value = held.get(name, parameter.default)
        if name == "attributes" or value == parameter.default:
            continue
        if isinstance(value, bool):
            yield name, "true" if value else "false"
        elif isinstance(value, list):
            yield name, ",".join(value)
        else:
            yield name, str(value)


@dataclass(frozen=True, slots=True)
class _Photograph:
    """One of the set. path: where it is, or was; why: it is left out, "" when it is not."""

    image_id: int
    path: str
    why: str = ""


def _set(
    study: StudyFile,
    provider: str,
    tasks: Sequence[str],
    size: int | None,
    *,
    asked_before: bool,
) -> list[_Photograph]:
    """The set, which may be chosen anew as long as nothing was asked about it."""
    if not asked_before:
        return _chosen(study, provider, tasks, size or SIZE)
    held = canaries.chosen(study, provider)
    if size is not None and size != len(held):
        raise UsageError(
            f"--canary-size {size}: the set of {provider} has {len(held)} photographs since "
            f"{held[0].chosen_at[:10]}, and stays as it is: leave the option out."
        )
    return [_located(study, one.image_id, one.sha256) for one in held]


def _chosen(study: StudyFile, provider: str, tasks: Sequence[str], size: int) -> list[_Photograph]:
    """The first images by hash whose file is there; fewer where there are no more."""
    found: list[_Photograph] = []
    for image_id, sha256 in canaries.candidates(study, provider, tasks):
        one = _located(study, image_id, sha256)
        found += [] if one.why else [one]
        if len(found) == size:
            break
    if not found:
        raise UsageError(
            f"--canary: no photograph that {provider} has answered {', '.join(tasks)} about is "
            f"where it was: annotate from where they are now."
        )
    return found


def _located(study: StudyFile, image_id: int, sha256: str) -> _Photograph:
    """A path that holds the image now; or one that does not, and why."""
    last, why = f"image {sha256[:12]}", "no path of it is known any more"
    for text, raw in canaries.paths(study, image_id):
        kept = text if raw is None else os.fsdecode(raw)
        path = os.path.abspath(Beside.located(study.path, kept))  # noqa: PTH100 (bytes of any kind)
        try:
            if sha256_of(read(path)) == sha256:
                return _Photograph(image_id, path)
            why = "its file has changed"
        except UnreadableImage as error:
            why = "its file is not there" if error.reason == "missing" else str(error.reason)
        last = shown(path)
    return _Photograph(image_id, last, why)


def _unfinished(begun: Sequence[canaries.Begun], questions: Sequence[Question]) -> str:
    """The moment of a canary that asked the same and was cut off within a day; "" for none."""
    wanted = {(one.task.value, one.revision, one.parameters) for one in questions}
    earliest = (datetime.now(UTC) - DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    for moment in dict.fromkeys(one.asked_at for one in begun):
        mine = {(b.task, b.revision, b.parameters) for b in begun if b.asked_at == moment}
        if mine == wanted and moment >= earliest:
            return moment
    return ""
