"""Earlier answers into a study: whose they are, when they came, what is left out and why."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import visionhub
from tests.conftest import ROOT, jpeg
from tests.earlier import Earlier
from visionhub import registry
from visionhub.cli import app
from visionhub.engine.kept import Lost
from visionhub.errors import UsageError
from visionhub.images import sha256_of

DOG = {"words": [{"word": "dog", "p": 95.5}]}
CAT = {"words": [{"word": "cat", "p": 80.25}]}
NAMES = ("collie.jpg", "mona lisa.JPG", "b/same.jpg", "c/same.jpg", "12345.png")


@pytest.fixture(autouse=True)
def earlier(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only this provider is installed."""
    entry = EntryPoint("earlier", "tests.earlier:Earlier", registry.GROUP)
    monkeypatch.setattr(registry, "_found", lambda: {"earlier": entry})


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for number, name in enumerate(NAMES):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(120, 90, shift=number * 7))
    return folder


class Bench:
    """A study, its photographs, and a folder of answers."""

    def __init__(self, tmp_path: Path, photos: Path) -> None:
        self.study = visionhub.Study(tmp_path / "study.db")
        self.photos, self.answers = photos, tmp_path / "answers"
        self.answers.mkdir()

    def keep(self, name: str, value: object) -> Path:
        path = self.answers / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        path.write_bytes(text)
        return path

    def take(self, *answers: object, **options: Any) -> list[tuple[str, str]]:
        """Import; what was left out, as (name of the source, reason)."""
        lost: list[Lost] = []
        given = {"provider": "earlier", "images": self.photos} | options
        self.last = self.study.import_bodies(
            [str(a) for a in answers] or self.answers, listed=lost.append, **given
        )
        assert self.last.lost == len(lost)
        return [(Path(found.source).name, found.reason) for found in lost]

    def labels(self, table: str = "v_labels") -> list[tuple[str, str]]:
        rows = self.study.query(f"SELECT path, name FROM {table} ORDER BY path, rank").rows
        return [(path.removeprefix("photos/"), name) for path, name in rows]


@pytest.fixture
def bench(tmp_path: Path, photos: Path) -> Bench:
    return Bench(tmp_path, photos)


@pytest.mark.parametrize(
    ("file", "image"),
    [
        ("collie.jpg.earlier.json", "collie.jpg"),
        ("collie.earlier.json", "collie.jpg"),
        ("collie.json", "collie.jpg"),
        ("collie.jpg.json", "collie.jpg"),
        ("COLLIE.JPG.json", "collie.jpg"),
        ("collie_earlier_labels.json", "collie.jpg"),
        ("collie.jpg.some.other.words.json", "collie.jpg"),
        ("mona_lisa.json", "mona lisa.JPG"),
        ("Mona%20Lisa.jpg.response.json", "mona lisa.JPG"),
        ("12345.json", "12345.png"),
        ("c/same.json", "c/same.jpg"),
        ("anything/b/same.jpg.json", "b/same.jpg"),
        ("collie_detect_labels.json", "collie.jpg"),
        ("collie-DetectFaces.json", "collie.jpg"),
    ],
)
def test_the_name_of_an_answer_s_file_tells_its_image(bench: Bench, file: str, image: str) -> None:
    bench.keep(file, DOG)
    assert bench.take() == []
    assert bench.labels() == [(image, "dog")]


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("same.json", "'same' may be any of several images"),
        ("collie.png.json", "no image has the name of its file"),
        ("collie.2016.json", "no image has the name of its file"),
        ("col.json", "no image has the name of its file"),
        ("0" * 64 + ".json", "no image has the name or the SHA-256"),
        ("0" * 40 + ".json", "no image has the name or the SHA-1"),
        ("0" * 32 + "_labels.json", "no image has the name or the MD5"),
    ],
)
def test_a_name_that_fits_no_image_or_several_is_listed(bench: Bench, file, says) -> None:
    bench.keep(file, DOG)
    ((source, reason),) = bench.take()
    assert source == file
    assert says in reason.replace(str(bench.answers) + "/", "")
    assert not bench.labels()


def test_copies_of_one_picture_are_one_image(bench: Bench) -> None:
    (bench.photos / "c" / "same.jpg").write_bytes((bench.photos / "b" / "same.jpg").read_bytes())
    bench.keep("same.json", DOG)
    assert bench.take() == []
    assert len(bench.labels()) == 1


