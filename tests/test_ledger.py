"""The ledger's rules, one by one; tests/test_ledger_model.py has them all at once."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlite_utils import Database

from tests.ledgers import (
    ALL,
    DEARER,
    FACES,
    LABELS,
    OTHER_TABLE,
    SAFE,
    START,
    TABLE,
    TEXT,
    Clock,
    check_sums,
    ended,
    key,
    line,
    new_study,
    open_ledger,
    price,
    settle,
    states,
    store_body,
    wanted,
)
from visionhub.errors import CapReached, StudyError, UsageError
from visionhub.store import ledger_owners
from visionhub.store.ledger import (
    Away,
    Bought,
    Ended,
    Ledger,
    Recovered,
    Reserved,
    State,
    Wanted,
)
from visionhub.store.ledger_away import BILLED
from visionhub.store.migrations import migrations
from visionhub.store.opening import APPLICATION_ID
from visionhub.store.owners import LEASE, Owner
from visionhub.store.study import StudyFile

FREE = {("cloud", "LABELS"): 2}


@pytest.fixture
def study(tmp_path: Path) -> Iterator[StudyFile]:
    """An open study with one run; what holds in every study holds in it at the end."""
    with new_study(tmp_path / "study.db") as study:
        yield study
        check_sums(study)


@pytest.fixture
def ledger(study: StudyFile) -> Iterator[Ledger]:
    with open_ledger(study, 100_000) as ledger:
        yield ledger


def held(study: StudyFile) -> list[tuple[int, int, int]]:
    return study.query("SELECT cap, settled, held FROM accounts").rows


# Reserving


def test_a_run_tells_what_it_bought_and_not_what_others_did(study) -> None:
    with open_ledger(study) as earlier:
        earlier.end(ended(earlier.reserve(wanted(1)), State.UNKNOWN))
    with open_ledger(study) as ledger, open_ledger(study) as beside:
        beside.end(ended(beside.reserve(wanted(2, 3)), State.UNKNOWN))
        assert ledger.bought() == Bought(0, {})
        ledger.end(ended(ledger.reserve(wanted(4)), State.RELEASED))  # throttled, and asked again
        ledger.end(ended(ledger.reserve(wanted(4)), State.UNKNOWN))
        ledger.reserve(wanted(5, price=DEARER))
        assert ledger.bought() == Bought(1500 + 4000, {"cloud": {"LABELS": 2}})
        assert beside.bought() == Bought(3000, {"cloud": {"LABELS": 2}})


def test_nothing_is_reserved_once_what_was_held_is_given_up(study, monkeypatch) -> None:
    """A thread of a run that was cut short may come at that moment; nobody would end its hold."""
    ledger = open_ledger(study)
    give_up = ledger_owners.recover

    with ThreadPoolExecutor(1) as pool:
        late: list[Future[Reserved]] = []

        def recover(*args) -> Recovered:
            late.append(pool.submit(ledger.reserve, wanted(1)))
            while not ledger._queue._jobs:
                time.sleep(0.001)
            return give_up(*args)

        @contextmanager
        def after_it() -> Iterator[None]:
            late[0].exception(timeout=10)
            with study.writing:
                yield

        monkeypatch.setattr(ledger_owners, "recover", recover)
        ledger._writing = after_it()
        ledger.close()
        with pytest.raises(StudyError, match="its ledger is closed"):
            late[0].result()
    assert states(study) == {}


def test_what_is_reserved_is_held_at_its_highest_price_before_it_is_sent(study, ledger) -> None:
    reserved = ledger.reserve(wanted(1, 2))
    assert reserved.granted == {key(1), key(2)}
    assert ledger.bought() == Bought(3000, {"cloud": {"LABELS": 2}})
    assert not reserved.away
    assert not reserved.capped
    assert held(study) == [(100_000, 0, 3000)]
    assert (ledger.totals.held, ledger.totals.settled, ledger.totals.cap) == (3000, 0, 100_000)
    (row,) = study.query(
        "SELECT provider, operation, region, month, requests, hold FROM attempts"
    ).rows
    assert row == ("cloud", "annotate", "east", "2026-11", 2, 3000)


def test_reservations_are_durable_in_the_journal_mode_of_the_study(study, ledger) -> None:
    modes = [
        [c.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")]
        for c in (ledger._sql, study.connection)
    ]
    assert modes[0] == modes[1]
    assert modes[0][0] >= 2  # FULL
    assert ledger._sql.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_a_request_that_costs_nothing_is_still_sent_once(study, ledger) -> None:
    reserved = ledger.reserve(wanted(1, price=None))
    assert reserved.granted == {key(1)}
    assert ledger.bought() == Bought(0, {})
    assert ledger.reserve(wanted(1, price=None)).away == {key(1): Away.HELD}
    assert study.query("SELECT line_id, units, hold FROM charges").rows == [(None, 0, 0)]
    assert study.query("SELECT * FROM usage").rows == []
    assert held(study) == [(100_000, 0, 0)]


def test_a_line_in_a_bundle_is_free_only_beside_the_other(study, ledger) -> None:
    both = Wanted("cloud", "annotate", "", ((line(1, SAFE), line(2, LABELS)),))
    first = ledger.reserve(both)
    assert ledger.totals.held == 1500
    assert ledger.bought().units == {"cloud": {"LABELS": 1}}
    ledger.end(ended(first, State.RELEASED, [key(1)]))
    second = ledger.reserve(both)  # labels are on their way: safe search would be sent alone
    assert second.granted == {key(1)}
    assert ledger.bought().units == {"cloud": {"LABELS": 1, "SAFE": 1}}
    assert ledger.totals.held == 1500 + 700


def test_requests_of_one_line_about_one_image_are_one_unit(study, ledger) -> None:
    image = (line(1, FACES), line(2, FACES), line(3, TEXT))
    reserved = ledger.reserve(Wanted("cloud", "annotate", "", (image, (line(4, FACES),))))
    assert reserved.granted == {key(1), key(2), key(3), key(4)}
    assert ledger.bought().units == {"cloud": {"FACES": 2, "TEXT": 1}}
    assert ledger.totals.held == 3 * 900
    assert study.query("SELECT pool, held, free_claimed FROM usage").rows == [("DETECT", 3, 0)]


def test_a_request_that_is_wanted_twice_in_one_call_is_held_once(ledger) -> None:
    reserved = ledger.reserve(wanted(1, 2, 1))
    assert reserved.granted == {key(1), key(2)}
    assert ledger.totals.held == 3000


def test_an_attempt_with_nothing_granted_leaves_no_row(study, ledger) -> None:
    ledger.reserve(wanted(1))
    before = study.query("SELECT * FROM attempts").rows
    reserved = ledger.reserve(wanted(1))
    assert reserved == Reserved(None, frozenset(), {key(1): Away.HELD})
    assert ledger.reserve(Wanted("cloud", "", "", ())) == Reserved(None, frozenset())
    assert study.query("SELECT * FROM attempts").rows == before


def test_a_price_in_another_currency_is_not_held(study, ledger) -> None:
    with pytest.raises(ValueError, match="EUR, held in USD"):
        ledger.reserve(wanted(1, price=replace(LABELS, currency="EUR")))
    assert held(study) == [(100_000, 0, 0)]


def test_nothing_is_held_beyond_the_end_of_a_price_list(study, ledger) -> None:
    ends = price("LABELS", (3, 1500))
    ledger.reserve(wanted(1, 2, price=ends))
    with pytest.raises(UsageError, match="its price ends with unit 3"):
        ledger.reserve(wanted(3, 4, price=ends))
    assert held(study) == [(100_000, 0, 3000)]
    assert ledger.reserve(wanted(3, price=ends)).granted == {key(3)}


def test_units_of_one_image_count_together_towards_the_end_of_a_price_list(study, ledger) -> None:
    faces = price("FACES", (3, 900), pool="DETECT")
    text = price("TEXT", (3, 900), pool="DETECT")
    ledger.reserve(wanted(1, 2, price=faces))
    image = (line(3, faces), line(4, text))  # one of them fits, both do not
    with pytest.raises(UsageError, match="its price ends with unit 3"):
        ledger.reserve(Wanted("cloud", "annotate", "", (image,)))
    assert held(study) == [(100_000, 0, 1800)]


def test_many_requests_in_one_call(study, ledger) -> None:
    images = tuple((line(n, None), line(n + 1000, None)) for n in range(700))
    reserved = ledger.reserve(Wanted("cloud", "", "", images))
    assert len(reserved.granted) == 1400
    again = ledger.reserve(Wanted("cloud", "", "", images))
    assert Counter(again.away.values()) == {Away.HELD: 1400}


# The cap


def test_at_the_cap_the_images_that_fit_are_granted_in_order(study) -> None:
    with open_ledger(study, 3700) as ledger:
        images = ((line(1),), (line(2), line(3, FACES)), (line(4), line(5, None)), (line(6, SAFE),))
        reserved = ledger.reserve(Wanted("cloud", "", "", images))
        assert reserved.granted == {key(1), key(4), key(5), key(6)}
        assert reserved.capped == {key(2), key(3)}  # an image as a whole, or not at all
        assert ledger.totals.held == 3700
        assert study.query("SELECT pool, held FROM usage").rows == [("LABELS", 2), ("SAFE", 1)]


def test_at_the_cap_nothing_is_granted_but_what_is_free(study) -> None:
    with open_ledger(study, 1499) as ledger:
        reserved = ledger.reserve(wanted(1, 2))
        assert reserved == Reserved(None, frozenset(), {}, frozenset({key(1), key(2)}))
        assert ledger.reserve(wanted(3, price=None)).granted == {key(3)}


def test_a_ledger_remembers_that_it_has_met_the_cap(study) -> None:
    with open_ledger(study, 1500) as ledger:
        first = ledger.reserve(wanted(1))
        assert ledger.capped is False
        ledger.reserve(wanted(2))
        assert ledger.capped is True
        ledger.end(ended(first, State.RELEASED))
        ledger.reserve(wanted(2))  # there is room again, but this run had met the cap
        assert ledger.capped is True


def test_what_is_given_back_can_be_held_again(study) -> None:
    with open_ledger(study, 1500) as ledger:
        first = ledger.reserve(wanted(1))
        assert ledger.reserve(wanted(2)).capped == {key(2)}
        ledger.end(ended(first, State.RELEASED))
        assert ledger.reserve(wanted(2)).granted == {key(2)}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE accounts SET cap = 2999",
        "UPDATE accounts SET settled = settled + 1",
        "UPDATE accounts SET held = -1",
        "UPDATE accounts SET settled = -1",
        "UPDATE accounts SET unknown = 1",
        "INSERT INTO charges SELECT x'00112233445566778899aabbccddeeff', attempt_id, 1, 1, "
        "line_id, 1, 0, 1, 0, 'held', '', NULL FROM charges LIMIT 1",
        "UPDATE charges SET hold = hold + 1",
        "UPDATE charges SET state = 'settled', charge = hold + 1",
        "UPDATE charges SET charge = 1",
        "UPDATE charges SET state = 'released', charge = 1",
        "UPDATE charges SET state = 'unknown', charge = hold - 1",
        "UPDATE charges SET state = 'lost'",
        "UPDATE charges SET units = 2",
        "UPDATE charges SET units = 0, free = 1",
        "UPDATE charges SET line_id = NULL",
        "UPDATE charges SET line_id = 77",
        "UPDATE charges SET body_id = 77",
        "UPDATE charges SET key = x'00'",
        "UPDATE attempts SET currency = 'EUR'",
        "UPDATE usage SET settled = -1",
        "UPDATE usage SET held = -1",
        "UPDATE usage SET free_used = -1",
    ],
)
def test_the_database_itself_refuses_what_cannot_be(study, change) -> None:
    with open_ledger(study, 3000) as ledger:
        ledger.reserve(wanted(1, 2))
        with (
            pytest.raises(StudyError, match="constraint failed"),
            study.transaction() as sql,
        ):
            sql.execute(change)
        assert held(study) == [(3000, 0, 3000)]


def test_a_key_cannot_be_held_twice(study, ledger) -> None:
    ledger.reserve(wanted(1))
    ledger.reserve(wanted(2))
    with pytest.raises(StudyError, match="UNIQUE constraint"), study.transaction() as sql:
        sql.execute("UPDATE charges SET key = ?", (bytes.fromhex(key(1))[:16],))


def test_a_fault_of_the_code_does_not_pass_the_cap(study, monkeypatch) -> None:
    monkeypatch.setattr(  # as if the arithmetic said that there is room
        "visionhub.store.ledger_reserve._left", lambda sql, currency: 10**9
    )
    with open_ledger(study, 2000) as ledger:
        with pytest.raises(StudyError, match="CHECK constraint failed"):
            ledger.reserve(wanted(1, 2))
        assert held(study) == [(2000, 0, 0)]
        assert ledger.reserve(wanted(1)).granted == {key(1)}


def test_a_cap_below_what_is_spent_is_refused(study) -> None:
    with open_ledger(study, 10_000) as ledger:
        settle(study, ledger, ledger.reserve(wanted(1)))
        ledger.reserve(wanted(2))
        with pytest.raises(CapReached, match=r"cap of 0\.002999 USD.*spent 0\.0015 USD and holds"):
            open_ledger(study, 2999)
        assert held(study) == [(10_000, 1500, 1500)]
        open_ledger(study, 3000).close()
        assert held(study) == [(3000, 1500, 1500)]
        assert ledger.reserve(wanted(3)).capped == {key(3)}  # it holds for all who are there
        assert ledger.totals.cap == 3000
    with pytest.raises(CapReached) as told:
        open_ledger(study, 0)
    assert "holds" not in str(told.value)
    assert "0.003 USD" in str(told.value)
    assert study.query("SELECT count(*) FROM owners").rows == [(2,)]


def test_no_cap(study) -> None:
    with open_ledger(study, None) as ledger:
        assert ledger.totals.cap is None
        ledger.reserve(wanted(*range(100)))
        assert ledger.totals.held == 150_000
    with open_ledger(study, 200_000) as ledger:
        assert ledger.totals == replace(ledger.totals, cap=200_000, settled=150_000, held=0)


def account(study: StudyFile) -> list[tuple[int, int]]:
    return study.query("SELECT cap, named FROM accounts").rows


def test_a_run_keeps_to_the_cap_that_it_was_given(study) -> None:
    """A later one may name a higher cap: it is for itself, and the study's."""
    with open_ledger(study, 3000) as careful, open_ledger(study, 9000) as generous:
        assert account(study) == [(9000, 1)]
        assert careful.totals.cap == 3000
        generous.reserve(wanted(1))
        assert careful.reserve(wanted(2, 3)).granted == {key(2)}
        assert careful.capped
        generous.reserve(wanted(4, 5))
        free = careful.reserve(wanted(6, price=None))  # though others have passed it
        assert (free.granted, free.capped) == ({key(6)}, frozenset())
        penny = price("PENNY", (None, 1))
        assert careful.reserve(wanted(7, price=penny)).capped == {key(7)}
        assert generous.totals.cap == 9000


