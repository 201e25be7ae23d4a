"""The page of a comparison with ten thousand photographs, in Chromium: `make bench-page`.

Photographs are those of ../shared/images over and over, each copy with bytes of its own behind the
picture, so that each is decoded; three raters say different things about labels, objects, faces and
text (tests/photographed.py). Told: seconds to compare and to write, the writer's memory, the file's
size, and in the browser: when the first photographs are seen and can be searched, what the script
holds, and how long a search and a turned page take.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.truth import shared_folder
from tests import browsers
from tests.photographed import disagreeing
from visionhub.report.compared_page import compared_page
from visionhub.report.comparing import compare
from visionhub.store.study import StudyFile

PHOTOGRAPHS = 10_000
DRAWS = 200
MEGA = 1e6
# When the first photograph is in the page, when it has been painted, and when it can be searched.
WATCH = """
window.seen = {};
const look = () => {
  const now = performance.now();
  if (document.querySelector('.photo img')?.complete) window.seen.first ??= now;
  if (document.getElementById('count')?.textContent) window.seen.ready ??= now;
  if (!window.seen.ready) requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
TIMED = """
async () => {
  const began = performance.now();
  STEPS;
  const pictures = [...document.querySelectorAll('.photo img')];
  await Promise.all(pictures.map((one) => one.decode()));
  return performance.now() - began;
}
"""
SEARCH = (
    "const w = document.getElementById('words'); w.value = 'dog'; "
    "w.dispatchEvent(new Event('input'))"
)
TASK = (
    "const t = document.getElementById('task'); t.value = 'objects'; "
    "t.dispatchEvent(new Event('input'))"
)
TURN = "document.getElementById('after').click()"


def pool() -> list[bytes]:
    """Real photographs, of usual sizes."""
    found = [path.read_bytes() for path in sorted(shared_folder().glob("*/images/*.jpg"))]
    if not found:
        sys.exit(f"no photographs below {shared_folder()}")
    return found


def written(folder: Path, photographs: int) -> tuple[Path, dict[str, float]]:
    """The page, and what it took to make it."""
    pictures = pool()
    numbers = itertools.count()

    def photo(_: str) -> bytes:
        number = next(numbers)
        return pictures[number % len(pictures)] + f"{number:08}".encode()

    maker = disagreeing(folder / "study.db", photographs, photo)
    out = folder / "page.html"
    with StudyFile(maker.path) as study:
        began = time.perf_counter()
        found = compare(study, draws=DRAWS)
        compared = time.perf_counter()
        before = peak()
        counts = compared_page(found, study, out, gallery=photographs)
        ended = time.perf_counter()
    if counts.without_picture or counts.photographs != photographs:
        sys.exit(f"not every photograph is on the page: {counts}")
    return out, {
        "photographs": photographs,
        "seconds to compare": compared - began,
        "seconds to write the page": ended - compared,
        "memory that writing added, MB": peak() - before,
        "size of the page, MB": out.stat().st_size / MEGA,
    }


def peak() -> float:
    """The most memory that this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEGA


def looked_at(out: Path) -> dict[str, float]:
    """The page in Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=browsers.program(),
            args=["--no-sandbox", "--enable-precise-memory-info"],
        )
        view = browser.new_page(viewport={"width": 1440, "height": 900})
        view.add_init_script(WATCH)
        view.goto(out.as_uri(), wait_until="commit", timeout=120_000)
        view.wait_for_function("() => window.seen.ready", timeout=120_000)
        seen = view.evaluate("window.seen")
        paint = view.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        heap = heap_of(view)
        spent = [
            view.evaluate(TIMED.replace("STEPS", steps)) for steps in (TURN, SEARCH, TASK, TURN)
        ]
        later = heap_of(view)
        browser.close()
    return {
        "seconds until anything is painted": paint / 1000,
        "seconds until the first photographs are seen": seen["first"] / 1000,
        "seconds until they can be searched": seen["ready"] / 1000,
        "heap of the script, MB": heap,
        "heap after searching and turning, MB": later,
        "seconds to turn a page": spent[0] / 1000,
        "seconds to search for a word": spent[1] / 1000,
        "seconds to choose a task": spent[2] / 1000,
        "seconds to turn a page of that": spent[3] / 1000,
    }


def heap_of(view: Any) -> float:
    """What the page's script holds after its garbage is collected."""
    session = view.context.new_cdp_session(view)
    session.send("HeapProfiler.collectGarbage")
    return float(session.send("Runtime.getHeapUsage")["usedSize"]) / MEGA


def main() -> None:
    """Print the figures, or with --json write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=int, default=PHOTOGRAPHS)
    parser.add_argument("--keep", type=Path, help="keep the page here")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out, figures = written(Path(folder), given.photographs)
        if given.keep:
            given.keep.write_bytes(out.read_bytes())
        figures |= looked_at(out) if browsers.program() else {}
    if given.json:
        print(json.dumps(figures))
    for name, value in figures.items() if not given.json else ():
        print(f"{name:48} {value:10.2f}")


if __name__ == "__main__":
    main()
