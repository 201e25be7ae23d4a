"""The two sides of each comparison: what visionhub does, and the least that could do it."""

from __future__ import annotations

import hashlib
import sqlite3
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

import visionhub
from visionhub import demo
from visionhub.engine.plan import Ask, plan
from visionhub.provider import TaskSpec
from visionhub.schema import Annotation, Label, Scale, Task, probability
from visionhub.store.items import Answer, PackedBody, Question, RenderingRow
from visionhub.store.record import Recorder
from visionhub.store.study import StudyFile

COPIES = 20  # of each photograph, for the second run: each with other bytes
ANSWERS = 4000
LABELS = 5  # an answer


def photographs(folder: Path, count: int, scratch: Path) -> list[Path]:
    """Up to `count` real JPEG photographs; of the demonstration where the folder is absent."""
    found = sorted(folder.glob("*.jpg"))[:count]
    if found:
        return found
    made = []
    for number, path in enumerate(demo.photographs(scratch / "demo", print) * 15):
        with Image.open(path) as image:
            target = scratch / f"{number:03}.jpg"
            image.convert("RGB").rotate(number % 7).save(target, quality=92)
        made.append(target)
    return made[:count]


def has_torch() -> bool:
    return find_spec("torchvision") is not None


class Labels:
    """Labels of photographs: through the product, and bare."""

    def __init__(self, photos: list[Path], scratch: Path) -> None:
        self.photos, self.scratch, self.round = photos, scratch, 0
        self.asked = plan(Ask(tasks=("labels",)), print)
        self.copies = scratch / "copies"
        self.copies.mkdir()
        for photo in photos:
            data = photo.read_bytes()
            for number in range(COPIES):  # bytes after the end of a JPEG change only its hash
                (self.copies / f"{photo.stem}-{number}.jpg").write_bytes(data + bytes([number]))
        self.answered = visionhub.Study(scratch / "answered.db")
        self.answered.annotate(self.copies, tasks=["labels"])

    def product(self) -> None:
        """A new study: read, hash, decode, infer, parse, store."""
        self.round += 1
        study = visionhub.Study(self.scratch / f"labels-{self.round}.db")
        study.annotate(self.photos, tasks=["labels"])

    def bare_litert(self) -> None:
        """The model's own recipe in a loop, nothing stored."""
        from visionhub_embedded.labels import Labels as Model

        options = {"model": "efficientnet-lite0", "min_score": 0.01}
        model = Model()
        for photo in self.photos:
            with Image.open(photo) as image:
                model.predict(image.convert("RGB"), options)

    def again(self) -> None:
        """A run over images that are all answered."""
        progress = self.answered.annotate(self.copies, tasks=["labels"])
        assert progress.done == 0

    def read_and_hash(self) -> None:
        for path in self.copies.iterdir():
            hashlib.sha256(path.read_bytes()).hexdigest()


class TorchLoop:
    """What a tutorial does: torchvision's MobileNetV2, one image at a time, one thread."""

    def __init__(self, photos: list[Path]) -> None:
        import torch
        from torchvision import models, transforms

        torch.set_num_threads(1)
        self.photos, self.torch = photos, torch
        self.model = models.mobilenet_v2().eval()  # speed does not depend on the weights
        self.transform = transforms.Compose(
            [
                transforms.Resize(256, transforms.InterpolationMode.BICUBIC),
                transforms.CenterCrop(224),
                transforms.ToTensor(),
                transforms.Normalize([0.5] * 3, [0.5] * 3),
            ]
        )

    def run(self) -> None:
        with self.torch.inference_mode():
            for photo in self.photos:
                with Image.open(photo) as image:
                    picture = self.transform(image.convert("RGB"))
                self.model(picture[None]).softmax(1)


class StoredRows:
    """Writing answers: as a run does it, and as bare executemany of the very same rows."""

    def __init__(self, scratch: Path) -> None:
        self.scratch, self.round = scratch, 0
        self.product()
        self.rows: dict[str, list[tuple[object, ...]]] = {}
        with StudyFile(self.path) as study:
            self.schema = study.query(
                "SELECT sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL"
            ).column("sql")
            for table in ("images", "renderings", "bodies", "requests", "labels", "status"):
                self.rows[table] = study.query(f"SELECT * FROM {table}").rows
        self.count = sum(map(len, self.rows.values()))

    def product(self) -> None:
        self.round += 1
        self.path = self.scratch / f"rows-{self.round}.db"
        question = Question("toy", Task.LABELS, "1", "{}", TaskSpec(Scale.PROBABILITY))
        with StudyFile(self.path, write=True) as study:
            recorder = Recorder.start(study, "bench", {})
            for start in range(0, ANSWERS, 500):
                with study.transaction():
                    self._store(recorder, question, range(start + 1, start + 501))

    def _store(self, recorder: Recorder, question: Question, ids: range) -> None:
        question_id = recorder.question(question)
        recorder.new_images((f"{number:064x}", 1000) for number in ids)
        renderings, answers = {}, []
        for number in ids:
            row = RenderingRow(f"{number:064x}", "image/jpeg", 1000, 100, 100, ())
            renderings[number] = recorder.rendering(number, "all", row)
            labels = tuple(Label(f"label {k}", probability(0.5)) for k in range(LABELS))
            body = PackedBody(f"{number:064x}", 300, bytes(300), "application/json", None, "now")
            answers.append(Answer(number, question_id, question, Annotation(labels=labels), body))
        recorder.answers(answers, renderings)

    def bare(self) -> None:
        self.round += 1
        connection = sqlite3.connect(self.scratch / f"bare-{self.round}.db")
        connection.execute("PRAGMA synchronous = FULL")
        for statement in self.schema:
            if "sqlite_sequence" not in statement:
                connection.execute(statement)
        for table, rows in self.rows.items():
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        connection.commit()
        connection.close()
