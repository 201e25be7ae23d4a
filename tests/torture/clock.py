"""A wall clock that jumps while calls are in flight: leases, months, rates and sums stay right."""

from __future__ import annotations

import itertools
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from visionhub_sandbox import Fault, Sandbox
from visionhub_sandbox.calls import Call

import visionhub
from tests.sandboxed import Seer
from tests.torture.disk import built
from tests.torture.faults import WAYS, Way, broken, compare, make_photos
from tests.torture.measured import Ended, measured
from tests.torture.report import Section

SHIM = Path(__file__).with_name("jump.c")
DAY = 86_400
JUMPS = {"a day forwards": DAY, "a day back": -DAY, "40 days forwards": 40 * DAY}
JUMPS |= {"an hour back": -3600, "40 days back": -40 * DAY}
PHOTOS = 20
SLOWER = 20.0  # seconds that a jump may cost, on a machine that does other things as well
MONTHS = """
SELECT count(*) FROM usage u WHERE u.held <> 0 OR u.settled <> (SELECT coalesce(sum(c.units), 0)
FROM charges c JOIN attempts a ON a.id = c.attempt_id JOIN price_lines l ON l.id = c.line_id
WHERE (a.provider, l.pool, a.month) = (u.provider, u.pool, u.month)
AND c.state IN ('settled', 'unknown'))"""


@dataclass(frozen=True, slots=True)
class Jumped:
    """A run whose clock jumped, and the same command with the clock put right."""

    calls: int
    twice: int  # units that may have been billed twice
    months: int  # months that the attempts were counted in
    seconds: float
    wrong: list[str]


def run(scale: float, seed: int) -> Section:
    """Every jump, for every way; then a neighbour whose clock is a day ahead. Nothing by lot."""
    section = Section("A clock that jumps in mid-run")
    with tempfile.TemporaryDirectory() as folder:
        shim = built(Path(folder), SHIM)
        if shim is None:
            section.notes.append("no C compiler: no clock was made to jump")
            return section
        for what, seconds in list(JUMPS.items())[: max(2, round(len(JUMPS) * scale))]:
            for way in WAYS:
                _tell(section, f"{what}, {way}", jumped(shim, way, seconds))
        for what, ahead in {"a day ahead": DAY, "a day behind": -DAY}.items():
            _tell(section, f"a neighbour {what}", beside(shim, WAYS[2], ahead))
    return section


def _tell(section: Section, what: str, found: Jumped) -> None:
    figure = (
        f"{found.twice} units billed twice, {found.months} months, {found.seconds:.1f} s, "
        f"{len(found.wrong)} sums, ends or answers wrong"
    )
    ok = not found.twice and not found.wrong and found.seconds <= SLOWER
    wanted = f"0 twice, 0 wrong, <= {SLOWER:g} s"
    section.holds(what, figure, wanted, ok=ok, of=f"{found.calls} calls")
    section.notes += [f"{what}: {wrong}" for wrong in found.wrong]


def jumped(shim: Path, way: Way, seconds: int) -> Jumped:
    """The clock jumps as the fifth call comes in."""
    with tempfile.TemporaryDirectory() as name:
        folder, count = Path(name), itertools.count(1)

        def jump(call: Call) -> None:
            if next(count) == 5:
                (folder / "new").write_text(str(seconds))
                (folder / "new").rename(folder / "jump")

        with Sandbox(Seer(), faults=(Fault("latency", seconds=0.03),), on_call=jump) as sandbox:
            make_photos(folder / "photos", PHOTOS)
            began = time.monotonic()
            first = _annotate(shim, folder, way, sandbox.address, folder / "jump")
            lasted = time.monotonic() - began
            again = _annotate(shim, folder, way, sandbox.address, folder / "none")
            return _found(folder, sandbox, [first, again], lasted)


def beside(shim: Path, way: Way, ahead: int) -> Jumped:
    """Two processes write to one study at once, and their clocks differ: no one takes over."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ahead").write_text(str(ahead))
        with Sandbox(Seer(), faults=(Fault("latency", seconds=0.3),)) as sandbox:
            make_photos(folder / "photos", PHOTOS)
            began = time.monotonic()
            with ThreadPoolExecutor(2) as pool:
                both = [
                    pool.submit(_annotate, shim, folder, way, sandbox.address, folder / clock)
                    for clock in ("none", "ahead")
                ]
                ended = [one.result() for one in both]
            lasted = time.monotonic() - began
            ended = [e for e in ended if e.code != 4]  # some may have been asked by the neighbour
            ended.append(_annotate(shim, folder, way, sandbox.address, folder / "none"))
            return _found(folder, sandbox, ended, lasted)


def _annotate(shim: Path, folder: Path, way: Way, address: str, jump: Path) -> Ended:
    words = ["annotate", str(folder / "photos"), "-p", way.provider, "-t", "labels,faces"]
    words += ["--study", str(folder / "study.db"), "--sandbox"]
    words += [word for setting in way.settings.items() for word in ("--set", "=".join(setting))]
    more = {"LD_PRELOAD": str(shim), "JUMP": str(jump), "VISIONHUB_SANDBOX": address}
    return measured(words, more)


def _found(folder: Path, sandbox: Sandbox, ended: list[Ended], lasted: float) -> Jumped:
    study = visionhub.Study(folder / "study.db")
    tally = compare(study, sandbox, ())
    wrong = [*tally.wrong, *broken(study)]
    wrong += [f"exit code {one.code}: {one.said[-200:]}" for one in ended if one.code]
    if tally.calls != tally.attempts or tally.cheaper:
        wrong.append(f"{tally.calls} calls, {tally.attempts} attempts, {tally.cheaper} units less")
    if differ := study.query(MONTHS).rows[0][0]:
        wrong.append(f"{differ} months whose units are not those of their attempts")
    observed = study.query("SELECT count(*) FROM status WHERE status = 'observed'").rows[0][0]
    if observed != 2 * PHOTOS:
        wrong.append(f"{observed} answers of {2 * PHOTOS}")
    months = study.query("SELECT count(DISTINCT month) FROM attempts").rows[0][0]
    return Jumped(tally.calls, tally.asked_twice, months, lasted, wrong)
