"""The quote: what it says is what a run then does and spends, and it changes nothing."""

from __future__ import annotations

import csv
import io
import json
import shutil
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner
from visionhub_sandbox import Fault, Sandbox

import visionhub
from tests.sandboxed import Seer
from visionhub.cli import app, consent
from visionhub.cli.watch import stopping
from visionhub.engine import survey
from visionhub.engine.agreement import agreed
from visionhub.engine.costs import less, line_quotes, more
from visionhub.engine.intake import Todo, prepare
from visionhub.engine.plan import Ask, plan
from visionhub.engine.quote import Quote, quote
from visionhub.engine.sources import Sources, without_study
from visionhub.engine.terms import make_terms
from visionhub.errors import (
    CapReached,
    Interrupted,
    StudyError,
    UnknownProvider,
    UnreadableImage,
    UsageError,
)
from visionhub.images import Limits, sha256_of
from visionhub.pricing import Price, PriceTable, Tier, money
from visionhub.report.quoted import most, sections
from visionhub.store.holding import in_doubt
from visionhub.store.owners import Owner
from visionhub.store.study import StudyFile

pytest.importorskip("boto3", reason="the extra 'aws' is not installed: not tested")
pytest.importorskip("google.cloud.vision", reason="the extra 'google' is not installed: not tested")

TASKS = ("labels", "objects", "faces", "text", "safe_search")
BOTH = ("google", "rekognition")
GOOD = 19
AFTER = len(TASKS)

PRICES = """
[[price]]
provider = "{provider}"
sku = "{sku}"
region = "*"
currency = "USD"
pool = "{pool}"
tiers = [{{ up_to = 7, micros = 1_900 }}, {{ up_to = 30, micros = 1_100 }}, {{ micros = 300 }}]
billing_zone = "UTC"
effective_from = 2026-01-01
source = "made up"
retrieved = {read}
{more}
"""


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rates and credentials of this machine are out of reach."""
    monkeypatch.setenv("VISIONHUB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Seer()) as running:
        yield running


def noise(number: int, width: int = 160, height: int = 120) -> bytes:
    """A picture that looks like no other one."""
    import random

    chance = random.Random(number)
    small = Image.frombytes("L", (12, 9), chance.randbytes(108))
    out = io.BytesIO()
    small.resize((width, height), Image.Resampling.BICUBIC).convert("RGB").save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Good photographs; two that Rekognition refuses; copies; what cannot be read."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(GOOD):
        (folder / f"{number:02}.jpg").write_bytes(noise(number))
    (folder / "small.jpg").write_bytes(noise(100, 120, 79))
    (folder / "narrow.png").write_bytes(_png(noise(101, 70, 300)))
    for name in ("copy1.jpg", "copy2.jpg"):
        shutil.copy(folder / "03.jpg", folder / name)
    shutil.copy(folder / "small.jpg", folder / "small-copy.jpg")
    (folder / "cut.jpg").write_bytes(noise(102)[:900])
    shutil.copy(folder / "cut.jpg", folder / "cut-copy.jpg")
    (folder / "words.jpg").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("passed over")
    return folder


def _png(data: bytes) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(data)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def tiers(tmp_path: Path) -> Path:
    """Prices whose tiers end within a small run; two lines of Rekognition share a pool."""
    read = datetime.now(UTC).date().isoformat()
    rows = [
        ("google", "LABEL_DETECTION", "LABEL_DETECTION", "free_per_month = 1000"),
        ("google", "FACE_DETECTION", "FACE_DETECTION", ""),
        ("rekognition", "DetectFaces", "group", ""),
        ("rekognition", "DetectText", "group", ""),
    ]
    path = tmp_path / "prices.toml"
    path.write_text(
        "".join(
            PRICES.format(provider=p, sku=s, pool=pool, read=read, more=more)
            for p, s, pool, more in rows
        )
    )
    return path


def quoted(
    photos: Path, study: Path, sandbox: Sandbox | None, quick: bool | None = None, **asked: object
) -> Quote:
    ask = replace(Ask(BOTH, TASKS, sandbox=sandbox.address if sandbox else ""), **asked)
    said: list[str] = []
    planned = plan(ask, said.append, to_send=False)
    today = datetime.now(UTC).date()
    terms = make_terms(ask, planned.providers, planned.questions, today, said.append)
    files = without_study(Sources.of(photos), study, lambda _: None)
    return quote(files, planned, terms, study, quick=quick)


def run(photos: Path, study: Path, sandbox: Sandbox, **more: object) -> visionhub.Study:
    made = visionhub.Study(study)
    made.annotate(photos, **{"providers": BOTH, "tasks": TASKS, "sandbox": sandbox.address, **more})
    return made


def spent(study: visionhub.Study) -> tuple[int, int]:
    """Settled and unknown, in micro-units."""
    row = study.query("SELECT settled, unknown FROM accounts").rows[0]
    return row[0], row[1]


def ledger_units(study: visionhub.Study) -> dict[str, int]:
    sql = "SELECT sku, sum(units) FROM v_ledger WHERE state <> 'released' GROUP BY 1"
    return {sku: units for sku, units in study.query(sql).rows if units}


def server_units(sandbox: Sandbox) -> dict[str, int]:
    """Units by the vendors' own rules, from what came in on the wire."""
    units: Counter[str] = Counter()
    for counted in sandbox.calls.recent:
        call = counted.call
        if call.provider == "rekognition":
            units[call.operation] += 1
            continue
        billed = set(call.features)
        if "LABEL_DETECTION" in billed:
            billed.discard("SAFE_SEARCH_DETECTION")
        units.update({feature: len(call.images) for feature in billed})
    return dict(units)


