"""What a rate learns from a service that is told too much. Time does not pass: see clockwork.py."""

from __future__ import annotations

from contextlib import closing
from itertools import pairwise

import pytest

from tests.clockwork import Rated, Service, World, busiest, visit
from visionhub.engine.adaptive import BURST, Bucket, Memory, State
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
