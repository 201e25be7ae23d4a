"""What is written to a study: questions, answers, packed bodies, rows of renderings."""

from __future__ import annotations

import functools
import hashlib
import os
import threading
from dataclasses import dataclass
from datetime import UTC, datetime

from visionhub.errors import ProviderError, RefusedImage
from visionhub.images import Limits, Rendering
from visionhub.provider import Body, TaskSpec
from visionhub.schema import Annotation, Status, Task

FOLDERS = 10_000  # remembered, to spare most files the arithmetic
LEVEL = 3  # of zstd: a third of the size at 20,000 bodies a second


@dataclass(frozen=True, slots=True)
class Question:
    """What a run asks one provider about every image. `parameters` is canonical JSON."""

    provider: str
    task: Task
    revision: str
    parameters: str
    spec: TaskSpec


class _Packer(threading.local):
    """A thread's own compressor: making one costs more than it does with a small body."""

    def __init__(self) -> None:
        import zstandard

        self.compress = zstandard.ZstdCompressor(level=LEVEL).compress


@functools.cache
def _packer() -> _Packer:
    return _Packer()


@dataclass(frozen=True, slots=True, eq=False)
class PackedBody:
    """A body ready to be stored: compressed, with the hash and size of what was received."""

    sha256: str
    size: int
    data: bytes
    media_type: str
    model_version: str | None
    received_at: str
    client: str | None = None

    @classmethod
    def pack(cls, body: Body, received_at: str | None = None) -> PackedBody:
        """Compress a body (zstd), received now or then; pure CPU work, fit for a worker thread."""
        digest = hashlib.sha256(body.data).hexdigest()
        data = _packer().compress(body.data)
        when = received_at or now()
        kind = (body.media_type, body.model_version)
        return cls(digest, len(body.data), data, *kind, when, body.client)


@dataclass(frozen=True, slots=True)
class Answer:
    """How one request ended: an annotation with its body, or an error (with a body if one came).

    key: the request's, where the ledger is to know which body it paid for.
    """

    image_id: int
    question_id: int
    question: Question
    result: Annotation | ProviderError
    body: PackedBody | None = None
    key: str = ""

    @property
    def status(self) -> Status:
        """The status that this answer gives to its (image, provider, task)."""
        if isinstance(self.result, Annotation):
            return self.result.status
        return Status.REFUSED if isinstance(self.result, RefusedImage) else Status.ERROR

    @property
    def reason(self) -> str:
        """Why, in words; empty when there is nothing to explain."""
        said = self.result.reason if isinstance(self.result, Annotation) else str(self.result)
        return said.encode("utf-8", "backslashreplace").decode()

    @property
    def results(self) -> int:
        """How many things were reported; 0 for an error."""
        return len(self.result) if isinstance(self.result, Annotation) else 0


@dataclass(frozen=True, slots=True)
class RenderingRow:
    """What the study keeps of a rendering: everything but the picture."""

    sha256: str
    media_type: str
    size: int
    width: int
    height: int
    transform: tuple[str, ...]

    @classmethod
    def of(cls, sent: Rendering) -> RenderingRow:
        """The row of a rendering."""
        size = (len(sent.data), sent.width, sent.height)
        return cls(sent.sha256, sent.media_type, *size, sent.transform)


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def printable(path: str) -> tuple[str, bytes | None]:
    """A path as text that SQLite can hold, and its bytes where they are no UTF-8."""
    try:
        raw = os.fsencode(path)
    except UnicodeEncodeError:  # no name that this system could have: it was made up in a list
        return path.encode("utf-8", "backslashreplace").decode(), None
    try:
        return raw.decode("utf-8"), None
    except UnicodeDecodeError:
        return raw.decode("utf-8", "backslashreplace"), raw


def limits_key(limits: Limits) -> str:
    """Limits as one word, under which renderings are kept."""
    kinds = "+".join(sorted(kind.partition("/")[2] for kind in limits.media_types))
    return f"{kinds}<={limits.max_bytes}B,{limits.max_side}px,{limits.max_pixels}px2"


@dataclass(frozen=True, slots=True)
class PathRow:
    """A file that was seen.

    path: from the study's folder. given: the cell of a table that named it, as it stands there.
    """

    path: str
    given: str | None
    image_id: int | None
    problem: str | None


class Beside:
    """Paths as a study keeps them: from the folder that the study lies in.

    So they hold wherever a command is run, and when the folder with both is moved.
    """

    def __init__(self, study: str | os.PathLike[str]) -> None:
        self.folder = _real_folder(study)
        self._known: dict[str, str] = {}

    def __call__(self, path: str) -> str:
        """`path`, which is absolute or from the working directory, from the study's folder."""
        folder, name = os.path.split(path)
        if folder not in self._known:
            if len(self._known) > FOLDERS:
                self._known.clear()
            self._known[folder] = self._relative(folder)
        return self._known[folder] + name

    def _relative(self, folder: str) -> str:
        try:
            # Through links, so that one file is one path however it is reached.
            found = os.path.relpath(os.path.realpath(folder or os.curdir), self.folder)
        except ValueError:  # another drive
            found = os.path.realpath(folder)
        return "" if found == os.curdir else os.path.join(found, "")  # noqa: PTH118

    @staticmethod
    def located(study: str | os.PathLike[str], path: str) -> str:
        """A path that a study keeps, from the working directory."""
        given = os.path.dirname(study)  # noqa: PTH120
        real = _real_folder(study)
        base = given if os.path.abspath(given) == real else real  # noqa: PTH100
        return os.path.normpath(os.path.join(base, path))  # noqa: PTH118


def _real_folder(study: str | os.PathLike[str]) -> str:
    return os.path.dirname(os.path.realpath(study))  # noqa: PTH120
