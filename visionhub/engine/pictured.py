"""The images that earlier answers are about, and the renderings that stand for what was sent.

Such a rendering is the image's own file, upright: what had been sent then is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from visionhub.engine.intake import Seen, read_and_hash
from visionhub.engine.kept import Lost, Piece
from visionhub.engine.sources import shown
from visionhub.engine.walk import Found
from visionhub.errors import UnreadableImage
from visionhub.files import read
from visionhub.images import MEDIA_TYPES, ImageFacts, decoder_version, load
from visionhub.store import lookup
from visionhub.store.items import Beside, PathRow, RenderingRow
from visionhub.store.lookup import KnownImage
from visionhub.store.record import Recorder
from visionhub.store.study import StudyFile

LIMITS = "imported"
TRANSFORM = ("imported: what was sent is not known",)


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """An answer with the path of its image, and when it came, as `whence` says (UTC)."""

    piece: Piece
    source: str
    path: str
    received: str
    whence: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The rendering of an image, by its number in the study."""

    image_id: int
    rendering_id: int
    sha256: str
    width: int
    height: int


class Pictures:
    """Finds the images of a batch in the study, or adds them. Used by the writing thread only."""

    def __init__(self, study: StudyFile, recorder: Recorder, lose: Callable[[Lost], None]) -> None:
        self.study, self.recorder, self.lose = study, recorder, lose
        self._beside, self._decoder = Beside(study.path), decoder_version()

    def of(self, pool: ThreadPoolExecutor, located: Sequence[Located]) -> dict[str, Sent]:
        """Renderings by path, of images that can be read; the others are listed."""
        paths = list(dict.fromkeys(item.path for item in located))
        seen = [s for chunk in pool.map(read_and_hash, [[Found(p)] for p in paths]) for s in chunk]
        good = {s.path: s for s in seen if s.problem is None}
        known = self._images(good.values())
        facts = self._facts(pool, good.values(), known)
        sent = self._renderings(good.values(), known, facts)
        problems = {s.path: s.problem or "" for s in seen}
        for item in located:
            if item.path not in sent:
                why = problems[item.path] or facts[good[item.path].sha256]
                self.lose(Lost(item.source, f"its image cannot be read: {why}", shown(item.path)))
        return sent

    def _images(self, seen: Iterable[Seen]) -> dict[str, KnownImage]:
        found = list(seen)
        hashes = list({s.sha256 for s in found})
        with self.study.transaction():
            self.recorder.new_images({s.sha256: s.size for s in found}.items())
            known = lookup.images(self.study, hashes)
            self.recorder.paths(
                PathRow(self._beside(s.path), None, known[s.sha256].id, None) for s in found
            )
        return known

    def _facts(
        self, pool: ThreadPoolExecutor, seen: Iterable[Seen], known: Mapping[str, KnownImage]
    ) -> dict[str, ImageFacts | UnreadableImage]:
        """What files say of themselves, by hash: held, or found by decoding them now."""
        held = lookup.pictures(self.study, [image.id for image in known.values()])
        facts: dict[str, ImageFacts | UnreadableImage] = {}
        todo: dict[str, str] = {}
        for item in seen:
            image = known[item.sha256]
            if image.id in held:
                kind, width, height = held[image.id]
                facts[item.sha256] = ImageFacts(kind, width=width, height=height)
            elif image.problem is not None and image.decoder == self._decoder:
                facts[item.sha256] = UnreadableImage(image.problem, image.problem_detail or "")
            else:
                todo[item.sha256] = item.path
        new = dict(zip(todo, pool.map(_decode, todo.values()), strict=True))
        with self.study.transaction():
            for sha256, found in new.items():
                self.recorder.facts(known[sha256].id, found, self._decoder)
        return facts | new

    def _renderings(
        self,
        seen: Iterable[Seen],
        known: Mapping[str, KnownImage],
        facts: Mapping[str, ImageFacts | UnreadableImage],
    ) -> dict[str, Sent]:
        sent: dict[str, Sent] = {}
        with self.study.transaction():
            for item in seen:
                found = facts[item.sha256]
                if isinstance(found, UnreadableImage):
                    continue
                kind = MEDIA_TYPES.get(found.format, f"image/{found.format.lower()}")
                size = (item.size, found.width, found.height)
                row = RenderingRow(item.sha256, kind, *size, TRANSFORM)
                image_id = known[item.sha256].id
                number = self.recorder.rendering(image_id, LIMITS, row)
                sent[item.path] = Sent(image_id, number, item.sha256, found.width, found.height)
        return sent


def _decode(path: str) -> ImageFacts | UnreadableImage:
    try:
        return load(read(path))[1]
    except UnreadableImage as error:
        return error
