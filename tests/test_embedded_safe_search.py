"""Safe search: Yahoo's recipe, and harmless photographs."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from visionhub_embedded.classifiers import nsfw_input
from visionhub_embedded.safe_search import Safety

from visionhub.provider import Request, canonical
from visionhub.schema import Task

REQUEST = Request("0", "0", 9, 9, Task.SAFE_SEARCH, "embedded", "r", canonical({}))
NUDENET = {"model": "nudenet-agpl-3.0"}


def answer(**scores):
    found = [{"name": name, "score": score} for name, score in scores.items()]
    return {"task": "safe_search", "model": "m", "runtime": "r", "categories": found}


def test_input_is_the_middle_in_blue_green_red_less_the_mean():
    """At 256 x 256 nothing is resampled, so that each number can be written down."""
    pixels = np.random.default_rng(1).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    made = nsfw_input(Image.fromarray(pixels))
    assert (made.shape, made.dtype) == ((224, 224, 3), np.float32)
    red, green, blue = (int(value) for value in pixels[16 + 5, 16 + 7])
    assert made[5, 7].tolist() == [blue - 104, green - 117, red - 123]
    assert made[-1, -1, 2] == int(pixels[239, 239, 0]) - 123


def test_shape_is_not_kept():
    """The release squeezes every picture to a square."""
    wide = Image.new("RGB", (400, 100), "white")
    wide.paste((0, 0, 0), (0, 0, 200, 100))
    made = nsfw_input(wide)
    assert made[0, 100, 0] == -104
    assert made[0, 120, 0] == 255 - 104


def test_parse_gives_the_strongest_first():
    found = Safety.parse(answer(face_male=0.2, belly_exposed=0.9), REQUEST).safe_search
    assert [(item.category, item.score.value, item.level) for item in found] == [
        ("belly_exposed", 0.9, 1),
        ("face_male", 0.2, 1),
    ]


def test_parse_refuses_no_category_and_reports_strangers():
    with pytest.raises(ValueError, match="no category"):
        Safety.parse(answer(), REQUEST)
    body = answer(nsfw=0.1)
    body["categories"][0]["version"] = 2
    assert Safety.parse(body, REQUEST).unknown == ("categories.version",)


@pytest.mark.models
def test_harmless_photographs_score_low(shared):
    model, photographs = Safety(), sorted((shared / "images/coco/images").glob("*.jpg"))[:12]
    scores = []
    for path in photographs:
        with Image.open(path) as opened:
            [found] = model.predict(opened.convert("RGB"), {})["categories"]
        assert found["name"] == "nsfw"
        scores.append(found["score"])
    assert len(scores) == 12
    assert max(scores) < 0.2  # Yahoo's advice for "safe"
    assert len(set(scores)) > 1


@pytest.mark.models
def test_nudenet_names_its_eighteen_parts():
    found = Safety().predict(Image.linear_gradient("L").convert("RGB"), NUDENET)["categories"]
    assert len({item["name"] for item in found}) == 18
    assert all(0 <= item["score"] < 0.3 for item in found)
    assert "face_female" in {item["name"] for item in found}


@pytest.mark.models
def test_same_picture_same_answer():
    image = Image.radial_gradient("L").resize((90, 300)).convert("RGB")
    assert Safety().predict(image, {}) == Safety().predict(image, {})
