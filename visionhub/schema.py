"""The one schema that every provider's answer is parsed into.

Scores keep their native value and say on which scale it is; an ordinal word is never turned into
a number. Geometry alone is converted: a box or point is a pair of ratios of the width and the
height of the upright image that was sent, so 0 <= value <= 1, origin top left.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Task(StrEnum):
    """What can be asked about an image."""

    LABELS = "labels"
    OBJECTS = "objects"
    FACES = "faces"
    PEOPLE = "people"
    TEXT = "text"
    SAFE_SEARCH = "safe_search"
    LANDMARKS = "landmarks"
    LOGOS = "logos"
    COLORS = "colors"
    CROP_HINTS = "crop_hints"
    WEB = "web"
    CELEBRITIES = "celebrities"
    FACE_MATCHES = "face_matches"
    EMBEDDING = "embedding"
    CAPTION = "caption"


class Scale(StrEnum):
    """How a provider's score is to be read."""

    PROBABILITY = "probability"  # 0..1, the model's own probability (calibrated or not)
    PERCENT = "percent"  # 0..100
    LIKELIHOOD = "likelihood"  # an ordinal word
    UNCALIBRATED = "uncalibrated"  # a number that only orders


class Status(StrEnum):
    """Why a table has, or has not, rows for one (image, provider, task)."""

    OBSERVED = "observed"  # answered in full; zero rows then mean "looked, found none"
    UNSUPPORTED = "unsupported"  # the provider does not offer the task
    WITHDRAWN = "withdrawn"  # the provider has stopped offering it
    BELOW_FLOOR = "below_floor"  # answered, but nothing reached the floor: censored, not "no"
    TRUNCATED = "truncated"  # answered, but the maximum number of results was reached
    REFUSED = "refused"  # the provider does not take this image
    ERROR = "error"  # no answer; `reason` says why
    NOT_REQUESTED = "not_requested"


NOISE = 1e-5  # what float32 arithmetic may add to a ratio or a probability

