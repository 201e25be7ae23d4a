"""Objects: anchors, decoding and suppression against slow references, and real photographs."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from visionhub_embedded import cards
from visionhub_embedded.boxes import Letterbox, suppress
from visionhub_embedded.detectors import (
    EfficientDetLite,
    Yolo,
    anchors,
    apart,
    best,
    corners,
    decode,
)
from visionhub_embedded.objects import CATEGORIES, Objects

from visionhub.archives import ensure
from visionhub.places import read
from visionhub.provider import Request, canonical
from visionhub.schema import Status, Task


def request(**options):
    return Request("0", "0", 100, 100, Task.OBJECTS, "embedded", "r", canonical(options))


def thing(score, box=(0.1, 0.2, 0.3, 0.4), category=1):
    return {"box": list(box), "category": category, "name": "person", "score": score}


def answer(*things):
    return {"task": "objects", "model": "m", "runtime": "r", "objects": list(things)}


def iou(one, other):
    """Intersection over union of two boxes, one number at a time."""
    across = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    down = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    both = (one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1])
    return across * down / (both - across * down)


def test_anchors_follow_the_paper():
    """Cell by cell: level, row, column, octave, aspect, in this order."""
    laid = anchors(320)
    expected = []
    for level in (3, 4, 5, 6, 7):
        cells = {3: 40, 4: 20, 5: 10, 6: 5, 7: 3}[level]
        step = 320 / cells
        for row in range(cells):
            for column in range(cells):
                for octave in (0, 1, 2):
                    for aspect in (1.0, 2.0, 0.5):
                        side = 3 * step * 2 ** (octave / 3)
                        middle = (column + 0.5) * step, (row + 0.5) * step
                        expected.append((*middle, side * aspect**0.5, side / aspect**0.5))
    assert laid.shape == (19206, 4)
    assert laid == pytest.approx(np.array(expected), rel=1e-6)


def test_decoding_moves_by_the_anchor_s_size_and_stretches_by_the_exponential():
    anchor = np.array([[100, 50, 20, 40]], dtype=np.float32)
    offsets = np.array(
        [[0.5, -0.25, np.log(2), np.log(3)]], dtype=np.float32
    )  # y, x, height, width
    # centre (100 - .25 * 20, 50 + .5 * 40) = (95, 70); size (20 * 3, 40 * 2) = (60, 80)
    assert decode(offsets, anchor)[0] == pytest.approx([65, 30, 125, 110], rel=1e-6)
    assert decode(np.zeros((1, 4), np.float32), anchor)[0] == pytest.approx([90, 30, 110, 70])


@pytest.mark.parametrize("seed", range(20))
def test_suppression_agrees_with_brute_force(seed):
    rng = np.random.default_rng(seed)
    centres = rng.uniform(0.3, 0.7, (60, 2))
    boxes = corners(np.concatenate([centres, rng.uniform(0.2, 0.8, (60, 2))], 1)).astype("f4")
    classes = rng.integers(0, 3, 60)
    kept = []
    for index in range(60):
        rivals = [k for k in kept if classes[k] == classes[index]]
        if all(iou(boxes[index], boxes[rival]) <= 0.5 for rival in rivals):
            kept.append(index)
    assert 3 < len(kept) < 60
    assert suppress(apart(boxes, classes), 0.5).tolist() == kept


def test_suppression_of_nothing_is_nothing():
    none = np.zeros((0, 4), np.float32)
    assert suppress(apart(none, np.zeros(0, np.intp)), 0.5).size == 0


def test_candidates_come_best_first_and_not_below_the_least():
    scores = np.array([[0.2, 0.009], [0.9, 0.2], [0.0, 0.5]], dtype=np.float32)
    rows, classes = best(scores)
    assert list(zip(rows.tolist(), classes.tolist(), strict=True)) == [
        (1, 0),
        (2, 1),
        (0, 0),
        (1, 1),
    ]


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("size", [(640, 360), (200, 500), (33, 33), (3000, 7), (1, 1)])
def test_letterbox_and_back(size, centred):
    """The picture's corners come back as 0 and 1, and outside it lies only the filling."""
    fitted = Letterbox.of(Image.new("RGB", size, (9, 200, 30)), 320, 127, centred=centred)
    assert fitted.pixels.shape == (320, 320, 3)
    rows, columns = np.nonzero((fitted.pixels != 127).any(-1))
    whole = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert fitted.ratios(np.array([whole], np.float32))[0] == pytest.approx([0, 0, 1, 1])
    assert max(fitted.width, fitted.height) == 320
    inside = (columns.max() + 1 - columns.min()) * (rows.max() + 1 - rows.min())
    assert len(rows) == inside


def test_categories_are_coco_s():
    assert len(CATEGORIES) == 80
    assert CATEGORIES[0] == 1
    assert CATEGORIES[11] == 13  # stop sign, after the gap at 12
    assert CATEGORIES[79] == 90  # toothbrush


def test_parse_keeps_what_reaches_the_floor_and_marks_what_was_cut():
    body = answer(thing(0.9, (-0.1, 0.2, 0.5, 0.9)), thing(0.3, category=90), thing(0.2))
    found = Objects.parse(body, request(min_score=0.25))
    first, second = found.objects
    assert (first.box.x_min, first.box.x_max, first.box.clipped) == (0, 0.5, True)
    assert not second.box.clipped
    assert (first.vendor_id, second.vendor_id) == ("1", "90")
    assert found.status is Status.OBSERVED


