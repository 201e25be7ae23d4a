"""Worker processes: started with a moment to die at, killed, counted."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.torture.server import Service
from tests.torture.worker import AT_RANDOM, AT_SERVER, ONCE, SLOW, work

SLEEP = 0.05  # seconds between two looks


@dataclass(slots=True)
class Worker:
    """A process, the moment at which it is to die, and what it says in a file."""

    process: BaseProcess
    point: str
    output: Path
    doom: float = float("inf")  # by the monotonic clock, when it is killed from outside

    @property
    def pid(self) -> int:
        """Its number, while it lives."""
        return int(self.process.pid or 0)


@dataclass(slots=True)
class Ended:
    """How a worker ended. code: its exit code; negative for a signal."""

    point: str
    code: int
    output: Path

    @property
    def killed(self) -> bool:
        """Whether it was killed with SIGKILL."""
        return self.code == -signal.SIGKILL

    def said(self) -> str:
        """What it wrote to both of its streams."""
        return self.output.read_text("utf-8", "replace") if self.output.exists() else ""


@dataclass(slots=True)
class Crew:
    """The workers on one study. arguments: the command line of each. folder: for what they say.

    flaw: of tests.torture.broken, to see that it is found.
    """

    arguments: Sequence[str]
    folder: Path
    service: Service
    lots: random.Random
    alive: list[Worker] = field(default_factory=list)
    started: int = 0
    flaw: str = ""

    def start(self, point: str = "") -> Worker:
        """One more, to be killed at a named moment; with none it is left alone."""
        self.started += 1
        output = self.folder / f"worker-{self.started}.txt"
        passages = 1 if point in ONCE else self.lots.randint(1, 2 if point in SLOW else 6)
        # Each has rates of its own: a shared one takes the pauses between kills for a low quota.
        state = str(self.folder / f"state-{self.started}")
        given = (list(self.arguments), f"{point}:{passages}", str(output), state, self.flaw)
        process = context().Process(target=work, args=given, daemon=True)
        process.start()  # type: ignore[attr-defined]
        worker = Worker(process, point, output)
        if point == AT_RANDOM:
            worker.doom = time.monotonic() + self.lots.uniform(0.1, 1.5)
        elif point == AT_SERVER:
            self.service.doomed[worker.pid] = passages
        self.alive.append(worker)
        return worker

    def reap(self, seconds: float = SLEEP) -> list[Ended]:
        """Kill who is due, wait a moment, and tell who has ended."""
        now = time.monotonic()
        for worker in self.alive:
            if worker.doom <= now:
                worker.doom = float("inf")
                with suppress(ProcessLookupError):
                    os.kill(worker.pid, signal.SIGKILL)
        wait([worker.process.sentinel for worker in self.alive], seconds)
        ended = []
        for worker in [one for one in self.alive if one.process.exitcode is not None]:
            self.alive.remove(worker)
            self.service.doomed.pop(worker.pid, None)
            ended.append(Ended(worker.point, int(worker.process.exitcode or 0), worker.output))
            worker.process.close()
        return ended

    def end(self) -> None:
        """Kill all that are left."""
        for worker in self.alive:
            worker.process.kill()
            worker.process.join()
            worker.process.close()
        self.alive.clear()


def context() -> multiprocessing.context.ForkServerContext:
    """Workers come from a fork server that has the libraries loaded: they start at once."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["tests.torture.warm"])
    return found
