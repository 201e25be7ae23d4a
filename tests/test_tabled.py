"""Comparing from Python: results that show themselves in a line, and hand out their tables."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import visionhub
from tests.compared import Maker, labels
from visionhub.errors import UsageError
from visionhub.report import compared_files, drifted_files
from visionhub.schema import Task

NAMES = tuple(f"{letter}.jpg" for letter in "abcdefgh")
LONGEST = 500  # characters of a result in a notebook


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> visionhub.Study:
    """Two providers, one of them in two versions."""
    maker = Maker(tmp_path_factory.mktemp("tabled") / "study.db")
    said = {name: labels("dog", "sky") for name in NAMES}
    maker.answered("one", Task.LABELS, said)
    maker.answered("one", Task.LABELS, said, revision="2", received_at="2026-12-01T00:00:00Z")
    maker.answered("other", Task.LABELS, {name: labels("dog") for name in NAMES})
    return visionhub.Study(maker.path)


def test_a_comparison_is_a_line_and_its_tables(study: visionhub.Study) -> None:
    found = study.compare(draws=100)
    assert len(repr(found)) < LONGEST
    for part in ("Comparison(study.db: labels (", " measures); of one", "other", ".table(name)"):
        assert part in repr(found)
    measures = found.table("measures")
    assert len(measures) == len(found.parts[0].rows)
    assert measures.to_pandas()["measure"].tolist() == [r.measure for r in found.parts[0].rows]
    assert set(found.table("apart").column("path")) == set(NAMES)
    for name in compared_files.ABOUT:
        found.table(name)
    with pytest.raises(UsageError, match="no table 'measure': choose from measures, raters"):
        found.table("measure")


def test_a_change_is_a_line_and_its_tables(study: visionhub.Study) -> None:
    found = study.drift("one", draws=100)
    assert len(repr(found)) < LONGEST
    assert repr(found).startswith("Drift(study.db: labels (changed, ")
    assert found.table("verdicts").column("verdict") == ["changed"]
    for name in drifted_files.ABOUT:
        found.table(name)
    with pytest.raises(UsageError, match="choose from verdicts"):
        found.table("")


def test_one_string_is_one_rater_or_one_file(study: visionhub.Study, tmp_path: Path) -> None:
    codes = tmp_path / "codes, first.csv"
    with codes.open("w", newline="") as file:
        csv.writer(file).writerows(
            [("image", "label", "coder"), *((n, "dog", "ann") for n in NAMES)]
        )
    for given in (codes, str(codes), [codes]):
        found = study.compare("labels", raters="other", codes=given, draws=100)
        assert [rater.name for rater in found.parts[0].raters] == ["other", "ann"]
    with pytest.raises(UsageError, match="--rater nobody"):
        study.compare(raters="nobody")
    with pytest.raises(UsageError, match="two versions"):
        study.drift(raters="one")
