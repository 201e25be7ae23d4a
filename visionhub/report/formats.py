"""The three formats of an export. Each writes one table, row by row or in small batches."""

from __future__ import annotations

import csv
import io
import json
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from types import ModuleType
from typing import Any, BinaryIO

from visionhub.provider import import_extra
from visionhub.report.tidy import Column, TidyTable

Cell = Any
Record = tuple[Cell, ...]

BATCH = 20_000  # rows of a Parquet row group
# A cell that begins so is run as a formula by spreadsheets (OWASP, "CSV Injection"); the last four
# are full-width forms that East Asian versions take for the same.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class Writer(ABC):
    """Writes tables in one format. `excel_safe` concerns CSV."""

    def __init__(self, *, excel_safe: bool = False) -> None:
        self.excel_safe = excel_safe

    @abstractmethod
    def write(self, table: TidyTable, rows: Iterable[Record], file: BinaryIO) -> int:
        """Write all rows; how many there were."""


class Csv(Writer):
    """UTF-8, comma, a header line, quotes where needed, LF; an empty cell is a missing value.

    With `excel_safe`, text that a spreadsheet would run as a formula gets an apostrophe before it,
    and the file begins with a byte order mark, without which Excel takes UTF-8 for Latin-1.
    """

    def write(self, table: TidyTable, rows: Iterable[Record], file: BinaryIO) -> int:
        """Write all rows; how many there were."""
        encoding = "utf-8-sig" if self.excel_safe else "utf-8"
        text = io.TextIOWrapper(file, encoding, newline="", write_through=False)
        out = csv.writer(text, lineterminator="\n")
        out.writerow([column.name for column in table.columns])
        plain = _converter(table.columns, {"vector": _json_vector})
        count = 0
        for row in rows:
            cells = plain(row)
            out.writerow(map(_disarmed, cells) if self.excel_safe else cells)
            count += 1
        text.flush()
        text.detach()
        return count


class JsonLines(Writer):
    """One JSON object a line, UTF-8; lists are lists, a missing value is null."""

    def write(self, table: TidyTable, rows: Iterable[Record], file: BinaryIO) -> int:
        """Write all rows; how many there were."""
        names = [column.name for column in table.columns]
        nested = _converter(table.columns, {"vector": _vector, "json": json.loads})
        count = 0
        for row in rows:
            record = dict(zip(names, nested(row), strict=True))
            line = json.dumps(record, ensure_ascii=False)
            # Some readers take Unicode's own line separators for the end of a line.
            for separator in () if line.isascii() else ("\u2028", "\u2029", "\x85"):
                line = line.replace(separator, f"\\u{ord(separator):04x}")
            file.write(line.encode() + b"\n")
            count += 1
        return count


class Parquet(Writer):
    """Typed columns, zstd; meaning and unit of each are in its field's metadata."""

    def write(self, table: TidyTable, rows: Iterable[Record], file: BinaryIO) -> int:
        """Write all rows; how many there were. Raises MissingExtra without pyarrow."""
        arrow = import_extra("pyarrow", "analysis")
        parquet = import_extra("pyarrow.parquet", "analysis")
        schema = arrow.schema([_field(arrow, column) for column in table.columns])
        nested = _converter(table.columns, {"vector": _vector})
        source, count = iter(rows), 0
        with parquet.ParquetWriter(file, schema, compression="zstd") as out:
            while batch := [nested(row) for row in islice(source, BATCH)]:
                columns = [
                    arrow.array(values, field.type)
                    for values, field in zip(zip(*batch, strict=True), schema, strict=True)
                ]
                out.write_batch(arrow.record_batch(columns, schema=schema))
                count += len(batch)
        return count


WRITERS: dict[str, Callable[..., Writer]] = {"csv": Csv, "parquet": Parquet, "jsonl": JsonLines}


def _field(arrow: ModuleType, column: Column) -> object:
    types = {
        "integer": arrow.int64(),
        "real": arrow.float64(),
        "vector": arrow.list_(arrow.float32()),
    }
    said = {"description": column.meaning.text, "unit": column.meaning.unit}
    return arrow.field(column.name, types.get(column.kind, arrow.string()), metadata=said)


def _converter(
    columns: Sequence[Column], steps: dict[str, Callable[[Any], Cell]]
) -> Callable[[Record], Sequence[Cell]]:
    """A function over rows that applies each step to the columns of its kind, where not empty."""
    changed = [(at, steps[c.kind]) for at, c in enumerate(columns) if c.kind in steps]

    def convert(row: Record) -> Sequence[Cell]:
        cells = list(row)
        for at, step in changed:
            if cells[at] is not None:
                cells[at] = step(cells[at])
        return cells

    return convert if changed else lambda row: row


def _vector(data: bytes) -> list[float]:
    return list(struct.unpack(f"<{len(data) // 4}f", data))


def _json_vector(data: bytes) -> str:
    return json.dumps(_vector(data))


def _disarmed(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
