"""The contact sheet in a real browser: it renders, it filters, nothing hostile comes alive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browsers import opened
from tests.made import made_study
from visionhub.report.contact import contact_sheet
from visionhub.store.study import StudyFile

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    made = made_study(folder)
    with StudyFile(made.path) as study:
        contact_sheet(study, folder / "sheet.html")
    return folder / "sheet.html"


@pytest.fixture
def page(browser: Any, sheet: Path) -> Iterator[Any]:
    with opened(browser, sheet) as view:
        yield view


def visible(page: Any) -> list[str]:
    return [name.strip() for name in page.locator(".card:visible h2").all_inner_texts()]


def test_every_photograph_renders(page: Any) -> None:
    assert page.locator(".card").count() == 5
    width = "i => (i.loading = 'eager', i.decode().then(() => i.naturalWidth))"
    assert page.evaluate(f"Promise.all([...document.images].map({width}))") == [320, 320, 320, 320]
    assert page.locator("#count").inner_text() == "5 of 5 photographs"
    frame, boxes = page.locator(".frame img").first, page.locator(".frame svg").first
    assert frame.bounding_box() == boxes.bounding_box()  # boxes lie on the picture


def test_words_filter(page: Any) -> None:
    page.get_by_label("Words").fill("Golden RETRIEVER")
    assert visible(page) == ["full <b>.jpg"]
    assert page.locator("#count").inner_text() == "1 of 5 photographs"
    assert page.locator(".hit").count() == 1
    page.get_by_label("Words").fill("dog")
    assert visible(page) == ["full <b>.jpg", "below.jpg"]
    page.get_by_label("Words").fill("dog none.jpg")
    assert page.get_by_text("No photograph matches").is_visible()
    page.get_by_label("Words").fill("")
    assert len(visible(page)) == 5


def test_a_hit_that_is_folded_away_is_unfolded(page: Any) -> None:
    hidden = page.locator("section[data-task=labels] li", has_text="@here")
    assert not hidden.is_visible()
    page.get_by_label("Words").fill("@here")
    assert hidden.is_visible()


def test_task_filter(page: Any) -> None:
    task = page.get_by_label("Found by task")
    task.select_option("objects")
    assert visible(page) == ["full <b>.jpg", "below.jpg"]
    assert page.locator("section[data-task=labels]:visible").count() == 0
    assert page.locator("g[data-task=faces]:visible").count() == 0
    page.get_by_label("Words").fill("golden")  # a label, not an object
    assert visible(page) == []
    page.get_by_label("Words").fill("")
    task.select_option("problems")
    assert visible(page) == ["below.jpg", "broken.jpg"]


def test_boxes_can_be_taken_off(page: Any) -> None:
    assert page.locator(".frame svg").first.is_visible()
    page.get_by_label("boxes").uncheck()
    assert not page.locator(".frame svg").first.is_visible()


def test_it_works_by_keyboard(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(2):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "words"
    page.keyboard.type("tabby")
    assert len(visible(page)) == 1


def test_hostile_text_is_not_live(page: Any) -> None:
    assert page.evaluate("window.harm") is None
    assert page.locator("script").count() == 1
    assert page.get_by_text("<script>window.harm=1</script>").count() >= 2


def test_nothing_typed_comes_alive_or_leaves(page: Any) -> None:
    page.get_by_label("Words").fill("<img src=x onerror=window.harm=1>")
    page.get_by_label("Words").press("Enter")
    assert page.evaluate("window.harm") is None
    assert page.url.endswith("sheet.html")


@pytest.mark.parametrize("width", [360, 1920])
def test_it_fits_every_width(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_is_read_without_javascript(browser: Any, sheet: Path) -> None:
    view = browser.new_page(java_script_enabled=False)
    view.goto(sheet.as_uri())
    assert view.locator(".card:visible").count() == 5
    assert not view.locator(".filter").is_visible()
    view.close()
