"""`visionhub compare` as a user types it: what it prints and writes; what it refuses, and how."""

from __future__ import annotations

import csv
import fcntl
import hashlib
import json
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from tests.compared import Maker, coded, faces, labels, likely, objects, percent, safe, text
from visionhub.analysis.measured import MEANINGS
from visionhub.analysis.methods import method_of
from visionhub.cli import app
from visionhub.errors import UsageError, VisionHubError
from visionhub.schema import Annotation, Scale, Task

SENSITIVE = re.compile(r"gender|emotion|\bage\b|female|happy|sorrow", re.IGNORECASE)
NAMES = [f"{n:02}.jpg" for n in range(12)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that can be compared, of two providers; guesses among it."""
    maker = Maker(tmp_path_factory.mktemp("compare") / "study.db")
    random = np.random.default_rng(1)
    words = ["dog", "cat", "sky", "NA", "=1+1", "<b>bold</b>", "caf\u00e9"]
    guesses = {"age": 30, "gender": "Female", "emotion": {"happy": percent(90)}}
    place = (0.1, 0.1, 0.4, 0.4)
    for name, scale in (("one", Scale.LIKELIHOOD), ("other", Scale.PERCENT)):
        score = likely("LIKELY") if scale is Scale.LIKELIHOOD else percent(60)

        def some() -> Annotation:
            return labels(*random.choice(words, 3, replace=False).tolist())

        def thing() -> Annotation:
            return objects(("dog", (0.1, 0.1, 0.5 + random.uniform(0, 0.1), 0.5), 0.9))

        def face() -> Annotation:
            return faces((place, {"roll": random.normal(0, 9), "smile": "true", **guesses}))

        def read() -> Annotation:
            return text("STOP HERE"[: random.integers(3, 9)])

        for task, make in (
            (Task.LABELS, some),
            (Task.OBJECTS, thing),
            (Task.FACES, face),
            (Task.TEXT, read),
        ):
            maker.answered(name, task, {n: make() for n in NAMES})
        said = {n: safe(adult=score) for n in NAMES}
        maker.answered(name, Task.SAFE_SEARCH, said, scale=scale)
    return maker.path


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    error: str


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Run in an empty folder; a VisionHubError ends it with its sentence, as `main` prints it."""
    monkeypatch.chdir(tmp_path)

    def command(*words: object, quick: bool = True) -> Done:
        given = ["compare", *map(str, words), *(["--draws", "100"] if quick else [])]
        done = CliRunner().invoke(app, given)
        error = done.exception
        if isinstance(error, VisionHubError):
            return Done(error.exit_code, done.stdout, str(error))
        if error is not None and not isinstance(error, SystemExit):
            raise error
        return Done(done.exit_code, done.stdout, done.stderr)

    return command


def tables(folder: Path) -> dict[str, list[dict[str, str]]]:
    found = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            found[path.stem] = list(csv.DictReader(file))
    return found


def strict(text_: str) -> Any:
    """JSON without NaN and Infinity, which are none."""

    def refuse(word: str) -> None:
        raise AssertionError(word)

    return json.loads(text_, parse_constant=refuse)


# What it gives


def test_json_has_everything_and_no_nan(run, made: Path) -> None:
    done = run(made, "--json")
    assert done.code == 0
    found = strict(done.out)
    assert [part["task"] for part in found["tasks"]] == [
        "labels", "objects", "faces", "text", "safe_search",
    ]  # fmt: skip
    assert found["about"]["draws"] == 100
    for part in found["tasks"]:
        assert part["measures"]
        for row in part["measures"]:
            assert list(row) == list(MEANINGS)
            assert (row["value"] is not None) or row["reason"]
            assert (row["low"] is None) == (row["high"] is None)
            assert row["low"] is not None or row["reason"]
            if row["low"] is not None:
                assert row["low"] <= row["high"]
                assert row["method"]
            if row["value"] is not None:
                assert row["n"] >= row["clusters"] >= 1
        for row in part.get("sweep", ()):
            assert row["n"] >= row["clusters"] >= 1
            assert row["reason"] if row["low"] is None else row["method"] and row["confidence"]


def test_csv_and_parquet_are_what_json_is(run, made: Path, tmp_path: Path) -> None:
    done = run(made, "--json", "--csv", "c", "--parquet", "p")
    rows = [row for part in strict(done.out)["tasks"] for row in part["measures"]]
    read = tables(tmp_path / "c")
    assert len(read["measures"]) == len(rows)
    for mine, theirs in zip(read["measures"], rows, strict=True):
        for name, value in theirs.items():
            assert mine[name] == ("" if value is None else str(value)), name
    for path in (tmp_path / "p").glob("*.parquet"):
        found = pyarrow.parquet.read_table(path).to_pylist()
        assert len(found) == len(read[path.stem])
    measures = pyarrow.parquet.read_table(tmp_path / "p" / "measures.parquet").to_pylist()
    assert measures == [{name: row[name] for name in measures[0]} for row in rows]
    labels_ = {row["thing"] for row in read["cells"]}
    assert {"dog", "cat"} <= labels_
    assert {row["path"] for row in read["apart"]} == set(NAMES)


def test_the_codebook_is_about_comparisons_and_tells_every_column(run, made, tmp_path) -> None:
    assert run(made, "--csv", "c").code == 0
    book = (tmp_path / "c" / "codebook.md").read_text()
    assert "one row a measure" in book
    assert "sent_width" not in book  # that is the export's
    for name, rows in tables(tmp_path / "c").items():
        part = book.split(f"## {name}\n")[1].split("\n## ")[0]
        assert [line.split("`")[1] for line in part.splitlines() if line.startswith("| `")] == list(
            rows[0]
        )


def test_tables_are_replaced_only_when_told_to_and_then_all_of_them(run, made, tmp_path) -> None:
    assert run(made, "--csv", "c").code == 0
    first = tables(tmp_path / "c")
    again = run(made, "--csv", "c")
    assert (again.code, again.out) == (2, "")
    assert "exists already: add --overwrite, or name another folder" in again.error
    assert tables(tmp_path / "c") == first
    assert run(made, "--csv", "c", "--overwrite", "-t", "faces").code == 0
    second = tables(tmp_path / "c")
    assert {row["task"] for row in second["measures"]} == {"faces"}
    assert "cells" not in second  # labels' are of the earlier comparison
    assert (tmp_path / "c" / "codebook.md").read_text().count("## ") == len(second)


def test_guesses_about_people_are_nowhere_unless_asked_for(run, made: Path, tmp_path: Path) -> None:
    done = run(made, "--json", "--csv", "c", "--parquet", "p")
    assert not SENSITIVE.search(done.out.replace('"guesses": "none"', ""))
    assert not SENSITIVE.search(run(made).out)
    for path in (tmp_path / "c").glob("*.csv"):
        assert not SENSITIVE.search(path.read_text()), path
    for path in (tmp_path / "p").glob("*.parquet"):
        assert not SENSITIVE.search(str(pyarrow.parquet.read_table(path).to_pylist())), path
    asked = strict(run(made, "--json", "-t", "faces", "--sensitive", "gender").out)
    things = {row["thing"] for row in asked["tasks"][0]["measures"]}
    assert things == {"", "roll", "smile", "gender"}


def test_nothing_is_written_to_the_study(run, made: Path, tmp_path: Path) -> None:
    before = hashlib.sha256(made.read_bytes()).hexdigest()
    beside = {path.name for path in made.parent.iterdir()}
    path = coded(tmp_path / "ann.csv", *[(n, "dog", "ann", 1) for n in NAMES])
    assert run(made, "--csv", "c", "--codes", path).code == 0
    assert hashlib.sha256(made.read_bytes()).hexdigest() == before
    assert {path.name for path in made.parent.iterdir()} == beside


def test_the_same_seed_gives_the_same_numbers(run, made: Path) -> None:
    first = run(made, "--json", "-t", "text").out
    assert run(made, "--json", "-t", "text").out == first
    other = strict(run(made, "--json", "-t", "text", "--confidence", "0.5").out)
    rows = zip(strict(first)["tasks"][0]["measures"], other["tasks"][0]["measures"], strict=True)
    for wide, narrow in rows:
        assert wide["value"] == narrow["value"]
        assert narrow["confidence"] == (None if narrow["low"] is None else 0.5)
        if wide["low"] is not None and wide["low"] < wide["high"]:
            assert narrow["high"] - narrow["low"] < wide["high"] - wide["low"]


def test_a_task_that_is_named_twice_is_compared_once(run, made: Path) -> None:
    found = strict(run(made, "--json", "-t", "text, text").out)
    assert [part["task"] for part in found["tasks"]] == ["text"]


def test_a_version_that_answered_for_one_task_is_compared_there(run, tmp_path: Path) -> None:
    """--rater one@v2 names a version of labels; text, which it never read, is left out."""
    maker = Maker(tmp_path / "study.db")
    for version in ("v1", "v2"):
        maker.answered("one", Task.LABELS, {n: labels("dog") for n in NAMES}, revision=version)
    maker.answered("one", Task.TEXT, {n: text("a") for n in NAMES}, revision="t1")
    maker.answered("other", Task.LABELS, {n: labels("dog") for n in NAMES})
    maker.answered("other", Task.TEXT, {n: text("a") for n in NAMES})
    found = strict(run("study.db", "--json", "--rater", "one@v2", "--rater", "other").out)
    assert [part["task"] for part in found["tasks"]] == ["labels"]
    refused = run("study.db", "--rater", "one@v2", "--rater", "other", "-t", "text")
    assert refused.code == 2
    assert "one@v2: fits no version of one for text" in refused.error


# On a terminal


def in_terminal(*words: str, columns: int = 80) -> str:
    """What a command prints on a terminal of so many columns."""
    code = "import sys; from visionhub.cli import main; sys.argv[0] = 'visionhub'; main()"
    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
    with subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdout=theirs, stdin=theirs, stderr=subprocess.PIPE,
        env=environment | {"NO_COLOR": "1", "TERM": "xterm"},
    ) as running:  # fmt: skip
        os.close(theirs)
        said = b""
        while True:
            try:
                block = os.read(mine, 1 << 16)
            except OSError:
                break
            if not block:
                break
            said += block
        errors = running.stderr.read().decode()
    os.close(mine)
    assert running.returncode == 0, errors
    return re.sub(r"\x1b\[[0-9;]*m", "", said.decode()).replace("\r\n", "\n")


