"""`visionhub contact-sheet`: one HTML page with every photograph and what was seen in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from visionhub.errors import UnreadableImage, UsageError
from visionhub.report.answers import answers
from visionhub.report.card import Card, card_html
from visionhub.report.files import whole
from visionhub.report.find import FIRST_PATH, load_images, photograph
from visionhub.report.page import Sheet, page_end, page_start
from visionhub.report.thumbnail import Privacy, thumbnail
from visionhub.store.study import StudyFile

BATCH = 50  # images whose answers are in memory at once
SORTS = {
    "added": "i.id",
    "path": f"{FIRST_PATH}, i.id",
    "taken": "i.taken_at IS NULL, i.taken_at, i.id",
    "results": "(SELECT sum(results) FROM status s WHERE s.image_id = i.id) DESC, i.id",
    "problems": "i.problem IS NULL, i.id",
}
_FILES = "SELECT path, problem FROM paths WHERE problem IS NOT NULL ORDER BY id LIMIT 200"


@dataclass
class SheetCounts:
    """What was put on a page; `unsearched` photographs are blurred as a whole."""

    photographs: int = 0
    of: int = 0
    without_picture: int = 0
    unsearched: int = 0


def contact_sheet(
    study: StudyFile, out: Path, *, limit: int = 200, sort: str = "added", show_faces: bool = False
) -> SheetCounts:
    """Write a self-contained page of at most `limit` images to `out`.

    It loads nothing: pictures are inside it, small and without metadata. Memory is bounded by one
    batch of images. Raises UsageError for a wrong sort or limit and when `out` cannot be written.
    """
    if sort not in SORTS:
        raise UsageError(f"--sort {sort}: choose one of {', '.join(SORTS)}.")
    if limit < 1:
        raise UsageError(f"--limit {limit}: at least 1.")
    if out.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--out {str(out)!r}: end it in .html.")
    chosen = f"SELECT id FROM images i ORDER BY {SORTS[sort]} LIMIT ?"
    ids = [row[0] for row in study.query(chosen, (limit,)).rows]
    total = int(study.query("SELECT count(*) FROM images").rows[0][0])
    counts = SheetCounts(len(ids), total)
    sheet = Sheet.of(study, ids, total, sort, show_faces=show_faces)
    with whole(out) as file:
        file.write(page_start(sheet).encode())
        for card in _cards(study, ids, counts, show_faces=show_faces):
            file.write(card_html(card, sheet).encode())
        file.write(page_end(study.query(_FILES).rows).encode())
    return counts


def _cards(
    study: StudyFile, ids: list[int], counts: SheetCounts, *, show_faces: bool
) -> Iterator[Card]:
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        found = answers(study, batch)
        for image in load_images(study, batch):
            card = Card(image, found[image.id])
            file = photograph(image)
            try:
                if file.data and not image.facts["problem"]:
                    card.picture = thumbnail(file.data, card.answers, show_faces=show_faces)
                else:
                    card.problem = str(image.facts["problem_detail"] or "") or file.problem
            except UnreadableImage as error:
                card.problem = str(error)
            counts.without_picture += card.picture is None
            unsearched = card.picture is not None and card.picture.privacy is Privacy.WHOLE
            counts.unsearched += unsearched
            yield card
