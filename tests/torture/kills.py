"""kill -9 at named and at random moments, of 1, 4 and 8 processes with 4 threads each.

Each study is filled by processes that die, one after the other, until enough were killed; then a
run without kills completes it. The service throttles, fails, hangs and cuts answers off meanwhile.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from visionhub_sandbox import Fault

from tests.torture.checks import Onlooker, Tally
from tests.torture.crew import Crew, Ended
from tests.torture.report import Section
from tests.torture.server import Service
from tests.torture.verdict import judge
from tests.torture.ways import TASKS, THREADS, WAYS, Way, arguments, photographs
from tests.torture.worker import POINTS

KILLS = 540  # in the long form
FEWEST = 9  # kills in an episode
EVERY = 0.2  # seconds between two looks at the books
PATIENCE = 240.0  # seconds for a study
CLEAN = 8  # runs without kills at most, until all is answered: the service goes on failing
RAISED = (0.2, 0.4, 0.6, 0.8)  # of the cost of everything: caps that are met one after the other
AMPLE = 10.0  # times that cost: with what is paid again, everything can be asked
OK, CAPPED, PARTIAL, DOUBT = 0, 3, 4, 5  # exit codes
LAST = "before_close"  # passed when nothing is left to ask, so not often


@dataclass(frozen=True, slots=True)
class Episode:
    """Kills on studies that are made in one way. caps: shares of the cost of asking all once.

    flaw: of tests.torture.broken. points: the moments to die at; empty for all of them.
    """

    way: Way
    processes: int
    retry: bool
    kills: int
    caps: tuple[float, ...] = ()
    flaw: str = ""
    images: int = 150
    points: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """For notes."""
        policy = "retry" if self.retry else "skip"
        capped = ", caps met" if len(self.caps) > 1 else ""
        return f"{self.way.name}, {self.processes} x {THREADS}, {policy}{capped}"


def faults(seed: int) -> list[Fault]:
    """What goes wrong at the service, all the time."""
    return [
        Fault("latency", seconds=0.005),
        Fault("latency", seconds=0.015, share=0.5, seed=seed),
        Fault("throttle", share=0.02, seed=seed + 1, retry_after=0.02),
        Fault("error", share=0.01, seed=seed + 2, status=503),
        Fault("reset", share=0.005, seed=seed + 3),
        Fault("truncated", share=0.005, seed=seed + 4),
        Fault("hang", share=0.003, seed=seed + 5, seconds=0.3),
        Fault("item_error", share=0.005, seed=seed + 6, code=13),
    ]


def run(scale: float, seed: int = 1) -> Section:
    """All episodes: processes x policies x ways, and caps that are met midway."""
    return torture(episodes(scale), seed)


def torture(chosen: Sequence[Episode], seed: int) -> Section:
    """These episodes, one after the other."""
    tally = Tally()
    section = Section("Kills: kill -9 at named and random moments")
    lots = random.Random(seed)
    points = _points(lots)
    with tempfile.TemporaryDirectory(prefix="visionhub-torture-") as name:
        folder = Path(name)
        for episode in chosen:
            photos = folder / f"photos-{episode.images}"
            if not photos.exists():
                photographs(photos, episode.images)
            began, before = time.monotonic(), tally.kills.total()
            while (left := episode.kills - (tally.kills.total() - before)) > 0:
                made = folder / f"study-{tally.studies}"
                made.mkdir()
                chosen_points = cycle(episode.points) if episode.points else points
                _Filling(episode, made, photos, lots, chosen_points, tally).go(left)
            killed, seconds = tally.kills.total() - before, time.monotonic() - began
            section.notes.append(f"{episode.name}: {killed} kills in {seconds:.0f} s")
    judge(section, tally, sum(episode.kills for episode in chosen))
    return section


_ONCE, _AMPLE = (1.0,), (AMPLE,)
_KINDS = (  # at most once, the cost of asking all once is enough
    (4, False, _ONCE),
    (8, True, _AMPLE),
    (1, False, _ONCE),
    (4, True, (*RAISED, AMPLE)),
    (8, False, _ONCE),
    (1, True, ()),
    (8, False, (*RAISED, 1.0)),
    (4, True, ()),
)


def episodes(scale: float) -> list[Episode]:
    """All of them; of a short form, as many kinds as it has room for."""
    kinds = [
        (WAYS[(at + step) % len(WAYS)], *kind)
        for step in range(len(WAYS))
        for at, kind in enumerate(_KINDS)
    ]
    wanted = round(KILLS * scale)
    number = max(1, min(len(kinds), wanted // FEWEST))
    each = -(-wanted // number)
    return [Episode(way, n, retry, each, caps) for way, n, retry, caps in kinds[:number]]


def _points(lots: random.Random) -> Iterator[str]:
    """Each named moment as often as all others, and random ones a little more, in any order."""
    while True:
        some = [*POINTS, POINTS[-1]]
        if lots.random() < 0.7:
            some.remove(LAST)
        lots.shuffle(some)
        yield from some


@dataclass(slots=True)
class _Filling:
    """One study, from its first run to its completion. folder: for it alone."""

    episode: Episode
    folder: Path
    photos: Path
    lots: random.Random
    points: Iterator[str]
    tally: Tally
    capped: int = field(default=0)  # how many of the caps have been met

    def go(self, kills: int) -> None:
        """Fill it while processes are killed, complete it, and look at it."""
        way, study = self.episode.way, self.folder / "study.db"
        with Service(way.provider, study, faults(self.lots.randrange(10**6))) as service:
            onlooker = Onlooker(study, service, way.parts, self.tally)
            crew = Crew(self._arguments(service), self.folder, service, self.lots)
            crew.flaw = self.episode.flaw
            try:
                self._kill(crew, onlooker, kills)
                self.capped = max(0, len(self.episode.caps) - 1)
                crew.arguments = self._arguments(service)
                self._complete(crew, onlooker)
            finally:
                crew.end()
            onlooker.finish(len(TASKS) * self.episode.images, retry=self.episode.retry)

    def _arguments(self, service: Service) -> list[str]:
        caps, whole = self.episode.caps, self.episode.way.cost * self.episode.images
        return arguments(
            self.episode.way,
            self.folder / "study.db",
            self.photos,
            service.address,
            retry=self.episode.retry,
            cap=round(caps[self.capped] * whole) if caps else None,
        )

    def _kill(self, crew: Crew, onlooker: Onlooker, kills: int) -> None:
        """Start one process for each that died, until enough did or nothing is left to ask."""
        until, looked = time.monotonic() + PATIENCE, 0.0
        killed = through = 0
        while killed < kills and through < 2 * self.episode.processes:
            if time.monotonic() > until:
                self.tally.fault("a study that did not end")
                return
            while len(crew.alive) < min(self.episode.processes, kills - killed):
                crew.start(next(self.points))
            for ended in crew.reap():
                self._count(ended)
                killed += ended.killed
                through = 0 if ended.killed else through + 1
                if ended.code == CAPPED and self._raise_cap(crew):
                    through = 0
            if time.monotonic() - looked > EVERY:
                onlooker.look()
                looked = time.monotonic()

    def _raise_cap(self, crew: Crew) -> bool:
        """Go on with a higher cap, if there is one."""
        if self.capped + 1 >= len(self.episode.caps):
            return False
        self.capped += 1
        crew.arguments = self._arguments(crew.service)
        return True

    def _complete(self, crew: Crew, onlooker: Onlooker) -> None:
        """Let the others end, then run alone until nothing is left that can be asked."""
        until = time.monotonic() + PATIENCE
        runs, code = 0, PARTIAL
        while crew.alive or (code in (PARTIAL, CAPPED) and runs < CLEAN):
            if time.monotonic() > until:
                self.tally.fault("a study that did not end")
                return
            if not crew.alive:
                crew.start()
                runs += 1
            for ended in crew.reap():
                self._count(ended)
                code = ended.code if runs else PARTIAL  # those before are not alone
            onlooker.look()
        if code not in (OK, DOUBT):
            self.tally.fault("a study that could not be completed")

    def _count(self, ended: Ended) -> None:
        """A worker's end: as it was meant, or with a documented exit code and no traceback."""
        if ended.killed:
            self.tally.kills[ended.point] += 1
            return
        self.tally.codes[ended.code] += 1
        said = ended.said()
        if ended.code not in (OK, CAPPED, PARTIAL, DOUBT) or "Traceback" in said:
            self.tally.strange.append(f"exit code {ended.code}: {said.strip()[-600:]}")
