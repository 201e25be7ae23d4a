"""What a run would do and cost, before anything is sent: `visionhub quote`, and before `annotate`.

Nothing is written. Units and cost are those of a run in which nothing goes wrong.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from visionhub.engine.costs import LineQuote, line_quotes
from visionhub.engine.plan import Plan, is_service
from visionhub.engine.rehearsal import refuse_real
from visionhub.engine.savings import Copies, NearDuplicates, copies, near_duplicates
from visionhub.engine.sources import Found
from visionhub.engine.survey import Survey
from visionhub.engine.tally import Tally
from visionhub.engine.terms import Terms
from visionhub.pricing import PriceTable
from visionhub.provider import Provider
from visionhub.store.holding import Account, holding
from visionhub.store.ledger import Away


@dataclass(frozen=True, slots=True)
class TaskQuote:
    """Requests of one task to one provider; the image counts once, however many files hold it.

    held: answered in the study. refused: the provider does not take the image, at no cost.
    ambiguous: an earlier attempt may have been charged for. elsewhere: another run asks it now.
    billed: it was charged for, as a bill shows, and its answer is lost. unreadable: paid for, with
    an answer that could not be read.
    """

    provider: str
    task: str
    asked: int
    held: int
    refused: int
    ambiguous: int
    billed: int
    elsewhere: int
    unreadable: int


@dataclass(frozen=True, slots=True)
class ProviderQuote:
    """One provider. Money is in micro-units.

    about: calls carry several images, and a run may group them otherwise. rate: the limit that
    takes longest, `per_second` of it, and `seconds` for all calls; None where no limit is known.
    """

    name: str
    service: bool
    calls: int
    about: bool
    rate: str
    per_second: float | None
    seconds: float | None
    cost: int
    highest: int


@dataclass(frozen=True, slots=True)
class Ends:
    """What a vendor stops offering that the plan asks for."""

    provider: str
    task: str
    attribute: str
    on: date
    whom: str


@dataclass(frozen=True, slots=True)
class PricesUsed:
    """The price table. oldest: the day on which the oldest of the prices used was read."""

    version: str
    sha256: str
    oldest: date
    days: int


@dataclass(frozen=True, slots=True)
class Quote:
    """Everything that is known before a run. Money is in micro-units of `currency`.

    upper_bound: images were left undecoded, so that unreadable and refused ones among them are
    unknown and counted as asked. cost: with tiers applied. highest: the most it can reach without
    retries, which is what is reserved. spent: gone already or held, which includes `unknown`.
    cap: as named for this run, or for the study earlier. prices: None for a free plan.
    """

    study: Path
    rehearsal: bool
    interrupted: bool
    upper_bound: bool
    files: int
    images: int
    decoded: int
    undecoded: int
    unreadable_files: int
    unreadable_images: int
    reasons: Mapping[str, int]
    copies: Copies
    near: NearDuplicates | None
    tasks: tuple[TaskQuote, ...]
    unsupported: tuple[tuple[str, str], ...]
    providers: tuple[ProviderQuote, ...]
    lines: tuple[LineQuote, ...]
    ends: tuple[Ends, ...]
    prices: PricesUsed | None
    currency: str
    account: Account
    cap: int | None
    retry: bool

    @property
    def calls(self) -> int:
        """Calls of services; passes of models on this machine are none."""
        return sum(each.calls for each in self.providers if each.service)

    @property
    def units(self) -> int:
        """Units of price lines, claimed ones included."""
        return sum(line.units for line in self.lines)

    @property
    def cost(self) -> int:
        """What a run costs in which nothing goes wrong."""
        return sum(line.cost for line in self.lines)

    @property
    def highest(self) -> int:
        """What is reserved, call by call."""
        return sum(line.highest for line in self.lines)

    @property
    def spent(self) -> int:
        """What counts against the cap already."""
        return self.account.settled + self.account.held

    @property
    def fits(self) -> bool | None:
        """Whether all of it fits under the cap that was named; None where none was."""
        return None if self.cap is None else self.spent + self.highest <= self.cap

    def summary(self) -> dict[str, Any]:
        """Everything, ready for JSON; money stays in micro-units."""
        plain = asdict(self)
        if self.near is not None:
            del plain["near"]["rows"]
        lines = [{"sku": line.price.sku, **_line(line)} for line in self.lines]
        totals = {
            "calls": self.calls,
            "units": self.units,
            "cost": self.cost,
            "highest": self.highest,
            "spent": self.spent,
            "fits": self.fits,
        }
        return {**plain, "lines": lines, **totals}


def _line(line: LineQuote) -> dict[str, Any]:
    plain = asdict(line)
    price = plain.pop("price")
    named = {name: price[name] for name in ("provider", "region", "pool", "free_with")}
    read = {name: price[name] for name in ("source", "retrieved", "effective_from")}
    return {**named, **plain, "each_at_most": line.price.highest, **read}


def quote(
    files: Iterable[Found],
    plan: Plan,
    terms: Terms | None,
    study: Path,
    *,
    quick: bool | None = None,
    watch: Callable[[int, int | None], None] = lambda files, total: None,
    stop: threading.Event | None = None,
) -> Quote:
    """Look at every file and at what the study holds; a study that is not there holds nothing.

    quick: decode nothing; False decodes every image that is to be asked about; None as many as
    can be decoded in a minute or two (`survey.DECODED`). watch: told how many files were looked at.
    Raises StudyError, and UsageError where a price ends or a rehearsal's study meets a real plan.
    """
    now = datetime.now(UTC)
    retry = terms is not None and terms.retry
    prices = terms.lines if terms else {}
    with holding(study, plan.questions, plan.limits, retry=retry, now=now) as held:
        if held.study is not None and not plan.rehearsal and _asks_service(plan):
            refuse_real(held.study)
        found = Survey(plan, prices, held, quick, watch, stop).go(files)
        free = terms.free if terms else {}
        counts = (found.units, found.bundled, found.shared)
        lines = line_quotes(prices, free, held.used, *counts)
        account = held.account(terms.currency) if terms else Account()
    looked = quick is not True and found.decoded > 0
    return Quote(
        study=study,
        rehearsal=plan.rehearsal,
        interrupted=found.interrupted,
        upper_bound=found.undecoded > 0,
        files=found.files,
        images=found.images,
        decoded=found.decoded,
        undecoded=found.undecoded,
        unreadable_files=found.unreadable_files,
        unreadable_images=found.unreadable_images,
        reasons=dict(found.reasons.most_common()),
        copies=copies(found, plan, lines),
        near=near_duplicates(found, plan, lines) if looked else None,
        tasks=tuple(_tasks(plan, found)),
        unsupported=tuple((name, task.value) for name, task in plan.unsupported),
        providers=tuple(_provider(p, found, lines) for p in plan.providers.values()),
        lines=lines,
        ends=tuple(_ends(plan)),
        prices=_prices_used(terms.table, lines, now.date()) if terms else None,
        currency=terms.currency if terms else "",
        account=account,
        cap=_cap(terms, account),
        retry=retry,
    )


def _asks_service(plan: Plan) -> bool:
    return any(is_service(type(provider)) for provider in plan.providers.values())


def _cap(terms: Terms | None, account: Account) -> int | None:
    """The cap that holds: this run's, or one that was named for the study earlier."""
    if terms is None or terms.cap is not None:
        return terms.cap if terms else None
    return account.cap if account.named else None