def test_a_hash_tells_the_image(bench: Bench) -> None:
    digest = sha256_of((bench.photos / "collie.jpg").read_bytes())
    other = sha256_of((bench.photos / "12345.png").read_bytes())
    bench.keep(f"{digest}.json", DOG)
    bench.keep("more.jsonl", {"sha256": other.upper(), "answer": CAT})
    assert bench.take() == []
    assert bench.labels() == [("12345.png", "cat"), ("collie.jpg", "dog")]


def test_a_pattern_tells_how_files_are_named(bench: Bench) -> None:
    bench.keep("vision-of-collie-v2.json", DOG)
    bench.keep("elsewhere.json", CAT)
    assert bench.take(pattern="vision-of-{stem}-v*.json") == [
        ("elsewhere.json", "its file's name does not fit --pattern")
    ]
    assert bench.labels() == [("collie.jpg", "dog")]
    with pytest.raises(UsageError, match="--pattern x"):
        bench.take(pattern="x.json")


@pytest.mark.parametrize("kind", ["md5", "sha1"])
def test_other_hashes_tell_the_image_too(bench: Bench, kind: str) -> None:
    digest = hashlib.new(kind, (bench.photos / "collie.jpg").read_bytes()).hexdigest()
    bench.keep(f"{digest}.json", DOG)
    assert bench.take() == []
    assert bench.labels() == [("collie.jpg", "dog")]


def test_an_image_that_is_called_by_a_hash_of_something_else(bench: Bench) -> None:
    name = "ab" * 16 + ".jpg"
    (bench.photos / name).write_bytes(jpeg(60, 50))
    bench.keep("ab" * 16 + ".json", DOG)
    bench.keep("more.jsonl", {"id": "ab" * 16, "answer": {"heads": [{"x": 1}]}})
    assert bench.take() == []
    assert bench.labels() == [(name, "dog")]
    assert bench.study.query("SELECT count(*) FROM faces").rows == [(1,)]


WRAPPED = [
    [{"image_path": "/old/disk/collie.jpg", "response": DOG}],
    [{"image": "https://example.org/x/collie.jpg?size=9", "meta": {"n": [1]}, "answer": DOG}],
    [{"file": "C:\\photos\\collie.jpg", "result": {"data": json.dumps(DOG)}}],
    {"collie.jpg": DOG},
    {"photos": [{"name": "collie", "words": DOG["words"]}]},
    {"images": ["collie.jpg", "mona lisa.JPG"], "response": {"replies": [DOG, CAT]}},
    {"replies": [DOG | {"of": "collie.jpg"}, CAT | {"of": "mona lisa.JPG"}]},
    {"replies": [DOG | {"of": "collie.jpg"}]},
    {"images": ["collie.jpg", "mona lisa.JPG"], "answers": [DOG, CAT]},
    {"Image": {"S3Object": {"Bucket": "b.x", "Name": "in/collie.jpg"}}, "answer": DOG},
    {"requests": [{"image": {"uri": "s3://b/collie.jpg"}}], "answer": {"replies": [DOG]}},
    [{"request": {"image": {"source": {"imageUri": "http://x/collie.jpg?w=1#a"}}}, "answer": DOG}],
    {"/home/x/collie.jpg": {"service": DOG}},
    {"all": {"collie": {"service": DOG}, "12345": {"service": CAT}}},
    [["collie.jpg", DOG], ["12345.png", CAT]],
    {"image": {"0": "collie.jpg", "1": "12345.png"}, "answer": {"0": DOG, "1": CAT}},
    {"image": {"0": "collie.jpg", "1": "12345.png"}, "answer": {"0": json.dumps(DOG)}},
]


@pytest.mark.parametrize("value", WRAPPED)
def test_what_people_put_around_answers_is_taken_off(bench: Bench, value: object) -> None:
    bench.keep("all.json", value)
    bench.take()
    assert ("collie.jpg", "dog") in bench.labels()
    assert len(bench.labels()) == bench.last.answers


def test_an_object_that_names_several_images_names_none(bench: Bench) -> None:
    """Columns of a table, of which one is shorter: nobody's answer goes to the first image."""
    names = {"5": "collie.jpg", "7": "12345.png"}
    bench.keep("all.json", {"image": names, "answer": {"0": DOG, "1": CAT}})
    bench.keep("two.json", {"image": {"large": "collie.jpg", "small": "12345.png"}, "answer": DOG})
    assert [reason for _, reason in bench.take()] == [
        "one of 2 answers in one document, which does not say whose each is",
        "one of 2 answers in one document, which does not say whose each is",
        "no image has the name of its file",
    ]
    assert not bench.labels()


