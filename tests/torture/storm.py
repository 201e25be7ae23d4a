"""Services that refuse, fall silent, or answer too much: what a run wastes, and that it ends."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest import mock

from visionhub_sandbox import Fault, Sandbox
from visionhub_sandbox.calls import Call
from visionhub_sandbox.faults import Met, Script

import visionhub
from tests.sandboxed import Seer
from tests.torture.faults import WAYS, Way, attempts_of, broken, make_photos
from tests.torture.measured import measured
from tests.torture.report import Section
from visionhub.engine import gate
from visionhub.engine.progress import Progress

QUOTA = 50  # calls a second that the service takes
TOO_MANY = 10  # times as many are asked for
SECONDS = 40.0  # of the long form
SETTLED = 0.25  # of that time is spent finding the rate
OUTAGE = 5.0  # seconds in which everything is refused
SHARE, RATE = 0.10, 0.80  # of calls wasted at most; of the quota used at least
BIG = 50_000_000  # bytes of an answer
GIGABYTE = 1_000_000  # kB
TASKS = {"google": ("labels",), "rekognition": ("labels",)}  # a quota is an operation's


class Quota(Script):
    """Takes so many calls in any second, none during an outage, and refuses the others."""

    def __init__(self, per_second: int, outage: tuple[float, float] = (0.0, 0.0)) -> None:
        super().__init__()
        self._taken: deque[float] = deque(maxlen=per_second)
        self._guard = threading.Lock()
        self._outage, self._began = outage, 0.0
        self.taken: list[float] = []  # seconds since the first call
        self.refused: list[float] = []

    def meet(self, call: Call) -> Met:
        """Count a call and take or refuse it."""
        with self._guard:
            now = time.monotonic()
            self._began = self._began or now
            since, full = now - self._began, len(self._taken) == self._taken.maxlen
            if self._outage[0] <= since < sum(self._outage) or (
                full and now - self._taken[0] < 1.0
            ):
                self.refused.append(since)
                return Met(fault=Fault("throttle"))
            self._taken.append(now)
            self.taken.append(since)
            return Met()

    @property
    def wasted(self) -> float:
        """The share of calls that were refused."""
        return len(self.refused) / max(1, len(self.refused) + len(self.taken))

    def used(self, per_second: int) -> float:
        """The share of the quota that was used, once the rate was found; outages apart."""
        first, last = SETTLED * self.taken[-1], self.taken[-1]
        calls = sum(first <= at for at in self.taken)
        begun, lasted = self._outage
        away = max(0.0, min(last, begun + lasted) - max(first, begun)) if lasted else 0.0
        return calls / (last - first - away) / per_second


@dataclass(frozen=True, slots=True)
class Storm:
    """One run in a storm. even: calls at the server are attempts in the ledger."""

    quota: Quota
    progress: Progress
    even: bool
    broken: list[str]


def run(scale: float, seed: int) -> Section:
    """Storms, an outage, silence, and answers of 50 MB. Nothing is drawn by lot."""
    section = Section("A service that refuses, is silent, or says too much")
    seconds = max(20.0, SECONDS * scale)  # less is all finding of the rate
    for way in WAYS:
        found = stormed(way, QUOTA, seconds)
        _tell(section, f"429 storm, {way}", found, QUOTA)
    for way in WAYS[1:]:
        found = stormed(way, QUOTA, seconds, (seconds / 2, OUTAGE))
        _tell(section, f"outage of {OUTAGE:g} s, {way}", found, QUOTA)
    for way in WAYS:
        _tell_silence(section, way)
    for provider in TASKS:
        for photos in (1, 16):
            _tell_big(section, provider, photos)
    return section


def _tell(section: Section, what: str, found: Storm, quota: int) -> None:
    calls = len(found.quota.taken) + len(found.quota.refused)
    section.most(f"{what}: share of calls wasted", found.quota.wasted, SHARE, calls)
    used = found.quota.used(quota)
    section.holds(f"{what}: share of {quota}/s used", f"{used:.2f}", f">= {RATE}", ok=used >= RATE)
    section.none(f"{what}: failed requests", found.progress.unanswered, found.progress.done)
    section.holds(f"{what}: attempts in the ledger", calls, "equal", ok=found.even)
    section.notes += [f"{what}: {wrong}" for wrong in found.broken]


def stormed(
    way: Way, quota: int, seconds: float, outage: tuple[float, float] = (0.0, 0.0)
) -> Storm:
    """Ask for ten times the quota, as much as takes so many seconds at the quota."""
    photos = round(quota * seconds / len(TASKS[way.provider]))
    script = Quota(quota, outage)
    with tempfile.TemporaryDirectory() as folder, rates_of_its_own(Path(folder)):
        pictures = make_photos(Path(folder) / "photos", photos)
        study = visionhub.Study(Path(folder) / "study.db")
        with served(script) as sandbox:
            progress = _annotate(study, pictures, way, sandbox.address, _fast(way, quota))
            even = sandbox.calls.count() == len(attempts_of(study))
        sql = "SELECT DISTINCT reason FROM status WHERE status = 'error'"
        reasons = [f"not answered: {reason}" for (reason,) in study.query(sql).rows]
        return Storm(script, progress, even, broken(study) + reasons)


def _fast(way: Way, quota: int) -> dict[str, str]:
    """Settings that ask for ten times the quota, one image a call."""
    much = str(quota * TOO_MANY)
    if way.provider == "google":
        return {"google.batch": "1", "google.rate_calls": much, "google.rate_units": much}
    return {"rekognition.rate": much}


@contextmanager
def served(script: Script) -> Iterator[Sandbox]:
    """A stand-in with a script of its own."""
    sandbox = Sandbox(Seer())
    sandbox._desk = replace(sandbox._desk, script=script)
    with sandbox:
        yield sandbox


@contextmanager
def rates_of_its_own(folder: Path) -> Iterator[None]:
    """No other run's rates count."""
    with mock.patch.dict(os.environ, {"VISIONHUB_STATE": str(folder / "rates")}):
        yield


