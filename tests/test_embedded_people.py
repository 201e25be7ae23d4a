"""People: anchors, decoding, merging and geometry against slow references, and real photographs."""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from visionhub_embedded import alignment, cards, pose_detector, pose_landmarks, poses
from visionhub_embedded.cards_people import BLAZEPOSE
from visionhub_embedded.faces import Faces
from visionhub_embedded.people import KEYPOINTS, People

from visionhub.errors import UsageError
from visionhub.provider import Request, canonical
from visionhub.schema import Scale, Status, Task


def request(**options):
    return Request("0", "0", 100, 100, Task.PEOPLE, "embedded", "r", canonical(options))


def person(score, *points):
    """Points are (x, y, score)."""
    given = points or ((0.2, 0.3, 0.9), (0.4, 0.8, 0.9))
    keypoints = [
        {"name": name, "x": x, "y": y, "score": seen}
        for name, (x, y, seen) in zip(KEYPOINTS, given, strict=False)
    ]
    return {"score": score, "keypoints": keypoints}


def answer(*people):
    return {"task": "people", "model": "m", "runtime": "r", "people": list(people)}


def test_points_have_the_names_of_the_model_s_documentation():
    assert len(KEYPOINTS) == len(set(KEYPOINTS)) == 33
    known = {0: "nose", 2: "left_eye", 5: "right_eye", 9: "mouth_left", 11: "left_shoulder"}
    known |= {16: "right_wrist", 23: "left_hip", 26: "right_knee", 27: "left_ankle"}
    known |= {22: "right_thumb", 32: "right_foot_index"}
    assert {index: KEYPOINTS[index] for index in known} == known


def test_anchors_are_the_middles_of_three_grids():
    expected = [
        ((column + 0.5) / cells, (row + 0.5) / cells)
        for cells, repeats in ((28, 2), (14, 2), (7, 6))
        for row in range(cells)
        for column in range(cells)
        for _ in range(repeats)
    ]
    made = pose_detector.anchors()
    assert made.shape == (2254, 2)
    assert made == pytest.approx(np.array(expected), abs=1e-6)


def test_decoding_agrees_with_one_anchor_at_a_time():
    rng = np.random.default_rng(2)
    raw = rng.normal(0, 40, (2254, 12)).astype("f4")
    raw[:, 2:4] = np.abs(raw[:, 2:4])
    logits = rng.normal(-3, 2, 2254).astype("f4")
    rows = []
    for (x, y), values, logit in zip(pose_detector.anchors(), raw, logits, strict=True):
        score = 1 / (1 + math.exp(-logit))
        if score >= 0.5:
            cx, cy, w, h, hx, hy, rx, ry = (float(v) / 224 for v in values[:8])
            box = [x + cx - w / 2, y + cy - h / 2, x + cx + w / 2, y + cy + h / 2]
            rows.append([score, *box, x + hx, y + hy, x + rx, y + ry])
    rows.sort(key=lambda row: -row[0])
    found = pose_detector.decode(raw, logits, 0.5)
    made = np.concatenate([found.scores[:, None], found.boxes, found.hips, found.rims], 1)
    assert len(rows) > 50
    assert made == pytest.approx(np.array(rows), abs=1e-5)


def overlap(one, other):
    across = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    down = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    areas = sum((b[2] - b[0]) * (b[3] - b[1]) for b in (one, other))
    return across * down / (areas - across * down)


@pytest.mark.parametrize("seed", range(10))
def test_merging_agrees_with_brute_force(seed):
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 0.6, (30, 2))
    values = np.concatenate(
        [low, low + rng.uniform(0.2, 0.4, (30, 2)), rng.uniform(size=(30, 4))], 1
    )
    scores = np.sort(rng.uniform(0.5, 1, 30))[::-1]
    left, expected = list(range(30)), []
    while left:
        group = [k for k in left if k == left[0] or overlap(values[left[0]], values[k]) > 0.3]
        mean = sum(scores[k] * values[k] for k in group) / sum(scores[k] for k in group)
        expected.append([*mean, scores[left[0]]])
        left = [k for k in left if k not in group]
    v = values.astype("f4")
    found = pose_detector.merge(
        pose_detector.Bodies(v[:, :4], v[:, 4:6], v[:, 6:], scores.astype("f4"))
    )
    made = np.concatenate([found.boxes, found.hips, found.rims, found.scores[:, None]], 1)
    assert 2 < len(expected) < 30
    assert made == pytest.approx(np.array(expected), abs=1e-5)


def test_merging_nothing_gives_nothing():
    empty = np.zeros((0, 2), "f4")
    found = pose_detector.Bodies(np.zeros((0, 4), "f4"), empty, empty, np.zeros(0, "f4"))
    assert len(pose_detector.merge(found)) == 0


