"""What becomes of every member of an answer: the table, its page, and what in a study is new."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from typer.testing import CliRunner

import visionhub
from tests.conftest import ROOT, jpeg
from visionhub import registry
from visionhub.cli import app
from visionhub.errors import UnknownProvider, UsageError
from visionhub.report.mapping import chosen, mapping_page, rows
from visionhub.store.tables import TABLES


@pytest.fixture
def earlier(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only this provider is installed."""
    entry = EntryPoint("earlier", "tests.earlier:Earlier", registry.GROUP)
    monkeypatch.setattr(registry, "_found", lambda: {"earlier": entry})


def run(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(words), catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def test_the_table_says_what_becomes_of_each_member(earlier) -> None:
    code, out, _ = run("schema")
    assert code == 0
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "words[].p → labels.score" in lines
    assert "took dropped: seconds that it took: says nothing about the picture" in lines
    found = json.loads(run("schema", "--json", "--provider", "earlier", "--task", "faces")[1])
    members = {row["member"]: (row["column"], row["reason"]) for row in found}
    assert members == {
        "heads[].x": ("faces.x_min", ""),
        "heads[].age": ("face_attributes.number", ""),
        "took": ("", "seconds that it took: says nothing about the picture"),
        "error": ("", "in status.reason"),
    }
    assert rows(chosen("earlier"), "logos") == []


def test_words_that_are_none_are_refused(earlier) -> None:
    with pytest.raises(UsageError, match="--task wings"):
        run("schema", "--task", "wings")
    with pytest.raises(UnknownProvider, match="nobody"):
        run("schema", "--provider", "nobody")


def test_a_new_member_is_announced_and_listed(earlier, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(3):
        (photos / f"{number}.jpg").write_bytes(jpeg(60, 40, shift=number * 9))
    code, _, err = run("annotate", "photos", "-p", "earlier", "-t", "labels,faces")
    assert code == 0
    (warned,) = (line for line in err.splitlines() if "visionhub schema study.db" in line)
    assert warned.startswith("WARNING 1 member of what came back (in up to 6 answers) is new")
    assert "schema" not in run("annotate", "photos", "-p", "earlier", "-t", "labels")[2]

    found = json.loads(run("schema", "study.db", "--json")[1])
    assert [(row["provider"], row["task"], row["member"], row["answers"]) for row in found] == [
        ("earlier", "faces", "wow", 3),
        ("earlier", "labels", "wow", 3),
    ]
    seen = visionhub.Study().query("SELECT min(received_at) FROM bodies").rows[0][0]
    assert {(row["revision"], row["first_seen"]) for row in found} == {("1", seen)}
    assert "wow" in run("schema", "study.db")[1]
    assert json.loads(run("schema", "study.db", "--task", "text", "--json")[1]) == []
    assert "Nothing" in run("schema", "study.db", "-p", "earlier", "-t", "text")[1]
    with pytest.raises(UnknownProvider, match="other"):
        run("schema", "study.db", "-p", "other")
    with pytest.raises(UsageError, match="--task wings"):
        run("schema", "study.db", "-t", "wings")
    monkeypatch.setattr(registry, "_found", dict)  # its provider is no longer installed
    assert "wow" in run("schema", "study.db", "-p", "earlier")[1]
    assert visionhub.Study().schema().column("member") == ["wow", "wow"]


def test_every_leaf_names_a_table_of_the_study_or_a_reason() -> None:
    """Over the providers that are installed."""
    found = rows(chosen())
    assert found
    for row in found:
        assert bool(row["column"]) != bool(row["reason"]), row
        table, _, column = row["column"].partition(".")
        if table:
            assert table in TABLES, row
            assert column.partition(",")[0].split()[0] in TABLES[table].columns, row
    kinds = {(row["provider"], row["answer"], row["member"]) for row in found}
    assert len(kinds) == len(found), "a member stands in a table twice"


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "mapping.md").read_text("utf-8")
    advice = "run: python -m visionhub.report.mapping > docs/mapping.md"
    assert page == mapping_page(), advice