def test_answers_of_several_operations_under_each_image_s_name(bench: Bench) -> None:
    heads = {"heads": [{"x": 1}]}
    bench.keep("all.json", {"collie.jpg": {"a": DOG, "b": heads}, "12345.png": {"a": CAT}})
    assert bench.take() == []
    assert bench.labels() == [("12345.png", "cat"), ("collie.jpg", "dog")]
    assert bench.study.query("SELECT count(*) FROM faces").rows == [(1,)]


def test_a_member_that_has_an_image_s_name_by_chance(bench: Bench) -> None:
    (bench.photos / "answer.jpg").write_bytes(jpeg(60, 50))
    bench.keep("collie.json", {"answer": DOG})
    assert bench.take() == []
    assert bench.labels() == [("collie.jpg", "dog")]


@pytest.mark.parametrize(
    ("written", "date"),
    [
        (1_500_000_000, "2017-07-14T02:40:00Z"),
        (1_500_000_000_999, "2017-07-14T02:40:00Z"),
        ("2017-07-14 04:40:00+02:00", "2017-07-14T02:40:00Z"),
        ("Fri, 14 Jul 2017 02:40:00 GMT", "2017-07-14T02:40:00Z"),
        (17, "2020-01-01T00:00:00Z"),
        ("yesterday", "2020-01-01T00:00:00Z"),
        ("0001-01-01", "2020-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59-10:00", "2020-01-01T00:00:00Z"),
        (True, "2020-01-01T00:00:00Z"),
    ],
)
def test_when_an_answer_came(bench: Bench, written: object, date: str) -> None:
    bench.keep("a.jsonl", {"image": "collie.jpg", "timestamp": written, "answer": DOG})
    assert bench.take(received="2020-01-01") == []
    assert bench.study.query("SELECT received_at FROM bodies").rows == [(date,)]


def test_a_table_with_several_columns_of_json(bench: Bench) -> None:
    table = bench.answers / "both.csv"
    heads = json.dumps({"heads": [{"x": 1}]})
    rows = [("Image Name", "labels", "faces"), ("collie.jpg", json.dumps(DOG), heads)]
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([*rows, ("12345.png", json.dumps(CAT), "")])
    assert bench.take(table) == []
    assert bench.labels() == [("12345.png", "cat"), ("collie.jpg", "dog")]
    assert bench.study.query("SELECT count(*) FROM faces").rows == [(1,)]


def test_a_table_as_spreadsheets_write_unicode(bench: Bench) -> None:
    text = f"image\tanswer\ncollie.jpg\t{json.dumps(DOG)}\n"
    bench.keep("all.tsv", text.encode("utf-16"))
    bench.keep("bad.csv", b"image,answer\nc\xf4llie.jpg," + json.dumps(DOG["words"]).encode())
    lost = dict(bench.take())
    assert bench.labels() == [("collie.jpg", "dog")]
    assert lost.keys() == {"bad.csv:2"}
    bench.keep("bad.csv", b"im\xf4ge,answer\nx,{}")
    assert "it has im\\xf4ge, answer" in dict(bench.take())["bad.csv"]


def test_a_bare_body_with_an_image_s_name_beside_it(bench: Bench) -> None:
    bench.keep("a.json", DOG | {"filename": "collie.jpg"})
    assert bench.take() == []
    assert bench.labels() == [("collie.jpg", "dog")]
    assert bench.last.unknown == {"filename": 1}


def test_json_lines_and_lists_and_what_in_them_is_no_answer(bench: Bench) -> None:
    lines = [{"image": "collie.jpg", "response": DOG}, {"image": "gone.jpg", "response": CAT}]
    text = "\n".join([*map(json.dumps, lines), "", "{broken", json.dumps({"image": "12345.png"})])
    bench.keep("lines.jsonl", text.encode())
    bench.keep("list.json", [{"image": "mona lisa.JPG", "response": CAT}, {"image": "x.jpg"}, 7])
    lost = dict(bench.take())
    assert set(lost) == {
        "lines.jsonl:2, response", "lines.jsonl:4", "lines.jsonl:5",
        "list.json, item 1", "list.json, item 2",
    }  # fmt: skip
    assert lost["lines.jsonl:2, response"] == "no image is called 'gone.jpg'"
    assert "no JSON" in lost["lines.jsonl:4"]
    assert lost["lines.jsonl:5"] == "it holds no answer of earlier"
    assert bench.labels() == [("collie.jpg", "dog"), ("mona lisa.JPG", "cat")]


