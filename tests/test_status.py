"""`visionhub status`: coverage and missingness."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from tests.made import Made, made_study
from visionhub.cli.status import status
from visionhub.report.coverage import coverage, in_short
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


def test_what_cannot_be_read_is_told_by_name(made: Made) -> None:
    with StudyFile(made.path) as study:
        found = coverage(study)["unreadable"]
        paths = study.query(
            "SELECT path FROM paths p LEFT JOIN images i ON i.id = p.image_id "
            "WHERE coalesce(i.problem, p.problem) IS NOT NULL"
        ).column("path")
    assert {entry["path"] for entry in found} == set(paths) != set()
    assert {entry["reason"] for entry in found} == {"truncated", "denied"}
    text = run(str(made.path))
    assert all(path in text for path in paths)
    assert f"contact-sheet {made.path} --sort problems" in text


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
    text = run(str(made.path))
    assert "1 run did not finish: the same command again goes on where it stopped" in text
    assert "5 images in 7 files, 1 run\n" in text


def test_files_that_never_became_images_are_told_under_the_percentages(made: Made) -> None:
    assert "1 file could not be read and is in no percentage." in run(str(made.path))


def test_reasons_of_one_kind_are_one_line(tmp_path) -> None:
    made = made_study(tmp_path)
    with StudyFile(made.path, write=True) as study, study.transaction() as sql:
        for name, score in (("none", "0.123456"), ("below", "9.1e-05")):
            reason = f"the best score, {score}, is below min_score 0.7"
            key = (reason, made.ids[name])
            sql.execute(
                "UPDATE status SET status = 'below_floor', reason = ? WHERE task = 'labels' "
                "AND image_id = ?",
                key,
            )
        for number in (1, 2):
            problem = f"no_access: [Errno 13] Permission denied: '/{number}.jpg'"
            sql.execute(
                "INSERT INTO paths (path, problem, seen_at) VALUES (?, ?, '')",
                (f"/{number}.jpg", problem),
            )
    with StudyFile(made.path) as study:
        found = coverage(study)
    floors = [r for r in found["reasons"] if r["status"] == "below_floor"]
    assert [(r["reason"], r["images"]) for r in floors] == [
        ("the best score is below min_score 0.7", 2)
    ]
    assert found["unreadable_files"] == [
        {"reason": "no_access", "files": 2},
        {"reason": "denied", "files": 1},
    ]


@pytest.mark.parametrize(
    ("reason", "short"),
    [
        ("unreadable image: no_access: [Errno 13] …", "unreadable image: no_access"),
        ("unreadable image: truncated (the file ends early)", "unreadable image: truncated"),
        ("the service was down: try later", "the service was down: try later"),
        ("missing", "missing"),
    ],
)
def test_only_what_differs_by_image_is_dropped_from_a_reason(reason: str, short: str) -> None:
    assert in_short(reason) == short


def test_answers_to_several_questions_are_told_apart(made: Made, tmp_path) -> None:
    with StudyFile(made.path) as study:
        assert coverage(study)["mixed"] == []
    other = made_study(tmp_path)
    with StudyFile(other.path, write=True) as study, study.transaction() as sql:
        sql.execute(
            "INSERT INTO questions (provider, task, revision, parameters, scale) VALUES "
            "('made', 'faces', 'made@faces', '{\"attributes\":[\"age\",\"gender\"],"
            "\"min_score\":0.05}', 'probability')"
        )
        sql.execute(
            "UPDATE requests SET question_id = last_insert_rowid() WHERE id = (SELECT request_id "
            "FROM status WHERE task = 'faces' AND image_id = ?)",
            (other.ids["full"],),
        )
    with StudyFile(other.path) as study:
        [mixed] = coverage(study)["mixed"]
    assert (mixed["task"], mixed["provider"]) == ("faces", "made")
    assert [(q["revision"], q["parameters"]) for q in mixed["questions"]] == [
        ("made@faces", {}),
        ("made@faces", {"attributes": ["age", "gender"]}),
    ]
    assert mixed["questions"][1]["images"] == 1
    text = run(str(other.path))
    assert "faces · made: current answers come from 2 questions" in text
    assert "attributes=age,gender" in text
