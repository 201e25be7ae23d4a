"""Sets of labels, their overlaps, alpha, censoring and pairs: each held against a plain loop."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visionhub.analysis import set_alpha as module
from visionhub.analysis.censoring import NO, UNKNOWN, YES, Cells
from visionhub.analysis.paired import BINARY
from visionhub.analysis.pairs import Pair, Side, returned_by_source, returned_cells
from visionhub.analysis.resample import Resampling, estimate
from visionhub.analysis.set_alpha import set_alpha
from visionhub.analysis.sets import MEANS, Overlaps, Sets

THINGS = 6
words = st.frozensets(st.integers(0, THINGS - 1), max_size=THINGS)
scored = st.dictionaries(st.integers(0, THINGS - 1), st.sampled_from([0.3, 0.5, 0.7, 0.9]))


def sets(rows, scores=None) -> Sets:
    """From an iterable of things for each image."""
    image = [at for at, things in enumerate(rows) for _ in things]
    thing = [one for things in rows for one in things]
    score = [things[one] for things in rows for one in things] if scores else [0.0] * len(image)
    rank = [place for things in rows for place, _ in enumerate(things, 1)]
    return Sets.of(
        len(rows),
        THINGS,
        np.array(image, dtype=np.int64),
        np.array(thing, dtype=np.int64),
        np.array(score, dtype=np.float64),
        np.array(rank, dtype=np.int64),
    )


def plain_jaccard(a, b) -> float:
    return len(a & b) / len(a | b) if a | b else 1.0


def plain_masi(a, b) -> float:
    weight = 1.0 if a == b else 2 / 3 if (a <= b or b <= a) and a & b else 1 / 3 if a & b else 0.0
    return plain_jaccard(a, b) * weight


def plain_alpha(units, similarity) -> float:
    """The definition, pair by pair."""
    units = [[one for one in unit if one is not None] for unit in units]
    units = [unit for unit in units if len(unit) > 1]
    values = [one for unit in units for one in unit]
    observed = sum(
        2 * sum(1 - similarity(a, b) for a, b in combinations(unit, 2)) / (len(unit) - 1)
        for unit in units
    ) / len(values)
    expected = 2 * sum(1 - similarity(a, b) for a, b in combinations(values, 2))
    return 1 - observed / (expected / (len(values) * (len(values) - 1)))


@given(st.lists(st.tuples(words, words), min_size=1, max_size=8))
def test_overlaps_are_those_of_pythons_sets(pairs) -> None:
    first, second = sets([a for a, _ in pairs]), sets([b for _, b in pairs])
    found = Overlaps.of(first, second)
    assert found.jaccard == pytest.approx([plain_jaccard(a, b) for a, b in pairs])
    assert found.masi == pytest.approx([plain_masi(a, b) for a, b in pairs])
    total = found.sums().total
    assert MEANS["jaccard"](total) == pytest.approx(np.mean(found.jaccard))
    one_source = found.sums(np.zeros(len(pairs), dtype=np.int64))
    assert one_source.total == pytest.approx(total)
    both = sum(len(a & b) for a, b in pairs)
    own = sum(len(a) for a, _ in pairs)
    share = MEANS["shared_of_a"](total)
    assert share == pytest.approx(both / own) if own else np.isnan(share)


def test_a_thing_that_an_image_has_twice_keeps_its_best_score_and_place() -> None:
    twice = Sets.of(
        2,
        THINGS,
        np.array([1, 0, 1, 1]),
        np.array([3, 2, 3, 0]),
        np.array([0.5, np.nan, 0.8, 0.1]),
        np.array([1, 1, 2, 3]),
    )
    assert twice.image.tolist() == [0, 1, 1]
    assert twice.thing.tolist() == [2, 0, 3]
    assert twice.score.tolist() == pytest.approx([np.nan, 0.1, 0.8], nan_ok=True)
    assert twice.rank.tolist() == [1, 3, 1]
    assert twice.within(np.array([3])).keys.tolist() == [THINGS + 3]


@settings(max_examples=40)
@given(
    st.lists(st.tuples(*[st.none() | words] * 3), min_size=2, max_size=7),
    st.sampled_from(["jaccard", "masi"]),
)
def test_alpha_of_sets_is_its_definition(units, distance) -> None:
    plain = {"jaccard": plain_jaccard, "masi": plain_masi}[distance]
    raters = [sets([unit[r] or frozenset() for unit in units]) for r in range(3)]
    answered = [np.array([unit[r] is not None for unit in units]) for r in range(3)]
    found = set_alpha(raters, distance, answered=answered)
    kept = [[one for one in unit if one is not None] for unit in units]
    values = {one for unit in kept if len(unit) > 1 for one in unit}
    if len(values) < 2:
        assert not found.estimable
    else:
        assert found.value == pytest.approx(plain_alpha(units, plain))


@pytest.mark.parametrize("distance", ["jaccard", "masi"])
def test_known_answer_set_alpha(shared, distance) -> None:
    import json

    case = json.loads((shared / "known_answers/02_set_valued_alpha_jaccard_masi.json").read_text())
    names = sorted({one for unit in case["data"]["units"] for value in unit for one in value})
    units = [[frozenset(map(names.index, value)) for value in u] for u in case["data"]["units"]]
    found = set_alpha([sets([unit[r] for unit in units]) for r in range(3)], distance)
    expected = case["expected"][f"alpha_{distance}"]
    assert found.value == pytest.approx(expected, abs=case["tolerance"])


def random_sets(n: int, seed: int) -> tuple[Sets, Sets]:
    random = np.random.default_rng(seed)
    first = [
        frozenset(random.choice(THINGS, random.integers(0, 4), replace=False)) for _ in range(n)
    ]
    second = [
        frozenset(one for one in things if random.random() < 0.7) | {int(random.integers(THINGS))}
        for things in first
    ]
    return sets(first), sets(second)


def test_an_estimated_alpha_agrees_with_the_exact_one(monkeypatch) -> None:
    pair = random_sets(500, 1)
    how = Resampling(2000)
    for distance in ("jaccard", "masi"):
        exact = set_alpha(pair, distance, how=how)
        with monkeypatch.context() as patched:
            patched.setattr(module, "EXACT", 0)
            sampled = set_alpha(pair, distance, how=how)
        assert sampled.value == pytest.approx(exact.value, abs=0.003)
        assert sampled.low == pytest.approx(exact.low, abs=0.006)
        assert sampled.high == pytest.approx(exact.high, abs=0.006)
        assert "random pairs" in sampled.method
        assert "random pairs" not in exact.method


def test_alpha_resamples_sources_whole() -> None:
    first, second = random_sets(120, 2)
    alone = set_alpha([first, second])
    doubled = [
        Sets.of(
            240,
            THINGS,
            np.concatenate([one.image, one.image + 120]),
            np.tile(one.thing, 2),
            np.tile(one.score, 2),
            np.tile(one.rank, 2),
        )
        for one in (first, second)
    ]
    sourced = set_alpha(doubled, sources=np.tile(np.arange(120), 2))
    assert sourced.clusters == 120
    assert sourced.high - sourced.low == pytest.approx(alone.high - alone.low, rel=0.02)


# What is absent


def allocations(cells: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Every way to make a table without unknowns, as (yes-yes, no-no, yes-no, no-yes)."""
    yy, yn, yu, ny, nn, nu, uy, un, uu = map(int, cells.ravel())
    found = set()
    for a, b, c, d in product(range(yu + 1), range(uy + 1), range(nu + 1), range(un + 1)):
        for p in range(uu + 1):
            for q in range(uu - p + 1):
                for r in range(uu - p - q + 1):
                    s = uu - p - q - r
                    found.add(
                        (
                            yy + a + b + p,
                            nn + (nu - c) + (un - d) + q,
                            yn + (yu - a) + d + r,
                            ny + (uy - b) + c + s,
                        )
                    )
    return sorted(found)


