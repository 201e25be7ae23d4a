"""Text: reading order, and words that were written on the spot."""

from __future__ import annotations

import socket

import pytest
from PIL import Image, ImageDraw, ImageFont
from visionhub_embedded import Embedded
from visionhub_embedded.cards import PP_OCR
from visionhub_embedded.text import Text, reading_order

from visionhub import places
from visionhub.errors import ModelError
from visionhub.provider import Request, canonical
from visionhub.schema import Box, Status, Task, TextLine


def request(**options):
    return Request("0", "0", 100, 100, Task.TEXT, "embedded", "r", canonical(options))


def item(words, score=0.9, left=0.1, top=0.1):
    right, bottom = left + 0.3, top + 0.05
    corners = [[left, top], [right, top], [right, bottom], [left, bottom]]
    return {"polygon": corners, "score": score, "text": words}


def answer(*lines):
    return {"task": "text", "model": "m", "runtime": "r", "lines": list(lines)}


def line(words, x_min, y_min, height=0.05):
    return TextLine(words, Box.of(x_min, y_min, x_min + 0.2, y_min + height))


def read(lines):
    return " ".join(found.text for found in reading_order(lines))


def test_rows_from_the_top_each_from_the_left():
    page = [line("d", 0.5, 0.31), line("b", 0.5, 0.10), line("a", 0.1, 0.11), line("c", 0.1, 0.3)]
    assert read(page) == "a b c d"


def test_a_slanted_column_does_not_chain_into_one_row():
    """Each line lies a little lower and further left than the one before."""
    stairs = [line(str(step), 0.7 - 0.1 * step, 0.1 + 0.03 * step) for step in range(6)]
    rows = read(stairs).split()
    assert rows.index("5") > rows.index("0")
    assert rows.index("4") > rows.index("2")


def test_a_small_line_beside_a_tall_one_is_a_row_of_its_own():
    assert read([line("small", 0.1, 0.33, 0.02), line("TALL", 0.5, 0.1, 0.3)]) == "TALL small"


def test_parse_gives_box_polygon_and_order():
    found = Text.parse(answer(item("below", top=0.5), item("above")), request())
    assert [one.text for one in found.text_lines] == ["above", "below"]
    first = found.text_lines[0]
    assert (first.box.x_min, first.box.y_max) == pytest.approx((0.1, 0.15))
    assert len(first.polygon) == 4
    assert first.level == "line"


def test_parse_tells_no_text_from_text_too_faint():
    assert Text.parse(answer(), request()).status is Status.OBSERVED
    faint = Text.parse(answer(item("?", score=0.4)), request(min_score=0.5))
    assert (faint.status, len(faint)) == (Status.BELOW_FLOOR, 0)
    assert len(Text.parse(answer(item("?", score=0.4)), request(min_score=0.3))) == 1


@pytest.mark.parametrize(
    "wrong", [{"text": 1}, {"polygon": [[0, 0], [1, 1]]}, {"polygon": [[0]] * 4}, {"score": "1"}]
)
def test_parse_refuses_what_is_no_line(wrong):
    with pytest.raises((TypeError, ValueError)):
        Text.parse(answer({**item("a"), **wrong}), request())


@pytest.fixture(autouse=True)
def no_cache(monkeypatch, tmp_path):
    """The installed package alone must do: whatever this machine has pulled is out of sight."""
    monkeypatch.setattr(places, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.delenv("VISIONHUB_MODELS", raising=False)


def test_the_installed_package_holds_the_models_of_the_card():
    """No download is needed as long as this holds; the sums in the card are those of the files."""
    assert places.whereabouts(PP_OCR) == "installed"
    lines = []
    Embedded().ready({Task.TEXT: {}}, lines.append)
    assert not lines


def test_other_models_in_the_package_are_not_used(monkeypatch, tmp_path):
    """A later rapidocr with other models may not answer under the revision of these."""
    monkeypatch.setattr(places, "sha256_of", lambda _path: "0" * 64)
    monkeypatch.setenv("VISIONHUB_MODELS", str(tmp_path))
    assert places.whereabouts(PP_OCR) == "not pulled"
    with pytest.raises(ModelError, match=r"PP-OCRv6_det_small\.onnx"):
        Embedded().ready({Task.TEXT: {}}, print)


def test_revision_names_the_code_around_the_models():
    from importlib.metadata import version

    assert Text.revision({}).endswith(f"/rapidocr-{version('rapidocr')}")


@pytest.mark.models
def test_reads_what_was_written_in_silence_and_offline(monkeypatch, capfd):
    def refuse(*_arguments, **_options):
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "socket", refuse)
    font = ImageFont.load_default(36)
    image = Image.new("RGB", (480, 260), "white")
    draw = ImageDraw.Draw(image)
    draw.text((40, 160), "Main Street 42", "black", font)
    draw.text((40, 50), "CLOSED TODAY", "black", font)
    found = Text.parse(Text().predict(image, {}), request())
    assert [one.text for one in found.text_lines] == ["CLOSED TODAY", "Main Street 42"]
    left, top, right, bottom = draw.textbbox((40, 50), "CLOSED TODAY", font)
    box = found.text_lines[0].box
    drawn = (left / 480, top / 260, right / 480, bottom / 260)
    assert (box.x_min, box.y_min, box.x_max, box.y_max) == pytest.approx(drawn, abs=0.05)
    assert capfd.readouterr() == ("", "")


@pytest.mark.models
def test_a_blank_picture_holds_no_line(capfd):
    blank = Image.new("RGB", (200, 100), "white")
    assert Text().predict(blank, {}) == {"lines": []}
    assert capfd.readouterr() == ("", "")


@pytest.mark.models
@pytest.mark.parametrize("size", [(1, 1), (1, 3000)])
def test_the_thinnest_strip_is_answered(size):
    assert Text().predict(Image.new("RGB", size, "white"), {}) == {"lines": []}


@pytest.mark.models
def test_a_long_strip_is_read_where_the_words_are():
    """Padding to a shape that the detector takes does not move what was found."""
    strip = Image.new("RGB", (3000, 60), "white")
    ImageDraw.Draw(strip).text((1500, 5), "PANORAMA", "black", ImageFont.load_default(40))
    [found] = Text.parse(Text().predict(strip, {}), request()).text_lines
    assert found.text == "PANORAMA"
    assert found.box.x_min == pytest.approx(0.5, abs=0.02)
    assert found.box.y_max > 0.5


@pytest.mark.models
def test_a_printed_page_is_read_nearly_whole(shared):
    with Image.open(shared / "images/ocr/images/phototest.tif") as opened:
        image = opened.convert("RGB")
    found = Text.parse(Text().predict(image, {}), request())
    words = " ".join(one.text for one in found.text_lines)
    assert words.startswith("This is a lot of 12 point text to test the ocr code")
    assert words.count("quick brown dog jumped") >= 2