def test_a_named_cap_stays_until_another_is_named(study) -> None:
    open_ledger(study, 3000).close()
    with open_ledger(study, room=9000) as ledger:
        assert account(study) == [(3000, 1)]
        assert ledger.reserve(wanted(1, 2, 3)).capped == {key(3)}
    open_ledger(study).close()
    assert account(study) == [(3000, 1)]
    open_ledger(study, 5000).close()
    assert account(study) == [(5000, 1)]


def test_what_was_agreed_to_is_for_each_run(study) -> None:
    """One that starts beside another leaves it its room; what an ended one had left is gone."""
    open_ledger(study, room=9000).close()
    with open_ledger(study, room=3000) as first:
        first.reserve(wanted(1))
        with open_ledger(study, room=4500) as second:
            assert account(study) == [(7500, 0)]
            assert second.reserve(wanted(2, 3, 4)).granted == {key(2), key(3), key(4)}
            assert first.reserve(wanted(5)).granted == {key(5)}
    open_ledger(study, room=1000).close()
    assert account(study) == [(7500 + 1000, 0)]
    with open_ledger(study, room=5000, alive=lambda *_: False), open_ledger(study, room=100):
        assert account(study) == [(7500 + 5000 + 100, 0)]
        open_ledger(study, room=100, alive=lambda *_: False).close()
        assert account(study) == [(7500 + 100, 0)]


