"""Earlier answers into the study, a batch at a time: what is held, what is new, what is current."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from visionhub.engine.ask import parse
from visionhub.engine.earlier import UNDATED
from visionhub.engine.kept import Lost
from visionhub.engine.pictured import Located, Pictures, Sent
from visionhub.engine.sources import shown
from visionhub.errors import ProviderError, UnexpectedBody
from visionhub.images import sha256_of
from visionhub.provider import Provider, Request
from visionhub.schema import ANSWERED, Annotation, Status, Task
from visionhub.store import lookup
from visionhub.store.items import Answer, PackedBody, Question
from visionhub.store.lookup import Current, Kept
from visionhub.store.record import Recorder
from visionhub.store.study import StudyFile

if TYPE_CHECKING:
    from visionhub.engine.earlier import Imported, Ready

FAILED = (Status.ERROR.value, Status.REFUSED.value)


@dataclass(frozen=True, slots=True)
class _Job:
    """An answer, and the tasks that it is to be read for. `held`: others need no reading."""

    located: Located
    sent: Sent
    tasks: tuple[Task, ...]
    held: bool


class Storing:
    """Stores batches. Used by the writing thread only; `pool` does what can be done beside it."""

    def __init__(
        self,
        study: StudyFile,
        ready: Ready,
        recorder: Recorder,
        imported: Imported,
        lose: Callable[[Lost], None],
    ) -> None:
        self.study, self.ready, self.recorder = study, ready, recorder
        self.imported, self.lose = imported, lose
        self._pictures = Pictures(study, recorder, lose)
        self._ids: dict[Task, int] = {}
        self._others: dict[Located, list[Task]] = {}  # what is not new, though it says something
        self._asked: dict[Located, list[Task]] = {}  # what is not new, and was only asked for

    def store(self, pool: ThreadPoolExecutor, located: Sequence[Located]) -> None:
        """Store these answers; what cannot be stored is listed."""
        sent = self._pictures.of(pool, located)
        jobs = self._jobs([(item, sent[item.path]) for item in located if item.path in sent])
        done = pool.map(partial(_read, self.ready.provider, self.ready.questions), jobs)
        new = [
            (a, job.located)
            for job, (body, found) in zip(jobs, done, strict=True)
            for a in self._answers(job, body, found)
        ]
        current = lookup.current(
            self.study, [job.sent.image_id for job in jobs], self.ready.provider.name
        )
        renderings = {job.sent.image_id: job.sent.rendering_id for job in jobs}
        stays = {
            (a.image_id, a.question.task.value)
            for a, located in new
            if self._stays(a, current, dated=located.whence != UNDATED)
        }
        with self.study.transaction():
            self.recorder.answers([answer for answer, _ in new], renderings, stays)

    def _stays(
        self, answer: Answer, current: Mapping[tuple[int, str], Current], *, dated: bool
    ) -> bool:
        """Whether the answer that is current now stays so, counted.

        It does unless the new one is known to have come later, or it is no answer and the new is.
        """
        now = current.get((answer.image_id, answer.question.task.value))
        if now is None or now.received_at is None:
            return False
        if answer.status not in ANSWERED or now.status not in ANSWERED:
            return answer.status not in ANSWERED
        if not dated:
            self.imported.undated += 1
            return True
        came = answer.body.received_at if answer.body else ""
        later = came > now.received_at
        self.imported.replaced += later
        self.imported.older += not later
        return not later

    def _jobs(self, found: Sequence[tuple[Located, Sent]]) -> list[_Job]:
        """What is still to be read; what is held is counted, or listed when it is another answer.

        Tasks that an answer says something about come before those that it was only asked for.
        """
        renderings = [sent.rendering_id for _, sent in found]
        tasks = [self._tasks(item) for item, _ in found]
        self._ask({task for wanted in tasks for task in wanted})
        kept = lookup.kept(self.study, renderings, list(self._ids.values()))
        new: list[list[Task]] = [[] for _ in found]
        for firm in (True, False):
            for (item, sent), wanted, todo in zip(found, tasks, new, strict=True):
                said = [t for t in wanted if (t in item.piece.item.tasks) is firm]
                todo += [t for t in said if self._is_new(item, sent, t, kept, firm=firm)]
        self._list_others([item for (item, _), todo in zip(found, new, strict=True) if not todo])
        jobs = zip(found, tasks, new, strict=True)
        return [
            _Job(item, sent, tuple(todo), len(todo) < len(wanted))
            for (item, sent), wanted, todo in jobs
            if todo
        ]

    def _list_others(self, silent: Sequence[Located]) -> None:
        """List answers that are not the first about their image (or a copy of it) and task.

        Where a task was only asked for, that is to be expected, unless nothing is left of `silent`.
        """
        for item in silent:
            said = set(item.piece.item.tasks) & set(self.ready.asked)
            if not said and item in self._asked:
                self._others.setdefault(item, self._asked[item])
        for item, tasks in self._others.items():
            why = (
                f"the collection holds another answer for {', '.join(tasks)} about this image or "
                f"a copy of it: import this one with another --collection"
            )
            self.lose(Lost(item.source, why, shown(item.path)))
        self._others, self._asked = {}, {}

    def _ask(self, tasks: Collection[Task]) -> None:
        """Have a question for each of these tasks."""
        new = [task for task in self.ready.questions if task in tasks and task not in self._ids]
        if new:
            with self.study.transaction():
                self._ids |= {t: self.recorder.question(self.ready.questions[t]) for t in new}

    def _tasks(self, item: Located) -> list[Task]:
        """The tasks that an answer is about and that may be imported."""
        said = self.ready.asked or item.piece.item.tasks
        image = shown(item.path)
        if not said:
            why = "it says nothing about any task: say with -t what had been asked for"
            self.lose(Lost(item.source, why, image))
        for task in said:
            if task in self.ready.closed and task in item.piece.item.tasks:
                why = f"{task} names or matches people: import it with --sensitive {task}"
                self.lose(Lost(item.source, why, image))
        offered = self.ready.questions.keys() - self.ready.closed
        return [task for task in said if task in offered]

    def _is_new(
        self,
        item: Located,
        sent: Sent,
        task: Task,
        kept: dict[tuple[int, int], Kept],
        *,
        firm: bool,
    ) -> bool:
        """Whether the study holds no answer to this question; the first answer claims it."""
        place = (sent.rendering_id, self._ids[task])
        body = sha256_of(item.piece.item.body.data)
        if place not in kept:
            kept[place] = Kept(body, "", "")
            return True
        held = kept[place]
        if held.sha256 == body:
            self.imported.held[task.value] += 1
            if held.status in FAILED:
                self.lose(Lost(item.source, f"{task}: {held.reason}", shown(item.path)))
        else:
            (self._others if firm else self._asked).setdefault(item, []).append(task)
        return False

    def _answers(
        self, job: _Job, body: PackedBody, found: Mapping[Task, Annotation | ProviderError]
    ) -> list[Answer]:
        """Answers ready to be stored, counted."""
        said = job.located.piece.item.tasks
        answers = [
            Answer(job.sent.image_id, self._ids[task], self.ready.questions[task], result, body)
            for task, result in found.items()
            if task in said or not isinstance(result, UnexpectedBody)  # not what was asked there
        ]
        for answer in answers:
            self._count(answer, job.located)
        if answers:
            self.imported.dates[job.located.whence] += 1
        elif not job.held:
            asked = ", ".join(job.tasks)
            path = shown(job.located.path)
            self.lose(Lost(job.located.source, f"it says nothing about {asked}", path))
        return answers

    def _count(self, answer: Answer, located: Located) -> None:
        task = answer.question.task.value
        self.imported.ended[task, answer.status.value] += 1
        self.imported.results[task] += answer.results
        if isinstance(answer.result, Annotation):
            self.imported.unknown.update(answer.result.unknown)
        if answer.status.value in FAILED:
            self.lose(Lost(located.source, f"{task}: {answer.reason}", shown(located.path)))


def _read(
    provider: Provider, questions: Mapping[Task, Question], job: _Job
) -> tuple[PackedBody, dict[Task, Annotation | ProviderError]]:
    """Pack a body, and read it for each task."""
    item, sent = job.located.piece.item, job.sent
    found: dict[Task, Annotation | ProviderError] = {}
    for task in job.tasks:
        asked = questions[task]
        request = Request(
            sent.sha256, sent.sha256, sent.width, sent.height,
            task, asked.provider, asked.revision, asked.parameters,
        )  # fmt: skip
        found[task] = parse(provider, item.body.data, request)
    return PackedBody.pack(item.body, job.located.received), found
