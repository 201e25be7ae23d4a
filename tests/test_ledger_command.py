"""`visionhub prices` and `visionhub ledger`: what is charged, what was spent, what is in doubt."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.ledgers import check_sums
from tests.spender import LABELS, SAFE, TEXT, Spender, question
from visionhub.cli import app
from visionhub.errors import ProviderError, StudyError
from visionhub.pricing import PriceTable
from visionhub.provider import Body
from visionhub.report.spending import GROUPS, _advice, ambiguous, spending, spent
from visionhub.schema import Annotation, Status
from visionhub.store.items import Answer, PackedBody, RenderingRow
from visionhub.store.ledger import State
from visionhub.store.ledger_owners import LOST
from visionhub.store.record import Recorder
from visionhub.store.study import StudyFile


@pytest.fixture
def spender(tmp_path: Path) -> Spender:
    """Two answers, one refused for its rate, one lost; under a cap of 0.02 USD."""
    one = Spender(tmp_path / "study.db")
    one.call(1, [LABELS, SAFE], State.SETTLED)
    one.call(2, [LABELS, SAFE], State.SETTLED)
    one.call(3, [LABELS], State.RELEASED, why="a slower rate is asked for")
    one.clock.now += 86_400
    one.call(4, [LABELS, TEXT], State.UNKNOWN, why="timed out", cap=20_000)
    return one


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_spend_by_each_grouping(spender: Spender) -> None:
    with StudyFile(spender.path) as study:
        check_sums(study)
        found = {by: spending(study, by) for by in GROUPS}
    for groups in found.values():
        assert groups["accounts"] == [
            {
                "currency": "USD",
                "cap": 20_000,
                "settled": 3_000,
                "unknown": 3_000,
                "held": 0,
                "left": 14_000,
            }
        ]
        assert sum(entry["spent"] for entry in groups["spent"]) == 6_000
    (whole,) = found["provider"]["spent"]
    assert (whole["provider"], whole["attempts"], whole["requests"]) == ("google", 4, 7)
    assert (whole["settled"], whole["unknown"], whole["released"], whole["held"]) == (4, 2, 1, 0)
    assert (whole["units"], whole["in_doubt"], whole["on_hold"]) == (4, 3_000, 0)
    tasks = {entry["task"]: entry["spent"] for entry in found["task"]["spent"]}
    assert tasks == {"labels": 4_500, "safe_search": 0, "text": 1_500}
    days = {entry["day"]: entry["spent"] for entry in found["day"]["spent"]}
    assert days == {"2026-11-23": 3_000, "2026-11-24": 3_000}
    lines = {entry["sku"]: entry["units"] for entry in found["line"]["spent"]}
    assert lines == {LABELS: 3, SAFE: 0, TEXT: 1}
    assert [entry["run"] for entry in found["run"]["spent"]] == [1]


def test_the_command_shows_the_account_and_the_table(spender: Spender) -> None:
    text = run("ledger", "--study", str(spender.path), "--by", "task").stdout
    assert "cap 0.02 USD · settled 0.003 USD" in text
    assert "unknown, counted as spent, 0.003 USD" in text
    assert "left 0.014 USD" in text
    assert "safe_search" in text
    assert f"visionhub ledger ambiguous --study {spender.path}" in text
    assert "REHEARSAL" not in text
    document = json.loads(run("ledger", "-s", str(spender.path), "--json").stdout)
    assert document["spent"][0]["spent"] == 6_000


def test_what_is_held_is_told(tmp_path: Path) -> None:
    spender = Spender(tmp_path / "study.db")
    with (
        StudyFile(spender.path, write=True) as study,
        spender.open(study, None) as ledger,
    ):
        ledger.reserve(spender.wanted(5, [LABELS]))
        text = run("ledger", "--study", str(spender.path)).stdout
    assert "no cap" in text
    assert "held 0.0015 USD" in text
    assert "left" not in text


def test_csv_is_in_units_of_the_currency(spender: Spender, tmp_path: Path) -> None:
    printed = run("ledger", "--study", str(spender.path), "--by", "line", "--csv", "-").stdout
    rows = list(csv.DictReader(io.StringIO(printed)))
    assert {row["sku"]: row["spent"] for row in rows}[LABELS] == "0.0045"
    target = tmp_path / "spend.csv"
    run("ledger", "--study", str(spender.path), "--by", "line", "--csv", str(target))
    assert target.read_text() == printed


def test_a_study_without_a_ledger_says_so(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    StudyFile(path, write=True).close()
    assert "it has no ledger" in run("ledger", "--study", str(path)).stdout
    assert "None: nothing" in run("ledger", "ambiguous", "--study", str(path)).stdout
    header = run("ledger", "ambiguous", "--study", str(path), "--csv", "-").stdout
    assert header.startswith("path,image,provider,task")
    assert len(header.splitlines()) == 1


def test_a_study_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"none\.db"):
        run("ledger", "--study", str(tmp_path / "none.db"))
    assert not (tmp_path / "none.db").exists()


def test_a_rehearsal_is_marked(tmp_path: Path) -> None:
    one = Spender(tmp_path / "study.db", rehearsal=True)
    one.call(1, [LABELS], State.SETTLED)
    assert "REHEARSAL" in run("ledger", "--study", str(one.path)).stdout


def test_advice_is_for_what_is_still_open() -> None:
    said = " ".join(_advice(["asked again"]))
    assert "1 request, 0 still open" in said
    assert "reconcile" not in said


def test_ambiguous_requests_are_listed_with_their_cost(spender: Spender) -> None:
    text = run("ledger", "ambiguous", "--study", str(spender.path)).stdout
    assert "photo4.jpg" in text
    assert "timed out" in text
    assert "0.0015 USD" in text
    assert "2 requests, 2 still open" in text
    before = run("ledger", "--study", str(spender.path), "ambiguous", "--json").stdout
    found = json.loads(before)
    assert [(e["path"], e["task"], e["cost"], e["now"]) for e in found] == [
        ("photo4.jpg", "labels", 1_500, "open"),
        ("photo4.jpg", "text", 1_500, "open"),
    ]
    printed = run("ledger", "ambiguous", "--study", str(spender.path), "--csv", "-").stdout
    assert [row["cost"] for row in csv.DictReader(io.StringIO(printed))] == ["0.0015", "0.0015"]


def test_what_a_dead_process_holds_is_in_doubt_before_any_run_says_so(spender: Spender) -> None:
    with StudyFile(spender.path, write=True) as study, spender.open(study, None) as ledger:
        ledger.reserve(spender.wanted(5, [LABELS]))
        assert len(ambiguous(study)) == 2  # its process lives
        with study.transaction() as sql:
            sql.execute("UPDATE owners SET started = '1' WHERE ended_at IS NULL")
        found = list(ambiguous(study))[-1]
        assert (found["path"], found["cost"], found["now"]) == ("photo5.jpg", 1_500, "open")
        assert found["why"] == LOST


def test_columns_that_hold_nothing_are_left_out(tmp_path: Path) -> None:
    one = Spender(tmp_path / "study.db")
    one.call(1, [LABELS], State.SETTLED)
    header = run("ledger", "--study", str(one.path)).stdout.splitlines()[4].split()
    assert header == ["provider", "attempts", "units", "settled", "spent"]
    one.call(2, [LABELS], State.UNKNOWN)
    header = run("ledger", "--study", str(one.path)).stdout.splitlines()[4].split()
    assert header == [
        *("provider", "attempts", "units", "settled", "unknown", "spent"),
        *("in", "doubt"),
    ]


def test_an_answer_to_a_later_attempt_is_told(spender: Spender) -> None:
    assert spender.call(4, [LABELS], State.SETTLED, retry=True).granted
    with StudyFile(spender.path) as study:
        now = {e["task"]: e["now"] for e in ambiguous(study)}
        assert spent(study, "provider").column("spent") == [7_500]
    assert now == {"labels": "answered since", "text": "open"}


def test_an_answer_that_came_in_another_way_is_told(spender: Spender) -> None:
    with StudyFile(spender.path, write=True) as study:
        recorder = Recorder(study, 1)
        with study.transaction():
            sent = RenderingRow("s", "image/jpeg", 1, 10, 10, ())
            rendering = recorder.rendering(4, "limits", sent)
            body = PackedBody.pack(Body(b"{}"))
            text, labels = question(TEXT), question(LABELS)
            answers = [
                Answer(4, spender.questions[TEXT], text, Annotation(Status.OBSERVED), body),
                Answer(4, spender.questions[LABELS], labels, ProviderError("timed out"), None),
            ]
            recorder.answers(answers, {4: rendering})
    with StudyFile(spender.path) as study:
        now = {e["task"]: e["now"] for e in ambiguous(study)}
    assert now == {"labels": "open", "text": "answered since"}


def test_prices_are_listed_and_read_back(tmp_path: Path) -> None:
    text = run("prices").stdout
    for part in ("1.50 USD to 5,000,000, then 0.60 USD", "no price", "us-east-1", "sha256"):
        assert part in text
    path = tmp_path / "my.toml"
    path.write_text(run("prices", "--toml").stdout)
    assert tomllib.loads(path.read_text())["version"] == PriceTable.packaged().version
    again = json.loads(run("prices", "--prices", str(path), "--json").stdout)
    assert again == json.loads(run("prices", "--json").stdout)
    assert again["sha256"] == PriceTable.packaged().sha256
    assert {"tiers", "note", "age_days", "billing"} <= set(again["prices"][0])
