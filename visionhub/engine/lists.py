"""Paths out of lists: standard input, and a column of a table."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from visionhub.errors import UsageError

BLOCK = 1 << 16  # longer than any path, so that a NUL is seen in the first block
BOM = b"\xef\xbb\xbf"
TABLES = (".csv", ".tsv")


def listed(stream: BinaryIO) -> Iterator[str]:
    """Paths of a list, NUL-separated if there is a NUL in its beginning, else one a line.

    In lines, a carriage return at the end is dropped; empty entries are skipped.
    """
    block = stream.read(BLOCK).removeprefix(BOM)
    nul = b"\0" in block
    rest = b""
    while block:
        *whole, rest = (rest + block).split(b"\0" if nul else b"\n")
        yield from (os.fsdecode(entry) for raw in whole if (entry := _entry(raw, nul=nul)))
        block = stream.read(BLOCK)
    if entry := _entry(rest, nul=nul):
        yield os.fsdecode(entry)


def _entry(raw: bytes, *, nul: bool) -> bytes:
    return raw if nul else raw.removesuffix(b"\r")


def is_table(path: str) -> bool:
    """Whether a source is a table by its name."""
    return path.lower().endswith(TABLES)


def check_column(path: str, column: str) -> None:
    """UsageError when a table has no such column, or two of them, or cannot be read."""
    for _ in rows_of(path, (column,)):
        return


def column_of(path: str, column: str) -> Iterator[tuple[int, str, str]]:
    """The line's number, the cell, and the path in each row of a table, from its own folder.

    An empty cell is an empty path; bytes that are no UTF-8 are kept as they are in a path.
    """
    folder = os.path.dirname(path)  # noqa: PTH120
    for line, (cell,) in rows_of(path, (column,)):
        name = os.fsdecode(cell.encode("utf-8", "surrogateescape"))  # a C locale holds no é
        yield line, cell, os.path.join(folder, name) if name else ""  # noqa: PTH118


def rows_of(
    path: str, columns: Sequence[str], optional: Sequence[str] = ()
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The line's number and the cells of some columns, in each row of a table; "" for none.

    Comma, semicolon or tab: whichever the header has the columns with. UTF-8; other bytes are
    escaped as surrogates. UsageError when a column is missing or the file is no table.
    """
    wanted = [os.fsencode(column).decode("utf-8", "surrogateescape") for column in columns]
    try:
        with Path(path).open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            header = file.readline()
            fits = (m for m in ",;\t" if set(wanted) <= set(_split(header, m)))
            delimiter = next(fits, None)
            if delimiter is None:
                known = _split(header, max(",;\t", key=header.count))
                lacking = next(column for column in wanted if column not in known)
                raise UsageError(
                    f"{path}: there is no column {lacking!r}; it has {', '.join(known)}"
                )
            names = _split(header, delimiter)
            places = [names.index(name) if name in names else -1 for name in (*wanted, *optional)]
            reader = csv.reader(file, delimiter=delimiter)
            for row in reader:
                cells = (row[at] if 0 <= at < len(row) else "" for at in places)
                yield reader.line_num + 1, tuple(cells)
    except (OSError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read as a table: {error}") from error


def _split(header: str, delimiter: str) -> list[str]:
    return next(csv.reader([header], delimiter=delimiter), [])
