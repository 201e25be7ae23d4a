"""A service that fails again and again is left alone, probed, and at last given up."""

from __future__ import annotations

import threading
import time

import pytest

from tests.clockwork import Rated, Service, World, X, visit
from tests.toy import Toy
from visionhub.engine import gate as gating
from visionhub.engine.adaptive import Memory
from visionhub.engine.breaker import LEASE, Breaker
from visionhub.engine.gate import Gate
from visionhub.errors import (
    AuthenticationError,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    RefusedImage,
    UnexpectedBody,
)
from visionhub.weights import ModelCard

THREADS = 8


def gate_of(world: World, rate: float = 0.0) -> Gate:
    return Gate(Rated(rate), Memory(world.clock))


def test_it_opens_after_so_many_failures_in_a_row_and_for_twice_as_long_each_time():
    breaker = Breaker(3, 10.0, 35.0)
    assert [breaker.failed(at, at) for at in (1.0, 2.0)] == [0.0, 0.0]
    breaker.succeeded(2.5)
    pauses = [breaker.failed(at, at) for at in (3.0, 4.0, 5.0)]
    assert pauses == [0.0, 0.0, 10.0]
    assert breaker.wait(14.0, 1) == 1.0
    assert breaker.wait(15.0, 1) == 0.0
    assert [breaker.failed(at, at) for at in (15.0, 40.0, 80.0)] == [20.0, 35.0, 35.0]
    assert (breaker.opened, breaker.row, breaker.began) == (4, 6, 3.0)


def test_one_probe_at_a_time_and_its_success_lets_everybody_through():
    breaker = Breaker(1, 10.0, 10.0)
    breaker.failed(0.0, 0.0)
    assert breaker.wait(10.0, 1) == 0.0
    breaker.enter(10.0, 1)
    assert breaker.wait(10.0, 1) == 0.0
    assert breaker.wait(10.0, 2) > 0
    breaker.leave(2)  # it was not the probe
    assert breaker.wait(10.0, 2) > 0
    breaker.leave(1)
    assert breaker.wait(10.0, 2) == 0.0
    breaker.enter(10.0, 2)
    assert breaker.wait(10.0 + LEASE, 3) == 0.0  # the probe was never heard of again
    breaker.succeeded(10.0 + LEASE)
    assert breaker.wait(10.0, 4) == 0.0
    assert not breaker.opened


def test_whoever_passed_while_it_was_closed_or_closed_it_is_no_probe_of_the_next_outage():
    breaker = Breaker(1, 10.0, 10.0)
    breaker.enter(1.0, 1)
    breaker.failed(2.0, 1.0)
    assert breaker.wait(12.0, 2) == 0.0  # nobody probes as yet
    breaker.enter(12.0, 2)
    breaker.succeeded(13.0)
    breaker.failed(14.0, 14.0)
    assert [breaker.wait(14.0, who) for who in (1, 2)] == [10.0, 10.0]


def test_what_was_under_way_when_it_opened_neither_opens_it_again_nor_closes_it():
    breaker = Breaker(2, 10.0, 100.0)
    assert [breaker.failed(5.0, 4.0) for _ in range(6)] == [0.0, 10.0, 0.0, 0.0, 0.0, 0.0]
    assert breaker.opened == 1
    breaker.succeeded(4.0)
    assert breaker.opened == 1
    breaker.succeeded(5.0)  # it was sent as the breaker opened
    assert breaker.opened == 1


def test_a_service_that_is_down_is_asked_once_a_pause_and_goes_on_when_it_is_up():
    world = World()
    gate, service = gate_of(world), Service(world, 1e9, latency=0.1, down=(5.0, 65.0))
    world.live([visit(world, gate, service, 115.0) for _ in range(THREADS)])
    # Those under way when it went down, and what failures before the fifth let through; then
    # probes after 15 and 30 s; it is up before the next.
    at_once = THREADS + gating.FAILURES - 1
    probes = [at for at in service.bad if at > 6]
    print(f"outage of 60 s, {THREADS} threads: {len(service.bad)} of {gate.calls} calls wasted")
    assert len(service.bad) <= at_once + 2
    assert [round(at) for at in probes] == [20, 50]
    assert next(round(at) for at in service.good if at > 65.0) == 110
    assert service.pace(111.0, 115.0) > 0.9 * THREADS / 0.1
    assert gate.given_up == ""


