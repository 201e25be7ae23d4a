"""docs/methods.md is made of the measures' own texts, and has every measure that there can be."""

from __future__ import annotations

import re
from pathlib import Path

from tests.conftest import ROOT
from visionhub.analysis.methods import method_of, methods, title_of
from visionhub.report.methods import page

OTHERS = {"text", "safe_search", "new", "gone"}  # tasks, and kinds of changed names


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / "docs/methods.md").read_text("utf-8") == page(), "run: make docs"


def test_every_measure_has_a_text_and_a_name_of_its_own() -> None:
    assert len({one.title for one in methods().values()}) == len(methods())
    for one in methods().values():
        assert one.text.endswith(".")
        assert one.bounds


def test_names_that_the_code_gives_are_described() -> None:
    """Words that look like a measure's name and stand as one in the modules that measure."""
    given = set()
    for path in Path(ROOT, "visionhub/analysis").glob("*.py"):
        text = path.read_text("utf-8")
        given |= set(re.findall(r'(?:row|Measured)\(\s*(?:[\w.]+,\s*)?"([a-z_0-9]+)"', text))
    given -= OTHERS
    assert len(given) > 15
    assert {name for name in given if method_of(name) is None} == set()


def test_titles_are_for_people() -> None:
    assert title_of("jaccard_comparable") == "Jaccard, comparable labels"
    assert title_of("gwet_ac1_without:rekognition") == "AC1, without rekognition"
    assert title_of("made_up") == "made up"
