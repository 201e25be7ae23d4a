"""One part: pytest collects its tests once; each fault is tried in a process forked from there.

`python -m tests.mutation.loop PART RESULTS`, inside a copy of the tree. The tests run first on the
code as it is, traced: so it is known which of them reach a line. A fault inside a function is put
in by its code object; the module of any other is written and imported anew.
"""

from __future__ import annotations

import ast
import json
import os
import pickle
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from bisect import bisect
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from itertools import accumulate
from pathlib import Path
from tempfile import mkdtemp
from types import FrameType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings

from tests.mutation.mutants import Mutant, mutants, mutated
from tests.mutation.parts import PARTS, Part
from tests.mutation.swap import put

SLOW = 2.0  # seconds; tests that take longer are not asked
BUDGET = 40.0  # seconds, traced, of all tests that are asked about one fault, the quick ones first
PATIENCE = 10  # seconds beside eight times what a test took: after that it is stuck
SURVIVED, KILLED, NO_TEST, BROKEN = 40, 41, 42, 43
OUTER = int(os.environ.get("VISIONHUB_MUTANTS_OUTSIDE", "40"))  # faults outside functions
MEMORY = 6 << 30

settings.register_profile(
    "mutants", database=None, derandomize=True, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("mutants")


class Loop:
    """Takes the place of pytest's own loop over the tests."""

    def __init__(self, part: Part, results: Path, wanted: frozenset[str], jobs: int) -> None:
        self.part, self.results, self.wanted, self.jobs = part, results, wanted, jobs
        self.sources = {path: Path(path).read_text("utf-8") for path in part.files}
        self.outcomes: dict[str, dict[str, Any]] = {}
        self.reached: dict[str, tuple[float, frozenset[tuple[str, int]]]] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try every fault."""
        items = [
            item
            for item in session.items
            if not any(name in item.nodeid for name in self.part.left_out)
        ]
        found = self._baseline(items)
        steady = self._steady([item for item in items if item.nodeid in found])
        self.reached = {name: found[name] for name in steady}
        print(f"{len(steady)} of {len(session.items)} tests are asked", flush=True)
        inner, outer = [], []
        for path, only in self.part.files.items():
            for mutant in mutants(path, self.sources[path], only):
                if not self.wanted or mutant.name in self.wanted:
                    (inner if mutant.scope else outer).append(mutant)
        self._all(inner, lambda mutant: self._forked(mutant, steady))
        untried = [one for one in inner if self.outcomes[one.name]["outcome"] == "no test"]
        self._all(untried, self._anew)  # what runs when the module is imported
        every = 1 if self.wanted else -(-len(outer) // OUTER) or 1
        some = outer[::every]
        print(f"outside functions: {len(some)} of {len(outer)} faults are tried", flush=True)
        self._all(some, self._anew)
        return True

    def _baseline(self, items: list[pytest.Item]) -> dict[str, Any]:
        """What each test reaches of the part, and its time; those that fail are left out."""
        told = Path(mkdtemp()) / "reached"
        pid = os.fork()
        if not pid:
            _alone()
            told.write_bytes(pickle.dumps(_traced(items, self.sources)))
            os._exit(0)
        os.waitpid(pid, 0)
        found: dict[str, Any] = pickle.loads(told.read_bytes())
        return found

    def _steady(self, items: list[pytest.Item]) -> dict[str, pytest.Item]:
        """Tests that pass each time although others run beside them: else they prove nothing."""
        folder = Path(mkdtemp())
        children = []
        for number in range(max(2, self.jobs)):
            pid = os.fork()
            if not pid:
                _alone()
                items[0].config._tmp_path_factory._basetemp = Path(mkdtemp())
                failed = [item.nodeid for item in items if not _passes(item)]
                (folder / str(number)).write_text("\n".join(failed), "utf-8")
                os._exit(0)
            children.append(pid)
        for pid in children:
            os.waitpid(pid, 0)
        shaky = {name for each in folder.iterdir() for name in each.read_text("utf-8").split("\n")}
        return {item.nodeid: item for item in items if item.nodeid not in shaky}

    def _all(self, wanted: Iterable[Mutant], start: Callable[[Mutant], tuple[int, float]]) -> None:
        """Try faults, so many at a time, and note how each ended."""
        running: dict[int, tuple[Mutant, float]] = {}
        waiting = list(wanted)
        while waiting or running:
            while waiting and len(running) < self.jobs:
                mutant = waiting.pop(0)
                pid, limit = start(mutant)
                running[pid] = (mutant, time.monotonic() + limit)
            for pid, (mutant, until) in list(running.items()):
                late = time.monotonic() > until
                if late:
                    with suppress(ProcessLookupError):  # it has just ended
                        os.killpg(pid, signal.SIGKILL)
                done, status = os.waitpid(pid, 0 if late else os.WNOHANG)
                if done:
                    del running[pid]
                    self._note(mutant, "timeout" if late else _word(status))
            time.sleep(0.01)

    def _note(self, mutant: Mutant, outcome: str) -> None:
        line = self.sources[mutant.path].splitlines()[mutant.lines[0] - 1].strip()
        known = {"path": mutant.path, "line": mutant.lines[0], "change": mutant.change}
        self.outcomes[mutant.name] = {**known, "text": line, "outcome": outcome}
        self.results.write_text(json.dumps(self.outcomes, indent=1), "utf-8")

    def _forked(self, mutant: Mutant, items: Mapping[str, pytest.Item]) -> tuple[int, float]:
        spots = {(mutant.path, line) for line in mutant.lines}
        mine = [name for name, (_, lines) in self.reached.items() if spots & lines]
        mine.sort(key=lambda name: self.reached[name][0])
        sums = list(accumulate(self.reached[name][0] for name in mine))
        mine = mine[: bisect(sums, BUDGET)]
        pid = os.fork()
        if not pid:
            _alone()
            try:
                put(mutant, self.sources[mutant.path])
                os._exit(_asked([(items[name], self.reached[name][0]) for name in mine]))
            finally:
                os._exit(BROKEN)  # the fault could not be put in
        return pid, PATIENCE + sum(_limit(self.reached[name][0]) for name in mine)

    def _anew(self, mutant: Mutant) -> tuple[int, float]:
        """In a tree of its own, with the module as it is then."""
        pid = os.fork()
        if not pid:
            _alone()
            tree = Path(mkdtemp())
            shutil.copytree(".", tree, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git"))
            new = mutated(self.sources[mutant.path], mutant.number)
            (tree / mutant.path).write_text(ast.unparse(new), "utf-8")
            command = [sys.executable, "-m", "pytest", "-xq", "-p", "no:cacheprovider"]
            command += sorted({name.partition("::")[0] for name in self.reached})
            command += [f"--deselect={name}" for name in self.part.left_out]
            path = os.pathsep.join([str(tree), str(tree / "providers")])
            environment = {**os.environ, "PYTHONPATH": path}
            done = subprocess.run(command, check=False, cwd=tree, env=environment)
            shutil.rmtree(tree, ignore_errors=True)
            os._exit({0: SURVIVED, 1: KILLED, 2: KILLED}.get(done.returncode, BROKEN))
        return pid, 120 + 6 * sum(took for took, _ in self.reached.values())


def _limit(took: float) -> int:
    return PATIENCE + int(8 * took)


def _word(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    words = {SURVIVED: "survived", NO_TEST: "no test", BROKEN: "broken", -signal.SIGALRM: "timeout"}
    return words.get(code, "killed")


def _alone() -> None:
    """A group of processes of its own, that says nothing and cannot eat all memory."""
    os.setsid()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)


def _asked(items: list[tuple[pytest.Item, float]]) -> int:
    """Run tests until one fails; one that is stuck ends the process by its alarm."""
    if not items:
        return NO_TEST
    base = Path(mkdtemp())
    factory = items[0][0].config._tmp_path_factory
    factory._basetemp = base
    try:
        for item, took in items:
            signal.alarm(_limit(took))
            if not _passes(item):
                return KILLED
        return SURVIVED
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _passes(item: pytest.Item) -> bool:
    """Run one test, with its fixtures made and undone."""
    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))


def _traced(items: list[pytest.Item], sources: Iterable[str]) -> dict[str, Any]:
    files = {str(Path(path).resolve()): path for path in sources}
    found: dict[str, Any] = {}
    reached: set[tuple[str, int]] = set()

    def trace(frame: FrameType, event: str, _: object) -> Any:
        path = files.get(frame.f_code.co_filename)
        if path is None:
            return None
        reached.add((path, frame.f_lineno))
        return trace

    for item in items:
        reached.clear()
        threading.settrace(trace)
        sys.settrace(trace)
        start = time.monotonic()
        passes = _passes(item)
        took = time.monotonic() - start
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]
        if passes and took < SLOW * 4:  # tracing takes its time as well
            found[item.nodeid] = (took, frozenset(reached))
    return found


def main() -> int:
    """One part, as its arguments say."""
    name, results, jobs, wanted = sys.argv[1:5]
    part = PARTS[name]
    names = frozenset(json.loads(Path(wanted).read_text("utf-8"))) if wanted else frozenset()
    tests = [path for path in part.tests if Path(path).exists()]
    loop = Loop(part, Path(results), names, int(jobs))
    quiet = ["-qs", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return int(pytest.main([*quiet, *tests], plugins=[loop]))


if __name__ == "__main__":
    sys.exit(main())
