"""Adapters that misbehave, keys that are refused, files that vanish: a run survives all of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import visionhub
from tests.conftest import jpeg
from tests.toy import Toy
from visionhub import registry
from visionhub.engine import ask as asking
from visionhub.engine import intake
from visionhub.engine.progress import Progress
from visionhub.errors import (
    AuthenticationError,
    ProviderUnavailable,
    UnknownProvider,
    UsageError,
)
from visionhub.provider import Batch, Outcome, Parameter, Request, Work
from visionhub.schema import Annotation, Box, Face, Label, Point, Scale, Score, Status

SCORE = Score(Scale.UNCALIBRATED, 1.0)
BOX = Box(0.1, 0.1, 0.2, 0.2)


def face(*points: Point) -> Annotation:
    return Annotation(faces=(Face(SCORE, BOX, points),))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(8):
        (folder / f"{number}.jpg").write_bytes(jpeg(80, 60, shift=number * 7))
    return folder


@pytest.fixture
def study(tmp_path: Path) -> visionhub.Study:
    return visionhub.Study(tmp_path / "study.db")


def run(study: visionhub.Study, source: Path, *tasks: str, **options: object) -> Progress:
    return study.annotate(source, providers=["toy"], tasks=tasks or ("labels",), **options)


def ends(study: visionhub.Study) -> dict[tuple[str, str], int]:
    sql = "SELECT task, status, count(*) FROM status GROUP BY 1, 2"
    return {(task, status): count for task, status, count in study.query(sql).rows}


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (None, "NoneType is no Annotation"),
        (Annotation(status="observed"), "with a Status"),
        (Annotation(labels=(Label(None, SCORE),)), "lacks its name"),
        (Annotation(labels=(Label("a\ud800", SCORE),)), "is no text"),
        (Annotation(labels=(Label("a", SCORE, vendor_id=2**63),)), "is no text"),
        (Annotation(labels=(Label("a", SCORE, vendor_id=Path("x")),)), "PosixPath"),
        (Annotation(labels=(Label("a", Score(Scale.UNCALIBRATED, float("nan"))),)), "nan"),
        (Annotation(unknown=(3,)), "not text"),
        (face(Point("eye", 0.1, 0.1), Point("eye", 0.2, 0.1)), "'eye' occurs twice"),
        (face(Point("eye", float("nan"), 0.1)), "nan"),
        (face(Point("eye", None, 0.1)), "lacks its name or place"),
    ],
)
def test_what_a_study_cannot_hold_costs_one_answer(use, photos, study, made, says):
    class Sloppy(Toy):
        def parse(self, body: bytes, request: Request) -> Annotation:
            bad = request.image_sha256 == first
            return made if bad else super().parse(body, request)

    first = visionhub_sha(photos / "0.jpg")
    use(Sloppy())
    progress = run(study, photos)
    assert (progress.done, progress.failed) == (7, 1)
    assert ends(study) == {("labels", "observed"): 7, ("labels", "error"): 1}
    (reason,) = study.query("SELECT reason FROM status WHERE status = 'error'").rows[0]
    assert says in reason
    assert len(study.query("SELECT 1 FROM bodies")) == 8  # the answer is kept all the same


def visionhub_sha(path: Path) -> str:
    from visionhub.images import sha256_of

    return sha256_of(path.read_bytes())


def test_strangers_repetitions_and_bodies_that_are_none(use, photos, study):
    class Confused(Toy):
        def fetch(self, batch: Batch) -> Iterable[Outcome]:
            (outcome,) = super().fetch(batch)
            (request,) = outcome.requests
            stranger = Request("0", "0", 1, 1, request.task, "toy", "x", "{}")
            yield Outcome((stranger,), outcome.result)
            yield outcome
            yield outcome
            yield Outcome((request,), "no body")

    use(Confused())
    assert run(study, photos).done == 8
    assert len(study.query("SELECT 1 FROM requests")) == 8

    class Empty(Toy):
        release = "2"

        def fetch(self, batch: Batch) -> Iterable[Outcome]:
            return [Outcome(batch.requests, None)]

    use(Empty())
    assert run(study, photos).failed == 8
    assert "returned no body" in study.query("SELECT reason FROM status").rows[0][0]


@pytest.mark.parametrize(("fault", "says"), [("drops", "no batch"), ("raises", "cannot group")])
def test_requests_that_an_adapter_puts_into_no_batch_are_errors(use, photos, study, fault, says):
    class Careless(Toy):
        images_per_batch = 8

        def batches(self, works: Sequence[Work]) -> Iterator[Batch]:
            if fault == "raises":
                raise RuntimeError("a fault in the adapter")
            yield Batch(tuple(works[2:]))

    use(Careless())
    progress = run(study, photos)
    assert progress.failed == (2 if fault == "drops" else 8)
    assert progress.failed + progress.done == 8
    assert ends(study)["labels", "error"] == progress.failed
    assert says in study.query("SELECT reason FROM status WHERE status = 'error'").rows[0][0]


def test_what_came_before_a_fault_is_kept_and_only_the_rest_is_asked_again(
    use, photos, study, monkeypatch
):
    monkeypatch.setattr(asking, "LONGEST_WAIT", 0.0)

    class Breaking(Toy):
        def fetch(self, batch: Batch) -> Iterable[Outcome]:
            yield from super().fetch(Batch((one(batch.works[0]),)))
            raise ProviderUnavailable("the line broke")

    def one(work: Work) -> Work:
        return Work(work.image, work.requests[:1])

    toy = use(Breaking())
    progress = run(study, photos, "labels", "text")
    assert progress.done == 16
    assert len(toy.calls) == 16  # nothing was asked twice


def test_an_outcome_that_may_pass_is_asked_again(use, photos, study, monkeypatch):
    monkeypatch.setattr(asking, "LONGEST_WAIT", 0.0)

    class Flaky(Toy):
        images_per_batch = 8
        asked: list[int]

        def batches(self, works: Sequence[Work]) -> Iterator[Batch]:
            yield Batch(tuple(works))

        def fetch(self, batch: Batch) -> Iterable[Outcome]:
            self.asked.append(len(batch.requests))
            answers = list(super().fetch(batch))
            for outcome in answers[:-3]:
                yield Outcome(outcome.requests, ProviderUnavailable("down"))
            yield from answers[-3:]

    toy = Flaky()
    toy.asked = []
    use(toy)
    assert run(study, photos).done == 8
    assert toy.asked == [8, 5, 2]


def test_a_refused_key_keeps_what_others_answered_and_sends_nothing_more(use, photos, study):
    class Expiring(Toy):
        concurrency = 1

        def fetch(self, batch: Batch) -> Iterable[Outcome]:
            if len(self.calls) >= 2:
                self.calls.append("refused")
                raise AuthenticationError("no key: set TOY_KEY")
            yield from super().fetch(batch)

    toy = use(Expiring())
    with pytest.raises(AuthenticationError, match="TOY_KEY"):
        run(study, photos)
    assert ends(study) == {("labels", "observed"): 2}
    assert toy.calls == ["labels", "labels", "refused"]


def test_stopping_asks_nothing_more(use, tmp_path, study):
    """Files that are looked up but not yet sent wait for the next run."""
    for number in range(120):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(40, 30, shift=number * 7) + bytes([number]))
    stop = threading.Event()

    class Slow(Toy):
        def fetch(self, batch: Batch) -> Iterable[Outcome]:
            time.sleep(0.01)
            stop.set()
            return list(super().fetch(batch))

    toy = use(Slow())
    progress = run(study, tmp_path, stop=stop)
    assert progress.interrupted
    assert 1 <= len(toy.calls) == progress.done <= 2 * toy.concurrency
    assert progress.files == 120


def test_stopping_does_not_wait_for_another_attempt(use, photos, study, monkeypatch):
    monkeypatch.setattr(asking, "FIRST_WAIT", 60.0)
    stop = threading.Event()

    class Down(Toy):
        def fetch(self, batch: Batch) -> Iterable[Outcome]:
            stop.set()
            raise ProviderUnavailable("down")

    use(Down())
    started = time.monotonic()
    progress = run(study, photos, stop=stop)
    assert time.monotonic() - started < asking.FIRST_WAIT
    assert progress.interrupted


def test_a_file_that_vanishes_leaves_the_answers_that_are_held(use, photos, study, monkeypatch):
    use(Toy())
    run(study, photos, "labels")
    before = study.table("images").rows
    look = intake.read_and_hash

    def vanish(files):
        seen = look(files)
        (photos / "0.jpg").unlink(missing_ok=True)
        return seen

    monkeypatch.setattr("visionhub.engine.run.read_and_hash", vanish)
    progress = run(study, photos, "labels", "text")
    assert sum(progress.cached.values()) == 8
    assert progress.ended["toy", "text", Status.ERROR.value] == progress.failed == 1
    assert ends(study) == {("labels", "observed"): 8, ("text", "observed"): 7, ("text", "error"): 1}
    assert study.table("images").rows == before


BROKEN = {
    "crash": ("raise RuntimeError('no licence file')", "RuntimeError: no licence file"),
    "empty": ("", "has no attribute 'P'"),
    "other": ("P = 3", "is no visionhub.provider.Provider"),
    "alias": ("from tests.toy import Toy as P", "name = 'toy'"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_named_and_does_not_hide_the_others(tmp_path, monkeypatch, name):
    source, says = BROKEN[name]
    (tmp_path / f"broken_{name}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    entries = {
        name: EntryPoint(name, f"broken_{name}:P", registry.GROUP),
        "toy": EntryPoint("toy", "tests.toy:Toy", registry.GROUP),
    }
    monkeypatch.setattr(registry, "_found", lambda: entries)
    with pytest.raises(UnknownProvider, match=says):
        registry.load(name)
    assert list(registry.installed()) == ["toy"]


@pytest.mark.parametrize(
    ("typed", "meant"), [("yes", True), ("TRUE", True), ("0", False), ("no", False), ("ture", None)]
)
def test_a_misspelt_yes_is_no_no(typed, meant):
    parameter = Parameter(True, "whether")
    if meant is None:
        with pytest.raises(UsageError, match=r"labels\.x=ture"):
            parameter.read("labels.x", typed)
    else:
        assert parameter.read("labels.x", typed) is meant
