"""SIGTERM: once, and what was sent is answered and stored; twice, and the run is over at once."""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from visionhub_sandbox import Fault

from tests.torture.checks import Onlooker, Tally
from tests.torture.crew import Crew, Ended
from tests.torture.report import Section
from tests.torture.server import Service
from tests.torture.ways import TASKS, THREADS, WAYS, Way, arguments, photographs

RUNS = 15  # in the long form, of each kind
IMAGES = 72
AT_ONCE = 3.0  # seconds from the second signal to the end; on a busy machine
DRAINED = 20.0  # seconds from the first
INTERRUPTED = 130
SLOW = 60  # calls that last: a run is stopped while they are under way
FAULTS = (
    Fault("latency", seconds=0.15, times=SLOW),
    Fault("throttle", share=0.01, retry_after=0.02),
)


def run(scale: float, seed: int = 1) -> Section:
    """Both ways to stop, with one process and with four, through every transport."""
    section = Section("Stops: SIGTERM once, and twice")
    lots = random.Random(seed)
    number = max(2, round(RUNS * scale))
    with tempfile.TemporaryDirectory(prefix="visionhub-torture-") as name:
        photos = photographs(Path(name) / "photos", IMAGES)
        for twice in (False, True):
            stops = _Stops(Path(name) / ("twice" if twice else "once"), photos, lots, twice=twice)
            for at in range(number):
                stops.one(at)
            stops.report(section)
    return section


class _Stops:
    """Runs that are told to stop. twice: a second time too, a moment later."""

    def __init__(self, folder: Path, photos: Path, lots: random.Random, *, twice: bool) -> None:
        self.folder, self.photos, self.lots, self.twice = folder, photos, lots, twice
        self.tally = Tally()
        self.stopped = self.late = self.in_flight = self.unknown = self.held = 0
        self.slowest = 0.0
        self.codes: Counter[int] = Counter()
        folder.mkdir()

    def one(self, at: int) -> None:
        """One study: stopped in the middle, looked at, and completed."""
        way, processes = _one_image_a_call(WAYS[at % len(WAYS)]), (1, 4)[at % 2]
        folder = self.folder / str(at)
        folder.mkdir()
        study = folder / "study.db"
        with Service(way.provider, study, FAULTS) as service:
            given = arguments(
                way, study, self.photos, service.address, retry=False, cap=way.cost * IMAGES
            )
            crew = Crew(given, folder, service, self.lots)
            onlooker = Onlooker(study, service, way.parts, self.tally)
            try:
                self._stop(crew, processes)
                onlooker.look()
                self.unknown += onlooker.page().unknown > 0
                self.held += onlooker.page().held > 0
                crew.start()
                self._wait(crew)
            finally:
                crew.end()
            onlooker.finish(len(TASKS) * IMAGES, retry=False)

    def _stop(self, crew: Crew, processes: int) -> None:
        for _ in range(processes):
            crew.start()
        until = time.monotonic() + DRAINED
        while crew.service.calls < THREADS * processes and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(self.lots.uniform(0.0, 0.4))
        self._signal(crew)
        told = time.monotonic()
        if self.twice:
            time.sleep(0.02)
            told = time.monotonic()
            self._signal(crew)
        for ended in self._wait(crew):
            self.codes[ended.code] += 1
            self.stopped += 1
        took = time.monotonic() - told
        self.slowest = max(self.slowest, took)
        self.late += took > (AT_ONCE if self.twice else DRAINED)

    def _signal(self, crew: Crew) -> None:
        for worker in crew.alive:
            os.kill(worker.pid, signal.SIGTERM)

    def _wait(self, crew: Crew) -> list[Ended]:
        ended: list[Ended] = []
        until = time.monotonic() + DRAINED
        while crew.alive and time.monotonic() < until:
            ended += crew.reap()
        return ended

    def report(self, section: Section) -> None:
        """What came of all of them."""
        said, tally = "twice" if self.twice else "once", self.tally
        runs = f"{self.stopped} processes, {tally.studies} studies"
        codes = ", ".join(f"{code}: {n}" for code, n in sorted(self.codes.items()))
        good = set(self.codes) <= {INTERRUPTED, 0, 4}
        section.holds(f"{said}: exit codes", codes, "130, or 0 when done", ok=good, of=runs)
        section.most(
            f"{said}: seconds to the end, the slowest",
            self.slowest,
            AT_ONCE if self.twice else DRAINED,
        )
        if self.twice:
            section.told(f"{said}: studies with ambiguous attempts", self.unknown, tally.studies)
        else:
            section.none(f"{said}: studies with ambiguous attempts", self.unknown, tally.studies)
            section.none(
                f"{said}: requests without an answer at the end", tally.ambiguous, tally.requests
            )
        section.none(f"{said}: studies that held money afterwards", self.held, tally.studies)
        section.none(f"{said}: extra paid units", tally.extra["skip"], tally.units)
        section.none(f"{said}: other faults", tally.faults.total(), f"{tally.looks} looks")
        section.notes += [f"{said}: {what}: {n}" for what, n in tally.faults.items()]


def _one_image_a_call(way: Way) -> Way:
    """So that there are calls enough to be stopped amid them."""
    return replace(
        way, settings=(*way.settings, *(["google.batch=1"] if way.provider == "google" else []))
    )
