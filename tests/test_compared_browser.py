"""The page of a comparison in a real browser: choices, tables, photographs, and nothing alive."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browsers import opened
from tests.conftest import jpeg
from tests.made import SCRIPT
from tests.photographed import disagreeing
from tests.test_compared_page import hostile
from visionhub.report.compared_page import compared_page
from visionhub.report.comparing import compare
from visionhub.store.study import StudyFile

PHOTOGRAPHS = 59
WORST = "full <b>.jpg"

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compared")
    maker = disagreeing(
        folder / "study.db",
        PHOTOGRAPHS,
        lambda name: jpeg(160, 120) + os.fsencode(name),
        first={WORST: hostile()},
    )
    with StudyFile(maker.path) as study:
        compared_page(compare(study, draws=100), study, folder / "page.html")
    return folder / "page.html"


@pytest.fixture
def page(browser: Any, report: Path) -> Iterator[Any]:
    with opened(browser, report) as view:
        yield view


def names(page: Any) -> list[str]:
    return page.locator(".photo:visible h3").all_inner_texts()


def seen(page: Any, selector: str) -> int:
    """How many elements can be seen."""
    count = "s => [...document.querySelectorAll(s)].filter((one) => one.checkVisibility()).length"
    return int(page.evaluate(count, selector))


def distances(page: Any, task: str) -> list[float]:
    texts = page.locator(f".photo section[data-t={task}] .apart").all_inner_texts()
    return [float(re.match(r"apart ([\d.]+)", text)[1]) for text in texts]


def test_the_page_renders(page: Any) -> None:
    assert page.locator(".photo").count() == 24
    width = "i => i.decode().then(() => i.naturalWidth)"
    widths = page.evaluate(f"Promise.all([...document.images].map({width}))")
    assert widths == [160] * 24
    assert page.locator("#count").inner_text() == "60 of 60 photographs"
    assert page.locator("#place").inner_text() == "page 1 of 3"
    frame, boxes = page.locator(".frame img").first, page.locator(".frame svg").first
    assert frame.bounding_box() == boxes.bounding_box()
    sizes = (
        "[...document.querySelectorAll('svg.row, .chart')].filter((one) => one.checkVisibility())"
    )
    sizes += ".map((one) => one.getBoundingClientRect()).map((one) => one.width * one.height)"
    assert min(page.evaluate(sizes)) > 0


def test_one_measure_is_seen_at_a_time(page: Any) -> None:
    choice = page.locator(".choices", has_text="Gwet").first
    table = page.locator(".forest", has_text="neither").first
    assert table.get_by_text("Cohen\u2019s kappa").is_visible()
    dots = seen(page, ".listing .dot")
    choice.get_by_label("Gwet\u2019s AC1").check()
    assert not table.get_by_text("Cohen\u2019s kappa").is_visible()
    assert table.get_by_text("Gwet\u2019s AC1").is_visible()
    assert seen(page, ".listing .dot") == dots > 0
    page.keyboard.press("ArrowLeft")
    assert table.get_by_text("Cohen\u2019s kappa").is_visible()
    matrix = page.locator(".pick", has=page.locator("h3", has_text="Who agrees")).first
    assert matrix.locator("table:visible").count() == 2
    matrix.get_by_label("share of the row\u2019s labels that the column has").check()
    assert matrix.locator("p:visible", has_text="Read along a row").count() == 1


def test_rows_are_found_paged_and_sorted(page: Any) -> None:
    box = page.locator(".listing").first
    rows = box.locator("tbody tr:visible")
    assert rows.count() == 25
    assert box.locator("output").inner_text().startswith("1 to 25 of ")
    first = rows.first.inner_text()
    box.get_by_role("button", name="Next").click()
    assert rows.first.inner_text() != first
    assert box.locator("output").inner_text().startswith("26 to ")
    box.get_by_label("Find label").fill("DOG")
    assert rows.first.locator("th").inner_text() == "dog"
    box.get_by_label("Find label").fill("no such label")
    assert rows.count() == 0
    assert box.locator("output").inner_text() == "0 to 0 of 0"
    box.get_by_label("Find label").fill("")
    box.get_by_role("button", name="both", exact=True).click()
    values = [
        int(text) for text in box.locator("tbody tr:visible td:nth-of-type(7)").all_inner_texts()
    ]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) > 1
    box.get_by_role("button", name="label", exact=True).click()
    words = rows.locator("th").all_inner_texts()
    assert words == sorted(words)


def test_words_filter_photographs(page: Any) -> None:
    page.get_by_role("searchbox", name="Words").fill("POLICE")
    found = page.locator("#count").inner_text()
    assert 0 < int(found.split()[0]) < PHOTOGRAPHS
    for card in page.locator(".photo").all():
        assert "police" in card.inner_text().lower()
        assert card.locator(".hit").count() > 0
    page.get_by_role("searchbox", name="Words").fill(
        "police photo"
    )  # a word that was read, and a file name
    assert page.locator("#count").inner_text() == found
    page.get_by_role("searchbox", name="Words").fill("photo 00007")
    assert names(page) == ["photo 00007.jpg"]
    page.get_by_role("searchbox", name="Words").fill("nobody says this")
    assert page.get_by_text("No photograph matches").is_visible()
    page.get_by_role("searchbox", name="Words").fill("")
    assert page.locator("#count").inner_text() == "60 of 60 photographs"
    assert page.locator(".hit").count() == 0


def test_who_says_it_filters_photographs(page: Any) -> None:
    page.get_by_label("Task").select_option("labels")
    page.get_by_role("searchbox", name="Words").fill("dog")
    counts = {}
    for who in ("", "all", "one", "0", "1", "2"):
        page.locator("#who").select_option(who)
        counts[who] = int(page.locator("#count").inner_text().split()[0])
        for card in page.locator(".photo").all():
            marks = card.locator("[data-t=labels] li.hit").all()
            states = [mark.get_attribute("class").split()[0] for mark in marks]
            assert not who or ("all" if who == "all" else "one") in states
    assert 0 < counts["all"] < counts[""]
    assert counts["one"] == counts["0"] + counts["1"] + counts["2"] < counts[""]


def test_a_task_orders_photographs_and_hides_the_others(page: Any) -> None:
    page.get_by_label("Task").select_option("objects")
    found = distances(page, "objects")
    assert len(found) == 24
    assert found == sorted(found, reverse=True)
    assert page.locator("section[data-t=labels]:visible").count() == 0
    assert page.locator(".frame g[data-t=faces]:visible").count() == 0
    assert page.locator(".frame g[data-t=objects]:visible").count() > 0
    page.get_by_label("Task").select_option("text")
    assert page.locator(".frame g[data-t=text]:visible").count() > 0
    page.get_by_label("Task").select_option("")
    assert page.locator(".frame g[data-t=text]:visible").count() == 0


def test_a_pair_hides_the_third_and_marks_anew(page: Any) -> None:
    some = "section[data-t=labels] li.some"
    assert page.locator(some).count() > 0
    page.get_by_label("Task").select_option("labels")
    page.get_by_label("Raters").select_option("0 2")
    assert page.locator(".cols > [data-r='1']:visible").count() == 0
    assert page.locator(".frame g[data-r='1']:visible").count() == 0
    assert page.locator(f"{some}:visible").count() == 0  # of two, all or one says it
    pairs = page.locator(".photo section[data-t=labels] .apart small").all_inner_texts()
    found = [float(re.search(r"A\s~\sC\s([\d.]+)", text)[1]) for text in pairs]
    assert found == sorted(found, reverse=True)


def test_pages_turn(page: Any) -> None:
    before, after = page.locator("#before"), page.locator("#after")
    assert before.is_disabled()
    seen = names(page)
    for _ in range(2):
        after.click()
        seen += names(page)
    assert len(seen) == len(set(seen)) == 60
    assert page.locator("#place").inner_text() == "page 3 of 3"
    assert after.is_disabled()
    under = page.locator(".frame path.under").count()
    assert under == page.locator(".frame path:not(.under)").count() > 0
    before.click()
    before.click()
    assert names(page) == seen[:24]


def test_boxes_can_be_taken_off_and_a_picture_made_large(page: Any) -> None:
    assert page.locator(".frame svg").first.is_visible()
    page.get_by_role("checkbox", name="boxes").uncheck()
    assert not page.locator(".frame svg").first.is_visible()
    frame = page.locator(".frame").first
    small = frame.bounding_box()["width"]
    page.get_by_label("large").first.check()
    assert frame.bounding_box()["width"] > 1.5 * small


def test_it_works_by_keyboard(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator("#words").focus()
    page.keyboard.type("police")
    for element in ("who", "task", "pair", "boxes"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == element
    page.locator("#words").fill("")
    page.locator("#after").focus()
    page.keyboard.press("Enter")
    assert page.locator("#place").inner_text() == "page 2 of 3"


def test_hostile_text_is_not_live(page: Any) -> None:
    page.get_by_role("searchbox", name="Words").fill("full <b>")
    assert names(page) == [WORST]
    for folded in page.locator(".photo details summary").all():
        folded.click()
    assert page.get_by_text(SCRIPT).first.is_visible()
    assert page.evaluate("window.harm") is None
    assert page.locator(".photo script, .photo b b, .photo a").count() == 0
    page.get_by_role("searchbox", name="Words").fill(SCRIPT)
    page.get_by_role("searchbox", name="Words").press("Enter")
    assert page.evaluate("window.harm") is None
    assert page.url.endswith("page.html")


@pytest.mark.parametrize("width", [360, 1920])
def test_it_fits_every_width(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#after").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_goes_on_beyond_the_edge_says_so_until_its_end_is_seen(page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    box = page.locator("div.wide.on").first
    box.wait_for()
    assert "linear-gradient" in box.evaluate("one => getComputedStyle(one).maskImage")
    told = box.locator("xpath=preceding-sibling::p[1]")
    assert told.inner_text() == "Scroll sideways for more \u2192"
    box.evaluate("one => { one.classList.add('mine'); one.scrollLeft = 99999; }")
    page.wait_for_function("!document.querySelector('.mine').classList.contains('on')")
    page.set_viewport_size({"width": 1920, "height": 800})
    page.wait_for_function("document.querySelector('.mine').previousElementSibling.hidden")
    assert page.locator("li code").first.evaluate("o => getComputedStyle(o).whiteSpace") == "nowrap"


def test_raters_and_marks_are_told_apart_without_colour(page: Any) -> None:
    dashes = (
        "getComputedStyle(document.querySelector('.frame g.r{} path:not(.under)')).strokeDasharray"
    )
    assert len({page.evaluate(dashes.format(rater)) for rater in range(3)}) == 3
    glyph = "getComputedStyle(document.querySelector('.marks .{}'), '::before').content"
    kinds = ("all", "some", "wide", "one", "none")
    assert len({page.evaluate(glyph.format(kind)) for kind in kinds}) == 5


CONTRAST = """
() => {
  const parse = (text) => {
    const numbers = text.match(/[\\d.]+/g).map(Number).slice(0, 3);
    return text.startsWith('color(') ? numbers : numbers.map((one) => one / 255);
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const cell = document.querySelector('.matrix tbody td');
  return [...Array(11).keys()].map((step) => {
    cell.className = 'q' + step;
    const style = getComputedStyle(cell);
    const [ink, paper] = [light(parse(style.color)), light(parse(style.backgroundColor))];
    return [(Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05), paper];
  });
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_shades_are_legible_and_in_order_in_both_schemes(
    browser: Any, report: Path, scheme: str
) -> None:
    with opened(browser, report, color_scheme=scheme) as view:
        found = view.evaluate(CONTRAST)
    assert min(contrast for contrast, _ in found) >= 4.5  # WCAG 2, 1.4.3
    papers = [paper for _, paper in found]
    assert papers == sorted(papers, reverse=scheme == "light")
    assert len(set(papers)) == 11


def test_it_is_read_without_javascript(browser: Any, report: Path) -> None:
    view = browser.new_page(java_script_enabled=False)
    view.goto(report.as_uri())
    assert view.locator(".photo:visible").count() == 24
    assert view.locator(".frame path.under").count() > 0
    assert view.locator("form:visible").count() == 0
    assert view.locator(".listing").first.locator("tbody tr:visible").count() > 25
    table = view.locator(".forest", has_text="neither").first
    assert seen(view, ".listing .dot") > 25
    view.locator(".choices", has_text="Gwet").first.get_by_label("Gwet\u2019s AC1").check()
    assert table.get_by_text("Gwet\u2019s AC1").is_visible()
    assert not table.get_by_text("Cohen\u2019s kappa").is_visible()
    view.close()


def test_it_prints_without_its_tools(page: Any) -> None:
    page.emulate_media(media="print")
    for tool in ("#filter", ".choices", ".tools", "nav"):
        assert page.locator(f"{tool}:visible").count() == 0
    assert page.locator(".matrix:visible").count() > 0
