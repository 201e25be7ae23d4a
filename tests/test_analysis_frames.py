"""From a study to arrays: which answers count, which versions stay apart, how they are named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.compared import Maker, labels, objects
from visionhub.analysis import frames
from visionhub.analysis.frames import common, distinct, read
from visionhub.analysis.raters import choose, versions
from visionhub.errors import ProviderError, UsageError
from visionhub.schema import Annotation, Scale, Status, Task
from visionhub.store.study import StudyFile


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    made = Maker(tmp_path / "study.db")
    made.answered(
        "google",
        Task.LABELS,
        {"a": labels(("Dog", 0.9), ("Pet", 0.6)), "b": labels(), "c": labels("Cat", cut=True)},
        vocabulary="mids",
        max_results=10,
    )
    made.answered(
        "rekognition",
        Task.LABELS,
        {"c": labels(("Cat", 71.5), percent=True), "d": labels(("Dog", 60), percent=True)},
        scale=Scale.PERCENT,
        floor=55,
        model_version="3.0",
    )
    return made


def test_answers_are_arrays_with_words_as_numbers(maker: Maker) -> None:
    with StudyFile(maker.path) as study:
        google, rekognition = choose(versions(study, Task.LABELS)).raters
        found = read(study, google, "labels", numbers=("score",), words=("name", "vendor_id"))
        other = read(study, rekognition, "labels", numbers=("score",), words=("name",))
    ids = [maker.ids[name] for name in "abc"]
    assert found.images.tolist() == ids
    assert found.truncated.tolist() == [False, False, True]
    assert found.at.tolist() == [0, 0, 2]
    assert found.rank.tolist() == [1, 2, 1]
    assert found.numbers["score"].tolist() == [0.9, 0.6, 0.9]
    assert [found.texts["name"][n] for n in found.words["name"]] == ["Dog", "Pet", "Cat"]
    assert found.words["vendor_id"].tolist() == [-1, -1, -1]
    assert common([found, other]).tolist() == [maker.ids["c"]]
    only = found.only(common([found, other]))
    assert (only.at.tolist(), only.truncated.tolist()) == ([0], [True])
    assert [only.texts["name"][n] for n in only.words["name"]] == ["Cat"]
    assert distinct([found, other], "name") == ["Dog", "Pet", "Cat"]
    assert (google.vocabulary, google.max_results, google.floor) == ("mids", 10, None)
    assert (rekognition.floor, rekognition.model_version) == (55, "3.0")


def test_blocks_make_no_difference(maker: Maker, monkeypatch) -> None:
    with StudyFile(maker.path) as study:
        (google, _) = choose(versions(study, Task.LABELS)).raters
        whole = read(study, google, "labels", numbers=("score",), words=("name",))
        monkeypatch.setattr(frames, "BLOCK", 1)
        piece = read(study, google, "labels", numbers=("score",), words=("name",))
    assert piece.at.tolist() == whole.at.tolist()
    assert piece.numbers["score"].tolist() == whole.numbers["score"].tolist()


def test_what_has_no_answer_is_no_image_of_the_rater(maker: Maker) -> None:
    maker.answered(
        "google", Task.LABELS, {"e": ProviderError("down"), "f": Annotation(Status.BELOW_FLOOR)}
    )
    with StudyFile(maker.path) as study:
        found = versions(study, Task.LABELS)
        google = next(one for one in found if one.provider == "google")
        answers = read(study, google, "labels")
    assert maker.ids["e"] not in answers.images
    assert maker.ids["f"] in answers.images


def test_boxes_are_read(tmp_path: Path) -> None:
    made = Maker(tmp_path / "study.db")
    box = (0.1, 0.2, 0.5, 0.75)
    made.answered("toy", Task.OBJECTS, {"a": objects(("dog", box, 0.5))})
    with StudyFile(made.path) as study:
        (toy,) = choose(versions(study, Task.OBJECTS)).raters
        found = read(study, toy, "objects", numbers=(*frames.BOX, "score"), words=("name",))
    assert found.boxes.tolist() == [list(box)]


def test_an_empty_task_has_no_raters(maker: Maker) -> None:
    with StudyFile(maker.path) as study:
        assert versions(study, Task.FACES) == []
        assert choose([]).raters == ()
        with pytest.raises(UsageError, match="google has not answered for faces; nobody has"):
            choose([], ["google"], "faces")


@pytest.fixture
def years(tmp_path: Path) -> Maker:
    """One provider three times: two years, and a model that changed under the second."""
    made = Maker(tmp_path / "years.db")
    made.answered("google", Task.LABELS, {"a": labels("dog")}, revision="imported 2016")
    two = {name: labels("dog") for name in "abc"}
    made.answered("google", Task.LABELS, two, revision="imported 2017", model_version="3.0")
    made.answered(
        "google", Task.LABELS, {"d": labels("dog")}, revision="imported 2017", model_version="3.1"
    )
    made.answered("toy", Task.LABELS, {"a": labels("dog")}, parameters='{"min_score":0.5}')
    made.answered("toy", Task.LABELS, {"b": labels("cat")}, parameters='{"min_score":0.1}')
    return made


def test_two_versions_of_one_provider_are_never_mixed_in_silence(years: Maker) -> None:
    with StudyFile(years.path) as study:
        found = versions(study, Task.LABELS)
        chosen = choose(found, task="labels")
        answers = [read(study, one, "labels") for one in chosen.raters]
    assert [one.name for one in chosen.raters] == ["google", "toy"]
    assert (chosen.raters[0].revision, chosen.raters[0].model_version) == ("imported 2017", "3.0")
    assert answers[0].images.tolist() == sorted(years.ids[name] for name in "abc")
    assert len(chosen.notes) == 3
    assert "1 answers of another version" in chosen.notes[0]
    assert "--rater google@2016 " in chosen.notes[0]
    assert "--rater google@3.1 " in chosen.notes[1]
    assert "min_score=" in chosen.notes[2]


def test_versions_are_named_by_what_tells_them_apart(years: Maker) -> None:
    with StudyFile(years.path) as study:
        found = versions(study, Task.LABELS)
    pair = choose(found, ["old=google@2016", "google@3.0"], "labels").raters
    assert [one.name for one in pair] == ["old", "google@3.0"]
    assert [one.revision for one in pair] == ["imported 2016", "imported 2017"]
    number = next(one.question for one in found if one.revision == "imported 2016")
    assert choose(found, [f"google@q{number}"]).raters[0].revision == "imported 2016"
    for word, said in (
        ("azure", "azure has not answered for labels; google, toy have"),
        ("gogle", "google, toy have. Did you mean google?"),
        ("google@1999", "fits no version of google"),
        ("google@imported", "fits several versions of google"),
    ):
        with pytest.raises(UsageError, match=said):
            choose(found, [word], "labels")
    with pytest.raises(UsageError, match="two raters are called google"):
        choose(found, ["google", "google"], "labels")


def test_an_image_that_was_rendered_twice_counts_once_with_its_latest_answer(maker: Maker) -> None:
    with StudyFile(maker.path, write=True) as study:
        with study.transaction() as sql:
            sql.execute(
                "INSERT INTO renderings (image_id, limits, sha256, media_type, bytes, width, "
                "height, transform) SELECT image_id, 'other', 'x', media_type, 1, 1, 1, '[]' FROM "
                "renderings WHERE image_id = ?",
                (maker.ids["a"],),
            )
            rendering = sql.execute("SELECT max(id) FROM renderings").fetchone()[0]
            sql.execute(
                "INSERT INTO requests (image_id, rendering_id, question_id, run_id, body_id, "
                "status, reason, results) SELECT image_id, ?, question_id, run_id, body_id, "
                "status, '', 1 FROM requests WHERE image_id = ?",
                (rendering, maker.ids["a"]),
            )
            newest = sql.execute("SELECT max(id) FROM requests").fetchone()[0]
            sql.execute(
                "INSERT INTO labels VALUES (?, 1, 'Wolf', .4, NULL, 'probability', NULL, NULL, "
                "NULL, NULL)",
                (newest,),
            )
        google = next(v for v in versions(study, Task.LABELS) if v.provider == "google")
        found = read(study, google, "labels", words=("name",))
    assert google.images == 3
    names = [found.texts["name"][n] for n in found.words["name"][found.at == 0]]
    assert names == ["Wolf"]
    assert np.array_equal(found.images, np.unique(found.images))
