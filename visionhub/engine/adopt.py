"""Earlier raw answers into a study, as if they had been received then, without a price.

Documents are read and searched for answers in threads, matched with images by the one writing
thread, read into annotations in threads again, and stored a batch at a time: memory does not grow
with their number, and after a kill the same command goes on. Nothing is sent.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from visionhub.engine.documents import documents
from visionhub.engine.earlier import UNDATED, Earlier, Imported, Ready
from visionhub.engine.flow import available_cpus
from visionhub.engine.kept import Document, Lost, Piece, pieces
from visionhub.engine.matching import FileNames, Images, Matched
from visionhub.engine.pairs import Pairs
from visionhub.engine.pictured import Located
from visionhub.engine.sources import Sources
from visionhub.engine.storing import Storing
from visionhub.engine.walk import PassOver
from visionhub.errors import UsageError
from visionhub.store.items import printable
from visionhub.store.record import Recorder
from visionhub.store.study import StudyFile

DETAIL = re.compile(
    r"(?<!\w)'.*'(?!\w)|\"\[.*|\d+"
)  # what differs from answer to answer in one reason
LONGEST = 160
SLACK = timedelta(days=1)  # between clocks, and of times that do not tell their zone
ANSWERS = 256  # in a batch
BYTES = 32 * 1024 * 1024  # of documents in a batch


class Adopting:
    """One import into a study. Use `go` once.

    listed: told each thing that is not imported. watch: called after each batch.
    """

    def __init__(
        self,
        study: StudyFile,
        asked: Earlier,
        prepared: Ready,
        recorder: Recorder,
        listed: Callable[[Lost], None],
        watch: Callable[[Imported], None] = lambda imported: None,
        stop: threading.Event | None = None,
    ) -> None:
        self.asked, self.ready = asked, prepared
        self.listed, self.watch = listed, watch
        self.stop = stop or threading.Event()
        self.imported = Imported(prepared.collection)
        self._pools = ExitStack()
        self._storing = Storing(study, prepared, recorder, self.imported, self._lose)

    def go(self, pass_over: PassOver) -> Imported:
        """Import everything; returns the counts. Raises UsageError, StudyError."""
        with self._pools as pools:
            pool = pools.enter_context(ThreadPoolExecutor(available_cpus(), "import"))
            images = Images(Sources.of(self.asked.images))
            pools.callback(images.close)
            if not len(images):
                raise UsageError(f"--images {', '.join(self.asked.images)}: no images are there.")
            match = partial(self._match, images, self._names(images), self._pairs())
            found = self._answers(pool, documents(self.asked.answers, pass_over))
            for batch in _batches(found):
                located = [place for piece in batch if (place := match(piece)) is not None]
                self._storing.store(pool, located)
                self.watch(self.imported)
        self.imported.interrupted = self.stop.is_set()
        return self.imported

    def _names(self, images: Images) -> FileNames:
        words = (self.ready.provider.name, *(task.value for task in self.ready.provider.tasks))
        return FileNames(images, words, self.asked.pattern)

    def _pairs(self) -> Pairs | None:
        if self.asked.match is None:
            return None
        pairs = Pairs(self.asked.match)
        self._pools.callback(pairs.close)
        return pairs

    def _answers(
        self, pool: ThreadPoolExecutor, found: Iterable[Document]
    ) -> Iterator[list[Piece]]:
        """The answers of each document; what holds none is listed."""
        read = partial(pieces, self.ready.provider)
        for chunk in _chunks(found):
            for parts in pool.map(read, chunk):
                self.imported.documents += 1
                held = [part for part in parts if isinstance(part, Piece)]
                self.imported.answers += len(held)
                for part in parts:
                    if isinstance(part, Lost):
                        self._lose(part)
                yield held
            if self.stop.is_set():
                return

    def _match(
        self, images: Images, names: FileNames, pairs: Pairs | None, piece: Piece
    ) -> Located | None:
        """The answer with the path of its image; None, and a line in the list, without one."""
        found = _matched(piece, images, names, pairs)
        if not found.path:
            self._lose(Lost(source_of(piece), found.reason, next(iter(piece.names), "")))
            return None
        when, whence = self._received(piece)
        if whence != UNDATED and when > _written(datetime.now(UTC) + SLACK):
            why = f"it says that it came on {when[:10]}, which is still to come: correct its date"
            self._lose(Lost(source_of(piece), why, found.path))
            return None
        return Located(piece, source_of(piece), found.path, when, whence)

    def _received(self, piece: Piece) -> tuple[str, str]:
        """When the answer came, and who says so; UNDATED when only its file does."""
        if said := piece.item.received_at or piece.date:
            return said, "the answers"
        if self.ready.received:
            return self.ready.received, "--date"
        stamp = os.stat(piece.document.file).st_mtime  # noqa: PTH116
        return _written(datetime.fromtimestamp(stamp, UTC)), UNDATED

    def _lose(self, lost: Lost) -> None:
        told = Lost(*(printable(text)[0] for text in (lost.source, lost.reason, lost.image)))
        self.imported.reasons[DETAIL.sub("…", told.reason)[:LONGEST]] += 1
        self.listed(told)


def source_of(piece: Piece) -> str:
    """Where an answer stands, for a person."""
    place = [f"answer {piece.place + 1} of {piece.of}"] if piece.of > 1 else []
    return ", ".join((piece.document.source, *piece.keys, *place))


def _written(when: datetime) -> str:
    """A time as the study writes it."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _matched(piece: Piece, images: Images, names: FileNames, pairs: Pairs | None) -> Matched:
    """By the table, else by what the document says, else by the file's name or a member's.

    A member's name comes last: it may be one of many words that happens to be an image's, too.
    """
    if pairs and (found := pairs.match(piece.document, piece.place, piece.of, images)):
        return found
    reasons = []
    for found in _readings(piece, images, names):
        if found.path or found.several:
            return found
        reasons.append(found.reason)
    why = "nothing in it names its image"
    if piece.of > 1:
        why = f"one of {piece.of} answers in one document, which does not say whose each is"
    return Matched(reason=next(filter(None, reasons), why))


def _readings(piece: Piece, images: Images, names: FileNames) -> Iterator[Matched]:
    yield from map(images.called, filter(None, piece.names))
    if piece.document.own and piece.of == 1:
        yield names.match(piece.document.file)
    for key in reversed(piece.keys):
        yield replace(images.called(key), reason="")


def _chunks(found: Iterable[Document]) -> Iterator[list[Document]]:
    """Documents a batch: few, or few bytes."""
    chunk: list[Document] = []
    size = 0
    for document in found:
        chunk.append(document)
        size += len(document.data)
        if len(chunk) >= ANSWERS or size >= BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _batches(found: Iterable[list[Piece]]) -> Iterator[list[Piece]]:
    batch: list[Piece] = []
    for held in found:
        for piece in held:
            batch.append(piece)
            if len(batch) >= ANSWERS:
                yield batch
                batch = []
    if batch:
        yield batch
