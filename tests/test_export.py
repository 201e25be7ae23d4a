"""`visionhub export`: tidy tables in three formats, the same values in each."""

from __future__ import annotations

import csv
import io
import json
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner
from visionhub_embedded import detectors, faces, objects, people

from tests.made import ESCAPE, FORMULA, HOSTILE, SCRIPT, Made, made_study
from visionhub.cli import export as command
from visionhub.errors import MissingExtra, UsageError, VisionHubError
from visionhub.report import files, formats
from visionhub.report.export import ExportOptions, export
from visionhub.report.tidy import ANNOTATIONS, EXPORTED, tidy_table
from visionhub.schema import Status
from visionhub.store.study import StudyFile


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made_study(tmp_path_factory.mktemp("export"), clouds=True)


def write(made: Made, out: Path, **options: object) -> dict[str, int]:
    with StudyFile(made.path) as study:
        return {w.table: w.rows for w in export(study, out, ExportOptions(**options))}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_table_is_written_with_a_row_that_stands_alone(made: Made, tmp_path) -> None:
    counts = write(made, tmp_path / "out")
    assert counts == {
        "images": 5, "paths": 7, "questions": 15, "status": 80, "labels": 13, "objects": 3,
        "faces": 2, "face_landmarks": 2, "face_attributes": 2, "people": 2, "keypoints": 2,
        "text_lines": 11, "safe_search": 1, "landmarks": 1, "logos": 1, "colors": 1,
        "crop_hints": 1, "web": 1, "celebrities": 2, "face_matches": 2, "face_boxes": 1,
        "equipment": 2, "image_attributes": 1,
    }  # fmt: skip
    for table in set(counts) & set(ANNOTATIONS):
        rows = rows_of(tmp_path / "out" / f"{table}.csv")
        assert len(rows) == counts[table]
        for row in rows:
            assert row["path"]
            assert len(row["image"]) == 64
            assert row["provider"] in ("made", "cloud")
            assert (row["floor"], row["current"]) == ("0.05", "1")
            assert row["revision"].startswith("made@")
            assert "scale" in row or table == "face_boxes"


def test_values_survive_as_they_are(made: Made, tmp_path) -> None:
    write(made, tmp_path, tables=("labels", "objects", "safe_search", "keypoints"))
    names = [row["name"] for row in rows_of(tmp_path / "labels.csv")][:12]
    assert tuple(names) == ("golden retriever", *HOSTILE)[:12]
    dog = rows_of(tmp_path / "objects.csv")[0]
    assert (dog["score"], dog["scale"], dog["x_max"]) == ("96.25", "percent", str(1 / 3))
    assert (dog["sent_width"], dog["sent_height"]) == ("320", "240")
    unsafe = rows_of(tmp_path / "safe_search.csv")[0]
    assert (unsafe["score"], unsafe["score_word"]) == ("", "VERY_UNLIKELY")
    assert rows_of(tmp_path / "keypoints.csv")[0]["scale"] == "uncalibrated"


def test_status_tells_what_was_not_asked(made: Made, tmp_path) -> None:
    write(made, tmp_path, tables=("status",))
    rows = rows_of(tmp_path / "status.csv")
    found = {(r["path"].rpartition("/")[2], r["provider"], r["task"]): r["status"] for r in rows}
    assert len(found) == 80
    assert found["none.jpg", "other", "labels"] == "not_requested"
    assert found["broken.jpg", "made", "faces"] == "error"
    assert found["below.jpg", "made", "labels"] == "below_floor"


def test_formats_agree(made: Made, tmp_path) -> None:
    parquet = pytest.importorskip(
        "pyarrow.parquet", reason="pyarrow not installed: Parquet untested"
    )
    for form in ("csv", "jsonl", "parquet"):
        write(made, tmp_path / form, form=form, embeddings=True)
    for table in EXPORTED:
        plain = rows_of(tmp_path / "csv" / f"{table}.csv")
        text = (tmp_path / "jsonl" / f"{table}.jsonl").read_text("utf-8")
        lines = [json.loads(line) for line in text.splitlines()]  # splits at U+2028 too
        arrow = parquet.read_table(tmp_path / "parquet" / f"{table}.parquet")
        typed = arrow.to_pylist()
        assert len(plain) == len(lines) == len(typed)
        for flat, nested, row in zip(plain, lines, typed, strict=True):
            assert list(flat) == list(nested) == list(row)
            for name, cell in row.items():
                text = (
                    ""
                    if cell is None
                    else json.dumps(cell)
                    if isinstance(cell, list)
                    else str(cell)
                )
                assert flat[name] == text
                assert nested[name] == cell or nested[name] == json.loads(cell)
        assert all(field.metadata[b"description"] for field in arrow.schema)
    labels = parquet.read_schema(tmp_path / "parquet" / "labels.parquet")
    assert str(labels.field("score").type) == "double"


