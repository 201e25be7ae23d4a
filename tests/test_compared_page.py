"""`visionhub compare --html`: one page, all numbers in it, nothing live but its own script."""

from __future__ import annotations

import base64
import io
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

from tests.compared import labels, objects
from tests.conftest import jpeg
from tests.made import BAD_NAME, HOSTILE, SCRIPT
from tests.parsed import Page, check_harmless
from tests.photographed import TASKS, PhotoMaker, disagreeing
from visionhub.analysis.compare import Comparison, Part
from visionhub.analysis.estimate import Estimate, not_estimable
from visionhub.analysis.frames import read
from visionhub.analysis.measured import Measured
from visionhub.analysis.part import Apart
from visionhub.analysis.raters import choose, versions
from visionhub.cli.compare import compare as command
from visionhub.errors import UsageError
from visionhub.report.compared import number
from visionhub.report.compared_page import compared_page
from visionhub.report.compared_page.axis import Axis, mark
from visionhub.report.compared_page.forest import forest
from visionhub.report.compared_page.gallery import FIRST, size_of
from visionhub.report.compared_page.matrix import matrix
from visionhub.report.compared_page.ranking import Ranking
from visionhub.report.compared_page.roster import Roster
from visionhub.report.compared_page.sweep import sweeps
from visionhub.report.comparing import compare
from visionhub.report.document import data
from visionhub.schema import Annotation, Box, Face, Label, Object, Task, TextLine, probability
from visionhub.store.study import StudyFile

PHOTOGRAPHS = 30
ALIAS = "<script>harm</script>"
CODEBOOK = 'beast = ["animal", "dog", "cat"]\n"<u>seat</u>" = ["chair", "couch"]\n'


def small(name: str) -> bytes:
    """Bytes of its own for each name, which stand behind the picture."""
    return jpeg(160, 120) + os.fsencode(name)


def hostile() -> dict[Task, Annotation]:
    """Everything that others write, at its worst."""
    boxes = [Box(0.1, at / 20, 0.5, at / 20 + 0.1) for at in range(len(HOSTILE))]
    pairs = list(zip(HOSTILE, boxes, strict=True))
    return {
        Task.LABELS: Annotation(labels=tuple(Label(w, probability(0.9), w) for w in HOSTILE)),
        Task.OBJECTS: Annotation(objects=tuple(Object(w, probability(0.9), b) for w, b in pairs)),
        Task.FACES: Annotation(faces=(Face(probability(0.9), boxes[0]),)),
        Task.TEXT: Annotation(text_lines=tuple(TextLine(w, b, probability(1)) for w, b in pairs)),
    }


class Made(NamedTuple):
    """A comparison, its study and its page."""

    study: Path
    found: Comparison
    text: str
    ids: Mapping[str, int]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("compared")
    names = ("full <b>.jpg", os.fsdecode(BAD_NAME))
    maker = disagreeing(
        folder / "study <i>.db", PHOTOGRAPHS, small, first=dict.fromkeys(names, hostile())
    )
    (folder / "codebook.toml").write_text(CODEBOOK, "utf-8")
    with StudyFile(maker.path) as study:
        raters = ("amber", f"{ALIAS}=birch", "cedar")
        found = compare(study, raters=raters, codebook=folder / "codebook.toml", draws=100)
        compared_page(found, study, folder / "page.html")
    return Made(maker.path, found, (folder / "page.html").read_text("utf-8"), maker.ids)


@pytest.fixture(scope="module")
def page(made: Made) -> Page:
    return Page(made.text)


def blocks(page: Page, kind: str) -> list[Any]:
    return [json.loads(text) for block, text in page.data if block == kind]


def cards(page: Page) -> list[str]:
    return [card for block in blocks(page, "cards") for card in block]


def section(text: str, title: str) -> str:
    """One section of the page, by its heading."""
    return next(part for part in text.split("<section") if f"<h3>{title}</h3>" in part)


