"""Studies of photographs that are there, about which three raters say different things."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.compared import Maker
from visionhub.images import Limits, sha256_of
from visionhub.schema import (
    Annotation,
    Attribute,
    Box,
    Face,
    Label,
    Object,
    Task,
    TextLine,
    probability,
)
from visionhub.store.items import PathRow, RenderingRow, limits_key
from visionhub.store.record import Recorder
from visionhub.store.study import StudyFile

_NAMES = """
person animal dog cat bird horse cow sheep plant tree flower grass sky cloud water sea beach hill
snow road street building house window door chair table couch bed lamp car bus truck train bicycle
motorcycle boat airplane food fruit apple banana bread cake pizza bottle cup bowl fork knife book
newspaper computer telephone keyboard ball shoe hat dress shirt
"""
WORDS = tuple(_NAMES.split())
_SIGNS = "stop exit open closed sale free no parking street north police taxi hotel bar"
READ = tuple(_SIGNS.split())
RATERS = ("amber", "birch", "cedar")


class PhotoMaker(Maker):
    """Writes a study, and beside it the files of its images. photo: makes a file's bytes."""

    def __init__(self, path: Path, photo: Callable[[str], bytes]) -> None:
        super().__init__(path)
        self._photo = photo

    def file(self, name: str) -> Path:
        """Where an image's file is."""
        return self.path.parent / name

    def _images(
        self,
        study: StudyFile,
        recorder: Recorder,
        names: Mapping[str, object],
        size: tuple[int, int],
    ) -> None:
        new = [name for name in names if name not in self.ids]
        hashes = {}
        for name in new:
            data = self._photo(name)
            self.file(name).write_bytes(data)
            hashes[name] = sha256_of(data)
        recorder.new_images([(sha, 1) for sha in hashes.values()])
        known = dict(study.connection.execute("SELECT sha256, id FROM images"))
        for name in new:
            self.ids[name] = known[hashes[name]]
            row = RenderingRow(hashes[name], "image/jpeg", 1, *size, ())
            self._renderings[self.ids[name]] = recorder.rendering(
                self.ids[name], limits_key(Limits()), row
            )
        recorder.paths([PathRow(name, None, self.ids[name], None) for name in new])


@dataclass
class Scene:
    """What is in one photograph, and what a rater makes of it."""

    random: Random

    def __post_init__(self) -> None:
        self.words = self.random.sample(WORDS, self.random.randint(3, 9))
        self.boxes = [(word, self._box(0.15, 0.5)) for word in self.words[:3]]
        self.faces = [self._box(0.1, 0.25) for _ in range(self.random.choice((0, 0, 1, 2)))]
        self.text = self.random.sample(READ, self.random.choice((0, 0, 3, 6)))

    def _box(self, least: float, most: float) -> tuple[float, float, float, float]:
        across, down = (self.random.uniform(least, most) for _ in range(2))
        x, y = self.random.uniform(0, 1 - across), self.random.uniform(0, 1 - down)
        return x, y, x + across, y + down

    def _kept(self, share: float) -> bool:
        return self.random.random() < share

    def _moved(self, box: Sequence[float]) -> Box:
        by = [self.random.gauss(0, 0.015) for _ in range(4)]
        x, y, right, bottom = (
            min(max(side + move, 0), 1) for side, move in zip(box, by, strict=True)
        )
        return Box(min(x, right), min(y, bottom), max(x, right), max(y, bottom))

    def told(self, task: Task) -> Annotation:
        """One rater's answer."""
        if task is Task.LABELS:
            said = [word for word in self.words if self._kept(0.7)]
            said += self.random.sample(WORDS, self.random.randint(0, 3))
            scores = sorted((self.random.uniform(0.5, 1) for _ in said), reverse=True)
            found = dict(zip(dict.fromkeys(said), scores, strict=False))
            return Annotation(labels=tuple(Label(w, probability(s)) for w, s in found.items()))
        if task is Task.OBJECTS:
            kept = [(word, self._moved(box)) for word, box in self.boxes if self._kept(0.75)]
            kept += [(self.random.choice(WORDS), Box(*self._box(0.1, 0.3)))] * self._kept(0.3)
            return Annotation(
                objects=tuple(Object(word, probability(0.8), box) for word, box in kept)
            )
        if task is Task.FACES:
            smile = Attribute("smile", word=self.random.choice(("yes", "no")))
            faces = [self._moved(box) for box in self.faces if self._kept(0.8)]
            return Annotation(
                faces=tuple(Face(probability(0.9), box, attributes=(smile,)) for box in faces)
            )
        read = [word for word in self.text if self._kept(0.85)]
        lines = (TextLine(" ".join(read), Box(0.1, 0.8, 0.9, 0.9), probability(0.9)),)
        return Annotation(text_lines=lines if read else ())


TASKS = (Task.LABELS, Task.OBJECTS, Task.FACES, Task.TEXT)


def disagreeing(
    path: Path,
    images: int,
    photo: Callable[[str], bytes],
    *,
    raters: Sequence[str] = RATERS,
    tasks: Sequence[Task] = TASKS,
    first: Mapping[str, Mapping[Task, Annotation]] | None = None,
) -> PhotoMaker:
    """A study of so many photographs by three raters; the same each time.

    first: of images by name what every rater says of them, besides.
    """
    maker = PhotoMaker(path, photo)
    extra = dict(first or {})
    for at, rater in enumerate(raters):
        for task in tasks:
            said = {name: told[task] for name, told in extra.items() if task in told}
            for number in range(images):
                scene = Scene(Random(number))
                scene.random = Random(f"{number} {rater} {task}")
                said[f"photo {number:05}.jpg"] = scene.told(task)
            maker.answered(
                rater, task, said, vocabulary=f"{rater} words", floor=0.5,
                received_at=f"2026-11-0{at + 1}T00:00:00Z", model_version=f"{rater} 1",
            )  # fmt: skip
    return maker
