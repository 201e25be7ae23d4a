"""Faces: decoding, suppression, tiles, alignment against slow references; OpenCV's answers."""

from __future__ import annotations

import csv
import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image
from visionhub_embedded import alignment, yunet
from visionhub_embedded.cards_faces import YUNET
from visionhub_embedded.faces import POINTS, Faces
from visionhub_embedded.runtime import load

from visionhub.errors import UsageError
from visionhub.provider import Request, canonical
from visionhub.schema import Scale, Status, Task

SIZES = {8: 80, 16: 40, 32: 20}


def request(**options):
    return Request("0", "0", 100, 100, Task.FACES, "embedded", "r", canonical(options))


def face(score, box=(0.1, 0.2, 0.3, 0.4), **more):
    landmarks = [[0.1 * i, 0.05 * i] for i in range(5)]
    return {"score": score, "box": list(box), "landmarks": landmarks, **more}


def answer(*faces):
    return {"task": "faces", "model": "m", "runtime": "r", "faces": list(faces)}


def heads(rng):
    """Random outputs of the network, with few cells that score."""
    made = {}
    for stride, cells in SIZES.items():
        n = cells * cells
        made[f"cls_{stride}"] = rng.uniform(-0.1, 1.1, (1, n, 1)).astype("f4")
        made[f"obj_{stride}"] = (rng.uniform(0, 1, (1, n, 1)) ** 4).astype("f4")
        made[f"bbox_{stride}"] = rng.normal(0, 0.5, (1, n, 4)).astype("f4")
        made[f"kps_{stride}"] = rng.normal(0, 0.5, (1, n, 10)).astype("f4")
    return made


def test_decoding_agrees_with_one_cell_at_a_time():
    made = heads(np.random.default_rng(3))
    expected = []
    for stride, cells in SIZES.items():
        for row in range(cells):
            for column in range(cells):
                n = row * cells + column
                values = [
                    min(max(float(made[f"{k}_{stride}"][0, n, 0]), 0), 1) for k in ("cls", "obj")
                ]
                score = math.sqrt(values[0] * values[1])
                if score < 0.9:
                    continue
                dx, dy, w, h = (float(v) for v in made[f"bbox_{stride}"][0, n])
                x, y = (column + dx) * stride, (row + dy) * stride
                w, h = math.exp(w) * stride, math.exp(h) * stride
                points = [
                    (float(made[f"kps_{stride}"][0, n, 2 * i + axis]) + (column, row)[axis])
                    * stride
                    for i in range(5)
                    for axis in (0, 1)
                ]
                expected.append([x - w / 2, y - h / 2, x + w / 2, y + h / 2, *points, score])
    found = yunet.decode(made, 0.9)
    rows = np.concatenate([found.boxes, found.points.reshape(-1, 10), found.scores[:, None]], 1)
    assert len(expected) > 50
    assert rows == pytest.approx(np.array(expected), rel=1e-4, abs=1e-3)


@pytest.mark.parametrize("seed", range(10))
def test_suppression_agrees_with_brute_force(seed):
    rng = np.random.default_rng(seed)
    low, size = rng.uniform(0, 100, (50, 2)), rng.uniform(5, 60, (50, 2))
    boxes = np.concatenate([low, low + size], 1).astype("f4")
    scores = rng.permutation(50).astype("f4") / 50
    kept = []
    for index in sorted(range(50), key=lambda i: -scores[i]):
        one = boxes[index]
        for other in (boxes[k] for k in kept):
            across = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
            down = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
            areas = sum((b[2] - b[0]) * (b[3] - b[1]) for b in (one, other))
            if across * down / (areas - across * down) > 0.3:
                break
        else:
            kept.append(index)
    found = yunet.distinct(yunet.Detections(boxes, np.zeros((50, 5, 2), "f4"), scores))
    assert 3 < len(kept) < 50
    assert found.scores.tolist() == [scores[k] for k in kept]


@given(st.integers(1, 6000), st.integers(1, 6000), st.integers(1, 6))
def test_views_cover_the_picture_and_never_enlarge_it(width, height, tiles):
    first, *rest = yunet.views(width, height, tiles)
    assert first == (min(1, 640 / max(width, height)), 0, 0)
    assert len(rest) <= tiles * tiles
    assert bool(rest) == (tiles > 1 and max(width, height) > 640)
    if rest:
        scale = rest[0][0]
        assert first[0] < scale <= 1
        for axis, length in ((1, width), (2, height)):
            starts = sorted({view[axis] for view in rest})
            assert starts[0] == 0
            assert starts[-1] + 640 / scale >= length - 1e-6
            assert all(b + 64 / scale <= a + 640 / scale + 1e-6 for a, b in pairwise(starts))