def plain(name: str, yes: int, no: int, first: int, second: int) -> float:
    n = yes + no + first + second
    agreed = (yes + no) / n
    one, other = (yes + first) / n, (yes + second) / n
    with np.errstate(all="ignore"):
        if name == "percent_agreement":
            return agreed
        if name == "pabak":
            return 2 * agreed - 1
        if name == "cohen_kappa":
            chance = one * other + (1 - one) * (1 - other)
            return (agreed - chance) / (1 - chance) if chance < 1 else np.nan
        if name == "gwet_ac1":
            share = (one + other) / 2
            chance = 2 * share * (1 - share)
            return (agreed - chance) / (1 - chance)
        top = yes if name == "positive_agreement" else no
        return 2 * top / (2 * top + first + second) if 2 * top + first + second else np.nan


@settings(max_examples=60)
@given(st.lists(st.integers(0, 3), min_size=9, max_size=9).filter(any))
def test_bounds_are_those_of_every_assignment(counts) -> None:
    cells = np.array(counts, dtype=float).reshape(3, 3)
    found = Cells(cells).bounds()
    for name, (low, high) in found.items():
        possible = [plain(name, *table) for table in allocations(cells)]
        known = [value for value in possible if not np.isnan(value)]
        if not known:
            assert np.isnan(low)
            assert np.isnan(high)
            continue
        assert np.isnan(low) or low == pytest.approx(min(known))
        assert np.isnan(high) or high == pytest.approx(max(known))


