"""The ledger among threads and processes: group commit, single flight, the cap; kill -9."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.ledgers import (
    START,
    check_sums,
    ended,
    key,
    new_study,
    open_ledger,
    settle,
    states,
    wanted,
)
from visionhub.errors import StudyError
from visionhub.store.ledger import Away, Recovered, State
from visionhub.store.ledger_queue import Queue
from visionhub.store.patience import Patience
from visionhub.store.study import StudyFile


@pytest.fixture
def study(tmp_path: Path) -> Iterator[StudyFile]:
    with new_study(tmp_path / "study.db") as study:
        yield study
        check_sums(study)


class Watched(sqlite3.Connection):
    """A connection that counts its commits, and fails at one when told to."""

    commits = 0
    fails: Callable[[str], BaseException | None] = staticmethod(lambda sql: None)

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        self.commits += sql == "COMMIT"
        if (error := self.fails(sql)) is not None:
            raise error
        return super().execute(sql, *values)


class Queued:
    """A queue with a table of numbers; `together` has all its jobs in one transaction."""

    def __init__(self, path: Path) -> None:
        self.sql: Watched = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, factory=Watched
        )
        self.sql.execute("CREATE TABLE n (n INTEGER PRIMARY KEY CHECK (n < 100))")
        self.writing = threading.Lock()
        self.queue = Queue(self.sql, self.writing, Patience(path, print))

    def insert(self, number: int) -> int:
        def work(sql: sqlite3.Connection) -> int:
            sql.execute("INSERT INTO n VALUES (?)", (number,))
            return number * 2

        return self.queue.do(work)

    def together(self, numbers: list[int]) -> list[Future[int]]:
        """Ask in threads while somebody else writes, so that they all wait; then let them."""
        with ThreadPoolExecutor(len(numbers)) as pool:
            with self.writing:
                futures = [pool.submit(self.insert, number) for number in numbers]
                while len(self.queue._jobs) < len(numbers):
                    time.sleep(0.001)
            return futures

    @property
    def numbers(self) -> list[int]:
        return [n for (n,) in self.sql.execute("SELECT n FROM n ORDER BY n")]


@pytest.fixture
def queued(tmp_path: Path) -> Iterator[Queued]:
    queued = Queued(tmp_path / "n.db")
    yield queued
    assert queued.insert(99) == 198  # whatever happened, it still works
    queued.sql.close()


def test_those_who_wait_are_committed_together(queued) -> None:
    assert [f.result() for f in queued.together(list(range(20)))] == [2 * n for n in range(20)]
    assert queued.numbers == list(range(20))
    assert queued.sql.commits == 1


def test_one_that_fails_does_not_spoil_the_others(queued) -> None:
    futures = queued.together([1, 500, 2, 3, 501])
    failed = [f.exception() for f in futures]
    assert [type(error) for error in failed] == [
        type(None),
        sqlite3.IntegrityError,
        type(None),
        type(None),
        sqlite3.IntegrityError,
    ]
    assert queued.numbers == [1, 2, 3]
    assert queued.sql.commits == 1


def test_what_a_failing_job_did_first_is_undone(queued) -> None:
    def work(sql: sqlite3.Connection) -> None:
        sql.execute("INSERT INTO n VALUES (7)")
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        queued.queue.do(work)
    assert queued.numbers == []


def failing_at(word: str, error: BaseException) -> Callable[[str], BaseException | None]:
    left = [error]
    return lambda sql: left.pop() if sql == word and left else None


@pytest.mark.parametrize("word", ["COMMIT", "BEGIN IMMEDIATE", "SAVEPOINT job", "RELEASE job"])
def test_a_failing_commit_fails_all_of_them(queued, word) -> None:
    queued.sql.fails = failing_at(word, sqlite3.OperationalError("disk I/O error"))
    futures = queued.together([1, 2, 3])
    assert [str(f.exception()) for f in futures] == ["disk I/O error"] * 3
    assert queued.numbers == []
    assert not queued.sql.in_transaction


def test_a_transaction_that_is_gone_fails_all_of_them(queued) -> None:
    def full(sql: sqlite3.Connection) -> None:
        sql.execute("ROLLBACK")  # as SQLite does by itself when the disk is full
        raise sqlite3.OperationalError("database or disk is full")

    with ThreadPoolExecutor(3) as pool:
        with queued.writing:
            first = pool.submit(queued.insert, 1)
            while not queued.queue._jobs:
                time.sleep(0.001)
            second = pool.submit(queued.queue.do, full)
            while len(queued.queue._jobs) < 2:
                time.sleep(0.001)
            third = pool.submit(queued.insert, 2)
            while len(queued.queue._jobs) < 3:
                time.sleep(0.001)
        assert {str(f.exception()) for f in (first, second, third)} == {"database or disk is full"}
    assert queued.numbers == []


def test_an_interrupted_leader_does_not_take_the_others_along(queued) -> None:
    queued.sql.fails = failing_at("COMMIT", KeyboardInterrupt())
    errors = [f.exception() for f in queued.together([1, 2, 3])]
    kinds = Counter(type(error) for error in errors)
    assert kinds == {KeyboardInterrupt: 1, sqlite3.OperationalError: 2}
    assert {str(error) for error in errors} == {"", "interrupted"}
    assert queued.numbers == []


def test_one_that_is_interrupted_as_it_takes_the_lead_leaves_it_to_the_next(
    queued, monkeypatch
) -> None:
    def interrupted(job: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Queue, "_appoint", staticmethod(interrupted))
        with pytest.raises(KeyboardInterrupt):
            queued.insert(1)
    assert queued.insert(2) == 4
    assert queued.numbers == [2]


def test_one_that_is_interrupted_as_it_waits_hands_the_lead_on(queued, monkeypatch) -> None:
    real, left = threading.Event.wait, [KeyboardInterrupt()]

    def wait(self: threading.Event, timeout: float | None = None) -> bool:
        done = real(self, timeout)
        if left and threading.current_thread().name == "interrupted":
            raise left.pop()
        return done

    monkeypatch.setattr(threading.Event, "wait", wait)
    told: list[BaseException] = []

    def insert() -> None:
        try:
            queued.insert(1)
        except KeyboardInterrupt as error:
            told.append(error)

    thread = threading.Thread(target=insert, name="interrupted")
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert len(told) == 1
    assert queued.insert(2) == 4
    assert queued.numbers == [2]


def test_under_load_everybody_gets_a_turn(queued) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(queued.insert, range(90))) == [2 * n for n in range(90)]
    assert queued.numbers == list(range(90))


# The ledger in threads


def test_threads_that_want_the_same_send_it_once(study) -> None:
    with open_ledger(study, 100_000) as ledger, ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda n: ledger.reserve(wanted(n % 20)), range(160)))
        granted = Counter(k for reserved in found for k in reserved.granted)
        assert granted == {key(n): 1 for n in range(20)}
        assert Counter(why for r in found for why in r.away.values()) == {Away.HELD: 140}


def test_threads_stop_at_the_cap(study) -> None:
    with open_ledger(study, 15_999) as ledger, ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda n: ledger.reserve(wanted(n)), range(50)))
        assert sum(len(reserved.granted) for reserved in found) == 10
        assert sum(len(reserved.capped) for reserved in found) == 40


def test_the_writer_of_answers_gets_its_turn_among_many_threads(study) -> None:
    stop = threading.Event()
    with open_ledger(study) as ledger, ThreadPoolExecutor(8) as pool:

        def work(number: int) -> int:
            done = 0
            while not stop.is_set():
                ledger.end(ended(ledger.reserve(wanted(number)), State.RELEASED))
                done += 1
            return done

        workers = [pool.submit(work, number) for number in range(8)]
        mine = ledger.reserve(wanted(100, 101, 102, 103, 104))
        waits = []
        for number in range(100, 105):
            started = time.monotonic()
            settle(study, ledger, mine, [key(number)])
            waits.append(time.monotonic() - started)
        stop.set()
        assert min(worker.result() for worker in workers) > 0
    assert min(waits) < 5


def test_faults_of_the_file_are_told_in_words(study) -> None:
    ledger = open_ledger(study)
    ledger.close()
    with pytest.raises(StudyError, match=r"study\.db"):
        ledger.end([])


# Processes

WORK = """
import sys
from concurrent.futures import ThreadPoolExecutor
from tests.ledgers import open_ledger, settle, wanted
from visionhub.store.study import StudyFile