def test_a_view_is_blue_green_red_and_black_beyond_the_picture():
    pixels = yunet.view(Image.new("RGB", (30, 20), (10, 20, 30)), 1.0, 0.0, 0.0)
    assert pixels.shape == (1, 3, 640, 640)
    assert pixels[0, :, :20, :30].reshape(3, -1).tolist() == [[30] * 600, [20] * 600, [10] * 600]
    assert pixels[0, :, 20:].max() == 0
    assert pixels[0, :, :, 30:].max() == 0


class OneFace:
    """A network that sees one face of 48 x 48 pixels, always at the same place of its input."""

    def __init__(self, weights):
        self.column, self.row = weights

    def run(self, feed):
        assert feed["input"].shape == (1, 3, 640, 640)
        made = {
            name: np.zeros_like(values) for name, values in heads(np.random.default_rng(0)).items()
        }
        n = self.row * 40 + self.column
        made["cls_16"][0, n], made["obj_16"][0, n] = 1, 1
        made["bbox_16"][0, n, 2:] = np.log(3)
        return made


@pytest.mark.parametrize(
    ("column", "row", "seen"),
    [
        (20, 20, {(0, 0), (0, 560), (560, 0), (560, 560)}),
        (39, 20, {(560, 0), (560, 560)}),  # cut by the right edge: only right tiles end there
        (20, 0, {(0, 0), (560, 0)}),
        (0, 0, {(0, 0)}),
    ],
)
def test_faces_that_a_tile_cuts_are_left_to_another_view(monkeypatch, column, row, seen):
    monkeypatch.setattr(yunet, "OnnxModel", OneFace)
    monkeypatch.setattr(yunet, "repaired", lambda weights: weights)
    detector = yunet.FaceDetector((column, row))
    image = Image.new("RGB", (1200, 1200))
    tiles = [view for view in yunet.views(1200, 1200, 2) if view[0] == 1]
    assert len(tiles) == 4
    found = {view[1:] for view in tiles if len(detector.look(image, view, 0.5))}
    assert found == seen
    whole = detector.look(image, (640 / 1200, 0.0, 0.0), 0.5)
    assert whole.boxes[0] == pytest.approx(
        np.array([16 * column - 24, 16 * row - 24, 16 * column + 24, 16 * row + 24]) * 1200 / 640
    )


def test_only_biases_lose_their_block_size():
    bias = b"\n\nblock_size\x18\x40\xa0\x01\x02*\x0b\n\x04axis\x18\x00"
    weight = b"\n\nblock_size\x18\x40\xa0\x01\x02*\x0b\n\x04axis\x18\x01"
    made = yunet.repaired(b"a" + bias + b"@" + weight + bias)
    assert made == b"a" + bias.replace(b"\x18\x40", b"\x18\x00") + b"@" + weight + bias.replace(
        b"\x18\x40", b"\x18\x00"
    )
    assert yunet.repaired(made) == made


points = st.lists(
    st.tuples(st.floats(-500, 500), st.floats(-500, 500)), min_size=2, max_size=8
).map(np.array)


@settings(deadline=None)
@given(
    points,
    st.floats(0.05, 20),
    st.floats(-math.pi, math.pi),
    st.tuples(st.floats(-99, 99), st.floats(-99, 99)),
)
def test_alignment_recovers_a_known_transform(source, scale, angle, shift):
    assume(np.ptp(source, axis=0).max() > 1)
    linear = scale * np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    found = alignment.similarity(source, source @ linear.T + shift)
    assert found[:, :2] == pytest.approx(linear, abs=1e-6 * scale)
    assert found[:, 2] == pytest.approx(shift, abs=1e-3 * max(1, scale))
    back = alignment.apply(alignment.inverse(found), alignment.apply(found, source))
    assert back == pytest.approx(source, abs=1e-6)


