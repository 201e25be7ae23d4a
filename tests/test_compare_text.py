"""Text compared: error rates against a few lines of dynamic programming; texts that were cut."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from tests.compared import Maker, coded, text
from visionhub.analysis.compare import Comparison, Wanted, compare
from visionhub.analysis.measured import Measured, find
from visionhub.analysis.naming import read_sources
from visionhub.analysis.resample import Resampling
from visionhub.analysis.settings import Settings
from visionhub.schema import Annotation, Box, Status, Task, TextLine
from visionhub.store.study import StudyFile

QUICK = Resampling(draws=200)
READ = {  # image: what one reads, what the other reads
    "a.jpg": ("STOP", "ST0P"),
    "b.jpg": ("NO ENTRY\nEXCEPT BUSES", "NO ENTRY EXCEPT"),
    "c.jpg": ("", "EXIT"),
    "d.jpg": ("", ""),
    "e.jpg": ("Caf\u00e9", "Cafe\u0301"),
    "f.jpg": ("left  right", "right left"),
}


def study(folder: Path, *, caps: Sequence[int | None] = (None, None), **raters) -> Path:
    maker = Maker(folder / "study.db")
    for (name, said), cap in zip(raters.items(), caps, strict=True):
        maker.answered(name, Task.TEXT, said, max_results=cap)
    return maker.path


def lined(side: int) -> dict[str, Annotation]:
    return {name: text(*both[side].splitlines()) for name, both in READ.items()}


def compared(path: Path, *raters: str, source: str = "") -> Comparison:
    with StudyFile(path) as opened:
        how = Settings(QUICK, read_sources(opened, source) if source else None)
        return compare(opened, Wanted(("text",), raters, settings=how))


def row_of(found: Comparison, measure: str, thing: str = "") -> Measured:
    row = find(found.parts[0].rows, measure, thing=thing)
    assert row is not None, measure
    return row


def value(found: Comparison, measure: str, thing: str = "") -> float | None:
    return row_of(found, measure, thing).estimate.value


def distance(a: Sequence[object], b: Sequence[object]) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def plain(words: str) -> str:
    return " ".join(unicodedata.normalize("NFC", words).split())


def test_error_rates_are_edits_over_lengths_of_all_images(tmp_path: Path) -> None:
    found = compared(study(tmp_path, one=lined(0), other=lined(1)))
    pairs = [(plain(a), plain(b)) for a, b in READ.values()]
    for name, units in (("character", pairs), ("word", [(a.split(), b.split()) for a, b in pairs])):
        edits = sum(distance(a, b) for a, b in units)
        longer = sum(max(len(a), len(b)) for a, b in units)
        assert value(found, f"{name}_error_rate") == pytest.approx(edits / longer)
        for side, ending in ((0, "a"), (1, "b")):
            rate = edits / sum(len(pair[side]) for pair in units)
            assert value(found, f"{name}_error_rate_of_{ending}_as_reference") == pytest.approx(
                rate
            )
    bags = [(Counter(a.split()), Counter(b.split())) for a, b in pairs]
    edits = sum(max((a - b).total(), (b - a).total()) for a, b in bags)
    longer = sum(max(a.total(), b.total()) for a, b in bags)
    assert value(found, "bag_of_words_error_rate") == pytest.approx(edits / longer)
    assert row_of(found, "word_error_rate").estimate.n == 6


def test_whether_there_is_text_is_a_yes_or_no(tmp_path: Path) -> None:
    found = compared(study(tmp_path, one=lined(0), other=lined(1)))
    yes = [[int(bool(both[side].strip())) for both in READ.values()] for side in (0, 1)]
    assert value(found, "cohen_kappa", "any text") == pytest.approx(cohen_kappa_score(*yes))
    assert value(found, "percent_agreement", "any text") == pytest.approx(5 / 6)
    assert value(found, "positive_agreement", "any text") == pytest.approx(8 / 9)


def test_how_far_apart_an_image_is(tmp_path: Path) -> None:
    (apart,) = compared(study(tmp_path, one=lined(0), other=lined(1))).parts[0].apart
    truth = []
    for a, b in READ.values():
        longer = max(len(plain(a)), len(plain(b)))
        truth.append(distance(plain(a), plain(b)) / longer if longer else 0)
    assert apart.distance.tolist() == pytest.approx(truth)


def test_no_text_at_all_has_reasons(tmp_path: Path) -> None:
    blank = {f"{n}.jpg": text() for n in range(8)}
    found = compared(study(tmp_path, one=blank, other=blank))
    assert "all texts are empty" in row_of(found, "character_error_rate").estimate.reason
    assert "all reference texts are empty" in (
        row_of(found, "word_error_rate_of_b_as_reference").estimate.reason
    )
    assert (
        "neither ever saw text" in row_of(found, "positive_agreement", "any text").estimate.reason
    )
    for row in found.parts[0].rows:
        assert row.estimate.value is not None or row.estimate.reason


def test_no_image_of_both_has_reasons(tmp_path: Path) -> None:
    found = compared(study(tmp_path, one={"a.jpg": text("x")}, other={"b.jpg": text("x")}))
    assert all(row.estimate.value is None and row.estimate.reason for row in found.parts[0].rows)


def test_one_image_has_values_and_no_interval(tmp_path: Path) -> None:
    found = compared(study(tmp_path, one={"a.jpg": text("abcd")}, other={"a.jpg": text("abce")}))
    row = row_of(found, "character_error_rate").estimate
    assert (row.value, row.low, row.reason) == (0.25, None, "1 unit: no interval")


# What was cut off


def test_a_text_that_was_cut_is_compared_as_far_as_it_goes(tmp_path: Path) -> None:
    """Who has room for three words is not blamed for the fourth; where it was not cut, it is."""
    one = {"a.jpg": text("p q r", cut=True), "b.jpg": text("p q")}
    other = {"a.jpg": text("p q r s t"), "b.jpg": text("p q s")}
    found = compared(study(tmp_path, one=one, other=other, caps=(3, None)))
    assert value(found, "word_error_rate") == pytest.approx(1 / 6)


def test_each_image_has_the_room_of_who_was_cut_in_it(tmp_path: Path) -> None:
    """The first has room for two words and was cut in a; the other for four, and was cut in b."""
    one = {"a.jpg": text("p q", cut=True), "b.jpg": text("p q")}
    other = {"a.jpg": text("p q r"), "b.jpg": text("p x r s", cut=True)}
    found = compared(study(tmp_path, one=one, other=other, caps=(2, 4)))
    assert value(found, "word_error_rate") == pytest.approx((0 + 3) / (2 + 4))


def test_who_does_not_tell_its_room_had_as_much_as_it_gave(tmp_path: Path) -> None:
    one = {"a.jpg": text("p q", "r", cut=True)}
    other = {"a.jpg": text("p q r s t u")}
    found = compared(study(tmp_path, one=one, other=other))
    assert value(found, "word_error_rate") == 0


def test_both_cut_are_compared_as_far_as_the_shorter_goes(tmp_path: Path) -> None:
    one, other = {"a.jpg": text("p q", cut=True)}, {"a.jpg": text("p q x", cut=True)}
    assert value(compared(study(tmp_path, one=one, other=other)), "word_error_rate") == 0


# Levels, order, copies


def leveled(*pieces: tuple[str, str]) -> Annotation:
    lines = tuple(TextLine(words, Box(0, 0, 1, 1), level=level) for level, words in pieces)
    return Annotation(Status.OBSERVED, text_lines=lines)


def test_lines_are_the_text_or_else_the_page_or_else_the_words(tmp_path: Path) -> None:
    one = {
        "a.jpg": leveled(
            ("word", "p"), ("line", "p q"), ("page", "x"), ("line", "r"), ("word", "z")
        ),
        "b.jpg": leveled(("word", "w"), ("page", "p q")),
        "c.jpg": leveled(("word", "p"), ("word", "q")),
    }
    other = {"a.jpg": text("p q r"), "b.jpg": text("p q"), "c.jpg": text("p q")}
    found = compared(study(tmp_path, one=one, other=other))
    assert value(found, "word_error_rate") == 0


def test_the_order_of_raters_changes_nothing_but_direction(tmp_path: Path) -> None:
    path = study(tmp_path, one=lined(0), other=lined(1))
    there, back = compared(path, "one", "other"), compared(path, "other", "one")
    for row in there.parts[0].rows:
        name = row.measure
        if "_of_" in name and name.endswith("_as_reference"):
            name = name.replace("_of_a_", "_of_?_").replace("_of_b_", "_of_a_").replace("?", "b")
        turned = value(back, name, row.thing)
        assert row.estimate.value == pytest.approx(turned), row.measure


def test_copies_under_one_source_change_no_value(tmp_path: Path) -> None:
    sides = [{**lined(s), **{f"copy-{n}": one for n, one in lined(s).items()}} for s in (0, 1)]
    path = study(tmp_path, one=sides[0], other=sides[1])
    table = [(name, name.removeprefix("copy-")) for name in sides[0]]
    source = coded(tmp_path / "s.csv", *table, columns="image,s") + ":s"
    copied = compared(path, source=source)
    (tmp_path / "study.db").unlink()
    once = compared(study(tmp_path, one=lined(0), other=lined(1)))
    for row in once.parts[0].rows:
        found = row_of(copied, row.measure, row.thing).estimate
        assert (found.n, found.clusters) == (12, 6)
        assert found.value == pytest.approx(row.estimate.value)
        assert (found.low, found.high) == pytest.approx((row.estimate.low, row.estimate.high))


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), min_size=1, max_size=6))
def test_whatever_is_read_has_a_rate_or_a_reason(tmp_path_factory, pairs) -> None:
    """Control characters, marks that turn the direction round, words of any script."""
    folder = tmp_path_factory.mktemp("text")
    clean = [[w.encode("utf-8", "ignore").decode().replace("\0", "") for w in p] for p in pairs]
    sides = [{f"{n}.jpg": text(pair[s]) for n, pair in enumerate(clean)} for s in (0, 1)]
    found = compared(study(folder, one=sides[0], other=sides[1]))
    rates = {name: value(found, name) for name in ("character_error_rate", "word_error_rate")}
    units = [(plain(a), plain(b)) for a, b in clean]
    longer = sum(max(len(a), len(b)) for a, b in units)
    truth = sum(distance(a, b) for a, b in units) / longer if longer else None
    assert rates["character_error_rate"] == (truth if truth is None else pytest.approx(truth))
    json.dumps([row.row() for row in found.parts[0].rows], allow_nan=False)
    bag, words = value(found, "bag_of_words_error_rate"), rates["word_error_rate"]
    assert (bag is None) == (words is None)
    assert bag is None or np.round(bag - words, 12) <= 0
