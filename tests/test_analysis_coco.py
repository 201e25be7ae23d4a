"""COCO's average precision: as published, as pycocotools has it, and with its intervals."""

from __future__ import annotations

import contextlib
import doctest
import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visionhub.analysis import coco, greedy
from visionhub.analysis.coco import Detections, Evaluation, Truths, average_precision
from visionhub.analysis.resample import Resampling

HOW = Resampling(draws=200, seed=1)
IMAGES, CATEGORIES = (1, 2, 3, 4), (1, 2, 5)
SIDE, LENGTH = st.integers(0, 60), st.sampled_from([1, 20, 32, 40, 96, 100])
BOX = st.tuples(SIDE, SIDE, LENGTH, LENGTH)
TRUTHS = st.lists(
    st.tuples(st.sampled_from(IMAGES), st.sampled_from(CATEGORIES), BOX, st.booleans()), max_size=14
)
FOUND = st.lists(
    st.tuples(
        st.sampled_from(IMAGES), st.sampled_from(CATEGORIES), BOX, st.sampled_from([0.1, 0.5, 0.9])
    ),
    max_size=24,
)


def oracle(truths, found, images) -> dict[str, float | None]:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth = COCO()
    truth.dataset = {
        "info": {},
        "images": [{"id": image} for image in images],
        "categories": [{"id": category} for category in CATEGORIES],
        "annotations": [
            {
                "id": n,
                "image_id": i,
                "category_id": c,
                "bbox": [*b],
                "area": a,
                "iscrowd": int(crowd),
            }
            for n, (i, c, b, a, crowd) in enumerate(truths, 1)
        ],
    }
    answers = [
        {"image_id": i, "category_id": c, "bbox": list(b), "score": score}
        for i, c, b, score in found
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(answers), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    values = [None if value == -1 else value for value in evaluation.stats]
    return dict(zip(coco.FIGURES, values, strict=True))


@given(TRUTHS, FOUND)
@settings(max_examples=60)
def test_all_figures_are_those_of_pycocotools(truths, found) -> None:
    """Small whole numbers: equal overlaps, equal scores, sizes on the borders, crowds."""
    truths = [(i, c, b, b[2] * b[3], crowd) for i, c, b, crowd in truths]
    found = [*found, (1, 1, (0, 0, 1, 1), 0.05)]  # pycocotools wants at least one
    mine = Evaluation(Truths.of(truths), Detections.of(found), IMAGES).summary()
    theirs = oracle(truths, found, IMAGES)
    assert {name: value is None for name, value in mine.items()} == {
        name: value is None for name, value in theirs.items()
    }
    known = {name: value for name, value in mine.items() if value is not None}
    assert known == pytest.approx({name: theirs[name] for name in known}, abs=1e-12)


@pytest.fixture(scope="module")
def published(shared):
    folder = shared / "known_answers"
    case = json.loads((folder / "13_coco_fakebbox100.json").read_text())
    data = json.loads((folder / case["data"]["ground_truth"]).read_text())
    found = json.loads((folder / case["data"]["detections"]).read_text())
    return case, data, found


def test_known_answer_13_coco_fakebbox100(published) -> None:
    case, data, found = published
    truths = Truths.of(
        (a["image_id"], a["category_id"], a["bbox"], a["area"], a["iscrowd"])
        for a in data["annotations"]
    )
    detections = Detections.of(
        (d["image_id"], d["category_id"], d["bbox"], d["score"]) for d in found
    )
    images = [image["id"] for image in data["images"]]
    assert set(case["expected"]) == set(coco.FIGURES)
    summary = Evaluation(truths, detections, images).summary()
    assert summary == pytest.approx(case["expected"], abs=case["tolerance"])
    measured = average_precision(truths, detections, images, how=HOW)
    assert {name: figure.value for name, figure in measured.figures.items()} == summary
    assert all(figure.low < figure.high for figure in measured.figures.values())
    assert {figure.n for figure in measured.figures.values()} == {100}
    # Categories that are found and never annotated are not estimable, and not counted as 0.
    empty = [one for one in measured.categories.values() if not one.estimable]
    assert (len(measured.categories), len(empty)) == (76, 6)
    assert {one.reason for one in empty} == {"nothing of this kind is annotated"}
    values = [one.value for one in measured.categories.values() if one.estimable]
    assert np.mean(values) == pytest.approx(case["expected"]["AP"])


def test_boxes_of_a_study_become_pixels(published) -> None:
    """The published boxes as ratios: small figures depend on what a thing covers, else the same."""
    case, data, found = published
    size = {image["id"]: (image["width"], image["height"]) for image in data["images"]}

    def ratios(rows):
        image = [row["image_id"] for row in rows]
        boxes = np.array([row["bbox"] for row in rows], float)
        sizes = np.array([size[one] for one in image], float)
        boxes[:, 2:] += boxes[:, :2]
        return image, [row["category_id"] for row in rows], boxes / np.tile(sizes, 2), sizes

    image, category, boxes, sizes = ratios(data["annotations"])
    crowd = [bool(row["iscrowd"]) for row in data["annotations"]]
    truths = Truths.of_ratios(image, category, boxes, sizes, crowd)
    image, category, boxes, sizes = ratios(found)
    scores = [row["score"] for row in found]
    detections = Detections.of_ratios(image, category, boxes, scores, sizes)
    summary = Evaluation(truths, detections, list(size)).summary()
    for name in ("AP", "AP50", "AP75", "AR1", "AR10", "AR100"):
        assert summary[name] == pytest.approx(case["expected"][name], abs=1e-9)


def test_examples() -> None:
    for module in (coco, greedy):
        assert doctest.testmod(module).attempted > 0
        assert doctest.testmod(module).failed == 0


def made(images: int) -> tuple[Truths, Detections]:
    """One thing a photograph, found in two of three."""
    numbers = np.arange(images)
    boxes = np.tile([0.0, 0, 50, 50], (images, 1))
    things = Truths(numbers, 0 * numbers, boxes, boxes[:, 2] * 50, np.zeros(images, bool))
    seen = numbers[numbers % 3 > 0]
    return things, Detections(seen, 0 * seen, boxes[seen], np.full(len(seen), 0.5))


def test_intervals_rest_on_photographs_or_their_sources() -> None:
    truths, found = made(90)
    alone = average_precision(truths, found, range(90), how=HOW).figures["AR100"]
    assert (alone.value, alone.n, alone.clusters) == (pytest.approx(2 / 3), 90, 90)
    half = 1.96 * np.sqrt(2 / 9 / 90)
    assert (alone.low, alone.high) == pytest.approx((2 / 3 - half, 2 / 3 + half), abs=0.02)
    numbers = np.arange(90)
    thirds = average_precision(truths, found, numbers, numbers // 3, HOW).figures["AR100"]
    assert (thirds.n, thirds.clusters) == (90, 30)
    assert "too little varies" in thirds.reason  # each source has the same share
    few = average_precision(truths, found, numbers, numbers % 9, HOW).figures["AR100"]
    assert few.method == "delete-one jackknife of sources, t(8)"


def test_sources_belong_to_the_photographs_in_the_order_given() -> None:
    truths, found = made(60)
    numbers = np.arange(60)
    sources = numbers % 40
    one = average_precision(truths, found, numbers, sources, HOW)
    other = average_precision(truths, found, numbers[::-1], sources[::-1], HOW)
    assert one == other


def test_photographs_that_do_not_count_are_left_out() -> None:
    truths, found = made(9)
    figures = Evaluation(truths, found, [1, 2, 4]).summary()
    assert figures["AP"] == pytest.approx(1)
    assert Evaluation(truths, found, [0]).summary()["AP"] == 0
    nothing = average_precision(truths, found, [77], how=HOW)
    assert nothing.figures["AP"].reason == "nothing of this kind is annotated"
    assert average_precision(truths, found, [], how=HOW).figures["AP"].reason


def test_what_cannot_be_counted_is_refused() -> None:
    truths, found = made(3)
    with pytest.raises(ValueError, match="named twice"):
        Evaluation(truths, found, [0, 1, 1])
    with pytest.raises(ValueError, match="not of those compared"):
        Evaluation(truths, found, [0, 1]).summary([2])
    with pytest.raises(ValueError, match="2 sources for 3"):
        average_precision(truths, found, [0, 1, 2], [0, 1])
    with pytest.raises(ValueError, match="no number"):
        Evaluation(truths, Detections.of([(0, 0, [0, 0, 1, 1], float("nan"))]), [0])
