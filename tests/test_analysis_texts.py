"""Error rates of texts, against edits worked out by hand and plain loops."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.known_answers import examples
from visionhub.analysis import texts
from visionhub.analysis.resample import Resampling
from visionhub.analysis.texts import (
    bag_of_words_edits,
    bag_of_words_error_rate,
    character_edits,
    character_error_rate,
    normalised,
    word_edits,
    word_error_rate,
)

FEW = Resampling(draws=100)
words = st.lists(st.sampled_from(["no", "entry", "stop", "5", "éa"]), max_size=6).map(" ".join)
pairs = st.lists(st.tuples(words, words), min_size=1, max_size=8)


def levenshtein(a, b) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


@given(pairs)
def test_edits_are_those_of_the_textbook(rows) -> None:
    ours, theirs = zip(*rows, strict=True)
    characters, by_word = character_edits(ours, theirs), word_edits(ours, theirs)
    bags = bag_of_words_edits(ours, theirs)
    for place, (a, b) in enumerate(rows):
        assert characters.edits[place] == levenshtein(a, b)
        assert characters.reference[place] == len(a)
        assert characters.longer[place] == max(len(a), len(b))
        one, two = a.split(), b.split()
        assert by_word.edits[place] == levenshtein(one, two)
        here, there = Counter(one), Counter(two)
        both = sum(abs(here[w] - there[w]) for w in here | there) + abs(len(one) - len(two))
        assert bags.edits[place] == both / 2
        assert bags.edits[place] <= by_word.edits[place]
        assert bags.longer[place] == by_word.longer[place] == max(len(one), len(two))


@given(pairs)
def test_the_symmetric_rate_is_the_same_both_ways_and_at_most_one(rows) -> None:
    ours, theirs = zip(*rows, strict=True)
    for rate in (character_error_rate, word_error_rate, bag_of_words_error_rate):
        found = rate(ours, theirs, symmetric=True, how=FEW)
        turned = rate(theirs, ours, symmetric=True, how=FEW)
        assert found.value == turned.value
        assert found.value is None or 0 <= found.value <= 1


def test_long_texts_count_for_more() -> None:
    found = character_error_rate(["a", "abcdefghi"], ["b", "abcdefghi"])
    assert found.value == 0.1
    assert word_error_rate(["one two three", "four"], ["one too three", "four five"]).value == 0.5
    assert word_error_rate(["a b"], ["c d e f"]).value == 2.0
    assert word_error_rate(["a b"], ["c d e f"], symmetric=True).value == 1.0


def test_empty_and_missing_texts() -> None:
    assert character_error_rate(["", "ab"], ["xy", "ab"]).value == 1.0
    assert character_error_rate(["", "ab"], ["xy", "ab"], symmetric=True).value == 0.5
    nothing = character_error_rate(["", ""], ["", "x"])
    assert nothing.reason.startswith("all reference texts are empty")
    assert character_error_rate([""], [""], symmetric=True).reason.startswith("all texts are empty")
    found = word_edits([None, "a b", "c"], ["x", "a", None])
    assert found.kept.tolist() == [1]
    assert word_error_rate([None, "a b", "c"], ["x", "a", None]).value == 0.5
    for rate in (character_error_rate, word_error_rate, bag_of_words_error_rate):
        assert rate([], []).reason == "nothing to compare"
        assert rate([None], ["a"]).reason == "nothing to compare"
    with pytest.raises(ValueError, match="1 texts beside 2"):
        word_edits(["a"], ["a", "b"])
    with pytest.raises(TypeError, match="list of texts"):
        character_edits("abc", "abd")


RATES = (character_error_rate, word_error_rate, bag_of_words_error_rate)


@pytest.mark.parametrize("rate", RATES)
def test_a_column_is_read_in_its_order_whatever_its_index(rate) -> None:
    column = pd.Series(["STOP", "EXIT"], index=[1, 0])
    assert rate(column, ["STOP", "EXIT"]).value == 0
    assert rate(["STOP", "EXIT"], column).value == 0
    some = pd.DataFrame({"read": ["x", "a b", "c"], "sign": ["y", "a b", "c d"]}).iloc[1:]
    assert rate(some["sign"], some["read"]).n == 2
    assert rate(np.array(["a b", "c"]), pd.array(["a b", "c"], dtype="string")).value == 0


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("nothing", [None, np.nan, pd.NA, pd.NaT])
def test_whatever_is_missing_is_left_out(rate, nothing) -> None:
    assert rate([nothing, "ab"], ["ab", "ab"]).n == 1
    assert rate(pd.Series(["ab", nothing], dtype=object), ["ab", "xy"]).value == 0
    assert rate(pd.Series(["ab", None]), pd.Series(["ab", "xy"], dtype="string")).n == 1
    masked = np.ma.masked_array(np.array(["ab", "cd"], dtype=object), mask=[False, True])
    assert rate(masked, ["ab", "xy"]).n == 1


def test_what_is_no_text_is_said() -> None:
    with pytest.raises(TypeError, match="5 is no text but of type int"):
        character_error_rate(["ab", 5], ["ab", "cd"])
    with pytest.raises(TypeError, match="is no text but of type bytes"):
        word_error_rate(["ab"], [b"ab"])
    with pytest.raises(TypeError, match="list of texts"):
        character_edits(b"abc", b"abd")


def test_a_text_without_a_source_is_its_own() -> None:
    texts = ["ab", None, "cd", "ef", "gh"]
    found = character_error_rate(texts, texts, sources=["x", "x", None, np.nan, "x"])
    assert (found.n, found.clusters) == (4, 3)
    with pytest.raises(ValueError, match="4 sources for 5 units"):
        character_error_rate(texts, texts, sources=[1, 2, 3, 4])


def test_texts_are_normalised() -> None:
    assert normalised("Cafe\u0301") == "Café"
    assert character_error_rate(["Cafe\u0301"], ["Café"]).value == 0
    assert character_error_rate(["a\n b"], ["a b "]).value == 0
    assert character_error_rate(["a\nb"], ["a b"], fold_space=False).value == pytest.approx(1 / 3)
    assert character_error_rate(["STRASSE"], ["straße"], fold_case=True).value == 0
    assert character_error_rate(["Stop"], ["STOP"]).value == 0.75
    assert word_error_rate(["Stop"], ["STOP"], fold_case=True).value == 0
    assert bag_of_words_error_rate(["Stop it"], ["IT STOP"], fold_case=True).value == 0


def test_intervals_by_source_and_by_pattern() -> None:
    random = np.random.default_rng(1)
    ours = ["abcdefghij"] * 400
    theirs = ["abcdefghij"[: int(k)] for k in random.integers(4, 11, 400)]
    alone = character_error_rate(ours, theirs)
    twice = character_error_rate(ours * 2, theirs * 2, sources=[*range(400), *range(400)])
    assert (twice.low, twice.high) == pytest.approx((alone.low, alone.high), abs=0.004)
    assert (alone.n, twice.n, twice.clusters) == (400, 800, 400)
    missing = character_error_rate([None, *ours], ["x", *theirs], sources=[9999, *range(400)])
    assert missing.clusters == 400


def test_the_examples_hold() -> None:
    assert examples(texts) > 6
