"""Small pictures for a page, with faces made unrecognisable."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from visionhub.images import Limits, render
from visionhub.report.answers import Box, Shown
from visionhub.schema import Status, Task

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 480  # pixels of the longest side: sharp at twice the density of a card
QUALITY = 80
MARGIN = 0.3  # of a face's box, on each side: an oval around all of the box, hair and chin too
FEATHER = 0.04  # of that oval: how soft its edge is
FACE_CELLS = (3, 4)  # what is left of a face: its colours
WHOLE_CELLS = 14  # what is left of a picture that nobody searched for faces, along its longest side
SEARCHED = (Status.OBSERVED, Status.BELOW_FLOOR)


class Privacy(StrEnum):
    """What was done about faces."""

    SHOWN = "shown"
    BLURRED = "blurred"  # those that a provider found
    NONE_FOUND = "none found"
    WHOLE = "whole"  # nobody looked for faces, or there were more than are reported


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A JPEG without metadata, and its size in pixels."""

    jpeg: bytes
    width: int
    height: int
    privacy: Privacy


def thumbnail(
    data: bytes,
    answers: Sequence[Shown],
    *,
    show_faces: bool,
    side: int = SIDE,
    quality: int = QUALITY,
) -> Thumbnail:
    """The upright photograph, small; faces blurred unless `show_faces`.

    Where no provider has searched the photograph for faces, the whole of it is blurred: what is
    promised is that no face is shown that could be known. side: pixels of the longest side at most;
    quality: of the JPEG, 1 to 95. Raises UnreadableImage.
    """
    _, sent = render(data, Limits())
    photograph = sent.open()
    scale = min(1.0, side / max(photograph.size))
    small = photograph.resize([max(1, round(length * scale)) for length in photograph.size])
    privacy, faces = (Privacy.SHOWN, []) if show_faces else privacy_of(answers)
    if privacy is Privacy.WHOLE:
        small = _smeared(small)
    for box in faces:
        _blur(small, box)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=quality, optimize=True)
    return Thumbnail(out.getvalue(), *small.size, privacy)


def privacy_of(answers: Sequence[Shown]) -> tuple[Privacy, list[Box]]:
    """What must be done about faces, and where they are, by every provider that looked."""
    looked = [a for a in answers if a.task == Task.FACES]
    complete = any(a.status in SEARCHED for a in looked)
    cut_off = any(a.status == Status.TRUNCATED for a in looked)
    if not complete or cut_off:
        return Privacy.WHOLE, []
    boxes = [item.box for answer in looked for item in answer.items if item.box]
    return (Privacy.BLURRED if boxes else Privacy.NONE_FOUND), boxes


def _blur(picture: Image, box: Box) -> None:
    """Replace an oval around a face by a few colours."""
    from PIL import Image as pillow  # noqa: N813
    from PIL.Image import Resampling
    from PIL.ImageDraw import Draw
    from PIL.ImageFilter import GaussianBlur

    width, height = picture.size
    across, down = (box[2] - box[0]) * MARGIN, (box[3] - box[1]) * MARGIN
    left, top = round((box[0] - across) * width), round((box[1] - down) * height)
    right, bottom = round((box[2] + across) * width) + 1, round((box[3] + down) * height) + 1
    oval = pillow.new("L", (right - left, bottom - top))
    Draw(oval).ellipse((0, 0, oval.width - 1, oval.height - 1), fill=255)
    oval = oval.filter(GaussianBlur(max(oval.size) * FEATHER))
    seen = (max(0, left), max(0, top), min(width, right), min(height, bottom))
    face = picture.crop(seen)
    few = face.resize(FACE_CELLS, Resampling.BOX).resize(face.size, Resampling.BICUBIC)
    shift = (seen[0] - left, seen[1] - top)
    picture.paste(few, seen[:2], oval.crop((*shift, shift[0] + face.width, shift[1] + face.height)))


def _smeared(picture: Image) -> Image:
    from PIL.Image import Resampling

    scale = WHOLE_CELLS / max(picture.size)
    cells = [max(1, round(side * scale)) for side in picture.size]
    return picture.resize(cells, Resampling.BOX).resize(picture.size, Resampling.BICUBIC)