def _tasks(plan: Plan, found: Tally) -> Iterator[TaskQuote]:
    for question in plan.questions:
        asked = (question.provider, question.task.value)
        yield TaskQuote(
            *asked,
            asked=found.asked[asked],
            held=found.held[asked] + found.away[Away.ANSWERED, *asked],
            refused=found.refused[asked],
            ambiguous=found.away[Away.AMBIGUOUS, *asked],
            billed=found.away[Away.BILLED, *asked],
            elsewhere=found.away[Away.HELD, *asked],
            unreadable=found.away[Away.UNREADABLE, *asked],
        )


def _provider(provider: Provider, found: Tally, lines: tuple[LineQuote, ...]) -> ProviderQuote:
    name, calls = provider.name, found.calls[provider.name]
    limits = [
        (found.takes[name, rate] / per_second, rate, per_second)
        for rate, per_second in provider.rates().items()
        if per_second > 0 and found.takes[name, rate]
    ]
    seconds, rate, per_second = max(limits, default=(None, "", None))
    mine = [line for line in lines if line.price.provider == name]
    return ProviderQuote(
        name=name,
        service=is_service(type(provider)),
        calls=calls,
        about=provider.images_per_batch > 1 and calls > 1,
        rate=rate,
        per_second=per_second,
        seconds=seconds,
        cost=sum(line.cost for line in mine),
        highest=sum(line.highest for line in mine),
    )


def _ends(plan: Plan) -> Iterator[Ends]:
    """Withdrawals that the plan runs into, by the rule of the plan's own warnings."""
    for question in plan.questions:
        asked = json.loads(question.parameters).get("attributes", [])
        for ends in plan.providers[question.provider].tasks[question.task].withdrawn:
            if not ends.attribute or ends.attribute in asked:
                what = (question.provider, question.task.value, ends.attribute)
                yield Ends(*what, ends.on, ends.whom)


def _prices_used(table: PriceTable, lines: tuple[LineQuote, ...], today: date) -> PricesUsed:
    oldest = min(line.price.retrieved for line in lines)
    return PricesUsed(table.version, table.sha256, oldest, (today - oldest).days)