path, cap = sys.argv[1], int(sys.argv[2])
with StudyFile(path, write=True, shared=True) as study, open_ledger(study, cap) as ledger:
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(4) as pool:
        blocks = [range(start, start + 5) for start in range(0, 200, 5)] * 2
        for reserved in pool.map(lambda block: ledger.reserve(wanted(*block)), blocks):
            if reserved.granted:
                settle(study, ledger, reserved)
            print(*reserved.granted, flush=True)
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )


@pytest.mark.parametrize(("cap", "fewest", "most"), [(10**6, 200, 200), (10**5, 60, 98)])
def test_processes_that_want_the_same_send_it_once_and_stop_at_the_cap(
    study, cap, fewest, most
) -> None:
    """Under 0.1 USD 98 images fit, if nothing else is held when the last is asked for."""
    children = [start(WORK, study.path, cap) for _ in range(4)]
    for child in children:
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
    said = []
    for child in children:
        assert child.stdin
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        out, _ = child.communicate(timeout=60)
        assert child.returncode == 0
        said += out.split()
    assert max(Counter(said).values()) == 1
    spent = 3 * 1500 + (len(said) - 3) * 1000
    assert study.query("SELECT cap, settled, held FROM accounts").rows == [(cap, spent, 0)]
    assert fewest <= len(said) <= most
    assert spent <= cap
    assert set(states(study).values()) == {"settled"}


KILLED = """
import os, signal, sys
from tests.ledgers import open_ledger, wanted
from visionhub.store.study import StudyFile

study = StudyFile(sys.argv[1], write=True, shared=True)
ledger = open_ledger(study, 100_000)
print(len(ledger.reserve(wanted(1, 2)).granted), flush=True)
sys.stdin.readline()
"""


def test_what_a_killed_process_held_is_recovered(study) -> None:
    child = start(KILLED, study.path)
    assert child.stdout
    assert child.stdout.readline() == "2\n"
    with open_ledger(study, 100_000, clock=lambda: START + 10**6) as ledger:
        assert ledger.reserve(wanted(1)).away == {key(1): Away.HELD}  # it lives
        assert ledger.recover() == Recovered()
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert ledger.recover() == Recovered(2, 3000)
        assert ledger.reserve(wanted(1)).away == {key(1): Away.AMBIGUOUS}
        assert (ledger.totals.settled, ledger.totals.unknown) == (3000, 3000)
    child.communicate()