def test_the_page_is_whole_and_loads_nothing(page: Page) -> None:
    check_harmless(page)
    policy = next(a["content"] for a in page.all("meta") if "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    assert policy.count("'sha256-") == 2
    kinds = [a.get("type") for a in page.all("script")]
    assert kinds.count(None) == 1
    assert set(kinds) == {None, "application/json"}


def test_every_name_in_the_page_is_there_once(page: Page) -> None:
    names = [a["id"] for _, a in page.elements if a.get("id")]
    assert len(names) == len(set(names))
    for _, attributes in page.elements:
        for name in ("aria-labelledby", "for"):
            for target in (attributes.get(name) or "").split():
                assert target in names
    assert all(a.get("alt") for a in page.all("img"))


def test_what_others_wrote_is_text_only(made: Made, page: Page) -> None:
    assert len(page.all("img")) == FIRST
    assert not page.all("u")
    assert ALIAS in page.text
    assert "study <i>.db" in page.text
    assert "<u>seat</u>" in page.text
    read = made.text + "".join(cards(page))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", read)


def test_photographs_in_the_data_are_as_harmless(page: Page) -> None:
    found = cards(page)
    assert len(found) == PHOTOGRAPHS + 2
    for card in found:
        one = Page(card)
        check_harmless(one)
        assert len(one.all("img")) == 1
        assert not one.all("script")
    worst = Page(next(card for card in found if "full &lt;b&gt;.jpg" in card))
    for word in (SCRIPT, "[bold red]loud[/]", "two lines and more", '"q",;'):
        assert word in worst.text, word
    assert any("caf\\xe9" in Page(card).text for card in found)


def test_data_cannot_end_its_element() -> None:
    text = data("index", ["</script><script>harm()</script>", "<!--<script>", "\u2028"])
    page = Page(text)
    assert [tag for tag, _ in page.elements] == ["script"]
    assert json.loads(page.data[0][1])[0].startswith("</script>")
    assert "<!--" not in text


def test_who_was_compared_and_how_is_told(made: Made, page: Page) -> None:
    for word in (
        "amber", "2026-11-01", "birch 1", "amber words", "How to read this page",
        "Agreement is not being right", "It is never 0", "crosswalk sha256",
        made.found.parts[0].about["crosswalk_sha256"], "codebook sha256",
    ):  # fmt: skip
        assert word in page.text, word


def test_intervals_are_told_as_they_were_made(made: Made, page: Page) -> None:
    rows = [row.estimate for part in made.found.parts for row in part.rows]
    for way in ("percentile bootstrap of units", "delete-one jackknife of units"):
        many = sum(row.low is not None and row.method.startswith(way) for row in rows)
        assert (f"{many:,} by {way}" in page.text) == bool(many)
    assert any(row.low is not None for row in rows)
    assert "100 times" not in page.text
    assert "REHEARSAL" not in page.text


def test_a_rehearsal_is_announced_and_notes_are_told(made: Made, tmp_path: Path) -> None:
    found = Comparison("s.db", rehearsal=True, about=made.found.about, notes=["<b>mind</b>"])
    found.parts = [Part("text", notes=["text: another version"])]
    with StudyFile(made.study) as study:
        compared_page(found, study, tmp_path / "page.html")
    page = Page((tmp_path / "page.html").read_text("utf-8"))
    check_harmless(page)
    for word in ("REHEARSAL", "<b>mind</b>", "text: another version"):
        assert word in page.text
    assert not page.all("img")


def test_the_matrix_has_every_pair_at_every_level(made: Made) -> None:
    part = made.found.parts[0]
    text = section(matrix(part, Roster.of(made.found)), "Who agrees with whom")
    rows = [row for row in part.rows if row.measure == "jaccard"]
    assert {row.level for row in rows} == {"exact", "crosswalk", "codebook"}
    for row in rows:
        found = row.estimate
        span = f"{number(found.low)} to {number(found.high)}"
        assert f'<b>{number(found.value)}</b><span class="ci">{span}</span>' in text
        assert f"n {found.n}" in text
    panel = text.split('class="v v1"')[0]
    assert panel.count("<table") == 3
    assert panel.count("<b>0.") + panel.count("<b>1.") == len(rows)


def measured(a: str, b: str, found: Estimate, measure: str = "jaccard", **more: Any) -> Measured:
    return Measured("labels", measure, (a, b), found, "exact", **more)


def test_what_cannot_be_estimated_says_why_where_it_is_read() -> None:
    part = Part("labels")
    why = "no image <has> answers of both"
    bare = Estimate(0.5, n=3, clusters=2).because("too few for an interval")
    part.rows = [
        measured("a", "b", not_estimable(why)),
        measured("a", "c", bare, lowest=0.25, highest=0.75),
        measured("b", "c", Estimate(0.1, -0.2, 0.3, 9, 9)),
    ]
    page = Page(matrix(part, Roster(("a", "b", "c"))))
    assert page.text.count("not estimable") == 1
    for word in (why, "too few for an interval", "0.25 to 0.75", "n 3, 2 sources"):
        assert word in page.text
    assert page.all("sup")[0]["title"] == why


def test_a_measure_with_two_sides_is_read_along_rows() -> None:
    part = Part("labels")
    part.rows = [
        measured("a", "b", Estimate(0.25, n=1), "shared_of_a"),
        measured("a", "b", Estimate(0.75, n=1), "shared_of_b"),
    ]
    text = matrix(part, Roster(("a", "b")))
    first, second = text.split("<tbody>")[1].split("</tr>")[:2]
    assert ("0.25" in first, "0.75" in first) == (True, False)
    assert ("0.25" in second, "0.75" in second) == (False, True)


def test_each_label_has_its_interval_its_table_and_its_prevalence(made: Made) -> None:
    part = made.found.parts[0]
    text = section(made.text, "Label by label")
    groups = text.split("<details")[1:]
    pairs = {(row["a"], row["b"], row["level"]) for row in part.tables["cells"]}
    assert len(groups) == len(pairs) == 6
    first = next(row for row in part.tables["cells"] if row["level"] == "crosswalk")
    line = next(row for row in groups[0].split("<tr") if f">{first['thing']}</th>" in row)
    for name in ("both", "only_a", "only_b", "neither", "unknown"):
        assert f">{first[name]:,}</td>" in line
    assert f"{100 * first['prevalence_a']:.1f} %" in line
    kappa = next(
        row.estimate for row in part.rows
        if row.measure == "cohen_kappa" and row.thing == first["thing"]
    )  # fmt: skip
    assert f"<b>{number(kappa.value)}</b>" in line
    assert line.count('class="dot"') == 5  # the measures that can be chosen


def test_a_reason_of_many_rows_is_told_once_below_them() -> None:
    why = "too few of these photographs for an interval of any use"
    rows = [measured("a", "b", not_estimable(why), thing=f"thing {at}") for at in range(9)]
    part = Part("text", rows=rows)
    text = forest(part, Roster(("a", "b")))
    assert text.count(f"</sup> {why}</li>") == 1
    assert text.count(f"<small>{why}") == 0
    assert text.count(f'<sup title="{why}">1</sup>') == 9
    assert '<th scope="col" data-sort="text">what is seen</th>' in text


def test_the_sweep_is_drawn_and_told(made: Made) -> None:
    text = sweeps(made.found.parts[0], Roster.of(made.found))
    page = Page(text)
    assert page.open == []
    drawings = page.all("svg", role="img")
    assert len(drawings) == 6
    assert len(page.all("title")) >= 6
    assert len(page.all("desc")) == 6
    rows = made.found.parts[0].tables["sweep"]
    assert text.count("<tr>") == len(rows) + 6
    cut = next(row for row in rows if row["threshold_a"] is not None and row["point"] > 1)
    assert f">{cut['threshold_a']:.3g}</text>" in text
    assert len(page.all("path", class_="band inner")) == 6


def test_an_outer_band_shows_what_censoring_leaves_open() -> None:
    row = {
        "level": "exact", "a": "a", "b": "b", "labels_an_image_a": 2.0, "labels_an_image_b": 2.0,
        "threshold_a": 0.5, "threshold_b": 60.0, "jaccard": 0.5, "low": 0.4, "high": 0.6,
        "lowest": 0.25, "highest": 0.75, "n": 9, "reason": "",
    }  # fmt: skip
    rows = [{**row, "point": at, "labels_an_image_a": 4.0 - at} for at in range(4)]
    rows[3] |= {"low": None, "high": None, "reason": "2 units: no interval"}
    part = Part("labels", tables={"sweep": rows})
    page = Page(sweeps(part, Roster(("a", "b"))))
    assert len(page.all("path", class_="band outer")) == 1
    assert len(page.all("circle", class_="dot few")) == 1
    assert "2 units: no interval" in page.text
    assert "if all were reported" in page.text


def test_the_mass_of_each_tier_is_drawn_to_scale(made: Made) -> None:
    text = section(made.text, "What could be compared at all")
    page = Page(f"<div>{text[text.index('>') + 1 :].rsplit('</section>', 1)[0]}</div>")
    bars = text.split('<svg class="stack"')[1:]
    assert len(bars) == 6
    for bar in bars:
        drawing = bar.split("</svg>")[0]
        widths = re.findall(r'<rect class="t-\w+" x="[\d.]+" width="([\d.]+)"', drawing)
        assert sum(map(float, widths)) == pytest.approx(600, abs=0.5)
    left = made.found.parts[0].tables["unmapped"]
    assert left
    for row in left[:5]:
        assert row["label"].split("<")[0][:10].strip() in page.text


def test_three_raters_are_left_out_one_by_one_and_two_are_not(made: Made, tmp_path: Path) -> None:
    text = section(made.text, "Without each rater in turn")
    first = text.split("<details")[0]
    assert first.count("without <span") == 9  # three raters at three levels
    assert "Label by label, without each rater in turn" in made.text
    assert "Who departs from the others" in made.text
    with StudyFile(made.study) as study:
        found = compare(study, raters=("amber", "cedar"), draws=100, tasks=("labels",))
        compared_page(found, study, tmp_path / "page.html", gallery=0)
    two = (tmp_path / "page.html").read_text("utf-8")
    assert "in turn" not in two
    assert "<img" not in two
    check_harmless(Page(two))


# Photographs


def test_those_come_first_on_which_raters_are_most_apart(made: Made, page: Page) -> None:
    ranking = Ranking.of_most(made.found, 1000)
    by_image: dict[int, list[float]] = {}
    for part in made.found.parts:
        for image in made.ids.values():
            values = [float(one.distance[one.images.tolist().index(image)]) for one in part.apart]
            by_image.setdefault(image, []).append(sum(values) / len(values))
    overall = {image: sum(means) / len(means) for image, means in by_image.items()}
    order = sorted(overall, key=lambda image: (-overall[image], image))
    assert ranking.overall.tolist() == pytest.approx([overall[i] for i in order])
    assert [round(overall[i], 9) for i in ranking.images.tolist()] == [
        round(overall[i], 9) for i in order
    ]
    shown = [int(re.search(r"id='p(\d+)'", card)[1]) for card in cards(page)]
    assert shown == ranking.images.tolist()
    assert f"apart {number(ranking.overall[0])}" in cards(page)[0]


def apart(task: str, distances: Mapping[int, float], raters: tuple[str, str] = ("a", "b")) -> Apart:
    images = np.array(sorted(distances), dtype=np.int64)
    return Apart(raters, task, images, np.array([distances[i] for i in images.tolist()]))


def test_each_task_has_its_share_of_few_photographs() -> None:
    found = Comparison("s", rehearsal=False)
    first = Part("labels", apart=[apart("labels", {1: 0.9, 2: 0.8, 3: 0.7, 4: 0.0})])
    second = Part("faces", apart=[apart("faces", {4: 1.0, 5: 0.2})])
    found.parts = [first, second]
    ranking = Ranking.of_most(found, 2)
    assert sorted(ranking.images.tolist()) == [1, 4]
    assert ranking.of == 5
    assert ranking.distances.tolist() == [[0.9, pytest.approx(np.nan, nan_ok=True)], [0.0, 1.0]]
    assert Ranking.of_most(found, 0).images.tolist() == []
    assert Ranking.of_most(Comparison("s", rehearsal=False), 9).of == 0


def test_a_card_shows_the_version_that_was_compared(tmp_path: Path) -> None:
    maker = PhotoMaker(tmp_path / "study.db", small)
    for day, word in (("01", "older"), ("02", "newer")):
        maker.answered(
            "amber", Task.LABELS, {"a.jpg": labels(word, "dog")}, revision=word,
            received_at=f"2026-11-{day}T00:00:00Z",
        )  # fmt: skip
    maker.answered("birch", Task.LABELS, {"a.jpg": labels("dog", "cat")})
    for revision, other in (("older", "newer"), ("newer", "older")):
        with StudyFile(maker.path) as study:
            found = compare(study, raters=(f"amber@{revision}", "birch"), draws=100)
            compared_page(found, study, tmp_path / "page.html", show_faces=True)
        (card,) = cards(Page((tmp_path / "page.html").read_text("utf-8")))
        assert f">{revision} <" in card
        assert other not in card


def test_answers_of_some_images_are_those_of_all(made: Made) -> None:
    some = sorted(made.ids.values())[3:20:2]
    with StudyFile(made.study) as study:
        for task, table in ((Task.LABELS, "labels"), (Task.TEXT, "text_lines")):
            name = "name" if task is Task.LABELS else "text"
            for rater in choose(versions(study, task)).raters:
                all_ = read(study, rater, table, numbers=("score",), words=(name,))
                all_ = all_.only(np.array(some))
                few = read(study, rater, table, numbers=("score",), words=(name,), some=some)
                assert few.images.tolist() == some
                assert few.at.tolist() == all_.at.tolist()
                assert few.numbers["score"].tolist() == all_.numbers["score"].tolist()
                words = [[one.texts[name][n] for n in one.words[name]] for one in (few, all_)]
                assert words[0] == words[1] != []


def marks_of(card: str) -> dict[tuple[str, str], str]:
    """What a card marks each word with, by rater's place and word."""
    found = {}
    for column in card.split("<div data-r='")[1:]:
        for state, word in re.findall(
            r"<li class='(\w*)'(?: [^>]*)?>(?:<i>\w+</i> )?([^<]+)", column
        ):
            found[column[0], word.strip()] = state
    return found


def test_words_and_boxes_are_marked_by_who_shares_them(tmp_path: Path) -> None:
    maker = PhotoMaker(tmp_path / "study.db", small)
    said = {
        "amber": (labels("Dog", "Table", "Zyx"), objects(("dog", (0, 0, 0.5, 0.5), 0.9))),
        "birch": (
            labels("dog", "animal"),
            objects(("cat", (0, 0, 0.5, 0.55), 0.9), ("dog", (0.6, 0.6, 1, 1), 0.9)),
        ),
    }
    for rater, (words, boxes) in said.items():
        other = labels("table", "dog")  # so that both have a word for it
        maker.answered(rater, Task.LABELS, {"a.jpg": words, "b.jpg": other})
        maker.answered(rater, Task.OBJECTS, {"a.jpg": boxes})
    with StudyFile(maker.path) as study:
        found = compare(study, draws=100)
        compared_page(found, study, tmp_path / "page.html", show_faces=True)
    card = next(c for c in cards(Page((tmp_path / "page.html").read_text("utf-8"))) if "a.jpg" in c)
    whole, placed = card.split("data-t='objects' data-a")
    assert marks_of(whole) == {
        ("0", "Dog"): "all",
        ("0", "Table"): "one",
        ("0", "Zyx"): "none",
        ("1", "dog"): "all",
        ("1", "animal"): "all",  # amber says something narrower
    }
    assert marks_of(placed) == {("0", "dog"): "all", ("1", "cat"): "all", ("1", "dog"): "one"}


def test_a_broader_word_is_no_contradiction(tmp_path: Path) -> None:
    maker = PhotoMaker(tmp_path / "study.db", small)
    maker.answered("amber", Task.LABELS, {"a.jpg": labels("dog"), "b.jpg": labels("animal")})
    maker.answered("birch", Task.LABELS, {"a.jpg": labels("animal"), "b.jpg": labels("dog")})
    with StudyFile(maker.path) as study:
        found = compare(study, draws=100)
        compared_page(found, study, tmp_path / "page.html", show_faces=True)
    marks = [marks_of(card) for card in cards(Page((tmp_path / "page.html").read_text("utf-8")))]
    assert {("0", "dog"): "wide", ("1", "animal"): "all"} in marks


def spread(picture: Image.Image, box: tuple[int, int, int, int]) -> int:
    low, high = picture.convert("L").crop(box).getextrema()
    return int(high - low)


def noisy(_: str) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((200, 200), 120).convert("RGB").save(out, "PNG")
    return out.getvalue()


def pictures(text: str) -> list[Image.Image]:
    found = re.findall(r"data:image/jpeg;base64,([^'\"]+)", "".join(cards(Page(text))))
    return [Image.open(io.BytesIO(base64.b64decode(one))) for one in found]


def face(*box: float) -> Annotation:
    return Annotation(faces=(Face(probability(0.9), Box(*box)),))


def test_faces_of_the_version_compared_are_blurred_too(tmp_path: Path) -> None:
    maker = PhotoMaker(tmp_path / "study.db", noisy)
    first, second = face(0.1, 0.1, 0.3, 0.3), face(0.6, 0.6, 0.8, 0.8)
    maker.answered("amber", Task.FACES, {"a.png": first}, revision="older")
    maker.answered("amber", Task.FACES, {"a.png": second}, revision="newer")
    maker.answered("birch", Task.FACES, {"a.png": second})
    with StudyFile(maker.path) as study:
        found = compare(study, raters=("amber@older", "birch"), draws=100)
        counts = compared_page(found, study, tmp_path / "page.html")
        (small_,) = pictures((tmp_path / "page.html").read_text("utf-8"))
        compared_page(found, study, tmp_path / "page.html", show_faces=True)
    (shown,) = pictures((tmp_path / "page.html").read_text("utf-8"))
    assert counts.unsearched == 0
    for box in ((24, 24, 56, 56), (124, 124, 156, 156)):
        assert spread(small_, box) < 60
        assert spread(shown, box) > 150
    assert spread(small_, (80, 80, 110, 110)) > 150


def test_what_nobody_searched_is_blurred_as_a_whole_and_told(tmp_path: Path) -> None:
    maker = PhotoMaker(tmp_path / "study.db", noisy)
    for rater in ("amber", "birch"):
        maker.answered(rater, Task.LABELS, {"a.png": labels("dog")})
    app = typer.Typer()
    app.command()(command)
    out = tmp_path / "page.html"
    asked = [str(maker.path), "--draws", "100", "--html", str(out), "--json"]
    result = CliRunner().invoke(app, asked, catch_exceptions=False)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["tasks"][0]["task"] == "labels"
    assert "1 of 1 photograph." in result.stderr
    assert "1 were not searched for faces" in result.stderr
    (small_,) = pictures(out.read_text("utf-8"))
    assert spread(small_, (0, 0, 200, 200)) < 100
    assert "blurred: not searched for faces" in out.read_text("utf-8")
    result = CliRunner().invoke(app, [*asked, "--show-faces"])
    assert "not searched" not in result.stderr
    assert "Faces are shown" in out.read_text("utf-8")


def test_a_photograph_that_moved_has_a_card_that_says_so(tmp_path: Path) -> None:
    maker = PhotoMaker(tmp_path / "study.db", small)
    for rater in ("amber", "birch"):
        maker.answered(rater, Task.LABELS, {"a.jpg": labels("dog"), "b.jpg": labels("cat")})
    maker.file("a.jpg").unlink()
    maker.file("b.jpg").write_bytes(jpeg(64, 64, 3))
    with StudyFile(maker.path) as study:
        counts = compared_page(compare(study, draws=100), study, tmp_path / "page.html")
    text = "".join(cards(Page((tmp_path / "page.html").read_text("utf-8"))))
    assert counts.without_picture == 2
    assert "the file has moved" in text
    assert "has changed since it was annotated" in text


def test_pictures_shrink_as_they_become_many() -> None:
    sizes = [size_of(many) for many in (1, 500, 501, 2500, 2501, 1_000_000)]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 3
    assert sizes[0][0] == 480


def test_codes_by_people_stand_beside_the_providers(tmp_path: Path) -> None:
    maker = disagreeing(tmp_path / "study.db", 6, small, raters=("amber",), tasks=TASKS[:2])
    lines = ["image,label,coder,x_min,y_min,x_max,y_max"]
    lines += [f"photo {n:05}.jpg,dog,Ann <b>,,,," for n in range(6)]
    lines += [f"photo {n:05}.jpg,cat,Ann <b>,0.1,0.1,0.5,0.5" for n in range(6)]
    (tmp_path / "codes.csv").write_text("\n".join(lines) + "\n", "utf-8")
    with StudyFile(maker.path) as study:
        found = compare(study, codes=(str(tmp_path / "codes.csv"),), draws=100)
        compared_page(found, study, tmp_path / "page.html")
    page = Page((tmp_path / "page.html").read_text("utf-8"))
    check_harmless(page)
    assert "codes by a person" in page.text
    for card in cards(page):
        assert "Ann &lt;b&gt;" in card
        assert "data-t='objects' data-r='1'" in card  # the coder's boxes are drawn


def test_more_raters_than_can_be_told_apart_have_no_photographs(made: Made, tmp_path: Path) -> None:
    found = Comparison("s.db", rehearsal=False, about=made.found.about)
    names = [f"coder {n}" for n in range(17)]
    for some in (names, names[:16]):
        rows = [measured(some[0], other, Estimate(0.5, n=1)) for other in some[1:]]
        pair = apart("labels", dict.fromkeys(made.ids.values(), 0.5), (some[0], some[1]))
        other = apart("safe_search", {}, (some[0], some[1]))
        found.parts = [Part("labels", rows=rows, apart=[pair]), Part("safe_search", apart=[other])]
        with StudyFile(made.study) as study:
            counts = compared_page(found, study, tmp_path / "page.html")
        text = (tmp_path / "page.html").read_text("utf-8")
        assert ("more than 16 raters" in text) == (counts.photographs == 0) == (len(some) == 17)


def test_letters_go_on_after_the_alphabet() -> None:
    roster = Roster(tuple(str(n) for n in range(60)))
    letters = [roster.letter(name) for name in roster.names]
    assert (letters[0], letters[25], letters[26], letters[59]) == ("A", "Z", "A2", "H3")
    assert len(set(letters)) == 60


@pytest.mark.parametrize("name", ["page.txt", "no/page.html", "study.html"])
def test_what_cannot_be_is_a_sentence(made: Made, tmp_path: Path, name: str) -> None:
    out = tmp_path / name
    if name == "study.html":
        StudyFile(out, write=True).close()
    before = out.read_bytes() if out.exists() else None
    with StudyFile(made.study) as study, pytest.raises(UsageError, match=r"\.html|Cannot write"):
        compared_page(made.found, study, out)
    assert (out.read_bytes() if out.exists() else None) == before


def test_a_wrong_name_is_told_before_anything_is_compared(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(command)
    out = tmp_path / "page.txt"
    result = CliRunner().invoke(app, [str(tmp_path / "no.db"), "--html", str(out)])
    assert isinstance(result.exception, UsageError)
    assert "end it in .html" in str(result.exception)


# Drawings


@given(st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=5))
def test_an_axis_holds_all_that_is_drawn_on_it(values: list[float]) -> None:
    axis = Axis.of([measured("a", "b", Estimate(value, n=1)) for value in values])
    assert axis.low <= min(values)
    assert axis.high >= max(values)
    assert axis.low <= 0 <= axis.high
    assert 2 <= len(axis.ticks) <= 12
    places = [axis.x(tick) for tick in axis.ticks]
    assert places == sorted(places)
    assert axis.start <= places[0] <= places[-1] <= axis.end + 1e-6


def test_a_row_is_drawn_as_it_is() -> None:
    axis = Axis(0, 1, 0, 100)
    whole = measured("a", "b", Estimate(0.5, 0.25, 0.75, 9, 9), lowest=0.1, highest=0.9)
    text = mark(whole, axis)
    assert 'd="M25 10H75"' in text
    assert 'd="M10 10H90' in text
    assert 'cx="50"' in text
    assert mark(measured("a", "b", not_estimable("why")), axis) == ""
