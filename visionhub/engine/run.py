"""A run, from top to bottom: read and hash -> what is missing -> render -> ask -> store.

Files move through generators that one thread, the study's only writer here, pulls; reading,
rendering and asking happen in pools with a bounded number in flight, so memory does not grow with
the number of files. `stop` ends the intake; what was sent is still answered and stored.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext, suppress
from typing import TypeVar

from visionhub.engine.ask import Parsed, ask
from visionhub.engine.flow import available_cpus, batched, bounded_map
from visionhub.engine.gate import Ending, Gate
from visionhub.engine.intake import Intake, Prepared, Seen, Todo, prepare, read_and_hash
from visionhub.engine.keeping import Keeping, refused
from visionhub.engine.lanes import Lanes
from visionhub.engine.later import Later
from visionhub.engine.money import Money
from visionhub.engine.plan import Plan
from visionhub.engine.progress import Calls, Progress
from visionhub.engine.sources import Found
from visionhub.engine.till import Till, only
from visionhub.errors import (
    AuthenticationError,
    CapReached,
    ProviderError,
    RateLimited,
    StudyError,
)
from visionhub.images import Rendering
from visionhub.pricing import money as amount
from visionhub.provider import Batch, Provider, Request, Work
from visionhub.schema import Task
from visionhub.store import canaries
from visionhub.store.ledger import Away
from visionhub.store.record import Recorder
from visionhub.store.study import StudyFile

T = TypeVar("T")

READ = 32  # files a job: handing over one at a time costs as much as reading it
LOOKUP = 256  # files a lookup


class Run:
    """One run over a study. Use `go` once. money: where something is charged for."""

    def __init__(
        self,
        study: StudyFile,
        plan: Plan,
        recorder: Recorder,
        watch: Callable[[Progress], None] = lambda progress: None,
        stop: threading.Event | None = None,
        money: Money | None = None,
    ) -> None:
        self.plan, self.watch, self.money = plan, watch, money
        self.progress = Progress(questions=len(plan.questions), rehearsal=plan.rehearsal)
        self.stop = stop or threading.Event()
        with study.transaction():
            ids = {recorder.question(question): question for question in plan.questions}
            if plan.canary:
                canaries.begin(study, list(ids.items()), plan.canary)
        self.questions = ids
        self.intake = Intake(study, plan, recorder, ids, self.progress)
        self.keeping = Keeping(study, self.intake, ids, self.progress, money)
        ledger, terms = (money.ledger, money.terms) if money else (None, None)
        self._tills = {
            name: Till(provider, ledger, terms, self.keeping.locate)
            for name, provider in plan.providers.items()
        }
        self._gates = {name: Gate(provider, plan.pace) for name, provider in plan.providers.items()}
        self._denied: AuthenticationError | None = None
        self._ending = Ending(self.stop)
        self._later = Later(self.keeping)

    def go(self, files: Iterable[Found]) -> Progress:
        """Ask about every file; returns the counts.

        Raises AuthenticationError, CapReached, StudyError: what was answered is stored.
        """
        ahead = available_cpus() + 1
        with (
            closing(self.plan.pace) if self.plan.pace else nullcontext(),
            ThreadPoolExecutor(available_cpus(), "read") as readers,
            Lanes(self.plan.providers, self._idle) as lanes,
        ):
            try:
                chunks = batched(self._until(files), READ)
                seen = bounded_map(lambda c: readers.submit(read_and_hash, c), chunks, ahead)
                for todo in self._rounds((part for chunk in seen for part in chunk), lanes):
                    ready = bounded_map(lambda t: readers.submit(self._prepare, t), todo, ahead)
                    for parsed in lanes.run(self._ask, self._batches(ready), self._put_off):
                        self._take(parsed)
            except BaseException as error:  # Ctrl-C in a notebook too: a second one cuts this short
                self._ending.end()  # what waits in the lanes is not sent any more
                if isinstance(error, Exception) or not self.stop.is_set():
                    for parsed in lanes.rest():
                        self._take(parsed)
                raise
            finally:
                self.keeping.commit()
                self._settle_up()
        self._raise_end()
        self.progress.interrupted = self.stop.is_set()
        return self.progress

    def _raise_end(self) -> None:
        """What ended the run before all was asked, if anything did."""
        if self.keeping.full is not None:
            raise self.keeping.full
        if self._denied is not None:
            raise self._denied
        if self.money and self.money.ledger.capped:
            totals = self.money.ledger.totals
            cap = amount(totals.cap or 0, totals.currency)
            raise CapReached(
                f"The cap of {cap} is reached: the study has spent "
                f"{amount(totals.settled, totals.currency)}, and the next call, held at its "
                f"highest cost, did not fit. What was answered is stored; the same command with a "
                f"higher --max-cost goes on."
            )

    def _rounds(self, seen: Iterable[Seen], lanes: Lanes) -> Iterator[Iterable[Todo]]:
        """What all files lack, then what was put off, until nothing is under way any more."""
        yield self._missing(seen)
        while True:
            if self._later and not self._ending.is_set():
                yield self._until(self._later.next())
            elif lanes.busy:
                for parsed in lanes.completed():
                    self._take(parsed)
            else:
                return

    def _put_off(self, batch: Batch) -> bool:
        """Ask a batch when the other files are through; False when it has to be asked now."""
        takes = self._later.takes(batch.requests)
        if takes:
            self._later.add(batch.requests, tried=False, stands=True)
        return takes

    def _until(self, items: Iterable[T]) -> Iterator[T]:
        for item in items:
            if self._ending.is_set():
                return
            yield item

    def _missing(self, seen: Iterable[Seen]) -> Iterator[Todo]:
        for chunk in batched(seen, LOOKUP):
            todo = self.intake.missing(chunk)
            self._tell()
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
                    self.keeping.unreadable(prepared)

    def _grouped(self, provider: Provider, works: list[Work]) -> list[Batch]:
        """The provider's own grouping; what it leaves out, or fails to group, ends as an error."""
        batches: list[Batch] = []
        held: set[str] = set()
        why = "put this request into no batch"
        try:
            for batch in provider.batches(works):  # what is in two would be paid for twice
                mine = only(batch, {r.key for r in batch.requests} - held)
                batches += [mine] if mine.works else []
                held |= {request.key for request in mine.requests}
        except Exception as error:
            batches, held = [], set()
            why = f"cannot group its requests: {type(error).__name__}: {error}"
        lost = [r for work in works for r in work.requests if r.key not in held]
        if lost:
            unsent = ProviderError(f"{provider.name} {why}", charged=False)
            self._take([Parsed(r, unsent) for r in lost])
        return batches

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
            self.keeping.expect(request, question_id, prepared)
            refusal = _refusal(provider, sent, question.task)
            if refusal is None:
                requests.append(request)
            else:
                self._take([Parsed(request, refusal)])
        return Work(sent, tuple(requests)) if requests else None

    def _ask(self, provider: Provider, batch: Batch) -> list[Parsed]:
        if self._ending.is_set():
            return [Parsed(request, None) for request in batch.requests]
        till = self._tills[provider.name]
        gate, again = self._gates[provider.name], self._later.was_tried(batch)
        parsed = ask(provider, batch, self._ending, gate, till, again=again)
        for part in parsed:
            if isinstance(part.result, AuthenticationError):
                self._denied = part.result
        if self._denied or till.capped:
            self._ending.end()  # at once: no thread sends anything more
        return parsed

    def _take(self, parsed: Iterable[Parsed]) -> None:
        for part in parsed:
            if self._later.takes([part.request]) and self._may_wait(part):
                self._later.add([part.request], tried=part.result is not None)
            else:
                self.keeping.take(part)
        self.keeping.commit_if_due()
        if self.keeping.full is not None:
            self._ending.end()
        self._tell()

    def _may_wait(self, part: Parsed) -> bool:
        """Whether to ask it again later: it costs nothing, and something stands in the way now."""
        if part.away is Away.HELD:
            return True
        throttled = isinstance(part.result, RateLimited) and part.result.charged is False
        over = self._ending.is_set() or self._gates[part.request.provider].given_up
        return throttled and not over

    def _idle(self) -> None:
        self.keeping.commit_if_due()
        self._tell()

    def _settle_up(self) -> None:
        """Count what this run has spent; a study that cannot be read has said so already."""
        if self.money:
            with suppress(StudyError):
                self.progress.bought = self.money.ledger.bought()
        self._tell()

    def _tell(self) -> None:
        if self.money:
            self.progress.money = self.money.ledger.totals
        self.progress.calls = {
            name: Calls(gate.calls, gate.throttled, gate.retries, gate.given_up)
            for name, gate in self._gates.items()
            if not gate.provider.models
        }
        self.watch(self.progress)


def _refusal(provider: Provider, image: Rendering, task: Task) -> ProviderError | None:
    """Why a provider is not asked; a fault in its judgement ends that request only."""
    try:
        return provider.refusal(image, task)
    except Exception as error:
        return refused(provider.name, error)