def test_lines_in_a_file_that_is_not_called_so(bench: Bench) -> None:
    lines = [{"image": "collie.jpg", "response": DOG}, {"image": "12345.png", "response": CAT}]
    bench.keep("answers.json", "\n".join(map(json.dumps, lines)).encode())
    assert bench.take() == []
    assert len(bench.labels()) == 2


def test_a_table_with_a_column_of_json(bench: Bench) -> None:
    rows = [("image", "answer"), ("collie.jpg", json.dumps(DOG)), ("12345.png", "kept.json"),
            ("x.jpg", json.dumps(CAT)), ("collie.jpg", "")]  # fmt: skip
    bench.keep("kept.json", CAT)
    table = bench.answers / "answers.csv"
    with table.open("w", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    lost = dict(bench.take(table))
    assert bench.labels() == [("12345.png", "cat"), ("collie.jpg", "dog")]
    assert lost == {
        "answers.csv:4": "no image is called 'x.jpg'",
        "answers.csv:5": "its cell is empty",
    }


def test_a_table_with_columns_of_other_names(bench: Bench) -> None:
    table = bench.answers / "vision.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows(
            [("filename", "n", "vision"), ("collie.jpg", 1, json.dumps(DOG))]
        )
    assert bench.take(table) == []
    assert bench.labels() == [("collie.jpg", "dog")]
    bench.keep("cities.csv", b"city,mayor\nUlm,X\n")
    assert "needs a column" in dict(bench.take())["cities.csv"]
    with pytest.raises(UsageError, match="needs a column"):
        bench.take(bench.answers / "cities.csv")


def test_a_folder_that_cannot_be_opened_is_listed(bench: Bench, monkeypatch) -> None:
    bench.keep("collie.json", DOG)
    bench.keep("closed/12345.json", CAT)
    walk = os.walk

    def shut(folder, onerror, followlinks):
        for parent, folders, names in walk(folder, followlinks=followlinks):
            folders[:] = [name for name in folders if name != "closed"]
            yield parent, folders, names
        onerror(PermissionError(13, "Permission denied", str(bench.answers / "closed")))

    monkeypatch.setattr(os, "walk", shut)
    assert bench.take() == [("closed", "the folder cannot be opened")]
    assert bench.labels() == [("collie.jpg", "dog")]


def test_frames_of_a_film_are_no_answers(bench: Bench) -> None:
    bench.keep("collie.json", {"frames": [DOG, CAT], "fps": 25})
    assert bench.take() == [("collie.json", "it holds no answer of earlier")]


def test_an_answer_may_bear_its_image_s_name(bench: Bench) -> None:
    bench.keep("collie.jpg", DOG)
    assert bench.take() == []
    assert bench.labels() == [("collie.jpg", "dog")]


