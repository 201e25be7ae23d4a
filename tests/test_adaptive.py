"""What a rate learns from a service that is told too much. Time does not pass: see clockwork.py."""

from __future__ import annotations

import math
from contextlib import closing
from itertools import pairwise

import pytest

from tests.clockwork import Rated, Service, World, busiest, visit
from visionhub.engine.adaptive import BURST, SEEN, Bucket, Memory, State, Turn
from visionhub.engine.gate import Gate
from visionhub.engine.pace import Pace

QUOTA = 50.0


def storm(rate: float, service: Service, seconds: float = 60.0, threads: int = 16) -> Gate:
    world = service.world
    gate = Gate(Rated(rate), Memory(world.clock))
    world.live([visit(world, gate, service, seconds) for _ in range(threads)])
    after = service.pace(20.0, seconds) / service.quota
    print(
        f"configured {rate or 'no'}/s, quota {service.quota:.0f}/s: {gate.throttled} of "
        f"{gate.calls} calls wasted ({service.share():.1%}); {after:.0%} of the quota after 20 s"
    )
    assert gate.throttled == len(service.bad)
    assert gate.calls == len(service.good) + len(service.bad)
    return gate


@pytest.mark.parametrize("rate", [500.0, 0.0])
@pytest.mark.parametrize("saved", [0.1, 1.0])
@pytest.mark.parametrize("latency", [0.01, 0.1, 0.3])
def test_a_quota_below_the_rate_is_found_and_used(rate, saved, latency):
    service = Service(World(), QUOTA, saved, latency)
    storm(rate, service)
    assert service.share() <= 0.10
    assert service.pace(20.0, 60.0) >= 0.8 * QUOTA


@pytest.mark.parametrize("hint", [None, 1.0, 3.0])
@pytest.mark.parametrize("rate", [500.0, 50.0, 0.0])
def test_a_time_of_nothing_but_refusals_wastes_little_and_leaves_no_trace(rate, hint):
    service = Service(World(), QUOTA, shut=(5.0, 15.0), hint=hint)
    storm(rate, service, 80.0)
    assert service.share() <= 0.10
    assert sum(6.0 <= at < 15.0 for at in service.bad) <= 16  # one probe at a time
    assert service.pace(25.0, 80.0) >= 0.8 * QUOTA


def test_a_rate_within_the_quota_is_used_to_the_full():
    service = Service(World(), 60.0)
    gate = storm(50.0, service)
    assert gate.throttled == 0
    assert 0.98 * 50 <= service.pace(1.0, 60.0) <= 50 * 1.01


def test_threads_that_are_refused_together_lower_the_rate_once():
    world = World()
    bucket = Bucket("x", 100.0, Memory(world.clock))

    def limit_after(sent: float) -> float:
        bucket.refused(sent, 1, 0.0)
        return bucket._store.look("x").limit

    assert {limit_after(999.0) for _ in range(16)} == {50.0}
    world.now += 2
    bucket.succeeded(1001.0, 1)
    assert limit_after(1001.5) == pytest.approx(0.5 * (50 + 50 / (30 * 16)))
    lowered = bucket._store.look("x").limit
    world.now += 2
    assert limit_after(1003.0) == lowered  # nothing succeeds any more: that is no matter of rates
    assert bucket.outage.opened


def test_when_nothing_succeeds_any_more_all_processes_pause_for_longer_each_time():
    world = World()
    bucket = Bucket("x", 100.0, Memory(world.clock))
    pauses = []
    for _ in range(4):
        world.now += 100.0
        bucket.refused(world.now - 0.1, 1, 0.0)
        pauses.append(max(0.0, bucket._store.look("x").resumes - world.now))
    assert pauses == [0.0, 0.5, 1.0, 2.0]


def test_processes_that_are_refused_together_lower_the_rate_once(tmp_path):
    world = World()
    with closing(Pace(print, tmp_path, world.clock)) as one:
        Bucket("x", 100.0, one).refused(999.0, 1, 0.0)
        with closing(Pace(print, tmp_path, world.clock)) as two:
            other = Bucket("x", 100.0, two)
            other.refused(999.5, 1, 0.0)
            assert two.look("x").limit == 50.0
            world.now += 1
            other.outage.succeeded(1000.5)
            other.refused(1000.7, 1, 0.0)
        world.now += 1
        assert one.look("x").limit == 25.0


def test_a_lowered_rate_comes_back_step_by_step_to_what_is_configured():
    world = World()
    bucket = Bucket("x", 100.0, Memory(world.clock))
    bucket.refused(world.now, 1, 0.0)
    limits = []
    for _ in range(400):
        world.now += 0.01
        bucket.succeeded(world.now, 1)
        limits.append(bucket._store.look("x").limit)
    steps = [b - a for a, b in pairwise(limits[:28])]
    assert max(steps) == pytest.approx(min(steps)) == pytest.approx(50 / 30)
    assert limits[35] == 100.0
    assert limits[-1] == float("inf")  # what was learnt is forgotten