# What is away


@pytest.mark.parametrize("retry", [False, True])
def test_what_was_settled_is_never_asked_again(study, retry) -> None:
    with open_ledger(study, retry=retry) as ledger:
        settle(study, ledger, ledger.reserve(wanted(1)))
        bad = ledger.reserve(wanted(2))
        with study.transaction() as sql:
            ledger.settle(sql, [replace(ended(bad, State.SETTLED)[0], reason="no labels")], {})
        away = ledger.reserve(wanted(1, 2)).away
        assert away == {key(1): Away.ANSWERED, key(2): Away.UNREADABLE}


def test_what_is_unknown_is_asked_again_only_under_retry(study) -> None:
    with open_ledger(study) as skip, open_ledger(study, retry=True) as retry:
        skip.end(ended(skip.reserve(wanted(1)), State.UNKNOWN))
        assert skip.reserve(wanted(1)).away == {key(1): Away.AMBIGUOUS}
        again = retry.reserve(wanted(1))
        assert again.granted == {key(1)}
        assert (retry.totals.settled, retry.totals.held, retry.totals.unknown) == (1500, 1500, 1500)
        assert skip.reserve(wanted(1)).away == {key(1): Away.HELD}  # rather than ambiguous
        settle(study, retry, again)
        assert skip.reserve(wanted(1)).away == {key(1): Away.ANSWERED}
        assert retry.totals.settled == 3000  # the old one still counts


