"""What a run counts and remembers of requests that got no answer, and when it stores the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest

import visionhub
from tests.conftest import jpeg
from tests.ledgers import new_study
from tests.toy import SPEC, Toy
from visionhub import registry
from visionhub.cli.watch import exit_code
from visionhub.engine import keeping
from visionhub.engine.keeping import AMBIGUOUS, BILLED, COMMIT_SECONDS, PAID_SECONDS, refused
from visionhub.engine.progress import Progress
from visionhub.errors import CapReached, StudyError, StudyFull
from visionhub.provider import NOT_REPORTED, Batch, Body, Outcome, Provider, TaskSpec
from visionhub.report.running import event
from visionhub.report.summary import PassedOver, summary
from visionhub.schema import Annotation, Task
from visionhub.store.study import StudyFile

ROW = """
[[price]]
provider = "{name}"
sku = "units"
region = "*"
currency = "USD"
tiers = [{{ micros = 1_000_000 }}]
billing_zone = "UTC"
effective_from = 2024-01-01
source = "made up"
retrieved = {today}
"""
ASKED = ("toy", "labels")


class Paid(Toy):
    tasks: ClassVar[Mapping[Task, TaskSpec]] = {
        Task.LABELS: replace(SPEC, sku="units"),
        Task.TEXT: SPEC,
    }


class Free(Toy):
    name = "free"
    tasks: ClassVar[Mapping[Task, TaskSpec]] = {Task.LABELS: SPEC}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "0.jpg").write_bytes(jpeg(120, 90))
    return folder


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Progress]:
    """Ask providers for labels; a dollar each."""
    from datetime import UTC, datetime

    prices = tmp_path / "prices.toml"
    prices.write_text(ROW.format(name="toy", today=datetime.now(UTC).date()), "utf-8")
    study = visionhub.Study(tmp_path / "study.db")

    def annotate(photos: Path, *providers: Provider, tasks=("labels",), **options) -> Progress:
        known = {provider.name: provider for provider in providers}
        monkeypatch.setattr(registry, "get", known.__getitem__)
        monkeypatch.setattr(registry, "load", lambda name: type(known[name]))
        options = {"max_cost": "100", "prices": prices, **options}
        return study.annotate(photos, providers=list(known), tasks=tasks, **options)

    return annotate


def reason(tmp_path: Path) -> str:
    rows = visionhub.Study(tmp_path / "study.db").query("SELECT reason FROM status").rows
    return str(rows[0][0])


def test_an_attempt_that_may_have_been_charged_is_counted_as_ambiguous(run, photos, tmp_path):
    toy = Paid()
    toy.fault["labels"] = "flaky"
    progress = run(photos, toy)
    assert toy.calls == ["labels"]
    assert progress.ambiguous == {ASKED: 1}
    assert progress.ended == {(*ASKED, "error"): 1}
    assert (progress.pending, progress.unsent, progress.spent) == (0, 0, 1_000_000)
    assert reason(tmp_path) == "down for a moment"
    again = run(photos, toy)
    assert toy.calls == ["labels"]
    assert (again.ambiguous, again.ended) == ({ASKED: 1}, {(*ASKED, "error"): 1})
    assert again.pending == 0


@pytest.mark.parametrize(
    ("state", "why", "counted"),
    [
        ("settled", "", {"cached": {ASKED: 1}}),
        ("settled", "cut short", {"ended": {(*ASKED, "error"): 1}}),
        ("held", "", {"elsewhere": 1}),
        ("unknown", "", {"ended": {(*ASKED, "error"): 1}, "ambiguous": {ASKED: 1}}),
        ("settled", "on the bill", {"ended": {(*ASKED, "error"): 1}, "billed": {ASKED: 1}}),
        ("released", "", {"ended": {(*ASKED, "observed"): 1}}),
    ],
)
def test_what_the_ledger_knows_of_a_request_is_counted_and_only_what_is_released_is_sent(
    run, photos, tmp_path, state, why, counted
):
    toy = Paid()
    toy.fault["labels"] = "flaky"
    run(photos, toy)
    toy.calls.clear()
    with StudyFile(tmp_path / "study.db", write=True) as study, study.transaction() as sql:
        sql.execute("DELETE FROM status")  # whoever asked has not said anything
        charge = "charge" if state in {"settled", "unknown"} else "0"
        sql.execute(f"UPDATE charges SET state = ?, reason = ?, charge = {charge}", (state, why))
    progress = run(photos, toy)
    for name in ("cached", "ended", "ambiguous", "billed"):
        assert getattr(progress, name) == Counter(counted.get(name, {}))
    assert (progress.elsewhere, progress.unsent) == (counted.get("elsewhere", 0), 0)
    assert progress.pending == 0
    assert toy.calls == (["labels"] if state == "released" else [])
    if state == "unknown":
        assert reason(tmp_path) == AMBIGUOUS
        rows = visionhub.Study(tmp_path / "study.db").query(
            "SELECT status, results, request_id FROM status"
        )
        assert rows.rows == [("error", 0, None)]


def test_what_the_bill_shows_is_in_doubt_no_longer_and_asked_again_only_when_told_to(
    run, photos, tmp_path
):
    toy = Paid()
    toy.fault["labels"] = "flaky"
    run(photos, toy)
    with StudyFile(tmp_path / "study.db", write=True) as study, study.transaction() as sql:
        sql.execute("DELETE FROM status")  # as after a kill: the run that follows says why
    assert exit_code(run(photos, toy)) == 5
    assert reason(tmp_path) == AMBIGUOUS
    with StudyFile(tmp_path / "study.db", write=True) as study, study.transaction() as sql:
        sql.execute("UPDATE charges SET state = 'settled', reason = 'on the bill; down'")
    again = run(photos, toy)
    assert (again.ambiguous, again.billed, again.spent) == ({}, {ASKED: 1}, 0)
    assert exit_code(again) == 4
    assert again.summary()["billed"] == event(again)["billed"] == 1
    assert reason(tmp_path) == BILLED
    said = " ".join(summary(again, "study.db", PassedOver()).notes)
    assert "Charged, without an answer: 1 request, as the bill shows" in said
    assert "Ambiguous" not in said
    assert toy.calls == ["labels"]
    assert exit_code(run(photos, toy, on_ambiguous="retry")) == 0
    assert toy.calls == ["labels"] * 2


def test_only_what_is_charged_for_can_be_ambiguous(run, photos):
    toy, free = Paid(), Free()
    toy.fault["labels"] = free.fault["labels"] = "forget"
    progress = run(photos, toy, free)
    assert progress.ended == {(*ASKED, "error"): 1, ("free", "labels", "error"): 1}
    assert progress.ambiguous == {ASKED: 1}
    assert run(photos, free).ambiguous == {}


def test_what_is_surely_not_charged_is_not_ambiguous(run, photos):
    toy = Paid()
    toy.fault["labels"] = "refuse"
    progress = run(photos, toy)
    assert (progress.ambiguous, progress.spent) == ({}, 0)


def test_an_answer_that_cannot_be_read_was_paid_and_is_not_ambiguous(run, photos):
    toy = Paid()
    toy.fault["labels"] = "cut"
    progress = run(photos, toy)
    assert progress.ended == {(*ASKED, "error"): 1}
    assert (progress.ambiguous, progress.spent) == ({}, 1_000_000)
    assert (progress.money.settled, progress.money.held) == (1_000_000, 0)


def test_results_and_unknown_members_are_counted(run, photos):
    class Newer(Paid):
        def fetch(self, batch: Batch):
            for outcome in super().fetch(batch):
                data = outcome.result.data[:-1] + b', "new": 1}'
                yield Outcome(outcome.requests, Body(data, model_version="7"))

    progress = run(photos, Newer(), tasks=("labels", "text"))
    assert progress.ended == {(*ASKED, "observed"): 1, ("toy", "text", "observed"): 1}
    assert progress.results == {ASKED: 2, ("toy", "text"): 1}
    assert progress.unknown == {"new": 2}
    assert progress.versions == {}


def test_several_versions_of_a_model_that_answer_one_question_are_told(run, photos, tmp_path):
    class Moved(Paid):
        version = "8"

        def fetch(self, batch: Batch):
            for outcome in super().fetch(batch):
                yield Outcome(outcome.requests, replace(outcome.result, model_version=self.version))

    one = Moved()
    run(photos, one)
    (photos / "1.jpg").write_bytes(jpeg(120, 90, shift=9))
    one.version = "9"
    assert run(photos, one).versions == {ASKED: ["8", "9"]}


def test_what_came_with_an_error_tells_no_model_version_until_it_is_an_answer(
    run, photos, tmp_path, monkeypatch
):
    class Vague(Paid):
        def fetch(self, batch: Batch):
            for outcome in super().fetch(batch):
                body, cut = outcome.result, "cut" in self.fault.values()
                body = replace(body, model_version=NOT_REPORTED) if cut else body
                yield Outcome(outcome.requests, body)

    def versions() -> list[str]:
        with StudyFile(tmp_path / "study.db") as study:
            return study.query("SELECT model_version FROM model_versions").column("model_version")

    toy = Vague()
    toy.fault["labels"] = "cut"
    run(photos, toy)
    toy.fault.clear()
    (photos / "1.jpg").write_bytes(jpeg(120, 90, shift=9))
    assert run(photos, toy).versions == {}
    assert versions() == ["7"]

    def read(self: Toy, body: bytes, request: object) -> Annotation:  # a later version can
        return Annotation()

    monkeypatch.setattr(Vague, "parse", read)
    visionhub.Study(tmp_path / "study.db").reparse()
    assert versions() == ["7", NOT_REPORTED]


def test_many_answers_are_stored_before_the_run_is_over(run, photos, tmp_path, monkeypatch):
    for number in range(1, 6):
        (photos / f"{number}.jpg").write_bytes(jpeg(120, 90, shift=number * 9))
    monkeypatch.setattr(keeping, "COMMIT_ANSWERS", 2)
    monkeypatch.setattr(keeping, "PAID_SECONDS", 1e9)
    sizes = []
    write = keeping.Keeping._write

    def counted(self: keeping.Keeping) -> None:
        sizes.append(len(self._answers))
        write(self)

    monkeypatch.setattr(keeping.Keeping, "_write", counted)
    run(photos, Paid())
    assert [size for size in sizes if size] == [2, 2, 2]


def test_a_store_that_fails_loses_nothing_of_a_call_that_was_paid_for(
    run, photos, tmp_path, monkeypatch
):
    monkeypatch.setattr(keeping, "COMMIT_ANSWERS", 1)
    monkeypatch.setattr(keeping, "PAID_SECONDS", 1e9)
    write, failing = keeping.Keeping._write, [StudyError("busy")]

    def once(self: keeping.Keeping) -> None:
        if self._answers and failing:
            raise failing.pop()
        write(self)

    monkeypatch.setattr(keeping.Keeping, "_write", once)
    with pytest.raises(StudyError, match="busy"):
        run(photos, Paid(), tasks=("labels", "text"))
    study = visionhub.Study(tmp_path / "study.db")
    assert study.query("SELECT status FROM requests").rows == [("observed",)] * 2
    assert study.query("SELECT DISTINCT state FROM charges").rows == [("settled",)]


def test_what_the_cap_leaves_out_is_counted_as_not_sent(run, photos):
    for number in range(1, 4):
        (photos / f"{number}.jpg").write_bytes(jpeg(120, 90, shift=number * 9))
    seen: list[Progress] = []
    with pytest.raises(CapReached):
        run(photos, Paid(), max_cost="2", watch=seen.append)
    assert (seen[-1].done, seen[-1].unsent, seen[-1].pending) == (2, 2, 0)
    assert seen[-1].summary()["not_sent_at_least"] == 2  # files beyond were not looked at
    notes = summary(seen[-1], "study.db", PassedOver()).notes
    (said,) = [note for note in notes if note.startswith("Not sent: ")]
    assert "the rest (at least 2 requests); visionhub quote counts what is left" in said
    assert "goes on" not in said  # it does with a higher cap only, as the error says


def test_nothing_is_open_after_a_run_over_images_that_cannot_be_read(run, photos):
    (photos / "broken.jpg").write_bytes(jpeg(120, 90)[:300])
    progress = run(photos, Paid(), tasks=("labels", "text"))
    assert (progress.done, progress.unreadable_images, progress.pending) == (2, 1, 0)


class Intake:
    """Where a run's answers go: here it only counts."""

    def __init__(self) -> None:
        self.reasons: list[object] = []
        self.stored: list[int] = []
        self.unreadable = 0

    def count_unreadable(self, questions: tuple[int, ...]) -> None:
        self.unreadable += len(questions)

    def store(self, prepared: Collection[object], answers: Collection[object]) -> dict[str, int]:
        self.stored.append(len(prepared))
        return {}