def test_eighty_columns_are_enough(made: Path, tmp_path: Path) -> None:
    rows = [
        (n, label, coder, 1) for n in NAMES for label in ("dog", "sky") for coder in ("ann", "bob")
    ]
    codes = coded(tmp_path / "codes.csv", *rows)
    shown = in_terminal("compare", str(made), "--draws", "100", "--codes", codes)
    assert max(map(len, shown.splitlines())) <= 80
    assert "[0.00, " in shown or "[0." in shown
    # No interval is torn apart over two lines.
    assert not [line for line in shown.splitlines() if re.search(r"\[-?\d\.\d\d,$", line.rstrip())]
    assert "one ~ other" in shown
    assert len(shown.splitlines()) < 260


def test_every_measure_of_a_comparison_is_described(run, made: Path, tmp_path: Path) -> None:
    boxes = [(n, "dog", "ann", 1, 0.1, 0.1, 0.5, 0.5) for n in NAMES]
    columns = "image,label,coder,value,x_min,y_min,x_max,y_max"
    codes = coded(tmp_path / "codes.csv", *boxes, columns=columns)
    words = ("--json", "--codes", codes, "--gold", "ann", "--sensitive", "age,gender,emotion")
    done = run(str(made), *words)
    assert done.code == 0, done.error
    tasks = strict(done.out)["tasks"]
    assert len(tasks) == 5
    named = {row["measure"] for task in tasks for row in task["measures"]}
    assert {name for name in named if method_of(name) is None} == set()


