"""`visionhub status`: coverage and missingness."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from tests.made import Made, made_study
from visionhub.cli.status import status
from visionhub.report.coverage import coverage
from visionhub.store.study import StudyFile


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made_study(tmp_path_factory.mktemp("status"))


def run(*arguments: str) -> str:
    app = typer.Typer()
    app.command()(status)
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_counts_and_percentages_cover_every_image(made: Made) -> None:
    with StudyFile(made.path) as study:
        found = coverage(study)
    assert (found["images"], found["files"], found["runs"]) == (5, 7, 1)
    tasks = {(entry["task"], entry["provider"]): entry for entry in found["tasks"]}
    faces = tasks["faces", "made"]
    assert faces["images"] == {"observed": 2, "error": 2, "not_requested": 1}
    assert faces["percent"] == {"observed": 40.0, "error": 40.0, "not_requested": 20.0}
    assert tasks["labels", "made"]["images"]["below_floor"] == 1
    assert tasks["text", "made"]["images"]["refused"] == 1
    assert tasks["objects", "made"]["images"]["truncated"] == 1
    assert tasks["labels", "other"]["images"] == {"unsupported": 1, "not_requested": 4}
    assert all(sum(entry["images"].values()) == 5 for entry in tasks.values())


def test_reasons_problems_and_unknown_members_are_told(made: Made) -> None:
    with StudyFile(made.path) as study:
        found = coverage(study)
    reasons = {(r["task"], r["status"], r["reason"]) for r in found["reasons"]}
    assert ("text", "refused", "too small <i>") in reasons
    assert ("faces", "error", "unreadable image: truncated") in reasons
    assert found["unreadable_images"] == [{"reason": "truncated", "images": 1}]
    assert found["unreadable_files"] == [{"reason": "denied", "files": 1}]
    assert [m["member"] for m in found["unknown_members"]] == ["labels[].new_thing"]


def test_the_table_and_json_say_the_same(made: Made) -> None:
    text = run(str(made.path))
    assert "40.0 % (2)" in text
    assert "labels[].new_thing" in text
    assert "denied" in text
    assert json.loads(run(str(made.path), "--json"))["tasks"][0]["task"] == "labels"


def test_an_empty_study_has_no_percentages(tmp_path) -> None:
    with StudyFile(tmp_path / "study.db", write=True):
        pass
    assert "Nothing was asked yet" in run(str(tmp_path / "study.db"))


def test_unfinished_runs_are_told(tmp_path) -> None:
    made = made_study(tmp_path)
    with StudyFile(made.path, write=True) as study, study.transaction() as sql:
        sql.execute("UPDATE runs SET finished_at = NULL")
    assert "1 runs did not finish" in run(str(made.path))
