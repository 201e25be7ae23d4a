"""What is guessed about a person: only when named; each network against another's answer."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from visionhub_embedded import age_gender, emotion
from visionhub_embedded.cards_faces import EMOTION, YUNET
from visionhub_embedded.faces import SENSITIVE, Faces
from visionhub_embedded.runtime import load

from visionhub.errors import UsageError
from visionhub.provider import Request, canonical
from visionhub.schema import Scale, Task

ALL = list(SENSITIVE)


def request(**options):
    return Request("0", "0", 100, 100, Task.FACES, "embedded", "r", canonical(options))


def face(**more):
    return {
        "score": 0.9,
        "box": [0.1, 0.2, 0.3, 0.4],
        "landmarks": [[0.1, 0.2]] * 5,
        "age": {"years": 33.5, "low": 30, "high": 38},
        "gender": {"female": 0.2, "male": 0.8},
        "emotion": {"neutral": 0.1, "happy": 0.7, "sad": 0.2},
        "embedding": [0.6, 0.8],
        **more,
    }


def parsed(**options):
    body = {"task": "faces", "model": "m", "runtime": "r", "faces": [face()]}
    return Faces.parse(body, request(**options)).faces[0]


def test_every_sensitive_attribute_has_a_sensitive_card_of_its_own():
    assert Faces.spec.sensitive == tuple(ALL) == ("age", "gender", "emotion", "embedding")
    assert Faces.used({}) == (YUNET,)
    assert not YUNET.sensitive
    assert all(card.sensitive and not card.default for card in SENSITIVE.values())
    assert Faces.used({"attributes": ["embedding", "age"]}) == (
        YUNET,
        SENSITIVE["age"],
        SENSITIVE["embedding"],
    )
    assert all(card.permissive for card in Faces.cards)


def test_what_is_not_asked_for_is_not_told_even_when_a_body_holds_it():
    assert parsed().attributes == ()
    assert parsed().embedding == ()
    only = parsed(attributes=["age"])
    assert [one.name for one in only.attributes] == ["age"]
    assert only.embedding == ()


def test_what_is_asked_for_is_told():
    found = parsed(attributes=ALL)
    age, gender, *emotions = found.attributes
    assert (age.name, age.number, age.low, age.high, age.score) == ("age", 33.5, 30, 38, None)
    assert (gender.word, gender.score.value) == ("male", 0.8)
    # Softmax of an overconfident network: no scale of probabilities.
    assert {one.score.scale for one in (gender, *emotions)} == {Scale.UNCALIBRATED}
    assert [(e.name, e.word, e.score.value) for e in emotions] == [
        ("emotion", "happy", 0.7),
        ("emotion", "sad", 0.2),
        ("emotion", "neutral", 0.1),
    ]
    assert found.embedding == (0.6, 0.8)


def test_an_answer_without_what_was_asked_for_is_refused():
    body = {"faces": [{k: v for k, v in face().items() if k != "gender"}]}
    with pytest.raises(KeyError):
        Faces.parse(body, request(attributes=["gender"]))


@pytest.mark.parametrize("wrong", [["race"], ["age", "beauty"], "age"])
def test_unknown_attributes_are_refused(wrong):
    with pytest.raises(UsageError, match=r"faces\.attributes"):
        Faces.used({"attributes": wrong})


def test_an_empty_list_as_typed_asks_for_nothing():
    typed = Faces.spec.parameters["attributes"].read("faces.attributes", "")
    assert Faces.used({"attributes": typed}) == (YUNET,)
    typed = Faces.spec.parameters["attributes"].read("faces.attributes", "gender, age")
    assert Faces.used({"attributes": typed})[1:] == (SENSITIVE["age"], SENSITIVE["gender"])


def test_age_of_one_class_is_that_class():
    for index, years in ((0, 0.25), (1, 1), (35, 35), (80, 80)):
        found = age_gender.age_of(np.eye(81)[index])
        assert (found.years, found.low, found.high) == (years, years, years)


def test_age_is_the_mean_and_its_range_leaves_a_tenth_at_each_end():
    p = np.zeros(81)
    p[[20, 30, 40, 50]] = [0.05, 0.45, 0.44, 0.06]
    found = age_gender.age_of(p)
    assert found.years == pytest.approx(0.05 * 20 + 0.45 * 30 + 0.44 * 40 + 0.06 * 50)
    assert (found.low, found.high) == (30, 40)


@given(st.lists(st.floats(1e-3, 1), min_size=81, max_size=81))
def test_age_range_holds_most_of_the_probability(weights):
    p = np.array(weights) / sum(weights)
    found = age_gender.age_of(p)
    years = [0.25, *range(1, 81)]
    held = sum(q for q, y in zip(p, years, strict=True) if found.low <= y <= found.high)
    assert held >= 0.8 - 1e-9
    assert found.low <= found.high


def slow_convolution(x, filters, bias, stride):
    """TensorFlow's 'same' convolution, one number at a time."""
    height, width, channels = x.shape
    rows, columns = -(-height // stride), -(-width // stride)
    top = max((rows - 1) * stride + 3 - height, 0) // 2
    left = max((columns - 1) * stride + 3 - width, 0) // 2
    out = np.zeros((rows, columns, filters.shape[3]))
    for r in range(rows):
        for c in range(columns):
            for o in range(filters.shape[3]):
                total = float(bias[o])
                for i in range(3):
                    for j in range(3):
                        y, z = r * stride + i - top, c * stride + j - left
                        if 0 <= y < height and 0 <= z < width:
                            total += sum(x[y, z, k] * filters[i, j, k, o] for k in range(channels))
                out[r, c, o] = total
    return out


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("shape", [(8, 8, 2), (7, 9, 3), (1, 2, 1)])
def test_convolution_agrees_with_loops(shape, stride):
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape).astype("f4")
    filters, bias = (
        rng.normal(size=(3, 3, shape[2], 4)).astype("f4"),
        rng.normal(size=4).astype("f4"),
    )
    expected = slow_convolution(x, filters, bias, stride)
    assert emotion.convolve(x, filters, bias, stride) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("stride", [1, 2])