def test_hostile_words_do_nothing_to_a_terminal(run, tmp_path: Path) -> None:
    maker = Maker(tmp_path / "study.db")
    evil = ["\x1b[2Jgone", "\u202ereversed", "[red]markup[/red]", "a\nb\tc", "x" * 300]
    for name in ("one", "other"):
        maker.answered(name, Task.LABELS, {n: labels(*evil) for n in NAMES})
    done = run("study.db")
    assert done.code == 0
    assert not set("\x1b\u202e") & set(done.out)
    found = strict(run("study.db", "--json", "--csv", "c").out)
    exact = next(row for row in found["tasks"][0]["measures"] if row["measure"] == "jaccard")
    assert exact["value"] == 1


# What it refuses


def refused(done: Done, code: int, *parts: str) -> None:
    """One sentence or two, no traceback, and nothing on standard output."""
    assert (done.code, done.out) == (code, "")
    assert "Traceback" not in done.error
    assert "\n" not in done.error.strip() or done.error.startswith("Usage:")
    for part in parts:
        assert part in done.error


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["-t", "banana"], ["-t banana", "choose among labels, objects, faces"]),
        (["-t", "ratings"], ["-t ratings", "--codes"]),
        (["--rater", "gogle", "--rater", "one"], ["--rater gogle", "one, other"]),
        (["--rater", "gogle"], ["--rater gogle"]),
        (["--rater", "one@v9", "--rater", "other"], ["--rater one@v9: fits no version", "one@1"]),
        (["--rater", "one"], ["--rater names one alone: name another", "--codes"]),
        (["--rater", "one", "-t", "text"], ["and of those that --rater names one has"]),
        (["--rater", "one", "--rater", "one"], ["two raters are called one", "a=one"]),
        (["--rater", "a=one", "--rater", "b=one"], ["a and b are the very same answers"]),
        (["--rater", "=one"], ["--rater =one", "NAME=PROVIDER"]),
        (["--rater", ""], ["write it as PROVIDER"]),
        (["--confidence", "0"], ["--confidence 0", "between 0 and 1"]),
        (["--confidence", "1"], ["--confidence 1", "such as 0.95"]),
        (["--confidence", "nan"], ["--confidence nan"]),
        (["--confidence", "-3"], ["--confidence -3"]),
        (["--sensitive", "wealth"], ["--sensitive wealth: choose among age, gender, emotion"]),
        (["--codes", "none.csv"], ["--codes none.csv is not there"]),
        (["--codes", "."], ["--codes . is a folder: name a file"]),
        (["--crosswalk", "none.csv"], ["--crosswalk none.csv"]),
        (["--codebook", "none.toml"], ["--codebook none.toml"]),
        (["--source", "none.csv:outlet"], ["--source none.csv"]),
        (["--source", "outlet"], ["--source outlet: write it as TABLE.csv:COLUMN, or folder"]),
        (["--gold", "ann"], ["--gold ann: there is no such coder; there is nobody"]),
    ],
)  # fmt: skip
def test_bad_words_are_one_sentence_that_says_what_to_do(run, made, words, parts) -> None:
    refused(run(made, *words), 2, *parts)