def test_a_call_of_many_tokens_learns_in_tokens():
    one, many = State(), State()
    one.lower(10.0, 100.0, 1, 0.0)
    many.lower(10.0, 1600.0, 16, 0.0)
    for _ in range(30):
        one.higher(100.0, 1)
        many.higher(1600.0, 16)
    assert one.limit == pytest.approx(100.0)
    assert many.limit == pytest.approx(1600.0)


def test_what_a_machine_sleeps_through_is_not_made_up_for():
    service = Service(World(), 1e9)
    world = service.world
    gate = Gate(Rated(40.0), Memory(world.clock))

    def stall() -> None:
        world.wait(2.0)
        world.now += 30.0  # all threads stand in line, and all their turns come

    visits = [visit(world, gate, service, 36.0) for _ in range(16)]
    world.live([stall, *visits])
    assert busiest(service.good) <= 40 * (1 + BURST) + 1
    assert service.pace(33.0, 36.0) >= 0.95 * 40


def test_a_service_that_refuses_everything_for_ten_minutes_is_given_up():
    service = Service(World(), QUOTA, shut=(5.0, 1e9))
    gate = Gate(Rated(50.0), Memory(service.world.clock))
    service.world.live([visit(service.world, gate, service, 1e6) for _ in range(16)])
    assert gate.given_up.startswith("toy has taken nothing for 10 minutes")
    assert len(service.bad) < 16 + 25
    assert 600 < service.world.now - 1000 < 700


def test_turns_follow_each_other_on_a_clock_that_stands_still_in_pauses():
    state = State()
    assert state.take(100.0, 0.5) == pytest.approx(99.9)
    assert state.take(100.0, 0.25) == pytest.approx(100.4)
    assert (state.next, state.apart) == (pytest.approx(100.65), 0.25)
    assert state.take(200.0, 1.0) == pytest.approx(199.9)  # no more is saved up than that


def test_pauses_add_up_where_they_do_not_overlap():
    state = State()
    state.pause(10.0, 5.0)
    assert (state.next, state.paused, state.resumes) == (10.0, 5.0, 15.0)
    assert [state.clock(now) for now in (12.0, 15.0, 16.0)] == [10.0, 10.0, 11.0]
    state.pause(12.0, 2.0)  # it is over before the other one
    assert (state.paused, state.resumes) == (5.0, 15.0)
    state.pause(12.0, 6.0)
    assert (state.paused, state.resumes) == (8.0, 18.0)
    assert [state.wait(12.0, turn) for turn in (5.0, 10.0, 11.0)] == [6.0, 6.0, 7.0]
    assert [state.wait(20.0, turn) for turn in (11.0, 12.0, 13.0)] == [0.0, 0.0, 1.0]
    state.pause(30.0, 1.0)
    assert (state.next, state.paused, state.resumes) == (22.0, 9.0, 31.0)


def test_a_rate_of_which_little_is_known_is_halved():
    state = State()
    state.lower(10.0, 100.0, 2, 0.0)
    assert (state.limit, state.lost, state.back, state.good) == (50.0, 50.0, 60.0, 0.0)
    assert (state.cut, state.since, state.next) == (10.0, 10.0, 10.0 + 2 / 50)
    state.lower(11.0, 50.0, 1, 4.0)
    assert (state.limit, state.back) == (25.0, 10 * 4.0 * 25)
    state.lower(12.0, 0.15, 1, 0.0)
    assert (state.limit, state.lost) == (0.1, pytest.approx(0.05))
    state.lower(13.0, 0.05, 1, 0.0)
    assert (state.limit, state.lost) == (0.1, 0.0)


@pytest.mark.parametrize(
    ("good", "tokens", "pause", "limit"),
    [
        (3000, 1, 0.0, 90.0),  # 100 a second is what it gave
        (3000, 100, 0.0, 90.0),
        (3000, 101, 0.0, 250.0),  # too few successes for what was refused
        (30000, 1, 0.0, 450.0),  # no more than the rate there is
        (3000, 1, 5.0, 108.0),  # in 25 seconds
        (3000, 1, 6.0, 250.0),  # a fifth of the time was a pause
    ],
)
def test_a_rate_that_many_successes_have_shown_is_kept_but_for_a_tenth(good, tokens, pause, limit):
    state = State()
    state.lower(10.0, 1.0, 1, 0.0)
    if pause:
        state.pause(20.0, pause)
    state.good = good
    state.lower(40.0, 500.0, tokens, 2.0)
    assert state.limit == pytest.approx(limit)
    assert state.lost == pytest.approx(limit / 9 if limit not in {250.0, 450.0} else 500 - limit)
    assert state.back == max(30.0 * tokens, 20 * limit)
    assert (state.since, state.cut, state.good) == (40.0 - pause, 40.0, 0.0)


