"""Several providers in one run: one that stands still holds neither the others nor the end up."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

import visionhub
from tests.conftest import ROOT, jpeg
from tests.toy import Toy
from visionhub import registry
from visionhub.cli.watch import stopping
from visionhub.engine import lanes
from visionhub.errors import StudyError
from visionhub.provider import Batch, Outcome

PHOTOS = 30  # many more than fit into a lane


class Quick(Toy):
    name = "quick"


class Third(Toy):
    name = "third"
    concurrency = 1


class Still(Toy):
    """Answers nothing until it is let go."""

    name = "still"

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def fetch(self, batch: Batch) -> Iterable[Outcome]:
        assert self.go.wait(60)
        yield from super().fetch(batch)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(PHOTOS):
        (folder / f"{number:02}.jpg").write_bytes(jpeg(120, 90, shift=number * 2))
    return folder


def held(path: Path) -> dict[str, int]:
    """Answers by provider, as another process sees them."""
    counts = "SELECT provider, count(*) FROM status WHERE status = 'observed' GROUP BY 1"
    try:
        return dict(visionhub.Study(path).query(counts).rows)
    except StudyError:  # not there yet, or being made
        return {}


def wait_for(path: Path, wanted: dict[str, int]) -> None:
    """Wait until another process would see these answers."""
    until = time.monotonic() + 60
    while (found := held(path)) != wanted and time.monotonic() < until:
        time.sleep(0.1)
    assert found == wanted


@pytest.mark.parametrize("order", ["quick,still,third", "still,quick,third", "third,quick,still"])
def test_others_go_on_and_are_stored_while_one_hangs(photos, tmp_path, monkeypatch, order):
    monkeypatch.setattr(lanes, "STANDSTILL", 0.3)
    monkeypatch.setattr(lanes, "IDLE_SECONDS", 0.1)
    still = Still()
    made: dict[str, Toy] = {"quick": Quick(), "third": Third(), "still": still}
    monkeypatch.setattr(registry, "get", lambda name: made[name])
    study = visionhub.Study(tmp_path / "study.db")
    ended: list[object] = []
    running = threading.Thread(
        target=lambda: ended.append(study.annotate(photos, providers=order, tasks="labels,faces"))
    )
    running.start()
    others = {"quick": 2 * PHOTOS, "third": 2 * PHOTOS}
    try:
        wait_for(study.path, others)
        assert not ended
    finally:
        still.go.set()
        running.join(60)
    assert held(study.path) == others | {"still": 2 * PHOTOS}
    assert len(still.calls) == 2 * PHOTOS  # what was put off was asked once
    (progress,) = ended
    assert isinstance(progress, visionhub.engine.progress.Progress)
    assert (progress.done, progress.pending, progress.images) == (6 * PHOTOS, 0, PHOTOS)


def test_a_lane_does_not_stand_while_an_answer_waits_to_be_taken_out(monkeypatch):
    monkeypatch.setattr(lanes, "STANDSTILL", 0.0)
    go = threading.Event()
    lane = lanes.Lane(Quick())
    lane.submit(lambda provider, batch: go.wait(60) and [], Batch(()))
    time.sleep(0.01)
    assert lane.stands
    go.set()
    lane.close(at_once=False)
    assert not lane.stands


def test_one_provider_alone_is_never_put_off(photos, tmp_path, monkeypatch):
    toy = Quick()
    monkeypatch.setattr(registry, "get", lambda name: toy)
    monkeypatch.setattr(lanes.Lane, "stands", True)
    study = visionhub.Study(tmp_path / "study.db")
    assert study.annotate(photos, providers="quick", tasks="labels").done == PHOTOS


def test_a_photograph_that_goes_while_it_is_put_off_is_asked_in_the_next_run(
    photos, tmp_path, monkeypatch
):
    monkeypatch.setattr(lanes, "STANDSTILL", 0.1)
    still = Still()
    made: dict[str, Toy] = {"quick": Quick(), "still": still}
    monkeypatch.setattr(registry, "get", lambda name: made[name])
    study = visionhub.Study(tmp_path / "study.db")
    last = photos / f"{PHOTOS - 1}.jpg"
    data = last.read_bytes()
    running = threading.Thread(
        target=lambda: study.annotate(photos, providers="quick,still", tasks="labels")
    )
    running.start()
    wait_for(study.path, {"quick": PHOTOS})
    last.unlink()
    still.go.set()
    running.join(60)
    assert held(study.path) == {"quick": PHOTOS, "still": PHOTOS - 1}
    last.write_bytes(data)
    assert study.annotate(photos, providers="quick,still", tasks="labels").done == 1


SCRIPT = """
import sys, time
from pathlib import Path
from tests.toy import Toy
from visionhub import registry
from visionhub.cli.watch import stopping
import visionhub

class Hangs(Toy):
    def fetch(self, batch):
        for request in batch.requests:
            if request.task == "faces":
                print("hangs", flush=True)
                time.sleep(60)
        yield from super().fetch(batch)

    def batches(self, works):
        from visionhub.provider import Batch, Work
        for work in works:
            for request in work.requests:
                yield Batch((Work(work.image, (request,)),))

registry.get = lambda name: Hangs()
with stopping() as stop:
    study = visionhub.Study(sys.argv[2])
    study.annotate(sys.argv[1], providers="toy", tasks="labels,faces", stop=stop)
"""


def test_a_second_interrupt_ends_the_program_at_once_and_keeps_what_was_answered(photos, tmp_path):
    study = tmp_path / "study.db"
    command = [sys.executable, "-c", SCRIPT, str(photos / "00.jpg"), str(study)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"hangs\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None  # what was sent is waited for
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
    assert held(study) == {"toy": 1}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_that_comes_after_all_was_drained_has_the_same_exit_code(number):
    script = (
        "import signal, sys\nfrom visionhub.cli.watch import stopping\n"
        "with stopping() as stop:\n    signal.raise_signal(int(sys.argv[1]))\n"
        "assert stop.is_set()\nsignal.raise_signal(int(sys.argv[1]))\n"
    )
    command = [sys.executable, "-c", script, str(int(number))]
    assert subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode == 130


def test_a_terminal_that_goes_is_told_twice_and_ends_nothing_at_once():
    script = (
        "import signal\nfrom visionhub.cli.watch import stopping\n"
        "with stopping() as stop:\n    signal.raise_signal(signal.SIGHUP)\n"
        "    assert stop.is_set()\n    signal.raise_signal(signal.SIGHUP)\n"
        "signal.raise_signal(signal.SIGHUP)\nprint('all was said')\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stdout) == (0, "all was said\n")
    assert ran.stderr.count("Stopping: ") == 1


def test_a_hangup_that_is_ignored_stays_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with stopping() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert not stop.is_set()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_signals_mean_what_they_did_after_a_run_that_none_has_stopped():
    before = {
        number: signal.getsignal(number)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    with stopping():
        pass
    assert {number: signal.getsignal(number) for number in before} == before