def units_of(made: Quote) -> dict[str, int]:
    return {line.price.sku: line.units for line in made.lines if line.units}


def calls_of(made: Quote) -> dict[str, int]:
    return {each.name: each.calls for each in made.providers}


@pytest.mark.parametrize("claims", [{}, {"google.labels": "5"}], ids=["", "claimed"])
@pytest.mark.parametrize("own", [False, True], ids=["packaged", "tiers"])
def test_a_run_spends_what_the_quote_said(photos, tmp_path, sandbox, tiers, own, claims):
    study, prices = tmp_path / "study.db", tiers if own else None
    made = quoted(photos, study, sandbox, prices=prices, assume_free=claims)
    done = run(photos, study, sandbox, prices=prices, assume_free=claims)
    assert units_of(made) == ledger_units(done) == server_units(sandbox)
    assert (made.cost, 0) == spent(done)
    assert made.cost == sum(line.cost for line in made.lines) == sum(p.cost for p in made.providers)
    calls = {name: sandbox.calls.count(name) for name in BOTH}
    assert calls_of(made)["rekognition"] == calls["rekognition"] == GOOD * 4
    assert [p.about for p in made.providers] == [True, False]
    assert made.highest == done.query("SELECT sum(hold) FROM v_ledger").rows[0][0]
    assert made.highest >= made.cost
    assert not own or made.highest > made.cost
    claimed = {line.price.sku: line.claimed for line in made.lines if line.claimed}
    assert claimed == ({"LABEL_DETECTION": 5} if claims else {})
    refused = "SELECT provider, task, count(*) FROM status WHERE status = 'refused' GROUP BY 1, 2"
    assert {(t.provider, t.task, t.refused) for t in made.tasks if t.refused} == set(
        done.query(refused).rows
    )
    again = quoted(photos, study, sandbox, prices=prices, assume_free=claims)
    assert (again.calls, again.units, again.cost, again.highest) == (0, 0, 0, 0)
    assert again.spent == made.cost
    assert sum(task.held for task in again.tasks) == 2 * AFTER * (GOOD + 2)


def test_what_is_found_is_counted(photos, tmp_path, sandbox):
    made = quoted(photos, tmp_path / "study.db", sandbox)
    assert (made.files, made.images) == (GOOD + 8, GOOD + 4)
    assert (made.unreadable_files, made.unreadable_images) == (0, 2)
    assert sum(made.reasons.values()) == 2
    assert made.reasons["not_an_image"] == 1
    assert made.copies.files == 4  # of one good, one small and one unreadable image
    assert made.copies.units == 2 * (4 + 4) + 4  # the small one is asked at Google only
    assert made.copies.calls == 2 * 4 + 1  # Google's three fit into one call
    labels = next(line for line in made.lines if line.price.sku == "DetectLabels")
    assert labels.shared == GOOD  # objects
    safe = next(line for line in made.lines if line.price.sku == "SAFE_SEARCH_DETECTION")
    assert (safe.units, safe.bundled, safe.cost) == (0, GOOD + 2, 0)
    assert made.near is not None
    assert (made.near.compared, made.near.beyond) == (GOOD + 2, 0)
    assert not made.upper_bound


