"""Reading what a vendor's billing export says: usage and cost by hour or day.

Column names as the vendors document them: AWS's Cost and Usage Report and its Data Exports (line
item columns), and the tables that Cloud Billing exports to BigQuery.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TextIO, TypeAlias

from visionhub.errors import UsageError

Row: TypeAlias = Mapping[str, str]  # by normal names, see `_normal`
GZIP = b"\x1f\x8b"
MOST = 10**15  # of a figure: more is no bill
LONGEST = timedelta(hours=25)  # a day on which clocks are put back


@dataclass(frozen=True, slots=True)
class Bill:
    """One row of usage. words: all that it says about what was used. cost: units of currency."""

    since: datetime
    words: str
    region: str
    units: Decimal
    cost: Decimal
    currency: str
    whole_day: bool  # whether it lies within a day, and can be matched with one


@dataclass(frozen=True, slots=True)
class Layout:
    """Where one kind of export says what, in normal names. kinds: which rows are usage."""

    since: str
    until: str
    units: str
    cost: str
    currency: str
    kind: str
    kinds: tuple[str, ...]
    words: tuple[str, ...]
    regions: tuple[str, ...]

    @property
    def needed(self) -> tuple[str, ...]:
        """Columns without which nothing can be compared."""
        return self.since, self.units, self.cost, self.currency, self.words[-1]


LAYOUTS = (
    Layout(
        since="line_item_usage_start_date",
        until="line_item_usage_end_date",
        units="line_item_usage_amount",
        cost="line_item_unblended_cost",
        currency="line_item_currency_code",
        kind="line_item_line_item_type",
        kinds=("usage", "discountedusage", "savingsplancoveredusage"),
        words=(
            "line_item_line_item_description",
            "line_item_operation",
            "line_item_usage_type",
            "line_item_product_code",
        ),
        regions=("product_region_code", "product_region"),
    ),
    Layout(
        since="usage_start_time",
        until="usage_end_time",
        units="usage_amount",
        cost="cost",
        currency="currency",
        kind="cost_type",
        kinds=("regular",),
        words=("service_description", "sku_description"),
        regions=("location_region",),
    ),
)


def read_bills(path: Path) -> Iterator[Bill]:
    """The rows of usage of an export: CSV, JSON lines or one JSON array, plain or as .gz.

    Raises UsageError, which names the file and the row, when it is no such export.
    """
    try:
        with _opened(path) as text:
            yield from _bills(path, text)
    except (OSError, EOFError) as error:  # gzip tells so that a file is cut off
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"The billing export {str(path)!r}: {why}.") from error
    except UnicodeDecodeError:
        raise UsageError(
            f"The billing export {str(path)!r} is no text: export it as CSV or as JSON lines."
        ) from None


def _opened(path: Path) -> TextIO:
    with path.open("rb") as file:
        packed = file.read(2) == GZIP
    if packed:
        return io.TextIOWrapper(gzip.open(path), "utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _bills(path: Path, text: TextIO) -> Iterator[Bill]:
    kinds = {"{": _json_rows, "[": _array_rows}
    rows = kinds.get(text.readline().lstrip()[:1], _csv_rows)(text)
    text.seek(0)
    layout: Layout | None = None
    for number, row in _numbered(path, rows):
        layout = layout or _layout(path, row)
        try:
            bill = _bill(layout, row)
        except (ValueError, KeyError) as error:
            raise UsageError(
                f"The billing export {str(path)!r}, row {number}, cannot be read: {error}."
            ) from None
        if bill is not None:
            yield bill
    if layout is None:
        raise UsageError(f"The billing export {str(path)!r} holds no rows.")


def _numbered(path: Path, rows: Iterable[Row]) -> Iterator[tuple[int, Row]]:
    try:
        yield from enumerate(rows, 1)
    except (csv.Error, ValueError, RecursionError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise
        raise UsageError(f"The billing export {str(path)!r} cannot be read: {error}.") from None


def _csv_rows(text: TextIO) -> Iterator[Row]:
    rows = csv.reader(text)
    names = [_normal(name) for name in next(rows, [])]
    for row in rows:
        if row:
            yield dict(zip(names, row, strict=False))


def _json_rows(text: TextIO) -> Iterator[Row]:
    for line in text:
        if line.strip():
            yield _json_row(_read(line), "a line")


def _array_rows(text: TextIO) -> Iterator[Row]:
    """Of one array, as `bq query --format=json` prints it; it is in memory as a whole."""
    for value in _read(text.read()):
        yield _json_row(value, "an item")


def _read(text: str) -> Any:  # noqa: ANN401 - whatever JSON can say
    return json.loads(text, parse_float=str, parse_int=str)  # figures stay as written


def _json_row(value: object, what: str) -> Row:
    if isinstance(value, dict):
        return dict(_flat(value, ""))
    raise ValueError(f"{what} is no JSON object")


def _flat(value: Mapping[str, object], before: str) -> Iterator[tuple[str, str]]:
    """Members of nested objects, as service_description; lists are left out."""
    for name, member in value.items():
        if isinstance(member, dict):
            yield from _flat(member, f"{before}{name}_")
        elif member is not None and not isinstance(member, list):
            yield _normal(f"{before}{name}"), str(member)


def _normal(name: str) -> str:
    """One spelling for lineItem/UsageAmount, line_item_usage_amount and usage.amount's like."""
    spaced = re.sub("(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    return re.sub("[/. ]", "_", spaced).lower()


def _layout(path: Path, row: Row) -> Layout:
    lacking: Sequence[str] = ()
    for layout in LAYOUTS:
        lacks = [name for name in layout.needed if name not in row]
        if not lacks:
            return layout
        if not lacking or len(lacks) < len(lacking):
            lacking = lacks
    forms = " or ".join(", ".join(layout.needed) for layout in LAYOUTS)
    raise UsageError(
        f"{str(path)!r} is no billing export that can be read: it lacks {', '.join(lacking)}. "
        f"Needed are the columns {forms}."
    )


def _bill(layout: Layout, row: Row) -> Bill | None:
    """A row, read; None for taxes, credits, refunds and fees."""
    kind = row.get(layout.kind, "").lower()
    if kind and kind not in layout.kinds:
        return None
    since = _moment(row[layout.since])
    until = _moment(row[layout.until]) if row.get(layout.until) else since
    regions = (row[name] for name in layout.regions if row.get(name))
    return Bill(
        since=since,
        words=" ".join(row.get(name, "") for name in layout.words),
        region=next(regions, ""),
        units=_figure(row[layout.units]),
        cost=_figure(row[layout.cost]),
        currency=row[layout.currency].upper(),
        whole_day=until - since <= LONGEST,
    )


def _moment(text: str) -> datetime:
    """A moment as exports write it; without a time zone it is UTC."""
    moment = datetime.fromisoformat(text.strip().removesuffix(" UTC"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _figure(text: str) -> Decimal:
    try:
        figure = Decimal(text.strip() or "0")
    except InvalidOperation:
        figure = Decimal("NaN")
    if not figure.is_finite() or abs(figure) > MOST:
        raise ValueError(f"{text!r} is no figure")
    return figure