def test_a_table_says_whose_answers_files_are(bench: Bench) -> None:
    bench.keep("req-1.json", {"replies": [DOG, CAT]})
    bench.keep("req-2.json", {"replies": [DOG, CAT]})
    bench.keep("req-3.json", DOG)
    match = bench.answers.parent / "match.csv"
    match.write_text(
        "file,image\nreq-1.json,collie.jpg\nanswers/req-1.json,12345.png\n"
        "req-3.json,photos/c/same.jpg\nreq-1.json,12345.png\n"
    )
    lost = dict(bench.take(match=match))
    assert bench.labels() == [("c/same.jpg", "dog")]
    assert "gives it 1 images, and it holds 2" in lost["req-1.json, answer 1 of 2"]
    assert "does not say whose each is" in lost["req-2.json, answer 1 of 2"]
    match.write_text("image,answer\ncollie.jpg,req-1.json\n12345.png,req-1.json\n")
    bench.take(match=match)
    assert set(bench.labels()) >= {("collie.jpg", "dog"), ("12345.png", "cat")}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "it is empty"),
        (b"{'words': []}", "a Python object as str() prints it"),
        (b"\xff\xd8\xff\xe0 jpeg", "it is a picture (JPEG)"),
        (b"\xfe{}", "no text in UTF-8"),
        (gzip.compress(b"{}", mtime=0), "compressed with gzip"),
        (pickle.dumps({"words": []}), "a Python pickle"),
        (b"<html>503</html>", "a web page"),
        (b'{\n"words": []\n}\n{\n"words": []\n}', "several JSON documents in one file"),
        (b'{"words": [', "no JSON"),
        (b'{"snake_words": []}', "what the old client printed"),
        (b'{"other": {"words_": []}}', "it holds no answer of earlier"),
        (b"[" * 100_000, "nested too deeply"),
        (b"{}", "say with -t"),
    ],
)
def test_what_is_no_answer_is_listed_with_what_it_is(bench: Bench, data: bytes, says: str) -> None:
    bench.keep("collie.json", data)
    ((_, reason),) = bench.take()
    assert says in reason
    assert bench.study.query("SELECT count(*) FROM bodies").rows == [(0,)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_other_encodings_of_text(bench: Bench, encoding: str) -> None:
    bench.keep("collie.json", json.dumps(DOG).encode(encoding))
    assert bench.take() == []
    (body,) = bench.study.query("SELECT sha256 FROM bodies").rows
    assert body == (sha256_of(json.dumps(DOG).encode()),)


def test_a_body_is_kept_as_its_bytes_were(bench: Bench) -> None:
    text = b'{"words":[ {"word":"dog","p":95.50}] }'
    bench.keep("all.jsonl", b'{"image": "collie.jpg", "response": ' + text + b"}")
    assert bench.take() == []
    assert bench.study.query("SELECT sha256 FROM bodies").rows == [(sha256_of(text),)]


def test_importing_twice_adds_nothing(bench: Bench) -> None:
    bench.keep("collie.json", DOG | {"heads": []})
    bench.keep("12345.json", {"error": "too small"})
    first = bench.take()
    count = "SELECT (SELECT count(*) FROM bodies), (SELECT count(*) FROM requests), "
    count += "(SELECT count(*) FROM labels), (SELECT count(*) FROM renderings)"
    before = bench.study.query(count).rows
    assert first == [
        ("12345.json", "it says nothing about any task: say with -t what had been asked for")
    ]
    assert bench.take() == first
    assert bench.study.query(count).rows == before == [(1, 2, 1, 2)]
    assert bench.last.held == {"labels": 1, "faces": 1}
    assert bench.study.query("SELECT count(*) FROM runs WHERE summary IS NOT NULL").rows == [(2,)]


def test_two_collections_stay_and_the_later_answer_is_current(bench: Bench) -> None:
    bench.keep("2016/collie.json", DOG)
    bench.keep("2017/collie.json", CAT)
    folders = bench.answers / "2017", bench.answers / "2016"
    bench.take(folders[0], received="2017-04-17")
    bench.take(folders[1], received="2016-07-06")
    assert bench.labels() == [("collie.jpg", "cat")]
    asked = "SELECT revision, parameters FROM questions WHERE task = 'labels' ORDER BY 1"
    assert bench.study.query(asked).rows == [
        ("imported 2016", '{"collection":"2016"}'),
        ("imported 2017", '{"collection":"2017"}'),
    ]
    assert len(bench.study.query("SELECT * FROM labels").rows) == 2
    times = bench.study.query("SELECT received_at FROM bodies ORDER BY 1").column("received_at")
    assert times == ["2016-07-06T00:00:00Z", "2017-04-17T00:00:00Z"]
    assert bench.study.reparse() == {"observed": 2}
    assert bench.labels() == [("collie.jpg", "cat")]


def test_answers_of_several_folders_need_a_name(bench: Bench) -> None:
    bench.keep("2016/collie.json", DOG)
    bench.keep("2017/collie.json", CAT)
    with pytest.raises(UsageError, match=r"--collection: .* 2016, 2017"):
        bench.take(bench.answers / "2016", bench.answers / "2017")
    (lost,) = bench.take(bench.answers / "2016", bench.answers / "2017", collection="both")
    assert "holds another answer for labels" in lost[1]
    assert bench.labels() == [("collie.jpg", "dog")]


def test_an_earlier_answer_does_not_replace_one_that_was_received_since(bench: Bench) -> None:
    bench.study.annotate(bench.photos / "collie.jpg", providers=["earlier"], tasks=["labels"])
    bench.keep("collie.json", DOG)
    assert bench.take(received="2017-04-17") == []
    assert bench.labels() == []
    assert len(bench.study.query("SELECT * FROM labels").rows) == 1
    again = bench.study.annotate(bench.photos, providers=["earlier"], tasks=["labels"])
    assert (sum(again.cached.values()), again.done) == (1, 4)


def test_the_date_is_the_document_s_the_given_or_the_file_s(bench: Bench) -> None:
    bench.keep("collie.json", DOG | {"wrote": "2015-01-02T03:04:05Z"})
    wrapper = {"image": "12345.png", "response": DOG, "timestamp": "2014-06-01T02:00:00+02:00"}
    bench.keep("list.json", [wrapper])
    old = bench.keep("mona_lisa.json", DOG)
    os.utime(old, (0, 86400))
    bench.take()
    times = bench.study.query("SELECT received_at FROM bodies ORDER BY 1").column("received_at")
    assert times == ["1970-01-02T00:00:00Z", "2014-06-01T00:00:00Z", "2015-01-02T03:04:05Z"]
    assert bench.last.dates == {"the answers": 2, "the files' time of change": 1}
    assert (bench.last.replaced, bench.last.older, bench.last.undated) == (0, 0, 0)
    with pytest.raises(UsageError, match=r"--date 1\.2\.2017"):
        bench.take(received="1.2.2017")


def test_a_file_s_time_makes_no_answer_the_later_one(bench: Bench) -> None:
    """Files that were copied are newer than what is in them: nothing is displaced by them."""
    bench.keep("2017/collie.json", DOG)
    bench.take(bench.answers / "2017", received="2017-04-17")
    bench.keep("2016/collie.json", CAT)
    bench.keep("2016/12345.json", CAT)
    old = ["--images", str(bench.photos), "--study", str(bench.study.path)]
    given = ["import-bodies", "-p", "earlier", str(bench.answers / "2016"), *old]
    told = " ".join(CliRunner().invoke(app, given).stdout.split())
    assert bench.labels() == [("12345.png", "cat"), ("collie.jpg", "dog")]
    assert "it is not known when they came (copying a file changes its time): 1." in told
    assert "--date" in told
    assert "In place of current answers" not in told


def test_how_many_current_answers_an_import_changes_is_said(bench: Bench) -> None:
    for year, found in (("2016", DOG), ("2017", CAT), ("2015", DOG)):
        bench.keep(f"{year}/collie.json", found)
        bench.take(bench.answers / year, received=f"{year}-01-01")
        counts = bench.last.summary()["current"]
        assert counts == {
            "replaced": year == "2017", "not_newer": year == "2015", "not_dated": 0
        }  # fmt: skip
    assert bench.labels() == [("collie.jpg", "cat")]
    bench.keep("2018/collie.json", DOG)
    given = ["import-bodies", "-p", "earlier", str(bench.answers / "2018"), "--date", "2018-01-01"]
    given += ["--images", str(bench.photos), "--study", str(bench.study.path)]
    told = CliRunner().invoke(app, given).stdout
    assert "In place of current answers, because they came later: 1" in " ".join(told.split())


def test_an_answer_from_days_to_come_is_listed(bench: Bench) -> None:
    soon = datetime.now(UTC) + timedelta(hours=2)
    bench.keep("collie.json", DOG | {"wrote": "2999-01-02T03:04:05Z"})
    bench.keep("12345.jsonl", {"image": "12345.png", "date": "2077-01-01", "answer": DOG})
    bench.keep("mona_lisa.json", CAT | {"wrote": soon.strftime("%Y-%m-%dT%H:%M:%SZ")})
    lost = dict(bench.take())
    why = "it says that it came on {}, which is still to come: correct its date"
    assert lost == {
        "collie.json": why.format("2999-01-02"),
        "12345.jsonl:1, answer": why.format("2077-01-01"),
    }
    assert bench.labels() == [("mona lisa.JPG", "cat")], "clocks differ"


def test_what_had_been_asked_for_makes_an_empty_answer_a_none(bench: Bench) -> None:
    bench.keep("collie.json", {})
    bench.keep("12345.json", DOG)
    bench.keep("all.jsonl", {"image": "mona lisa.JPG", "response": {}})
    assert bench.take(tasks="labels,faces") == []
    rows = bench.study.query("SELECT task, status, results FROM status ORDER BY image_id, task")
    assert len(rows) == 6
    assert {row[1:] for row in rows.rows if row[0] == "faces"} == {("observed", 0)}


def test_a_second_answer_without_a_task_of_its_own_is_listed_too(bench: Bench) -> None:
    bench.keep("collie.a.json", DOG)
    bench.keep("collie.json", {"error": "too small"})
    match = bench.answers.parent / "match.csv"
    match.write_text("answer,image\ncollie.a.json,collie.jpg\n")
    for _ in range(2):
        ((source, reason),) = bench.take(tasks="labels", match=match)
        assert source == "collie.json"
        assert "holds another answer for labels" in reason
    assert bench.labels() == [("collie.jpg", "dog")]
    match.write_text("answer,image\ncollie.a.json,collie.jpg\ncollie.heads.json,collie.jpg\n")
    bench.keep("collie.heads.json", {"heads": []})
    lost = dict(bench.take(tasks="labels", match=match))
    assert set(lost) == {"collie.json", "collie.heads.json"}


def test_an_answer_that_was_not_asked_for_a_task_says_nothing_about_it(bench: Bench) -> None:
    bench.keep("collie.labels.json", DOG | {"only": "labels"})
    bench.keep("collie.faces.json", {"heads": [{"x": 60, "age": 9}], "only": "faces"})
    bench.keep("12345.json", DOG | {"only": "labels"})
    assert bench.take(tasks="labels,faces") == []
    statuses = bench.study.query("SELECT task, status FROM status").rows
    assert sorted(statuses) == [("faces", "observed"), *[("labels", "observed")] * 2]
    assert bench.take(tasks="labels,faces") == []
    (only,) = bench.take(bench.answers / "12345.json", tasks="faces", collection="other")
    assert only[1] == "it says nothing about faces"


def test_sensitive_words_are_asked_for_by_name(bench: Bench) -> None:
    bench.keep("collie.json", {"heads": [{"x": 60, "age": 33}], "names": [{"name": "Lassie"}]})
    ((_, reason),) = bench.take()
    assert reason == "celebrities names or matches people: import it with --sensitive celebrities"
    assert not len(bench.study.table("face_attributes")) + len(bench.study.table("celebrities"))
    assert bench.study.table("faces").column("x_min") == [0.5]
    assert bench.take(sensitive="age,celebrities") == []
    assert bench.study.table("celebrities").column("name") == ["Lassie"]
    asked = bench.study.query("SELECT parameters FROM questions WHERE task = 'faces' ORDER BY id")
    assert asked.column("parameters") == [
        '{"collection":"answers"}',
        '{"attributes":["age"],"collection":"answers"}',
    ]
    with pytest.raises(UsageError, match="--sensitive race"):
        bench.take(sensitive="race")


def test_an_answer_that_cannot_be_read_is_kept_with_its_reason(bench: Bench) -> None:
    bench.keep("collie.json", {"words": [{"p": 1}]})
    assert bench.take() == [("collie.json", "labels: lacks 'word'")]
    assert bench.study.query("SELECT status, reason FROM status").rows == [
        ("error", "lacks 'word'")
    ]
    assert bench.study.query("SELECT count(*) FROM bodies").rows == [(1,)]
    assert bench.take() == [("collie.json", "labels: lacks 'word'")]
    assert bench.study.query("SELECT count(*) FROM bodies").rows == [(1,)]


def test_an_unreadable_answer_does_not_hide_a_good_one(bench: Bench) -> None:
    bench.keep("2016/collie.json", DOG)
    bench.keep("2017/collie.json", {"words": [{"p": 1}]})
    bench.take(bench.answers / "2016", received="2016-01-01")
    bench.take(bench.answers / "2017", received="2017-01-01")
    assert bench.labels() == [("collie.jpg", "dog")]


def test_images_that_cannot_be_read_are_listed(bench: Bench) -> None:
    (bench.photos / "collie.jpg").write_bytes(jpeg(120, 90)[:300])
    bench.keep("collie.json", DOG)
    for _ in range(2):
        ((_, reason),) = bench.take()
        assert "its image cannot be read: truncated" in reason


def test_the_rendering_says_that_what_was_sent_is_not_known(bench: Bench) -> None:
    bench.keep("collie.json", DOG)
    bench.take()
    sql = "SELECT n.sha256 = i.sha256, n.limits, n.transform, n.width, n.height, n.media_type "
    rows = bench.study.query(sql + "FROM renderings n JOIN images i ON i.id = n.image_id").rows
    transform = '["imported: what was sent is not known"]'
    assert rows == [(1, "imported", transform, 120, 90, "image/jpeg")]


def test_pictures_and_hidden_files_among_answers_are_passed_over(bench: Bench) -> None:
    bench.keep("collie.json", DOG)
    bench.keep("collie.jpg", jpeg(60, 40))
    bench.keep(".DS_Store", b"\0")
    over: list[str] = []
    assert bench.take(pass_over=over.append) == []
    assert [Path(path).name for path in over] == [".DS_Store", "collie.jpg"]


def test_answers_beside_their_photographs(bench: Bench) -> None:
    (bench.photos / "collie.json").write_text(json.dumps(DOG))
    assert bench.take(bench.photos) == []
    assert bench.labels() == [("collie.jpg", "dog")]


def test_a_rehearsal_is_no_place_for_real_answers(bench: Bench) -> None:
    bench.keep("collie.json", DOG)
    bench.take()
    connection = sqlite3.connect(bench.study.path)
    connection.execute("INSERT INTO marks VALUES ('rehearsal', 'x')")
    connection.commit()
    connection.close()
    with pytest.raises(UsageError, match="rehearsal"):
        bench.take()


def command(bench: Bench, *words: str) -> tuple[int, str, str]:
    study = ["--study", str(bench.study.path), "--images", str(bench.photos)]
    given = ["import-bodies", "-p", "earlier", str(bench.answers), *study, *words]
    result = CliRunner().invoke(app, given)
    return result.exit_code, result.stdout, result.stderr


def test_the_command_lists_what_it_left_out(bench: Bench, tmp_path: Path) -> None:
    bench.keep("collie.json", DOG)
    code, out, err = command(bench)
    assert code == 0
    assert "labels" in out
    assert "time of change (1)" in out
    bench.keep("gone.json", DOG)
    report = tmp_path / "left.csv"
    code, out, err = command(bench, "--json", "--report", str(report))
    assert code == 4
    source = str(bench.answers / "gone.json")
    reason = "no image has the name of its file"
    said = {"event": "note", "text": f"not imported: {source}: {reason}"}
    assert [json.loads(line) for line in err.splitlines()] == [said]
    assert command(bench)[2].splitlines() == [said["text"]]
    found = json.loads(out)
    assert found["left_out"] == [{"source": source, "image": "", "reason": reason}]
    assert (found["imported"], found["held"], found["not_imported"]) == (0, 1, 1)
    rows = list(csv.reader(report.read_text().splitlines()))
    assert rows == [["source", "image", "reason"], [source, "", reason]]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--date", "2999-01-01"), "that day is still to come"),
        (("-t", "logos"), "earlier offers"),
        (("--date", "yesterday"), "YYYY-MM-DD"),
        (("--match", "nowhere.csv"), r"^--match nowhere.csv: there is no such file\.$"),
        (("--images", "nowhere"), "nowhere"),
        (("--pattern", "x"), "{stem}"),
        (("-p", "nobody"), "nobody"),
    ],
)
def test_wrong_usage_ends_before_anything_is_made(bench: Bench, words, says) -> None:
    bench.keep("collie.json", DOG)
    study = ["--study", str(bench.study.path), "--images", str(bench.photos)]
    provider = [] if "-p" in words else ["-p", "earlier"]
    given = ["import-bodies", *provider, str(bench.answers), *study, *words]
    with pytest.raises(UsageError, match=says):
        CliRunner().invoke(app, given, catch_exceptions=False)
    assert not bench.study.path.exists()


