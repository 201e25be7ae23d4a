"""A run from files to tables, with a provider that fails on demand."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import visionhub
from tests.conftest import jpeg
from tests.toy import Toy
from visionhub import registry
from visionhub.engine import ask as asking
from visionhub.engine.progress import Progress
from visionhub.engine.sources import Sources
from visionhub.errors import AuthenticationError, StudyError, UsageError
from visionhub.provider import Request, canonical
from visionhub.schema import Task
from visionhub.store.lookup import complete, settled
from visionhub.store.study import StudyFile

TASKS = ("labels", "objects", "faces", "people", "text", "safe_search")
DERIVED = ("labels", "objects", "faces", "face_landmarks", "people", "keypoints", "text_lines")


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Toy:
    """The one toy that every run of the test uses."""
    one = Toy()
    entry = EntryPoint("toy", "tests.toy:Toy", registry.GROUP)
    monkeypatch.setattr(registry, "_found", lambda: {"toy": entry})
    monkeypatch.setattr(registry, "get", lambda name: one if name == "toy" else registry.load(name))
    return one


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve photographs, one of them twice, and one that is none."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(12):
        (photos / f"{number:02}.jpg").write_bytes(jpeg(120, 90, shift=number * 7))
    (photos / "again.jpg").write_bytes(jpeg(120, 90, shift=0))
    (photos / "broken.jpg").write_bytes(jpeg(120, 90)[:300])
    return photos


@pytest.fixture
def study(tmp_path: Path) -> visionhub.Study:
    return visionhub.Study(tmp_path / "study.db")


def run(study: visionhub.Study, source: Path, *tasks: str, **options: object) -> Progress:
    return study.annotate(source, providers=["toy"], tasks=tasks or TASKS, **options)


def test_every_image_gets_every_answer_and_a_bad_one_gets_a_reason(toy, folder, study):
    progress = run(study, folder)
    assert progress.files == 14
    assert progress.images == 13
    assert progress.done == 12 * 6
    assert progress.unreadable_images == 1
    rows = study.query("SELECT status, count(*) FROM v_status GROUP BY 1").rows
    assert dict(rows) == {"observed": 72, "error": 6}
    reasons = study.query("SELECT DISTINCT reason FROM status WHERE status = 'error'").rows
    assert len(reasons) == 1
    assert reasons[0][0].startswith("unreadable image: truncated")


@pytest.mark.usefixtures("toy")
def test_where_there_is_no_photograph_no_study_is_made(tmp_path, folder):
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "notes.txt").write_text("no photograph")
    fresh = visionhub.Study(empty / "x.db")
    over: list[str] = []
    files = Sources.of(empty, shuffle=True, pass_over=over.append)
    assert run(fresh, files).files == 0
    assert over == [str(empty / "notes.txt")]
    assert [path.name for path in empty.iterdir()] == ["notes.txt"]
    run(fresh, folder)
    before = len(fresh.table("runs"))
    run(fresh, Sources.of(empty))
    assert len(fresh.table("runs")) == before + 1  # into one that is there it is a run like any


def test_many_paths_may_hold_one_image(toy, folder, study):
    run(study, folder, "labels")
    same = study.query(
        "SELECT group_concat(path) FROM paths GROUP BY image_id HAVING count(*) > 1"
    ).rows
    assert len(same) == 1
    assert sorted(Path(path).name for path in same[0][0].split(",")) == ["00.jpg", "again.jpg"]
    assert len(toy.calls) == 12


def test_a_second_run_asks_nothing(toy, folder, study):
    run(study, folder)
    toy.calls.clear()
    progress = run(study, folder)
    assert toy.calls == []
    assert sum(progress.cached.values()) == 72
    assert progress.done == 0


def test_a_new_photograph_is_the_only_one_asked(toy, folder, study):
    run(study, folder, "labels")
    toy.calls.clear()
    (folder / "new.jpg").write_bytes(jpeg(130, 90))
    run(study, folder, "labels", "text")
    assert sorted(toy.calls) == ["labels"] + ["text"] * 13


def test_a_changed_parameter_is_a_new_request_and_old_answers_stay(toy, folder, study):
    run(study, folder, "labels")
    run(study, folder, "labels", parameters={"labels.style": "b"})
    assert len(study.table("requests")) == 24
    assert len(study.table("labels", current=False)) == 2 * len(study.table("labels"))
    toy.calls.clear()
    run(study, folder, "labels")
    assert toy.calls == []
    current = "SELECT DISTINCT q.parameters FROM status s JOIN requests r ON r.id = s.request_id "
    current += "JOIN questions q ON q.id = r.question_id"
    assert [json.loads(row[0])["style"] for row in study.query(current).rows] == ["a"]


def test_a_new_revision_is_a_new_request(toy, folder, study, monkeypatch):
    run(study, folder, "labels")
    monkeypatch.setattr(Toy, "release", "2")
    toy.calls.clear()
    run(study, folder, "labels")
    assert len(toy.calls) == 12
    assert set(study.table("labels").column("revision")) == {"toy@2"}


def test_reparse_rebuilds_equal_tables(toy, folder, study):
    run(study, folder, sensitive=["age", "embedding"])
    names = (*DERIVED, "face_attributes", "face_embeddings", "safe_search", "status", "requests")
    before = {name: study.table(name, current=False).rows for name in names}
    assert all(before.values())
    with sqlite3.connect(study.path) as connection:
        for name in (*DERIVED, "face_attributes", "face_embeddings", "safe_search"):
            connection.execute(f"DELETE FROM {name}")
        connection.execute("UPDATE status SET results = 99 WHERE request_id IS NOT NULL")
    connection.close()
    toy.calls.clear()
    assert study.reparse() == {"observed": 72}
    assert toy.calls == []
    assert {name: study.table(name, current=False).rows for name in names} == before


def test_reparse_keeps_the_current_answer_current(toy, folder, study):
    run(study, folder, "labels", parameters={"labels.style": "b"})
    run(study, folder, "labels")
    run(study, folder, "labels", parameters={"labels.style": "b"})
    before = study.table("status").rows
    study.reparse()
    assert study.table("status").rows == before


def test_sensitive_attributes_only_when_asked_for(toy, folder, study):
    run(study, folder, "faces")
    assert len(study.table("face_attributes")) == len(study.table("face_embeddings")) == 0
    run(study, folder, "faces", sensitive=["age"])
    assert len(study.table("face_attributes")) == 12
    assert len(study.table("face_embeddings")) == 0


def test_below_the_floor_is_censored_not_no(toy, folder, study):
    run(study, folder, "labels", parameters={"labels.min_score": "0.9999"})
    statuses = set(study.table("status").column("status"))
    assert "below_floor" in statuses
    assert study.query("SELECT DISTINCT floor FROM questions").rows == [(0.9999,)]


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        ("crash", "error", "RuntimeError: a fault in the adapter"),
        ("forget", "error", "returned no outcome"),
        ("cut", "error", "no toy body"),
        ("refuse", "refused", "does not like it"),
    ],
)
def test_a_fault_costs_one_task_and_not_the_run(toy, folder, study, fault, status, reason):
    toy.fault = {"labels": fault}
    progress = run(study, folder, "labels", "text")
    rows = study.query("SELECT DISTINCT status, reason FROM status WHERE task = 'labels'").rows
    assert any(row[0] == status and reason in row[1] for row in rows)
    # A crash takes the batch, that is one image, with it; the others lose one task.
    assert progress.done == (0 if fault == "crash" else 12)


def test_a_body_that_cannot_be_read_is_kept(toy, folder, study):
    toy.fault = {"labels": "cut"}
    run(study, folder, "labels")
    assert len(study.query("SELECT 1 FROM bodies")) == 12
    toy.fault = {}
    toy.calls.clear()
    run(study, folder, "labels")
    assert len(toy.calls) == 12
    assert len(study.table("labels")) == 24


def test_what_was_refused_is_not_sent_again(toy, folder, study):
    toy.fault = {"labels": "refuse"}
    run(study, folder, "labels")
    toy.calls.clear()
    run(study, folder, "labels")
    assert toy.calls == []


def test_a_passing_fault_is_asked_again_at_once(toy, folder, study, monkeypatch):
    monkeypatch.setattr(asking, "LONGEST_WAIT", 0.0)
    toy.fault = {"labels": "flaky"}
    assert run(study, folder, "labels").failed == 1  # the file that is no image
    assert len(toy.calls) == 13


def test_a_refused_key_ends_the_run_and_keeps_what_was_answered(toy, folder, study):
    run(study, folder, "text")
    toy.fault = {"labels": "auth"}
    with pytest.raises(AuthenticationError, match="TOY_KEY"):
        run(study, folder, "labels")
    assert len(study.table("text_lines")) == 12


def test_too_small_for_the_provider_is_refused_before_it_is_sent(toy, tmp_path, study):
    (tmp_path / "small.jpg").write_bytes(jpeg(16, 60))
    run(study, tmp_path / "small.jpg", "labels")
    assert toy.calls == []
    assert study.query("SELECT status, reason FROM status").rows == [
        ("refused", "16x60 px: toy takes 20 px a side and more")
    ]


def test_what_a_provider_does_not_offer_is_unsupported(toy, folder, study):
    run(study, folder, "labels", "landmarks")
    rows = study.query("SELECT status, count(*) FROM status WHERE task = 'landmarks' GROUP BY 1")
    assert rows.rows == [("unsupported", 13)]


def test_what_was_not_asked_is_not_requested(toy, folder, study):
    run(study, folder / "00.jpg", "labels", "text")
    run(study, folder / "01.jpg", "labels")
    rows = study.query("SELECT path, status FROM v_status WHERE task = 'text'").rows
    assert {Path(path).name: status for path, status in rows} == {
        "00.jpg": "observed",
        "01.jpg": "not_requested",
    }


def test_stopping_stores_what_is_in_flight(toy, folder, study):
    stop = threading.Event()
    seen: list[int] = []

    def watch(progress: Progress) -> None:
        seen.append(progress.done)
        if progress.done >= 3:
            stop.set()

    progress = run(study, folder, "labels", watch=watch, stop=stop)
    assert progress.interrupted
    assert len(study.table("requests")) == progress.done
    assert run(study, folder, "labels").done == 12 - progress.done


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"tasks": ["lables"]}, "-t lables: there is no such task"),
        ({"tasks": ["landmarks"]}, "toy has no landmarks"),
        ({"parameters": {"labels.minscore": "1"}}, "--param labels.minscore"),
        ({"parameters": {"labels.min_score": "high"}}, "expected a value of type float"),
        ({"sensitive": ["gender"]}, "--sensitive gender"),
        ({"providers": ["nobody"]}, "No provider named 'nobody'"),
    ],
)
def test_a_wrong_word_is_named_before_anything_is_read(toy, folder, study, options, says):
    given = {"providers": ["toy"], "tasks": ["labels", "faces"]} | options
    with pytest.raises(UsageError, match=says):
        study.annotate(folder, **given)
    assert not study.path.exists()


def test_an_open_study_has_one_writer(toy, folder, study):
    run(study, folder, "labels")
    from visionhub.store.study import StudyFile

    with StudyFile(study.path, write=True), pytest.raises(StudyError, match="Another visionhub"):
        run(study, folder, "labels")
    assert len(study.table("labels")) == 24


def test_readers_beside_the_writer(toy, folder, study):
    counts: list[int] = []

    def watch(progress: Progress) -> None:
        counts.append(len(study.table("images")))

    run(study, folder, "labels", watch=watch)
    assert counts


def test_a_missing_table_or_study_is_named(study):
    with pytest.raises(StudyError, match="There is no study"):
        study.table("labels")
    with pytest.raises(StudyError, match="There is no table 'cats'"):
        study.table("cats")


def test_paths_hold_wherever_the_command_is_run(toy, folder, study, monkeypatch):
    monkeypatch.chdir(folder)
    run(visionhub.Study("../study.db"), Path(), "labels")
    monkeypatch.chdir(folder.parent)
    assert run(visionhub.Study("study.db"), Path("photos"), "labels").done == 0
    paths = study.table("paths").column("path")
    assert len(paths) == 14
    assert {Path(path).parent.as_posix() for path in paths} == {"photos"}


def test_one_file_is_one_path_however_it_is_reached(toy, folder, study, monkeypatch):
    home = folder.parent / "home"
    home.symlink_to(folder.parent, target_is_directory=True)
    run(study, home / "photos", "labels")
    run(visionhub.Study(home / "study.db"), folder, "labels")
    monkeypatch.chdir(home)
    run(visionhub.Study("study.db"), Path("photos"), "labels")
    paths = study.table("paths").column("path")
    assert len(paths) == 14
    assert "photos/00.jpg" in paths


def test_a_cell_of_a_table_stays_beside_the_path(toy, folder, study):
    (folder / "posts.csv").write_text("id,file\n1,00.jpg\n2,./01.jpg\n")
    files = Sources.of(folder / "posts.csv", column="file")
    run(study, files, "labels")
    found = dict(study.query("SELECT given, path FROM paths").rows)
    assert found == {"00.jpg": "photos/00.jpg", "./01.jpg": "photos/01.jpg"}


def test_a_run_says_when_it_makes_another_answer_the_current_one(toy, folder, study):
    assert not run(study, folder, "faces", sensitive=["age"]).switched
    assert run(study, folder, "faces").switched == {("toy", "faces"): 12}
    assert not run(study, folder, "faces").summary()["current_changed"]
    again = run(study, folder, "faces", sensitive=["age"])
    assert again.switched == {("toy", "faces"): 12}
    assert len(study.table("face_attributes")) == 12


def test_sqlite_finds_every_table_in_order(toy, folder, study):
    run(study, folder, sensitive=["age", "embedding"])
    assert study.query("PRAGMA integrity_check").rows == [("ok",)]


def test_words_may_be_one_text(toy, folder, study):
    study.annotate(folder, providers="toy", tasks="labels,text")
    assert set(study.table("status").column("task")) == {"labels", "text"}


ASKED = Request("a1", "b2", 10, 20, Task.LABELS, "toy", "r1", canonical({"style": "a"}))


def test_the_key_of_a_request_stays_what_it_is():
    """Studies hold it: another one for the same question would be paid for again."""
    assert ASKED.parameters == '{"style":"a"}'
    parts = '["a1", "b2", "toy", "labels", "r1", "{\\"style\\":\\"a\\"}"]'
    assert ASKED.key == hashlib.sha256(parts.encode()).hexdigest()


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"image_sha256": "a2"}, False),
        ({"sent_sha256": "b3"}, False),
        ({"task": Task.TEXT}, False),
        ({"provider": "other"}, False),
        ({"revision": "r2"}, False),
        ({"parameters": canonical({"style": "b"})}, False),
        ({"image_sha256": "a1b", "sent_sha256": "2"}, False),
        ({"width": 11, "height": 21}, True),  # they follow from the bytes that are sent
    ],
)
def test_what_makes_another_question(change, same):
    assert (replace(ASKED, **change).key == ASKED.key) == same


def test_equal_parameters_are_one_text():
    given = {"words": ["ü", "a"], "floor": 0.5, "all": True}
    text = '{"all":true,"floor":0.5,"words":["ü","a"]}'
    assert canonical(given) == canonical(dict(reversed(given.items()))) == text
    assert replace(ASKED, parameters=text).options == given


def test_what_a_study_holds_is_found_for_these_images_questions_and_limits_only(toy, folder, study):
    run(study, folder, "labels", parameters={"labels.style": "old"})
    toy.fault["objects"] = "forget"
    run(study, folder, "labels", "objects", "text")
    with StudyFile(study.path) as file:
        sql = file.connection
        images = [row[0] for row in sql.execute("SELECT id FROM images ORDER BY id")]
        sent = dict(sql.execute("SELECT image_id, id FROM renderings"))
        ((limits,),) = sql.execute("SELECT DISTINCT limits FROM renderings").fetchall()
        found = sql.execute("SELECT task, id FROM questions ORDER BY id").fetchall()
        old = found[0][1]
        labels, objects, text = (dict(found)[task] for task in ("labels", "objects", "text"))
        answered = set(sent)
        assert (len(answered), len(images)) == (12, 13)
        assert complete(file, images, [labels], limits) == answered
        assert complete(file, images, [labels, text], limits) == answered
        assert complete(file, images, [labels, objects], limits) == set()  # an error is no answer
        assert complete(file, images, [old], limits) == set()  # held, but not the current one
        assert complete(file, images, [labels], "others") == set()
        some = sorted(answered)[:2]
        assert complete(file, some, [labels], limits) == set(some)
        assert complete(file, [], [labels], limits) == set()
        two = [sent[image] for image in some]
        held = settled(file, two, [labels, objects])
        assert set(held) == {(one, labels) for one in two}
        assert {(h.status, h.reason, h.results) for h in held.values()} == {("observed", "", 2)}
        assert set(settled(file, two, [old])) == {(one, old) for one in two}
        ids = {h.id for h in held.values()}
        assert ids == {
            row[0]
            for row in sql.execute(
                f"SELECT id FROM requests WHERE question_id = {labels} "
                f"AND rendering_id IN ({two[0]}, {two[1]})"
            )
        }