def _annotate(
    study: visionhub.Study, photos: Path, way: Way, address: str, settings: Mapping[str, str]
) -> Progress:
    return study.annotate(
        photos,
        providers=[way.provider],
        tasks=TASKS[way.provider],
        settings={**way.settings, **settings},
        sandbox=address,
    )


def _tell_silence(section: Section, way: Way) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = silent(way, Path(folder), 60)
    what = f"no answer ever, {way}"
    section.holds(f"{what}: the run ends by itself", f"{found.seconds:.1f} s", "yes", ok=True)
    section.holds(
        f"{what}: it says why", found.said or "nothing", "a sentence", ok=bool(found.said)
    )
    section.holds(f"{what}: calls, all unknown", found.calls, "equal", ok=found.even)
    section.notes += [f"{what}: {wrong}" for wrong in found.broken]


@dataclass(frozen=True, slots=True)
class Silence:
    """A run against a service that takes calls and never answers."""

    seconds: float
    said: str
    calls: int
    even: bool
    broken: list[str]


def silent(way: Way, folder: Path, photos: int, timeout: float = 1.0) -> Silence:
    """Ask one; pauses of the breaker are a thirtieth of what they are (15 s, doubled to 300)."""
    pictures = make_photos(folder / "photos", photos)
    study = visionhub.Study(folder / "study.db")
    shorter = mock.patch.multiple(gate, REST=gate.REST / 30, LONGEST_REST=gate.LONGEST_REST / 30)
    with rates_of_its_own(folder), shorter, Sandbox(Seer(), faults=(Fault("hang"),)) as sandbox:
        began = time.monotonic()
        settings = {f"{way.provider}.timeout": str(timeout)}
        settings |= {"google.batch": "1"} if way.provider == "google" else {}
        progress = _annotate(study, pictures, way, sandbox.address, settings)
        seconds = time.monotonic() - began
        states = attempts_of(study)
        even = sandbox.calls.count() == len(states) and all(
            s == {"unknown"} for s in states.values()
        )
        given_up = progress.calls[way.provider].given_up
        return Silence(seconds, given_up, sandbox.calls.count(), even, broken(study))


def _tell_big(section: Section, provider: str, photos: int) -> None:
    found = fed(provider, photos)
    what = f"{photos} answers of 50 MB, {provider}"
    section.holds(
        f"{what}: one reason each, in the ledger", found.reason, "a reason", ok=found.clear
    )
    if photos == 1:
        section.most(f"{what}: peak memory in kB", found.peak, GIGABYTE)
    else:
        section.told(f"{what}: peak memory in kB", found.peak)


@dataclass(frozen=True, slots=True)
class Fed:
    """A run that was answered with too much. clear: it is stored, or has its reason."""

    code: int
    reason: str
    clear: bool
    peak: int


def fed(provider: str, photos: int, size: int = BIG) -> Fed:
    """Annotate from the command line; each answer has so many bytes."""
    with tempfile.TemporaryDirectory() as folder, big(provider, size) as address:
        pictures = make_photos(Path(folder) / "photos", photos)
        words = [str(pictures), "-p", provider, "-t", "labels", "--study", f"{folder}/study.db"]
        if provider == "google":
            words += ["--set", "google.batch=1", "--set", "google.transport=rest"]
        ended = measured(["annotate", *words, "--sandbox"], {"VISIONHUB_SANDBOX": address})
        study = visionhub.Study(f"{folder}/study.db")
        rows = study.query("SELECT state, reason, body_id FROM charges").rows
    reasons = {reason for state, reason, body in rows if state == "unknown" and not body}
    stored = sum(state == "settled" and bool(body) for state, _, body in rows)
    refused = len(rows) - stored
    clear = len(rows) == photos and ended.code in (0, 4, 5) and "Traceback" not in ended.said
    clear = clear and (not refused or len(reasons) == 1)
    return Fed(ended.code, "; ".join(reasons) or f"{stored} stored", clear, ended.peak)


@contextmanager
def big(provider: str, size: int = BIG) -> Iterator[str]:
    """The address of a service whose every answer has so many bytes, most of them noise."""
    noise = os.urandom(size // 2).hex()
    item = '"labelAnnotations": [{"description": "Dog", "score": 0.9, "mid": "/m/0bt9lr"}]'
    texts = {
        "google": f'{{"responses": [{{{item}, "fullTextAnnotation": {{"text": "{noise}"}}}}]}}',
        "rekognition": f'{{"Labels": [], "LabelModelVersion": "3.0", "Noise": "{noise}"}}',
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        body = texts[provider].encode()

        def _answer(self, data: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("X-Visionhub-Sandbox", "1")
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            self._answer(b"{}")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(self.body)

        def handle(self) -> None:
            with suppress(ConnectionError):  # who refuses so much hangs up
                super().handle()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