def test_alignment_is_the_best_of_all_similarities():
    """No small change of the four parameters lowers the sum of squares."""
    rng = np.random.default_rng(5)
    source, target = rng.normal(0, 10, (5, 2)), rng.normal(0, 10, (5, 2))
    best = alignment.similarity(source, target)

    def loss(matrix):
        return float(((alignment.apply(matrix, source) - target) ** 2).sum())

    turn = np.array([[0, -1, 0], [1, 0, 0]])
    grow = np.array([[1, 0, 0], [0, 1, 0]])
    right, down = np.array([[0, 0, 1], [0, 0, 0]]), np.array([[0, 0, 0], [0, 0, 1]])
    for step in (turn, grow, right, down):
        assert loss(best + 1e-3 * step) > loss(best) < loss(best - 1e-3 * step)


def test_points_in_one_place_cannot_be_aligned():
    with pytest.raises(ValueError, match="coincide"):
        alignment.similarity(np.ones((5, 2)), np.eye(5, 2))


def noise(width=40, height=30):
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_crop_moves_whole_pixels_exactly():
    pixels = noise()
    shifted = alignment.crop(
        Image.fromarray(pixels), np.array([[1.0, 0, -7], [0, 1, -4]]), 16, smooth=True
    )
    assert np.array_equal(shifted, pixels[4:20, 7:23])
    beyond = alignment.crop(
        Image.fromarray(pixels), np.array([[1.0, 0, 5], [0, 1, 3]]), 16, smooth=False
    )
    assert np.array_equal(beyond[3:, 5:], pixels[:13, :11])
    assert beyond[:3].max() == 0
    assert beyond[:, :5].max() == 0


def test_crop_turns_by_a_right_angle_exactly():
    pixels = noise(16, 16)
    quarter = np.array([[0.0, 1, 0], [-1, 0, 15]])  # x' = y, y' = 15 - x: counter-clockwise
    turned = alignment.crop(Image.fromarray(pixels), quarter, 16, smooth=False)
    assert np.array_equal(turned, np.rot90(pixels))


def test_crop_between_pixels_is_the_mean_of_its_neighbours():
    pixels = noise().astype(float)
    half = alignment.crop(
        Image.fromarray(noise()), np.array([[1.0, 0, -5.5], [0, 1, -5]]), 8, smooth=False
    )
    assert half == pytest.approx((pixels[5:13, 5:13] + pixels[5:13, 6:14]) / 2, abs=0.51)


def test_smooth_crop_averages_what_it_shrinks():
    pixels = noise(64, 64)
    matrix = np.array([[0.25, 0, -0.375], [0, 0.25, -0.375]])  # pixel (i) covers 4 i .. 4 i + 3
    small = alignment.crop(Image.fromarray(pixels), matrix, 16, smooth=True)
    blocks = pixels.astype(float).reshape(16, 4, 16, 4, 3).mean((1, 3))
    assert small == pytest.approx(blocks, abs=1.01)


def test_crop_outside_the_picture_is_black():
    far = np.array([[1.0, 0, -500], [0, 1, 0]])
    assert alignment.crop(Image.fromarray(noise()), far, 8, smooth=True).max() == 0


def test_parse_reads_faces_and_their_points():
    found = Faces.parse(answer(face(0.95, (-0.1, 0.2, 0.5, 0.9)), face(0.69)), request())
    [one] = found.faces
    assert (found.status, one.score.value, one.score.scale) == (
        Status.OBSERVED,
        0.95,
        Scale.UNCALIBRATED,
    )
    assert (one.box.x_min, one.box.clipped) == (0, True)
    assert [(p.name, p.x) for p in one.landmarks] == [(n, 0.1 * i) for i, n in enumerate(POINTS)]
    assert (one.roll, one.yaw, one.pitch) == (None, None, None)


def test_parse_tells_no_face_from_too_weak_ones():
    assert Faces.parse(answer(), request()).status is Status.OBSERVED
    weak = Faces.parse(answer(face(0.4)), request())
    assert (weak.status, len(weak)) == (Status.BELOW_FLOOR, 0)
    assert len(Faces.parse(answer(face(0.4)), request(min_score=0.35))) == 1


def test_parse_reports_what_it_does_not_know():
    found = Faces.parse({**answer(face(0.9, smile=1)), "extra": 2}, request())
    assert found.unknown == ("extra", "faces.smile")