class Ballast:
    def __init__(self, there: bool) -> None:
        self.there = there
        self.asked = 0

    def release(self) -> bool:
        self.asked += 1
        return self.there


@pytest.fixture
def study(tmp_path: Path) -> Iterable[StudyFile]:
    with new_study(tmp_path / "study.db") as study:
        yield study


def kept(study: StudyFile, money: object = None) -> keeping.Keeping:
    return keeping.Keeping(study, Intake(), {}, Progress(total=0), money)


def image(number: int) -> SimpleNamespace:
    return SimpleNamespace(todo=SimpleNamespace(image_id=number, questions=(1, 2)))


@pytest.mark.parametrize("paid", [True, False])
def test_what_waits_is_stored_in_time_and_what_is_paid_for_sooner(paid, study, monkeypatch):
    now, renewed = 100.0, []
    monkeypatch.setattr(keeping.time, "monotonic", lambda: now)
    ledger = SimpleNamespace(renew=lambda: renewed.append(now), settle=None)
    one = kept(study, SimpleNamespace(ledger=ledger) if paid else None)
    one.intake.reasons.append("why")
    seconds = PAID_SECONDS if paid else COMMIT_SECONDS
    stored = []
    for passed in (0.99, 0.02, 0.97, 0.04):
        now += seconds * passed
        one.commit_if_due()
        stored.append(len(one.intake.stored))
    assert stored == [0, 1, 1, 2]
    assert len(renewed) == (2 if paid else 0)
    assert one.intake.reasons == []


