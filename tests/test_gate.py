"""One place for limits: rates, retries, the allowance; rehearsals, gates and withdrawals."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import pytest

import visionhub
from tests.clockwork import Rated, World, X
from tests.conftest import jpeg
from tests.toy import SPEC, Toy
from visionhub import registry
from visionhub.cli.watch import exit_code
from visionhub.engine import ask as asking
from visionhub.engine import gate as gating
from visionhub.engine import later
from visionhub.engine.adaptive import BURST, Bucket, Memory
from visionhub.engine.gate import REFUSING, Ending, Gate
from visionhub.errors import (
    AuthenticationError,
    CapReached,
    ProviderUnavailable,
    RateLimited,
    RefusedImage,
    UsageError,
)
from visionhub.images import Rendering
from visionhub.provider import Batch, Body, Outcome, Parameter, TaskSpec, Withdrawal
from visionhub.schema import Scale, Task

PAID = TaskSpec(Scale.PROBABILITY, parameters=SPEC.parameters, sku="units")


class Paid(Toy):
    """Labels and objects are one unit together, faces another; celebrities are gated."""

    settings: ClassVar[Mapping[str, Parameter]] = {
        "sandbox": Parameter("", "host:port of a rehearsal server"),
        "rate": Parameter(0.0, "calls a second"),
    }
    tasks: ClassVar[Mapping[Task, TaskSpec]] = {
        Task.LABELS: PAID,
        Task.OBJECTS: PAID,
        Task.FACES: TaskSpec(
            Scale.PROBABILITY,
            sensitive=("emotion",),
            sku="faces",
            withdrawn=(Withdrawal("emotion", date(2027, 1, 14)),),
        ),
        Task.CELEBRITIES: TaskSpec(Scale.PERCENT, gated=True, sku="names"),
    }

    def rates(self) -> Mapping[str, float]:
        return {"": float(str(self.setting("rate")))}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.jpg").write_bytes(jpeg(120, 90, shift=number * 7))
    return folder


@pytest.fixture
def study(tmp_path: Path) -> visionhub.Study:
    return visionhub.Study(tmp_path / "study.db")


PRICE = """
[[price]]
provider = "{provider}"
sku = "{sku}"
region = "*"
currency = "USD"
pool = "{sku}"
tiers = [{{ micros = 1_000_000 }}]
free_with = []
free_per_month = 0
billing_zone = "UTC"
effective_from = 2024-01-01
source = "made up"
retrieved = {today}
note = ""
billing = ["{sku}"]
"""


def priced(folder: Path) -> Path:
    """A price table in which every unit costs one dollar."""
    lines = [(p, sku) for p in ("toy", "other") for sku in ("units", "faces", "names")]
    rows = [PRICE.format(provider=p, sku=sku, today=date.today()) for p, sku in lines]  # noqa: DTZ011
    path = folder / "prices.toml"
    path.write_text('version = "made up"\n' + "".join(rows), "utf-8")
    return path


# No test here waits for a service that is down: tests/test_breaker.py has a clock for that.
pytestmark = pytest.mark.usefixtures("tireless")


def run(study: visionhub.Study, photos: Path, *tasks: str, **options: object):
    options.setdefault("prices", priced(Path(study.path).parent))
    options.setdefault("providers", ["toy"])
    return study.annotate(photos, tasks=tasks or ("labels",), **options)


def test_a_bucket_gives_its_rate_to_any_number_of_threads():
    bucket = Bucket("x", 200.0, Memory())
    with ThreadPoolExecutor(8) as pool:
        waits = sorted(pool.map(lambda _: bucket.wait(bucket.take(1)), range(400)))
    # A little at once, then one every 5 ms: the last of 400 waits two seconds less that little.
    assert waits[int(200 * BURST)] == 0
    assert 2 - BURST - 0.1 < waits[-1] <= 2 - BURST


def test_a_bucket_pauses_for_as_long_as_it_is_told_and_no_shorter():
    bucket = Bucket("x", 1000.0, Memory())
    bucket.pause(5.0)
    bucket.pause(1.0)
    assert 4.9 < bucket.wait(bucket.take(1)) <= 5.0


def test_a_pause_holds_those_too_who_wait_already_and_saves_up_nothing():
    world = World()
    bucket = Bucket("x", 2.0, Memory(world.clock))
    turns = [bucket.take(1) for _ in range(3)]  # the first at once, then every half second
    assert [round(bucket.wait(turn), 1) for turn in turns] == [0.0, 0.4, 0.9]
    bucket.pause(10.0)
    turns += [bucket.take(1) for _ in range(2)]
    waits = [round(bucket.wait(turn), 1) for turn in turns]
    assert waits == [10.0, 10.4, 10.9, 11.4, 11.9]


@pytest.mark.parametrize("most", [2, 2.0, Decimal(2), "2 USD"])
def test_a_cap_may_be_a_number(use, photos, study, most):
    toy = use(Paid())
    with pytest.raises(CapReached, match=r"cap of 2\.00 USD"):
        run(study, photos, max_cost=most)
    assert len(toy.calls) == 2


def test_the_rate_holds_a_run_back(use, photos, study):
    use(Paid())
    started = time.monotonic()
    run(study, photos, settings={"toy.rate": "10"}, max_cost="6")  # one at once, then ten a second
    assert time.monotonic() - started > 5 / 10 - BURST


def test_retries_are_bounded_in_a_run(use, photos, study, monkeypatch):
    monkeypatch.setattr(asking, "LONGEST_WAIT", 0.0)
    monkeypatch.setattr(gating, "RETRIES", 2)
    monkeypatch.setattr(gating, "SHARE", 0.0)

    class Down(Toy):
        def fetch(self, batch: Batch) -> Iterable[Outcome]:
            self.calls.append("x")
            raise ProviderUnavailable("down")

    toy = use(Down())
    progress = run(study, photos)
    assert progress.failed == 6
    assert len(toy.calls) == 6 + 2


class Busy(Toy):
    """Says "too many" to the first calls, so many, and to every photograph named in `never`."""

    def __init__(self, first: int) -> None:
        super().__init__()
        self.first, self.order = first, []
        self.never: set[str] = set()

    def fetch(self, batch: Batch) -> Iterable[Outcome]:
        with self.lock:
            self.order.append(batch.requests[0].image_sha256)
            refused = len(self.order) <= self.first
        if refused or self.order[-1] in self.never:
            raise RateLimited("slow down")
        yield from super().fetch(batch)


@pytest.fixture
def few(monkeypatch):
    """Two retries in a run, whatever it asks; one call at a time, so that their order is known."""
    monkeypatch.setattr(gating, "RETRIES", 2)
    monkeypatch.setattr(gating, "SHARE", 0.0)
    monkeypatch.setattr(Busy, "concurrency", 1)


def test_what_is_throttled_when_no_retry_is_left_is_asked_after_the_other_files(
    use, photos, study, few
):
    busy = use(Busy(4))  # three times the first photograph, once the second
    progress = run(study, photos)
    assert (progress.done, exit_code(progress)) == (6, 0)
    first, second, *others = dict.fromkeys(busy.order)
    assert busy.order[:-2] == [*[first] * 3, second, *others]
    assert set(busy.order[-2:]) == {first, second}
    calls = progress.calls["toy"]
    assert (calls.made, calls.throttled, calls.retried) == (10, 4, 4)
    assert calls.made == 6 + calls.retried


def test_what_is_throttled_then_too_says_so_and_the_same_command_goes_on(use, photos, study, few):
    busy = use(Busy(99))
    progress = run(study, photos)
    assert (progress.done, progress.failed, exit_code(progress)) == (0, 6, 4)
    assert len(busy.order) == 6 + 2 + 6  # each once more when all files are through
    assert progress.calls["toy"].retried == 2 + 6
    reasons = study.query("SELECT reason, count(*) FROM status WHERE status = 'error' GROUP BY 1")
    assert reasons.rows == [("slow down", 6)]
    busy.first = 0
    assert run(study, photos).done == 6


def test_what_waits_for_its_turn_is_not_asked_once_the_run_is_stopped(use, photos, study, few):
    stop = threading.Event()

    class Stopped(Busy):
        def fetch(self, batch: Batch) -> Iterable[Outcome]:
            if len(self.order) == 5:
                stop.set()
            yield from super().fetch(batch)

    busy = use(Stopped(99))
    assert run(study, photos, stop=stop).interrupted
    assert len(busy.order) == 6


def test_no_more_is_put_off_than_memory_holds(use, photos, study, few, monkeypatch):
    monkeypatch.setattr(later, "MOST", 3)
    use(Busy(99))
    progress = run(study, photos)
    assert (progress.failed, progress.calls["toy"].made) == (6, 6 + 2 + 3)


def test_a_tenth_of_the_calls_may_be_retries_beyond_the_first_twenty():
    gate = Gate(Toy())
    allowed = []
    for _ in range(200):
        assert gate.enter(Batch((), "x"), threading.Event())
        gate.told(Batch((), "x"), None)
    while gate.may_retry():
        allowed.append(gate.retries)
    assert gate.calls == 200
    for calls, more in ((209, 0), (210, 1), (229, 2)):
        while gate.calls < calls:
            assert gate.enter(Batch((), "x"), threading.Event())
            gate.told(Batch((), "x"), None)
        while gate.may_retry():
            allowed.append(gate.retries)
        assert len(allowed) == 40 + more
    allowed = allowed[:40]
    assert allowed == list(range(1, 41))


def test_a_service_that_asks_for_time_gets_it_from_everybody(use, photos, study):
    class Slow(Paid):
        def fetch(self, batch: Batch) -> Iterable[Outcome]:
            with self.lock:
                self.calls.append(str(time.monotonic()))
                first = len(self.calls) == 1
            if first:
                raise RateLimited("slow down", retry_after=0.6)
            yield from super().fetch(batch)

    toy = use(Slow())
    started = time.monotonic()
    assert run(study, photos, max_cost="9", settings={"toy.rate": "100"}).done == 6
    assert time.monotonic() - started > 0.6
    assert toy.concurrency < 6  # so that some calls come after the first one was told to wait


def test_a_service_that_asks_for_too_much_time_is_given_up(use, photos, study):
    class Closed(Toy):
        def rates(self) -> Mapping[str, float]:
            return {"": 100.0}

        def fetch(self, batch: Batch) -> Iterable[Outcome]:
            self.calls.append("x")
            raise RateLimited("come back tomorrow", retry_after=86_400.0)

    toy = use(Closed())
    started = time.monotonic()
    progress = run(study, photos)
    assert len(toy.calls) == progress.failed <= toy.concurrency  # those that were under way
    assert time.monotonic() - started < 10  # nor do the others wait until tomorrow
    asked = len(toy.calls)
    run(study, photos)
    assert len(toy.calls) > asked  # another run tries again


def test_what_came_with_an_error_is_kept(use, photos, study, monkeypatch):
    monkeypatch.setattr(asking, "LONGEST_WAIT", 0.0)

    class Batched(Toy):
        def fetch(self, batch: Batch) -> Iterable[Outcome]:
            told = Body(b'{"error": {"code": 14}}')
            yield Outcome(batch.requests, ProviderUnavailable("code 14"), told)

    use(Batched())
    assert run(study, photos).failed == 6
    held = study.query("SELECT r.reason, b.bytes FROM requests r JOIN bodies b ON b.id = r.body_id")
    assert held.rows == [("code 14", 23)] * 6


@pytest.mark.parametrize("answered", [False, True])
def test_a_service_that_takes_nothing_for_ten_minutes_is_given_up(answered):
    """Ten minutes since its last answer, or since it began to refuse."""

    class Alone(World):
        def wait(self, timeout: float) -> bool:
            self.now += timeout
            return False

    world = Alone()
    gate = Gate(Rated(1.0), Memory(world.clock))
    assert gate.enter(X, world)
    gate.told(X, None if answered else RateLimited("too many", charged=False))
    began = world.now
    while not gate.given_up and world.now < began + 2 * REFUSING:
        assert gate.enter(X, world)
        before = world.now
        gate.told(X, RateLimited("too many", charged=False))
        assert bool(gate.given_up) == (before - began > REFUSING)
    assert gate.given_up.startswith("toy has taken nothing for 10 minutes (too many). Nothing")
    assert not gate.enter(X, world)


def test_a_machine_that_is_always_late_gets_on_after_three_turns_that_lapsed():
    class Sleepy(World):
        slept = 0

        def wait(self, timeout: float) -> bool:
            self.slept += 1
            self.now += timeout + 10.0  # the machine was asleep,
            gate._taken(X)[0][0].take(5)  # and others took the next turns
            return False

    world = Sleepy()
    gate = Gate(Rated(1.0), Memory(world.clock))
    assert gate.enter(X, world)
    gate.told(X, None)
    assert gate.enter(X, world)
    assert world.slept == 4  # its own turn, and the three that it took again


class TwoRates(Rated):
    """Takes of two rates at once; or says nothing, and takes one of the rate without a name."""

    silent = False

    def rates(self) -> dict[str, float]:
        return {"": 1.0} if self.silent else {"slow": 1.0, "quick": 50.0}

    def takes(self, batch: Batch) -> dict[str, int]:
        return {} if self.silent else {"slow": 1, "quick": 1}


@pytest.mark.parametrize("silent", [False, True])
def test_of_several_rates_the_slowest_holds_and_one_without_a_name_does_too(silent):
    world, provider = World(), TwoRates(0.0)
    provider.silent = silent
    gate = Gate(provider, Memory(world.clock))
    times: list[float] = []

    def life() -> None:
        for _ in range(4):
            assert gate.enter(X, world)
            times.append(world.now - 1000.0)
            gate.told(X, None)

    world.live([life])
    assert times == pytest.approx([0.0, 1 - BURST, 2 - BURST, 3 - BURST], abs=0.02)


def test_who_waits_for_the_end_of_a_run_wakes_when_it_comes_and_not_before():
    stop = threading.Event()
    ending = Ending(stop)

    def waited(timeout: float) -> tuple[bool, float]:
        began = time.monotonic()
        return ending.wait(timeout), time.monotonic() - began

    came, seconds = waited(0.25)
    assert (came, ending.is_set()) == (False, False)
    assert 0.2 < seconds < 2
    assert waited(0.0)[0] is False
    timer = threading.Timer(0.05, stop.set)
    timer.start()
    came, seconds = waited(30.0)
    timer.join()
    assert (came, ending.is_set()) == (True, True)
    assert seconds < 5
    stop.clear()
    assert not ending.is_set()
    ending.end()
    came, seconds = waited(30.0)
    assert came is True
    assert seconds < 5
    assert not stop.is_set()  # the caller's own


def test_stopping_while_waiting_sends_nothing():
    gate, stop = Gate(Paid()), threading.Event()
    stop.set()
    assert not gate.enter(Batch((), "x"), stop)
    assert gate.calls == 0


def test_stopping_between_two_attempts_tells_why_there_was_to_be_another(use, photos, study):
    stop = threading.Event()

    class Down(Toy):
        def fetch(self, batch: Batch) -> Iterable[Outcome]:
            threading.Timer(0.2, stop.set).start()
            raise RateLimited("slow down", retry_after=60.0)

    use(Down())
    started = time.monotonic()
    assert run(study, photos, stop=stop).interrupted
    assert time.monotonic() - started < 10
    assert study.query("SELECT DISTINCT reason FROM requests").rows == [("slow down",)]


class Slow(Paid):
    """Every call but one is told to wait a minute; that one is denied, or reaches the cap."""

    denied = True

    def fetch(self, batch: Batch) -> Iterable[Outcome]:
        with self.lock:
            self.calls.append("x")
            first = len(self.calls) == 1
        if first:
            time.sleep(0.3)  # until the others are under way, or at the cap
            raise RateLimited("slow down", retry_after=60.0)
        if self.denied:
            time.sleep(0.3)
            raise AuthenticationError("no key: set TOY_KEY")
        yield from super().fetch(batch)


@pytest.mark.parametrize("denied", [True, False])
def test_a_run_that_ends_by_itself_waits_for_nobody(use, photos, study, denied):
    use(Slow()).denied = denied
    stop = threading.Event()
    started = time.monotonic()
    with pytest.raises(AuthenticationError if denied else CapReached):
        run(study, photos, max_cost="100" if denied else "1", stop=stop)
    assert time.monotonic() - started < 10
    assert not stop.is_set()  # the caller's own event may serve another run


def test_what_is_refused_unsent_counts_no_unit(use, photos, study):
    class Choosy(Paid):
        def refusal(self, image: Rendering, task: Task) -> RefusedImage | None:
            return RefusedImage("no faces, please") if task is Task.FACES else None

    toy = use(Choosy())
    progress = run(study, photos, "labels", "faces", max_cost="6")
    assert progress.done == 6
    assert toy.calls == ["labels"] * 6
    assert study.query("SELECT DISTINCT status, reason FROM status WHERE task = 'faces'").rows == [
        ("refused", "no faces, please")
    ]


def test_a_fault_in_judging_an_image_ends_that_request_only(use, photos, study):
    class Faulty(Toy):
        def refusal(self, image: Rendering, task: Task) -> RefusedImage | None:
            raise RuntimeError("no idea")

    use(Faulty())
    assert run(study, photos).failed == 6
    assert "RuntimeError: no idea" in study.query("SELECT reason FROM requests").rows[0][0]


def test_a_rehearsal_costs_nothing_and_never_mixes_with_real_answers(use, photos, tmp_path):
    use(Paid())
    study = visionhub.Study(tmp_path / "a.db")
    assert run(study, photos, sandbox="127.0.0.1:1").done == 6
    assert study.table("marks").column("name") == ["rehearsal"]
    with pytest.raises(UsageError, match="holds a rehearsal"):
        run(study, photos, max_cost="100")
    real = visionhub.Study(tmp_path / "b.db")
    run(real, photos, max_cost="100")
    with pytest.raises(UsageError, match="holds real answers of toy"):
        run(real, photos, sandbox="127.0.0.1:1")


class Other(Paid):
    """A second service."""

    name = "other"


class Local(Toy):
    """Runs here."""

    name = "local"


def both(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds: dict[str, type[Toy]] = {"toy": Paid, "other": Other, "local": Local}
    monkeypatch.setattr(registry, "get", lambda name: kinds[name]())
    monkeypatch.setattr(registry, "load", lambda name: kinds[name])


def test_a_rehearsal_of_one_service_never_joins_the_real_answers_of_another(
    monkeypatch, photos, study
):
    both(monkeypatch)
    run(study, photos, providers="local,toy", max_cost="6")
    with pytest.raises(UsageError, match="holds real answers of local, toy:"):
        run(study, photos, providers="other", sandbox="127.0.0.1:1")
    assert not study.table("marks").rows


def test_local_models_answer_beside_a_rehearsal(monkeypatch, photos, study):
    both(monkeypatch)
    run(study, photos, providers="local,toy", sandbox="127.0.0.1:1")
    assert run(study, photos, "objects", providers="local").done == 6


def test_no_study_with_answers_becomes_a_rehearsal(monkeypatch, photos, study):
    both(monkeypatch)
    run(study, photos, providers="local")
    with pytest.raises(UsageError, match="holds real answers of local: rehearse in a study of its"):
        run(study, photos, providers="toy", sandbox="127.0.0.1:1")
    assert not study.table("marks").rows


def test_a_rehearsal_of_nothing_leaves_no_mark(use, tmp_path, study):
    use(Paid())
    (tmp_path / "empty").mkdir()
    run(study, tmp_path / "empty", sandbox="127.0.0.1:1")
    assert not study.path.exists()


def test_a_rehearsal_tells_what_it_would_cost_and_rehearses_the_cap(use, photos, study, tmp_path):
    from visionhub.report.summary import PassedOver, summary

    use(Paid())
    progress = run(study, photos, "labels", "objects", "faces", sandbox="127.0.0.1:1")
    notes = summary(progress, "x", PassedOver()).notes
    assert any("For real this costs 12.00 USD (12 units: " in note for note in notes), notes
    assert progress.units == {"toy": {"units": 6, "faces": 6}}
    other = visionhub.Study(tmp_path / "other.db")
    with pytest.raises(CapReached, match=r"next call, held at its highest cost, did not fit\."):
        run(other, photos, sandbox="127.0.0.1:1", max_cost="5")


def test_a_rehearsal_that_a_setting_asks_for_is_told(use, photos, study, monkeypatch):
    use(Paid())
    monkeypatch.setenv("VISIONHUB_TOY_SANDBOX", "127.0.0.1:1")
    said: list[str] = []
    run(study, photos, announce=said.append)
    assert [line for line in said if line.startswith("REHEARSAL toy:")]
    assert study.table("marks").rows


def test_no_service_answers_for_itself_beside_one_that_is_rehearsed(monkeypatch, photos, study):
    both(monkeypatch)
    with pytest.raises(UsageError, match="other would answer for itself"):
        run(
            study, photos, providers="toy,other", max_cost="99",
            settings={"toy.sandbox": "127.0.0.1:1"},
        )  # fmt: skip
    assert not study.table("questions").rows


def test_there_is_nothing_to_rehearse_where_no_service_is_asked(monkeypatch, photos, study):
    both(monkeypatch)
    with pytest.raises(UsageError, match="--sandbox: local cannot be rehearsed"):
        run(study, photos, providers="local", sandbox="127.0.0.1:1")


def test_a_task_that_names_people_is_asked_for_by_name(use, photos, study):
    use(Paid())
    with pytest.raises(UsageError, match="--sensitive celebrities"):
        run(study, photos, "celebrities", max_cost="100")
    said: list[str] = []
    run(study, photos, "celebrities", sensitive="celebrities", max_cost="9", announce=said.append)
    assert any("celebrities" in line for line in said)


def test_what_is_withdrawn_is_warned_of_before_it_is_paid(use, photos, study):
    toy = use(Paid())
    said: list[str] = []

    def announce(line: str) -> None:
        said.append(line)
        assert not toy.calls

    run(study, photos, "faces", max_cost="100", announce=announce)
    assert not [line for line in said if "withdrawn" in line]
    run(study, photos, "faces", sensitive="emotion", max_cost="100", announce=said.append)
    (warning,) = [line for line in said if "withdrawn" in line]
    assert "2027-01-14" in warning


def test_settings_are_read_checked_and_taken_from_variables(use, photos, study, monkeypatch):
    toy = use(Paid())
    for key, says in (
        ("toy.pace", "its settings are: sandbox, rate"),
        ("other.rate", "provider.name=value"),
        ("toy.rate", "expected a value of type float"),
    ):
        with pytest.raises(UsageError, match=says):
            run(study, photos, settings={key: "often"}, max_cost="9")
    monkeypatch.setenv("VISIONHUB_TOY_RATE", "often")
    with pytest.raises(UsageError, match=r"^VISIONHUB_TOY_RATE=often: expected a value of type fl"):
        run(study, photos, max_cost="9")
    assert str(toy.unusable("rate", "no")) == "VISIONHUB_TOY_RATE=often: no."
    monkeypatch.setenv("VISIONHUB_TOY_RATE", "250")
    toy.configure({})
    assert toy.setting("rate") == 250
    toy.configure({"rate": "3"})
    assert toy.setting("rate") == 3
    assert str(toy.unusable("rate", "no")) == "--set toy.rate=3: no."


def test_a_rehearsal_says_so_wherever_it_is_shown(use, photos, tmp_path):
    from visionhub.report.contact import contact_sheet
    from visionhub.report.coverage import coverage
    from visionhub.report.standing import sections
    from visionhub.store.study import StudyFile

    use(Paid())
    study = visionhub.Study(tmp_path / "a.db")
    run(study, photos, sandbox="127.0.0.1:1")
    with StudyFile(study.path) as opened:
        notes = [note for section in sections(coverage(opened)) for note in section.notes]
        contact_sheet(opened, tmp_path / "page.html")
    assert any("REHEARSAL" in note for note in notes)
    assert "REHEARSAL" in (tmp_path / "page.html").read_text("utf-8")