def test_an_unreadable_image_keeps_no_picture_in_memory(photos):
    data = (photos / "cut.jpg").read_bytes()
    found = prepare(Todo(str(photos / "cut.jpg"), sha256_of(data), 0, (0,)), Limits()).facts
    assert isinstance(found, UnreadableImage)
    assert (found.__traceback__, found.__context__, found.__cause__) == (None, None, None)
    assert str(found).startswith("truncated: ")


def test_what_a_bundle_gives_depends_on_what_is_held(photos, tmp_path, sandbox):
    study = tmp_path / "study.db"
    run(photos, study, sandbox, providers=("google",), tasks=("labels",))
    sandbox.calls.clear()
    ask = {"providers": ("google",), "tasks": ("labels", "safe_search", "text")}
    made = quoted(photos, study, sandbox, **ask)
    before = made.spent
    assert units_of(made) == {
        "SAFE_SEARCH_DETECTION": GOOD + 2,  # alone it is charged for
        "TEXT_DETECTION": GOOD + 2,
    }
    done = run(photos, study, sandbox, **ask)
    assert server_units(sandbox) == units_of(made)
    assert spent(done)[0] == before + made.cost


def test_nothing_is_written(photos, tmp_path, sandbox):
    study = tmp_path / "study.db"
    quoted(photos, study, sandbox)
    assert not list(tmp_path.glob("study*"))
    assert sandbox.calls.count() == 0
    run(photos, study, sandbox, tasks=("labels",))
    before = study.read_bytes()
    calls = sandbox.calls.count()
    quoted(photos, study, sandbox)
    quoted(photos, study, sandbox, quick=True)
    assert study.read_bytes() == before
    assert sandbox.calls.count() == calls
    empty = tmp_path / "empty.db"
    empty.touch()
    assert quoted(photos, empty, sandbox).spent == 0
    assert empty.stat().st_size == 0
    (tmp_path / "other.db").write_bytes(b"no study at all")
    with pytest.raises(StudyError, match="no study"):
        quoted(photos, tmp_path / "other.db", sandbox)


def test_quick_decodes_nothing_and_is_never_too_low(photos, tmp_path, sandbox, monkeypatch):
    study = tmp_path / "study.db"
    full = quoted(photos, study, sandbox)
    monkeypatch.setattr(survey, "prepare", pytest.fail)
    fast = quoted(photos, study, sandbox, quick=True)
    assert fast.upper_bound
    assert (fast.decoded, fast.undecoded) == (0, GOOD + 4)
    assert fast.near is None
    assert (fast.files, fast.images, fast.copies.files) == (full.files, full.images, 4)
    assert fast.cost == sum(line.price.cost(0, line.units) for line in fast.lines) > full.cost
    assert set(units_of(fast).values()) == {GOOD + 4}  # as if all could be read and were taken
    assert calls_of(fast) == {"google": 2, "rekognition": 4 * (GOOD + 4)}


def test_beyond_a_number_images_are_not_decoded_unless_asked_to(
    photos, tmp_path, sandbox, monkeypatch
):
    study = tmp_path / "study.db"
    full = quoted(photos, study, sandbox, quick=False)
    monkeypatch.setattr(survey, "DECODED", 6)
    mixed = quoted(photos, study, sandbox)
    assert (mixed.decoded, mixed.undecoded) == (6, GOOD - 2)
    assert mixed.upper_bound
    assert mixed.cost >= full.cost
    assert quoted(photos, study, sandbox, quick=False) == full
    assert quoted(photos, study, sandbox, quick=True).cost >= mixed.cost