@given(
    st.tuples(st.floats(-900, 900), st.floats(-900, 900)),
    st.floats(1, 900),
    st.floats(-math.pi, math.pi),
)
def test_crop_turns_the_body_upright_and_leaves_a_border(hips, radius, angle):
    hips = np.array(hips)
    rim = hips + radius * np.array([math.sin(angle), -math.cos(angle)])
    matrix = pose_landmarks.upright(hips, rim)
    moved = alignment.apply(matrix, np.array([hips, rim]) - 0.5) + 0.5  # corners count from 0
    assert moved[0] == pytest.approx([128, 128], abs=1e-6)
    assert moved[1] == pytest.approx([128, 128 - 128 / 1.25], abs=1e-6)
    assert np.linalg.det(matrix[:, :2]) == pytest.approx((128 / 1.25 / radius) ** 2)


def test_points_move_to_the_mean_of_a_confident_heat_map():
    heat = np.full((64, 64, 3), -50.0, "f4")
    heat[20, 30, 0], heat[22, 30, 0] = 50, 50  # two equal peaks, rows 20 and 22
    heat[20, 30, 1] = -0.1  # just not confident
    start = np.array([[30.5, 20.5], [30.5, 20.5], [-3, 700]], "f4") / 64
    moved = pose_landmarks.refine(start, heat)
    assert moved[0] == pytest.approx([30 / 64, 21 / 64], abs=1e-6)
    assert np.array_equal(moved[1:], start[1:])


def test_refining_looks_three_cells_around_and_stops_at_the_edge():
    heat = np.full((64, 64, 2), -50.0, "f4")
    heat[10, 14, 0] = 50  # four cells to the right of the point: out of reach
    heat[0, 2, 1] = 50
    start = np.array([[10.5, 10.5], [0.5, 0.5]], "f4") / 64
    moved = pose_landmarks.refine(start, heat)
    assert np.array_equal(moved[0], start[0])
    assert moved[1] == pytest.approx([2 / 64, 0], abs=1e-6)


def pose(dx, presence, size=100.0):
    points = np.zeros((33, 2))
    points[[0, 11, 12, 23, 24]] = np.array([[0, -0.4], [0.3, 0], [-0.3, 0], [0.2, 1], [-0.2, 1]])
    return pose_landmarks.Pose(points * size + [dx, 0], np.ones(33, "f4"), presence)


def test_one_pose_a_body():
    found = poses.distinct([pose(0, 0.6), pose(29, 0.9), pose(300, 0.7)])
    assert [p.presence for p in found] == [0.9, 0.7]  # 29 of a torso of 100: the same body
    assert len(poses.distinct([pose(0, 0.6), pose(31, 0.9)])) == 2


def test_a_proposed_box_gives_a_circle_and_a_crop():
    hips, rim = poses.from_box(np.array([10, 20, 30, 100], "f4"))
    assert (hips.tolist(), rim.tolist()) == ([20, 60], [20, 20])
    assert poses.around(np.array([40, 40, 60, 80], "f4"), 200, 200) == (25, 35, 75, 85)
    assert poses.around(np.array([0, 0, 80, 80], "f4"), 100, 85) == (0, 0, 90, 85)


def test_the_body_of_a_crop_is_the_strongest_inside_the_proposed_box():
    boxes = np.array([[0, 0, 10, 10], [20, 20, 30, 30], [22, 22, 28, 28]], "f4")
    zeros = np.zeros((3, 2), "f4")
    bodies = pose_detector.Bodies(boxes, zeros, zeros, np.array([0.9, 0.8, 0.7], "f4"))
    assert poses.inside(bodies, np.array([15, 15, 40, 40], "f4")) == 1
    assert poses.inside(bodies, np.array([50, 50, 60, 60], "f4")) is None


def test_parse_boxes_the_points_that_are_seen():
    one = person(0.9, (0.2, 0.3, 0.9), (0.4, 0.8, 0.5), (0.9, 0.9, 0.49))
    [found] = People.parse(answer(one), request()).people
    assert (found.box.x_min, found.box.y_min, found.box.x_max, found.box.y_max) == (
        0.2,
        0.3,
        0.4,
        0.8,
    )
    assert [p.score for p in found.keypoints] == [0.9, 0.5, 0.49]
    assert (found.score.value, found.score.scale) == (0.9, Scale.PROBABILITY)
    [hidden] = People.parse(answer(person(0.9, (0.5, 0.5, 0.1), (0.6, 1.7, 0.2))), request()).people
    assert (hidden.box.y_max, hidden.box.clipped) == (1, True)


def test_parse_tells_nobody_from_too_weak_and_from_cut_off():
    assert People.parse(answer(), request()).status is Status.OBSERVED
    weak = People.parse(answer(person(0.3)), request())
    assert (weak.status, len(weak)) == (Status.BELOW_FLOOR, 0)
    full = answer(person(0.9), person(0.8))
    assert People.parse(full, request(max_results=2)).status is Status.TRUNCATED
    assert People.parse(full, request(max_results=3)).status is Status.OBSERVED


