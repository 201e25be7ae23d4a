"""Rates: over threads and processes, and what they learn from a service that is told too much."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import pytest

from tests.clockwork import World, X, busiest
from tests.conftest import ROOT
from tests.toy import Toy
from visionhub.engine import pace as pacing
from visionhub.engine.adaptive import BURST, Bucket
from visionhub.engine.gate import Gate
from visionhub.engine.pace import Pace
from visionhub.provider import Parameter

VISITOR = """
import sys, threading, time
from pathlib import Path
from tests.clockwork import Rated, X
from visionhub.engine.gate import Gate
from visionhub.engine.pace import Pace
from visionhub.errors import RateLimited

folder, rate, seconds, begins, told = sys.argv[1:]
pace = Pace(lambda line: print(line, file=sys.stderr), Path(folder))
gate, stop = Gate(Rated(float(rate)), pace), threading.Event()
time.sleep(max(0.0, float(begins) - time.monotonic()))
if told:
    gate.told(X, RateLimited("slower", float(told)))
ends = float(begins) + float(seconds)
while time.monotonic() < ends and gate.enter(X, stop):
    print(time.monotonic())
    gate.told(X, None)
pace.close()
"""


def visitors(folder: Path, rate: float, seconds: float, told: list[str]) -> list[list[float]]:
    """When each of several processes was let through, on the clock that they share."""
    begins = str(time.monotonic() + 2.0)
    ways = os.pathsep.join((str(ROOT), str(ROOT / "providers")))
    running = [
        subprocess.Popen(
            [sys.executable, "-c", VISITOR, str(folder), str(rate), str(seconds), begins, pause],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": ways},
        )
        for pause in told
    ]
    said = [process.communicate(timeout=60) for process in running]
    assert [error for _, error in said] == [""] * len(told)
    return [[float(line) for line in out.split()] for out, _ in said]


def test_four_processes_keep_to_one_rate(tmp_path):
    times = visitors(tmp_path, 40.0, 4.0, [""] * 4)
    all_times = sorted(at for process in times for at in process)
    most, total = busiest(all_times), len(all_times)
    print(f"4 processes at 40/s for 4 s: {total} calls, at most {most} in a second")
    # A turn is used BURST seconds late at most; one more because both ends of a window count, and
    # two for what may lie between leaving the gate and reading the clock.
    assert most <= 40 * (1 + BURST) + 1 + 2
    assert total >= 40 * 4 * 0.7
    assert all(len(process) > 10 for process in times)


def test_a_pause_told_to_one_process_holds_the_others(tmp_path):
    told, *others = visitors(tmp_path, 100.0, 3.0, ["1.5", "", ""])
    began = min(at for process in (told, *others) for at in process)
    for process in (told, *others):
        early = [at for at in process if at < told[0] - 0.05]
        assert all(at - began < 0.3 for at in early)  # before it was told
        assert len(process) - len(early) > 10


def test_a_change_costs_little_and_a_wait_does_not_read_the_file(tmp_path):
    with closing(Pace(print, tmp_path)) as pace:
        bucket = Bucket("x", 1e6, pace)
        bucket.take(1)
        took = []
        for _ in range(300):
            began = time.perf_counter()
            bucket.take(1)
            took.append(time.perf_counter() - began)
        print(f"a take: {sorted(took)[150] * 1e6:.0f} us")
        assert sorted(took)[150] < 0.005
        slow = Bucket("y", 0.001, pace)
        slow.take(1)
        turn = slow.take(1)
        read: list[str] = []
        pace._sql.set_trace_callback(read.append)
        began = time.monotonic()
        while time.monotonic() < began + 0.35:
            assert slow.wait(turn) > 100
        assert len(read) <= 4


def test_the_file_is_the_users_own(tmp_path, monkeypatch):
    monkeypatch.setenv(pacing.FOLDER, str(tmp_path / "state" / "deep"))
    with closing(Pace(print)) as pace:
        Bucket("x", 5.0, pace).take(1)
        assert pace.path == tmp_path / "state" / "deep" / "rates.db"
        assert stat.S_IMODE(pace.path.stat().st_mode) == 0o600


def test_another_run_finds_what_the_one_before_learnt_until_it_is_out_of_date(tmp_path):
    world = World()
    with closing(Pace(print, tmp_path, world.clock)) as pace:
        bucket = Bucket("x", 100.0, pace)
        bucket.refused(world.now, 1, 0.0)
        bucket.take(1)
    with closing(Pace(print, tmp_path, world.clock)) as pace:
        assert pace.look("x").limit == 50.0
        assert pace.look("another").limit == float("inf")
    world.now += pacing.FORGET + 60
    with closing(Pace(print, tmp_path, world.clock)) as pace:
        assert pace.look("x").limit == float("inf")


@pytest.mark.parametrize("jump", [-900.0, -3600.0 * 24, 3600.0 * 24])
def test_a_clock_that_jumps_does_no_harm(tmp_path, jump):
    world = World()
    world.now = 1e6
    with closing(Pace(print, tmp_path, world.clock)) as pace:
        bucket = Bucket("x", 10.0, pace)
        for _ in range(20):
            bucket.take(1)
        bucket.pause(200.0)
        world.now += jump
        world.now += 1.0
        assert bucket.wait(bucket.take(1)) < 3


def test_a_slow_rate_may_have_a_long_line(tmp_path):
    world = World()
    with closing(Pace(print, tmp_path, world.clock)) as pace:
        bucket = Bucket("x", 0.01, pace)
        waits = [bucket.wait(bucket.take(1)) for _ in range(16)]
    assert round(waits[-1], 3) == 1500 - BURST


def test_rows_of_other_boots_are_not_believed_and_go_in_the_end(tmp_path, monkeypatch):
    for number in range(3):
        monkeypatch.setattr(pacing, "boot", lambda number=number: f"boot {number}")
        with closing(Pace(print, tmp_path)) as pace:
            bucket = Bucket("x", 1.0, pace)
            assert bucket.wait(bucket.take(1)) == 0  # nobody else's turns count
            bucket.take(1)
            pace._sql.execute("UPDATE rates SET used = used - ?", (5 * 86_400.0,))
    with closing(sqlite3.connect(tmp_path / "rates.db")) as sql:
        boots = [boot for (boot,) in sql.execute("SELECT boot FROM rates ORDER BY 1")]
    assert boots == ["boot 1", "boot 2"]


@pytest.mark.parametrize(
    "row",
    ['{"next": "soon"}', "{", "[]", "null", '{"speed": 1.0}', '{"limit": 0.0}', '{"next": NaN}'],
)
def test_a_row_that_cannot_be_true_is_begun_anew(tmp_path, row):
    said: list[str] = []
    with closing(Pace(said.append, tmp_path)) as pace:
        bucket = Bucket("x", 10.0, pace)
        bucket.take(1)
        pace._sql.execute("UPDATE rates SET state = ?", (row,))
        assert bucket.wait(bucket.take(1)) < 1
    assert not said


class Impatient:
    """Stops as soon as there is anything to wait for."""

    def __init__(self) -> None:
        self.stopped = False

    def is_set(self) -> bool:
        return self.stopped

    def wait(self, timeout: float) -> bool:
        self.stopped = True
        return True


def broken(folder: Path) -> None:
    (folder / "rates.db").write_bytes(b"no database at all, " * 100)


def barred(folder: Path) -> None:
    (folder / "rates.db").mkdir()


def no_folder(folder: Path) -> None:
    folder.rmdir()
    folder.write_bytes(b"")


@pytest.mark.parametrize("spoil", [broken, barred, no_folder])
def test_without_the_file_each_process_keeps_to_the_rate_and_says_so_once(tmp_path, spoil):
    folder = tmp_path / "state"
    folder.mkdir()
    spoil(folder)
    said: list[str] = []
    with closing(Pace(said.append, folder)) as pace:
        one, other = Bucket("x", 10.0, pace), Bucket("y", 10.0, pace)
        waits = [one.wait(one.take(1)) for _ in range(4)]
        other.pause(5.0)
        assert 4.5 < other.wait(other.take(1)) <= 5.0
    assert waits[0] == 0
    assert 0.1 < waits[3] < 0.3
    (line,) = said
    assert line.startswith(f"NOTE {folder / 'rates.db'} cannot be used (")
    assert "VISIONHUB_STATE" in line


def test_a_file_that_is_locked_for_long_is_left_alone_and_the_turns_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(pacing, "BUSY", 0.05)
    said: list[str] = []
    with closing(Pace(said.append, tmp_path)) as pace:
        bucket = Bucket("x", 1.0, pace)
        bucket.take(1)
        bucket.take(1)
        with closing(sqlite3.connect(tmp_path / "rates.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            turn = bucket.take(1)
        assert 1.5 < bucket.wait(turn) <= 2.0  # after the two before it
    assert len(said) == 1


def test_rates_of_a_rehearsal_and_of_regions_are_their_own(tmp_path):
    class Placed(Toy):
        settings: ClassVar = {"sandbox": Parameter("", "host:port of a rehearsal server")}
        place = ""

        def rates(self) -> dict[str, float]:
            return {"x": 1.0}

        def region(self) -> str:
            return self.place

    waits = []
    with closing(Pace(print, tmp_path)) as pace:
        for place, sandbox in (("north", ""), ("south", ""), ("north", "127.0.0.1:1")):
            provider = Placed()
            provider.place = place
            provider.configure({"sandbox": sandbox})
            stop = Impatient()
            gate = Gate(provider, pace)
            waits += [gate.enter(X, stop), gate.enter(X, stop)]
    assert waits == [True, False] * 3