def test_an_import_goes_on_after_a_kill(tmp_path: Path) -> None:
    photos, answers = tmp_path / "photos", tmp_path / "answers"
    photos.mkdir()
    answers.mkdir()
    for number in range(600):
        (photos / f"{number}.jpg").write_bytes(jpeg(40, 30) + number.to_bytes(2, "big"))
        word = [{"word": f"w{number}", "p": 50.0}]
        (answers / f"{number}.json").write_text(json.dumps({"words": word}))
    site = tmp_path / "site"
    metadata = site / "earlier-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: earlier\nVersion: 1.0\n")
    entry = "[visionhub.providers]\nearlier = tests.earlier:Earlier\n"
    (metadata / "entry_points.txt").write_text(entry)
    places = os.pathsep.join(map(str, (site, ROOT, ROOT / "providers")))
    main = "import sys; from visionhub.cli import main; sys.argv[0] = 'visionhub'; main()"
    words = ["import-bodies", "-p", "earlier", "answers", "--images", "photos", "--json"]
    start = [sys.executable, "-c", main, *words]

    def begin() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            start, cwd=tmp_path, env={**os.environ, "PYTHONPATH": places},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    study = tmp_path / "study.db"
    with begin() as process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            if study.exists() and _stored(study):
                break
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    before = _stored(study)
    with begin() as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    found = json.loads(out)
    assert found["held"] == before > 0
    assert found["imported"] == 600 - before
    assert _stored(study) == 600


def _stored(study: Path) -> int:
    connection = sqlite3.connect(study, timeout=30)
    try:
        return int(connection.execute("SELECT count(*) FROM labels").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


def test_a_provider_that_reads_no_earlier_answers_says_so(bench: Bench, monkeypatch) -> None:
    monkeypatch.delattr(Earlier, "adopt")
    with pytest.raises(UsageError, match="reads no earlier answers"):
        bench.take()