def test_ambiguous_requests_are_not_asked_again_unless_allowed(photos, tmp_path):
    study = tmp_path / "study.db"
    ask = {"providers": ("rekognition",), "tasks": ("labels", "text")}
    with Sandbox(Seer(), faults=(Fault("error", status=500, times=3),)) as broken:
        run(photos, study, broken, **ask)
        calls = broken.calls.count()
    assert calls == 2 * GOOD
    with StudyFile(study) as opened:
        assert in_doubt(opened, datetime.now(UTC)) == [("USD", _requests_lost(opened), 3_000)]
    with Sandbox(Seer()) as sandbox:
        for choice, sent in (("skip", 0), ("retry", 3)):
            for quick in (None, True):
                made = quoted(photos, study, sandbox, quick, on_ambiguous=choice, **ask)
                assert (made.calls, made.cost) == (sent, sent * 1_000), (choice, quick)
                assert made.account.unknown == 3_000
                assert sum(task.ambiguous for task in made.tasks) == 3 - sent
            done = run(photos, study, sandbox, on_ambiguous=choice, **ask)
            assert sandbox.calls.count() == sent
            assert spent(done) == (made.spent + sent * 1_000, 3_000)


def _requests_lost(study: StudyFile) -> int:
    return int(study.query("SELECT count(*) FROM charges WHERE state = 'unknown'").rows[0][0])


@pytest.mark.parametrize(
    ("charge", "alive", "where"),
    [
        ("state = 'settled', reason = ''", False, "held"),
        ("state = 'settled', reason = 'answered after it had been released'", False, "held"),
        ("state = 'settled', reason = 'no toy body'", False, "unreadable"),
        ("state = 'settled', reason = 'on the bill, …', body_id = NULL", False, "billed"),
        ("state = 'unknown', charge = hold, reason = 'reset'", False, "ambiguous"),
        ("state = 'released', charge = 0, reason = 'throttled'", False, "asked"),
        ("state = 'held', charge = 0", False, "ambiguous"),  # whoever held it is dead
        ("state = 'held', charge = 0", True, "elsewhere"),
    ],
)
@pytest.mark.parametrize("choice", ["skip", "retry"])
def test_what_stands_in_the_way_does_so_in_the_run_too(
    photos, tmp_path, sandbox, charge, alive, where, choice
):
    study = tmp_path / "study.db"
    ask = {"providers": ("rekognition",), "tasks": ("text",)}
    run(photos / "04.jpg", study, sandbox, **ask)
    with closing(sqlite3.connect(study)) as sql:
        sql.execute("UPDATE requests SET status = 'error'")  # as if no answer had come
        sql.execute(f"UPDATE charges SET {charge}")
        here = Owner.here()
        owner = (here.host, here.boot, here.pid, here.started, time.time() + 60)
        sql.execute(
            "UPDATE owners SET ended_at = NULL, host = ?, boot = ?, pid = ?, started = ?, "
            "lease_until = ?",
            owner if alive else (*owner[:2], 2**22 + 1, "1", 0.0),
        )
        sql.commit()
    sandbox.calls.clear()
    expected = "asked" if choice == "retry" and where in {"ambiguous", "billed"} else where
    for quick in (None, True):
        made = quoted(photos / "04.jpg", study, sandbox, quick, on_ambiguous=choice, **ask)
        (told,) = made.tasks
        names = ("asked", "held", "unreadable", "ambiguous", "billed", "elsewhere")
        assert {name: getattr(told, name) for name in names} == {
            name: int(name == expected) for name in names
        }
    run(photos / "04.jpg", study, sandbox, on_ambiguous=choice, **ask)
    assert sandbox.calls.count() == made.calls == int(expected == "asked")


def test_near_duplicates_are_told_and_asked_about_all_the_same(photos, tmp_path, sandbox):
    original = Image.open(photos / "05.jpg")
    original.resize((120, 90)).save(photos / "z-smaller.jpg")
    original.save(photos / "z-again.jpg", quality=40)
    made = quoted(photos, tmp_path / "study.db", sandbox)
    assert made.near is not None
    assert (made.near.groups, made.near.beyond) == (1, 2)
    names = {Path(path).name: (group, bits) for path, group, bits in made.near.rows}
    assert set(names) == {"05.jpg", "z-smaller.jpg", "z-again.jpg"}
    assert {group for group, _ in names.values()} == {1}
    per_image = 2 * 1_500 + 2_250 + 1_500 + 4 * 1_000
    assert made.near.cost == 2 * per_image
    assert made.near.units == 2 * 8
    assert units_of(made)["DetectLabels"] == GOOD + 2


