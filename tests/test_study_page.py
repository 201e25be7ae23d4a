"""docs/study.md: every column has a meaning, none is made up, and its SQL runs."""

from __future__ import annotations

import pytest

from tests.conftest import ROOT
from tests.made import Made, made_study
from visionhub.store.page import EXAMPLES, study_page
from visionhub.store.study import StudyFile
from visionhub.store.tables import TABLES, VIEWS


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made_study(tmp_path_factory.mktemp("page"))


def columns_of(study: StudyFile, kind: str) -> dict[str, set[str]]:
    sql = "SELECT name FROM sqlite_master WHERE type = ? AND name NOT LIKE '%sqlite%'"
    names = study.query(sql, (kind,)).column("name")
    return {n: set(study.query(f"PRAGMA table_info({n})").column("name")) for n in names}


@pytest.mark.parametrize(("kind", "meanings"), [("table", TABLES), ("view", VIEWS)])
def test_every_column_has_a_meaning_and_no_other_has(made: Made, kind, meanings) -> None:
    with StudyFile(made.path) as study:
        real = columns_of(study, kind)
    assert {name: set(table.columns) for name, table in meanings.items()} == real
    for table in meanings.values():
        assert table.text
        assert all(meaning.text for meaning in table.columns.values())


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "study.md").read_text("utf-8")
    assert page == study_page(), "run: python -m visionhub.store.page > docs/study.md"


@pytest.mark.parametrize("title", EXAMPLES)
def test_the_examples_answer(made: Made, title: str) -> None:
    with StudyFile(made.path) as study:
        found = study.query(EXAMPLES[title])
    if title not in (
        "Photographs with at least two people, by one provider's objects",
        "Where and when",
        "What was spent, and on what",
    ):
        assert len(found), title


def test_the_examples_say_what_they_claim(made: Made) -> None:
    with StudyFile(made.path) as study:
        by_title = {title: study.query(sql).rows for title, sql in EXAMPLES.items()}
    faces = by_title["Faces per photograph, zeros included, unanswered ones left out"]
    assert sorted(row[2:] for row in faces) == [(0, "observed"), (1, "observed")]
    twice = by_title["One image under several names"]
    assert [row[1] for row in twice] == [2]
    unread = by_title["Photographs that cannot be read, and why"]
    assert {row[1] for row in unread} == {"truncated", "denied"}
    left, top, width, height = by_title["Boxes in pixels"][0][2:]
    assert (left, top, width, height) == (27, 72, 80, 144)


def test_photographs_below_the_floor_count_as_zero_faces(tmp_path) -> None:
    made = made_study(tmp_path)
    with StudyFile(made.path, write=True) as study, study.transaction() as sql:
        sql.execute("UPDATE status SET status = 'below_floor' WHERE task = 'faces' AND results = 0")
    with StudyFile(made.path) as study:
        faces = study.query(
            EXAMPLES["Faces per photograph, zeros included, unanswered ones left out"]
        )
    assert (0, "below_floor") in {row[2:] for row in faces.rows}