@pytest.mark.parametrize(
    "words",
    [["--draws", "99"], ["--draws", "many"], ["--seed", "-1"], ["--most", "0"], ["--nonsense"]],
)
def test_bad_numbers_are_refused(run, made: Path, words: list[str]) -> None:
    refused(run(made, *words, quick=False), 2, words[0])


@pytest.mark.parametrize(
    ("rows", "parts"),
    [
        ([("00.jpg", "dog", "ann", "perhaps")], ["codes.csv, line 2: value 'perhaps'"]),
        ([("00.jpg", "dog", "ann", 1), ("", "dog", "ann", 1)], ["codes.csv, line 3"]),
        ([("nowhere.jpg", "dog", "ann", 1)], ["codes.csv: none of its images is in the study"]),
        ([("00.jpg", "dog", "one", 1)], ["the coder 'one' has the name of a provider", "--rater"]),
    ],
)
def test_bad_codes_name_the_file_and_the_line(run, made, tmp_path, rows, parts) -> None:
    path = coded(tmp_path / "codes.csv", *rows)
    refused(run(made, "--codes", path), 2, "--codes", *parts)


def test_gold_is_a_coder_with_boxes(run, made: Path, tmp_path: Path) -> None:
    path = coded(tmp_path / "codes.csv", ("00.jpg", "dog", "ann", 1))
    refused(run(made, "--codes", path, "--gold", "eve"), 2, "--gold eve", "there is ann")
    refused(run(made, "--codes", path, "--gold", "ann"), 2, "--gold ann", "has drawn no boxes")


def test_a_coder_called_like_a_provider_that_is_called_otherwise_is_fine(
    run, made, tmp_path
) -> None:
    path = coded(tmp_path / "codes.csv", *[(n, "dog", "one", 1) for n in NAMES])
    done = run(made, "--codes", path, "--rater", "p=one", "-t", "labels", "--json")
    assert [rater["rater"] for rater in strict(done.out)["tasks"][0]["raters"]] == ["p", "one"]


def test_a_study_with_nothing_in_it_is_one_sentence(run, tmp_path: Path) -> None:
    maker = Maker(tmp_path / "empty.db")
    maker.answered("one", Task.LABELS, {})
    refused(run("empty.db"), 2, "empty.db: no task has answers of two raters")
    path = coded(tmp_path / "codes.csv", ("a.jpg", "dog", "ann", 1))
    refused(run("empty.db", "--codes", path), 2, "none of its images is in the study")


