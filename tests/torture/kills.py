"""kill -9 at named and at random moments, of 1, 4 and 8 processes with 4 threads each.

Each study is filled by processes that die, one after the other, until enough were killed; then a
run without kills completes it. The service throttles, fails, hangs and cuts answers off meanwhile.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from visionhub_sandbox import Fault

from tests.torture.checks import Onlooker, Tally
from tests.torture.crew import Crew, Ended
from tests.torture.report import Section
from tests.torture.server import REGION, Prices, Service
from tests.torture.worker import POINTS

KILLS = 540  # in the long form
TASKS = ("labels", "objects", "safe_search", "text")
THREADS = 4
EVERY = 0.2  # seconds between two looks at the books
PATIENCE = 240.0  # seconds for a study
CLEAN = 8  # runs without kills at most, until all is answered: the service goes on failing
OK, CAPPED, PARTIAL, DOUBT = 0, 3, 4, 5  # exit codes


@dataclass(frozen=True, slots=True)
class Way:
    """How a provider is asked. parts: requests of one image by price line."""

    provider: str
    settings: tuple[str, ...]
    parts: Mapping[str, int]

    @property
    def cost(self) -> int:
        """Micro-units for one image, all tasks, once."""
        return Prices(self.provider).of(tuple(self.parts))


_GOOGLE = {
    "LABEL_DETECTION": 1,
    "OBJECT_LOCALIZATION": 1,
    "SAFE_SEARCH_DETECTION": 1,
    "TEXT_DETECTION": 1,
}
_GOOGLE_SETTINGS = ("google.rate_calls=5000", "google.rate_units=5000", "google.batch=3")
WAYS = (
    Way("google", (*_GOOGLE_SETTINGS, "google.transport=grpc"), _GOOGLE),
    Way(
        "rekognition",
        (f"rekognition.region={REGION}", "rekognition.rate=5000"),
        {"DetectLabels": 2, "DetectModerationLabels": 1, "DetectText": 1},
    ),
    Way("google", (*_GOOGLE_SETTINGS, "google.transport=rest"), _GOOGLE),
)


@dataclass(frozen=True, slots=True)
class Episode:
    """Kills on studies that are made in one way. cap: the share of the cost; None for no cap."""

    way: Way
    processes: int
    retry: bool
    kills: int
    cap: float | None = None
    images: int = 150

    @property
    def name(self) -> str:
        """For notes."""
        policy = "retry" if self.retry else "skip"
        capped = "" if self.cap is None else f", cap at {self.cap:.0%}"
        return f"{self.way.provider}, {self.processes} x {THREADS}, {policy}{capped}"


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
    tally = Tally()
    section = Section("Kills: kill -9 at named and random moments")
    lots = random.Random(seed)
    points = _points(lots)
    with tempfile.TemporaryDirectory(prefix="visionhub-torture-") as name, _own_state(Path(name)):
        photos = _photos(Path(name) / "photos", max(one.images for one in episodes(scale)))
        for number, episode in enumerate(episodes(scale)):
            began, before = time.monotonic(), tally.kills.total()
            while tally.kills.total() - before < episode.kills:
                left = episode.kills - (tally.kills.total() - before)
                folder = Path(name) / f"study-{number}-{tally.studies}"
                folder.mkdir()
                _study(episode, folder, photos, left, points, lots, tally)
            killed, seconds = tally.kills.total() - before, time.monotonic() - began
            section.notes.append(f"{episode.name}: {killed} kills in {seconds:.0f} s")
    _report(section, tally, round(KILLS * scale))
    return section


def episodes(scale: float) -> list[Episode]:
    """All of them; of a short form, as many kinds as it has room for."""
    kinds = [
        (WAYS[(at + step) % len(WAYS)], processes, retry, cap)
        for step in range(len(WAYS))
        for at, (processes, retry, cap) in enumerate(_KINDS)
    ]
    wanted = round(KILLS * scale)
    number = max(1, min(len(kinds), wanted // 9))
    each = -(-wanted // number)
    return [Episode(way, n, retry, each, cap) for way, n, retry, cap in kinds[:number]]


_KINDS = (
    (4, False, None),
    (8, True, None),
    (1, False, None),
    (4, True, 0.4),
    (8, False, None),
    (1, True, None),
    (8, False, 0.5),
    (4, True, None),
)


def _study(
    episode: Episode,
    folder: Path,
    photos: Sequence[Path],
    kills: int,
    points: Iterator[str],
    lots: random.Random,
    tally: Tally,
) -> None:
    """One study, from its first run to its completion."""
    study, whole = folder / "study.db", episode.way.cost * episode.images
    cap = None if episode.cap is None else round(whole * episode.cap)
    chosen = photos[: episode.images]
    if cap is None and not episode.retry:
        cap = whole  # at most once: the cost of everything, once, is enough
    with Service(episode.way.provider, study, faults(lots.randrange(10**6))) as service:
        onlooker = Onlooker(study, service, episode.way.parts, tally)
        crew = Crew(_arguments(episode, study, chosen, service, cap), folder, service, lots)
        try:
            _kill(crew, onlooker, episode, kills, points, tally)
            if episode.cap is not None:
                crew.arguments = _arguments(episode, study, chosen, service, 10 * whole)
            _complete(crew, onlooker, tally)
        finally:
            crew.end()
        onlooker.finish(len(TASKS) * episode.images, retry=episode.retry)


def _arguments(
    episode: Episode, study: Path, photos: Sequence[Path], service: Service, cap: int | None
) -> list[str]:
    name = episode.way.provider
    settings = (
        *episode.way.settings,
        f"{name}.sandbox={service.address}",
        f"{name}.concurrency={THREADS}",
        f"{name}.timeout=5",
    )
    listed = study.with_name(f"photos-{len(photos)}")
    if not listed.exists():
        listed.mkdir()
        for photo in photos:
            (listed / photo.name).hardlink_to(photo)
    given = ["annotate", str(listed), "--study", str(study), "-p", name, "-t", ",".join(TASKS)]
    given += [word for setting in settings for word in ("--set", setting)]
    given += ["--on-ambiguous", "retry" if episode.retry else "skip"]
    return given if cap is None else [*given, "--max-cost", f"{cap / 1_000_000:.6f}"]


def _kill(
    crew: Crew,
    onlooker: Onlooker,
    episode: Episode,
    kills: int,
    points: Iterator[str],
    tally: Tally,
) -> None:
    """Start one process for each that died, until enough were killed or nothing is left to ask."""
    until, looked = time.monotonic() + PATIENCE, 0.0
    killed = through = 0
    while killed < kills and through < 2 * episode.processes:
        if time.monotonic() > until:
            tally.fault("a study that did not end")
            return
        while len(crew.alive) < min(episode.processes, kills - killed):
            crew.start(next(points))
        for ended in crew.reap():
            _count(ended, tally)
            killed += ended.killed
            through = 0 if ended.killed else through + 1
        if time.monotonic() - looked > EVERY:
            onlooker.look()
            looked = time.monotonic()


def _complete(crew: Crew, onlooker: Onlooker, tally: Tally) -> None:
    """Let the others end, then run alone until nothing is left that can be asked."""
    until = time.monotonic() + PATIENCE
    runs, code = 0, PARTIAL
    while crew.alive or (code in (PARTIAL, CAPPED) and runs < CLEAN):
        if time.monotonic() > until:
            tally.fault("a study that did not end")
            return
        if not crew.alive:
            crew.start()
            runs += 1
        for ended in crew.reap():
            _count(ended, tally)
            code = ended.code
        onlooker.look()
    if code not in (OK, DOUBT):
        tally.fault("a study that could not be completed")


def _count(ended: Ended, tally: Tally) -> None:
    """A worker's end: as it was meant, or with a documented exit code and no traceback."""
    if ended.killed:
        tally.kills[ended.point] += 1
        return
    tally.codes[ended.code] += 1
    said = ended.output.read_text("utf-8", "replace") if ended.output.exists() else ""
    if ended.code not in (OK, CAPPED, PARTIAL, DOUBT) or "Traceback" in said:
        tally.strange.append(f"exit code {ended.code}: {said.strip()[-600:]}")


