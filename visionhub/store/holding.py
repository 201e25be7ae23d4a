"""What a study holds of some questions, for those who only want to know: nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from visionhub.images import Limits, decoder_version
from visionhub.pricing import Price, month
from visionhub.schema import ANSWERED
from visionhub.store import lookup
from visionhub.store.explain import explained
from visionhub.store.items import Question, limits_key
from visionhub.store.ledger import Away
from visionhub.store.ledger_accounts import NO_CAP
from visionhub.store.ledger_away import BILLED, charges, reasons
from visionhub.store.ledger_owners import dead, holders
from visionhub.store.owners import is_alive
from visionhub.store.study import StudyFile

_ANSWERED = ", ".join(f"'{status.value}'" for status in ANSWERED)
ANSWERED_SINCE = (
    "(c.body_id IS NOT NULL OR EXISTS (SELECT 1 FROM charges o WHERE o.key = c.key AND o.state = "
    "'settled' AND o.body_id IS NOT NULL) OR EXISTS (SELECT 1 FROM requests r WHERE r.image_id = "
    f"c.image_id AND r.question_id = c.question_id AND r.status IN ({_ANSWERED})))"
)
"""Of a charge `c`: its request has an answer, from a later attempt or in another way."""
CHARGED_ONLY = f"(c.state = 'settled' AND c.reason LIKE '{BILLED}%' AND NOT {ANSWERED_SINCE})"
"""Of a charge `c`: a bill shows it, and its request has no answer."""


@dataclass(frozen=True, slots=True)
class Image:
    """What is known of an image.

    problem: why it cannot be read here; None when it can, as far as is known. sent: the hash of its
    rendering, where there is one. open: questions without an answer, by position.
    """

    open: tuple[int, ...]
    problem: str | None = None
    sent: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """Money gone already, in micro-units. held: for requests on their way. cap: None for none.

    named: whether somebody named the cap, so that it stays until another is named.
    """

    settled: int = 0
    held: int = 0
    unknown: int = 0
    cap: int | None = None
    named: bool = False


class Holding:
    """An open study, or None for one that is not there yet.

    limits: of the renderings that are asked about. retry: whether requests whose end is unknown are
    asked again.
    """

    def __init__(
        self,
        study: StudyFile | None,
        questions: Sequence[Question],
        limits: Limits,
        *,
        retry: bool,
        now: datetime,
    ) -> None:
        self.study, self._retry, self._now = study, retry, now
        self._limits, self._decoder = limits_key(limits), decoder_version()
        self._every = range(len(questions))
        self._ids = {} if study is None else _question_ids(study, questions)
        self._charged = self._any("SELECT 1 FROM charges LIMIT 1")
        self._gone = self._dead()

    def _any(self, sql: str) -> bool:
        return self.study is not None and bool(self.study.query(sql).rows)

    def _dead(self) -> frozenset[int]:
        """Owners of holds that nobody will end any more: the next run makes them unknown."""
        if self.study is None or not self._charged:
            return frozenset()
        sql = self.study.connection
        with explained(self.study.path):
            return frozenset(dead(sql, holders(sql), self._now, is_alive))

    def look(self, sha256s: Sequence[str]) -> dict[str, Image]:
        """What is known of images, by hash; those that the study never met are left out."""
        if self.study is None:
            return {}
        with explained(self.study.path):
            known = lookup.images(self.study, sha256s)
            ids = [image.id for image in known.values()]
            renderings = lookup.renderings(self.study, ids, self._limits)
            wanted = list(renderings.values()), list(self._ids.values())
            settled = lookup.settled(self.study, *wanted)
            hashes = self._sent(list(renderings.values()))
        found = {}
        for sha256, image in known.items():
            rendering = renderings.get(image.id, 0)
            left = tuple(
                at for at in self._every if (rendering, self._ids.get(at, 0)) not in settled
            )
            problem = image.problem if image.decoder == self._decoder else None
            found[sha256] = Image(left, problem, hashes.get(rendering, ""))
        return found

    def _sent(self, rendering_ids: Sequence[int]) -> dict[int, str]:
        """Hashes of renderings, where charges are to be looked up by them."""
        if self.study is None or not self._charged:
            return {}
        sql = f"SELECT id, sha256 FROM renderings WHERE id IN ({_marks(rendering_ids)})"
        return dict(self.study.query(sql, rendering_ids).rows)

    def away(self, keys: Sequence[str]) -> dict[str, Away]:
        """Which requests will not be sent, and why, by what was tried before."""
        if self.study is None or not self._charged:
            return {}
        with explained(self.study.path):
            earlier = charges(self.study.connection, keys)
            return reasons(earlier, retry=self._retry, gone=self._gone)

    def account(self, currency: str) -> Account:
        """The study's account in a currency."""
        if self.study is None:
            return Account()
        sql = "SELECT settled, held, unknown, cap, named FROM accounts WHERE currency = ?"
        for *gone, cap, named in self.study.query(sql, (currency,)).rows:
            settled, held, unknown = gone
            return Account(settled, held, unknown, None if cap == NO_CAP else cap, bool(named))
        return Account()

    def used(self, price: Price) -> tuple[int, int]:
        """Units of a line's pool in this month so far, and how many of them were claimed free."""
        if self.study is None:
            return 0, 0
        key = (price.provider, price.pool, month(self._now, price.billing_zone))
        sql = (
            "SELECT settled + held, free_used FROM usage WHERE (provider, pool, month) = (?, ?, ?)"
        )
        rows = self.study.query(sql, key).rows
        return (rows[0][0], rows[0][1]) if rows else (0, 0)


