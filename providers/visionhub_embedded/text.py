"""Text: lines that can be read in the picture, with PP-OCR through rapidocr."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from visionhub import archives
from visionhub.provider import Parameter, Request, TaskSpec, Value
from visionhub.schema import Annotation, Box, Scale, Task, TextLine, probability
from visionhub.weights import ModelCard
from visionhub_embedded import cards
from visionhub_embedded.base import (
    Answer,
    TaskModel,
    floored,
    items,
    number,
    package,
    strangers,
    text,
)

if TYPE_CHECKING:
    from PIL.Image import Image

FLOOR = 0.5
LONGEST = 8  # times the shorter side: rapidocr fails on longer strips, or takes minutes
SAME_ROW = 0.5  # of the lower line's height: centres nearer than this share a row


class Text(TaskModel):
    """Lines with their outline, in reading order: row by row, each from the left."""

    task = Task.TEXT
    cards = (cards.PP_OCR,)
    requires = ("numpy", "onnxruntime", "rapidocr")
    recipe = 2
    at_once = 4  # about 1.3 GB each
    spec = TaskSpec(
        scale=Scale.PROBABILITY,
        vocabulary="open",
        floor=FLOOR,
        parameters={"min_score": Parameter(FLOOR, "lowest score that is reported")},
    )

    def __init__(self) -> None:
        self._engine: Any = None

    @classmethod
    def revision(cls, options: Mapping[str, Value]) -> str:
        """Add rapidocr's version, because its own code prepares and decodes."""
        return f"{super().revision(options)}/rapidocr-{_installed()}"

    def predict(self, image: Image, options: Mapping[str, Value]) -> Answer:
        """Read every line of any score, with its four corners, clockwise from the upper left."""
        np = package("numpy")
        if self._engine is None:
            self._engine = _open(cards.PP_OCR)
        pixels = np.asarray(image)
        least = max(image.size) // LONGEST + 1
        more = [(0, max(0, least - length)) for length in pixels.shape[:2]]
        padded = np.pad(pixels, [*more, (0, 0)], mode="edge") if any(map(max, more)) else pixels
        found = self._engine(np.ascontiguousarray(padded[:, :, ::-1]))
        if found.boxes is None or not found.txts:
            return {"lines": []}
        corners = np.asarray(found.boxes, dtype=np.float64) / (image.width, image.height)
        lines = [
            {"polygon": polygon, "score": round(float(score), 6), "text": words}
            for polygon, score, words in zip(
                corners.round(6).tolist(), found.scores, found.txts, strict=True
            )
        ]
        return {"lines": lines}

    @staticmethod
    def parse(answer: Answer, request: Request) -> Annotation:
        """Lines of at least `min_score`, in reading order."""
        least = number(Text.option(request.options, "min_score"))
        found = [(item, number(item["score"])) for item in items(answer, "lines")]
        lines = [_line(item, score) for item, score in found if score >= least]
        status, reason = floored(len(lines), (score for _, score in found), least)
        unknown = strangers(answer, {"lines": ("polygon", "score", "text")})
        ordered = reading_order(lines)
        return Annotation(status, reason, text_lines=ordered, unknown=unknown)


def _line(item: Mapping[str, Any], score: float) -> TextLine:
    polygon = tuple((number(x), number(y)) for x, y in item["polygon"])
    if len(polygon) < 3:  # noqa: PLR2004 - fewer corners enclose nothing
        raise ValueError("a line's polygon has fewer than three corners")
    xs, ys = zip(*polygon, strict=True)
    box = Box.of(min(xs), min(ys), max(xs), max(ys))
    return TextLine(text(item, "text"), box, probability(score), polygon=polygon)


def reading_order(lines: Sequence[TextLine]) -> tuple[TextLine, ...]:
    """Order rows from the top, each from the left.

    A line joins the row above when its middle lies within `SAME_ROW` of the height of the lower of
    the two, measured from the row's first line, so that a slanted column cannot chain into one row.
    """
    rows: list[list[TextLine]] = []
    for line in sorted(lines, key=lambda line: line.box.y_min + line.box.y_max):
        if rows and _level(rows[-1][0].box, line.box):
            rows[-1].append(line)
        else:
            rows.append([line])
    return tuple(line for row in rows for line in sorted(row, key=lambda line: line.box.x_min))


def _level(first: Box, other: Box) -> bool:
    apart = abs(first.y_min + first.y_max - other.y_min - other.y_max) / 2
    return apart < SAME_ROW * min(first.y_max - first.y_min, other.y_max - other.y_min)


def _installed() -> str:
    try:
        return version("rapidocr")
    except PackageNotFoundError:
        return "absent"


def _open(card: ModelCard) -> Any:  # noqa: ANN401 - rapidocr has no types
    """Open the engine with our files named, so that it has nothing to download."""
    detection, direction, recognition = archives.ensure(card, lambda _line: None)
    package("onnxruntime")  # before rapidocr imports it
    # A batch is as wide as its longest line: one by one takes a third of the memory on dense pages,
    # no more time, and what a line says does not depend on the lines beside it.
    params: dict[str, object] = {
        "Rec.rec_batch_num": 1,
        "Global.log_level": "critical",
        "Global.text_score": 0.0,
        "Det.model_path": str(detection),
        "Cls.model_path": str(direction),
        "Rec.model_path": str(recognition),
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    return package("rapidocr").RapidOCR(params=params)
