"""The model of Dawid and Skene, on their own data and on made answers whose truth is known."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.known_answers import case, examples, near
from visionhub.analysis import dawid_skene as module
from visionhub.analysis.dawid_skene import dawid_skene
from visionhub.analysis.rated import Ratings


def made(n: int = 3000, raters: int = 5) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(2)
    truth = random.choice(3, n, p=[0.6, 0.3, 0.1])
    right = np.linspace(0.55, 0.95, raters)
    answers = np.where(
        random.random((n, raters)) < right, truth[:, None], random.integers(0, 3, (n, raters))
    )
    return truth, answers


@pytest.fixture
def columns(shared) -> list[tuple[str, ...]]:
    with (shared / "known_answers" / "12_anesthesia.csv").open() as file:
        rows = list(csv.DictReader(file))
    return list(
        zip(*[(int(r["item"]), int(r["rater"]), int(r["rating"])) for r in rows], strict=True)
    )


def test_known_answer_12_dawid_skene(shared, columns) -> None:
    found = case(shared, "12_dawid_skene_1979_anaesthetists")
    expected, tolerance = found["expected"], found["tolerance"]
    ours = dawid_skene(*columns)
    near(ours.marginals, expected["class_marginals"], tolerance["class_marginals"])
    name = "error_rates_rater_true_observed"
    near(ours.error_rates, expected[name], tolerance[name])
    near(ours.log_likelihood, expected["loglik"], tolerance["loglik"])
    assert list(ours.labels) == expected["labels"]
    assert ours.converged
    assert ours.reason == ""
    assert (len(ours.items), ours.raters, ours.classes) == (45, (1, 2, 3, 4, 5), (1, 2, 3, 4))
    assert ours.posterior.sum(axis=1) == pytest.approx(np.ones(45))


def test_the_order_of_answers_does_not_matter(columns) -> None:
    order = np.random.default_rng(0).permutation(len(columns[0]))
    ours = dawid_skene(*columns)
    again = dawid_skene(*[[column[i] for i in order] for column in columns])
    assert again.marginals == pytest.approx(ours.marginals)
    assert again.labels == ours.labels


def test_it_finds_who_errs_and_beats_the_vote() -> None:
    truth, answers = made()
    found = dawid_skene(answers)
    vote = [np.bincount(row, minlength=3).argmax() for row in answers]
    assert np.mean(np.array(found.labels) == truth) > np.mean(vote == truth) + 0.005
    assert found.marginals == pytest.approx([0.6, 0.3, 0.1], abs=0.03)
    right = found.error_rates.diagonal(axis1=1, axis2=2)[:, 0]
    assert list(np.argsort(right)) == [0, 1, 2, 3, 4]
    sure = found.posterior.max(axis=1)
    hits = np.array(found.labels) == truth
    assert hits.mean() == pytest.approx(sure.mean(), abs=0.02)  # it knows how sure it is


def test_the_likelihood_never_falls() -> None:
    _, answers = made(200)
    for smoothing in (0.0, 0.5):
        aims = []
        for most in range(12):
            found = dawid_skene(answers, smoothing=smoothing, most=most)
            penalty = smoothing * np.log(found.error_rates).sum() if smoothing else 0
            aims.append(found.log_likelihood + penalty)
        assert (np.diff(aims) >= -1e-9).all()


def test_a_table_and_columns_are_one(columns) -> None:
    rows = [["a", "b", None], ["b", "b", "b"], [None, None, None], ["a", None, "a"]]
    table = dawid_skene(rows)
    item, rater = np.nonzero([[x is not None for x in row] for row in rows])
    answers = [rows[i][j] for i, j in zip(item, rater, strict=True)]
    other = dawid_skene([*item, 2], [*rater, 0], [*answers, None])
    assert table.items == other.items == (0, 1, 3)
    assert table.marginals == pytest.approx(other.marginals)
    assert table.classes == ("a", "b")
    assert table.reason == "2 of 3 items have fewer than 3 answers"


def test_columns_are_read_in_their_order_whatever_their_index(columns) -> None:
    ours = dawid_skene(*columns)
    order = np.random.default_rng(1).permutation(len(columns[0]))
    frame = pd.DataFrame(zip(*columns, strict=True)).loc[order]
    again = dawid_skene(frame[0], frame[1], frame[2])
    assert again.items == ours.items
    assert again.posterior == pytest.approx(ours.posterior)
    missing = pd.Series(columns[2], dtype="Int64").where(np.arange(len(order)) > 0)
    assert dawid_skene(*columns[:2], missing).posterior == pytest.approx(
        dawid_skene(*[column[1:] for column in columns]).posterior
    )


def test_an_answer_has_an_item_and_a_rater() -> None:
    for names in ([["x", None], [1, 2]], [["x", "y"], [1, float("nan")]]):
        with pytest.raises(ValueError, match="lacks its item or its rater"):
            dawid_skene(*names, ["a", "b"])
    assert dawid_skene(["x", None], [1, 2], ["a", None]).items == ("x",)


def test_smoothing_makes_nothing_impossible() -> None:
    _, answers = made(60)
    plain, smooth = dawid_skene(answers), dawid_skene(answers, smoothing=0.1)
    assert (smooth.error_rates > 0).all()
    assert smooth.log_likelihood <= plain.log_likelihood + 1e-9
    assert smooth.error_rates.sum(axis=-1) == pytest.approx(np.ones((5, 3)))
    with pytest.raises(ValueError, match="0 or more"):
        dawid_skene(answers, smoothing=-1)


def test_classes_that_nobody_named_have_no_share() -> None:
    found = dawid_skene([["a", "a", "b"], ["b", "b", "b"]], classes=["a", "b", "c"])
    assert found.marginals[2] == 0
    assert np.isnan(found.error_rates[:, 2]).all()
    assert np.isfinite(found.log_likelihood)


def test_a_fit_that_is_cut_short_says_so() -> None:
    found = dawid_skene(made(300)[1], most=2)
    assert not found.converged
    assert "still grew" in found.reason


def test_what_is_no_set_of_answers_is_refused() -> None:
    for wrong in ([[None, None]], []):
        with pytest.raises(ValueError, match="no answers"):
            dawid_skene(wrong)
    with pytest.raises(ValueError, match="one length"):
        dawid_skene([1, 2], [1, 1], ["a"])
    with pytest.raises(ValueError, match="or one table"):
        dawid_skene([1, 2], [1, 1])
    with pytest.raises(ValueError, match="who answered what"):
        dawid_skene(Ratings.of_counts([[2, 1]]))


@given(st.lists(st.tuples(*[st.sampled_from(["a", "b", "c", None])] * 4), min_size=1, max_size=15))
def test_any_answers_have_a_fit(rows) -> None:
    if not any(x for row in rows for x in row):
        return
    found = dawid_skene(rows, most=200)
    assert np.isfinite(found.log_likelihood)
    assert found.posterior.sum(axis=1) == pytest.approx(np.ones(len(found.items)))
    assert found.marginals.sum() == pytest.approx(1)


def test_the_examples_hold() -> None:
    assert examples(module) == 2
