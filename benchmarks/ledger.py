"""The ledger's pace: reservations with their settlements a second, at full durability.

    python -m benchmarks.ledger [SECONDS a figure] [FOLDER on a real disk]

Side by side in one run, in turns: each reservation and each settlement in a transaction of its own;
then group commit, by threads that reserve one call at a time and a writer that settles what has
come, as a run does; then blocks, many images in one reservation and one settlement. A pair is one
request: reserved, and settled with its body. Absolute figures are those of this machine's disk at
this moment; the ratios are what it is about.
"""

from __future__ import annotations

import queue
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from visionhub.pricing import PriceTable
from visionhub.store.ledger import Ended, Ledger, Line, Reserved, State, Wanted
from visionhub.store.record import Recorder
from visionhub.store.study import StudyFile

SECONDS = 2.0
TURNS = 3
THREADS = (1, 16, 64)
BLOCKS = (1, 16, 64)
COMMIT = 512  # answers in one settlement, as in a run
T = TypeVar("T")


@dataclass(frozen=True)
class Case:
    """One way to write: so many threads, so many images a call; each alone, or together."""

    name: str
    threads: int
    block: int
    alone: bool


CASES = (
    *(Case(f"one transaction each, {n} threads", n, 1, True) for n in THREADS),
    *(Case(f"group commit, {n} threads", n, 1, False) for n in THREADS),
    *(Case(f"blocks of {n}, 1 thread", 1, n, False) for n in BLOCKS),
    Case("blocks of 16, 16 threads", 16, 16, False),
)


class Alone:
    """In place of the ledger's queue: each job has a transaction of its own."""

    def __init__(self, ledger: Ledger) -> None:
        self._sql, self._writing = ledger._sql, ledger._writing  # noqa: SLF001

    def do(self, work: Callable[..., T]) -> T:
        with self._writing:
            self._sql.execute("BEGIN IMMEDIATE")
            result = work(self._sql)
            self._sql.execute("COMMIT")
            return result


class Bench:
    """A study on disk, and requests that were never made before."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.study = stack.enter_context(StudyFile(folder / "study.db", write=True, shared=True))
        Recorder.start(self.study, "bench", "")
        self.table = PriceTable.packaged()
        self.price = self.table.find("google", "LABEL_DETECTION", "", date(2026, 11, 23))
        self._numbers = iter(range(10**9))
        self._lock = threading.Lock()

    def wanted(self, images: int) -> Wanted:
        """Keys spread over the whole space, as hashes do."""
        with self._lock:
            numbers = [next(self._numbers) for _ in range(images)]
        lines = (
            Line(f"{n * 0x9E3779B97F4A7C15 % 2**64:064x}"[::-1], n, 1, self.price) for n in numbers
        )
        return Wanted("google", "images:annotate", "", tuple((line,) for line in lines))

    def settle(self, ledger: Ledger, reserved: list[Reserved]) -> int:
        """Bodies and settlements of several attempts, in one transaction."""
        told = [
            Ended(r.attempt or 0, key, State.SETTLED, body=True)
            for r in reserved
            for key in r.granted
        ]
        with self.study.transaction() as sql:
            bodies = {}
            for one in told:
                row = sql.execute(
                    "INSERT INTO bodies (sha256, bytes, encoding, media_type, received_at, data) "
                    "VALUES (?, 2000, 'zstd', 'application/json', '', zeroblob(700))",
                    (one.key,),
                )
                bodies[one.key] = int(row.lastrowid or 0)
            ledger.settle(sql, told, bodies)
        return len(told)

    def pairs(self, case: Case, seconds: float) -> float:
        """Pairs a second: threads reserve, this thread settles. All that is reserved is settled."""
        ledger = Ledger(
            self.study, 1, self.table, "USD", cap=None, free={}, retry=False, rehearsal=True
        )
        if case.alone:
            ledger._queue = Alone(ledger)  # type: ignore[assignment]  # noqa: SLF001
        came: queue.Queue[Reserved] = queue.Queue(maxsize=4 * COMMIT)
        until = time.monotonic() + seconds

        def reserve() -> None:
            while time.monotonic() < until:
                came.put(ledger.reserve(self.wanted(case.block)))

        started, done = time.monotonic(), 0
        threads = [threading.Thread(target=reserve) for _ in range(case.threads)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads) or not came.empty():
            done += self.settle(ledger, _next(came, 1 if case.alone else COMMIT))
        took = time.monotonic() - started
        ledger.close()
        return done / took


def _next(came: queue.Queue[Reserved], most: int) -> list[Reserved]:
    """What has come, up to a number of requests."""
    found: list[Reserved] = []
    try:
        found.append(came.get(timeout=0.01))
        while sum(len(reserved.granted) for reserved in found) < most:
            found.append(came.get_nowait())
    except queue.Empty:
        pass
    return found


def main(seconds: float = SECONDS, folder: str | None = None) -> None:
    """Print the table."""
    found: dict[Case, list[float]] = {case: [] for case in CASES}
    with tempfile.TemporaryDirectory(dir=folder) as place, ExitStack() as stack:
        bench = Bench(Path(place), stack)
        modes = [
            bench.study.query(f"PRAGMA {p}").rows[0][0] for p in ("journal_mode", "synchronous")
        ]
        print(f"journal mode {modes[0]}, synchronous {modes[1]} (2 is FULL), folder {place}")
        print(f"{TURNS} turns of {seconds:g} s each; median, and the range")
        for _ in range(TURNS):
            for case, rates in found.items():
                rates.append(bench.pairs(case, seconds))
        base = statistics.median(found[CASES[0]])
        print(f"{'':34}{'pairs/s':>9}  {'range':>15}  {'ratio':>6}")
        for case, rates in found.items():
            middle = statistics.median(rates)
            spread = f"{min(rates):.0f}..{max(rates):.0f}"
            print(f"{case.name:34}{middle:9.0f}  {spread:>15}  {middle / base:6.1f}")


if __name__ == "__main__":
    main(*(float(text) for text in sys.argv[1:2]), *sys.argv[2:3])
