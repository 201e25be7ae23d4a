"""Faces compared: matched by their boxes, put on one sign, and guesses only when asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from tests.compared import Maker, coded, faces, likely, percent
from visionhub.analysis.compare import Comparison, Wanted, compare
from visionhub.analysis.estimate import Estimate, not_estimable
from visionhub.analysis.face_numbers import sign_of
from visionhub.analysis.measured import Measured, find
from visionhub.analysis.naming import read_sources
from visionhub.analysis.resample import Resampling
from visionhub.analysis.scored import LIKELIHOODS, Scored
from visionhub.analysis.settings import Settings
from visionhub.report.compared import as_json
from visionhub.schema import Task
from visionhub.store.study import StudyFile

QUICK = Resampling(draws=200)
SIDES = [(0.0, 0.0, 0.2, 0.2), (0.3, 0.0, 0.5, 0.2), (0.6, 0.0, 0.8, 0.2)]
Says = Sequence[Mapping[str, object]]  # of faces one after another, three in an image


def study(folder: Path, **raters: Says) -> Path:
    maker = Maker(folder / "study.db")
    for name, said in raters.items():
        images = {
            f"{at // 3:03}.jpg": faces(*zip(SIDES, said[at : at + 3], strict=False))
            for at in range(0, len(said), 3)
        }
        maker.answered(name, Task.FACES, images)
    return maker.path


def compared(path: Path, *raters: str, source: str = "", **more) -> Comparison:
    with StudyFile(path) as opened:
        settings = Settings(QUICK, read_sources(opened, source) if source else None)
        return compare(opened, Wanted(("faces",), raters, settings=settings, **more))


def row_of(found: Comparison, measure: str, thing: str = "", **more) -> Measured:
    row = find(found.parts[0].rows, measure, thing=thing, **more)
    assert row is not None, (measure, thing, [r.measure for r in found.parts[0].rows])
    return row


def value(found: Comparison, measure: str, thing: str = "", **more) -> float | None:
    return row_of(found, measure, thing, **more).estimate.value


def things(found: Comparison) -> set[str]:
    return {row.thing for row in found.parts[0].rows}


# Which faces


def test_faces_are_matched_by_box_not_by_place(tmp_path: Path) -> None:
    """The other lists them the other way round, and finds one that the first did not."""
    maker = Maker(tmp_path / "study.db")
    marks = [{"smile": "true"}, {"smile": "false"}, {"smile": "true"}]
    one = faces(*zip(SIDES, marks, strict=True))
    other = faces(
        *reversed([*zip(SIDES, marks, strict=True), ((0, 0.5, 0.1, 0.6), {"smile": "x"})])
    )
    maker.answered("one", Task.FACES, {f"{n}.jpg": one for n in range(8)})
    maker.answered("other", Task.FACES, {f"{n}.jpg": other for n in range(8)})
    found = compared(maker.path)
    assert value(found, "recall", at=0.5) == 0.75
    assert value(found, "percent_agreement", "smile", at=0.3) == 1
    assert row_of(found, "percent_agreement", "smile", at=0.3).estimate.n == 24


def test_faces_of_one_photograph_go_together(tmp_path: Path) -> None:
    """Of 30 faces in ten photographs the interval rests on ten; sources put these together, too."""
    random = np.random.default_rng(1)
    flags = random.random(30) < 0.5
    one = [{"smile": "true" if flag else "false"} for flag in flags]
    other = [
        {"smile": "true" if flag == (at % 4 > 0) else "false"} for at, flag in enumerate(flags)
    ]
    path = study(tmp_path, one=one, other=other)
    row = row_of(compared(path), "cohen_kappa", "smile", at=0.3)
    assert (row.estimate.n, row.estimate.clusters) == (30, 10)
    assert row.estimate.method == "delete-one jackknife of images, t(9)"
    table = coded(
        tmp_path / "s.csv", *[(f"{n:03}.jpg", n % 5) for n in range(10)], columns="image,s"
    )
    row = row_of(compared(path, source=f"{table}:s"), "cohen_kappa", "smile", at=0.3)
    assert (row.estimate.n, row.estimate.clusters) == (30, 5)
    assert row.estimate.method == "delete-one jackknife of sources, t(4)"


def test_no_face_of_both_has_reasons(tmp_path: Path) -> None:
    path = study(tmp_path, one=[{"smile": "true", "age": 3, "roll": 1}], other=[])
    maker = Maker(path)
    maker.answered("other", Task.FACES, {"000.jpg": faces()})
    found = compared(path, sensitive=("age", "gender", "emotion"))
    for row in found.parts[0].rows:
        assert row.estimate.value is not None or row.estimate.reason
    assert "no face that both found" in row_of(found, "mean_absolute_difference_years", "age",
                                               at=0.3).estimate.reason  # fmt: skip


# Attributes


def test_words_are_compared_where_both_have_one(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    words = np.array(["true", "false", None], dtype=object)
    one, other = random.choice(words, 60), random.choice(words, 60)
    path = study(
        tmp_path,
        one=[{} if w is None else {"glasses": (w, percent(90))} for w in one],
        other=[{} if w is None else {"glasses": w.upper()} for w in other],
    )
    known = [a is not None and b is not None for a, b in zip(one, other, strict=True)]
    found = row_of(compared(path), "cohen_kappa", "glasses", at=0.3).estimate
    assert found.n == sum(known)
    truth = cohen_kappa_score(one[known].astype(str), other[known].astype(str))
    assert found.value == pytest.approx(truth)
    agreed = row_of(compared(path), "percent_agreement", "glasses", at=0.3).estimate
    assert (agreed.n, agreed.value) == (sum(known), pytest.approx((one == other)[known].mean()))


def test_how_sure_of_a_word_is_nothing_beside_a_likelihood(tmp_path: Path) -> None:
    one = [{"headwear": ("true" if at % 2 else "false", percent(99))} for at in range(12)]
    other = [{"headwear": likely("LIKELY")} for _ in range(12)]
    for pair in ((one, other), (other, one)):
        found = compared(study(tmp_path, one=pair[0], other=pair[1]))
        rows = [row for row in found.parts[0].rows if row.thing == "headwear"]
        assert [(row.measure, row.estimate.value) for row in rows] == [("agreement", None)]
        assert "no common measure" in rows[0].estimate.reason
        (tmp_path / "study.db").unlink()


@pytest.mark.parametrize("one", [0.3, None])
def test_numbers_without_a_score_are_compared_by_rank(tmp_path: Path, one: float | None) -> None:
    random = np.random.default_rng(4)
    gaze = random.normal(0, 20, 30)
    said = [{"gaze_yaw": float(g)} for g in gaze]
    other = [{"gaze_yaw": float(g + random.normal(0, 10)), "bare": one} for g in gaze]
    found = compared(study(tmp_path, one=said, other=other))
    truth = stats.spearmanr(gaze, [o["gaze_yaw"] for o in other]).statistic
    assert value(found, "spearman", "gaze_yaw") == pytest.approx(truth)


def test_an_attribute_with_neither_word_nor_score_nor_number_is_none(tmp_path: Path) -> None:
    said = [{"odd": None} for _ in range(6)]
    found = compared(study(tmp_path, one=said, other=said))
    assert value(found, "spearman", "odd") is None


@pytest.mark.parametrize("order", [("one", "other"), ("other", "one")])
def test_what_falls_as_the_other_rises_is_turned_round(tmp_path: Path, order) -> None:
    """Blurred goes with little sharpness: agreement is a correlation above 0, and kappa too."""
    random = np.random.default_rng(5)
    level = random.integers(0, 5, 150)
    sharp = np.clip(95 - 20 * level + random.normal(0, 4, 150), 0, 100)
    path = study(
        tmp_path,
        one=[{"blurred": likely(LIKELIHOODS[at])} for at in level],
        other=[{"sharpness": percent(s)} for s in sharp],
    )
    found = compared(path, *order)
    thing = {"one": "blurred ~ -sharpness", "other": "-sharpness ~ blurred"}[order[0]]
    assert value(found, "spearman", thing) == pytest.approx(
        stats.spearmanr(level, -sharp).statistic
    )
    assert value(found, "spearman", thing) > 0.9
    assert value(found, "weighted_kappa_after_monotone_fit", thing) > 0.8
    assert value(found, "auc", thing, at=2) > 0.95


def test_scores_the_other_way_round() -> None:
    words = Scored.of_words("one", np.array(["LIKELY", "", "VERY_UNLIKELY", "UNKNOWN"], object))
    assert words.reversed().words.tolist() == ["UNLIKELY", None, "VERY_LIKELY", None]
    numbers = np.array([3.0, np.nan, 1.0, np.nan])
    below = np.array([False, True, False, False])
    turned = Scored.of_numbers("one", "percent", numbers, below).reversed()
    order = np.argsort(turned.ranked[[0, 1, 2]]).tolist()
    assert order == [0, 2, 1]  # what lay below the floor is the highest now
    assert np.isnan(turned.ranked[3])


# Pose


def posed(first: np.ndarray, second: np.ndarray, name: str = "yaw") -> dict[str, Says]:
    return {
        "one": [{name: float(angle)} for angle in first],
        "other": [{name: float(angle)} for angle in second],
    }


def test_the_sign_of_an_angle_is_learnt_and_told(tmp_path: Path) -> None:
    random = np.random.default_rng(6)
    yaw = random.normal(0, 25, 90)
    noise = random.normal(2, 3, 90)
    found = compared(study(tmp_path, **posed(yaw, -yaw + noise)))
    assert value(found, "correlation", "yaw", at=0.3) == pytest.approx(
        np.corrcoef(yaw, -yaw + noise)[0, 1]
    )
    sign = row_of(found, "sign_of_b", "yaw", at=0.3).estimate
    assert (sign.value, sign.n) == (-1, 90)
    assert "turned round" in sign.reason
    degrees = value(found, "mean_absolute_difference_degrees", "yaw", at=0.3)
    assert degrees == pytest.approx(np.abs(noise).mean())
    assert value(found, "icc_agreement", "yaw", at=0.3) > 0.95


def test_an_angle_that_is_the_same_has_a_sign(tmp_path: Path) -> None:
    """A perfect correlation has no interval, and needs none."""
    yaw = np.linspace(-40, 40, 60)
    for turned in (1, -1):
        found = compared(study(tmp_path, **posed(yaw, turned * yaw)))
        assert value(found, "sign_of_b", "yaw", at=0.3) == turned
        assert value(found, "mean_absolute_difference_degrees", "yaw", at=0.3) == pytest.approx(0)
        (tmp_path / "study.db").unlink()


def test_a_sign_that_cannot_be_told_leaves_the_difference_open(tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    found = compared(study(tmp_path, **posed(random.normal(0, 9, 60), random.normal(0, 9, 60))))
    for measure in ("sign_of_b", "mean_absolute_difference_degrees"):
        row = row_of(found, measure, "yaw", at=0.3)
        assert row.estimate.value is None
        assert "do not tell which way" in row.estimate.reason
    assert find(found.parts[0].rows, "icc_agreement", thing="yaw", at=0.3) is None


@pytest.mark.parametrize("constant", [0.1, 0.0, -33.3])
def test_an_angle_that_never_varies_has_no_correlation(tmp_path: Path, constant: float) -> None:
    random = np.random.default_rng(8)
    found = compared(study(tmp_path, **posed(np.full(60, constant), random.normal(0, 9, 60))))
    row = row_of(found, "correlation", "yaw", at=0.3)
    assert (row.estimate.value, row.estimate.reason) == (None, "an angle does not vary")


def test_a_full_turn_is_no_distance(tmp_path: Path) -> None:
    roll = np.concatenate([np.linspace(-40, 40, 55), [179.0, -179.0]])
    other = np.concatenate([np.linspace(-40, 40, 55) + 1, [-179.0, 179.0]])
    found = compared(study(tmp_path, **posed(roll, other, "roll")))
    degrees = value(found, "mean_absolute_difference_degrees", "roll", at=0.3)
    assert degrees == pytest.approx((55 * 1 + 2 * 2) / 57)
    assert value(found, "icc_agreement", "roll", at=0.3) > 0.99


def test_few_faces_tell_no_direction() -> None:
    assert sign_of(Estimate(1.0, n=4, clusters=4).because("few")).value is None
    assert sign_of(not_estimable("an angle does not vary", 9, 9)).value is None
    assert sign_of(Estimate(0.2, 0.1, 0.3, 50, 50, "m")).value == 1
    assert sign_of(Estimate(-0.2, -0.5, 0.1, 50, 50, "m")).value is None


def test_an_angle_that_only_one_gives_is_not_there(tmp_path: Path) -> None:
    found = compared(study(tmp_path, one=[{"roll": 3.0}] * 6, other=[{}] * 6))
    assert "roll" not in things(found)


# Guesses


def guesses(number: int = 60) -> dict[str, Says]:
    random = np.random.default_rng(9)
    feelings = ("happy", "sad", "angry")
    ours, theirs = ("joy", "sorrow", "anger"), ("HAPPY", "SAD", "ANGRY")
    one, other = [], []
    for _ in range(number):
        grades = dict(zip(feelings, random.dirichlet([1, 1, 1]) * 100, strict=True))
        noisy = {
            name: float(np.clip(g + random.normal(0, 8), 0, 100)) for name, g in grades.items()
        }
        age = random.integers(10, 70)
        sex = random.random() < 0.5
        one.append({
            "age": int(age), "gender": "man" if sex else "woman",
            "emotion": {w: percent(grades[f]) for w, f in zip(ours, feelings, strict=True)},
        })  # fmt: skip
        other.append({
            "age": (int(age) - 3, int(age) + 9),
            "gender": ("Male" if sex else "Female", percent(99)),
            "emotion": {w: percent(noisy[f]) for w, f in zip(theirs, feelings, strict=True)},
        })  # fmt: skip
    return {"one": one, "other": other}


@pytest.fixture(scope="module")
def guessed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return study(tmp_path_factory.mktemp("guesses"), **guesses())


def test_guesses_appear_only_when_asked_for_by_name(guessed: Path) -> None:
    for wanted in ((), ("age",), ("gender",), ("emotion",), ("age", "gender", "emotion")):
        found = compared(guessed, sensitive=wanted)
        there = {thing.split(":")[0] for thing in things(found)} - {""}
        assert there == set(wanted)
        if not wanted:
            text = json.dumps(as_json(found)).lower()
            assert not [word for word in ("gender", "emotion", "happy", "male") if word in text]


def test_ages_are_compared_as_ranges_and_by_their_middles(guessed: Path) -> None:
    found = compared(guessed, sensitive=("age",))
    assert value(found, "ranges_overlap", "age", at=0.3) == 1
    assert value(found, "middle_of_a_in_range_of_b", "age", at=0.3) == 1
    assert value(found, "middle_of_b_in_range_of_a", "age", at=0.3) == 0  # 3 years older
    assert value(found, "mean_difference_years", "age", at=0.3) == pytest.approx(-3)
    assert value(found, "mean_absolute_difference_years", "age", at=0.3) == pytest.approx(3)
    assert 0.95 < value(found, "icc_agreement", "age", at=0.3) < 1


def test_gender_words_of_two_vendors_are_one(guessed: Path) -> None:
    found = compared(guessed, sensitive=("gender",))
    assert value(found, "cohen_kappa", "gender", at=0.3) == 1


def test_emotions_are_compared_one_by_one_and_by_the_strongest(guessed: Path) -> None:
    found = compared(guessed, sensitive=("emotion",))
    names = {"emotion: happy", "emotion: sad", "emotion: angry", "emotion: strongest"}
    assert things(found) - {""} == names
    said = guesses()
    mine = [face["emotion"]["joy"].value for face in said["one"]]
    theirs = [face["emotion"]["HAPPY"].value for face in said["other"]]
    truth = stats.spearmanr(mine, theirs).statistic
    assert value(found, "spearman", "emotion: happy") == pytest.approx(truth)
    best = [[max(face["emotion"], key=lambda w: face["emotion"][w].value) for face in said[r]]
            for r in ("one", "other")]  # fmt: skip
    same = {"joy": "HAPPY", "sorrow": "SAD", "anger": "ANGRY"}
    kappa = cohen_kappa_score([same[word] for word in best[0]], best[1])
    assert value(found, "cohen_kappa", "emotion: strongest", at=0.3) == pytest.approx(kappa)


def test_calm_is_amazons_neutral_and_confused_is_nobody_elses(tmp_path: Path) -> None:
    """A face that is most of all confused says nothing about who has no such word."""
    calm = {"emotion": {"CALM": percent(80), "HAPPY": percent(20), "CONFUSED": percent(1)}}
    lost = {"emotion": {"CALM": percent(8), "HAPPY": percent(2), "CONFUSED": percent(90)}}
    glad = {"emotion": {"CALM": percent(8), "HAPPY": percent(90), "CONFUSED": percent(2)}}
    neutral = {"emotion": {"neutral": percent(70), "happy": percent(30)}}
    happy = {"emotion": {"neutral": percent(1), "happy": percent(99)}}
    found = compared(
        study(tmp_path, one=[calm, lost, glad] * 3, other=[neutral, happy, happy] * 3),
        sensitive=("emotion",),
    )
    row = row_of(found, "percent_agreement", "emotion: strongest", at=0.3)
    assert (row.estimate.value, row.estimate.n) == (1, 6)
    assert "emotion: confused" not in things(found)


def test_emotions_in_words_beside_emotions_in_numbers(tmp_path: Path) -> None:
    one = [{"emotion": {"joy": likely(LIKELIHOODS[at % 5])}} for at in range(40)]
    other = [{"emotion": {"HAPPY": percent(20 * (at % 5) + 1)}} for at in range(40)]
    found = compared(study(tmp_path, one=one, other=other), sensitive=("emotion",))
    assert value(found, "spearman", "emotion: happy") == pytest.approx(1)
    assert "emotion: strongest" not in things(found)  # words have no strongest
    assert value(found, "auc", "emotion: happy", at=4) == 1


def test_a_likelihood_that_is_unknown_for_some_faces_is_missing_there(tmp_path: Path) -> None:
    """Google leaves out what it does not know: such a face has no word."""
    one = [{"blurred": likely(LIKELIHOODS[at % 5])} if at % 3 else {} for at in range(30)]
    other = [{"blurred": likely(LIKELIHOODS[at % 5])} for at in range(30)]
    found = compared(study(tmp_path, one=one, other=other))
    row = row_of(found, "weighted_kappa_linear", "blurred")
    assert (row.estimate.value, row.estimate.n) == (1, 20)


def test_an_emotion_that_nobody_shares_is_told(tmp_path: Path) -> None:
    one = [{"emotion": {"joy": percent(9)}}] * 3
    found = compared(study(tmp_path, one=one, other=[{}] * 3), sensitive=("emotion",))
    assert value(found, "percent_agreement", "emotion", at=0.3) is None


def test_the_order_of_raters_changes_nothing_but_direction(guessed: Path) -> None:
    every = ("age", "gender", "emotion")
    there = compared(guessed, "one", "other", sensitive=every).parts[0].rows
    back = compared(guessed, "other", "one", sensitive=every).parts[0].rows
    names = {
        "precision": "recall", "middle_of_a_in_range_of_b": "middle_of_b_in_range_of_a",
    }  # fmt: skip
    names |= {b: a for a, b in names.items()}
    numbers = {(r.measure, r.thing, r.at): r.estimate.value for r in back}
    for row in there:
        turned = numbers[names.get(row.measure, row.measure), row.thing, row.at]
        turned = -turned if row.measure == "mean_difference_years" else turned
        assert row.estimate.value == pytest.approx(turned), row.measure
