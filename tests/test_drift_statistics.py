"""Flips, shifts of censored scores, and labels that were renamed, against few-line computations."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from visionhub.analysis.drift_flips import flips, sign_flip_p
from visionhub.analysis.drift_scores import QUANTILES, Scores, measures, share_of_images
from visionhub.analysis.drift_things import Things
from visionhub.analysis.drift_words import Words
from visionhub.analysis.frames import Answers
from visionhub.analysis.mcnemar import mcnemar_p
from visionhub.analysis.raters import Rater
from visionhub.analysis.resample import Resampling
from visionhub.analysis.settings import Settings

FEW = Resampling(draws=200)


def answers(
    said: list[list[tuple[str, str, float]]],
    name: str = "a",
    scale: str = "probability",
    floor: float | None = None,
) -> Answers:
    """What a rater says of each image: (name, identifier, score), best first."""
    rows = [(at, *one, rank) for at, image in enumerate(said) for rank, one in enumerate(image, 1)]
    columns = [[row[k] for row in rows] for k in range(5)]
    names, ids = (list(dict.fromkeys(filter(None, columns[k]))) for k in (1, 2))
    return Answers(
        Rater(name, "vendor", 1, scale=scale, floor=floor),
        np.arange(len(said)),
        np.zeros(len(said), np.bool_),
        np.array(columns[0], np.int64),
        np.array(columns[4], np.int64),
        {"score": np.array(columns[3], np.float64)},
        {
            "name": np.array([names.index(n) for n in columns[1]], np.int64),
            "vendor_id": np.array([ids.index(i) if i else -1 for i in columns[2]], np.int64),
        },
        {"name": names, "vendor_id": ids},
    )


# Sign flips of sources


def brute(nets: list[int]) -> float:
    """Every way of giving each source's change a sign."""
    sums = [sum(s * n for s, n in zip(signs, nets, strict=True))
            for signs in product((1, -1), repeat=len(nets))]  # fmt: skip
    return float(np.mean([abs(found) >= abs(sum(nets)) for found in sums]))


@given(st.lists(st.integers(-4, 4).filter(bool), min_size=1, max_size=9))
def test_sign_flips_are_enumerated(nets) -> None:
    p, method = sign_flip_p(np.array(nets))
    assert p == pytest.approx(brute(nets))
    assert method == "sign flips of sources, exact"


@given(st.integers(0, 30), st.integers(0, 30))
def test_sources_of_one_image_each_give_mcnemars_test(b, c) -> None:
    if b + c:
        found, _ = sign_flip_p(np.array([-1] * b + [1] * c))
        assert found == pytest.approx(float(mcnemar_p(b, c)))


def test_many_large_sources_are_approximated_by_the_statistic_of_yang() -> None:
    nets = np.random.default_rng(1).integers(1, 40, 600) * np.where(np.arange(600) < 340, 1, -1)
    p, method = sign_flip_p(nets)
    assert "Yang" in method
    simulated = np.random.default_rng(2).choice([1, -1], (4000, 600)) @ np.abs(nets)
    assert p == pytest.approx(np.mean(np.abs(simulated) >= abs(nets.sum())), abs=0.02)


def test_flips_of_one_source_are_no_evidence() -> None:
    """Twelve images of one burst lose a label: with sources that is one change, not twelve."""
    said = [[("dog", "", 0.9)]] * 12 + [[]] * 12
    things = Things.of("labels", answers(said), answers([[]] * 24, "b"))
    alone = things.flips(Settings(FEW))[0]
    assert (alone.lost, alone.gained, alone.test) == (12, 0, "McNemar, exact")
    assert alone.p_value == pytest.approx(2 * 0.5**12)
    sources = np.array([0] * 12 + list(range(1, 13)))
    settings_ = Settings(FEW, lambda images: sources[images])
    together = things.flips(settings_)[0]
    assert (together.p_value, together.test) == (1.0, "sign flips of sources, exact")
    assert alone.difference.value == together.difference.value == -0.5
    assert "Newcombe" in alone.difference.method
    assert "jackknife of sources" in together.difference.method


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.booleans())
def test_flips_equal_a_loop_over_labels(seed, by_source) -> None:
    random = np.random.default_rng(seed)
    given_ = [random.random((40, 6)) < random.random(6) for _ in range(2)]
    said = [
        [[(f"l{k}", f"/m/{k}", 0.9) for k in np.flatnonzero(row)] for row in side]
        for side in given_
    ]
    things = Things.of("labels", answers(said[0]), answers(said[1], "b"))
    sources = random.integers(0, 8, 40)
    of = (lambda images: sources[images]) if by_source else None
    found = {things.words.label(f.thing): f for f in things.flips(Settings(FEW, of))}
    p_values = {}
    for k in range(6):
        then, now = given_[0][:, k], given_[1][:, k]
        if not (then.any() or now.any()):
            assert f"l{k}" not in found
            continue
        b, c = int((then & ~now).sum()), int((~then & now).sum())
        flip = found[f"l{k}"]
        assert flip.cells == (int((then & now).sum()), b, c, int((~then & ~now).sum()))
        assert flip.difference.value == pytest.approx(now.mean() - then.mean())
        if by_source:
            nets = np.bincount(sources, now.astype(float) - then, 8)
            p_values[f"l{k}"] = brute([int(n) for n in nets if n]) if nets.any() else None
        elif b + c:
            p_values[f"l{k}"] = stats.binomtest(b, b + c).pvalue if b + c < 25 else None
        if p_values.get(f"l{k}") is not None:
            assert flip.p_value == pytest.approx(p_values[f"l{k}"])
    tested = sorted((f.p_value, f.holm) for f in found.values() if f.p_value is not None)
    holm, highest = [], 0.0
    for place, (p, _) in enumerate(tested):
        highest = max(highest, min(1.0, p * (len(tested) - place)))
        holm.append(highest)
    assert [adjusted for _, adjusted in tested] == pytest.approx(holm)
    order = [(f.holm if f.holm is not None else 2, f.p_value or 0) for f in
             things.flips(Settings(FEW, of))]  # fmt: skip
    assert [one[0] for one in order] == sorted(one[0] for one in order)