def test_without_unknowns_the_bounds_are_the_value() -> None:
    cells = Cells(np.array([[40.0, 9, 0], [6, 45, 0], [0, 0, 0]]))
    assert cells.unknown == 0
    assert set(cells.bounds()) == set(BINARY) - {"prevalence_index", "bias_index"}
    for name, (low, high) in cells.bounds().items():
        assert low == high == pytest.approx(plain(name, 40, 45, 9, 6))


def state(row, thing, cut, floor, ceiling):
    if thing in row and row[thing] >= cut:
        return YES
    least = floor if cut == -np.inf else cut
    return UNKNOWN if thing not in row and ceiling > least else NO


@settings(max_examples=80)
@given(
    st.lists(st.tuples(scored, scored, st.booleans(), st.booleans()), min_size=1, max_size=6),
    st.sampled_from([-np.inf, 0.1, 0.5, 0.8]),
    st.sampled_from([-np.inf, 0.6]),
)
def test_a_pair_says_of_every_thing_what_its_definition_says(rows, cut_a, cut_b) -> None:
    floor = 0.2
    ceilings = [
        np.array([min(row[at].values(), default=floor) if row[at + 2] else floor for row in rows])
        for at in (0, 1)
    ]
    sides = [
        Side(sets([row[at] for row in rows], scores=True), floor, ceilings[at]) for at in (0, 1)
    ]
    pair, cuts = Pair.of(*sides), (cut_a, cut_b)
    cells = np.zeros((THINGS, 3, 3))
    unknown = np.zeros(len(rows))
    for at, row in enumerate(rows):
        for thing in range(THINGS):
            found = [
                state(row[side], thing, cuts[side], floor, ceilings[side][at]) for side in (0, 1)
            ]
            cells[thing, *found] += 1
            unknown[at] += YES in found and UNKNOWN in found
    assert (pair.cells(cuts).counts == cells).all()
    counted = pair.counted(cuts)
    assert counted.unknown.tolist() == unknown.tolist()
    assert counted.overlaps.both.sum() == cells[:, YES, YES].sum()
    assert counted.overlaps.first.sum() == cells[:, YES].sum()
    low, high = counted.bounds()
    assert (low <= high).all()
    sources = np.arange(len(rows)) % 2
    kept = np.array([4, 1])
    by_source = returned_cells(returned_by_source(pair, kept, sources).total)
    assert (by_source == pair.cells().returned[kept]).all()


def test_mean_bounds_have_their_interval() -> None:
    first, second = random_sets(200, 3)
    counted = Overlaps.of(first, second)
    found = estimate(counted.sums(), MEANS["jaccard"])
    assert found.low < found.value < found.high