ANSWERED = (Status.OBSERVED, Status.BELOW_FLOOR, Status.TRUNCATED, Status.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Score:
    """A native score: `value` for the numeric scales, `word` for `likelihood`.

    Raises ValueError when the value does not belong to its scale.
    """

    scale: Scale
    value: float | None = None
    word: str | None = None

    def __post_init__(self) -> None:
        if (self.scale is Scale.LIKELIHOOD) != (self.word is not None) or (
            (self.word is None) == (self.value is None)
        ):
            raise ValueError(f"a {self.scale} score was given value={self.value} word={self.word}")
        top = {Scale.PROBABILITY: 1.0, Scale.PERCENT: 100.0}.get(self.scale)
        if top is not None and self.value is not None and not 0.0 <= self.value <= top:
            raise ValueError(f"{self.value} is not a {self.scale}")


def probability(value: float) -> Score:
    """A score on the probability scale; rounding noise of a float32 softmax is tolerated."""
    if not -NOISE <= value <= 1 + NOISE:
        raise ValueError(f"{value} is not a probability")
    return Score(Scale.PROBABILITY, min(max(float(value), 0.0), 1.0))


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in ratios of the sent image; `clipped` says that it reached outside."""

    x_min: float
    y_min: float
    x_max: float
    y_max: float
    clipped: bool = False

    def __post_init__(self) -> None:
        if not (0.0 <= self.x_min <= self.x_max <= 1.0 and 0.0 <= self.y_min <= self.y_max <= 1.0):
            raise ValueError(f"not a box in ratios: {self}")

    @classmethod
    def of(cls, x_min: float, y_min: float, x_max: float, y_max: float) -> Box:
        """A box from ratios that may lie outside the image: cut to it, and marked as cut."""
        inside = [min(max(float(v), 0.0), 1.0) for v in (x_min, y_min, x_max, y_max)]
        cut = any(
            abs(a - b) > NOISE for a, b in zip(inside, (x_min, y_min, x_max, y_max), strict=True)
        )
        left, right = sorted((inside[0], inside[2]))
        top, bottom = sorted((inside[1], inside[3]))
        return cls(left, top, right, bottom, cut)


@dataclass(frozen=True, slots=True)
class Point:
    """A named point in ratios of the sent image; it may lie a little outside."""

    name: str
    x: float
    y: float
    score: float | None = None  # the model's own visibility or confidence, uncalibrated


@dataclass(frozen=True, slots=True)
class Label:
    """A word for the whole image."""

    name: str
    score: Score
    vendor_id: str | None = None  # the vendor's own identifier (mid, WordNet offset, class index)
    parents: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Object:
    """A thing with a box."""

    name: str
    score: Score
    box: Box
    vendor_id: str | None = None
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attribute:
    """A property of a face: a `word` (gender, emotion) or a `number` (age in years).

    A property that a vendor only rates (blurred: UNLIKELY) has a score and no word. For a range
    (an age bracket) `low` and `high` are its ends. Age, gender and emotion are guesses from
    appearance and are present only when they were asked for by name.
    """

    name: str
    word: str | None = None
    number: float | None = None
    low: float | None = None
    high: float | None = None
    score: Score | None = None


@dataclass(frozen=True, slots=True)
class Face:
    """A face: box, landmarks, pose in degrees, and what was asked for about it.

    `box` holds the skin of the face; `head_box` the whole head, from providers that give both.
    """

    score: Score
    box: Box
    landmarks: tuple[Point, ...] = ()
    roll: float | None = None
    yaw: float | None = None
    pitch: float | None = None
    attributes: tuple[Attribute, ...] = ()
    embedding: tuple[float, ...] = ()  # biometric: present only when it was asked for by name
    head_box: Box | None = None


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a person wears on a part of the body; `name` is empty when nothing was found on it.

    covers: whether it covers that part, with the provider's score for saying so.
    """

    body_part: str
    body_part_score: Score | None = None
    name: str | None = None
    score: Score | None = None
    box: Box | None = None
    covers: bool | None = None
    covers_score: Score | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A person, with a body pose or with what is worn on which part of the body."""

    score: Score
    box: Box
    keypoints: tuple[Point, ...] = ()
    equipment: tuple[Equipment, ...] = ()


@dataclass(frozen=True, slots=True)
class TextLine:
    """A piece of text; `polygon` runs clockwise from the text's own upper left, in ratios.

    `level` is page (all text of the picture in one), block, paragraph, line or word.
    """

    text: str
    box: Box
    score: Score | None = None
    level: str = "line"
    polygon: tuple[tuple[float, float], ...] = ()
    language: str | None = None


@dataclass(frozen=True, slots=True)
class SafeSearch:
    """One category of unsafe content; `level` is its depth in the vendor's taxonomy, from 1."""

    category: str
    score: Score
    parent: str | None = None
    level: int = 1


@dataclass(frozen=True, slots=True)
class Landmark:
    """A known place; `locations` are (latitude, longitude) pairs in degrees, WGS 84."""

    name: str
    score: Score
    box: Box | None = None
    vendor_id: str | None = None
    locations: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Logo:
    """A brand's logo."""

    name: str
    score: Score
    box: Box | None = None
    vendor_id: str | None = None


@dataclass(frozen=True, slots=True)
class Color:
    """A dominant colour: red, green and blue from 0 to 255 in sRGB.

    fraction: its share of the pixels, 0 to 1 (an area: a percentage is divided by 100).
    region: what is described: image, foreground or background. group: the vendor's word for it.
    """

    red: float
    green: float
    blue: float
    fraction: float | None = None
    score: Score | None = None
    region: str = "image"
    group: str | None = None

    @property
    def name(self) -> str:
        """The colour as #rrggbb."""
        channels = (min(max(round(v), 0), 255) for v in (self.red, self.green, self.blue))
        return "#" + "".join(f"{channel:02x}" for channel in channels)


@dataclass(frozen=True, slots=True)
class CropHint:
    """A proposed crop; `importance` is the share of the picture's salience in it, 0 to 1."""

    box: Box
    score: Score | None = None
    importance: float | None = None


@dataclass(frozen=True, slots=True)
class WebMatch:
    """Something on the web that a picture was matched with.

    kind: entity, best_guess, full_match, partial_match, similar, page. text: its name or title,
    or its address where it has neither. page: address of the page on which an image stands.
    """

    kind: str
    text: str
    url: str | None = None
    score: Score | None = None
    vendor_id: str | None = None
    page: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Celebrity:
    """A face with the name that a provider gives it; without a name, a face it did not know.

    Identifies people: present only when it was asked for by name.
    """

    box: Box
    name: str | None = None
    score: Score | None = None
    vendor_id: str | None = None
    urls: tuple[str, ...] = ()
    gender: str | None = None


@dataclass(frozen=True, slots=True)
class FaceMatch:
    """A face of the picture with its similarity to the source's; None is no match at the floor.

    Biometric: present only when it was asked for by name.
    """

    box: Box
    similarity: Score | None = None


@dataclass(frozen=True, slots=True)
class ImageAttribute:
    """A property of the picture itself (brightness, sharpness, kind of picture) in one region."""

    name: str
    score: Score | None = None
    word: str | None = None
    region: str = "image"


@dataclass(frozen=True, slots=True)
class Annotation:
    """A parsed body. Exactly the fields of the request's task are filled.

    `image_attributes` come beside the things of any task, and are not counted among them.

    `unknown` lists the members of the body that the parser does not know, as dotted paths: they
    are reported and never dropped in silence.
    """

    status: Status = Status.OBSERVED
    reason: str = ""
    labels: tuple[Label, ...] = ()
    objects: tuple[Object, ...] = ()
    faces: tuple[Face, ...] = ()
    people: tuple[Person, ...] = ()
    text_lines: tuple[TextLine, ...] = ()
    safe_search: tuple[SafeSearch, ...] = ()
    landmarks: tuple[Landmark, ...] = ()
    logos: tuple[Logo, ...] = ()
    colors: tuple[Color, ...] = ()
    crop_hints: tuple[CropHint, ...] = ()
    web: tuple[WebMatch, ...] = ()
    celebrities: tuple[Celebrity, ...] = ()
    face_matches: tuple[FaceMatch, ...] = ()
    image_attributes: tuple[ImageAttribute, ...] = ()
    unknown: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        """How many things the provider reported; of text, the words, or else the lines."""
        parts = (self.labels, self.objects, self.faces, self.people, self.safe_search)
        more = (self.landmarks, self.logos, self.colors, self.crop_hints, self.web)
        named = (self.celebrities, self.face_matches)
        return sum(map(len, (*parts, *more, *named))) + self._texts()

    def _texts(self) -> int:
        levels = [line.level for line in self.text_lines]
        return levels.count("word") or levels.count("line") or len(levels)

    def __bool__(self) -> bool:
        """An annotation is an answer even when it holds nothing."""
        return True