# Scores


def rows(scores: Scores, images: int, tolerance: float = 1e-4, sources=None) -> dict:
    found = measures("labels", ("a", "b"), scores, images, sources, FEW, tolerance)
    return {(row.measure, row.at): row for row in found}


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from([1.0, 100.0]))
def test_the_bounds_hold_the_shift_that_nobody_saw(seed, span) -> None:
    """True scores are known here; what lies below the floor is not reported."""
    random = np.random.default_rng(seed)
    true = random.random((2, 300)) * span
    floor = 0.5 * span
    first, second = (np.where(side >= floor, side, np.nan) for side in true)
    seen = ~np.isnan(first) | ~np.isnan(second)
    limits = np.full(seen.sum(), floor)
    scale = "probability" if span == 1 else "percent"
    image = np.repeat(np.arange(30), 10)[seen]
    scores = Scores(image, first[seen], second[seen], (limits, limits), scale)
    found = rows(scores, 30)
    shift = (true[1] - true[0])[seen]
    mean = found["score_shift_mean", None]
    assert mean.lowest <= shift.mean() <= mean.highest
    both = scores.kept
    assert mean.estimate.value == pytest.approx(shift[both].mean())
    assert mean.estimate.n == len(np.unique(image[both]))
    for p in QUANTILES:
        row = found["score_shift_quantile", p]
        true_quantile = np.quantile(shift, p, method="inverted_cdf")
        assert row.lowest <= true_quantile <= row.highest
        assert row.estimate.value == np.quantile(shift[both], p, method="inverted_cdf")
    near = int((scores.near & scores.lost).sum())
    lost = true[0][seen][scores.lost]
    assert near == (lost <= floor + 0.05 * span).sum()


def test_what_differs_in_the_last_digit_has_not_moved() -> None:
    """The same picture under two names, as two vendors answered in 2017."""
    first, second = np.array([0.9524616, 0.9741430]), np.array([0.95246166, 0.9741439])
    limits = (np.zeros(2), np.zeros(2))
    scores = Scores(np.arange(2), first, second, limits, "probability")
    assert rows(scores, 2)["scores_moved", 1e-4].estimate.value == 0
    assert rows(scores, 2, 1e-7)["scores_moved", 1e-7].estimate.value == 0.5


def test_a_quantile_has_the_interval_that_woodruff_gives_it() -> None:
    """Independent shifts: the interval covers the median, and is as long as the binomial one."""
    random = np.random.default_rng(0)
    covered, lengths = 0, []
    for _ in range(200):
        shift = random.normal(0.1, 0.2, 100)
        scores = Scores(np.arange(100), np.full(100, 5.0), 5.0 + shift, (np.zeros(100),) * 2, "x")
        found = rows(scores, 100)["score_shift_quantile", 0.5].estimate
        assert found.method.startswith("Woodruff's, ")
        covered += found.low <= 0.1 <= found.high
        ordered = np.sort(shift)
        lengths.append((found.high - found.low) / (ordered[59] - ordered[39]))  # binomial, 95 %
    assert 180 <= covered <= 200
    assert np.mean(lengths) == pytest.approx(1, abs=0.1)


def test_scores_on_two_scales_have_no_shift_and_a_scale_without_ends_no_bounds() -> None:
    same = (np.array([0.5, 0.6, np.nan]), np.array([0.7, np.nan, 0.9]), (np.zeros(3),) * 2)
    (row,) = rows(Scores(np.arange(3), *same, ""), 3).values()
    assert row.estimate.reason == "the scores are on two scales"
    found = rows(Scores(np.arange(3), *same, "uncalibrated"), 3)["score_shift_mean", None]
    assert found.estimate.value == pytest.approx(0.2)
    assert (found.lowest, found.highest) == (None, None)


