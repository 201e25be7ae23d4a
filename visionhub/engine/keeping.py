"""What comes back, until it is in the study: bodies and what they settle, in one transaction."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from visionhub.engine.ask import Parsed
from visionhub.engine.intake import Intake, Prepared, Todo
from visionhub.engine.money import Money
from visionhub.engine.progress import Progress
from visionhub.errors import AuthenticationError, ProviderError, StudyFull
from visionhub.provider import Request
from visionhub.schema import Annotation, Status
from visionhub.store import lookup
from visionhub.store.items import Answer, Question
from visionhub.store.ledger import Away, Ended
from visionhub.store.study import StudyFile

COMMIT_ANSWERS = 512
COMMIT_SECONDS = 2.0
PAID_SECONDS = 0.2  # what is paid for is in the study sooner
AMBIGUOUS = (
    "ambiguous: an earlier attempt may have been answered and charged; not asked again without "
    "--on-ambiguous retry"
)
BILLED = (
    "charged: the service's bill shows an earlier attempt, whose answer is lost; not asked again "
    "without --on-ambiguous retry"
)


class Keeping:
    """Open requests and the answers that wait to be stored. Used by the writing thread only.

    `locate` alone is called by others too.
    """

    def __init__(
        self,
        study: StudyFile,
        intake: Intake,
        questions: Mapping[int, Question],
        progress: Progress,
        money: Money | None,
    ) -> None:
        self.study, self.intake, self.questions = study, intake, questions
        self.progress, self.money = progress, money
        self._patience = PAID_SECONDS if money else COMMIT_SECONDS
        self._charging = {q.provider for q in questions.values() if q.spec.sku and money}
        self._open: dict[str, tuple[int, Prepared]] = {}  # request key -> question id, image
        self._answers: list[Answer] = []
        self._ended: list[Ended] = []
        self._prepared: dict[int, Prepared] = {}
        self._committed = time.monotonic()
        self.full: StudyFull | None = None  # the disk, while answers were still on their way

    def expect(self, request: Request, question_id: int, prepared: Prepared) -> None:
        """A request is about to be asked."""
        self._open[request.key] = (question_id, prepared)

    def locate(self, key: str) -> tuple[int, int]:
        """Image id and question id of an open request."""
        question_id, prepared = self._open[key]
        return prepared.todo.image_id, question_id

    def leave(self, request: Request) -> Todo:
        """Close a request that is asked again later."""
        question_id, prepared = self._open.pop(request.key)
        return replace(prepared.todo, questions=(question_id,))

    def take(self, part: Parsed) -> None:
        """One request's end."""
        if part.ended is not None:
            self._ended.append(part.ended)
        if isinstance(part.result, AuthenticationError):
            return  # no answer about the image: nothing to store
        if part.request.key not in self._open:  # an adapter put it into two batches
            return
        question_id, prepared = self._open.pop(part.request.key)
        if part.result is None:
            self._unanswered(part, question_id, prepared)
            return
        question, image_id = self.questions[question_id], prepared.todo.image_id
        self._prepared[image_id] = prepared.light()  # the picture itself can go
        paid = part.request.key if part.ended is not None else ""
        answer = Answer(image_id, question_id, question, part.result, part.body, paid)
        self._answers.append(answer)
        self._count(answer)
        if part.ended is None and self._is_ambiguous(answer):
            self.progress.ambiguous[question.provider, question.task.value] += 1

    def _count(self, answer: Answer) -> None:
        asked = (answer.question.provider, answer.question.task.value)
        self.progress.ended[(*asked, answer.status.value)] += 1
        self.progress.results[asked] += answer.results
        self.progress.pending -= 1
        if isinstance(answer.result, Annotation):
            self.progress.unknown.update(answer.result.unknown)

    def _is_ambiguous(self, answer: Answer) -> bool:
        """Whether nobody knows if an attempt without a complete answer was charged for."""
        failed = isinstance(answer.result, ProviderError) and answer.result.charged is None
        return failed and answer.question.provider in self._charging

    def _unanswered(self, part: Parsed, question_id: int, prepared: Prepared) -> None:
        """A request that was not sent: what the ledger knows about it, or the end of the run."""
        question = self.questions[question_id]
        asked = (question.provider, question.task.value)
        self.progress.pending -= 1
        match part.away:
            case None:
                self.progress.unsent += 1
            case Away.ANSWERED:  # by another process, since this one looked
                self.progress.cached[asked] += 1
            case Away.HELD:
                self.progress.elsewhere += 1
            case Away.AMBIGUOUS | Away.BILLED | Away.UNREADABLE:
                self.progress.ended[(*asked, Status.ERROR.value)] += 1
                if part.away is Away.AMBIGUOUS:
                    self.progress.ambiguous[asked] += 1
                    self._remember(prepared, question, AMBIGUOUS)
                elif part.away is Away.BILLED:
                    self.progress.billed[asked] += 1
                    self._remember(prepared, question, BILLED)

    def _remember(self, prepared: Prepared, question: Question, why: str) -> None:
        """Say why there is no answer, unless the study says it already."""
        self._prepared[prepared.todo.image_id] = prepared.light()
        asked = (prepared.todo.image_id, question.provider, question.task.value)
        self.intake.reasons.append((*asked, Status.ERROR.value, why, 0, None))

    def unreadable(self, prepared: Prepared) -> None:
        """Remember an image that cannot be rendered."""
        if prepared.todo.image_id in self._prepared:  # it could be, before it was put off
            self.commit()
        self._prepared[prepared.todo.image_id] = prepared
        self.intake.count_unreadable(prepared.todo.questions)
        self.progress.pending -= len(prepared.todo.questions)
        self.commit_if_due()

    def commit_if_due(self) -> None:
        """Store what waits, if it has waited long enough or is much.

        Between two calls' answers and not amid them: what is left of a call when this fails would
        be lost, though it was paid for.
        """
        late = time.monotonic() - self._committed > self._patience
        if late or len(self._answers) >= COMMIT_ANSWERS:
            self.commit()

    def commit(self) -> None:
        """Store what waits. Where the disk is full, the ballast goes and `full` is set: stop."""
        try:
            self._write()
        except StudyFull as error:
            if self.full is not None or not (self.money and self.money.ballast.release()):
                raise
            self.full = error
            self._write()

    def _write(self) -> None:
        with self.study.transaction() as sql:
            bodies = self.intake.store(self._prepared.values(), self._answers)
            if self.money and self._ended:
                self.money.ledger.settle(sql, self._ended, bodies)
        if self._answers:
            self.progress.versions = self._mixed()
        self._prepared, self._answers, self._ended = {}, [], []
        self.intake.reasons.clear()
        if self.money:
            self.money.ledger.renew()
        self._committed = time.monotonic()

    def _mixed(self) -> dict[tuple[str, str], list[str]]:
        """Questions of this run that several versions of a model have answered."""
        found = lookup.versions(self.study, list(self.questions))
        return {
            (self.questions[key].provider, self.questions[key].task.value): versions
            for key, versions in found.items()
            if len(versions) > 1
        }


def refused(provider_name: str, error: Exception) -> ProviderError:
    """A provider that cannot even say whether it takes an image."""
    why = f"{type(error).__name__}: {error}"
    return ProviderError(
        f"{provider_name} cannot tell whether it takes the image: {why}", charged=False
    )