def test_sensitive_tables_are_left_out_unless_asked_for(made: Made, tmp_path) -> None:
    assert "face_embeddings" not in write(made, tmp_path / "a")
    assert write(made, tmp_path / "b", embeddings=True)["face_embeddings"] == 1
    vector = rows_of(tmp_path / "b" / "face_embeddings.csv")[0]["vector"]
    assert json.loads(vector) == [0.5, -1.0]
    with pytest.raises(UsageError, match="--embeddings"):
        write(made, tmp_path / "c", tables=("face_embeddings",))
    other = made_study(tmp_path)
    with StudyFile(other.path, write=True) as study, study.transaction() as sql:
        sql.execute("DELETE FROM face_attributes")
    assert "face_attributes" not in write(other, tmp_path / "d")


def test_excel_safe_disarms_text_and_leaves_numbers(made: Made, tmp_path) -> None:
    write(made, tmp_path, tables=("labels", "images"), excel_safe=True)
    data = (tmp_path / "labels.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    cells = [cell for row in rows for cell in row.values()]
    assert f"'{FORMULA}" in cells
    assert {"'-5", "'+1", "'@here", "'\tcell"} <= set(cells)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    assert SCRIPT in cells
    assert ESCAPE in cells
    assert rows[0]["score"] == "0.9"
    assert formats._disarmed(-1.5) == -1.5
    with pytest.raises(UsageError, match="--excel-safe"):
        write(made, tmp_path / "x", excel_safe=True, form="jsonl")


def test_paths_that_are_no_utf8_survive(made: Made, tmp_path) -> None:
    write(made, tmp_path, tables=("paths",))
    found = {
        row["path_hex"]: row["path"] for row in rows_of(tmp_path / "paths.csv") if row["path_hex"]
    }
    assert list(found) == [os.fsencode(Path(made.photos["odd"]).name).hex()]
    assert "caf\\xe9" in next(iter(found.values()))


def test_older_answers_come_only_when_asked_for(tmp_path) -> None:
    made = made_study(tmp_path)
    with StudyFile(made.path, write=True) as study, study.transaction() as sql:
        task = (made.ids["full"], "labels")
        sql.execute("UPDATE status SET request_id = NULL WHERE image_id = ? AND task = ?", task)
    assert write(made, tmp_path / "now", tables=("labels", "status")) == {"labels": 1, "status": 35}
    counts = write(made, tmp_path / "all", tables=("labels", "status"), all_answers=True)
    assert counts == {"labels": 13, "status": 36}
    rows = rows_of(tmp_path / "all" / "labels.csv")
    assert sorted(row["current"] for row in rows) == ["0"] * 12 + ["1"]
    assert [
        r["status"] for r in rows_of(tmp_path / "all" / "status.csv") if r["current"] == "0"
    ] == ["observed"]


def test_existing_files_are_kept_unless_told_otherwise(made: Made, tmp_path) -> None:
    (tmp_path / "labels.csv").write_text("mine")
    with pytest.raises(UsageError, match="--overwrite"):
        write(made, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["labels.csv"]
    write(made, tmp_path, overwrite=True)
    assert len(rows_of(tmp_path / "labels.csv")) == 13


def test_a_failed_export_leaves_nothing_behind(made: Made, tmp_path, monkeypatch) -> None:
    def fail(*_: object) -> int:
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(formats.JsonLines, "write", fail)
    with pytest.raises(RuntimeError):
        write(made, tmp_path, form="jsonl")
    assert list(tmp_path.iterdir()) == []
    with StudyFile(made.path) as study:
        assert not study.connection.in_transaction


def test_a_full_disk_is_a_sentence_and_no_fault_of_the_user(made: Made, tmp_path, monkeypatch):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here: the full disk is untested")
    (tmp_path / "temporary").touch()
    full = lambda **_: (os.open("/dev/full", os.O_WRONLY), str(tmp_path / "temporary"))  # noqa: E731
    monkeypatch.setattr(files.tempfile, "mkstemp", full)
    with pytest.raises(VisionHubError, match=r"Cannot write .*labels.csv.*: No space") as caught:
        write(made, tmp_path, tables=("labels",))
    assert caught.value.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_path_is_a_fault_of_the_user(tmp_path, monkeypatch) -> None:
    with pytest.raises(UsageError), files.whole(tmp_path / "none" / "file"):
        pass
    with pytest.raises(VisionHubError) as caught, files.whole(tmp_path / "file"):
        raise PermissionError(13, "Permission denied")
    assert type(caught.value) is VisionHubError
    monkeypatch.setattr(Path, "mkdir", raising(OSError(30, "Read-only file system")))
    with pytest.raises(VisionHubError, match="Read-only") as caught:
        files.folder(tmp_path / "out")
    assert type(caught.value) is VisionHubError


def raising(error: Exception) -> Callable[..., None]:
    def call(*_: object, **__: object) -> None:
        raise error

    return call


def test_the_codebook_explains_what_no_row_means(made: Made, tmp_path) -> None:
    write(made, tmp_path, tables=("status",))
    book = json.loads((tmp_path / "codebook.json").read_text("utf-8"))
    meaning = book["status"]["columns"]["status"]["meaning"]
    for status in Status:
        assert status.value in meaning
    assert f"faces {faces.KEPT:g}, people {people.KEPT:g}".replace("0.", ".") in meaning
    assert f"objects {detectors.LEAST:g}".replace("0.", ".") in meaning
    kept = {"faces": faces.KEPT, "people": people.KEPT, "objects": detectors.LEAST}
    for model in (faces.Faces, people.People, objects.Objects):
        lowest = f"{kept[model.task]:g}".removeprefix("0")
        assert f"Candidates of at least {lowest} stay" in model.cards[0].known_limits


def test_what_cannot_be_is_a_sentence(made: Made, tmp_path) -> None:
    with pytest.raises(UsageError, match="csv, parquet, jsonl"):
        write(made, tmp_path, form="xlsx")
    with pytest.raises(UsageError, match="--table people2"):
        write(made, tmp_path, tables=("people2",))
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="Cannot make the folder"):
        write(made, tmp_path / "file" / "out")


def test_parquet_without_its_extra_says_what_to_install(made: Made, tmp_path, monkeypatch) -> None:
    def missing(module: str, extra: str) -> None:
        raise MissingExtra(extra, module)

    monkeypatch.setattr(formats, "import_extra", missing)
    with pytest.raises(MissingExtra, match=r"visionhub\[analysis\]"):
        write(made, tmp_path, form="parquet")


def test_the_codebook_names_every_column(made: Made, tmp_path) -> None:
    write(made, tmp_path, embeddings=True)
    book = json.loads((tmp_path / "codebook.json").read_text("utf-8"))
    text = (tmp_path / "codebook.md").read_text("utf-8")
    for table in EXPORTED:
        with (tmp_path / f"{table}.csv").open(newline="") as file:
            header = next(csv.reader(file))
        assert list(book[table]["columns"]) == header
        assert all(column["meaning"] for column in book[table]["columns"].values())
        assert f"## {table}" in text


def test_nothing_is_sorted_or_held(made: Made) -> None:
    with StudyFile(made.path) as study:
        for name in ANNOTATIONS:
            plan = study.query("EXPLAIN QUERY PLAN " + tidy_table(study, name).sql)
            assert not any("TEMP B-TREE" in step for step in plan.column("detail")), name


@pytest.mark.parametrize("writer", [formats.Csv, formats.JsonLines])
def test_memory_does_not_grow_with_rows(made: Made, tmp_path, writer) -> None:
    with StudyFile(made.path) as study:
        table = tidy_table(study, "labels")
        row = next(study.stream(table.sql))
    peaks = []
    for count in (1_000, 6_000):
        with (tmp_path / "rows").open("wb") as file:
            tracemalloc.start()
            assert writer().write(table, (row for _ in range(count)), file) == count
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < peaks[0] + 100_000


def test_the_command_prints_what_it_wrote(made: Made, tmp_path) -> None:
    app = typer.Typer()
    app.command()(command.export)
    arguments = [str(made.path), "--format", "jsonl", "--out", str(tmp_path), "--table", "labels"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "13 rows" in result.stdout
    assert (tmp_path / "labels.jsonl").exists()
    assert not (tmp_path / "faces.jsonl").exists()
