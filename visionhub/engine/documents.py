"""Where earlier answers lie: folders and files of JSON, JSON lines, tables with a JSON column."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from visionhub.engine.kept import Document
from visionhub.engine.lists import is_table
from visionhub.engine.naming import IMAGE_NAMES, letters
from visionhub.engine.sources import shown
from visionhub.engine.walk import DATABASE_SUFFIXES, IMAGE_SUFFIXES, PassOver
from visionhub.errors import UsageError
from visionhub.files import reason_of

LINES = (".jsonl", ".ndjson", ".jsonlines")
LARGEST = 2**28  # bytes of one document, which takes 30 times as much memory; lines are read singly
CELL = 2**28  # characters of one cell
ANSWER_COLUMNS = ("answer", "response", "body", "json", "result")
FILE_COLUMNS = ("answerfile", "file")
HEADER = 200  # characters of a table's header that are shown
MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig"))


@dataclass(frozen=True, slots=True)
class Row:
    """An answer in a table that puts answers beside images.

    folder: the table's own. column: where a row has several answers.
    """

    line: int
    answer: str
    image: str
    folder: str
    column: str = ""


def documents(paths: Sequence[str], pass_over: PassOver) -> Iterator[Document]:
    """Everything in these files and folders, in the order of their names.

    Pictures, databases and hidden files within folders go to `pass_over`. What cannot be read is a
    document with a problem.
    """
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112
            for file in _files(path, pass_over):
                yield from _of_file(file)
        else:
            yield from _of_file(path)


def _files(folder: str, pass_over: PassOver) -> Iterator[str]:
    """Files below a folder, through links; a folder that cannot be entered is among them."""
    closed: list[OSError] = []
    entered = {os.path.realpath(folder)}
    for parent, folders, names in os.walk(folder, onerror=closed.append, followlinks=True):
        folders[:] = sorted(name for name in folders if _enter(parent, name, entered))
        for name in sorted(names):
            suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122
            path = os.path.join(parent, name)  # noqa: PTH118
            picture = suffix in IMAGE_SUFFIXES and not _is_json(path)
            if name.startswith(".") or suffix in DATABASE_SUFFIXES or picture:
                pass_over(path)
            else:
                yield path
    yield from (str(error.filename) for error in closed)


def _is_json(path: str) -> bool:
    """Whether an answer bears the name of its image without any addition."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(1) in (b"{", b"[")
    except OSError:
        return False


def _enter(parent: str, name: str, entered: set[str]) -> bool:
    """Whether to go down into a folder: not into hidden ones, nor twice into one."""
    real = os.path.realpath(os.path.join(parent, name))  # noqa: PTH118
    new = not name.startswith(".") and real not in entered
    entered.add(real)
    return new


def _of_file(path: str) -> Iterator[Document]:
    try:
        if path.lower().endswith(LINES):
            yield from _lines(path)
        elif is_table(path):
            yield from _cells(path)
        else:
            yield from _whole(path)
    except (OSError, ValueError) as error:
        yield Document(shown(path), path, b"", problem=f"it cannot be read: {reason_of(error)}")
    except UsageError as error:  # a table of something else
        why = str(error).removeprefix(f"{shown(path)}: ")
        yield Document(shown(path), path, b"", problem=why)


def _whole(path: str) -> Iterator[Document]:
    size = os.stat(path).st_size  # noqa: PTH116
    if not os.path.isfile(path):  # reading a pipe would wait for ever  # noqa: PTH113
        folder = os.path.isdir(path)  # noqa: PTH112
        why = "the folder cannot be opened" if folder else "it is no regular file"
        yield Document(shown(path), path, b"", problem=why)
    elif size > LARGEST:
        why = f"{size} bytes: split it, or write one answer a line (.jsonl)"
        yield Document(shown(path), path, b"", problem=why)
    else:
        data = Path(path).read_bytes()
        if lines := _json_lines(data):
            yield from _numbered(path, lines)
        else:
            yield Document(shown(path), path, data, own=True)


def _json_lines(data: bytes) -> list[bytes]:
    """Lines of what is JSON lines by another name; nothing for anything else."""
    first, _, rest = data.strip().partition(b"\n")
    whole = first.startswith(b"{") and first.rstrip().endswith(b"}")
    return data.splitlines() if whole and rest.lstrip().startswith(b"{") else []


def _lines(path: str) -> Iterator[Document]:
    with Path(path).open("rb") as file:
        yield from _numbered(path, file)


def _numbered(path: str, lines: Iterator[bytes] | Sequence[bytes]) -> Iterator[Document]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield Document(f"{shown(path)}:{number}", path, line)


def _cells(path: str) -> Iterator[Document]:
    for row in rows(path):
        source = ", ".join(filter(None, (f"{shown(path)}:{row.line}", row.column)))
        if _is_json_text(row.answer):
            data = row.answer.encode("utf-8", "surrogateescape")
            yield Document(source, path, data, image=row.image or None)
        elif row.answer.strip():
            file = os.path.join(row.folder, row.answer)  # noqa: PTH118
            try:
                yield Document(source, file, Path(file).read_bytes(), image=row.image or None)
            except (OSError, ValueError) as error:
                why = f"{shown(file)} cannot be read: {reason_of(error)}"
                yield Document(source, file, b"", problem=why)
        else:
            yield Document(source, path, b"", problem="its cell is empty")


def rows(path: str) -> Iterator[Row]:
    """The answers in a table with columns of them (JSON, or names of files) and one of images.

    Raises UsageError when it lacks one of them.
    """
    csv.field_size_limit(CELL)  # recognised text alone may be longer than the default of 128 KiB
    try:
        with _opened(path) as file:
            yield from _answers(path, file)
    except (OSError, UnicodeError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{shown(path)} cannot be read as a table: {why}") from error


def _opened(path: str) -> TextIO:
    """A table's text: UTF-8, or UTF-16, which spreadsheets call Unicode text."""
    with Path(path).open("rb") as file:
        start = file.read(2)
    encoding = next(name for mark, name in MARKS if start.startswith(mark))
    errors = "strict" if encoding == "utf-16" else "surrogateescape"
    return Path(path).open(encoding=encoding, errors=errors, newline="")


def _answers(path: str, file: TextIO) -> Iterator[Row]:
    folder = os.path.dirname(path)  # noqa: PTH120
    header = file.readline()
    delimiter = max(",;\t", key=header.count)
    names = next(csv.reader([header], delimiter=delimiter), [])
    columns: tuple[list[int], int] | None = None
    reader = csv.reader(file, delimiter=delimiter)
    for cells in filter(None, reader):
        padded = cells + [""] * (len(names) - len(cells))
        columns = columns or _columns(path, names, padded)
        answers, image = columns
        for at in [at for at in answers if padded[at].strip()] or answers[:1]:
            column = names[at] if len(answers) > 1 else ""
            yield Row(reader.line_num + 1, padded[at], padded[image], folder, column)


def _columns(path: str, names: Sequence[str], first: Sequence[str]) -> tuple[list[int], int]:
    """Where answers and the image stand; of columns with other names, all with JSON in them."""
    plain = [letters(name) for name in names]
    named = [plain.index(name) for name in ANSWER_COLUMNS if name in plain]
    json = [at for at, cell in enumerate(first[: len(names)]) if _is_json_text(cell)]
    files = [plain.index(name) for name in FILE_COLUMNS if name in plain]
    answers = named[:1] or json or files[:1]
    images = [plain.index(name) for name in IMAGE_NAMES if name in plain]
    image = next((at for at in images if at not in answers), None)
    if not answers or image is None:
        raise UsageError(
            f"{shown(path)}: a table needs a column `answer` (JSON, or the names of files) and a "
            f"column `image`; it has {shown(', '.join(names))[:HEADER] or 'none'}"
        )
    return answers, image


def _is_json_text(cell: str) -> bool:
    return cell.lstrip()[:1] in ("{", "[")