def test_what_was_released_is_asked_again(study, ledger) -> None:
    for _ in range(3):
        ledger.end(ended(ledger.reserve(wanted(1)), State.RELEASED))
    assert ledger.reserve(wanted(1)).granted == {key(1)}
    assert ledger.totals.settled == 0


def test_an_answer_counts_for_more_than_an_unreadable_one(study) -> None:
    with open_ledger(study, retry=True) as ledger:
        first, second = ledger.reserve(wanted(1)), None
        ledger.end(ended(first, State.UNKNOWN))
        second = ledger.reserve(wanted(1))
        settle(study, ledger, first)
        ledger.end([replace(ended(second, State.SETTLED)[0], reason="not readable")])
        assert ledger.reserve(wanted(1)).away == {key(1): Away.ANSWERED}


# Ending


def test_an_answer_is_charged_by_its_place_in_the_month(study, ledger) -> None:
    reserved = ledger.reserve(wanted(1, 2, 3, 4, 5))  # three at 1500, then 1000
    settle(study, ledger, reserved, [key(4)])
    assert ledger.totals.settled == 1500  # the first to be answered, whatever its number
    settle(study, ledger, reserved, [key(n) for n in (1, 2, 3, 5)])
    assert ledger.totals.settled == 3 * 1500 + 2 * 1000
    assert ledger.totals.held == 0
    assert sum(study.query("SELECT charge FROM charges").column("charge")) == 6500


def test_lines_of_a_pool_are_counted_together(study, ledger) -> None:
    settle(study, ledger, ledger.reserve(wanted(1, 2, 3, price=FACES)))
    settle(study, ledger, ledger.reserve(wanted(4, 5, price=TEXT)))
    assert ledger.totals.settled == 4 * 900 + 500


def test_what_is_unknown_keeps_its_place_in_the_month(study, ledger) -> None:
    ledger.end(ended(ledger.reserve(wanted(1, 2, 3)), State.UNKNOWN))
    assert (ledger.totals.settled, ledger.totals.unknown) == (4500, 4500)
    settle(study, ledger, ledger.reserve(wanted(4)))
    assert ledger.totals.settled == 5500
    assert study.query("SELECT settled, held FROM usage").rows == [(4, 0)]


def test_body_and_settlement_are_one_transaction(study, ledger) -> None:
    reserved = ledger.reserve(wanted(1, 2))

    def fail() -> None:
        with study.transaction() as sql:
            bodies = {one: store_body(sql) for one in reserved.granted}
            ledger.settle(sql, ended(reserved, State.SETTLED, body=True), bodies)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert held(study) == [(100_000, 0, 3000)]
    assert study.query("SELECT * FROM bodies").rows == []
    settle(study, ledger, reserved)
    assert study.query("SELECT state, body_id FROM charges ORDER BY body_id").rows == [
        ("settled", 1),
        ("settled", 2),
    ]


def test_an_answer_without_its_body_is_not_settled(study, ledger) -> None:
    reserved = ledger.reserve(wanted(1))
    told = ended(reserved, State.SETTLED, body=True)
    with pytest.raises(ValueError, match="together with its body"):
        ledger.end(told)
    with pytest.raises(KeyError), study.transaction() as sql:
        ledger.settle(sql, told, {})
    assert states(study) == {1: "held"}


def test_an_attempt_ends_with_the_last_of_its_requests(study, ledger) -> None:
    reserved = ledger.reserve(wanted(1, 2, 3))
    for number, state in enumerate(ALL, 1):
        assert study.query("SELECT ended_at FROM attempts").rows == [(None,)]
        ledger.end(ended(reserved, state, [key(number)]))
    assert study.query("SELECT ended_at FROM attempts").rows == [("2026-11-23T12:00:00Z",)]
    assert states(study) == {1: "settled", 2: "released", 3: "unknown"}


def test_a_reason_is_kept(study, ledger) -> None:
    reserved = ledger.reserve(wanted(1))
    ledger.end([replace(ended(reserved, State.UNKNOWN)[0], reason="reset by peer")])
    assert study.query("SELECT reason FROM charges").rows == [("reset by peer",)]


def test_a_damaged_answer_is_kept_and_stays_unknown(study, ledger) -> None:
    reserved = ledger.reserve(wanted(1))
    ledger.end(ended(reserved, State.UNKNOWN, body=True))  # at once; the body follows
    with study.transaction() as sql:
        body = store_body(sql)
        ledger.settle(sql, ended(reserved, State.UNKNOWN, body=True), {key(1): body})
    assert study.query("SELECT state, body_id FROM charges").rows == [("unknown", body)]
    assert ledger.totals.settled == 1500


