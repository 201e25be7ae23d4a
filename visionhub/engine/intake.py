"""The way in: what a file is, what the study already holds about it, and its rendering."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from visionhub.engine.plan import Plan
from visionhub.engine.progress import Progress
from visionhub.engine.sources import Found
from visionhub.errors import UnreadableImage
from visionhub.files import read
from visionhub.images import ImageFacts, Limits, Rendering, decoder_version, render, sha256_of
from visionhub.schema import ANSWERED, Status
from visionhub.store import lookup
from visionhub.store.items import (
    Answer,
    Beside,
    PathRow,
    Question,
    RenderingRow,
    limits_key,
    printable,
)
from visionhub.store.lookup import Held, KnownImage
from visionhub.store.record import Recorder, StatusRow
from visionhub.store.study import StudyFile

# Nothing about the image itself: it is looked at again.
PASSING = frozenset({"changed", "missing", "no_access", "not_a_file", "no_memory"})


@dataclass(frozen=True, slots=True)
class Seen:
    """A file that was looked at: its hash and size, or the problem with it."""

    path: str
    sha256: str = ""
    size: int = 0
    problem: str | None = None
    given: str | None = None


@dataclass(frozen=True, slots=True)
class Todo:
    """An image with the ids of the questions that are still open about it.

    decoded: whether the study holds what the file says of itself.
    """

    path: str
    sha256: str
    image_id: int
    questions: tuple[int, ...]
    decoded: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image that was decoded: what its file says and what is sent, or why it cannot be read."""

    todo: Todo
    facts: ImageFacts | UnreadableImage
    rendering: Rendering | None = None
    row: RenderingRow | None = None

    def light(self) -> Prepared:
        """The same without the picture."""
        return dataclasses.replace(self, rendering=None)


def read_and_hash(files: Sequence[Found]) -> list[Seen]:
    """Identities of files. The bytes are not kept: most files of a second run need no more."""
    return [_look_at(found) for found in files]


def _look_at(found: Found) -> Seen:
    if found.problem:
        return Seen(found.path, problem=found.problem, given=found.given)
    try:
        data = read(found.path)
    except UnreadableImage as error:
        return Seen(found.path, problem=error.reason, given=found.given)
    return Seen(found.path, sha256_of(data), len(data), given=found.given)


def prepare(todo: Todo, limits: Limits) -> Prepared:
    """Decode and render one image; never raises for what a file may hold."""
    try:
        data = read(todo.path)
        if sha256_of(data) != todo.sha256:
            raise UnreadableImage("changed", "the file changed while it was read; run again")
        facts, sent = render(data, limits)
    except UnreadableImage as error:  # without its traceback, which keeps the picture in memory
        return Prepared(todo, UnreadableImage(error.reason, error.detail))
    return Prepared(todo, facts, sent, RenderingRow.of(sent))