def test_parse_reports_what_it_does_not_know():
    found = People.parse(answer({**person(0.9), "hat": True}), request())
    assert found.unknown == ("people.hat",)


@pytest.mark.parametrize(
    "wrong",
    [{"score": 1.2}, {"keypoints": []}, {"keypoints": [{"name": "nose"}]}, {"keypoints": 3}],
)
def test_parse_refuses_what_is_no_person(wrong):
    with pytest.raises((KeyError, TypeError, ValueError)):
        People.parse(answer({**person(0.9), **wrong}), request())


@pytest.mark.parametrize("options", [{"max_results": 0}, {"max_results": 51}, {"min_score": -1}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(UsageError, match="--param people"):
        People.check(options)


def test_both_networks_are_part_of_the_revision():
    assert People.used({}) == (BLAZEPOSE, cards.EFFICIENTDET_LITE0_INT8)
    assert all(card.permissive and not card.sensitive for card in People.cards)


def opened(path):
    with Image.open(path) as image:
        return image.convert("RGB")


@pytest.mark.models
def test_eyes_and_nose_lie_where_the_face_detector_sees_them(shared):
    """Two independent models agree on portraits, in distances of the eyes from each other."""
    faces, people, errors = Faces(), People(), []
    for path in sorted((shared / "images/faces/portraits").glob("*.jpg"))[:8]:
        image = opened(path)
        points = {p["name"]: p for p in people.predict(image, {})["people"][0]["keypoints"]}
        seen = np.array(faces.predict(image, {})["faces"][0]["landmarks"][:3])
        found = [(points[n]["x"], points[n]["y"]) for n in ("right_eye", "left_eye", "nose")]
        size = np.array([image.width, image.height])
        apart = np.linalg.norm((seen[1] - seen[0]) * size)
        errors.append(np.linalg.norm((np.array(found) - seen) * size, axis=1).mean() / apart)
    assert np.median(errors) < 0.2
    assert max(errors) < 0.6


def covers(one, box, image):
    """Whether most seen points of a pose lie in a box (x, y, width, height), and fill it."""
    points = np.array(
        [(p.x * image.width, p.y * image.height) for p in one.keypoints if p.score >= 0.5]
    )
    x, y, w, h = box
    low, high = np.array([x - 5, y - 5]), np.array([x + w + 5, y + h + 5])
    bounds = [*points.min(0), *points.max(0)]
    within = ((points >= low) & (points <= high)).all(1).mean()
    return within >= 0.7 and overlap(bounds, (x, y, x + w, y + h)) >= 0.2


@pytest.mark.models
def test_people_in_real_photographs_are_found(shared):
    """Recall of COCO's people over 96x96 pixels in the first 30 photographs."""
    folder = shared / "images/coco"
    truth = json.loads((folder / "instances.json").read_text("utf-8"))
    model, found, large = People(), 0, 0
    for entry in truth["images"][:30]:
        image = opened(folder / "images" / entry["file_name"].rpartition("/")[2])
        people = list(People.parse(answer(*model.predict(image, {})["people"]), request()).people)
        for box in (
            a["bbox"]
            for a in truth["annotations"]
            if a["image_id"] == entry["id"] and a["category_id"] == 1 and not a["iscrowd"]
        ):
            if box[2] * box[3] >= 96 * 96:
                large += 1
                match = next((one for one in people if covers(one, box, image)), None)
                found += match is not None
                people = [one for one in people if one is not match]
    assert large == 21
    assert found >= 12  # 13 when this was written, 11 by BlazePose alone


@pytest.mark.models
@pytest.mark.parametrize("size", [(1, 1), (2000, 2), (7, 900)])
def test_odd_pictures_have_nobody(size):
    assert People().predict(Image.new("RGB", size, (90, 120, 40)), {})["people"] == []


@pytest.mark.models
def test_turned_head_down_a_person_is_still_found(shared):
    """The crop is turned upright, so that left stays left."""
    image = opened(sorted((shared / "images/faces/portraits").glob("*.jpg"))[0])
    upright = People().predict(image, {})["people"][0]["keypoints"]
    turned = People().predict(image.transpose(Image.Transpose.ROTATE_180), {})["people"][0][
        "keypoints"
    ]
    for index in (0, 2, 5):
        assert 1 - turned[index]["x"] == pytest.approx(upright[index]["x"], abs=0.06)
        assert 1 - turned[index]["y"] == pytest.approx(upright[index]["y"], abs=0.06)


@pytest.mark.models
def test_threads_answer_alike_and_keep_the_maximum(shared):
    image = opened(shared / "images/coco/images/000000000241.jpg")
    with ThreadPoolExecutor(3) as pool:
        first, *others = pool.map(lambda _: People().predict(image, {}), range(3))
    assert others == [first, first]
    assert len(first["people"]) >= 3
    assert len(People().predict(image, {"max_results": 2})["people"]) == 2