def test_what_is_no_study_is_one_sentence(run, tmp_path: Path) -> None:
    refused(run("none.db"), 1, "There is no study 'none.db'")
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "text.db").write_text("no database")
    refused(run("text.db"), 1, "'text.db' is no study")
    assert run(".").code in (1, 2)
    assert "Traceback" not in run(".").error


def test_one_image_is_compared_and_has_no_interval(run, tmp_path: Path) -> None:
    maker = Maker(tmp_path / "study.db")
    for name in ("one", "other"):
        maker.answered(name, Task.LABELS, {"a.jpg": labels("dog")})
        maker.answered(name, Task.OBJECTS, {"a.jpg": objects(("dog", (0, 0, 1, 1), 0.9))})
        maker.answered(name, Task.FACES, {"a.jpg": faces(((0, 0, 1, 1), {"smile": "true"}))})
        maker.answered(name, Task.TEXT, {"a.jpg": text("a")})
        maker.answered(name, Task.SAFE_SEARCH, {"a.jpg": safe(adult=percent(3))})
    assert run("study.db").code == 0
    for part in strict(run("study.db", "--json").out)["tasks"]:
        assert all(row["low"] is None and row["reason"] for row in part["measures"])


def test_raters_without_an_image_in_common_are_compared_and_told_so(run, tmp_path: Path) -> None:
    maker = Maker(tmp_path / "study.db")
    for name, image in (("one", "a.jpg"), ("other", "b.jpg")):
        maker.answered(name, Task.LABELS, {image: labels("dog")})
        maker.answered(name, Task.OBJECTS, {image: objects(("dog", (0, 0, 1, 1), 0.9))})
        maker.answered(
            name, Task.FACES, {image: faces(((0, 0, 1, 1), {"smile": "true", "roll": 3}))}
        )
        maker.answered(name, Task.TEXT, {image: text("a")})
        maker.answered(name, Task.SAFE_SEARCH, {image: safe(adult=percent(3))})
    assert run("study.db", "--csv", "c").code == 0
    for part in strict(run("study.db", "--json", "--sensitive", "age,gender,emotion").out)["tasks"]:
        assert all(row["value"] is None and row["reason"] for row in part["measures"])


def test_tables_go_into_no_file_and_no_place_that_is_closed(
    run, made, tmp_path, monkeypatch
) -> None:
    (tmp_path / "file").write_text("mine")
    refused(run(made, "--csv", "file"), 2, "Cannot make the folder 'file'")
    refused(run(made, "--csv", "file/c"), 2, "Cannot make the folder 'file/c'")
    assert (tmp_path / "file").read_text() == "mine"

    def closed(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "mkstemp", closed)
    refused(run(made, "--csv", "c"), 1, "Cannot write 'c/", "Permission denied")


def test_no_table_is_left_when_one_cannot_be_written(run, made, tmp_path, monkeypatch) -> None:
    from visionhub.report.formats import Csv

    write = Csv.write

    def full(self: Csv, table: Any, rows: Any, file: Any) -> int:
        if table.name == "sweep":
            raise OSError(28, "No space left on device")
        return write(self, table, rows, file)

    monkeypatch.setattr(Csv, "write", full)
    refused(run(made, "--csv", "c"), 1, "No space left on device")
    assert list((tmp_path / "c").iterdir()) == []


# Quick help, and exit codes of the process itself


@pytest.mark.parametrize("words", [["--help"], ["compare", "--help"]])
def test_help_loads_no_heavy_library(words: list[str]) -> None:
    code = (
        "import sys; from visionhub.cli import main; sys.argv = ['visionhub', *sys.argv[1:]]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'scipy', 'pandas', 'sklearn', 'statsmodels', 'rapidfuzz', 'pyarrow'}\n"
        "print('loaded', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1] == "loaded []", done.stderr
    assert "compare" in done.stdout


def test_the_process_ends_with_a_sentence_and_its_code(made: Path, tmp_path: Path) -> None:
    code = "import sys; from visionhub.cli import main; sys.argv[0] = 'visionhub'; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "compare", str(made), "-t", "banana"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (UsageError.exit_code, "")
    assert done.stderr.startswith("Error: -t banana: choose among")
    assert done.stderr.count("\n") == 1
