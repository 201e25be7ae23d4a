"""The photographs on which raters are most apart: the first page as it is seen, all others as data.

Photographs lie in the page as JSON, in blocks that a script reads when it shows them: a browser
keeps ten thousand of them as text, and draws twenty-four.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from visionhub.analysis.compare import Comparison
from visionhub.errors import UnreadableImage
from visionhub.report.answers import Shown
from visionhub.report.compared_page.photo import Look, Photo, photo_html
from visionhub.report.compared_page.ranking import Ranking, shown_parts
from visionhub.report.compared_page.roster import Roster
from visionhub.report.compared_page.said import Listener, faces_of
from visionhub.report.compared_page.told import Heard
from visionhub.report.compared_page.words import Index
from visionhub.report.document import data
from visionhub.report.find import load_images, photograph
from visionhub.report.plain import counted
from visionhub.report.thumbnail import Privacy, thumbnail
from visionhub.store.study import StudyFile

BATCH = 50  # photographs in memory at once, and in one block of the page
FIRST = 24  # photographs of a page of the gallery
SIZES = ((500, 480, 80), (2500, 320, 70))  # up to so many pictures: longest side, quality
LEAST = (184, 48)  # of more: ten thousand make a page of less than 100 MB


@dataclass
class PageCounts:
    """What was put on a page; `unsearched` photographs are blurred as a whole."""

    photographs: int = 0
    of: int = 0
    without_picture: int = 0
    unsearched: int = 0

    def said(self, out: Path) -> str:
        """What was written, in a sentence or two."""
        text = f"{out}: {self.photographs:,} of {counted(self.of, 'photograph')}."
        if self.unsearched:
            text += (
                f" {self.unsearched:,} were not searched for faces and are blurred as a whole: "
                "annotate them with -t faces, or use --show-faces."
            )
        return text


def size_of(photographs: int) -> tuple[int, int]:
    """Pixels of the longest side, and quality of the JPEG, of so many pictures."""
    sizes = ((side, quality) for most, side, quality in SIZES if photographs <= most)
    return next(sizes, LEAST)


@dataclass
class Gallery:
    """Makes the photographs of a page, batch by batch."""

    study: StudyFile
    found: Comparison
    roster: Roster
    ranking: Ranking
    show_faces: bool
    counts: PageCounts = field(default_factory=PageCounts)

    def __post_init__(self) -> None:
        self.parts = shown_parts(self.found)
        self.counts.photographs, self.counts.of = len(self.ranking.images), self.ranking.of
        self._side, self._quality = size_of(self.counts.photographs)

    def html(self) -> Iterator[str]:
        """The first page of photographs, and then the data of all."""
        index = Index(self.roster, [part.task for part in self.parts])
        for start in range(0, max(self.counts.photographs, 1), BATCH):
            photos = self._batch(start)
            cards = [photo_html(photo, Look(self.roster)) for photo in photos]
            if not start:
                first = (
                    photo_html(photo, Look(self.roster, whole=True)) for photo in photos[:FIRST]
                )
                yield f'<div class="gallery" id="cards">{"".join(first)}</div>\n'
                yield data("views", self._views())
            distances = self.ranking.distances[start : start + len(photos)]
            yield data("index", index.block(photos, distances))
            yield data("cards", cards)

    def _views(self) -> dict[str, object]:
        """What the script has to know about columns of distances, tasks and raters."""
        return {
            "page": FIRST,
            "batch": BATCH,
            "raters": len(self.roster.names),
            "tasks": [part.task for part in self.parts],
            "columns": [
                [
                    [part.task for part in self.parts].index(task),
                    *(self.roster.place(name) for name in one.raters),
                ]
                for task, one in zip(self.ranking.tasks, self.ranking.columns, strict=True)
            ],
        }

    def _batch(self, start: int) -> list[Photo]:
        """Photographs in the order of the ranking."""
        chosen = self.ranking.images[start : start + BATCH].tolist()
        ascending = sorted(chosen)
        listener = Listener(self.study, self.found)
        heard = [Heard.of(listener, part, ascending, self.roster) for part in self.parts]
        searched = listener.searched(ascending)
        photos = []
        for at, image in enumerate(load_images(self.study, chosen), start):
            tasks = [one.task(image.id) for one in heard]
            photos.append(Photo(image, float(self.ranking.overall[at]), tasks, self._apart(at)))
            for one in (one for one in heard if one.part.task == "faces"):
                for rater, answers in zip(one.part.raters, one.answers, strict=True):
                    searched[image.id] += faces_of(rater.name, answers, image.id)
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._pictured, photos, [searched[one.image.id] for one in photos]))
        return self._counted(photos)

    def _apart(self, at: int) -> dict[str, list[tuple[str, float]]]:
        """For each task its pairs, by letters, and how far apart they are about one photograph."""
        found: dict[str, list[tuple[str, float]]] = {}
        row = zip(self.ranking.tasks, self.ranking.columns, self.ranking.distances[at], strict=True)
        for task, one, distance in row:
            if not np.isnan(distance):
                name = self.roster.short(one.raters)
                found.setdefault(task, []).append((name, float(distance)))
        return found

    def _pictured(self, photo: Photo, looked: Sequence[Shown]) -> None:
        """Give it its picture, or the reason why it has none."""
        file = photograph(photo.image)
        try:
            if file.data and not photo.image.facts["problem"]:
                photo.picture = thumbnail(
                    file.data,
                    looked,
                    show_faces=self.show_faces,
                    side=self._side,
                    quality=self._quality,
                )
            else:
                photo.problem = str(photo.image.facts["problem_detail"] or "") or file.problem
        except UnreadableImage as error:
            photo.problem = str(error)

    def _counted(self, photos: list[Photo]) -> list[Photo]:
        for photo in photos:
            self.counts.without_picture += photo.picture is None
            whole = photo.picture is not None and photo.picture.privacy is Privacy.WHOLE
            self.counts.unsearched += whole
        return photos
