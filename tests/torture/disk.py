"""Disks that fill up at any write of a run, and what the study is worth afterwards.

The n-th write fails, and all after it, by a shim under SQLite and Python (`full.c`); each run is a
process forked from one that has everything imported. Where a mount namespace may be made, a small
file system of its own is filled while calls are in flight.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from visionhub_sandbox import Fault, Sandbox

from tests.sandboxed import Seer
from tests.torture.faults import make_photos
from tests.torture.report import Section

WRITES = 500  # of the long form
PHOTOS = 4
NO_MOUNT = 77  # exit code of what found nothing to mount
SHIM = Path(__file__).with_name("full.c")
SLOW = Fault("latency", seconds=0.02)  # so that several calls are in flight
SAYS = re.compile(r"^Error: (The study|Cannot write|The study's folder) .*(full|free|No space)")
ORPHANS = "SELECT count(*) FROM charges WHERE state = 'settled' AND body_id IS NULL"
SUMS = (
    "SELECT count(*) FROM accounts WHERE settled + held > cap OR settled + held <> "
    "(SELECT sum(charge + (state = 'held') * hold) FROM charges)"
)
ANSWERS = (
    "SELECT i.sha256, l.sku FROM charges c JOIN images i ON i.id = c.image_id JOIN price_lines l "
    "ON l.id = c.line_id JOIN bodies b ON b.id = c.body_id JOIN requests r ON r.body_id = b.id "
    "WHERE c.state = 'settled'"
)
UNKNOWN = (
    "SELECT count(DISTINCT key) FROM charges c WHERE state = 'unknown' AND NOT EXISTS "
    "(SELECT 1 FROM charges s WHERE s.key = c.key AND s.state = 'settled')"
)
COUNTS = ["runs", "reached", "calls", "lost", "ambiguous", "unsent", "settled", "gone", "twice"]
ANSWERED, AMBIGUOUS = 0, 5  # exit codes of the same command on a disk with room


class Zygote:
    """Forks runs that meet a full disk; used by one thread."""

    def __init__(self, shim: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.zygote"],
            env={**os.environ, "LD_PRELOAD": str(shim)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, folder: Path, address: str, fails: int, *, helps: bool = False) -> Ended:
        """Annotate; the `fails`-th write into the study's folder is the first that fails."""
        order = {"folder": str(folder), "address": address, "fails": fails, "helps": helps}
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        code = json.loads(self._process.stdout.readline())
        return Ended(code, (folder / "said").read_text(), int((folder / "writes").read_text()))

    def __enter__(self) -> Zygote:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._process.communicate()


@dataclass(frozen=True, slots=True)
class Ended:
    """Exit code, what was said on stderr, and how many writes there were."""

    code: int
    said: str
    writes: int


@dataclass(slots=True)
class Found:
    """What many such runs came to."""

    runs: int = 0
    reached: int = 0  # runs that came to the write that fails
    calls: int = 0  # at the server, of first runs that failed
    lost: int = 0  # answered calls of these whose body is not in the study
    ambiguous: int = 0  # requests that are ambiguous in the end
    unsent: int = 0  # of these, those that never came to the server
    settled: int = 0  # answers in the study after the first run
    gone: int = 0  # of these, those that are not there in the end
    twice: int = 0  # units that may have been billed twice
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Found) -> None:
        """Sum up."""
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.wrong += other.wrong


def run(scale: float, seed: int) -> Section:
    """Each of the first writes of a run; then a real file system. Nothing is drawn by lot."""
    section = Section("A disk that is full from the n-th write on")
    with tempfile.TemporaryDirectory(dir=memory()) as folder:
        shim = built(Path(folder))
        if shim is None:
            section.notes.append("no C compiler: full disks were not tried at each write")
        else:
            kinds = [(made, helps) for made in (False, True) for helps in (False, True)]
            step = len(kinds) * max(1, round(1 / scale))  # each write is met by one of the kinds
            for first, (made, helps) in enumerate(kinds, 1):
                numbers = range(first, WRITES + 1, step)
                found = filled(shim, Path(folder), numbers, made=made, helps=helps)
                _tell(section, found, made=made, helps=helps)
    _tell_real(section, scale)
    return section


def _tell(section: Section, found: Found, *, made: bool, helps: bool) -> None:
    study = "a study that is there" if made else "a new study"
    which = f"{study}, {'the ballast helps' if helps else 'nothing helps'}"
    section.least(f"{which}: runs that met the full disk", found.reached, 1, found.runs)
    section.none(
        f"{which}: not one sentence, exit code, whole study, or end", len(found.wrong), found.runs
    )
    section.none(f"{which}: settled answers lost", found.gone, found.settled)
    section.none(f"{which}: units billed twice", found.twice, found.calls)
    if helps:
        section.none(f"{which}: answers in flight lost", found.lost, found.calls)
    else:
        section.told(f"{which}: answers in flight that are ambiguous", found.lost, found.calls)
    section.told(f"{which}: ambiguous although never sent", found.unsent, found.ambiguous)
    section.notes += found.wrong[:10]


