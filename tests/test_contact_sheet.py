"""`visionhub contact-sheet`: one page, nothing live in it but its own script, faces blurred."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from tests.conftest import jpeg
from tests.made import Made, made_study
from tests.parsed import Page, check_harmless
from visionhub.cli.contact_sheet import contact_sheet as command
from visionhub.engine.rehearsal import MARK
from visionhub.errors import UsageError
from visionhub.report.answers import Item, Shown
from visionhub.report.contact import contact_sheet
from visionhub.report.thumbnail import Privacy, privacy_of, thumbnail
from visionhub.store.study import StudyFile


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made_study(tmp_path_factory.mktemp("sheet"))


@pytest.fixture(scope="module")
def text(made: Made, tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("page") / "sheet.html"
    with StudyFile(made.path) as study:
        contact_sheet(study, out)
    return out.read_text("utf-8")


def test_the_page_is_whole_and_loads_nothing(text: str) -> None:
    page = Page(text)
    check_harmless(page)
    policy = next(a["content"] for t, a in page.elements if t == "meta" and "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy


def test_what_others_wrote_is_text_only(text: str) -> None:
    tags = [tag for tag, _ in Page(text).elements]
    assert tags.count("script") == 1
    assert tags.count("img") == 4  # one a readable photograph; none out of a label
    assert "&lt;script&gt;window.harm=1&lt;/script&gt;" in text
    assert "full &lt;b&gt;.jpg" in text
    assert "too small &lt;i&gt;" in text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


def test_every_photograph_is_there_with_its_answers(text: str) -> None:
    page = Page(text)
    cards = [a for t, a in page.elements if t == "article"]
    assert len(cards) == 5
    assert all(a.get("alt") for t, a in page.elements if t == "img")
    for word in (
        "golden retriever", "96.2 %", "VERY_UNLIKELY", "looked, and found none", "truncated",
        "the file ends early", "censored, which is not", "the service was down", "made@labels",
        "age about 32 (26 to 41)", "Files that could not be read", "/no/access.jpg",
        "Faces are blurred", "own</b>, on the scale named beside each",
    ):  # fmt: skip
        assert word in text, word


def test_guesses_about_people_are_announced_where_they_are(made: Made, text: str, tmp_path) -> None:
    note = "Guessed from appearance, by weak models: age, gender. Of no use for one person"
    assert text.index(note) < text.index("<article")
    with StudyFile(made.path) as study:
        contact_sheet(study, tmp_path / "sheet.html", limit=1, sort="path")  # no face on it
    assert note not in (tmp_path / "sheet.html").read_text("utf-8")


def test_a_rehearsal_says_so_in_a_box(text: str, tmp_path) -> None:
    with StudyFile(made_study(tmp_path).path, write=True) as study:
        with study.transaction() as sql:
            sql.execute("INSERT INTO marks VALUES (?, '')", (MARK,))
        contact_sheet(study, tmp_path / "page.html")
    box = '<p class="warning" role="note"><strong>REHEARSAL.'
    assert box in (tmp_path / "page.html").read_text("utf-8")
    assert box not in text


def test_pictures_are_small_and_without_metadata(text: str) -> None:
    pictures = re.findall(r"data:image/jpeg;base64,([^\"]+)", text)
    assert len(pictures) == 4
    for data in pictures:
        with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
            assert max(picture.size) <= 480
            assert not picture.getexif()


def noisy(side: int = 200) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((side, side), 120).convert("RGB").save(out, "PNG")
    return out.getvalue()


def spread(picture: Image.Image, box: tuple[int, int, int, int]) -> int:
    low, high = picture.convert("L").crop(box).getextrema()
    return int(high - low)


def faces(status: str = "observed", *boxes: tuple[float, float, float, float]) -> Shown:
    return Shown("p", "faces", status, items=tuple(Item(1, "face", box=box) for box in boxes))


def test_faces_are_blurred_and_the_rest_is_not() -> None:
    found = faces("observed", (0.2, 0.2, 0.5, 0.6), (0.9, 0.9, 1.0, 1.0))
    small = thumbnail(noisy(), [found], show_faces=False)
    assert small.privacy is Privacy.BLURRED
    with Image.open(io.BytesIO(small.jpeg)) as picture:
        assert spread(picture, (40, 40, 100, 120)) < 60
        assert spread(picture, (182, 182, 199, 199)) < 60
        assert spread(picture, (120, 20, 180, 100)) > 150
    shown = thumbnail(noisy(), [found], show_faces=True)
    with Image.open(io.BytesIO(shown.jpeg)) as picture:
        assert spread(picture, (40, 40, 100, 120)) > 150


@pytest.mark.parametrize(
    ("answers", "what"),
    [
        ([], Privacy.WHOLE),
        ([faces("error")], Privacy.WHOLE),
        ([faces("truncated", (0, 0, 1, 1))], Privacy.WHOLE),
        ([faces("not_requested"), faces("observed")], Privacy.NONE_FOUND),
        ([faces("below_floor")], Privacy.NONE_FOUND),
        ([faces("error"), faces("observed", (0, 0, 1, 1))], Privacy.BLURRED),
    ],
)
def test_what_nobody_searched_is_blurred_as_a_whole(answers: list[Shown], what: Privacy) -> None:
    assert privacy_of(answers)[0] is what
    small = thumbnail(noisy(), answers, show_faces=False)
    with Image.open(io.BytesIO(small.jpeg)) as picture:
        assert (spread(picture, (0, 0, 200, 200)) < 100) == (what is not Privacy.NONE_FOUND)


def test_orders_and_limit(made: Made, tmp_path) -> None:
    out = tmp_path / "sheet.html"
    firsts = {}
    with StudyFile(made.path) as study:
        for sort in ("added", "path", "taken", "results", "problems"):
            counts = contact_sheet(study, out, limit=1, sort=sort)
            assert (counts.photographs, counts.of) == (1, 5)
            firsts[sort] = re.search(r'<h2 id="i(\d+)"', out.read_text("utf-8"))[1]
    assert firsts["added"] == firsts["results"] == str(made.ids["full"])
    assert firsts["path"] == str(made.ids["below"])
    assert firsts["problems"] == str(made.ids["broken"])


def test_a_photograph_that_moved_has_a_card_that_says_so(tmp_path) -> None:
    made = made_study(tmp_path)
    Path(made.photos["full"]).unlink()
    Path(made.photos["below"]).write_bytes(jpeg(64, 64, 3))
    with StudyFile(made.path) as study:
        counts = contact_sheet(study, tmp_path / "sheet.html")
    text = (tmp_path / "sheet.html").read_text("utf-8")
    assert counts.without_picture == 3
    assert "the file has moved" in text
    assert "has changed since it was annotated" in text
    assert "golden retriever" in text


@pytest.mark.parametrize(
    "wrong", [{"sort": "size"}, {"limit": 0}, {"out": "sheet.txt"}, {"out": "no/sheet.html"}]
)
def test_what_cannot_be_is_a_sentence(made: Made, tmp_path, wrong: dict) -> None:
    out = tmp_path / wrong.pop("out", "sheet.html")
    with StudyFile(made.path) as study, pytest.raises(UsageError):
        contact_sheet(study, out, **wrong)
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_was_not_searched(made: Made, tmp_path) -> None:
    app = typer.Typer()
    app.command()(command)
    out = tmp_path / "sheet.html"
    result = CliRunner().invoke(app, [str(made.path), "--out", str(out)], catch_exceptions=False)
    assert result.exit_code == 0
    assert "5 of 5 photographs" in result.stdout
    assert "2 photographs not searched for faces" in result.stderr
    result = CliRunner().invoke(app, [str(made.path), "--out", str(out), "--show-faces"])
    assert "Faces are shown" in out.read_text("utf-8")
    assert "not searched" not in result.stderr
