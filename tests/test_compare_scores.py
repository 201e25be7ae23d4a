"""Scores compared: unsafe content, ratings; words beside numbers, floors, what is missing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from tests.compared import Maker, coded, labels, likely, percent, safe
from visionhub.analysis.codes_read import coders
from visionhub.analysis.compare import Comparison, Wanted, compare
from visionhub.analysis.measured import Measured, find
from visionhub.analysis.resample import Resampling
from visionhub.analysis.scored import LIKELIHOODS, Scored, agreement
from visionhub.analysis.settings import Settings
from visionhub.analysis.vocabulary.codebook import Codebook
from visionhub.schema import Annotation, Scale, Score, Task
from visionhub.store.study import StudyFile

QUICK = Settings(Resampling(draws=200))
NAMES = [f"{n:02}.jpg" for n in range(40)]


def value(rows: Sequence[Measured], measure: str, thing: str, **more) -> float | None:
    row = find(rows, measure, thing=thing, **more)
    assert row is not None, (measure, thing, [(r.measure, r.thing) for r in rows])
    return row.estimate.value


def compared(
    path: Path, *raters: str, tasks: Sequence[str] = ("safe_search",), **more
) -> Comparison:
    with StudyFile(path) as study:
        people = coders(study, more.pop("codes", ()))
        return compare(study, Wanted(tasks, raters, coders=people, settings=QUICK, **more))


# Unsafe content


def unsafe(folder: Path, **raters: tuple[Scale, Mapping[str, Annotation]]) -> Path:
    maker = Maker(folder / "study.db")
    for name, (scale, said) in raters.items():
        maker.answered(
            name, Task.SAFE_SEARCH, said, scale=scale, floor=50 if scale is Scale.PERCENT else None
        )
    return maker.path


WORDS, PERCENT = Scale.LIKELIHOOD, Scale.PERCENT


def test_likelihoods_beside_per_cent_are_compared_by_rank(tmp_path: Path) -> None:
    """What lies below the floor of 50 ranks lowest, and equal."""
    random = np.random.default_rng(1)
    level = random.integers(0, 5, 40)
    number = np.clip(20 * level + random.normal(10, 15, 40), 0, 100)
    google = {n: safe(adult=likely(LIKELIHOODS[at]), spoof=likely("UNLIKELY"))
              for n, at in zip(NAMES, level, strict=True)}  # fmt: skip
    amazon = {n: safe(Explicit_Nudity=percent(x)) if x >= 50 else safe()
              for n, x in zip(NAMES, number, strict=True)}  # fmt: skip
    rows = compared(unsafe(tmp_path, g=(WORDS, google), r=(PERCENT, amazon))).parts[0].rows
    assert {row.thing for row in rows} == {"adult"}
    ranked = np.where(number >= 50, number, -1)
    assert value(rows, "spearman", "adult") == pytest.approx(
        stats.spearmanr(level, ranked).statistic
    )
    assert value(rows, "kendall_tau_b", "adult") == pytest.approx(
        stats.kendalltau(level, ranked).statistic
    )
    for cut in (1, 2, 3, 4):
        truth = roc_auc_score(level >= cut, ranked)
        assert value(rows, "auc", "adult", at=cut) == pytest.approx(truth)


def test_two_raters_in_words_have_weighted_kappas(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    one = random.integers(0, 4, 40)
    other = np.clip(one + random.integers(-1, 2, 40), 0, 4)
    path = unsafe(
        tmp_path,
        a=(
            WORDS,
            {n: safe(racy=likely(LIKELIHOODS[at])) for n, at in zip(NAMES, one, strict=True)},
        ),
        b=(
            WORDS,
            {n: safe(Racy=likely(LIKELIHOODS[at])) for n, at in zip(NAMES, other, strict=True)},
        ),
    )
    rows = compared(path).parts[0].rows
    for weights in ("linear", "quadratic"):
        truth = cohen_kappa_score(one, other, weights=weights, labels=range(5))
        assert value(rows, f"weighted_kappa_{weights}", "racy") == pytest.approx(truth)
    truth = krippendorff.alpha([one, other], level_of_measurement="ordinal")
    assert value(rows, "alpha_ordinal", "racy") == pytest.approx(truth)


def test_unknown_is_missing_not_a_level(tmp_path: Path) -> None:
    words = ["UNKNOWN", "LIKELY", "VERY_UNLIKELY", "POSSIBLE", "UNLIKELY", "VERY_LIKELY"]
    said = {f"{n}.jpg": safe(adult=likely(word)) for n, word in enumerate(words)}
    rows = compared(unsafe(tmp_path, a=(WORDS, said), b=(WORDS, said))).parts[0].rows
    row = find(rows, "weighted_kappa_linear", thing="adult")
    assert (row.estimate.n, row.estimate.value) == (5, 1)


def test_the_highest_of_a_constructs_categories_counts(tmp_path: Path) -> None:
    amazon = {
        "a.jpg": safe(Suggestive=percent(60), Swimwear_or_Underwear=percent(95)),
        "b.jpg": safe(SUGGESTIVE=percent(70)),
        "c.jpg": safe(Violence=percent(99)),
        "d.jpg": safe(),
    }
    words = ("VERY_LIKELY", "LIKELY", "UNLIKELY", "VERY_UNLIKELY")
    google = {n: safe(racy=likely(word)) for n, word in zip(amazon, words, strict=True)}
    rows = compared(unsafe(tmp_path, g=(WORDS, google), r=(PERCENT, amazon))).parts[0].rows
    truth = stats.spearmanr([3, 2, 1, 0], [95, 70, -1, -1]).statistic
    assert value(rows, "spearman", "racy") == pytest.approx(truth)
    assert {row.thing for row in rows} == {"racy"}


def test_a_category_of_another_version_is_not_this_ones(tmp_path: Path) -> None:
    """Version 2 said violence; version 1 never did, and is not taken to have looked for it."""
    maker = Maker(tmp_path / "study.db")
    google = {n: safe(violence=likely("LIKELY"), adult=likely("UNLIKELY")) for n in NAMES[:6]}
    maker.answered("g", Task.SAFE_SEARCH, google, scale=WORDS)
    mine = {n: safe(Explicit=percent(90)) for n in NAMES[:6]}
    maker.answered("r", Task.SAFE_SEARCH, mine, scale=PERCENT, model_version="6")
    newer = {n: safe(Violence=percent(90)) for n in NAMES[6:9]}
    maker.answered("r", Task.SAFE_SEARCH, newer, scale=PERCENT, model_version="7")
    part = compared(maker.path, "g", "r@6").parts[0]
    assert {row.thing for row in part.rows} == {"adult"}
    assert "r has 3 answers of another version" in part.notes[0]


def test_a_category_without_a_score_is_missing_and_not_low(tmp_path: Path) -> None:
    none = Score(Scale.UNCALIBRATED, math.nan)
    scores = {"a.jpg": percent(90), "b.jpg": none, "c.jpg": percent(60), "d.jpg": None}
    one = {n: safe(adult=s) if s else safe() for n, s in scores.items()}
    other = {n: safe(adult=percent(x)) for n, x in zip(one, (9, 99, 6, 3), strict=True)}
    rows = compared(unsafe(tmp_path, a=(PERCENT, one), b=(PERCENT, other))).parts[0].rows
    row = find(rows, "spearman", thing="adult")
    assert (row.estimate.n, row.estimate.value) == (3, pytest.approx(1))


def test_nothing_in_common_is_told(tmp_path: Path) -> None:
    one = {n: safe(adult=likely("LIKELY")) for n in NAMES[:3]}
    found = compared(unsafe(tmp_path, a=(WORDS, one), b=(PERCENT, {n: safe() for n in NAMES[:3]})))
    assert found.parts[0].rows == []
    assert any("a and b have no category in common" in note for note in found.parts[0].notes)


def test_other_categories_are_compared_by_name(tmp_path: Path) -> None:
    one = {n: safe(Gambling=percent(60 + at)) for at, n in enumerate(NAMES)}
    other = {n: safe(gambling=percent(50 + at)) for at, n in enumerate(NAMES)}
    rows = compared(unsafe(tmp_path, a=(PERCENT, one), b=(PERCENT, other))).parts[0].rows
    assert value(rows, "spearman", "gambling") == pytest.approx(1)
    # Two providers' numbers are no one quantity: no mean difference, no ICC.
    assert {row.measure for row in rows} == {"spearman", "kendall_tau_b"}


# Scores in general


def both(first: Scored, second: Scored) -> dict[str, Measured]:
    images = np.arange(len(first.numbers))
    return {row.measure: row for row in agreement("t", "x", first, second, images, QUICK)}


@pytest.mark.parametrize("n", [0, 1, 2])
@pytest.mark.parametrize("kinds", ["ww", "wn", "nn", "uu"])
def test_little_or_nothing_has_values_or_reasons(n: int, kinds: str) -> None:
    sides = [
        Scored.of_words(kind, np.array(["LIKELY", "UNLIKELY"][:n], dtype=object))
        if kind == "w"
        else Scored.of_numbers(kind, "", np.arange(n) * 1.0, unit="years" if kind == "u" else "")
        for kind in kinds
    ]
    for row in both(*sides).values():
        assert row.estimate.value is not None or row.estimate.reason
        assert row.estimate.low is None


@pytest.mark.parametrize("kinds", ["ww", "wn", "nn", "uu"])
@pytest.mark.parametrize("constant", [True, False])
def test_all_the_same_and_all_missing_have_reasons(kinds: str, constant: bool) -> None:
    n = 30
    number = 7.0 if constant else np.nan
    sides = [
        Scored.of_words(kind, np.full(n, "LIKELY" if constant else "", dtype=object))
        if kind == "w"
        else Scored.of_numbers(kind, "", np.full(n, number), unit="y" * (kind == "u"))
        for kind in kinds
    ]
    found = both(*sides)
    assert found["spearman"].estimate.value is None
    for row in found.values():
        assert row.estimate.value is not None or row.estimate.reason


def icc_of_agreement(table: np.ndarray) -> float:
    """McGraw & Wong 1996, table 4, ICC(A,1), from the sums of squares."""
    n, k = table.shape
    rows, columns = table.mean(1, keepdims=True), table.mean(0, keepdims=True)
    between = k * ((rows - table.mean()) ** 2).sum() / (n - 1)
    raters = n * ((columns - table.mean()) ** 2).sum() / (k - 1)
    error = ((table - rows - columns + table.mean()) ** 2).sum() / ((n - 1) * (k - 1))
    return (between - error) / (between + (k - 1) * error + k * (raters - error) / n)


def test_numbers_of_one_unit_are_compared_as_numbers() -> None:
    random = np.random.default_rng(3)
    x = random.normal(50, 10, 60)
    y = x + random.normal(2, 4, 60)
    y[[3, 9]] = np.nan
    found = both(*(Scored.of_numbers(n, "", v, unit="years") for n, v in (("a", x), ("b", y))))
    known = ~np.isnan(y)
    table = np.stack([x[known], y[known]], axis=1)
    assert found["icc_agreement"].estimate.value == pytest.approx(icc_of_agreement(table))
    assert found["mean_difference"].estimate.value == pytest.approx((x - y)[known].mean())
    alpha = krippendorff.alpha([x, y], level_of_measurement="interval")
    assert found["alpha_interval"].estimate.value == pytest.approx(alpha)
    sd = (x - y)[known].std(ddof=1)
    lower = (x - y)[known].mean() - 1.96 * sd
    assert found["limit_of_agreement_lower"].estimate.value == pytest.approx(lower)


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.one_of(st.none(), st.floats(0, 100))),
        min_size=3,
        max_size=25,
    )
)
def test_ranks_take_what_is_below_a_floor_as_lowest(pairs) -> None:
    words = np.array([LIKELIHOODS[at] for at, _ in pairs], dtype=object)
    below = np.array([number is None for _, number in pairs])
    numbers = np.array([np.nan if number is None else number for _, number in pairs])
    found = both(Scored.of_words("a", words), Scored.of_numbers("b", "", numbers, below))
    ranked = np.where(below, -1e9, np.nan_to_num(numbers))
    level = [at for at, _ in pairs]
    constant = len(set(level)) == 1 or len(set(ranked.tolist())) == 1
    truth = None if constant else stats.spearmanr(level, ranked).statistic
    value_ = found["spearman"].estimate.value
    assert (value_ is None) == (truth is None)
    assert truth is None or value_ == pytest.approx(truth, abs=1e-9)


# Ratings


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray, str]:
    """Three coders of a scale from 0 to 4, with gaps; a provider that says dog with a score."""
    folder = tmp_path_factory.mktemp("ratings")
    random = np.random.default_rng(4)
    true = random.integers(0, 5, 40)
    votes = np.clip(true[:, None] + random.integers(-1, 2, (40, 3)), 0, 4).astype(float)
    votes[random.random(votes.shape) < 0.15] = np.nan
    maker = Maker(folder / "study.db")
    said = {n: labels(("dog", 0.1 + 0.2 * at)) if at else labels("sky")
            for n, at in zip(NAMES, true, strict=True)}  # fmt: skip
    maker.answered("one", Task.LABELS, said)
    people = ("ann", "bob", "cid")
    rows = [
        (name, "Danger", coder, vote)
        for coder, mine in zip(people, votes.T, strict=True)
        for name, vote in zip(NAMES, mine, strict=True)
        if not np.isnan(vote)
    ]
    rows += [(NAMES[0], "Danger", "dan", "?")]
    return maker.path, votes, coded(folder / "codes.csv", *rows)


def test_ratings_of_people_have_every_measure_of_numbers(rated) -> None:
    path, votes, codes = rated
    part = compared(path, tasks=("ratings",), codes=[codes]).parts[0]
    assert [one.name for one in part.raters] == ["ann", "bob", "cid", "dan"]
    pair = find(part.rows, "spearman", ("ann", "bob"), thing="Danger")
    known = ~np.isnan(votes[:, :2]).any(axis=1)
    assert pair.estimate.n == known.sum()
    truth = stats.spearmanr(votes[known, 0], votes[known, 1]).statistic
    assert pair.estimate.value == pytest.approx(truth)
    for metric in ("interval", "ordinal"):
        everyone = find(part.rows, f"alpha_{metric}", ("ann", "bob", "cid", "dan"), thing="Danger")
        alpha = krippendorff.alpha(votes.T, level_of_measurement=metric)
        assert everyone.estimate.value == pytest.approx(alpha)


def test_ratings_beside_a_providers_score_of_the_construct(rated) -> None:
    path, votes, codes = rated
    book = Codebook.read('danger = ["dog"]', "codebook.toml")
    part = compared(path, tasks=("ratings",), codes=[codes], codebook=book).parts[0]
    assert [one.name for one in part.raters] == ["ann", "bob", "cid", "dan", "one"]
    row = find(part.rows, "spearman", ("ann", "one"), thing="Danger")
    random = np.random.default_rng(4)
    true = random.integers(0, 5, 40)
    known = ~np.isnan(votes[:, 0])
    truth = stats.spearmanr(votes[known, 0], true[known]).statistic
    assert (row.estimate.n, row.estimate.value) == (known.sum(), pytest.approx(truth))
    assert find(part.rows, "icc_agreement", ("ann", "one"), thing="Danger") is None


def test_a_label_without_a_score_is_not_the_lowest(tmp_path: Path) -> None:
    maker = Maker(tmp_path / "study.db")
    none = Annotation(
        labels=(labels("dog").labels[0].__class__("dog", Score(Scale.UNCALIBRATED, math.nan)),)
    )
    said = {n: none if at == 0 else labels(("dog", at / 10)) if at < 8 else labels("sky")
            for at, n in enumerate(NAMES[:10])}  # fmt: skip
    maker.answered("one", Task.LABELS, said, scale=Scale.UNCALIBRATED)
    rows = [
        (n, "dog", "ann", 5 if at == 0 else at if at < 8 else 0) for at, n in enumerate(NAMES[:10])
    ]
    book = Codebook.read('dog = ["dog"]', "codebook.toml")
    codes = [coded(tmp_path / "c.csv", *rows)]
    part = compared(maker.path, tasks=("ratings",), codes=codes, codebook=book).parts[0]
    row = find(part.rows, "spearman", ("ann", "one"), thing="dog")
    assert (row.estimate.n, row.estimate.value) == (9, pytest.approx(1))