def test_parse_tells_nothing_seen_from_too_weak_and_from_cut_off():
    assert Objects.parse(answer(), request()).status is Status.OBSERVED
    weak = Objects.parse(answer(thing(0.2)), request(min_score=0.25))
    assert (weak.status, len(weak)) == (Status.BELOW_FLOOR, 0)
    full = answer(*[thing(0.5)] * 100)
    assert Objects.parse(full, request(min_score=0.25)).status is Status.TRUNCATED
    assert Objects.parse(full, request(min_score=0.6)).status is Status.BELOW_FLOOR


@pytest.mark.parametrize(
    "wrong",
    [
        {"category": 12},
        {"category": True},
        {"category": [1]},
        {"box": [0, 0, 1]},
        {"box": [0, 0, 1, float("nan")]},
        {"box": "0011"},
        {"score": 1.5},
        {"score": True},
        {"name": 3},
    ],
)
def test_parse_refuses_what_is_no_object(wrong):
    with pytest.raises((TypeError, ValueError)):
        Objects.parse(answer({**thing(0.5), **wrong}), request())


def network(card):
    [path] = ensure(card, print)
    weights = read(card.files[0], path)
    if card is cards.YOLO11N:
        return Yolo(weights, 640, 114, centred=True)
    return EfficientDetLite(weights)


@pytest.mark.models
def test_strongest_box_matches_the_bare_runtime(shared):
    """The bare interpreter on a canvas made by hand, one anchor decoded in plain arithmetic."""
    from ai_edge_litert.interpreter import Interpreter

    image = Image.open(sorted((shared / "images/coco/images").glob("*.jpg"))[0]).convert("RGB")
    width, height = image.size
    canvas = Image.new("RGB", (320, 320), (127, 127, 127))
    small = image.resize(
        (round(width * 320 / max(image.size)), round(height * 320 / max(image.size))),
        Image.Resampling.BILINEAR,
    )
    canvas.paste(small)
    [path] = ensure(cards.EFFICIENTDET_LITE0_INT8, print)
    bare = Interpreter(model_path=str(path), num_threads=1)
    bare.allocate_tensors()
    bare.set_tensor(bare.get_input_details()[0]["index"], np.asarray(canvas)[None])
    bare.invoke()
    heads = [bare.get_tensor(leave["index"])[0] for leave in bare.get_output_details()]
    [scores] = [head for head in heads if head.shape[1] == 90]
    [boxes] = [head for head in heads if head.shape[1] == 4]
    row, column = divmod(int(scores.argmax()), 90)
    x, y, w, h = map(float, anchors(320)[row])
    down, right, taller, wider = map(float, boxes[row])
    x, y, w, h = x + right * w, y + down * h, w * np.exp(wider), h * np.exp(taller)
    box = ((x - w / 2) / small.width, (y - h / 2) / small.height,
           (x + w / 2) / small.width, (y + h / 2) / small.height)  # fmt: skip
    found = network(cards.EFFICIENTDET_LITE0_INT8).detect(image)
    assert found.scores[0] == pytest.approx(float(scores[row, column]), abs=0.03)
    assert found.classes[0] == column
    assert iou(found.boxes[0], box) > 0.95


@pytest.mark.models
@pytest.mark.parametrize(
    ("card", "least"), [(cards.EFFICIENTDET_LITE0_INT8, 0.55), (cards.YOLO11N, 0.7)]
)
def test_large_things_in_real_photographs_are_found(shared, card, least):
    """Recall of boxes over 96 x 96 pixels at an overlap of .5 and a score of .25, by hand."""
    folder = shared / "images/coco"
    truth = json.loads((folder / "instances.json").read_text("utf-8"))
    model, hits, total = Objects(), 0, 0
    for entry in truth["images"][:12]:
        with Image.open(folder / "images" / entry["file_name"].rpartition("/")[2]) as opened:
            image = opened.convert("RGB")
        found = model.predict(image, {"model": card.name})["objects"]
        size = np.array([entry["width"], entry["height"]] * 2)
        for real in truth["annotations"]:
            if real["image_id"] != entry["id"] or real["area"] < 96**2 or real["iscrowd"]:
                continue
            left, top, width, height = real["bbox"]
            box = np.array([left, top, left + width, top + height]) / size
            total += 1
            hits += any(
                item["category"] == real["category_id"]
                and item["score"] >= 0.25
                and iou(item["box"], box) >= 0.5
                for item in found
            )
    assert total > 10
    assert hits / total >= least


@pytest.mark.models
def test_class_names_of_both_networks_are_the_same():
    lite, yolo = network(cards.EFFICIENTDET_LITE0_INT8), network(cards.YOLO11N)
    assert [lite.names[number - 1] for number in CATEGORIES] == yolo.names


@pytest.mark.models
def test_same_picture_same_answer():
    image = Image.linear_gradient("L").resize((300, 200)).convert("RGB")
    assert Objects().predict(image, {}) == Objects().predict(image, {})