def test_the_command_prints_the_quote_and_writes_the_list(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.open(photos / "05.jpg").save(photos / "again.jpg", quality=50)
    words = ["quote", "photos", "-p", "google", "-p", "rekognition"]
    result = CliRunner().invoke(app, [*words, "--near-list", "near.csv", "--max-cost", "0.2"])
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader((tmp_path / "near.csv").read_text("utf-8").splitlines()))
    assert {row["path"] for row in rows} == {"photos/05.jpg", "photos/again.jpg"}
    assert {row["group"] for row in rows} == {"1"}
    for text in (
        "passed over as no images",
        "not_an_image 1",
        "free with LABEL_DETECTION in the same call, 22 images",
        "it does not fit: the run would stop at the cap",
        "see near.csv",
        "sha256",
        "asked once, which saves",
    ):
        assert text in result.stdout, text
    assert "has no credentials" in result.stderr  # and it goes on: a quote needs no account
    assert not Path("study.db").exists()
    told = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert told["images"] == GOOD + 5
    assert told["cost"] == sum(line["cost"] for line in told["lines"]) == told["highest"]
    assert told["prices"]["sha256"] == PriceTable.packaged().sha256


@pytest.mark.parametrize(
    ("words", "kind", "says"),
    [
        (["photos", "-p", "gogle"], UnknownProvider, "gogle"),
        (["photos", "-p", "google", "--max-cost", "five"], UsageError, "'five' is no amount"),
        (["photos", "-p", "google", "--assume-free", "google.labels"], UsageError, "N"),
        (["photos", "-p", "google", "--prices", "none.toml"], UsageError, "none.toml"),
        (["photos", "-p", "google", "--on-ambiguous", "perhaps"], UsageError, "perhaps"),
        (["nowhere"], UsageError, "nowhere"),
        (["photos", "--study", "photos"], StudyError, "is a folder"),
        (["photos", "-p", "google", "--quick", "--near-list", "n.csv"], UsageError, "--near-list"),
    ],
)
def test_what_cannot_be_quoted_is_one_sentence(photos, tmp_path, monkeypatch, words, kind, says):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["quote", *words])
    assert isinstance(result.exception, kind), result.output
    assert says in str(result.exception)
    assert "\n" not in str(result.exception)


