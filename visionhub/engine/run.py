"""A run, from top to bottom: read and hash -> what is missing -> render -> ask -> store.

Files move through generators that one thread, the study's only writer, pulls; reading, rendering
and asking happen in pools with a bounded number in flight, so memory does not grow with the number
of files. `stop` ends the intake; what was sent is still answered and stored.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain

from visionhub.engine.ask import Parsed, ask
from visionhub.engine.flow import available_cpus, batched, bounded_map
from visionhub.engine.gate import Allowance, Ending, Gate
from visionhub.engine.intake import Intake, Prepared, Seen, Todo, prepare, read_and_hash
from visionhub.engine.lanes import Lanes
from visionhub.engine.plan import Plan
from visionhub.engine.progress import Progress
from visionhub.engine.sources import Found
from visionhub.errors import AuthenticationError, ProviderError
from visionhub.images import Rendering
from visionhub.provider import Batch, Provider, Request, Work
from visionhub.schema import Annotation, Task
from visionhub.store.items import Answer
from visionhub.store.record import Recorder
from visionhub.store.study import StudyFile

READ = 32  # files a job: handing over one at a time costs as much as reading it
LOOKUP = 256  # files a lookup
COMMIT_ANSWERS = 512
COMMIT_SECONDS = 2.0
PAID_SECONDS = 0.2  # what is paid for is in the study sooner
PUT_OFF = 100_000  # images that may wait for a provider that stands still


class Run:
    """One run over a study. Use `go` once."""

    def __init__(
        self,
        study: StudyFile,
        plan: Plan,
        recorder: Recorder,
        watch: Callable[[Progress], None] = lambda progress: None,
        stop: threading.Event | None = None,
    ) -> None:
        self.study, self.plan, self.recorder = study, plan, recorder
        self.progress, self.watch = Progress(questions=len(plan.questions)), watch
        self.stop = stop or threading.Event()
        with study.transaction():
            ids = {recorder.question(question): question for question in plan.questions}
        self.questions = ids
        allowance = Allowance(plan.max_units)
        self._gates = {name: Gate(p, allowance) for name, p in plan.providers.items()}
        self.intake = Intake(study, plan, recorder, ids, self.progress)
        self._open: dict[str, tuple[int, Prepared]] = {}  # request key -> question id, image
        self._denied: AuthenticationError | None = None
        self._ending = Ending(self.stop)
        self._later: list[Todo] = []  # put off: the provider had come to a standstill
        self._second = False  # whether the files are through, and what was put off is asked
        self._answers: list[Answer] = []
        self._prepared: dict[int, Prepared] = {}
        self._committed = time.monotonic()
        paid = any(question.spec.sku for question in plan.questions)
        self._patience = PAID_SECONDS if paid else COMMIT_SECONDS
        self.progress.rehearsal = plan.rehearsal

    def go(self, files: Iterable[Found]) -> Progress:
        """Ask about every file; returns the counts.

        Raises AuthenticationError, CapReached, StudyError: what was answered is stored.
        """
        ahead = available_cpus() + 1
        with (
            ThreadPoolExecutor(available_cpus(), "read") as readers,
            Lanes(self.plan.providers, self._commit_if_due) as lanes,
        ):
            try:
                chunks = batched(self._until(files), READ)
                seen = bounded_map(lambda c: readers.submit(read_and_hash, c), chunks, ahead)
                todo = self._missing(part for chunk in seen for part in chunk)
                batches = (
                    self._batches(bounded_map(lambda t: readers.submit(self._prepare, t), t, ahead))
                    for t in (todo, self._again())
                )
                asked = chain.from_iterable(batches)
                for parsed in lanes.run(self._ask, asked, self._put_off):
                    self._take(parsed)
            except BaseException:
                self._ending.end()  # what waits in the lanes is not sent any more
                raise
            finally:
                self._commit()
                self.progress.units = {name: gate.spent for name, gate in self._gates.items()}
        for ended in (self._denied, *(gate.capped for gate in self._gates.values())):
            if ended is not None:
                raise ended
        self.progress.interrupted = self.stop.is_set()
        return self.progress

    def _put_off(self, batch: Batch) -> bool:
        """Ask a batch when the other files are through; False when it has to be asked now."""
        if self._second or len(self._later) > PUT_OFF:
            return False
        for work in batch.works:
            asked = [self._open.pop(request.key) for request in work.requests]
            questions = tuple(question_id for question_id, _ in asked)
            self._later.append(replace(asked[0][1].todo, questions=questions))
        return True

    def _again(self) -> Iterator[Todo]:
        """What was put off."""
        self._second = True
        for todo in self._later:
            if self._ending.is_set():
                return
            yield todo

    def _until(self, files: Iterable[Found]) -> Iterator[Found]:
        for found in files:
            if self._ending.is_set():
                return
            yield found

    def _missing(self, seen: Iterable[Seen]) -> Iterator[Todo]:
        for chunk in batched(seen, LOOKUP):
            todo = self.intake.missing(chunk)
            self.watch(self.progress)
            for item in todo:
                if self._ending.is_set():
                    return
                yield item

    def _prepare(self, todo: Todo) -> Prepared:
        return prepare(todo, self.plan.limits)

    def _batches(self, ready: Iterable[Prepared]) -> Iterator[tuple[Provider, Batch]]:
        """Group what is ready for each provider as its API takes it."""
        group = max(p.images_per_batch for p in self.plan.providers.values())
        for chunk in batched(ready, group):
            for provider in self.plan.providers.values():
                works = [w for p in chunk if (w := self._work(p, provider)) is not None]
                yield from ((provider, batch) for batch in self._grouped(provider, works))
            for prepared in chunk:
                if prepared.rendering is None:
                    self._keep(prepared)

    def _grouped(self, provider: Provider, works: list[Work]) -> list[Batch]:
        """The provider's own grouping; what it leaves out, or fails to group, ends as an error."""
        batches: list[Batch] = []
        why = "put this request into no batch"
        try:
            batches = list(provider.batches(works))
            held = {request.key for batch in batches for request in batch.requests}
        except Exception as error:
            held, why = set(), f"cannot group its requests: {type(error).__name__}: {error}"
        lost = [r for work in works for r in work.requests if r.key not in held]
        if lost:
            self._take([Parsed(r, ProviderError(f"{provider.name} {why}")) for r in lost])
        return batches if held else []

    def _work(self, prepared: Prepared, provider: Provider) -> Work | None:
        """What one provider is asked about one image; None for nothing."""
        sent, todo = prepared.rendering, prepared.todo
        if sent is None:
            return None
        requests = []
        for question_id in todo.questions:
            question = self.questions[question_id]
            if question.provider != provider.name:
                continue
            request = Request(
                todo.sha256,
                sent.sha256,
                sent.width,
                sent.height,
                question.task,
                question.provider,
                question.revision,
                question.parameters,
            )
            self._open[request.key] = (question_id, prepared)
            refusal = _refusal(provider, sent, question.task)
            if refusal is None:
                requests.append(request)
            else:
                self._take([Parsed(request, refusal)])
        return Work(sent, tuple(requests)) if requests else None

    def _ask(self, provider: Provider, batch: Batch) -> list[Parsed]:
        if self._ending.is_set():
            return []
        gate = self._gates[provider.name]
        parsed = ask(provider, batch, self._ending, gate)
        for part in parsed:
            if isinstance(part.result, AuthenticationError):
                self._denied = part.result
        if self._denied or gate.capped:
            self._ending.end()  # at once: no thread sends anything more
        return parsed

    def _take(self, parsed: Iterable[Parsed]) -> None:
        for part in parsed:
            if isinstance(part.result, AuthenticationError):
                continue  # no answer about the image: nothing to store
            if part.request.key not in self._open:  # an adapter put it into two batches
                continue
            question_id, prepared = self._open.pop(part.request.key)
            question, image_id = self.questions[question_id], prepared.todo.image_id
            self._prepared[image_id] = prepared.light()  # the picture itself can go
            answer = Answer(image_id, question_id, question, part.result, part.body)
            self._answers.append(answer)
            self._count(answer)
        if len(self._answers) >= COMMIT_ANSWERS:
            self._commit()
        self._commit_if_due()
        self.watch(self.progress)

    def _count(self, answer: Answer) -> None:
        asked = (answer.question.provider, answer.question.task.value)
        self.progress.ended[(*asked, answer.status.value)] += 1
        self.progress.results[asked] += answer.results
        self.progress.pending -= 1
        if isinstance(answer.result, Annotation):
            self.progress.unknown.update(answer.result.unknown)

    def _keep(self, prepared: Prepared) -> None:
        """Remember an image that cannot be rendered."""
        if prepared.todo.image_id in self._prepared:  # it could be, before it was put off
            self._commit()
        self._prepared[prepared.todo.image_id] = prepared
        self.intake.count_unreadable(prepared.todo.questions)
        self.progress.pending -= len(prepared.todo.questions)
        self._commit_if_due()

    def _commit_if_due(self) -> None:
        if time.monotonic() - self._committed > self._patience:
            self._commit()

    def _commit(self) -> None:
        with self.study.transaction():
            self.intake.store(self._prepared.values(), self._answers)
        self._prepared, self._answers = {}, []
        self._committed = time.monotonic()


def _refusal(provider: Provider, image: Rendering, task: Task) -> ProviderError | None:
    """Why a provider is not asked; a fault in its judgement ends that request only."""
    try:
        return provider.refusal(image, task)
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        return ProviderError(f"{provider.name} cannot tell whether it takes the image: {why}")