def test_an_image_that_cannot_be_read_any_more_follows_what_it_answered_before(study, monkeypatch):
    now = 100.0
    monkeypatch.setattr(keeping.time, "monotonic", lambda: now)
    one = kept(study)
    one.unreadable(image(1))
    one.unreadable(image(2))
    assert (one.intake.unreadable, one.progress.pending) == (4, -4)
    assert one.intake.stored == []
    one.unreadable(image(2))  # it could be read before it was put off: that goes first
    assert one.intake.stored == [2]
    now += COMMIT_SECONDS + 1
    one.unreadable(image(3))
    assert one.intake.stored == [2, 2]


@pytest.mark.parametrize(("there", "before"), [(True, False), (False, False), (True, True)])
def test_a_full_disk_is_met_with_the_ballast_once(study, there, before):
    full = StudyFull("full")

    class Full(keeping.Keeping):
        tries = 0

        def _write(self) -> None:
            self.tries += 1
            if self.tries == 1:
                raise full

    ballast = Ballast(there)
    one = Full(study, Intake(), {}, Progress(total=0), SimpleNamespace(ballast=ballast))
    one.full = StudyFull("before") if before else None
    if there and not before:
        one.commit()
        assert one.full is full
        assert (one.tries, ballast.asked) == (2, 1)
        return
    with pytest.raises(StudyFull, match="full"):
        one.commit()
    assert one.full is not full
    assert (one.tries, ballast.asked) == (1, 0 if before else 1)


def test_a_full_disk_ends_a_run_that_has_no_ballast(study):
    class Full(keeping.Keeping):
        def _write(self) -> None:
            raise StudyFull("full")

    one = Full(study, Intake(), {}, Progress(total=0), None)
    with pytest.raises(StudyFull):
        one.commit()
    assert one.full is None


def test_a_provider_that_fails_as_it_looks_at_an_image_charges_nothing():
    error = refused("toy", ValueError("odd"))
    assert str(error) == "toy cannot tell whether it takes the image: ValueError: odd"
    assert error.charged is False
