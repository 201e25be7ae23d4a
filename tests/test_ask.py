"""One batch: what is asked again, how often and after which pause, and how its money ends."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from tests.ledgers import TABLE, new_study, open_ledger
from tests.toy import SPEC, Toy
from visionhub.engine import gate as gating
from visionhub.engine.adaptive import Memory
from visionhub.engine.ask import Parsed, ask
from visionhub.engine.gate import Gate
from visionhub.engine.terms import Terms
from visionhub.engine.till import NOT_SENT, Till, after, only
from visionhub.errors import (
    AuthenticationError,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    RefusedImage,
    StudyError,
    UnexpectedBody,
)
from visionhub.provider import Batch, Body, Outcome, Request, TaskSpec, Work, canonical
from visionhub.schema import Annotation, Scale, Task
from visionhub.store.items import PackedBody
from visionhub.store.ledger import Away, Ended, State
from visionhub.store.study import StudyFile

OPTIONS = canonical({"min_score": 0.1})
LABELS = Request("1", "1", 40, 30, Task.LABELS, "cloud", "r", OPTIONS)
TEXT = replace(LABELS, task=Task.TEXT)
OTHER = replace(LABELS, image_sha256="2", sent_sha256="2")
BATCH = Batch((Work(None, (LABELS, TEXT)), Work(None, (OTHER,))), "annotate")


GIVEN_UP = (
    "cloud asks to be left alone for 300 seconds (later). Nothing more is sent to it in this run; "
    "the same command goes on later."
)


class Watch:
    """A clock that moves when somebody waits, and the `Stop` of a run."""

    def __init__(self) -> None:
        self.now, self.stopped = 1000.0, False
        self.waits: list[float] = []

    def is_set(self) -> bool:
        return self.stopped

    def wait(self, timeout: float) -> bool:
        self.waits.append(timeout)
        self.now += timeout
        return self.stopped


class Cloud(Toy):
    """Does what its script says, one entry an attempt; the last one again and again.

    An entry is an error to raise, or errors and bodies by task; what has none is answered.
    """

    name: ClassVar[str] = "cloud"
    tasks: ClassVar = {
        Task.LABELS: replace(SPEC, sku="LABELS"),
        Task.TEXT: TaskSpec(Scale.PROBABILITY, sku="SAFE"),
    }

    def __init__(self, *script: object) -> None:
        super().__init__()
        self.script = list(script)
        self.asked: list[tuple[Request, ...]] = []
        self.then = lambda: None  # after each attempt

    def fetch(self, batch: Batch) -> Iterable[Outcome]:
        self.asked.append(batch.requests)
        told = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        try:
            if isinstance(told, Exception):
                raise told
            for request in batch.requests:
                answer = json.dumps({"task": request.task.value, "score": 0.9}).encode()
                said = told.get(request.task, Body(answer))
                if said is not None:
                    came = said if isinstance(said, tuple) else (said, None)
                    yield Outcome((request,), *came)
        finally:
            self.then()


def asked(
    cloud: Cloud, watch: Watch, till: Till | None = None, batch: Batch = BATCH
) -> dict[Request, Parsed]:
    """How each request ended; each ends once."""
    cloud.gate = Gate(cloud, Memory(lambda: watch.now))
    parts = ask(cloud, batch, watch, cloud.gate, till)
    assert len(parts) == len(batch.requests)
    return {part.request: part for part in parts}


def test_a_fault_that_may_pass_is_asked_again_after_pauses_that_grow():
    watch, cloud = Watch(), Cloud(*[ProviderUnavailable("down")] * 3, {})
    ends = asked(cloud, watch)
    assert [len(requests) for requests in cloud.asked] == [3, 3, 3, 3]
    assert all(isinstance(part.result, Annotation) for part in ends.values())
    assert len(watch.waits) == 3
    for number, wait in enumerate(watch.waits):
        assert 0.5 * 2**number <= wait <= 0.5 * 2**number + 1
    assert (cloud.gate.calls, cloud.gate.retries) == (4, 3)


def test_a_fault_that_stays_ends_after_four_attempts():
    watch, cloud = Watch(), Cloud(ProviderUnavailable("down"))
    ends = asked(cloud, watch)
    assert len(cloud.asked) == 4
    assert {str(part.result) for part in ends.values()} == {"down"}
    assert all(isinstance(part.result, ProviderUnavailable) for part in ends.values())
    assert cloud.gate._breaker.row == 4  # each was told


def test_a_service_that_asks_for_patience_gets_ten_attempts():
    watch, cloud = Watch(), Cloud(RateLimited("too many"))
    ends = asked(cloud, watch)
    assert len(cloud.asked) == 10
    assert watch.waits.count(0.0) == 9  # the gate waits, not the retry
    assert (cloud.gate.calls, cloud.gate.throttled, cloud.gate.retries) == (10, 10, 9)
    assert {str(part.result) for part in ends.values()} == {"too many"}


@pytest.mark.parametrize("error", [RateLimited("too many"), ProviderUnavailable("down")])
def test_whatever_is_tried_again_counts_as_a_retry_and_is_bounded(error, monkeypatch):
    monkeypatch.setattr(gating, "RETRIES", 1)
    monkeypatch.setattr(gating, "SHARE", 0.5)
    watch, cloud = Watch(), Cloud(error)
    asked(cloud, watch)
    assert (cloud.gate.calls, cloud.gate.retries) == (3, 2)


def test_a_first_attempt_for_what_was_put_off_is_a_retry():
    watch, cloud = Watch(), Cloud(RateLimited("too many"), {})
    cloud.gate = Gate(cloud, Memory(lambda: watch.now))
    ask(cloud, BATCH, watch, cloud.gate, again=True)
    assert (cloud.gate.calls, cloud.gate.retries) == (2, 2)
    ask(cloud, BATCH, watch, cloud.gate)
    assert (cloud.gate.calls, cloud.gate.retries) == (3, 2)
    watch.stopped = True
    ask(cloud, BATCH, watch, cloud.gate, again=True)
    assert (cloud.gate.calls, cloud.gate.retries) == (3, 2)  # it was not made


@pytest.mark.parametrize(("seconds", "calls"), [(7.0, 2), (300.0, 2), (300.5, 1), (0.0, 2)])
def test_what_a_service_asks_for_is_waited_for_up_to_a_limit(seconds, calls):
    watch, cloud = Watch(), Cloud(RateLimited("later", seconds), {})
    asked(cloud, watch)
    assert len(cloud.asked) == calls
    if calls == 2:
        assert watch.now - 1000 >= seconds
        assert watch.now - 1000 <= seconds + 2
    assert cloud.gate.given_up == ("" if calls == 2 else GIVEN_UP)


def test_everybody_who_shares_the_rate_waits_for_what_the_service_asked():
    watch, cloud = Watch(), Cloud(RateLimited("later", 9.0), {})
    waited = []
    store = Memory(lambda: watch.now)
    gate = Gate(cloud, store)

    def look(timeout: float) -> bool:
        waited.append(store.look("cloud  annotate").wait(watch.now, 0.0))
        watch.now += timeout
        return False

    watch.wait = look
    ask(cloud, BATCH, watch, gate)
    assert waited[0] == 9.0


def test_only_what_is_left_is_asked_again():
    watch = Watch()
    cloud = Cloud({Task.TEXT: ProviderUnavailable("down")}, {})
    ends = asked(cloud, watch)
    assert cloud.asked == [(LABELS, TEXT, OTHER), (TEXT,)]
    assert cloud.gate._breaker.row == 0  # a service that answers is not down
    assert all(isinstance(part.result, Annotation) for part in ends.values())


@pytest.mark.parametrize(
    "error",
    [
        ProviderError("what?"),
        UnexpectedBody("cut"),
        RefusedImage("no"),
        AuthenticationError("key"),
        ValueError("a fault"),
        StudyError("other"),
    ],
)
def test_what_does_not_pass_is_asked_once(error):
    watch, cloud = Watch(), Cloud(error)
    ends = asked(cloud, watch)
    assert len(cloud.asked) == 1
    assert watch.waits == []
    for part in ends.values():
        assert isinstance(part.result, ProviderError)
        said = f"ValueError: {error}" if isinstance(error, ValueError) else str(error)
        assert str(part.result) == said
        assert (part.body, part.ended, part.away) == (None, None, None)


def test_an_error_about_a_stranger_is_nobodys():
    class Confused(Cloud):
        def fetch(self, batch: Batch) -> Iterable[Outcome]:
            yield from super().fetch(batch)
            stranger = replace(OTHER, image_sha256="3")
            yield Outcome((stranger,), ProviderUnavailable("down"))

    cloud = Confused({})
    ends = asked(cloud, Watch())
    assert all(isinstance(part.result, Annotation) for part in ends.values())
    assert (len(cloud.asked), cloud.gate.retries) == (1, 0)


def test_a_request_that_no_outcome_names_is_an_error():
    watch, cloud = Watch(), Cloud({Task.TEXT: None})
    ends = asked(cloud, watch)
    assert str(ends[TEXT].result) == "cloud returned no outcome for this request"
    assert isinstance(ends[LABELS].result, Annotation)
    assert len(cloud.asked) == 1


def test_what_came_with_an_error_that_stays_is_kept_once_for_each_that_shares_it():
    class Shared(Cloud):
        def fetch(self, batch: Batch) -> Iterable[Outcome]:
            self.asked.append(batch.requests)
            first = tuple(r for r in batch.requests if r.image_sha256 == "1")
            yield Outcome(first, ProviderUnavailable("down"), Body(b"came"))
            yield from [Outcome((OTHER,), RefusedImage("no"))] * (OTHER in batch.requests)

    cloud = Shared({})
    ends = asked(cloud, Watch())
    assert [len(requests) for requests in cloud.asked] == [3, 2, 2, 2]
    came = PackedBody.pack(Body(b"came")).sha256
    assert ends[LABELS].body.sha256 == ends[TEXT].body.sha256 == came
    assert str(ends[TEXT].result) == "down"
    assert isinstance(ends[OTHER].result, RefusedImage)


def test_a_stop_before_the_first_attempt_sends_nothing():
    watch, cloud = Watch(), Cloud({})
    watch.stopped = True
    ends = asked(cloud, watch)
    assert cloud.asked == []
    assert all(part.result is None and part.away is None for part in ends.values())


def test_a_stop_while_a_call_is_under_way_is_its_last():
    watch, cloud = Watch(), Cloud(ProviderUnavailable("down"))
    cloud.then = lambda: setattr(watch, "stopped", True)
    ends = asked(cloud, watch)
    assert len(cloud.asked) == 1
    assert {str(part.result) for part in ends.values()} == {"down"}
    assert watch.waits == []


def test_a_run_without_retries_left_asks_nothing_again():
    watch, cloud = Watch(), Cloud(ProviderUnavailable("down"))
    gate = Gate(cloud, Memory(lambda: watch.now))
    gate.retries = 21
    ask(cloud, BATCH, watch, gate)
    assert len(cloud.asked) == 1


def test_what_was_made_of_a_body_or_none():
    cut, odd = Body(b"{"), Body(b"[]")
    cloud = Cloud({Task.TEXT: cut, Task.LABELS: odd})
    ends = asked(cloud, Watch())
    assert isinstance(ends[TEXT].result, UnexpectedBody)
    assert str(ends[TEXT].result).startswith("no toy body")
    assert str(ends[LABELS].result).startswith("TypeError: ")
    assert ends[TEXT].body.sha256 == PackedBody.pack(cut).sha256
    none = asked(Cloud({Task.TEXT: "no body"}), Watch())
    assert str(none[TEXT].result).startswith("cloud returned no body: ")


def test_a_part_of_a_batch_has_no_empty_works():
    assert only(BATCH, [TEXT.key]) == Batch((Work(None, (TEXT,)),), "annotate")
    assert only(BATCH, [r.key for r in BATCH.requests]) == BATCH
    assert only(BATCH, []).works == ()


def test_money_for_an_error_is_released_spent_or_unknown():
    assert after(ProviderError("x", charged=False)) is State.RELEASED
    assert after(ProviderError("x", charged=True)) is State.SETTLED
    assert after(ProviderError("x", charged=None)) is State.UNKNOWN


@pytest.fixture
def study(tmp_path: Path) -> Iterable[StudyFile]:
    with new_study(tmp_path / "study.db") as study:
        yield study


PLACES = {LABELS.key: (1, 1), TEXT.key: (1, 2), OTHER.key: (2, 1)}


def till_of(cloud: Cloud, ledger, *, retry: bool = False, cap: int | None = None) -> Till:
    lines = {("cloud", price.sku): price for price in TABLE}
    stray = {("elsewhere", "LABELS"): replace(lines["cloud", "LABELS"], tiers=())}
    terms = Terms(TABLE, {**lines, **stray}, "USD", cap, {}, retry)
    return Till(cloud, ledger, terms, PLACES.__getitem__)


def charges(study: StudyFile) -> list[tuple[object, ...]]:
    """Attempt, image, question, units, state and reason of each charge, in order."""
    return study.connection.execute(
        "SELECT attempt_id, image_id, question_id, units, state, reason FROM charges "
        "ORDER BY attempt_id, image_id, question_id"
    ).fetchall()


def states(study: StudyFile) -> list[str]:
    return [str(row[4]) for row in charges(study)]


def test_an_attempt_is_held_line_by_line_and_an_answer_says_how_it_ends(study):
    with open_ledger(study) as ledger:
        cloud = Cloud({})
        till = till_of(cloud, ledger)
        ends = asked(cloud, Watch(), till)
        assert charges(study) == [
            (1, 1, 1, 1, "held", ""),
            (1, 1, 2, 0, "held", ""),  # free with the other
            (1, 2, 1, 1, "held", ""),
        ]
        row = study.connection.execute("SELECT provider, operation, region FROM attempts")
        assert row.fetchone() == ("cloud", "annotate", "")
        assert ledger.bought().units == {"cloud": {"LABELS": 2}}
        assert not till.capped
        for request, part in ends.items():
            assert part.ended is not None
            assert (part.ended.attempt, part.ended.key) == (1, request.key)
            assert (part.ended.state, part.ended.reason) == (State.SETTLED, "")
            assert part.ended.body


def test_an_answer_that_cannot_be_read_is_paid_and_says_why_and_none_at_all_is_unknown(study):
    with open_ledger(study) as ledger:
        cloud = Cloud({Task.TEXT: Body(b"{"), Task.LABELS: "no body"})
        ends = asked(cloud, Watch(), till_of(cloud, ledger))
        text, labels = ends[TEXT].ended, ends[LABELS].ended
        assert (text.state, text.body) == (State.SETTLED, True)
        assert text.reason == str(ends[TEXT].result)
        assert (labels.state, labels.body) == (State.UNKNOWN, False)
        assert labels.reason == str(ends[LABELS].result)


def test_a_refusal_that_is_read_out_of_an_answer_is_an_answer(study):
    class Picky(Cloud):
        def parse(self, body: bytes, request: Request) -> Annotation:
            raise RefusedImage("not this one")

    with open_ledger(study) as ledger:
        cloud = Picky({})
        ends = asked(cloud, Watch(), till_of(cloud, ledger))
        assert ends[TEXT].ended.reason == ""
        assert ends[TEXT].ended.state is State.SETTLED


@pytest.mark.parametrize(
    ("retry", "error", "calls", "state"),
    [
        (False, ProviderUnavailable("down"), 1, "unknown"),
        (True, ProviderUnavailable("down"), 4, "unknown"),
        (False, ProviderUnavailable("refused", charged=False), 4, "released"),
        (False, RateLimited("too many"), 10, "released"),
        (True, ValueError("a fault"), 1, "unknown"),
    ],
)
def test_what_may_have_been_charged_is_asked_again_only_where_that_is_allowed(
    study, retry, error, calls, state
):
    with open_ledger(study, retry=retry) as ledger:
        cloud = Cloud(error)
        ends = asked(cloud, Watch(), till_of(cloud, ledger, retry=retry))
        assert len(cloud.asked) == calls
        assert states(study) == [state] * (3 * calls)
        assert all(str(error) in str(row[5]) for row in charges(study))
        assert all(part.ended is None for part in ends.values())
        assert all(isinstance(part.result, ProviderError) for part in ends.values())


@pytest.mark.parametrize("retry", [False, True])
@pytest.mark.parametrize("body", [None, Body(b"{}")])
@pytest.mark.parametrize("kind", [RefusedImage, ProviderError])
def test_an_error_that_is_charged_for_is_settled_together_with_what_came(study, retry, kind, body):
    """As an answer is: a process that is killed in between leaves it to be found."""
    error = kind("x", charged=True)

    class Charging(Cloud):
        def fetch(self, batch: Batch) -> Iterable[Outcome]:
            self.asked.append(tuple(batch.requests))
            yield Outcome(tuple(batch.requests), error, body)

    with open_ledger(study, retry=retry) as ledger:
        cloud = Charging({})
        ends = asked(cloud, Watch(), till_of(cloud, ledger, retry=retry))
        assert len(cloud.asked) == 1
        assert states(study) == ["held"] * 3
        reason = "" if kind is RefusedImage else "x"
        for request, part in ends.items():
            assert part.ended == Ended(1, request.key, State.SETTLED, reason, body is not None)


def test_each_attempt_is_held_and_ended_by_itself(study):
    with open_ledger(study) as ledger:
        cloud = Cloud({Task.TEXT: RateLimited("wait")}, {})
        ends = asked(cloud, Watch(), till_of(cloud, ledger))
        assert [row[:2] + row[4:] for row in charges(study)] == [
            (1, 1, "held", ""),
            (1, 1, "released", "wait"),
            (1, 2, "held", ""),
            (2, 1, "held", ""),
        ]
        assert (ends[LABELS].ended.attempt, ends[TEXT].ended.attempt) == (1, 2)


def test_what_the_ledger_turns_away_is_not_sent_and_says_why(study):
    with open_ledger(study) as ledger:
        first = Cloud(ProviderUnavailable("down"))
        asked(first, Watch(), till_of(first, ledger), only(BATCH, [OTHER.key]))
        cloud = Cloud({})
        ends = asked(cloud, Watch(), till_of(cloud, ledger))
        assert cloud.asked == [(LABELS, TEXT)]
        assert ends[OTHER].away is Away.AMBIGUOUS
        assert ends[OTHER].result is None
        assert ends[TEXT].away is None
        again = Cloud({})
        ends = asked(again, Watch(), till_of(again, ledger))
        assert again.asked == []
        assert [ends[r].away for r in (LABELS, OTHER)] == [Away.HELD, Away.AMBIGUOUS]
        assert (cloud.gate.calls, again.gate.calls) == (1, 0)  # what is not sent is no call


def test_what_was_turned_away_is_not_asked_for_again_in_the_same_batch(study):
    with open_ledger(study) as other, open_ledger(study) as ledger:
        mine = till_of(Cloud({}), other).admit(only(BATCH, [OTHER.key]))
        cloud = Cloud({Task.TEXT: RateLimited("wait")}, {})
        cloud.then = lambda: till_of(cloud, other).give_back(mine)  # it would be free now
        ends = asked(cloud, Watch(), till_of(cloud, ledger))
        assert cloud.asked == [(LABELS, TEXT), (TEXT,)]
        assert (ends[OTHER].result, ends[OTHER].away) == (None, Away.HELD)


def test_at_the_cap_what_still_fits_is_sent_and_that_is_told(study):
    with open_ledger(study, cap=1500) as ledger:
        cloud = Cloud({})
        till = till_of(cloud, ledger, cap=1500)
        ends = asked(cloud, Watch(), till)
        assert cloud.asked == [(LABELS, TEXT)]
        assert (ends[OTHER].result, ends[OTHER].away) == (None, None)
        assert till.capped
        till.admit(only(BATCH, [LABELS.key]))  # nothing of it meets the cap
        assert till.capped


def test_what_is_held_when_a_stop_comes_is_given_back(study):
    with open_ledger(study) as ledger:
        watch, cloud = Watch(), Cloud({})
        till = till_of(cloud, ledger)
        reserve = ledger.reserve

        def and_stop(wanted):
            watch.stopped = True
            return reserve(wanted)

        ledger.reserve = and_stop
        ends = asked(cloud, watch, till)
        assert cloud.asked == []
        assert {(row[4], row[5]) for row in charges(study)} == {("released", NOT_SENT)}
        assert all(part.result is None for part in ends.values())


def test_what_is_held_when_another_thread_meets_the_cap_is_sent(study):
    with open_ledger(study, cap=1500) as ledger:
        watch, cloud = Watch(), Cloud({})
        till, other = (till_of(cloud, ledger, cap=1500) for _ in range(2))
        reserve = ledger.reserve

        def and_cap(wanted):
            ledger.reserve = reserve
            mine = reserve(wanted)
            other.admit(only(BATCH, [OTHER.key]))  # committed in one go, as groups of them are
            watch.stopped = other.capped
            return mine

        ledger.reserve = and_cap
        ends = asked(cloud, watch, till, only(BATCH, [LABELS.key, TEXT.key]))
        assert watch.stopped
        assert cloud.asked == [(LABELS, TEXT)]
        assert all(isinstance(part.result, Annotation) for part in ends.values())


def test_nothing_is_asked_again_once_the_ledger_cannot_be_written(study):
    with open_ledger(study) as ledger:
        cloud = Cloud({Task.TEXT: RateLimited("wait")})

        def full(ended: Sequence[object]) -> None:
            raise StudyError("full")

        end, ledger.end = ledger.end, full
        ends = asked(cloud, Watch(), till_of(cloud, ledger))
        assert len(cloud.asked) == 1
        assert str(ends[TEXT].result) == "wait"
        assert isinstance(ends[LABELS].result, Annotation)
        ledger.end = end


@pytest.mark.parametrize("answered", [True, False])
def test_a_reservation_that_fails_ends_the_run_only_when_no_answer_waits(study, answered):
    with open_ledger(study) as ledger:
        first = {Task.TEXT: RateLimited("wait")} if answered else RateLimited("wait")
        cloud = Cloud(first, {})
        reserve = ledger.reserve

        def once(wanted):
            ledger.reserve = full
            return reserve(wanted)

        def full(wanted):
            raise StudyError("full")

        ledger.reserve = once
        till = till_of(cloud, ledger)
        if not answered:
            with pytest.raises(StudyError, match="full"):
                asked(cloud, Watch(), till)
            return
        ends = asked(cloud, Watch(), till)
        assert isinstance(ends[LABELS].result, Annotation)
        assert str(ends[TEXT].result) == "wait"


def test_what_is_free_beside_what_is_charged_for_is_in_the_ledger_too(study):
    class Partly(Cloud):
        tasks: ClassVar = {**Cloud.tasks, Task.TEXT: TaskSpec(Scale.PROBABILITY)}

    with open_ledger(study) as ledger:
        cloud = Partly({})
        asked(cloud, Watch(), till_of(cloud, ledger))
        assert [row[3] for row in charges(study)] == [1, 0, 1]


def test_a_provider_that_never_charges_needs_no_ledger(study):
    class Gratis(Cloud):
        tasks: ClassVar = {Task.LABELS: SPEC, Task.TEXT: TaskSpec(Scale.PROBABILITY)}

    with open_ledger(study) as ledger:
        cloud = Gratis(*[ProviderUnavailable("down")] * 2, {})
        till = till_of(cloud, ledger)
        ends = asked(cloud, Watch(), till)
        assert len(cloud.asked) == 3
        assert charges(study) == []
        assert all(part.ended is None for part in ends.values())