def test_separable_convolution_agrees_with_loops(stride):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(6, 7, 3)).astype("f4")
    depthwise, pointwise = rng.normal(size=(3, 3, 3, 1)), rng.normal(size=(1, 1, 3, 5))
    bias = rng.normal(size=5)
    full = np.zeros((3, 3, 3, 5))
    for i, j, k, o in np.ndindex(full.shape):
        full[i, j, k, o] = depthwise[i, j, k, 0] * pointwise[0, 0, k, o]
    weights = {"n/depthwise_filter": depthwise, "n/pointwise_filter": pointwise, "n/bias": bias}
    weights = {name: array.astype("f4") for name, array in weights.items()}
    expected = slow_convolution(x, full, bias, stride)
    assert emotion.separable(x, weights, "n", stride) == pytest.approx(expected, abs=1e-4)


def test_weights_are_read_as_floats_or_as_scaled_bytes():
    manifest = [
        {
            "weights": [
                {"name": "a", "shape": [2], "dtype": "float32"},
                {
                    "name": "b",
                    "shape": [1, 3],
                    "dtype": "float32",
                    "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1.0},
                },
            ]
        }
    ]
    data = np.array([1.5, -2], "<f4").tobytes() + bytes([0, 2, 255])
    found = emotion.read_weights(manifest, data)
    assert found["a"].tolist() == [1.5, -2]
    assert found["b"].tolist() == [[-1, 0, 126.5]]
    with pytest.raises(ValueError, match="describes 11 bytes of 12"):
        emotion.read_weights(manifest, data + b"x")