@pytest.mark.parametrize("first", ALL)
@pytest.mark.parametrize("second", ALL)
def test_ending_twice(study, ledger, first, second) -> None:
    ledger.reserve(wanted(9))  # something else is there
    reserved = ledger.reserve(wanted(1))
    ledger.end(ended(reserved, first))
    ledger.end(ended(reserved, second))
    ledger.end(ended(reserved, second))
    late = second is State.SETTLED
    assert states(study)[1] == ("settled" if late else first.value)
    spent = 0 if first is State.RELEASED and not late else 1500
    assert (ledger.totals.settled, ledger.totals.held) == (spent, 1500)
    assert study.query("SELECT settled, held FROM usage").rows == [(spent // 1500, 1)]


def test_an_answer_that_comes_twice_is_charged_once(study, ledger) -> None:
    reserved = ledger.reserve(wanted(1))
    settle(study, ledger, reserved)
    settle(study, ledger, reserved)
    assert ledger.totals.settled == 1500
    assert study.query("SELECT body_id FROM charges").rows == [(1,)]  # the first stays


def test_an_answer_that_comes_twice_keeps_its_price_and_its_reason(study, ledger) -> None:
    first = ledger.reserve(wanted(1))
    settle(study, ledger, first)
    settle(study, ledger, ledger.reserve(wanted(2, 3, 4)))  # the next unit would cost 1000
    ledger.end([replace(ended(first, State.SETTLED)[0], reason="refused")])
    rows = study.query("SELECT charge, reason FROM charges WHERE attempt_id = 1").rows
    assert rows == [(1500, "")]


def test_nobody_ends_what_another_holds(study, ledger) -> None:
    reserved = ledger.reserve(wanted(1))
    with open_ledger(study, 100_000) as other:
        for state in ALL:
            other.end(ended(reserved, state))
        settle(study, other, reserved)
        other.end(
            [Ended(77, key(1), State.RELEASED), Ended(reserved.attempt, key(5), State.UNKNOWN)]
        )
    assert states(study) == {1: "held"}
    assert ledger.totals == replace(ledger.totals, settled=0, held=1500)
    strange = Ended(77, key(1), State.RELEASED)
    ledger.end([strange, *ended(reserved, State.RELEASED)])  # what follows is ended all the same
    assert states(study) == {1: "released"}


# Late answers


def test_a_late_answer_is_charged_once_and_by_its_place(study, ledger) -> None:
    reserved = ledger.reserve(wanted(1, 2, 3, 4))
    ledger.end(ended(reserved, State.UNKNOWN))
    assert ledger.totals.settled == 6000  # four times the highest
    settle(study, ledger, reserved, [key(1)])
    assert ledger.totals.settled == 5500  # it is the fourth of the month: 1000
    assert ledger.totals.unknown == 4500
    assert ledger.reserve(wanted(1)).away == {key(1): Away.ANSWERED}
    assert study.query("SELECT settled, held FROM usage").rows == [(4, 0)]


def test_a_late_answer_counts_itself_once(study, ledger) -> None:
    reserved = ledger.reserve(wanted(1, 2, 3))
    ledger.end(ended(reserved, State.UNKNOWN))
    settle(study, ledger, reserved, [key(1)])
    assert ledger.totals.settled == 4500  # the third of the month, not the fourth


def test_a_late_answer_after_release_is_charged_again(study) -> None:
    with open_ledger(study, 3000) as ledger:
        late, other = ledger.reserve(wanted(1)), ledger.reserve(wanted(2))
        ledger.end(ended(late, State.UNKNOWN))
        with study.transaction() as sql:  # as a bill tells: `ledger reconcile`
            sql.execute("UPDATE charges SET state = 'released', charge = 0 WHERE attempt_id = 1")
        assert held(study) == [(3000, 0, 1500)]
        third = ledger.reserve(wanted(3))  # what was given back is used for another
        settle(study, ledger, late)
        assert held(study) == [(4500, 1500, 3000)]
        (reason,) = study.query("SELECT reason FROM charges WHERE attempt_id = 1").rows[0]
        assert "the cap was raised to 0.0045 USD" in reason
        assert ledger.reserve(wanted(1)).away == {key(1): Away.ANSWERED}  # and not unreadable
        settle(study, ledger, other)
        settle(study, ledger, third)
        assert held(study) == [(4500, 4500, 0)]


def test_a_late_answer_after_release_that_fits_leaves_the_cap(study) -> None:
    with open_ledger(study, 1500) as ledger:
        reserved = ledger.reserve(wanted(1))
        ledger.end(ended(reserved, State.RELEASED))
        settle(study, ledger, reserved)
    assert held(study) == [(1500, 1500, 0)]
    assert study.query("SELECT reason FROM charges").rows == [("",)]


def test_the_note_of_a_raised_cap_keeps_the_reason(study) -> None:
    with open_ledger(study, 1500) as ledger:
        reserved = ledger.reserve(wanted(1))
        ledger.end(ended(reserved, State.RELEASED))
        ledger.reserve(wanted(2))
        ledger.end([replace(ended(reserved, State.SETTLED)[0], reason="refused, but charged")])
        (reason,) = study.query("SELECT reason FROM charges WHERE attempt_id = 1").rows[0]
        assert reason.endswith("0.003 USD; refused, but charged")


def test_units_beyond_this_runs_price_list_are_charged_as_held(study) -> None:
    ends = price("LABELS", (1, 1500))
    with open_ledger(study) as ledger, open_ledger(study, table=OTHER_TABLE) as other:
        reserved = ledger.reserve(wanted(1, price=ends))
        settle(study, other, other.reserve(wanted(2, 3, price=DEARER)))
        settle(study, ledger, reserved)
        assert ledger.totals.settled == 2 * 4000 + 1500


def test_sums_follow_whoever_changes_a_charge(study, ledger) -> None:
    both = Wanted("cloud", "annotate", "", ((line(1, SAFE), line(2, LABELS)),))
    ledger.reserve(both)  # safe search is free beside labels
    for change in (
        "hold = 1 WHERE units = 0",
        "hold = 0 WHERE units = 0",
        "hold = 0, units = 0 WHERE units = 1",
        f"hold = 1500, units = 1 WHERE key = x'{key(2)[:32]}'",
        "hold = 0, free = 1 WHERE units = 1",
    ):
        with study.transaction() as sql:
            sql.execute(f"UPDATE charges SET {change}")
            sql.execute("UPDATE attempts SET hold = (SELECT sum(hold) FROM charges)")
        check_sums(study)
    assert held(study) == [(100_000, 0, 0)]
    assert study.query("SELECT pool, held, free_used FROM usage").rows == [("LABELS", 1, 1)]


# Several runs, months, free units


def test_two_runs_with_different_price_tables(study) -> None:
    with open_ledger(study) as ledger, open_ledger(study, table=OTHER_TABLE) as other:
        cheap, dear = ledger.reserve(wanted(1)), other.reserve(wanted(2, price=DEARER))
        assert other.totals.held == 5500
        settle(study, other, dear)
        settle(study, ledger, cheap)
        assert ledger.totals.settled == 5500
    rows = study.query(
        "SELECT t.sha256, l.sku, l.tiers FROM price_lines l JOIN price_tables t "
        "ON t.id = l.price_table_id ORDER BY l.id"
    ).rows
    assert rows == [
        (
            TABLE.sha256,
            "LABELS",
            '[{"up_to": 3, "micros": 1500}, {"up_to": null, "micros": 1000}]',
        ),
        (OTHER_TABLE.sha256, "LABELS", '[{"up_to": null, "micros": 4000}]'),
    ]
    texts = study.query("SELECT text FROM price_tables ORDER BY id").column("text")
    assert texts == [TABLE.text, OTHER_TABLE.text]


def test_prices_are_kept_once(study) -> None:
    for number in range(3):
        with open_ledger(study) as ledger:
            settle(study, ledger, ledger.reserve(wanted(number, price=FACES)))
    assert study.query("SELECT count(*) FROM price_tables").rows == [(1,)]
    assert study.query("SELECT sku FROM price_lines").rows == [("FACES",)]


def test_a_line_with_a_new_price_from_some_day_on_is_another(study, ledger) -> None:
    later = replace(
        LABELS, tiers=DEARER.tiers, effective_from=LABELS.effective_from.replace(month=12)
    )
    settle(study, ledger, ledger.reserve(wanted(1)))
    settle(study, ledger, ledger.reserve(wanted(2, price=later)))
    assert ledger.totals.settled == 5500
    assert len(study.query("SELECT * FROM price_lines")) == 2


def test_free_units_are_held_at_nothing_and_counted(study) -> None:
    with open_ledger(study, 3000, free=FREE) as ledger:
        reserved = ledger.reserve(wanted(1, 2, 3))
        assert ledger.totals.held == 1500
        settle(study, ledger, reserved)
        assert ledger.totals.settled == 1500
        settle(study, ledger, ledger.reserve(wanted(4)))
        assert ledger.totals.settled == 2500  # the fourth of the month, free ones included
    assert study.query("SELECT settled, free_claimed, free_used FROM usage").rows == [(4, 2, 2)]


def test_free_units_are_the_first_of_a_month_whenever_their_answers_come(study) -> None:
    with open_ledger(study, free=FREE) as ledger:
        reserved = ledger.reserve(wanted(1, 2))
        other = ledger.reserve(wanted(3, 4))
        settle(study, ledger, other)  # the third and the fourth, at 1500 and 1000
        assert ledger.totals.settled == 2500
        settle(study, ledger, reserved)
        settle(study, ledger, ledger.reserve(wanted(5)))
        assert ledger.totals.settled == 3500


def test_a_free_unit_that_was_not_used_is_free_again(study) -> None:
    with open_ledger(study, free=FREE) as ledger:
        first = ledger.reserve(wanted(1, 2))
        assert ledger.totals.held == 0
        ledger.end(
            [*ended(first, State.RELEASED, [key(1)]), *ended(first, State.UNKNOWN, [key(2)])]
        )
        assert ledger.totals.settled == 0
        ledger.reserve(wanted(3, 4))
        assert ledger.totals.held == 1500


def test_a_claim_holds_for_the_run_that_makes_it(study) -> None:
    with open_ledger(study, free=FREE) as claims, open_ledger(study) as pays:
        claims.reserve(wanted(1))
        pays.reserve(wanted(2))
        assert pays.totals.held == 1500
        claims.reserve(wanted(3, 4))
        assert claims.totals.held == 3000
    with open_ledger(study, free={("cloud", "LABELS"): 1}) as less:
        less.reserve(wanted(5))
        assert less.totals.held == 1500
    assert study.query("SELECT free_claimed, free_used FROM usage").rows == [(2, 2)]


def test_a_month_begins_where_the_service_bills(study) -> None:
    clock = Clock()
    clock.now = START + 8 * 86400 - 5 * 3600  # 7:00 UTC on the 1st of December: 23:00 there
    with open_ledger(study, free=FREE, clock=clock) as ledger:
        settle(study, ledger, ledger.reserve(wanted(1, 2)))
        late = ledger.reserve(wanted(3))
        clock.now += 3600
        settle(study, ledger, ledger.reserve(wanted(4)))
        settle(study, ledger, late)  # in the month in which it was sent
        assert ledger.totals.settled == 1500
    rows = study.query("SELECT month, settled, free_used FROM usage").rows
    assert rows == [("2026-11", 3, 2), ("2026-12", 1, 1)]


# Owners


def dead_but(*living: Owner):
    return lambda owner, until, now: owner in living


def test_what_a_dead_owner_held_is_recovered_when_it_is_in_the_way(study) -> None:
    gone = Owner("host", "boot", 1, "1")
    with open_ledger(study, owner=gone) as lost, open_ledger(study, 9000, alive=dead_but()) as me:
        lost.reserve(wanted(1))
        lost.reserve(wanted(2))
        assert me.reserve(wanted(3)).granted == {key(3)}
        assert states(study) == {1: "held", 2: "held", 3: "held"}
        assert me.reserve(wanted(1)).away == {key(1): Away.AMBIGUOUS}
        assert states(study) == {1: "unknown", 2: "unknown", 3: "held"}
        assert (me.totals.settled, me.totals.unknown, me.totals.held) == (3000, 3000, 1500)


def test_under_retry_what_a_dead_owner_held_is_granted(study) -> None:
    gone = Owner("host", "boot", 1, "1")
    with (
        open_ledger(study, owner=gone) as lost,
        open_ledger(study, retry=True, alive=dead_but()) as me,
    ):
        lost.reserve(wanted(1))
        assert me.reserve(wanted(1)).granted == {key(1)}
        assert states(study) == {1: "held"}


def test_recover_leaves_the_living_alone(study) -> None:
    a, b, c = (Owner("host", "boot", n, "1") for n in range(3))
    with open_ledger(study, owner=a) as one, open_ledger(study, owner=b) as two:
        one.reserve(wanted(1, 2))
        two.reserve(wanted(3))
        with open_ledger(study, owner=c, alive=dead_but(b)) as me:
            me.reserve(wanted(4))
            assert me.recover() == Recovered(2, 3000)
            assert me.recover() == Recovered()
            assert states(study) == {1: "unknown", 2: "unknown", 3: "held", 4: "held"}
            (reason,) = set(study.query("SELECT reason FROM charges WHERE state = 'unknown'").rows)
            assert "ended before the answer" in reason[0]
            assert study.query("SELECT id FROM owners WHERE ended_at NOT NULL").rows == [(1,)]


def test_an_owner_that_was_taken_for_dead_lives_on(study) -> None:
    clock = Clock()
    abroad = Owner("elsewhere", "", 1, "")  # its lease alone tells
    with (
        open_ledger(study, clock=clock, owner=abroad) as slept,
        open_ledger(study, clock=clock, retry=True) as me,
    ):
        first = slept.reserve(wanted(1))
        assert me.reserve(wanted(1)).away == {key(1): Away.HELD}
        clock.now += LEASE
        assert me.recover() == Recovered(1, 1500)
        settle(study, slept, first)  # a late answer, by one who had ended: it lives after all
        slept.reserve(wanted(2))
        assert me.reserve(wanted(2)).away == {key(2): Away.HELD}
        assert me.recover() == Recovered()


def test_what_one_holds_itself_is_on_its_way_whatever_the_lease(study) -> None:
    clock = Clock()
    with open_ledger(study, clock=clock, owner=Owner("elsewhere", "", 1, "")) as ledger:
        ledger.reserve(wanted(1))
        clock.now += LEASE
        assert ledger.reserve(wanted(1)).away == {key(1): Away.HELD}
        clock.now += LEASE
        assert ledger.recover() == Recovered()


def test_a_lease_is_renewed_with_what_is_written_anyway(study) -> None:
    clock = Clock()

    def lease() -> float:
        return float(study.query("SELECT lease_until FROM owners").rows[0][0]) - START

    with open_ledger(study, clock=clock) as ledger:
        clock.now += LEASE / 3 - 1
        ledger.renew()
        ledger.reserve(wanted(1))
        assert lease() == LEASE
        clock.now += 1
        ledger.renew()
        assert lease() == LEASE + LEASE / 3
        clock.now += LEASE
        reserved = ledger.reserve(wanted(2))
        assert lease() == LEASE * 2 + LEASE / 3
        clock.now += LEASE
        settle(study, ledger, reserved)
        assert lease() == LEASE * 3 + LEASE / 3
        clock.now = START - 10**6  # a clock that goes back
        ledger.renew()
        assert lease() == LEASE - 10**6


def test_renewing_is_cheap(study) -> None:
    clock = Clock()
    with open_ledger(study, clock=clock) as ledger:
        with study.transaction():
            ledger.renew()  # it would wait for ever if it wrote
        clock.now += LEASE
        ledger.renew()
        clock.now += 1
        ledger.renew()  # it was written a second ago
        assert study.query("SELECT lease_until FROM owners").rows == [(START + 2 * LEASE,)]


def test_a_ledger_that_is_refused_leaves_no_connection_open(study) -> None:
    def connections() -> int:
        files = list(Path("/proc/self/fd").iterdir())
        return sum(file.exists() and file.samefile(study.path) for file in files)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("this system does not tell which files are open")
    with open_ledger(study) as ledger:
        settle(study, ledger, ledger.reserve(wanted(1)))
    before = connections()
    with pytest.raises(CapReached) as caught:
        open_ledger(study, 1)
    assert connections() == before
    assert "spent 0.0015 USD" in str(caught.value)


def test_what_is_held_when_a_ledger_is_closed_is_unknown(study) -> None:
    clock = Clock()
    ledger = open_ledger(study, clock=clock)
    reserved = ledger.reserve(wanted(1, 2))
    ledger.end(ended(reserved, State.RELEASED, [key(1)]))
    assert ledger.close() == Recovered(1, 1500)
    assert ledger.close() == Recovered()
    assert states(study) == {1: "released", 2: "unknown"}
    assert study.query("SELECT ended_at FROM owners").rows == [("2026-11-23T12:00:00Z",)]
    with pytest.raises(StudyError, match="closed"):
        ledger.reserve(wanted(3))
    clock.now += LEASE
    settle(study, ledger, reserved, [key(2)])  # what comes in later is still stored
    assert len(study.query("SELECT * FROM owners WHERE ended_at IS NULL")) == 0
    assert states(study) == {1: "released", 2: "settled"}


def test_a_ledger_that_has_nothing_left_closes_quietly(study) -> None:
    ledger = open_ledger(study)
    settle(study, ledger, ledger.reserve(wanted(1)))
    assert ledger.close() == Recovered()
    assert states(study) == {1: "settled"}


# The study around it


def older_study(path: Path) -> Path:
    """A study with a run and a body, as it was before the ledger."""
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    migrations.apply(Database(connection), stop_before="004_ledger")
    connection.execute(
        "INSERT INTO runs (started_at, version, platform, asked) VALUES ('', '', '', '')"
    )
    store_body(connection)
    connection.commit()
    connection.close()
    return path


def test_an_older_study_tells_which_models_answered(tmp_path) -> None:
    path = older_study(tmp_path / "old.db")
    connection = sqlite3.connect(path)
    connection.executescript(
        "INSERT INTO bodies (sha256, bytes, encoding, media_type, received_at, data, "
        "model_version) VALUES ('', 0, '', '', 'late', x'', '3'), ('', 0, '', '', 'soon', x'', "
        "'3'), ('', 0, '', '', 'last', x'', '2');"
        "INSERT INTO images (sha256, bytes, decoder, added_at) VALUES ('a', 1, '', '');"
        "INSERT INTO questions (provider, task, revision, parameters, scale) "
        "VALUES ('cloud', 'labels', '', '', '');"
    )
    for body in (1, 2, 3, 4):  # the first of them does not tell its model
        connection.execute(
            "INSERT INTO renderings (image_id, limits, sha256, media_type, bytes, width, height, "
            "transform) VALUES (1, '', ?, '', 1, 1, 1, '')",
            (str(body),),
        )
        connection.execute(
            "INSERT INTO requests (image_id, rendering_id, question_id, run_id, status, reason, "
            "results, body_id) VALUES (1, ?1, 1, 1, 'observed', '', 0, ?1)",
            (body,),
        )
    connection.commit()
    connection.close()
    with StudyFile(path, write=True) as study:
        rows = study.query("SELECT * FROM model_versions ORDER BY model_version").rows
        assert rows == [(1, "2", "last"), (1, "3", "late")]


def test_a_study_in_which_errors_told_model_versions_forgets_these(tmp_path) -> None:
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrations.apply(Database(connection), stop_before="005_versions")
        connection.executescript(
            "INSERT INTO images (sha256, bytes, decoder, added_at) VALUES ('a', 1, '', '');"
            "INSERT INTO runs (started_at, version, platform, asked) VALUES ('', '', '', '');"
            "INSERT INTO questions (provider, task, revision, parameters, scale) "
            "VALUES ('cloud', 'labels', '', '', '');"
        )
        for number, (status, version) in enumerate(
            [("error", "not reported"), ("refused", "2"), ("below_floor", "3")], 1
        ):
            connection.execute(
                "INSERT INTO renderings (image_id, limits, sha256, media_type, bytes, width, "
                "height, transform) VALUES (1, '', ?, '', 1, 1, 1, '')",
                (str(number),),
            )
            connection.execute(
                "INSERT INTO bodies (sha256, bytes, encoding, media_type, received_at, data, "
                "model_version) VALUES ('', 0, '', '', 'then', x'', ?)",
                (version,),
            )
            connection.execute(
                "INSERT INTO requests (image_id, rendering_id, question_id, run_id, status, "
                "reason, results, body_id) VALUES (1, ?1, 1, 1, ?2, '', 0, ?1)",
                (number, status),
            )
            connection.execute("INSERT INTO model_versions VALUES (1, ?, 'first')", (version,))
        connection.commit()
    with StudyFile(path) as study:
        assert study.query("SELECT * FROM model_versions").rows == [(1, "3", "then")]


@pytest.mark.parametrize("write", [False, True])
def test_an_older_study_gets_a_ledger(tmp_path, write) -> None:
    path = older_study(tmp_path / "old.db")
    with StudyFile(path, write=write) as study:
        assert study.query("SELECT * FROM v_ledger").rows == []
        assert study.query("SELECT * FROM accounts").rows == []
        assert study.query("SELECT id FROM bodies").rows == [(1,)]
        assert study.query("SELECT count(*) FROM runs").rows == [(1,)]
    with StudyFile(path, write=True, shared=True) as study, open_ledger(study, 1500) as ledger:
        settle(study, ledger, ledger.reserve(wanted(1)))
        assert study.query("SELECT state, charge FROM v_ledger").rows == [("settled", 1500)]
        assert study.query("PRAGMA integrity_check").rows == [("ok",)]
        assert study.query("PRAGMA foreign_key_check").rows == []


def test_the_view_tells_all_about_a_charge(study, ledger) -> None:
    with study.transaction() as sql:
        sql.execute(
            "INSERT INTO images (id, sha256, bytes, decoder, added_at) VALUES (1, 'abc', 1, '', '')"
        )
        for path in ("b.jpg", "a.jpg"):
            sql.execute("INSERT INTO paths (path, image_id, seen_at) VALUES (?, 1, '')", (path,))
        sql.execute(
            "INSERT INTO questions (id, provider, task, revision, parameters, scale) "
            "VALUES (1, 'cloud', 'labels', '', '', '')"
        )
    reserved = ledger.reserve(wanted(1, 2))
    with study.transaction() as sql:
        body = store_body(sql)
        sql.execute("UPDATE bodies SET model_version = '3.0'")
        told = ended(reserved, State.SETTLED, [key(1)], body=True)
        ledger.settle(sql, [replace(told[0], reason="why")], {key(1): body})
    found = study.query("SELECT * FROM v_ledger WHERE state = 'settled'")
    assert dict(zip(found.columns, found.rows[0], strict=True)) == {
        "run": 1,
        "day": "2026-11-23",
        "attempt": 1,
        "provider": "cloud",
        "task": "labels",
        "operation": "annotate",
        "sku": "LABELS",
        "region": "east",
        "currency": "USD",
        "state": "settled",
        "units": 1,
        "free": 0,
        "hold": 1500,
        "charge": 1500,
        "reason": "why",
        "image": "abc",
        "path": "b.jpg",
        "price_table": TABLE.sha256,
        "model_version": "3.0",
        "rehearsal": 0,
    }
    assert len(study.query("SELECT * FROM v_ledger")) == 2  # also what is on its way


def test_what_a_bill_has_settled_is_not_answered(study) -> None:
    with open_ledger(study) as skip, open_ledger(study, retry=True) as retry:
        reserved = skip.reserve(wanted(1))
        skip.end(ended(reserved, State.UNKNOWN))
        with study.transaction() as sql:
            sql.execute("UPDATE charges SET state = 'settled', reason = ?", (f"{BILLED}; reset",))
        assert skip.reserve(wanted(1)).away == {key(1): Away.BILLED}
        again = retry.reserve(wanted(1))
        assert again.granted == {key(1)}
        retry.end(ended(again, State.RELEASED))
        settle(study, skip, reserved)  # its answer came after all: charged once
        assert retry.reserve(wanted(1)).away == {key(1): Away.ANSWERED}
        assert skip.totals.settled == 1500
