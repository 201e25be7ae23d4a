"""Weighted boxes fusion: as published, and as a plain loop over boxes has it."""

from __future__ import annotations

import doctest
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visionhub.analysis import fusion
from visionhub.analysis.boxes import iou
from visionhub.analysis.fusion import Parts, fuse, weighted_boxes_fusion

KINDS = ("avg", "max", "box_and_model_avg", "absent_model_aware_avg")
SIDE, SIZE = st.integers(0, 7), st.integers(0, 5)
BOX = st.builds(
    lambda x, y, w, h: (x / 12, y / 12, (x + w) / 12, (y + h) / 12), SIDE, SIDE, SIZE, SIZE
)
SCORE = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.75, 1.0])
MODEL = st.lists(st.tuples(BOX, SCORE, st.integers(0, 2)), max_size=9)


def plain(models, weights, iou_thr, skip, kind, overflow=False):
    """The same by loops over boxes, as the paper tells it."""
    rows = [
        (box, score * weights[m], m, label)
        for m, model in enumerate(models)
        for box, score, label in model
        if score >= skip
    ]
    found = []
    for wanted in dict.fromkeys(label for *_, label in rows):
        mine = [row for row in rows if row[3] == wanted][::-1]
        clusters = []
        for row in sorted(mine, key=lambda row: -row[1]):
            shared = [iou(middle(members), row[0])[0, 0] for members in clusters]
            best = int(np.argmax(shared)) if shared else -1
            if shared and shared[best] > iou_thr:
                clusters[best].append(row)
            else:
                clusters.append([row])
        found += [(members, confidence(members, weights, kind, overflow)) for members in clusters]
    found.reverse()  # of equals the later comes first
    return sorted(found, key=lambda one: -one[1])


def middle(members):
    boxes, scores = np.array([m[0] for m in members]), np.array([m[1] for m in members])
    return boxes[0] if scores.sum() == 0 else scores @ boxes / scores.sum()


def confidence(members, weights, kind, overflow):
    scores, models = [m[1] for m in members], {m[2] for m in members}
    if kind == "max":
        return max(scores) / max(weights)
    if kind == "avg":
        many = len(members) if overflow else min(len(members), len(weights))
        return sum(scores) / len(members) * many / sum(weights)
    own = sum(weights[m[2]] for m in members)
    if kind == "box_and_model_avg":
        return sum(scores) / own * sum(weights[m] for m in models) / sum(weights)
    return sum(scores) / (own + sum(w for m, w in enumerate(weights) if m not in models))


@pytest.mark.parametrize("kind", KINDS)
def test_known_answer_16_weighted_boxes_fusion(shared, kind) -> None:
    text = (shared / "known_answers/16_weighted_boxes_fusion_readme.json").read_text()
    case = json.loads(text)
    data, expected = case["data"], case["expected"][kind]
    boxes, scores, labels = weighted_boxes_fusion(**data, conf_type=kind)
    assert boxes.tolist() == [
        pytest.approx(box, abs=case["tolerance"]) for box in expected["boxes"]
    ]
    assert scores.tolist() == pytest.approx(expected["scores"], abs=case["tolerance"])
    assert labels.tolist() == expected["labels"]
    assert set(case["expected"]) == set(KINDS)


@given(
    st.lists(MODEL, min_size=1, max_size=4),
    st.sampled_from(KINDS),
    st.sampled_from([0.0, 0.3, 0.55, 0.9]),
    st.sampled_from([0.0, 0.2]),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=100)
def test_a_plain_loop_gives_the_same(models, kind, iou_thr, skip, weighted, overflow) -> None:
    weights = [2, 1, 0.5, 3][: len(models)] if weighted else [1] * len(models)
    columns = [[[row[at] for row in model] for model in models] for at in range(3)]
    found = weighted_boxes_fusion(*columns, weights, iou_thr, skip, kind, overflow)
    expected = plain(models, weights, iou_thr, skip, kind, overflow)
    assert found.scores.tolist() == pytest.approx([sure for _, sure in expected])
    assert found.boxes.shape == (len(expected), 4)
    # Equal confidences may have come apart by rounding: boxes are compared as sets.
    rows = np.column_stack([found.boxes.round(9), found.labels]).tolist()
    members = [members for members, _ in expected]
    theirs = sorted((*np.round(_mean(m), 9), m[0][3]) for m in members)
    assert np.array(sorted(rows)) == pytest.approx(np.array(theirs), abs=1e-8)


def _mean(members):
    """Without scores all boxes of a cluster weigh the same."""
    if sum(m[1] for m in members) == 0:
        return np.mean([m[0] for m in members], axis=0)
    return middle(members)