def _points(lots: random.Random) -> Iterator[str]:
    """Each named moment as often as all others, and random ones a little more, in any order."""
    while True:
        some = [*POINTS, POINTS[-1]]
        lots.shuffle(some)
        yield from some


def _photos(folder: Path, number: int) -> list[Path]:
    """Small JPEGs, all different."""
    from PIL import Image

    folder.mkdir()
    made = []
    for n, red in zip(range(number), cycle(range(256)), strict=False):
        image = Image.linear_gradient("L").resize((96, 96)).convert("RGB")
        image.paste((red, n // 256, 128), (8, 8, 40, 40 + n % 50))
        made.append(folder / f"{n:04}.jpg")
        image.save(made[-1], "JPEG", quality=90)
    return made


@contextmanager
def _own_state(folder: Path) -> Iterator[None]:
    """The rates of these runs are no one else's."""
    before = os.environ.get("VISIONHUB_STATE")
    os.environ["VISIONHUB_STATE"] = str(folder / "state")
    try:
        yield
    finally:
        if before is None:
            del os.environ["VISIONHUB_STATE"]
        else:
            os.environ["VISIONHUB_STATE"] = before


def _report(section: Section, tally: Tally, wanted: int) -> None:
    kills = tally.kills
    section.least("kills", kills.total(), wanted, f"{tally.studies} studies")
    for point in POINTS:
        section.told(f"  {point}", kills[point])
    section.none(
        "damaged studies (integrity_check)",
        tally.faults.pop("integrity_check failed", 0),
        tally.studies,
    )
    for fault, of in _FAULTS.items():
        found = tally.faults.pop(fault, 0)
        section.none(fault, found, f"{getattr(tally, of):,} {_OF[of]}")
    for fault, found in sorted(tally.faults.items()):
        section.none(fault, found, "")
    section.none("extra paid units, skip", tally.extra["skip"], f"{tally.units:,} units")
    section.told("extra paid units, retry: all explained", tally.extra["retry"])
    left = tally.left
    mean = sum(left) / len(left) if left else 0.0
    section.told(
        "attempts that a killed process left behind",
        f"{mean:.1f} mean, {max(left, default=0)} most",
        f"{len(left)} processes",
    )
    section.told("answers", tally.answers, f"{tally.requests:,} requests")
    section.told("ambiguous", tally.ambiguous, f"{tally.requests:,} requests")
    section.told("ledger, USD", f"{tally.spent / 1e6:.4f}")
    section.holds(
        "billed at the server at most, USD",
        f"{tally.billed / 1e6:.4f}",
        "<= ledger",
        ok=tally.billed <= tally.spent,
    )
    codes = ", ".join(f"{code}: {n}" for code, n in sorted(tally.codes.items()))
    section.told("exit codes of those that ended by themselves", codes)
    section.none("ends that are not documented", len(tally.strange), tally.codes.total())
    section.notes += tally.strange[:5]


_FAULTS = {
    "settled answers lost": "looks",
    "stored answers asked for again": "answers",
    "sent without a reservation": "asked",
    "damaged bodies": "answers",
    "cap passed in the study": "looks",
    "cap passed at the server": "looks",
    "billed at the server, not in the ledger": "looks",
    "billed more often than the ledger has attempts": "units",
    "paid again without an ambiguous attempt": "units",
    "requests neither answered nor ambiguous": "requests",
    "ambiguous attempts that are not listed": "ambiguous",
    "settled without an answer": "answers",
    "money held when all had ended": "studies",
    "a study that could not be completed": "studies",
    "a study that did not end": "studies",
}
_OF = {
    "looks": "looks",
    "answers": "answers",
    "asked": "units asked",
    "units": "units billed",
    "requests": "requests",
    "ambiguous": "requests",
    "studies": "studies",
}
