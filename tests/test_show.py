"""`visionhub show`: finding an image, a readable table, the photograph drawn on."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner, Result

from tests.made import Made, made_study
from visionhub.cli.show import show
from visionhub.errors import UnreadableImage, UsageError
from visionhub.report.answers import Item
from visionhub.report.find import find_image
from visionhub.report.plain import plain
from visionhub.report.shown import attribute_text, attribute_texts
from visionhub.store.study import StudyFile


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made_study(tmp_path_factory.mktemp("show"))


def run(made: Made, *arguments: str) -> Result:
    app = typer.Typer()
    app.command()(show)
    options = ("--study", str(made.path))
    result = CliRunner().invoke(app, [*options, *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result


def found(made: Made, typed: str) -> int:
    with StudyFile(made.path) as study:
        return find_image(study, typed).id


def sha256_of(made: Made, name: str) -> str:
    with StudyFile(made.path) as study:
        sql = "SELECT sha256 FROM images WHERE id = ?"
        return str(study.query(sql, (made.ids[name],)).rows[0][0])


def test_an_image_is_found_by_path_hash_number_and_name(made: Made, monkeypatch) -> None:
    path = Path(made.photos["none"])
    monkeypatch.chdir(path.parent)
    for typed in (str(path), "none.jpg", "./none.jpg", "../" + path.parent.name + "/none.jpg"):
        assert found(made, typed) == made.ids["none"], typed
    monkeypatch.chdir("/")
    assert found(made, "none.jpg") == made.ids["none"]
    sha = sha256_of(made, "none")
    for typed in (sha, sha[:10], sha.upper(), str(made.ids["none"])):
        assert found(made, typed) == made.ids["none"], typed
    assert found(made, made.photos["odd"]) == made.ids["odd"]


def test_a_copy_elsewhere_is_found_by_its_content(made: Made, tmp_path) -> None:
    shutil.copy(made.photos["full"], tmp_path / "renamed.jpg")
    assert found(made, str(tmp_path / "renamed.jpg")) == made.ids["full"]


def test_a_file_counts_by_what_it_holds_before_its_name(made: Made, tmp_path, monkeypatch) -> None:
    shutil.copy(made.photos["full"], tmp_path / "none.jpg")
    monkeypatch.chdir(tmp_path)
    assert found(made, "none.jpg") == made.ids["full"]


def test_what_is_not_in_the_study_is_said_in_a_sentence(made: Made, tmp_path) -> None:
    two_of_one_name(made)
    (tmp_path / "new.jpg").write_bytes(b"new")
    with StudyFile(made.path) as study:
        for typed in (str(tmp_path / "new.jpg"), "99999", "ffffffffffff", "100%.jpg"):
            with pytest.raises(UsageError, match="annotate it first"):
                find_image(study, typed)
        with pytest.raises(UsageError, match="fits several"):
            find_image(study, "same name.jpg")
        with pytest.raises(UsageError, match="too short for the start of a hash"):
            find_image(study, "a")
        with pytest.raises(UnreadableImage, match="denied"):
            find_image(study, "/no/access.jpg")


def two_of_one_name(made: Made) -> None:
    with StudyFile(made.path, write=True) as study, study.transaction() as sql:
        for name in ("full", "none"):
            row = (f"/{name}/same name.jpg", made.ids[name])
            sql.execute(
                "INSERT OR IGNORE INTO paths (path, image_id, seen_at) VALUES (?, ?, '')", row
            )


def test_every_task_is_told_with_its_scale(made: Made) -> None:
    text = run(made, str(made.ids["full"])).stdout
    for word in ("golden retriever", "0.90", "percent", "96.2 %", "uncalibrated", "VERY_UNLIKELY"):
        assert word in text
    assert "age about 32 (26 to 41), gender woman (0.70, uncalibrated)" in text
    assert text.count("Guessed from appearance, by weak models: age, gender.") == 1
    assert "floor 0.05" in text
    assert "320 x 240 px" in text


def test_nothing_found_and_nothing_known_differ(made: Made) -> None:
    text = run(made, str(made.ids["none"])).stdout
    assert text.count("looked, and found none") == 6
    assert "Guessed from appearance" not in text
    text = run(made, str(made.ids["below"])).stdout
    assert "censored, which is not 'no'" in text
    assert "there may be more" in text
    assert "the service was down" in text
    assert "not asked about this image" in text
    text = run(made, str(made.ids["broken"])).stdout
    assert "cannot be read as a photograph: truncated (the file ends early)" in text


def test_nothing_from_outside_reaches_the_terminal_raw(made: Made) -> None:
    for name in made.ids:
        out = run(made, str(made.ids[name])).stdout
        assert plain(out.replace("\n", "")) == out.replace("\n", ""), name
    text = run(made, str(made.ids["full"])).stdout
    assert "[bold red]loud[/]" in text  # markup is shown, not obeyed
    assert "two lines and more" in text
    assert run(made, str(made.ids["full"]), "--json").stdout.isascii()


@given(st.text())
def test_plain_leaves_one_printable_line(text: str) -> None:
    shown = plain(text)
    shown.encode()
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in shown)
    assert not set(shown) & set(
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
    )
    assert len(shown.splitlines()) <= 1
    assert plain(shown) == shown


def test_plain_keeps_what_languages_need() -> None:
    for text in ("naïve café", "日本語", "क्\u200dष", "நான்\u200c", "👩\u200d🔬"):
        assert plain(text) == text
    assert plain("\udce9") == "\\xe9"
    assert plain("abcdef", 4) == "abc…"


@pytest.mark.parametrize(
    ("one", "text"),
    [
        ({"name": "age", "number": 69.1459, "low": 52.0, "high": 81.0}, "age about 69 (52 to 81)"),
        ({"name": "age", "number": 69.1459}, "age about 69"),
        ({"name": "age", "number": 55.02, "low": 55.0, "high": 55.0}, "age about 55"),
        ({"name": "age", "low": 20.0, "high": 30.0}, "age 20 to 30"),
        ({"name": "age", "low": 20.0}, "age ?"),
        (
            {"name": "emotion", "value": "sad", "score": 0.8765, "scale": "uncalibrated"},
            "emotion sad (0.88, uncalibrated)",
        ),
    ],
)
def test_guesses_look_no_surer_than_they_are(one: dict, text: str) -> None:
    assert attribute_text(one) == text


def test_words_that_score_nothing_are_left_out() -> None:
    scores = {"happy": 0.95, "sad": 0.046, "angry": 0.004}
    guessed = [
        {"name": "emotion", "value": word, "score": score, "scale": "uncalibrated"}
        for word, score in scores.items()
    ]
    texts = attribute_texts(Item(1, "face", details={"attributes": guessed}))
    assert texts == ["emotion happy (0.95, uncalibrated)", "emotion sad (0.05, uncalibrated)"]


@pytest.mark.parametrize(
    ("scale", "text"),
    [("probability", "0.89"), ("uncalibrated", "0.89"), ("percent", "0.9 %")],
)
def test_scores_have_two_decimals(scale: str, text: str) -> None:
    assert Item(1, "face", 0.8861, scale=scale).score_text == text


def test_json_holds_everything(made: Made) -> None:
    data = json.loads(run(made, str(made.ids["full"]), "--json").stdout)
    faces = next(a for a in data["answers"] if a["task"] == "faces")
    assert faces["items"][0]["box"] == [0.55, 0.1, 0.8, 0.5]
    assert faces["items"][0]["points"][0]["name"] == "left_eye"
    assert faces["items"][0]["details"]["attributes"][0] == {
        "name": "age",
        "number": 31.5,
        "low": 26,
        "high": 41,
    }
    assert data["image"]["width"] == 320
    assert "embedding" not in json.dumps(data)


@pytest.mark.parametrize(("ending", "form"), [("png", "PNG"), ("jpg", "JPEG"), ("webp", "WEBP")])
def test_the_photograph_is_drawn_on(made: Made, tmp_path, ending: str, form: str) -> None:
    out = tmp_path / f"drawn.{ending}"
    run(made, str(made.ids["full"]), "--out", str(out))
    with Image.open(out) as drawn, Image.open(made.photos["full"]) as original:
        assert drawn.format == form
        assert not drawn.getexif()
        assert drawn.width == 900  # small photographs are enlarged
        plain_one = original.resize((900, 675)).convert("RGB")
        shown = drawn.convert("RGB").crop((0, 0, 900, 675))
        # the dog's box: left edge at 1/12 of the width, half way down, in the first colour
        assert differs(shown, plain_one, (75, 400))
        assert not differs(shown, plain_one, (850, 655))
    assert [p.name for p in tmp_path.iterdir()] == [out.name]


def differs(a: Image.Image, b: Image.Image, at: tuple[int, int]) -> bool:
    left, right = a.getpixel(at), b.getpixel(at)
    return sum(abs(x - y) for x, y in zip(left, right, strict=True)) > 100


def test_drawing_says_when_there_is_nothing_to_draw(made: Made, tmp_path) -> None:
    run(made, str(made.ids["none"]), "--out", str(tmp_path / "drawn.png"))
    with Image.open(tmp_path / "drawn.png") as drawn:
        assert drawn.height > drawn.width * 3 // 4  # the legend


def test_a_photograph_is_never_overwritten(tmp_path) -> None:
    made = made_study(tmp_path)
    for name in ("full", "none"):
        before = Path(made.photos[name]).read_bytes()
        with pytest.raises(UsageError, match="photograph of this study"):
            run(made, str(made.ids["full"]), "--out", made.photos[name])
        assert Path(made.photos[name]).read_bytes() == before
    link = tmp_path / "link.jpg"
    os.link(made.photos["full"], link)
    with pytest.raises(UsageError, match="photograph of this study"):
        run(made, str(made.ids["full"]), "--out", str(link))


def test_a_moved_or_changed_file_is_told(tmp_path) -> None:
    made = made_study(tmp_path)
    Path(made.photos["full"]).rename(tmp_path / "elsewhere.jpg")
    number = str(made.ids["full"])
    assert "the file has moved" in run(made, number).stdout
    with pytest.raises(UsageError, match=r"has moved\. Name the file where it is now"):
        run(made, number, "--out", str(tmp_path / "drawn.png"))
    run(made, str(tmp_path / "elsewhere.jpg"), "--out", str(tmp_path / "drawn.png"))
    assert (tmp_path / "drawn.png").exists()
    Path(made.photos["full"]).write_bytes(b"something else")
    assert "has changed since it was annotated" in run(made, number).stdout


@pytest.mark.parametrize("name", ["drawn.gif", "drawn", "no/such/folder/drawn.png"])
def test_an_impossible_out_is_a_sentence(made: Made, tmp_path, name: str) -> None:
    with pytest.raises(UsageError, match="drawn"):
        run(made, str(made.ids["full"]), "--out", str(tmp_path / name))
