"""`visionhub show --out`: the upright photograph with everything that has a place drawn on it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from visionhub.errors import UsageError
from visionhub.files import read
from visionhub.images import Limits, render, sha256_of
from visionhub.report.answers import Box, Item
from visionhub.report.files import whole
from visionhub.report.layers import Layer, bones, layers, visible
from visionhub.report.plain import plain
from visionhub.report.shown import ImageReport
from visionhub.store.study import StudyFile

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
SMALLEST = (
    900  # pixels of the longest side: smaller photographs are enlarged, so names stay legible
)
FONTS = ("DejaVuSans.ttf", "Arial.ttf", "LiberationSans-Regular.ttf")
NAME = 32  # characters of a name on the picture
INK, PAPER = "#000000", "#ffffff"
MID_GREY = 127


def draw_report(study: StudyFile, report: ImageReport, out: Path) -> None:
    """Write the photograph of `report` with its boxes, points and names to `out`.

    The format is that of the name's ending; the file carries no EXIF, so no place and no time.
    Raises UsageError when the ending is none of FORMATS, when the photograph has moved, changed or
    cannot be decoded, and when `out` is itself a photograph of the study.
    """
    kind = FORMATS.get(out.suffix.lower())
    if kind is None:
        raise UsageError(f"--out {str(out)!r}: end it in one of {', '.join(FORMATS)}.")
    if is_photograph(study, out):
        raise UsageError(f"--out {str(out)!r} is a photograph of this study: choose another name.")
    if not report.file.data:
        where = report.file.path or report.image.sha256
        raise UsageError(
            f"Cannot draw on {where!r}: {report.file.problem}. Name the file where it is now, in "
            f"place of {report.image.name!r} or its number, or annotate its folder once more: what "
            f"is answered is not asked again."
        )
    _, sent = render(report.file.data, Limits())
    picture = drawn(sent.open(), layers(report.answers))
    with whole(out) as file:
        picture.save(file, kind, quality=92)


def is_photograph(study: StudyFile, path: Path) -> bool:
    """Whether a file that exists is one of the study's images; writing there would destroy it."""
    if not path.is_file():
        return False
    return bool(study.query("SELECT 1 FROM images WHERE sha256 = ?", (sha256_of(read(path)),)))


def drawn(photograph: Image, found: Sequence[Layer]) -> Image:
    """A copy of an upright RGB picture with layers drawn, and a legend strip below it."""
    from PIL.ImageDraw import Draw

    longest = max(photograph.size)
    scale = max(1.0, SMALLEST / longest)
    size = (round(photograph.width * scale), round(photograph.height * scale))
    picture = photograph.copy() if scale == 1.0 else photograph.resize(size)
    pen = _Pen(Draw(picture), picture.size)
    for layer in found:
        for item in layer.items:
            pen.shape(layer, item)
    for layer in found:
        for item in layer.items:
            pen.name(layer, item)
    return _with_legend(picture, found, pen.font)


class _Pen:
    """Draws in pixels of one picture; remembers where names stand so that they do not overlap."""

    def __init__(self, draw: ImageDraw, size: tuple[int, int]) -> None:
        self.draw, self.size = draw, size
        self.line = max(2, round(max(size) / 450))
        self.font = _font(max(13, round(max(size) / 60)))
        self._taken: list[Box] = []

    def shape(self, layer: Layer, item: Item) -> None:
        """Outline, skeleton and points of one thing, in colour between black."""
        for width, colour in ((self.line + 2, INK), (self.line, layer.colour)):
            for start, end in bones(item):
                self.draw.line([self._at(*start), self._at(*end)], colour, width)
            outline = self._outline(item)
            self.draw.line([*outline, outline[0], outline[1]], colour, width, joint="curve")
        radius = self.line + 1
        for point in visible(item):
            self.draw.circle(self._at(point.x, point.y), radius, layer.colour, INK, 1)

    def name(self, layer: Layer, item: Item) -> None:
        """What the thing is, on a plate beside its box."""
        text = plain(item.name, NAME)
        text = f"{text} {item.score_text}" if item.score_text else text
        left, top, right, bottom = self.draw.textbbox((0, 0), text, self.font)
        pad = self.line + 1
        plate = self._free(item, right - left + 2 * pad, bottom - top + 2 * pad)
        self._taken.append(plate)
        self.draw.rectangle(plate, layer.colour, INK)
        self.draw.text(
            (plate[0] + pad - left, plate[1] + pad - top), text, _ink(layer.colour), self.font
        )

    def _free(self, item: Item, width: float, height: float) -> Box:
        """Where a plate fits: above the box, inside it, below it, or further down."""
        x_min, y_min, _, y_max = item.box or (0.0, 0.0, 0.0, 0.0)
        (left, top), (_, low) = self._at(x_min, y_min), self._at(x_min, y_max)
        left = max(0.0, min(left, self.size[0] - width - 1))
        tops = [top - height, top, low, low - height, *(top + n * height for n in range(1, 9))]
        inside = [max(0.0, min(y, self.size[1] - height - 1)) for y in tops]
        plates: list[Box] = [(left, y, left + width, y + height) for y in inside]
        return next((p for p in plates if not any(_meet(p, t) for t in self._taken)), plates[0])

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return x * (self.size[0] - 1), y * (self.size[1] - 1)

    def _outline(self, item: Item) -> list[tuple[float, float]]:
        x_min, y_min, x_max, y_max = item.box or (0.0, 0.0, 0.0, 0.0)
        corners = ((x_min, y_min), (x_max, y_min), (x_max, y_max), (x_min, y_max))
        return [self._at(x, y) for x, y in item.polygon or corners]


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _ink(colour: str) -> str:
    """Black or white, whichever is read better on a colour (ITU-R BT.601 luma)."""
    from PIL.ImageColor import getrgb

    red, green, blue = getrgb(colour)[:3]
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > MID_GREY else PAPER


def _font(size: int) -> FreeTypeFont:
    """A font with many scripts where the system has one, else Pillow's own (Latin)."""
    from PIL import ImageFont

    for name in FONTS:
        with suppress(OSError):
            return ImageFont.truetype(name, size)
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise UsageError("This Pillow was built without FreeType: names cannot be drawn.")
    return font


def _with_legend(picture: Image, found: Sequence[Layer], font: FreeTypeFont) -> Image:
    """The picture with a strip below it that says what each colour is."""
    from PIL import Image as pillow  # noqa: N813
    from PIL.ImageDraw import Draw

    titles = [plain(layer.title, 60) for layer in found] or ["nothing to draw"]
    row = round(font.size * 1.6)
    sheet = pillow.new("RGB", (picture.width, picture.height + row * len(titles)), PAPER)
    sheet.paste(picture)
    draw = Draw(sheet)
    draw.line((0, picture.height, picture.width, picture.height), INK)
    for number, text in enumerate(titles):
        top = picture.height + number * row
        if found:
            square = (row * 0.3, top + row * 0.25, row * 0.8, top + row * 0.75)
            draw.rectangle(square, found[number].colour, INK)
        draw.text((row * 1.1, top + row * 0.15), text, INK, font)
    return sheet