def memory() -> str | None:
    """A folder in memory, where syncs cost nothing; None for the usual one."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def built(folder: Path, source: Path = SHIM) -> Path | None:
    """A shim, compiled; None without a compiler."""
    compiler = shutil.which(os.environ.get("CC") or "cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    shim = folder / f"{source.stem}.so"
    words = [compiler, "-shared", "-fPIC", "-O1", "-o", str(shim), str(source), "-ldl"]
    done = subprocess.run(words, capture_output=True, check=False)
    return shim if done.returncode == 0 else None


def filled(
    shim: Path, folder: Path, numbers: Sequence[int], *, made: bool, helps: bool, workers: int = 2
) -> Found:
    """One run for each number, and the same command once more on a disk with room."""
    place = Path(tempfile.mkdtemp(dir=folder))
    photos = make_photos(place / "photos", PHOTOS)
    total = Found()

    def some(worker: int) -> Found:
        found = Found()
        with Zygote(shim) as zygote:
            for number in list(numbers)[worker::workers]:
                there = place / f"{number}"
                there.mkdir()
                (there / "photos").symlink_to(photos)
                found.add(_one(zygote, there, number, made=made, helps=helps))
                shutil.rmtree(there)
        return found

    with ThreadPoolExecutor(workers) as pool:
        for found in pool.map(some, range(workers)):
            total.add(found)
    return total


def _one(zygote: Zygote, there: Path, number: int, *, made: bool, helps: bool) -> Found:
    found = Found(runs=1)
    if made:
        empty(there / "disk" / "study.db")
    with Sandbox(Seer(), faults=(SLOW,)) as sandbox:
        first = zygote.run(there, sandbox.address, number, helps=helps)
        found.reached = int(first.writes >= number)
        found.calls, before = sandbox.calls.count(), bodies(there)
        found.settled = len(before)
        found.lost = _units(sandbox) - len(before)
        found.wrong += [f"write {number}: {wrong}" for wrong in wrong_end(first, there, number)]
        second = zygote.run(there, sandbox.address, 0)  # a disk with room
        after = bodies(there)
        found.gone = len(before - after)
        found.twice = sum(count - 1 for count in sandbox.calls.units.values())
        found.ambiguous = unknown(there)
        found.unsent = found.ambiguous - (_units(sandbox) - len(after))
    wanted = AMBIGUOUS if found.ambiguous else ANSWERED
    whole = len(after) + found.ambiguous == 2 * PHOTOS and found.unsent >= 0
    if second.code != wanted or not whole or _flawed(there):
        said = second.said.strip().splitlines()[-1:]
        found.wrong.append(
            f"write {number}, again: code {second.code}, {len(after)} answers, {said}"
        )
    return found


def _units(sandbox: Sandbox) -> int:
    return len(sandbox.calls.units)


def wrong_end(ended: Ended, there: Path, number: int) -> Iterator[str]:
    """What is not as it must be after a run on a full disk."""
    errors = [line for line in ended.said.splitlines() if line.startswith("Error:")]
    if "Traceback" in ended.said or "Exception ignored" in ended.said:
        yield f"a traceback: {ended.said[-300:]}"
    if ended.writes >= number and ended.code not in (0, 1):
        yield f"code {ended.code}: {ended.said[-300:]}"
    if ended.code == 1 and (len(errors) != 1 or not SAYS.match(errors[0])):
        yield f"not one clear sentence: {ended.said[-300:]}"
    if ended.writes < number and ended.code != 0:
        yield f"code {ended.code} although nothing failed"
    yield from _flawed(there)


def _flawed(there: Path) -> list[str]:
    with _copy(there) as sql:
        if sql is None:
            return []
        said = sql.execute("PRAGMA integrity_check").fetchone()[0]
        found = [said] if said != "ok" else []
        checks = {"settled without a body": ORPHANS, "sums differ": SUMS}
        return found + [what for what, query in checks.items() if sql.execute(query).fetchone()[0]]


def bodies(there: Path) -> set[tuple[str, str]]:
    """Answers in a study: image and price line."""
    with _copy(there) as sql:
        return set() if sql is None else set(sql.execute(ANSWERS))


def unknown(there: Path) -> int:
    """Requests of which the ledger does not know whether they were charged for."""
    with _copy(there) as sql:
        return 0 if sql is None else int(sql.execute(UNKNOWN).fetchone()[0])


@contextmanager
def _copy(there: Path) -> Iterator[sqlite3.Connection | None]:
    """A copy of the study, so that looking at it repairs nothing; None without a ledger."""
    with tempfile.TemporaryDirectory(dir=there) as folder:
        for name in ("study.db", "study.db-journal"):
            if (there / "disk" / name).exists():
                shutil.copy(there / "disk" / name, folder)
        with closing(sqlite3.connect(Path(folder) / "study.db")) as sql:
            ledger = "SELECT 1 FROM sqlite_master WHERE name = 'charges'"
            yield sql if sql.execute(ledger).fetchone() else None


def empty(path: Path) -> None:
    """A study with nothing in it."""
    from visionhub.store.study import StudyFile

    path.parent.mkdir()
    StudyFile(path, write=True).close()


def _tell_real(section: Section, scale: float) -> None:
    """A small file system of its own, filled as the k-th call comes in."""
    found = really_filled(max(4, round(60 * scale)))
    if found is None:
        section.notes.append("no mount namespace is allowed here: no real file system was filled")
        return
    section.least("a tmpfs filled in mid-run: runs that said so", found.reached, 1, found.runs)
    section.none("a tmpfs filled in mid-run: answers in flight lost", found.lost, found.calls)
    section.none("a tmpfs filled in mid-run: units billed twice", found.twice, found.calls)
    section.none("a tmpfs filled in mid-run: anything else wrong", len(found.wrong), found.runs)
    section.notes += found.wrong[:10]


def really_filled(runs: int) -> Found | None:
    """Runs on a small tmpfs that fills up; None where none can be mounted."""
    if shutil.which("unshare") is None:
        return None
    words = ["unshare", "-rm", sys.executable, "-m", "tests.torture.small_disk", str(runs)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode == NO_MOUNT or "unshare:" in done.stderr:
        return None
    if done.returncode:
        return Found(runs=runs, wrong=[done.stderr[-500:]])
    return Found(**json.loads(done.stdout))
