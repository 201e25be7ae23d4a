"""Comparing by a codebook that few have words for: no agreement of empty lists as a finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compared import Maker, labels
from visionhub.analysis.compare import Comparison, Wanted, compare
from visionhub.analysis.measured import Measured, find
from visionhub.analysis.resample import Resampling
from visionhub.analysis.settings import Settings
from visionhub.analysis.vocabulary.codebook import Codebook
from visionhub.report.compared_page.glance import Headline, glance
from visionhub.report.compared_page.matrix import matrix
from visionhub.report.compared_page.roster import Roster
from visionhub.schema import Task
from visionhub.store.study import StudyFile


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    return Maker(tmp_path / "study.db")


def by(path: Path, codebook: str) -> Comparison:
    words, quick = Codebook.read(codebook, "c.toml"), Settings(Resampling(draws=50))
    with StudyFile(path) as study:
        return compare(study, Wanted(("labels",), codebook=words, settings=quick))


def said(maker: Maker, one: list[str], two: list[str]) -> Path:
    for name, words in (("one", one), ("two", two)):
        rows = {str(at): labels(*text.split()) for at, text in enumerate(words)}
        maker.answered(name, Task.LABELS, rows)
    return maker.path


def row(found: Comparison, measure: str, level: str = "codebook") -> Measured:
    there = find(found.parts[0].rows, measure, ("one", "two"), level=level)
    assert there is not None
    return there


def test_a_codebook_that_nobody_has_words_for_is_no_agreement(maker: Maker) -> None:
    path = said(maker, ["dog"] * 8, ["cat"] * 8)
    found = by(path, 'protest = ["zyxprotest"]\nvehicle = ["car"]')
    for measure in ("jaccard", "masi", "alpha_jaccard", "jaccard_comparable", "rbo"):
        reason = row(found, measure).estimate.reason
        assert reason == "one and two have words for none of the constructs of the codebook"
    assert row(found, "jaccard", "exact").estimate.value == 0
    assert any("2 of its words match no label" in note for note in found.parts[0].notes)
    assert not any("Two empty lists" in note for note in found.parts[0].notes)
    text = glance(found.parts, Roster.of(found))
    assert "not estimable" in text
    assert "<b>1.00</b>" not in text


def test_who_has_no_word_for_a_construct_is_named(maker: Maker) -> None:
    path = said(maker, ["dog", *["car"] * 7], ["cat"] * 8)
    reason = row(by(path, 'vehicle = ["car"]'), "jaccard").estimate.reason
    assert reason == "two has words for none of the constructs of the codebook"
    split = by(path, 'vehicle = ["car"]\npet = ["cat"]')
    assert "no construct of the codebook that both" in row(split, "jaccard").estimate.reason


def test_images_without_a_construct_are_told_beside_what_they_count_as(maker: Maker) -> None:
    path = said(maker, ["car", "car", *["sky"] * 6], ["car", *["sky"] * 7])
    found = by(path, 'vehicle = ["car"]')
    assert row(found, "jaccard").estimate.value == 7 / 8
    assert row(found, "jaccard_comparable").estimate.value == 1 / 2
    told = "codebook: in 75 % of the images neither rater names a construct."
    assert any(note.startswith(told) for note in found.parts[0].notes)
    assert not any("match no label" in note for note in found.parts[0].notes)


def test_the_page_shows_comparable_labels_first(maker: Maker) -> None:
    path = said(maker, ["car", "car", *["sky"] * 6], ["car", *["sky"] * 7])
    found = by(path, 'vehicle = ["car"]')
    part, roster = found.parts[0], Roster.of(found)
    headline = Headline.of(part)
    assert headline is not None
    assert headline.words == "labels: Jaccard of comparable labels, codebook"
    assert headline.rows["one", "two"].estimate.value == 1 / 2
    first = matrix(part, roster).split('class="v v1"')[0]
    assert "Only of what both have a word for" in first