@pytest.mark.parametrize(
    "wrong",
    [{"box": [0, 0, 1]}, {"landmarks": [[0, 0]] * 4}, {"score": "high"}, {"landmarks": [[1]] * 5}],
)
def test_parse_refuses_what_is_no_face(wrong):
    with pytest.raises((TypeError, ValueError)):
        Faces.parse(answer({**face(0.9), **wrong}), request())


@pytest.mark.parametrize("options", [{"tiles": 0}, {"tiles": 7}, {"min_score": 1.5}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(UsageError, match="--param faces"):
        Faces.check(options)


def overlap(one, other):
    across = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    down = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    areas = sum((b[2] - b[0]) * (b[3] - b[1]) for b in (one, other))
    return across * down / (areas - across * down)


@pytest.mark.models
def test_detector_agrees_with_opencv(shared):
    """Reference: cv2.FaceDetectorYN of OpenCV 4.14.0 on the picture in a black 640x640 square."""
    with Image.open(shared / "images/faces/boxes/2007_007763.jpg") as opened:
        found = yunet.FaceDetector(*load(YUNET)).detect(opened.convert("RGB"), 0.3, 2)
    assert found.scores == pytest.approx([0.93, 0.91, 0.91, 0.91, 0.91, 0.89, 0.89], abs=0.006)
    corner, size = found.boxes[0, :2], found.boxes[0, 2:] - found.boxes[0, :2]
    assert [*corner, *size] == pytest.approx([99.04, 191.98, 29.89, 39.03], abs=0.02)
    reference = [104.32, 207.31, 116.75, 207.22, 108.0, 214.06, 106.37, 220.2, 116.42, 219.99]
    assert found.points[0].ravel() == pytest.approx(reference, abs=0.02)


@pytest.mark.models
def test_boxed_faces_are_found(shared):
    """Recall and precision at an overlap of .5 on the four photographs with boxes (18 faces)."""
    folder = shared / "images/faces"
    rows = list(csv.DictReader((folder / "boxes.csv").read_text("utf-8").splitlines()))
    model, hits, told = Faces(), 0, 0
    for name in sorted({row["file"] for row in rows}):
        with Image.open(folder / name) as opened:
            image = opened.convert("RGB")
        scale = np.array([image.width, image.height] * 2)
        found = Faces.parse(answer(*model.predict(image, {})["faces"]), request()).faces
        left = [f.box for f in found]
        told += len(left)
        for row in (row for row in rows if row["file"] == name and row["ignore"] != "True"):
            x, y, w, h = (float(row[k]) for k in ("left", "top", "width", "height"))
            near = [
                b
                for b in left
                if overlap(
                    np.array([b.x_min, b.y_min, b.x_max, b.y_max]) * scale, (x, y, x + w, y + h)
                )
                >= 0.5
            ]
            hits += bool(near)
            left = [b for b in left if b is not (near or [None])[0]]
    assert (hits, told) == (17, 18)


@pytest.mark.models
def test_small_faces_in_a_large_photograph_need_tiles(shared):
    """The same photograph of seven people 36 times on one sheet."""
    with Image.open(shared / "images/faces/boxes/2007_007763.jpg") as opened:
        part = opened.convert("RGB")
    sheet = Image.new("RGB", (3000, 3000))
    for n in range(36):
        sheet.paste(part, (n % 6 * 500, n // 6 * 500))
    model = Faces()
    counts = [
        sum(f["score"] >= 0.7 for f in model.predict(sheet, {"tiles": tiles})["faces"])
        for tiles in (1, 2)
    ]
    assert counts[0] < 126
    assert 214 < counts[1] <= 252


@pytest.mark.models
@pytest.mark.parametrize("size", [(1, 1), (3000, 2), (7, 900)])
def test_odd_pictures_have_no_faces(size):
    assert Faces().predict(Image.new("RGB", size, (90, 120, 40)), {})["faces"] == []


@pytest.mark.models
def test_threads_answer_alike(shared):
    paths = sorted((shared / "images/faces/portraits").glob("*.jpg"))[:4]

    def answers(_):
        model, made = Faces(), []
        for path in paths:
            with Image.open(path) as opened:
                made.append(model.predict(opened.convert("RGB"), {}))
        return made

    with ThreadPoolExecutor(3) as pool:
        first, *others = pool.map(answers, range(3))
    assert all(len(one["faces"]) >= 1 for one in first)
    assert others == [first, first]