def test_a_service_that_stays_down_is_given_up_with_one_sentence():
    world = World()
    gate, service = gate_of(world), Service(world, 1e9, down=(5.0, 1e9))
    began = world.now
    world.live([visit(world, gate, service, 1e6) for _ in range(THREADS)])
    assert gate.given_up.startswith("toy failed ")
    assert "down" in gate.given_up
    assert len(service.bad) <= THREADS + gating.FAILURES - 1 + gating.OPENINGS
    assert 15 + 30 + 60 + 120 + 240 < world.now - began < 500  # everybody left at once
    assert not gate.enter(X, world)


def test_a_service_that_never_answered_is_given_up_sooner():
    world = World()
    gate, service = gate_of(world), Service(world, 1e9, down=(0.0, 1e9))
    began = world.now
    world.live([visit(world, gate, service, 1e6) for _ in range(THREADS)])
    assert gate.given_up
    assert 15 < world.now - began < 17  # after one rest and one probe


@pytest.mark.parametrize(
    ("error", "down"),
    [
        (ProviderUnavailable("503"), True),
        (ProviderError("what?"), True),
        (UnexpectedBody("cut short"), True),
        (RateLimited("slow"), False),
        (RefusedImage("no"), False),
        (AuthenticationError("key"), False),
        (None, False),
    ],
)
def test_only_a_service_that_fails_is_down(error, down):
    world = World()
    gate = gate_of(world)

    def life() -> None:
        for _ in range(gating.FAILURES):
            assert gate.enter(X, world)
            gate.told(X, error)
            world.wait(120.0)  # longer than any pause after a 429

    world.live([life])
    began = world.now
    world.live([lambda: gate.enter(X, world)])
    assert (gate._breaker.row == gating.FAILURES) == down
    assert world.now == began  # after two minutes it may be asked in any case


def test_between_failures_a_refusal_to_take_more_says_nothing_and_an_answer_all():
    world = World()
    gate = gate_of(world)
    down = ProviderUnavailable("503")

    def tell(*errors: ProviderError | None) -> None:
        for error in errors:
            assert gate.enter(X, world)
            gate.told(X, error)
            world.wait(1.0)

    world.live([lambda: tell(down, down, None, down, down, RateLimited("slow"), down, down)])
    assert gate._breaker.row == 4
    world.live([lambda: tell(down)])
    assert gate._breaker.opened == 1


def test_a_model_on_this_machine_is_never_down():
    class Local(Rated):
        models = (ModelCard.__new__(ModelCard),)

    world = World()
    gate = Gate(Local(0.0), Memory(world.clock))
    for _ in range(50):
        assert gate.enter(X, world)
        gate.told(X, ProviderError("bad picture"))
    assert world.now == 1000.0


def test_a_fault_in_what_costs_nothing_is_no_outage():
    world = World()
    gate = Gate(Toy(), Memory(world.clock))
    for _ in range(50):
        assert gate.enter(X, world)
        gate.told(X, ProviderError("RuntimeError: a fault in the adapter"))
    assert world.now == 1000.0


def test_a_probe_that_was_not_sent_after_all_makes_room_and_is_no_call():
    world = World()
    gate = gate_of(world)

    def life() -> None:
        for _ in range(gating.FAILURES):
            gate.enter(X, world)
            gate.told(X, ProviderUnavailable("503"))
        world.wait(20.0)
        gate.enter(X, world)
        gate.unsent()

    world.live([life])
    assert gate.calls == gating.FAILURES
    began = world.now
    world.live([lambda: gate.enter(X, world)])
    assert world.now - began < 0.2


def test_a_stop_ends_the_wait_for_a_service_that_is_down():
    gate, stop = Gate(Rated(0.0)), threading.Event()
    for _ in range(gating.FAILURES):
        assert gate.enter(X, stop)
        gate.told(X, ProviderUnavailable("503"))
    threading.Timer(0.1, stop.set).start()
    began = time.monotonic()
    assert not gate.enter(X, stop)
    assert time.monotonic() - began < 5
