"""Memory that threads share: never more than there is, in order, and nobody is forgotten."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from visionhub.decode import MEMORY, memory_of, open_picture
from visionhub.memory import Allowance

from .made import jpeg

SOON = 5.0  # seconds


def test_together_threads_never_hold_more_than_there_is() -> None:
    allowance, lock = Allowance(10), threading.Lock()
    held, most = 0, 0

    def work(need: int) -> None:
        nonlocal held, most
        for _ in range(200):
            with allowance.take(need):
                with lock:
                    held += need
                    most = max(most, held)
                with lock:
                    held -= need

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, [1, 2, 3, 4, 5, 6, 9, 10]))
    assert held == 0
    assert 5 < most <= 10
    with allowance.take(10):  # all of it came back
        pass


def test_who_needs_much_has_its_turn_before_those_who_came_later() -> None:
    allowance, order = Allowance(10), []
    waiting = threading.Event()

    def take(need: int) -> None:
        waiting.set()
        with allowance.take(need):
            order.append(need)

    with ThreadPoolExecutor(2) as pool:
        with allowance.take(4):
            much = pool.submit(take, 10)
            assert waiting.wait(SOON)
            while len(allowance._queue) < 1:  # it stands in line
                pass
            little = pool.submit(take, 1)  # there would be room for it
            while len(allowance._queue) < 2:
                pass
            assert order == []
        much.result(SOON), little.result(SOON)
    assert order == [10, 1]


def test_who_needs_more_than_there_is_gets_all_of_it() -> None:
    allowance = Allowance(10)
    with allowance.take(1000):
        assert allowance._free == 0
    assert allowance._free == 10


def test_what_fails_or_is_interrupted_gives_its_place_back(monkeypatch) -> None:
    allowance = Allowance(10)
    with pytest.raises(ValueError, match="no"), allowance.take(3):
        raise ValueError("no")

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(allowance._changed, "wait_for", interrupted)
        with pytest.raises(KeyboardInterrupt), allowance.take(3):
            raise AssertionError("it was let in")
    assert (allowance._free, len(allowance._queue)) == (10, 0)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_what_was_freed_is_given_back_before_much_is_taken() -> None:
    def resident() -> int:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    before = resident()
    kept = [bytearray(100_000) for _ in range(1_000)]  # small enough for the allocator's heap
    last = bytearray(100_000)  # above them: the heap cannot shrink
    kept.clear()
    with Allowance(MEMORY).take(MEMORY):
        assert resident() - before < 50_000_000
    assert len(last) == 100_000


def test_what_a_picture_takes_is_told_from_its_header() -> None:
    data = jpeg(100, 50)
    assert memory_of(open_picture(data), len(data)) == 100 * 50 * 10 + len(data)
    large = open_picture(data)
    large._size = (10_000, 10_000)  # a JPEG that is decoded at half its size
    assert memory_of(large, 7) == 250_000_000 + 7 < MEMORY
