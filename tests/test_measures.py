"""The measures of `make evaluate`, by hand and against the reference implementation of COCO."""

from __future__ import annotations

import json
import math
from random import Random

import numpy as np
import pytest

from benchmarks.figures import Figure, share, table
from benchmarks.measures import fragments_found, terms, wilson, words_found
from visionhub.analysis.coco import Detections, Evaluation, Truths
from visionhub.analysis.greedy import found_and_missed, overlaps, pair


def array(*boxes):
    return np.array(boxes, dtype=float).reshape(-1, 4)


def flags(*values):
    return np.array(values, dtype=bool)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"), [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)]
)
def test_wilson_gives_the_intervals_of_newcombe_1998(hits, n, low, high):
    assert wilson(hits, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_at_the_ends_is_z_squared_over_n_plus_z_squared():
    rest = 1.959964**2 / (20 + 1.959964**2)
    assert wilson(0, 20) == pytest.approx((0, rest))
    assert wilson(20, 20) == pytest.approx((1 - rest, 1))


@pytest.mark.parametrize(("hits", "n"), [(1, 0), (3, 2), (-1, 4)])
def test_no_proportion_has_no_interval(hits, n):
    with pytest.raises(ValueError, match="no proportion"):
        wilson(hits, n)


def test_overlaps_of_published_boxes(shared):
    case = json.loads((shared / "known_answers/15_iou_boxes.json").read_text())
    found = [overlaps(array(a), array(b))[0, 0] for a, b in case["data"]["pairs"]]
    assert found == pytest.approx(case["expected"], abs=case["tolerance"])


def test_overlap_with_a_crowd_is_the_part_that_lies_in_it():
    found, truth = array([0, 0, 10, 10]), array([5, 0, 100, 10])
    assert overlaps(found, truth)[0, 0] == pytest.approx(50 / 1050)
    assert overlaps(found, truth, flags(True))[0, 0] == pytest.approx(0.5)


def test_overlap_of_a_box_without_area_is_nothing():
    assert overlaps(array([3, 3, 0, 0]), array([3, 3, 0, 0]))[0, 0] == 0


def test_each_thing_is_found_once_by_the_better_scored_box():
    overlap = np.array([[0.6, 0.0], [0.9, 0.55]])
    given = pair(overlap, np.array([0.5, 0.7]), flags(False, False), flags(False, False))
    assert given.tolist() == [[0, 1], [-1, 0]]


def test_of_equally_near_things_the_last_is_taken():
    overlap = np.array([[0.6, 0.6, 0.5], [0.6, 0.6, 0.5], [0.6, 0.6, 0.5]])
    nothing = flags(False, False, False)
    assert pair(overlap, np.array([0.5]), nothing, nothing).tolist() == [[1, 0, 2]]


def test_an_ignored_box_is_taken_only_when_no_other_will_do_and_a_crowd_by_many():
    overlap = np.array([[0.6, 0.9], [0.8, 0.9], [0.0, 0.8]])
    least = np.array([0.5])
    assert pair(overlap, least, flags(False, True), flags(False, True)).tolist() == [[0, 1, 1]]
    assert pair(overlap, least, flags(False, True), flags(False, False)).tolist() == [[0, 1, -1]]


def test_counts_leave_ignored_boxes_out():
    found = array([0, 0, 10, 10], [50, 50, 10, 10], [90, 0, 10, 10])
    truth = array([0, 0, 10, 10], [20, 0, 10, 10], [50, 50, 10, 10])
    assert found_and_missed(found, truth, flags(False, False, False)) == (2, 1, 1)
    assert found_and_missed(found, truth, flags(False, True, True)) == (1, 0, 1)
    assert found_and_missed(array(), truth, flags(False, False, True)) == (0, 2, 0)
    assert found_and_missed(found, array(), flags()) == (0, 0, 3)


def test_counts_ask_for_the_overlap_that_was_named():
    found, truth = array([0, 0, 10, 10]), array([0, 0, 10, 25])
    assert found_and_missed(found, truth, flags(False)) == (0, 1, 1)
    assert found_and_missed(found, truth, flags(False), least=0.4) == (1, 0, 0)


def test_words_are_runs_of_letters_and_digits():
    assert terms("It's 03/09/2009,\nSTRASSE_7 straße") == [
        *("it", "s", "03", "09", "2009", "strasse", "7", "strasse")
    ]


def test_a_word_counts_as_often_as_it_was_read():
    assert words_found("the cat and the dog", ["The dog", "barks"]) == (2, 5)
    assert words_found("the cat and the dog", ["THE", "the the", "cat, and dog"]) == (5, 5)
    assert words_found("...", ["word"]) == (0, 0)


def test_fragments_stand_within_a_line_whatever_its_spaces():
    truth = "THANKYOU\nTOTAL 5.00\nTM\nCASH"
    assert fragments_found(truth, ["Thank you for shopping", "Total: 5.00", "CA", "SH"]) == (2, 3)


def test_figures_say_how_many_and_how_sure():
    [head, _, row] = table([share("labels", "imagenet", "top-1", 153, 200)]).splitlines()
    assert head.count("|") == row.count("|")
    assert row.endswith("| top-1 | 0.765 | 0.702 to 0.818 | 200 photographs |")
    nothing = share("text", "ocr", "word recall", 0, 0, "words")
    assert nothing.value is None
    assert nothing.cells[3:] == ["none", "", "0 words"]
    assert Figure("t", "p", "m", math.nan, 1).as_json()["value"] is None


def test_one_find_of_two_has_a_precision_up_to_half_of_the_recall():
    truths = Truths.of([(1, 1, [0, 0, 50, 50], 2500, False), (2, 1, [0, 0, 50, 50], 2500, False)])
    found = Detections.of([(1, 1, [0, 0, 50, 50], 0.9), (2, 1, [80, 0, 50, 50], 0.8)])
    evaluation = Evaluation(truths, found, [1, 2])
    figures = evaluation.summary()
    assert figures["AP"] == pytest.approx(51 / 101)  # at recalls 0, .01 ... .50
    assert evaluation.summary([1])["AP"] == pytest.approx(1)
    assert evaluation.summary([2])["AP"] == 0
    assert evaluation.summary([1, 1, 1, 2])["AP"] == pytest.approx(76 / 101)
    assert figures["AR100"] == 0.5
    assert figures["AP_small"] is None


def test_nothing_found_is_a_precision_of_nothing():
    truths = Truths.of([(1, 1, [0, 0, 50, 50], 2500, False)])
    figures = Evaluation(truths, Detections.of([]), [1]).summary()
    assert figures["AP"] == 0
    assert figures["AR100"] == 0
    assert Evaluation(Truths.of([]), Detections.of([]), [1]).summary()["AP"] is None


def made():
    """Boxes in seven photographs: crowds, equal scores, shifted copies, far more than 100."""
    draw = Random(7).random  # the same in every version of Python
    truths, found = [], []
    for image in range(1, 7):
        for _ in range(8):
            x, y, width = int(draw() * 300), int(draw() * 300), 8 + int(draw() * 150)
            height = 8 + int(draw() * 150)
            category, crowd = 1 + int(draw() * 3), draw() < 0.2
            truths.append((image, category, (x, y, width, height), width * height * 0.8, crowd))
            for _ in range(int(draw() * 4)):
                by = [int(draw() * 21) - 10 for _ in range(4)]
                box = (x + by[0], y + by[1], max(1, width + by[2]), max(1, height + by[3]))
                other = category if draw() < 0.8 else 1 + int(draw() * 4)
                found.append((image, other, box, int(draw() * 10) / 10))
    truths += [(7, 1, (10 * at, 0, 9, 9), 81, False) for at in range(120)]
    found += [(7, 1, (10 * at, 0, 9, 8 + at % 2), 1 - at / 200) for at in range(120)]
    return truths, found


# What pycocotools 2.0.11 (COCOeval, bbox) says of the boxes of `made`.
PYCOCOTOOLS = {
    "AP": 0.3327382728899392,
    "AP50": 0.47150123486283035,
    "AP75": 0.3939524092907939,
    "AP_small": 0.2625526909126556,
    "AP_medium": 0.17103357088620552,
    "AP_large": 0.33191969196919685,
    "AR1": 0.11365480290853426,
    "AR10": 0.2766972828166859,
    "AR100": 0.4781898201301186,
    "AR_small": 0.27923497267759567,
    "AR_medium": 0.35454545454545455,
    "AR_large": 0.4277777777777778,
}


def test_coco_figures_of_made_boxes_are_those_of_pycocotools():
    truths, found = made()
    assert sum(crowd for *_, crowd in truths) > 5
    evaluation = Evaluation(Truths.of(truths), Detections.of(found), range(1, 8))
    assert evaluation.summary() == pytest.approx(PYCOCOTOOLS, abs=1e-12)


def test_coco_figures_of_the_published_example(shared):
    folder = shared / "known_answers"
    case = json.loads((folder / "13_coco_fakebbox100.json").read_text())
    data = json.loads((folder / case["data"]["ground_truth"]).read_text())
    truths = Truths.of(
        (a["image_id"], a["category_id"], a["bbox"], a["area"], a["iscrowd"])
        for a in data["annotations"]
    )
    found = Detections.of(
        (d["image_id"], d["category_id"], d["bbox"], d["score"])
        for d in json.loads((folder / case["data"]["detections"]).read_text())
    )
    evaluation = Evaluation(truths, found, [image["id"] for image in data["images"]])
    assert evaluation.summary() == pytest.approx(case["expected"], abs=case["tolerance"])
