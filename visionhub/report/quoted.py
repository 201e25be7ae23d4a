"""A quote, for a person at a terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from visionhub.engine.costs import LineQuote
from visionhub.engine.quote import ProviderQuote, Quote, TaskQuote
from visionhub.errors import UsageError
from visionhub.pricing import money
from visionhub.report.files import whole
from visionhub.report.plain import counted
from visionhub.report.running import duration
from visionhub.report.summary import PassedOver
from visionhub.report.terminal import Section
from visionhub.store.holding import billed, in_doubt
from visionhub.store.items import printable
from visionhub.store.study import StudyFile

REASONS = 3  # of unreadable files, the most frequent ones
DECIMALS = 4  # that are always shown in a column; there can be six
HASH = 12  # characters of the price table's


def most(quote: Quote) -> str:
    """The most that the run can spend: its highest cost, or what the cap leaves of it."""
    left = quote.highest if quote.cap is None else max(0, quote.cap - quote.spent)
    return money(min(quote.highest, left), quote.currency)


def ambiguous(study: Path) -> str:
    """What may have been, or was, charged without an answer, in one sentence; empty for nothing."""
    if not study.exists():
        return ""
    with StudyFile(study) as opened:
        found = in_doubt(opened, datetime.now(UTC)), billed(opened)
    said = []
    for sums, what in zip(found, ("may have been", "were, as the bill shows,"), strict=True):
        each = ", ".join(money(micros, currency) for currency, _, micros in sums)
        number = counted(sum(requests for _, requests, _ in sums), "request")
        said += [f"{number} of earlier runs {what} charged for without an answer, {each} at most"]
    told = [text for text, sums in zip(said, found, strict=True) if sums]
    return f"{'; '.join(told)} (visionhub ledger ambiguous --study {study})." if told else ""


def sections(
    quote: Quote, over: PassedOver | None = None, near_list: Path | None = None
) -> Iterator[Section]:
    """A quote in reading order: images, requests, calls, cost, and what it comes to."""
    yield _images(quote, over, near_list)
    if quote.images:
        yield _requests(quote)
        yield _calls(quote)
    if quote.images and quote.lines:
        yield _cost(quote)
        yield _money(quote)
    elif quote.images:
        yield Section("", notes=("Nothing of this is charged for.",))


def _images(quote: Quote, over: PassedOver | None, near_list: Path | None) -> Section:
    rows: list[tuple[object, ...]] = [
        ("files", f"{quote.files:,}", _passed(over)),
        ("images", f"{quote.images:,}", "by content"),
        ("unreadable", f"{quote.unreadable_files + quote.unreadable_images:,}", _why(quote)),
        ("exact copies", f"{quote.copies.files:,}", _copies(quote)),
        ("near duplicates", *_near(quote)),
    ]
    notes = [] if quote.files else ["No photographs were found there."]
    if quote.interrupted:
        notes.append("Interrupted: this is only a part of it.")
    if quote.upper_bound:
        notes.append(
            f"{counted(quote.undecoded, 'image')} not decoded (visionhub quote --full does that): "
            f"what cannot be read or is refused counts as asked, so the cost is an upper bound."
        )
    if quote.near and quote.near.beyond:
        which = f"see {near_list}" if near_list else "for a list: visionhub quote --near-list FILE"
        notes.append(
            f"Near duplicates are asked about like all others; leave them out yourself if they "
            f"are one photograph to you ({which})."
        )
    return Section("Images", ("", "number", ""), rows, tuple(notes), ("number",))


def _passed(over: PassedOver | None) -> str:
    return f"and {over.count:,} passed over as no images" if over and over.count else ""


def _why(quote: Quote) -> str:
    first = [f"{reason} {number:,}" for reason, number in list(quote.reasons.items())[:REASONS]]
    more = ["..."] if len(quote.reasons) > REASONS else []
    looked = ["unknown for what was not decoded"] if quote.undecoded else []
    return ", ".join(first + more + looked)


def _copies(quote: Quote) -> str:
    if not quote.copies.files:
        return ""
    return f"asked once, which saves {_saved(quote, quote.copies.calls, quote.copies.cost)}"


def _near(quote: Quote) -> tuple[str, str]:
    near = quote.near
    if near is None:
        return "", "not looked for" if quote.undecoded else ""
    among = "" if not quote.undecoded and not near.left_out else f" (among {near.compared:,})"
    if not near.beyond:
        return "0", f"none looks like another{among}" if near.compared > 1 else ""
    saved = _saved(quote, near.calls, near.cost)
    groups = counted(near.groups, "group")
    return (
        f"{near.beyond:,}",
        f"beyond the first of {groups}{among}; asking once would save {saved}",
    )


def _saved(quote: Quote, calls: int, cost: int) -> str:
    about = "about " if any(each.about for each in quote.providers) else ""
    amount = f", {money(cost, quote.currency)}" if quote.lines else ""
    return f"{about}{counted(calls, 'call')}{amount}"


def _requests(quote: Quote) -> Section:
    rows: list[tuple[object, ...]] = [
        (t.provider, t.task, f"{t.asked:,}", f"{t.held:,}", _not_asked(t)) for t in quote.tasks
    ]
    rows += [(provider, task, "", "", "unsupported") for provider, task in quote.unsupported]
    columns = ("provider", "task", "to ask", "held already", "not asked")
    notes = tuple(_unanswered(quote))
    return Section("Requests", columns, rows, notes, ("to ask", "held already"))


def _unanswered(quote: Quote) -> Iterator[str]:
    for number, what in (
        (sum(task.ambiguous for task in quote.tasks), "may have been charged for"),
        (sum(task.billed for task in quote.tasks), "were charged for, as the bill shows,"),
    ):
        if number:
            yield (
                f"{counted(number, 'request')} {what} without an answer: not asked again without "
                f"--on-ambiguous retry."
            )


def _not_asked(task: TaskQuote) -> str:
    said = (
        (task.refused, "refused (not sent)"),
        (task.ambiguous, "ambiguous"),
        (task.billed, "charged, answer lost"),
        (task.unreadable, "paid, unreadable"),
        (task.elsewhere, "asked by another run"),
    )
    return ", ".join(f"{number:,} {word}" for number, word in said if number)


def _calls(quote: Quote) -> Section:
    rows = [
        (p.name, f"{'about ' if p.about else ''}{p.calls:,}", _least(p), _limit(p))
        for p in quote.providers
    ]
    notes = ("How long answers take is not known beforehand.",)
    columns = ("provider", "calls", "at least", "by its rate limit")
    return Section("Calls and time", columns, rows, notes, ("calls",))


def _least(provider: ProviderQuote) -> str:
    if provider.seconds is None:
        return "" if provider.service else "on this machine"
    return duration(provider.seconds) if provider.seconds >= 1 else "under 1 s"


def _limit(provider: ProviderQuote) -> str:
    if provider.per_second is None:
        return ""
    return f"{provider.per_second:g} a second, {provider.rate}"


def _cost(quote: Quote) -> Section:
    rows = [
        (
            line.price.provider,
            line.price.sku,
            f"{line.units:,}",
            _bare(line.price.highest),
            _bare(line.cost),
            _bare(line.highest),
        )
        for line in quote.lines
    ]
    if len(rows) > 1:
        rows.append(("", "all", f"{quote.units:,}", "", _bare(quote.cost), _bare(quote.highest)))
    columns = ("provider", "price line", "units", "each up to", "cost", "at most")
    notes = [note for line in quote.lines for note in _line_notes(line)]
    right = ("units", "each up to", "cost", "at most")
    return Section(f"Cost in {quote.currency}", columns, rows, tuple(notes), right)


def _bare(micros: int) -> str:
    """An amount without its currency, which the heading names; in a column points are in line."""
    whole, _, part = money(micros, "").strip().partition(".")
    return f"{int(whole):,}.{part.ljust(DECIMALS, '0')}"


def _line_notes(line: LineQuote) -> Iterator[str]:
    name = f"{line.price.provider} {line.price.sku}"
    if line.bundled:
        others = " or ".join(line.price.free_with)
        yield f"{name}: free with {others} in the same call, {counted(line.bundled, 'image')}"
    if line.shared:
        yield f"{name}: one unit for several tasks, {counted(line.shared, 'request')} more"
    if line.claimed:
        yield f"{name}: {counted(line.claimed, 'unit')} free because you claim it (--assume-free)"
    if line.used and line.units:
        yield f"{name}: {counted(line.used, 'unit')} in this month already, by this study"


def _money(quote: Quote) -> Section:
    rows = [
        ("spent already", _bare(quote.account.settled), _doubt(quote)),
        ("this run, at most", _bare(quote.highest), "reserved call by call"),
        ("together", _bare(quote.spent + quote.highest), ""),
    ]
    if quote.account.held:
        rows.insert(1, ("held", _bare(quote.account.held), "for requests on their way"))
    rows.append(_cap(quote))
    return Section("", ("", quote.currency, ""), rows, tuple(_notes(quote)), (quote.currency,))


def _doubt(quote: Quote) -> str:
    unknown = quote.account.unknown
    return f"{_bare(unknown)} of it for requests of unknown end" if unknown else ""


def _cap(quote: Quote) -> tuple[str, str, str]:
    if quote.cap is None:
        most = _bare(quote.spent + quote.highest)
        return "cap", most, "none named (--max-cost): what is spent, and this run at most"
    if quote.fits:
        said = "it fits"
    elif quote.cap < quote.spent:
        said = "below what is gone already: nothing would be sent"
    else:
        said = "it does not fit: the run would stop at the cap, in good order"
    named = quote.account.named and quote.cap == quote.account.cap
    return "cap", _bare(quote.cap), f"{said}{'; named earlier (--max-cost)' if named else ''}"


def _notes(quote: Quote) -> Sequence[str]:
    notes = [
        "Asking again after a failure can cost more than this, up to the cap; taxes, storage and "
        "other use of the account are not in it."
    ]
    if quote.rehearsal:
        notes.append("REHEARSAL: nothing of this is charged; for real it would be.")
    if quote.prices is not None:
        table = quote.prices
        notes.append(
            f"Prices: version {table.version}, sha256 {table.sha256[:HASH]}, the oldest read on "
            f"{table.oldest}, {counted(table.days, 'day')} ago (visionhub prices)"
        )
    notes += [
        f"{ends.provider} {ends.task}: {ends.attribute or 'all of it'} is withdrawn by the vendor "
        f"on {ends.on}, for {ends.whom}, and charged all the same"
        for ends in quote.ends
    ]
    return notes


def write_near(quote: Quote, path: Path) -> None:
    """Write near duplicates as CSV: path, group, and distance in bits from the group's first.

    Raises UsageError where they were not looked for, or where `path` cannot be a file.
    """
    if quote.near is None:
        raise UsageError("--near-list: no image was decoded, so that none was compared.")
    with whole(path) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
        writer = csv.writer(text)
        writer.writerow(("path", "group", "distance"))
        writer.writerows((printable(name)[0], *rest) for name, *rest in quote.near.rows)
        text.detach()