def test_the_face_is_cut_out_and_padded_to_a_square():
    image = Image.new("RGB", (100, 60), (0, 0, 255))
    image.paste((255, 0, 0), (10, 20, 30, 60))  # a face 20 wide, 40 tall
    made = emotion.face_square(image, np.array([10, 20, 30, 70], "f4")) * 255 + emotion.MEANS
    assert made.shape == (112, 112, 3)
    assert made[56, 56] == pytest.approx([255, 0, 0], abs=1e-3)
    assert made[5:-5, :25].max() == pytest.approx(0, abs=1e-3)
    assert made[2, 56, 0] == pytest.approx(255, abs=1e-3)


@pytest.mark.models
def test_expression_network_agrees_with_torch():
    """Reference: the same layers in torch 2.15 (conv2d on padded input) with the same weights."""
    manifest, shard = load(EMOTION)
    weights = emotion.read_weights(json.loads(manifest), shard)
    y, x = np.mgrid[:112, :112]
    picture = np.stack([x * 2 % 256, y * 2 % 256, (x + y) % 256], -1).astype("f4")
    found = emotion.forward((picture - emotion.MEANS) / np.float32(255), weights)
    reference = [0.126361, 0.172589, 0.604828, 0.034966, 0.026749, 0.017185, 0.017321]
    assert found == pytest.approx(reference, abs=2e-5)


def portrait(shared, name):
    with Image.open(shared / f"images/faces/portraits/{name}.jpg") as opened:
        return opened.convert("RGB")


@pytest.mark.models
def test_a_body_holds_nothing_sensitive_unless_it_was_asked_for(shared):
    image = portrait(shared, "A000371")
    model = Faces()
    asked = model.predict(image, {"attributes": ALL})["faces"]
    assert set(asked[0]) == {"score", "box", "landmarks", *ALL}
    plain = model.predict(image, {})["faces"]  # by the same instance, with every network loaded
    assert set(plain[0]) == {"score", "box", "landmarks"}
    none = model.predict(image, {"attributes": ALL, "min_score": 0.99})["faces"]
    assert none
    assert not set(none[0]) & set(ALL)


@pytest.mark.models
def test_embedding_agrees_with_opencv(shared):
    """Reference: alignCrop and feature of cv2.FaceRecognizerSF, OpenCV 4.14.0, made unit length."""
    [found] = Faces().predict(portrait(shared, "A000371"), {"attributes": ["embedding"]})["faces"]
    vector = found["embedding"]
    assert len(vector) == 128
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4)
    reference = [-0.2, -0.0024, 0.067, -0.0586, 0.075, 0.0851, 0.0141, 0.1354]
    assert vector[:8] == pytest.approx(reference, abs=0.012)


@pytest.mark.models
def test_embedding_tells_family_members_apart(shared):
    model, vectors = Faces(), {}
    for name in ("Family1-Dad1", "Family1-Dad3", "Family1-Mom1", "Family1-Mom2"):
        with Image.open(shared / f"images/faces/families/{name}.jpg") as opened:
            made = model.predict(opened.convert("RGB"), {"attributes": ["embedding"]})
        vectors[name[:-1], name[-1]] = np.array(made["faces"][0]["embedding"])
    father, mother = vectors["Family1-Dad", "1"], vectors["Family1-Mom", "1"]
    assert father @ vectors["Family1-Dad", "3"] > 0.6
    assert mother @ vectors["Family1-Mom", "2"] > 0.6
    assert father @ mother < 0.363


@pytest.mark.models
def test_gender_and_age_of_portraits_are_plausible(shared):
    """Every fifth portrait: gender as recorded, age in years of a grown person."""
    table = (shared / "images/faces/portraits.csv").read_text("utf-8")
    rows = list(csv.DictReader(table.splitlines()))
    model, right, ages = Faces(), 0, []
    for row in rows[::5]:
        image = portrait(shared, row["person_id"])
        options = {"attributes": ["age", "gender"]}
        face_found = model.predict(image, options)["faces"][0]
        gender = face_found["gender"]
        right += max(gender, key=gender.get) == row["gender"]
        assert sum(gender.values()) == pytest.approx(1, abs=1e-4)
        ages.append(face_found["age"]["years"])
    assert right >= len(rows[::5]) - 1
    assert 35 < np.mean(ages) < 60