@contextmanager
def holding(
    study: Path, questions: Sequence[Question], limits: Limits, *, retry: bool, now: datetime
) -> Iterator[Holding]:
    """A study as it stands. Raises StudyError when it is there and cannot be read."""
    if not study.exists() or (study.is_file() and study.stat().st_size == 0):
        yield Holding(None, questions, limits, retry=retry, now=now)
        return
    with StudyFile(study) as opened:
        yield Holding(opened, questions, limits, retry=retry, now=now)


def in_doubt(study: StudyFile, now: datetime) -> list[tuple[str, int, int]]:
    """Requests that may have been charged for without an answer: currency, number, micro-units.

    Those that a dead process had on their way are among them; what was answered since is not.
    """
    with explained(study.path):
        gone = dead(study.connection, holders(study.connection), now, is_alive)
    sql = (  # in two parts, for each has an index
        "WITH doubtful AS (SELECT * FROM charges WHERE state = 'unknown' UNION ALL SELECT c.* FROM "
        "charges c JOIN attempts a ON a.id = c.attempt_id WHERE c.state = 'held' AND a.owner_id IN "
        f"({_marks(gone)})) SELECT a.currency, count(*), sum(c.hold) FROM doubtful c JOIN attempts "
        f"a ON a.id = c.attempt_id WHERE NOT {ANSWERED_SINCE} GROUP BY a.currency "
        "ORDER BY a.currency"
    )
    return [(row[0], row[1], row[2]) for row in study.query(sql, gone).rows]


def billed(study: StudyFile) -> list[tuple[str, int, int]]:
    """Requests that a bill shows as charged, without an answer; as `in_doubt`."""
    sql = (
        "SELECT a.currency, count(*), sum(c.charge) FROM charges c JOIN attempts a ON a.id = "
        f"c.attempt_id WHERE {CHARGED_ONLY} GROUP BY a.currency ORDER BY a.currency"
    )
    return [(row[0], row[1], row[2]) for row in study.query(sql).rows]


def _question_ids(study: StudyFile, questions: Sequence[Question]) -> Mapping[int, int]:
    """Ids of questions that the study knows, by position."""
    sql = "SELECT id FROM questions WHERE (provider, task, revision, parameters) = (?, ?, ?, ?)"
    found = {}
    for at, question in enumerate(questions):
        key = (question.provider, question.task.value, question.revision, question.parameters)
        if rows := study.query(sql, key).rows:
            found[at] = int(rows[0][0])
    return found


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
