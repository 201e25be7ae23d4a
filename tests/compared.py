"""Studies for tests of comparison: images by name, and what each provider is made to say."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from visionhub.images import Limits
from visionhub.provider import Body, TaskSpec
from visionhub.schema import (
    Annotation,
    Attribute,
    Box,
    Face,
    Label,
    Object,
    SafeSearch,
    Scale,
    Score,
    Status,
    Task,
    TextLine,
)
from visionhub.store.items import Answer, PackedBody, PathRow, Question, RenderingRow, limits_key
from visionhub.store.record import Recorder
from visionhub.store.study import StudyFile


class Maker:
    """Writes a study by hand. Images are made as they are first named."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ids: dict[str, int] = {}
        self._renderings: dict[int, int] = {}

    def answered(
        self,
        provider: str,
        task: Task,
        said: Mapping[str, Annotation],
        *,
        scale: Scale = Scale.PROBABILITY,
        vocabulary: str = "",
        floor: float | None = None,
        max_results: int | None = None,
        revision: str = "1",
        parameters: str = "{}",
        model_version: str | None = None,
        size: tuple[int, int] = (1000, 1000),
        received_at: str = "2026-11-01T00:00:00Z",
    ) -> None:
        """One provider's annotations of images by name."""
        spec = TaskSpec(scale, vocabulary, floor=floor, max_results=max_results)
        question = Question(provider, task, revision, parameters, spec)
        with StudyFile(self.path, write=True) as study:
            recorder = Recorder.start(study, "0", {})
            with study.transaction():
                self._images(study, recorder, said, size)
                number = recorder.question(question)
                answers = [
                    Answer(
                        self.ids[name],
                        number,
                        question,
                        found,
                        PackedBody.pack(Body(b"{}", model_version=model_version), received_at),
                    )
                    for name, found in said.items()
                ]
                recorder.answers(answers, self._renderings)

    def _images(
        self,
        study: StudyFile,
        recorder: Recorder,
        names: Mapping[str, object],
        size: tuple[int, int],
    ) -> None:
        new = [name for name in names if name not in self.ids]
        hashes = {name: hashlib.sha256(name.encode()).hexdigest() for name in new}
        recorder.new_images([(sha, 1) for sha in hashes.values()])
        known = dict(study.connection.execute("SELECT sha256, id FROM images"))
        for name in new:
            self.ids[name] = known[hashes[name]]
            row = RenderingRow(hashes[name], "image/jpeg", 1, *size, ())
            self._renderings[self.ids[name]] = recorder.rendering(
                self.ids[name], limits_key(Limits()), row
            )
            study.connection.execute(
                "UPDATE images SET width = ?, height = ? WHERE id = ?", (*size, self.ids[name])
            )
        recorder.paths([PathRow(name, None, self.ids[name], None) for name in new])


def labels(*found: tuple[str, float] | str, cut: bool = False, percent: bool = False) -> Annotation:
    """Labels with scores, best first; a bare name has .9 (or 90 %)."""
    scale, usual = (Scale.PERCENT, 90.0) if percent else (Scale.PROBABILITY, 0.9)
    pairs = [(one, usual) if isinstance(one, str) else one for one in found]
    made = tuple(Label(name, Score(scale, score)) for name, score in pairs)
    return Annotation(Status.TRUNCATED if cut else Status.OBSERVED, labels=made)


def objects(*found: tuple[str, Sequence[float], float]) -> Annotation:
    """Things with a name, a box and a score."""
    return Annotation(
        objects=tuple(
            Object(name, Score(Scale.PROBABILITY, score), Box(*box)) for name, box, score in found
        )
    )


def faces(*found: tuple[Sequence[float], Mapping[str, object]]) -> Annotation:
    """Faces with a box each, and what is said of them.

    roll, yaw, pitch: degrees. emotion: {word: score}. age: a number, or (low, high). Others: a
    word, a Score, a number, or (word, Score).
    """
    return Annotation(faces=tuple(_face(box, dict(said)) for box, said in found))


def _face(box: Sequence[float], said: dict[str, Any]) -> Face:
    pose = {name: said.pop(name, None) for name in ("roll", "yaw", "pitch")}
    rows = [one for name, given in said.items() for one in _attributes(name, given)]
    return Face(Score(Scale.PROBABILITY, 0.9), Box(*box), attributes=tuple(rows), **pose)


def _attributes(name: str, given: Any) -> list[Attribute]:
    if isinstance(given, Mapping):
        return [Attribute(name, word, score=one) for word, one in given.items()]
    if isinstance(given, Score):
        return [Attribute(name, score=given)]
    if isinstance(given, str):
        return [Attribute(name, word=given)]
    if isinstance(given, tuple) and isinstance(given[0], str):
        return [Attribute(name, word=given[0], score=given[1])]
    if isinstance(given, tuple):
        return [Attribute(name, low=given[0], high=given[1])]
    return [Attribute(name, number=given)]


def percent(value: float) -> Score:
    """A score in per cent."""
    return Score(Scale.PERCENT, value)


def likely(word: str) -> Score:
    """A likelihood."""
    return Score(Scale.LIKELIHOOD, word=word)


def text(*lines: str, level: str = "line", cut: bool = False) -> Annotation:
    """Lines of text, one below the other; cut: whether there was no room for more."""
    high = 1 / max(len(lines), 1)
    return Annotation(
        Status.TRUNCATED if cut else Status.OBSERVED,
        text_lines=tuple(
            TextLine(line, Box(0, at * high, 1, (at + 1) * high), level=level)
            for at, line in enumerate(lines)
        ),
    )


def safe(**found: Score) -> Annotation:
    """Categories of unsafe content with their scores; _ stands for a blank."""
    return Annotation(
        safe_search=tuple(
            SafeSearch(name.replace("_", " "), score) for name, score in found.items()
        )
    )


def coded(path: Path, *rows: Sequence[object], columns: str = "image,label,coder,value") -> str:
    """A table of codes; its path."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns.split(","), *rows])
    return str(path)