def test_successes_before_anything_was_refused_show_no_quota():
    state = State(good=3000.0)
    state.lower(10.0, 500.0, 1, 0.0)
    assert state.limit == 250.0


def test_beyond_what_was_lost_a_rate_grows_by_a_hundredth_at_most():
    state = State(limit=100.0, lost=3.0, back=30.0, cut=5.0)
    for _ in range(30):
        state.higher(1000.0, 1)
    assert state.limit == pytest.approx(103.0)
    state.lost = 0.0
    grown = []
    for _ in range(40):
        before = state.limit
        state.higher(1000.0, 1)
        grown.append(state.limit / before - 1)
    assert grown[0] == pytest.approx(0.01 / 30)
    assert grown[29] == pytest.approx(0.01)
    assert grown[39] == pytest.approx(0.01)


def test_what_is_as_good_as_no_limit_is_none_after_a_while():
    state = State(limit=9_999.0, lost=0.0, back=1.0, cut=5.0)
    limits = []
    for _ in range(11):
        state.higher(math.inf, 1)
        limits.append(state.limit)
    assert limits == [9_999.0, *[10_000.0] * 9, math.inf]
    assert (state.cut, state.good) == (0.0, 0.0)
    at_most = State(limit=99.0, lost=2.0, back=1.0, cut=5.0)
    at_most.higher(100.0, 1)
    assert at_most.limit == 100.0


@pytest.mark.parametrize(
    ("takes", "seen"), [(0, 1.0), (1, 0.5), (10, 5.0), (SEEN, 32.0), (100, 64 / 1.64)]
)
def test_where_no_rate_is_known_it_is_that_of_the_last_calls(takes, seen):
    world = World()
    bucket = Bucket("x", math.inf, Memory(world.clock))
    for number in range(takes):
        world.now = 1000.0 + number / 100
        assert bucket.take(1) == Turn(world.now, world.now)
    world.now = 1002.0
    bucket.refused(world.now - 0.001, 1, 0.0)
    assert bucket._store.look("x").limit == pytest.approx(seen / 2)


def test_calls_at_one_moment_are_counted_over_a_tenth_of_a_second():
    world = World()
    bucket = Bucket("x", math.inf, Memory(world.clock))
    for _ in range(5):
        bucket.take(2)
    bucket.refused(world.now, 1, 0.0)
    assert bucket._store.look("x").limit == pytest.approx(50.0)


def test_a_turn_of_before_a_rate_was_lowered_is_void():
    world = World()
    bucket = Bucket("x", 10.0, Memory(world.clock))
    first, second = bucket.take(1), bucket.take(1)
    assert bucket.wait(first) == 0.0
    assert bucket.wait(second) == pytest.approx(0.0)
    assert bucket.late(first) == pytest.approx(0.1)
    world.now += 1
    assert bucket.late(second) == pytest.approx(1.0)
    bucket.refused(world.now, 1, 0.0)
    assert bucket.late(second) == math.inf
    assert bucket.late(bucket.take(1)) <= 0.1


def test_what_a_service_asks_for_is_a_pause_each_time_it_says_so():
    world = World()
    bucket = Bucket("x", 10.0, Memory(world.clock))
    bucket.refused(world.now, 1, 3.0)
    assert bucket._store.look("x").resumes == world.now + 3.0
    assert bucket._store.look("x").back == 10 * 3.0 * 5.0
    bucket.refused(world.now, 1, 4.0)  # under way at the same time: nothing new, but longer
    state = bucket._store.look("x")
    assert (state.resumes, state.limit) == (world.now + 4.0, 5.0)
    assert state.back == 10 * 3.0 * 5.0 + 30
    assert bucket.outage.row == 1


def test_a_success_of_what_was_sent_before_a_refusal_proves_nothing():
    world = World()
    bucket = Bucket("x", 10.0, Memory(world.clock))
    bucket.refused(world.now, 1, 0.0)
    before = bucket._store.look("x")
    bucket.succeeded(world.now, 1)
    assert bucket._store.look("x") == before
    assert bucket.outage.row == 1
    world.now += 1
    bucket.succeeded(world.now, 1)
    assert bucket._store.look("x").limit > before.limit
    assert bucket.outage.row == 0


def test_a_state_that_is_given_is_gone_on_with_and_left_as_it_was():
    given = State(limit=3.0, cut=5.0)
    store = Memory(lambda: 7.0, {"x": given})
    assert store.look("x") == given
    assert store.change("x", lambda state, now: state.higher(100.0, 1) or now) == 7.0
    assert store.look("x").good == 1.0
    assert given.good == 0.0
    assert store.look("y") == State()