def test_what_has_no_score_is_kept_and_has_no_shift() -> None:
    inf = np.array([np.inf, np.inf, 0.9])
    scores = Scores(
        np.arange(3), inf, np.array([np.inf, np.nan, 0.8]), (np.zeros(3),) * 2, "percent"
    )
    assert scores.counts(("a", "b"), 3) == {
        "a": "a",
        "b": "b",
        "images": 3,
        "images_identical": 2,
        "kept": 2,
        "lost": 1,
        "lost_near_floor": 0,
        "gained": 0,
        "gained_near_floor": 0,
    }
    assert rows(scores, 3)["score_shift_mean", None].estimate.value == pytest.approx(-0.1)


def test_nothing_at_all_is_not_estimable() -> None:
    none = np.zeros(0)
    scores = Scores(np.zeros(0, np.int64), none, none, (none, none), "probability")
    for row in rows(scores, 0).values():
        assert row.estimate.value is None
        assert row.estimate.reason
    assert (
        share_of_images(np.zeros(0, np.bool_), None, FEW).reason == "no image has answers of both"
    )
    empty = Things.of("labels", answers([[]]), answers([[]], "b"))
    assert empty.flips(Settings(FEW)) == []
    assert flips(empty.pair, empty.scores, np.array([0]), FEW) == []


# Names


def changes(before, after) -> list[tuple[str, str, str, str]]:
    things = Things.of("labels", answers(before), answers(after, "b"))
    return sorted(
        (row["change"], row["was"], row["label"], row["vendor_id"]) for row in things.changes()
    )


def counts(before, after) -> tuple[int, int, int]:
    found = Things.of("labels", answers(before), answers(after, "b")).counts()
    return found["kept"], found["lost"], found["gained"]


def test_an_identifier_that_stays_makes_it_a_rename_and_no_flip() -> None:
    before = [[("german spitz", "/m/1", 0.9), ("dog", "/m/2", 0.8)]]
    after = [[("spitz", "/m/1", 0.9), ("dog", "/m/3", 0.8), ("pet", "/m/4", 0.7)]]
    assert counts(before, after) == (2, 0, 1)
    assert changes(before, after) == [
        ("another identifier", "/m/2", "dog", "/m/3"),
        ("new", "", "pet", "/m/4"),
        ("renamed", "german spitz", "spitz", "/m/1"),
    ]


def test_a_name_that_goes_to_another_thing_is_not_the_same_label() -> None:
    """/m/1 was the bird and is the machine: both identifiers are known at both times."""
    before = [[("crane", "/m/1", 0.9), ("hoist", "/m/2", 0.9)]]
    after = [[("crane bird", "/m/1", 0.9), ("crane", "/m/2", 0.9)]]
    assert counts(before, after) == (2, 0, 0)
    assert changes(before, after) == [
        ("renamed", "crane", "crane bird", "/m/1"),
        ("renamed", "hoist", "crane", "/m/2"),
    ]


def test_without_identifiers_names_count_whatever_their_case() -> None:
    before, after = [[("dog", "", 0.9), ("cat", "", 0.9)]], [[("Dog", "", 0.9), ("cow", "", 0.9)]]
    assert counts(before, after) == (1, 1, 1)
    assert changes(before, after) == [
        ("gone", "", "cat", ""),
        ("new", "", "cow", ""),
        ("renamed", "dog", "Dog", ""),
    ]
    assert counts([[("dog", "", 0.9)]], [[("dog", "/m/2", 0.9)]]) == (1, 0, 0)
    assert changes([[("dog", "", 0.9)]], [[("dog", "/m/2", 0.9)]]) == []


@given(st.integers(0, 10_000))
def test_both_versions_number_things_alike(seed) -> None:
    """Whatever names and identifiers: two rows with one identifier are one thing, in each order."""
    random = np.random.default_rng(seed)

    def side() -> list[list[tuple[str, str, float]]]:
        return [
            [(f"n{random.integers(4)}", random.choice(["", "i1", "i2", "i3"]), 0.9)
             for _ in range(random.integers(5))]
            for _ in range(3)
        ]  # fmt: skip

    before, after = answers(side()), answers(side(), "b")
    words, turned = Words.of(before, after), Words.of(after, before)
    flat = np.concatenate(words.things)
    other = np.concatenate([turned.things[1], turned.things[0]])
    assert ((flat[:, None] == flat) == (other[:, None] == other)).all()
    ids = np.concatenate([
        np.array([*one.texts["vendor_id"], ""])[one.words["vendor_id"]] for one in (before, after)
    ])  # fmt: skip
    same = (ids[:, None] == ids) & (ids != "")
    assert (flat[:, None] == flat)[same].all()
