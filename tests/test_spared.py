"""No option that writes a file replaces a study, in whatever command; all refuse it at once."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import get_type_hints

import pytest
import typer
from typer.testing import CliRunner

from tests.conftest import ROOT
from tests.made import Made, made_study
from tests.spender import LABELS, Spender
from visionhub.cli import app
from visionhub.cli.options import spared
from visionhub.errors import UsageError, VisionHubError
from visionhub.report.export import ExportOptions, export
from visionhub.report.files import whole
from visionhub.store.ledger import State
from visionhub.store.spared import BESIDE, is_database
from visionhub.store.study import StudyFile

SAYS = "it is a study or another SQLite database. Choose another name."


@pytest.fixture
def study(tmp_path: Path) -> Path:
    one = Spender(tmp_path / "study.db")
    one.call(1, [LABELS], State.SETTLED)
    return one.path


WRITERS = {
    "--csv": ["ledger", "--study", "study.db", "--csv"],
    "ambiguous --csv": ["ledger", "ambiguous", "--study", "study.db", "--csv"],
    "--near-list": ["quote", "none", "--study", "study.db", "--near-list"],
    "--report": ["import-bodies", "none", "-p", "nobody", "--images", "none", "--report"],
    "show --out": ["show", "none", "--study", "study.db", "--out"],
    "vocabulary propose --out": ["vocabulary", "propose", "study.db", "--out"],
    "contact-sheet --out": ["contact-sheet", "study.db", "--out"],
}


@pytest.mark.parametrize("command", WRITERS)
@pytest.mark.parametrize("end", ["", *BESIDE])
def test_an_option_that_writes_a_file_spares_a_study(study, monkeypatch, command, end):
    monkeypatch.chdir(study.parent)
    before = {one.name: one.read_bytes() for one in study.parent.iterdir()}
    with pytest.raises(UsageError) as caught:
        CliRunner().invoke(app, [*WRITERS[command], f"study.db{end}"], catch_exceptions=False)
    option = command.split()[-1]
    assert str(caught.value).startswith(f"{option} 'study.db{end}': it ")
    assert caught.value.exit_code == 2
    assert {one.name: one.read_bytes() for one in study.parent.iterdir()} == before


READ = {"study", "named", "prices", "own", "export", "faults", "cassettes", "crosswalk", "codebook"}
FOLDERS = {("export", "out"), ("demo", "out")}
CHECKED = {("compare", "html")}  # its own callback looks at the name first, then spares


def paths(commands: typer.Typer) -> Iterator[tuple[str, str, object]]:
    """Command, name and callback of whatever takes a path."""
    for info in filter(None, [*commands.registered_commands, commands.registered_callback]):
        for name, hint in get_type_hints(info.callback, include_extras=True).items():
            about = next(iter(getattr(hint, "__metadata__", ())), None)
            if "Path" in str(hint):
                yield info.callback.__name__, name, about.callback
    for group in commands.registered_groups:
        yield from paths(group.typer_instance)


def test_every_option_that_takes_a_path_spares_studies_or_writes_nothing():
    """A new one fails here until it has the callback, or stands in a list above."""
    bare = {(command, name) for command, name, callback in paths(app) if callback is not spared}
    assert {one for one in bare if one[1] not in READ} - FOLDERS - CHECKED == set()
    assert {name for _, name, callback in paths(app) if callback is spared} >= {"near_list", "out"}


def test_every_file_for_a_person_is_written_whole():
    """So that none replaces a study: nothing else there opens a file to write."""
    writes = re.compile(r"write_(text|bytes)\(|open\([^)]*[\"'][wax]b?[\"']")
    sources = [ROOT / "visionhub/demo.py", *ROOT.glob("visionhub/[cr]*/**/*.py")]
    assert len(sources) > 50
    assert {one.name for one in sources if writes.search(one.read_text())} == {"files.py"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made_study(tmp_path_factory.mktemp("export"))


@pytest.mark.parametrize("end", ["", *BESIDE])
def test_the_library_spares_a_study_too(study, end):
    before = study.read_bytes()
    target = study.with_name(f"study.db{end}")
    there = target.exists()
    with pytest.raises(UsageError, match=r"Cannot write .*study\.db"), whole(target):
        raise AssertionError("the block is not entered")
    assert study.read_bytes() == before
    assert target.exists() is there


def test_a_study_that_is_made_meanwhile_is_spared(tmp_path):
    path = tmp_path / "new.db"
    with pytest.raises(UsageError, match=SAYS), whole(path):
        StudyFile(path, write=True).close()
    StudyFile(path).query("SELECT count(*) FROM images")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["new.db", "new.db.lock"]


def test_a_link_to_a_study_and_a_locked_one_are_spared(study, tmp_path):
    link = tmp_path / "link.csv"
    link.symlink_to(study)
    with pytest.raises(UsageError, match=SAYS), whole(link):
        pass
    with closing(sqlite3.connect(study)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(UsageError, match=SAYS), whole(study):
            pass


@pytest.mark.parametrize("data", [b"", b"\n", b"path,group\n", b"x" * 5000])
def test_what_is_no_database_is_replaced(tmp_path, data):
    path = tmp_path / "near.csv"
    path.write_bytes(data)
    for target in (path, path.with_name("near.csv.lock"), path.with_name(".lock")):
        with whole(target) as file:
            file.write(b"new")
        assert target.read_bytes() == b"new"


def test_a_table_that_is_exported_replaces_no_study(made: Made, tmp_path):
    study = tmp_path / "labels.csv"
    StudyFile(study, write=True).close()
    before = study.read_bytes()
    with StudyFile(made.path) as opened:
        with pytest.raises(UsageError, match=r"labels\.csv"):
            export(opened, tmp_path, ExportOptions(overwrite=True))
        with pytest.raises(VisionHubError, match="Cannot make the folder") as caught:
            export(opened, study, ExportOptions(overwrite=True))
    assert caught.value.exit_code == 2
    assert study.read_bytes() == before
    assert sorted(one.name for one in tmp_path.glob("*.csv")) == ["labels.csv"]


TRY = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('BEGIN IMMEDIATE')"


def test_looking_at_a_study_drops_no_lock_of_this_process(study):
    with StudyFile(study, write=True, shared=True) as opened, opened.transaction() as sql:
        sql.execute("INSERT INTO marks VALUES ('n', '0')")
        assert is_database(study)
        tried = subprocess.run(
            [sys.executable, "-c", TRY, str(study)], capture_output=True, text=True, check=False
        )
    assert "database is locked" in tried.stderr