class Intake:
    """Compares files with the study, and stores what was learnt. Used by the writing thread only.

    An image that was met before in this run, under another path, asks nothing twice; who was met
    is a bit per image id, so that ten million images cost a megabyte. What a canary brings is
    stored and leaves every status as it is.
    """

    def __init__(
        self,
        study: StudyFile,
        plan: Plan,
        recorder: Recorder,
        questions: Mapping[int, Question],
        progress: Progress,
    ) -> None:
        self.study, self.plan, self.recorder = study, plan, recorder
        self.questions, self.progress = questions, progress
        self.limits, self.decoder = limits_key(plan.limits), decoder_version()
        self._beside = Beside(study.path)
        self._met = bytearray()
        self.reasons: list[StatusRow] = []  # why something was not asked, still to be stored

    def missing(self, chunk: Sequence[Seen]) -> list[Todo]:
        """Record these files; what must still be asked about their images."""
        rest = self._unanswered(chunk)
        todo: list[Todo] = []
        if rest:
            readable = {seen.sha256: seen for seen in rest if seen.problem is None}
            with self.study.transaction():
                known = self._images(readable)
                self._paths(rest, known)
                todo = self._compare(readable, known)
        self.progress.files += len(chunk)
        self.progress.unreadable_files += sum(1 for seen in rest if seen.problem is not None)
        self.progress.pending += sum(len(item.questions) for item in todo)
        return todo

    def _unanswered(self, chunk: Sequence[Seen]) -> Sequence[Seen]:
        """Files that lack an answer; the others are counted as held.

        Known by path and content, with every answer held and current: that is the whole of a
        second run, in two lookups.
        """
        if self.plan.unsupported:
            return chunk
        texts = [printable(self._beside(seen.path))[0] for seen in chunk]
        held = lookup.paths(self.study, texts)
        same = [
            image.id if (image := held.get(text)) and image.is_still(seen.sha256, seen.given) else 0
            for text, seen in zip(texts, chunk, strict=True)
        ]
        whole = lookup.complete(self.study, same, list(self.questions), self.limits)
        first = sum(map(self._first_time, whole))
        self.progress.images += first
        for question in self.questions.values():
            self.progress.cached[question.provider, question.task.value] += first
        return [seen for image_id, seen in zip(same, chunk, strict=True) if image_id not in whole]

    def _images(self, readable: Mapping[str, Seen]) -> dict[str, KnownImage]:
        known = lookup.images(self.study, list(readable))
        new = [(sha, seen.size) for sha, seen in readable.items() if sha not in known]
        if new:
            self.recorder.new_images(new)
            known |= lookup.images(self.study, [sha for sha, _ in new])
        return known

    def _first_time(self, image_id: int) -> bool:
        byte, bit = image_id >> 3, 1 << (image_id & 7)
        if byte >= len(self._met):
            self._met.extend(bytes(byte + 1 - len(self._met) + 4096))
        before = self._met[byte] & bit
        self._met[byte] |= bit
        return not before

    def _paths(self, chunk: Sequence[Seen], known: Mapping[str, KnownImage]) -> None:
        self.recorder.paths(
            PathRow(
                self._beside(seen.path),
                seen.given,
                known[seen.sha256].id if seen.sha256 else None,
                seen.problem,
            )
            for seen in chunk
        )

    def _compare(self, readable: Mapping[str, Seen], known: Mapping[str, KnownImage]) -> list[Todo]:
        """Question by question, for images that lack something."""
        ids = [image.id for image in known.values()]
        renderings = lookup.renderings(self.study, ids, self.limits)
        settled = lookup.settled(self.study, list(renderings.values()), list(self.questions))
        current = lookup.statuses(self.study, ids)
        changes: list[StatusRow] = []
        todo: list[Todo] = []
        for sha, image in known.items():
            if not self._first_time(image.id):
                continue
            self.progress.images += 1
            changes += self._unsupported(image.id, current)
            if image.problem is not None and image.decoder == self.decoder:
                why = (image.problem, image.problem_detail)
                changes += self._unreadable(image.id, *why, self.questions)
                self.count_unreadable(self.questions)
                continue
            sent = renderings.get(image.id, 0)
            held = {q: settled[sent, q] for q in self.questions if (sent, q) in settled}
            changes += self._current(image.id, held, current)
            if left := tuple(question for question in self.questions if question not in held):
                self._replaced(image.id, left, current)
                decoded = bool(image.decoder) and image.problem is None
                todo.append(Todo(readable[sha].path, sha, image.id, left, decoded))
        self._set(changes)
        return todo

    def _set(self, changes: Iterable[StatusRow]) -> None:
        if not self.plan.canary:
            self.recorder.statuses(changes)

    def _unsupported(
        self, image_id: int, current: Mapping[tuple[int, str, str], tuple[str, int | None]]
    ) -> Iterable[StatusRow]:
        for provider, task in self.plan.unsupported:
            if (image_id, provider, task.value) not in current:
                reason = f"{provider} does not offer {task.value}"
                yield image_id, provider, task.value, Status.UNSUPPORTED.value, reason, 0, None

    def _unreadable(
        self, image_id: int, reason: str, detail: str | None, question_ids: Iterable[int]
    ) -> Iterable[StatusRow]:
        text = f"unreadable image: {reason}" + (f" ({detail})" if detail else "")
        for question in map(self.questions.__getitem__, question_ids):
            asked = (image_id, question.provider, question.task.value)
            yield *asked, Status.ERROR.value, text, 0, None

    def _replaced(
        self,
        image_id: int,
        questions: Sequence[int],
        current: Mapping[tuple[int, str, str], tuple[str, int | None]],
    ) -> None:
        """Count current answers that those to new questions will replace."""
        for question_id in () if self.plan.canary else questions:
            question = self.questions[question_id]
            asked = (question.provider, question.task.value)
            if current.get((image_id, *asked), ("",))[0] in ANSWERED:
                self.progress.switched[asked] += 1

    def _current(
        self,
        image_id: int,
        held: Mapping[int, Held],
        current: Mapping[tuple[int, str, str], tuple[str, int | None]],
    ) -> Iterable[StatusRow]:
        """Count what is held, and make it the current answer where another one was."""
        for question_id, answer in held.items():
            question = self.questions[question_id]
            asked = (question.provider, question.task.value)
            self.progress.cached[asked] += 1
            before = current.get((image_id, *asked))
            if before != (answer.status, answer.id) and not self.plan.canary:
                if before is not None:
                    self.progress.switched[asked] += 1
                yield image_id, *asked, answer.status, answer.reason, answer.results, answer.id

    def count_unreadable(self, question_ids: Iterable[int]) -> None:
        """Count an image that cannot be read, and the questions that it leaves without answer."""
        self.progress.unreadable_images += 1
        for question in map(self.questions.__getitem__, question_ids):
            asked = (question.provider, question.task.value, Status.ERROR.value)
            self.progress.ended[asked] += 1

    def store(self, prepared: Iterable[Prepared], answers: Sequence[Answer]) -> dict[str, int]:
        """Write facts, renderings and answers of a few images, inside one transaction.

        Returns ids of bodies by request key.
        """
        renderings: dict[int, int] = {}
        for item in prepared:
            image_id = item.todo.image_id
            passing = isinstance(item.facts, UnreadableImage) and item.facts.reason in PASSING
            if not (passing and item.todo.decoded):  # a file that is gone says nothing new
                self.recorder.facts(image_id, item.facts, "" if passing else self.decoder)
            if item.row is not None:
                renderings[image_id] = self.recorder.rendering(image_id, self.limits, item.row)
            elif isinstance(item.facts, UnreadableImage):
                why = (item.facts.reason, item.facts.detail)
                self._set(self._unreadable(image_id, *why, item.todo.questions))
        stays: set[tuple[int, str]] = set()
        if self.plan.canary:
            stays = {(answer.image_id, answer.question.task.value) for answer in answers}
        else:
            self.recorder.reasons(self.reasons)
        return self.recorder.answers(answers, renderings, stays)
