"""What must hold at every moment of a study under torture, and at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.torture.books import Books, Page, Settled, Unit
from tests.torture.server import Service

ANSWERED = ("observed", "below_floor", "truncated", "refused", "withdrawn")


@dataclass(slots=True)
class Tally:
    """Counts over many studies. Each fault is a count of things that may not be."""

    kills: Counter[str] = field(default_factory=Counter)  # by the moment
    codes: Counter[int] = field(default_factory=Counter)  # of workers that ended by themselves
    strange: list[str] = field(default_factory=list)  # what ended as it is not documented
    evidence: list[str] = field(default_factory=list)  # for who looks into a fault
    faults: Counter[str] = field(default_factory=Counter)
    studies: int = 0
    looks: int = 0  # at a study's books while it was written to
    requests: int = 0
    answers: int = 0
    ambiguous: int = 0
    units: int = 0  # that may have been billed, at the server
    asked: int = 0  # units that came in at the server
    extra: Counter[str] = field(default_factory=Counter)  # units billed again, by policy
    doubt: Counter[str] = field(default_factory=Counter)  # units in flight at a kill or a fault
    left: list[int] = field(default_factory=list)  # attempts that a killed process left behind
    spent: int = 0
    billed: int = 0  # micro-units, at the server

    def fault(self, what: str, number: int = 1) -> None:
        """Count what may not be."""
        if number:
            self.faults[what] += number


class Onlooker:
    """Looks at one study again and again while it is written to and its writers are killed.

    parts: how many requests make up a unit, by price line.
    """

    def __init__(
        self, study: Path, service: Service, parts: Mapping[str, int], tally: Tally
    ) -> None:
        self._study, self._service, self._parts, self._tally = study, service, parts, tally
        self._books: Books | None = None
        self._seen: dict[tuple[bytes, int], Settled] = {}
        self._calls: dict[Unit, int] = {}  # at the server when a unit was first seen settled

    def look(self) -> None:
        """Compare what the server has counted with what the study says a moment later."""
        if self._books is None:
            if not (self._study.exists() and self._study.stat().st_size):
                return
            self._books = Books(self._study)
        _, cost = self._service.billed()
        page = self._books.page()
        if page is None:
            return
        self._tally.looks += 1
        self._compare(page, cost)
        self._seen = dict(page.settled)
        self._note_answered()

    def page(self) -> Page:
        """The books as they stand."""
        page = self._books.page() if self._books else None
        if page is None:
            raise RuntimeError("no study was made")
        return page

    def _compare(self, page: Page, cost: int) -> None:
        """cost: what the server may have billed a moment before the books were read."""
        lost = sum(page.settled.get(key) != before for key, before in self._seen.items())
        gone = page.spent + page.held
        for fault, number in (
            *((f"books: {fault}", 1) for fault in page.faults),
            ("cap passed in the study", int(gone > page.cap)),
            ("cap passed at the server", int(cost > page.cap)),
            ("billed at the server, not in the ledger", int(cost > gone)),
            ("settled answers lost", lost),
        ):
            self._tally.fault(fault, number)

    def _note_answered(self) -> None:
        """Remember how often units had been billed when all of their answers were stored."""
        stored = Counter(one.unit for one in self._seen.values() if one.body)
        billed, _ = self._service.billed()
        for unit, number in stored.items():
            if number >= self._parts[unit[1]] and unit not in self._calls:
                self._calls[unit] = billed[unit]

    def finish(self, requests: int, *, retry: bool) -> None:
        """The study when all is done."""
        self.look()
        books, tally = self._books, self._tally
        tally.studies += 1
        if books is None:
            tally.fault("a study that was not made")
            return
        tally.asked += self._service.asked
        if self._service.unreserved:
            tally.fault("sent without a reservation", self._service.unreserved)
        if books.rows("PRAGMA integrity_check") != [("ok",)] or books.rows(
            "PRAGMA foreign_key_check"
        ):
            tally.fault("integrity_check failed")
        if damaged := books.damaged_bodies():
            tally.fault("damaged bodies", damaged)
        self._count_units(books, retry=retry)
        self._count_requests(books, requests)
        tally.left += [int(str(row[1])) for row in books.rows(_LEFT)]
        tally.spent += books.number("SELECT settled FROM accounts")
        if books.number("SELECT held FROM accounts"):
            tally.fault("money held when all had ended")
        books.close()

    def _count_units(self, books: Books, *, retry: bool) -> None:
        """Every unit that was billed more than once is explained by an ambiguous attempt."""
        billed, cost = self._service.billed()
        tally, policy = self._tally, "retry" if retry else "skip"
        tally.units += billed.total()
        tally.billed += cost
        for unit, number in self._calls.items():
            if billed[unit] != number:
                tally.fault("stored answers asked for again", billed[unit] - number)
        paid = {(image, sku): (attempts, lost) for image, sku, attempts, lost in books.rows(_PAID)}
        tally.doubt[policy] += sum(int(str(lost)) for _, lost in paid.values())
        for unit, number in billed.items():
            attempts, lost = (int(str(n)) for n in paid.get(unit, (0, 0)))
            tally.extra[policy] += number - 1
            if number > attempts:
                tally.fault("billed more often than the ledger has attempts", number - attempts)
            if number - 1 > lost:
                tally.fault("paid again without an ambiguous attempt", number - 1 - lost)
                tally.evidence.append(f"{unit[1]} billed {number} times: {books.history(*unit)}")

    def _count_requests(self, books: Books, requests: int) -> None:
        """Every request is answered, or ambiguous and listed."""
        from visionhub.report import spending
        from visionhub.store.study import StudyFile

        tally = self._tally
        answered = books.number(
            f"SELECT count(*) FROM status WHERE status IN {ANSWERED} AND request_id IS NOT NULL"
        )
        without = books.number(
            "SELECT count(*) FROM charges c WHERE c.state = 'settled' AND c.body_id IS NULL"
        )
        lost = books.number(_OPEN)
        with StudyFile(self._study) as study:
            listed = len(spending.ambiguous(study).rows)
        unknown = books.number("SELECT count(*) FROM charges WHERE state = 'unknown'")
        tally.requests += requests
        tally.answers += answered
        tally.ambiguous += lost
        if answered + lost != requests:
            tally.fault("requests neither answered nor ambiguous", abs(requests - answered - lost))
        if without:
            tally.fault("settled without an answer", without)
        if listed != unknown:
            tally.fault("ambiguous attempts that are not listed", abs(unknown - listed))


_OPEN = (  # requests of which nobody knows, and that have no answer
    "SELECT count(DISTINCT key) FROM charges c WHERE state = 'unknown' AND NOT EXISTS "
    "(SELECT 1 FROM charges s WHERE s.key = c.key AND s.state = 'settled')"
)
_PAID = (  # attempts that may have been billed, for each unit, and those that nobody knows of
    "SELECT i.sha256, l.sku, count(DISTINCT c.attempt_id), count(DISTINCT CASE c.state WHEN "
    "'unknown' THEN c.attempt_id END) FROM charges c JOIN images i ON i.id = c.image_id "
    "JOIN price_lines l ON l.id = c.line_id WHERE c.state <> 'released' GROUP BY 1, 2"
)
_LEFT = (  # attempts that each killed process left behind
    "SELECT a.owner_id, count(DISTINCT a.id) FROM charges c JOIN attempts a ON "
    "a.id = c.attempt_id WHERE c.reason LIKE 'its process ended%' GROUP BY 1"
)