@given(st.lists(MODEL, min_size=1, max_size=12), st.sampled_from([1, 40, 1 << 19]))
def test_many_images_are_fused_as_each_alone(images, piece) -> None:
    """Groups of any size, in whatever portions they are worked on."""
    rows = [
        (at, *row) for at, image in enumerate(images) for row in sorted(image, key=lambda r: -r[1])
    ]
    group, boxes, scores, model = (
        np.array([row[at] for row in rows], dtype=float) for at in range(4)
    )
    parts = Parts(
        group.astype(int), boxes.reshape(-1, 4), scores, model.astype(int), np.array([1.0, 2, 3])
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fusion, "PIECE", piece)
        together = fuse(parts, 0.4)
    alone = []
    for number in np.unique(parts.group):
        at = parts.group == number
        some = Parts(
            parts.group[at], parts.boxes[at], parts.weighted[at], parts.model[at], parts.weight
        )
        alone.append(fuse(some, 0.4))
    assert together.group.tolist() == [number for one in alone for number in one.group]
    assert together.boxes.tolist() == [box.tolist() for one in alone for box in one.boxes]
    assert together.raters().tolist() == [number for one in alone for number in one.raters()]


def test_labels_are_fused_apart_and_come_back_as_they_were() -> None:
    box = [[0, 0, 0.5, 0.5]]
    found = weighted_boxes_fusion(
        [box, box, box], [[0.5], [0.7], [0.6]], [["cat"], ["dog"]] * 1 + [["cat"]]
    )
    assert found.labels.tolist() == ["cat", "dog"]
    assert found.scores.tolist() == pytest.approx([1.1 / 3, 0.7 / 3])
    assert len(weighted_boxes_fusion([box, box], [[0.5], [0.7]]).boxes) == 1


def test_the_threshold_must_be_exceeded() -> None:
    boxes = [[[0, 0, 0.5, 0.5]], [[0, 0, 0.25, 0.5]]]  # IoU .5
    assert len(weighted_boxes_fusion(boxes, [[1], [1]], iou_thr=0.5).boxes) == 2
    assert len(weighted_boxes_fusion(boxes, [[1], [1]], iou_thr=0.49).boxes) == 1


def test_several_boxes_of_one_model_overflow_only_when_that_is_allowed() -> None:
    boxes, scores = [[[0, 0, 0.5, 0.5]] * 3], [[0.9, 0.8, 0.7]]
    assert weighted_boxes_fusion(boxes, scores).scores.tolist() == pytest.approx([0.8])
    more = weighted_boxes_fusion(boxes, scores, allows_overflow=True).scores
    assert more.tolist() == pytest.approx([2.4])


def test_nothing_is_fused_to_nothing() -> None:
    for models in ([], [[]], [[], []]):
        found = weighted_boxes_fusion(models, models, models)
        assert (found.boxes.shape, found.scores.shape, found.labels.shape) == ((0, 4), (0,), (0,))
    point = weighted_boxes_fusion([[[0.2, 0.2, 0.2, 0.2]] * 2], [[0.5, 0.5]])
    assert len(point.boxes) == 2  # a box without area is never the same as another, and not lost


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (([[[0, 0, 640, 480]]], [[0.5]]), "outside the image"),
        (([[[-0.1, 0, 1, 1]]], [[0.5]]), "outside the image"),
        (([[[0.5, 0, 0.4, 1]]], [[0.5]]), "ends before it begins"),
        (([[[0, 0, 1, 1]]], [[0.5, 0.6]]), "different length"),
        (([[[0, 0, 1, 1]]], [[0.5]], [[]]), "different length"),
        (([[[0, 0, 1, 1]]], [[0.5]], None, [1, 2]), "1 weights above 0"),
        (([[[0, 0, 1, 1]]], [[0.5]], None, [0]), "1 weights above 0"),
        (([[[0, 0, 1, 1]]], [[0.5]], None, None, 1.5), "from 0 to 1"),
        (([[[0, 0, 1, 1]]], [[float("nan")]]), "no number"),
        (([[[0, 0, 1, 1]]], [[0.5]], None, None, 0.5, 0.0, "mean"), "none of avg, max"),
    ],
)
def test_what_cannot_be_fused_is_refused(arguments, why) -> None:
    with pytest.raises(ValueError, match=why):
        weighted_boxes_fusion(*arguments)


def test_examples() -> None:
    assert doctest.testmod(fusion).attempted > 1
    assert doctest.testmod(fusion).failed == 0
