"""Studies for tests of comparison: images by name, and what each provider is made to say."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from visionhub.images import Limits
from visionhub.provider import Body, TaskSpec
from visionhub.schema import Annotation, Box, Label, Object, Scale, Score, Status, Task
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
