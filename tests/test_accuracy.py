"""Accuracy of the embedded models on a few photographs with ground truth, through the product.

Floors, with slack for other versions of the runtimes: all photographs are measured by
`make evaluate`. Every section runs as it does there.
"""

from __future__ import annotations

import json
from typing import ClassVar

import pytest

from benchmarks import evaluate, persons, scenes, upright
from benchmarks.asked import Asked

pytestmark = [pytest.mark.models, pytest.mark.xdist_group("accuracy")]


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """The embedded provider with a study that all tests of this file share."""
    return Asked(tmp_path_factory.mktemp("accuracy"), limit=12)


def values(figures):
    """Each figure's value by its measure; no figure may rest on nothing."""
    found = list(figures)
    assert found
    assert all(figure.n for figure in found)
    return {figure.measure: figure.value for figure in found}


def test_labels_name_the_class(asked, shared):
    more = Asked(asked.folder, limit=40)
    found = values(scenes.labels(more, shared / "images"))
    assert found["top-1"] >= 0.65
    assert found["top-5"] >= 0.85


def test_objects_lie_where_they_are(asked, shared):
    found = values(scenes.objects(asked, shared / "images"))
    assert found["AP50"] >= 0.3
    assert 0.2 <= found["AP@[.5:.95]"] < found["AP50"]


def test_faces_are_found_once(asked, shared):
    found = values(persons.faces(asked, shared / "images"))
    assert found["recall at IoU 0.5"] >= 0.75
    assert found["precision at IoU 0.5"] >= 0.75
    assert found["exactly one face found"] >= 0.9


def test_sensitive_guesses_stay_in_a_study_of_their_own(asked, shared):
    found = values(persons.sensitive(asked, shared / "images"))
    assert found["gender as recorded: all"] >= 0.75
    assert found["age guess between 25 and the upper bound"] >= 0.7
    assert len(asked.study(persons.APART).table("face_attributes")) > 0
    values(persons.faces(asked, shared / "images"))
    assert len(asked.study().table("face_attributes")) == 0


def test_turned_photographs_get_one_answer(asked, shared):
    found = [
        f for f in upright.orientation(asked, shared / "images") if f.photographs == upright.MADE
    ]
    assert {figure.value for figure in found} == {1.0}
    assert len(found) == 4


def test_files_are_described_as_they_are(asked, shared):
    found = values(upright.facts(asked, shared / "images"))
    assert found.pop("position stored where the file has none") == 0
    assert set(found.values()) == {1.0}


def test_ordinary_photographs_are_not_flagged(asked, shared):
    few = Asked(asked.folder, limit=4)
    [alarms] = values(scenes.safe_search(few, shared / "images")).values()
    assert alarms <= 0.1


def test_words_are_read_and_read_once(asked, shared, capsys, monkeypatch):
    monkeypatch.setenv("VISIONHUB_SHARED", str(shared))
    command = ["--only", "text", "--limit", "1", "--study", str(asked.folder), "--json"]
    assert evaluate.main(command) == 0
    first = json.loads(capsys.readouterr().out)
    [figure] = first["figures"]
    assert (figure["measure"], figure["of"]) == ("word recall", "words")
    assert figure["value"] >= 0.9
    assert first["cpu_seconds"]["text"] > 0
    assert evaluate.main(command) == 0
    second = json.loads(capsys.readouterr().out)
    assert second["figures"] == first["figures"]
    assert second["cpu_seconds"] == {}  # nothing was asked


def test_what_is_not_offered_is_said(asked, monkeypatch, tmp_path):
    class Mute:
        tasks: ClassVar = {}

    monkeypatch.setattr("visionhub.registry.load", lambda name: Mute)
    figures = evaluate.evaluate(
        asked, tmp_path, [name for name in evaluate.sections(asked) if name != "facts"]
    )
    assert {figure.measure for figure in figures} == {"not offered by embedded"}
    assert {figure.task for figure in figures} >= {"labels", "objects", "people", "faces", "text"}
    assert "not offered by embedded" in evaluate.report(asked, figures)


def test_a_section_that_does_not_exist_is_refused(shared, capsys, monkeypatch):
    monkeypatch.setenv("VISIONHUB_SHARED", str(shared))
    assert evaluate.main(["--only", "smells"]) == 2
    assert "--only smells: choose from labels, objects" in capsys.readouterr().err
    monkeypatch.setenv("VISIONHUB_SHARED", str(shared / "nowhere"))
    assert evaluate.main([]) == 2
    assert "no such folder" in capsys.readouterr().err