def test_without_a_price_there_is_no_quote(photos, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    with pytest.raises(UsageError, match=r"No price for rekognition DetectLabels.* in region eu-"):
        quoted(photos, tmp_path / "study.db", None)


def test_a_folder_without_photographs_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("none").mkdir()
    result = CliRunner().invoke(app, ["quote", "none", "-p", "google"])
    assert result.exit_code == 1
    assert "No photographs were found there." in result.stdout
    assert "Cost" not in result.stdout


def test_what_runs_here_costs_nothing_and_pulls_nothing(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VISIONHUB_CACHE", str(tmp_path / "cache"))
    result = CliRunner().invoke(app, ["quote", "photos", "-t", "labels"])
    assert result.exit_code == 0, result.output
    assert "Nothing of this is charged for." in result.stdout
    assert "on this machine" in result.stdout
    assert not (tmp_path / "cache").exists()


def test_withdrawals_and_claims_and_old_prices_are_told(photos, tmp_path, sandbox):
    made = quoted(
        photos,
        tmp_path / "study.db",
        sandbox,
        providers=("google",),
        tasks=("faces", "labels"),
        sensitive=("emotion",),
        assume_free={"google.labels": "1000"},
    )
    assert {ends.on for ends in made.ends} == {date(2026, 10, 15), date(2027, 1, 14)}
    text = rendered(made)
    assert "emotion is withdrawn by the vendor on 2027-01-14, for everybody" in text
    assert f"{GOOD + 2} units free because you claim it" in text
    assert made.cost == (GOOD + 2) * 1_500  # faces
    plain = quoted(photos, tmp_path / "study.db", sandbox, providers=("google",), tasks=("faces",))
    assert not plain.ends


def rendered(made: Quote) -> str:
    return "\n".join(
        " ".join([section.title, *map(str, section.notes), *(str(row) for row in section.rows)])
        for section in sections(made)
    )


def test_the_cap_is_the_studys(photos, tmp_path, sandbox):
    study = tmp_path / "study.db"
    ask = {"providers": ("google",)}
    run(photos, study, sandbox, **ask, tasks=("labels",))
    gone = (GOOD + 2) * 1_500
    for cap, fits in ((2 * gone, True), (2 * gone - 1, False)):
        text = money(cap, "USD")
        made = quoted(photos, study, sandbox, **ask, tasks=("faces",), max_cost=text)
        assert (made.spent, made.highest, made.fits) == (gone, gone, fits)
        assert most(made) == money(cap - gone, "USD")
    made = quoted(photos, study, sandbox, **ask, tasks=("faces",), max_cost="0.01")
    assert most(made) == "0.00 USD"
    assert "below what is gone already" in rendered(made)
    assert quoted(photos, study, sandbox, **ask, tasks=("faces",)).fits is None


def test_a_cap_that_was_named_holds_for_quotes_that_name_none(photos, tmp_path, sandbox):
    study, ask = tmp_path / "study.db", {"providers": ("google",)}
    gone = (GOOD + 2) * 1_500
    run(photos, study, sandbox, **ask, tasks=("labels",), max_cost=money(gone + 3_000, "USD"))
    made = quoted(photos, study, sandbox, **ask, tasks=("faces",))
    assert (made.cap, made.fits) == (gone + 3_000, False)
    assert most(made) == "0.003 USD"
    assert "it does not fit: the run would stop at the cap, in good order; named" in rendered(made)
    with pytest.raises(CapReached):
        run(photos, study, sandbox, **ask, tasks=("faces",))
    assert sum(spent(visionhub.Study(study))) <= gone + 3_000
    run(photos, study, sandbox, **ask, tasks=("faces",), max_cost=money(2 * gone, "USD"))


def test_a_rehearsals_study_has_no_real_quote(photos, tmp_path, sandbox):
    study = tmp_path / "study.db"
    run(photos, study, sandbox, providers=("google",), tasks=("labels",))
    with pytest.raises(UsageError, match="holds a rehearsal"):
        quoted(photos, study, None)


def test_a_stopped_quote_says_that_it_is_a_part(photos, tmp_path, sandbox, monkeypatch):
    import threading

    stop = threading.Event()
    monkeypatch.setattr(survey, "READ", 1)
    monkeypatch.setattr(survey, "LOOKUP", 1)
    ask = Ask(("google",), ("labels",), sandbox=sandbox.address)
    planned = plan(ask, lambda _: None)
    terms = make_terms(ask, planned.providers, planned.questions, date.today(), lambda _: None)  # noqa: DTZ011
    files = Sources.of(photos)
    made = quote(files, planned, terms, tmp_path / "s.db", stop=stop, watch=lambda n, _: stop.set())
    assert made.interrupted
    assert 0 < made.files < GOOD
    assert "Interrupted" in rendered(made)
    with pytest.raises(Interrupted, match="before anything was sent") as stopped:
        agreed(files, planned, terms, tmp_path / "s.db", lambda _: True, stop)
    assert stopped.value.exit_code == 130


class TestConsent:
    """Who pays is asked; who cannot be asked has to have said something."""

    @pytest.fixture
    def made(self, photos, tmp_path) -> Quote:
        return quoted(photos, tmp_path / "study.db", None, providers=("google",), tasks=("text",))

    def test_a_paid_run_without_a_terminal_needs_a_word(self, made, capsys):
        with pytest.raises(UsageError, match=r"2 calls for at most 0.0315 USD.*--yes.*--max-cost"):
            consent.consent(made, yes=False, max_cost_given=False)
        assert consent.consent(made, yes=True, max_cost_given=False)
        assert consent.consent(made, yes=False, max_cost_given=True)
        out = capsys.readouterr()
        assert out.out == ""
        assert out.err.count("Cost in USD") == 3

    @pytest.mark.usefixtures("capsys")
    def test_one_call_is_no_calls(self, made):
        one = replace(made, providers=tuple(replace(each, calls=1) for each in made.providers))
        with pytest.raises(UsageError, match="makes 1 call for at most"):
            consent.consent(one, yes=False, max_cost_given=False)

    @pytest.mark.parametrize(
        ("typed", "agreed"), [("y\n", True), ("n\n", False), ("\n", False)], ids=["y", "n", "enter"]
    )
    def test_on_a_terminal_the_answer_counts(self, made, monkeypatch, capsys, typed, agreed):
        monkeypatch.setattr(consent, "_is_terminal", lambda: True)
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        assert consent.consent(made, yes=False, max_cost_given=True) is agreed
        assert "Send 2 calls for at most 0.0315 USD? [y/N]" in capsys.readouterr().err

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_a_signal_at_the_question_ends_the_program(self, made, monkeypatch, number):
        def typing(*_, **__) -> bool:
            signal.raise_signal(number)
            return True

        monkeypatch.setattr(consent, "_is_terminal", lambda: True)
        monkeypatch.setattr(consent.typer, "confirm", typing)
        with stopping() as stop:
            mine = signal.getsignal(number)
            with pytest.raises(SystemExit) as ended:
                consent.consent(made, yes=False, max_cost_given=True)
            assert ended.value.code == 130
            assert signal.getsignal(number) is mine
        assert not stop.is_set()

    def test_what_costs_nothing_is_not_asked(self, made, photos, tmp_path, sandbox, capsys):
        free = quoted(photos, tmp_path / "s.db", sandbox)
        assert free.rehearsal
        assert consent.consent(free, yes=False, max_cost_given=False)
        nothing = replace(made, lines=tuple(replace(line, units=0) for line in made.lines))
        assert consent.consent(nothing, yes=False, max_cost_given=False)
        assert capsys.readouterr().err == ""

    def test_ambiguous_requests_are_asked_about_once(self, photos, tmp_path, monkeypatch, capsys):
        study = tmp_path / "study.db"
        assert consent.retrying(study, "ask") == "skip"
        with Sandbox(Seer(), faults=(Fault("error", status=500, times=1),)) as broken:
            run(photos, study, broken, providers=("rekognition",), tasks=("text",))
        assert consent.retrying(study, "retry") == "retry"
        assert consent.retrying(study, "ask") == "skip"
        said = capsys.readouterr().err
        assert "1 request of earlier runs may have been charged for" in said
        assert "0.001 USD at most" in said
        monkeypatch.setattr(consent, "_is_terminal", lambda: True)
        for typed, choice in (("y\n", "retry"), ("n\n", "skip")):
            monkeypatch.setattr("sys.stdin", io.StringIO(typed))
            assert consent.retrying(study, "ask") == choice


def price(sku: str, pool: str, *tiers: tuple[int | None, int]) -> Price:
    return Price(
        "toy", sku, "*", "USD", pool, tuple(Tier(*tier) for tier in tiers), (), 1000, "UTC",
        date(2026, 1, 1), "made up", date(2026, 1, 1), "",
    )  # fmt: skip


LINES = {
    ("toy", "a"): price("a", "one", (5, 90), (20, 40), (None, 10)),
    ("toy", "b"): price("b", "two", (8, 70), (None, 100)),
}
FEW = st.integers(0, 40)


@given(a=FEW, b=FEW, used=FEW, claimed=FEW, gone=FEW, change=FEW)
def test_money_is_what_single_units_cost(a, b, used, claimed, gone, change):
    """The oracle walks through a month unit by unit."""
    units = {("toy", "a"): a, ("toy", "b"): b}
    free = {("toy", "one"): claimed}
    found = line_quotes(LINES, free, lambda p: (used, gone), units, {}, {})

    def walk(sku: str, number: int, left: int, start: int) -> int:
        held = LINES["toy", sku]
        return sum(held.cost(start + n, 1) for n in range(number) if n >= left)

    left = max(0, claimed - gone)
    assert [line.cost for line in found] == [walk("a", a, left, used), walk("b", b, 0, used)]
    assert [line.highest for line in found] == [max(0, a - left) * 90, b * 100]
    extra = {("toy", "a"): change}
    grown = {**units, ("toy", "a"): a + change}
    if a >= left:  # else some of what comes on top is claimed too
        assert more(found, extra) == walk("a", a + change, left, used) - found[0].cost
        paid = line_quotes(LINES, free, lambda p: (used, gone), grown, {}, {})
        assert less(paid, extra) == paid[0].cost - found[0].cost


def test_lines_of_one_pool_are_counted_together():
    lines = {
        ("toy", "dear"): price("dear", "one", (10, 500), (None, 200)),
        ("toy", "cheap"): price("cheap", "one", (10, 50), (None, 20)),
    }
    units = {("toy", "dear"): 8, ("toy", "cheap"): 6}
    found = line_quotes(lines, {("toy", "one"): 4}, lambda p: (0, 0), units, {}, {})
    assert [line.claimed for line in found] == [0, 4]  # the least that a claim can be worth
    assert sum(line.highest for line in found) == 8 * 500 + 2 * 50
    assert [line.before for line in found] == [6, 0]
    assert [line.used for line in found] == [0, 0]
