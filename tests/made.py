"""A study made by hand: every task, every kind of status, and strings that try to do harm."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from tests.conftest import jpeg
from visionhub.errors import ProviderError, RefusedImage, UnreadableImage
from visionhub.images import Limits, decoder_version, render, sha256_of
from visionhub.provider import Body, TaskSpec
from visionhub.schema import (
    Annotation,
    Attribute,
    Box,
    Celebrity,
    Color,
    CropHint,
    Equipment,
    Face,
    FaceMatch,
    ImageAttribute,
    Label,
    Landmark,
    Logo,
    Object,
    Person,
    Point,
    SafeSearch,
    Scale,
    Score,
    Status,
    Task,
    TextLine,
    WebMatch,
    probability,
)
from visionhub.store.items import (
    Answer,
    Beside,
    PackedBody,
    PathRow,
    Question,
    RenderingRow,
    limits_key,
)
from visionhub.store.record import Recorder
from visionhub.store.study import StudyFile

SCRIPT = "<script>window.harm=1</script><img src=x onerror=window.harm=1>"
ESCAPE = "\x1b[31mred\x1b[0m\x07\x9b2J"
TURNED = "abc\u202efdp.exe\u2066"
FORMULA = '=HYPERLINK("http://example.org","x")'
MARKUP = "[bold red]loud[/] [link=http://example.org]here[/link]"
LINES = "two\nlines\r\nand\u2028more"
HOSTILE = (
    SCRIPT,
    ESCAPE,
    TURNED,
    FORMULA,
    MARKUP,
    LINES,
    "-5",
    "+1",
    "@here",
    "\tcell",
    '"q"\x00,;',
)
BAD_NAME = b"caf\xe9 \x1b[2J.jpg"


class Made(NamedTuple):
    """The study and its photographs, by name."""

    path: Path
    photos: dict[str, str]
    ids: dict[str, int]


def made_study(folder: Path, *, clouds: bool = False) -> Made:
    """A study over five images: `full` (everything), `none` (seen, nothing found), `below`,
    `broken` (no image) and one whose name is no UTF-8; plus a file that could not be read. With
    `clouds`, `full` was also asked what only cloud services answer."""
    photos = _photographs(folder)
    path = folder / "study.db"
    with StudyFile(path, write=True) as study:
        recorder = Recorder.start(study, "0", {"made": "by hand"})
        with study.transaction():
            ids = _images(recorder, photos)
        images = {row["sha256"]: row["id"] for row in study.query("SELECT * FROM images")}
        ids = {name: images[sha] for name, sha in ids.items()}
        with study.transaction():
            _paths(recorder, Beside(study.path), photos, ids)
            _record(recorder, photos, ids)
            if clouds:
                _record_clouds(recorder, ids["full"], photos["full"])
            recorder.finish({"done": 1})
    return Made(path, photos, ids)


def _photographs(folder: Path) -> dict[str, str]:
    names = {"full": b"full <b>.jpg", "none": b"none.jpg", "below": b"below.jpg", "odd": BAD_NAME}
    photos = {}
    for number, (key, name) in enumerate(names.items()):
        photos[key] = os.fspath(folder / os.fsdecode(name))
        Path(photos[key]).write_bytes(jpeg(320, 240, number * 7))
    photos["broken"] = os.fspath(folder / "broken.jpg")
    Path(photos["broken"]).write_bytes(b"\xff\xd8\xff no photograph")
    return photos


def _images(recorder: Recorder, photos: dict[str, str]) -> dict[str, str]:
    hashes = {name: sha256_of(Path(path).read_bytes()) for name, path in photos.items()}
    recorder.new_images(
        [(hashes[name], Path(path).stat().st_size) for name, path in photos.items()]
    )
    return hashes


def _paths(recorder: Recorder, beside: Beside, photos: dict[str, str], ids: dict[str, int]) -> None:
    recorder.paths([PathRow(beside(photos[name]), None, ids[name], None) for name in photos])
    copy = PathRow(beside(photos["none"] + ".copy"), "none.copy", ids["none"], None)
    recorder.paths([copy, PathRow("/no/access.jpg", None, None, "denied")])


def _record(recorder: Recorder, photos: dict[str, str], ids: dict[str, int]) -> None:
    broken = UnreadableImage("truncated", "the file ends early")
    recorder.facts(ids["broken"], broken, decoder_version())
    questions = {q.task: q for q in map(_question, SCALES)}
    numbers = {task: recorder.question(question) for task, question in questions.items()}
    renderings: dict[int, int] = {}
    answers: list[Answer] = []
    for name in ("full", "none", "below", "odd"):
        facts, sent = render(Path(photos[name]).read_bytes(), Limits())
        recorder.facts(ids[name], facts, decoder_version())
        row = RenderingRow.of(sent)
        renderings[ids[name]] = recorder.rendering(ids[name], limits_key(Limits()), row)
        for task, result in _results(name).items():
            body = (
                None if isinstance(result, ProviderError) else PackedBody.pack(Body(b'{"made":1}'))
            )
            answers.append(Answer(ids[name], numbers[task], questions[task], result, body))
    recorder.answers(answers, renderings)
    text = "unreadable image: truncated (the file ends early)"
    recorder.statuses(
        [(ids["broken"], "made", task.value, "error", text, 0, None) for task in SCALES]
        + [(ids["full"], "other", "labels", "unsupported", "other does not offer labels", 0, None)]
    )


def _record_clouds(recorder: Recorder, image_id: int, path: str) -> None:
    _, sent = render(Path(path).read_bytes(), Limits())
    rendering = recorder.rendering(image_id, limits_key(Limits()), RenderingRow.of(sent))
    answers = []
    for task, result in cloud_results().items():
        spec = TaskSpec(Scale.PERCENT, "made words", floor=0.05, max_results=20)
        question = Question("cloud", task, f"made@{task}", '{"min_score":0.05}', spec)
        body = PackedBody.pack(Body(b'{"made":1}', client="made 1"))
        number = recorder.question(question)
        answers.append(Answer(image_id, number, question, result, body))
    recorder.answers(answers, {image_id: rendering})


def cloud_results() -> dict[Task, Annotation]:
    """One thing of every kind that only cloud services report."""
    box, sure = Box(0.1, 0.2, 0.5, 0.6), Score(Scale.PERCENT, 97.5)
    bright = ImageAttribute("brightness", sure)
    worn = (Equipment("FACE", sure, "FACE_COVER", sure, box, True, sure), Equipment("HEAD", sure))
    web = WebMatch("page", SCRIPT, "http://example.org/=1", sure, "/m/1", None, "en")
    return {
        Task.LANDMARKS: Annotation(landmarks=(Landmark(SCRIPT, sure, box, "/m/2", ((1.5, 2.5),)),)),
        Task.LOGOS: Annotation(logos=(Logo(FORMULA, sure, None, "/m/3"),)),
        Task.COLORS: Annotation(
            colors=(Color(255, 127.6, 0, 0.25, sure, group="Orange"),), image_attributes=(bright,)
        ),
        Task.CROP_HINTS: Annotation(crop_hints=(CropHint(box, sure, 0.75),)),
        Task.WEB: Annotation(web=(web,)),
        Task.CELEBRITIES: Annotation(
            celebrities=(
                Celebrity(box, MARKUP, sure, "1", ("example.org",), "Male"),
                Celebrity(box),
            )
        ),
        Task.FACE_MATCHES: Annotation(face_matches=(FaceMatch(box, sure), FaceMatch(box))),
        Task.FACES: Annotation(faces=(Face(sure, box, head_box=Box(0, 0.1, 0.6, 0.7)),)),
        Task.PEOPLE: Annotation(people=(Person(sure, box, equipment=worn),)),
    }


SCALES = {
    Task.LABELS: Scale.PROBABILITY,
    Task.OBJECTS: Scale.PERCENT,
    Task.FACES: Scale.PROBABILITY,
    Task.PEOPLE: Scale.UNCALIBRATED,
    Task.TEXT: Scale.PROBABILITY,
    Task.SAFE_SEARCH: Scale.LIKELIHOOD,
}


def _question(task: Task) -> Question:
    spec = TaskSpec(SCALES[task], "made words", floor=0.05, max_results=20)
    return Question("made", task, f"made@{task}", '{"min_score":0.05}', spec)


def _results(name: str) -> dict[Task, Annotation | ProviderError]:
    if name == "full":
        return _full()
    if name == "none":
        return {task: Annotation() for task in SCALES}
    if name == "below":
        return {
            Task.LABELS: Annotation(Status.BELOW_FLOOR),
            Task.OBJECTS: Annotation(Status.TRUNCATED, objects=(_thing("dog", 3),)),
            Task.FACES: ProviderError("the service was down"),
            Task.TEXT: RefusedImage("too small <i>"),
        }
    return {Task.LABELS: Annotation(labels=(Label("tabby cat", probability(0.876)),))}


def _thing(name: str, place: int) -> Object:
    left = place / 12
    return Object(name, Score(Scale.PERCENT, 97.25 - place), Box(left, 0.3, left + 0.25, 0.9))


def _full() -> dict[Task, Annotation | ProviderError]:
    labels = tuple(
        Label(text, probability(0.9 - rank / 20), f"n{rank}", ("animal", "=SUM(A1)"))
        for rank, text in enumerate(("golden retriever", *HOSTILE))
    )
    texts = tuple(
        TextLine(text, Box(0.1, rank / 12, 0.6, rank / 12 + 0.07), probability(0.8))
        for rank, text in enumerate(HOSTILE)
    )
    eyes = (Point("left_eye", 0.62, 0.2), Point("right_eye", 0.7, 0.2, 0.5))
    guessed = (
        Attribute("age", number=31.5, low=26, high=41),
        Attribute("gender", word="woman", score=Score(Scale.UNCALIBRATED, 0.7)),
    )
    face = Face(
        probability(0.95), Box(0.55, 0.1, 0.8, 0.5), eyes, attributes=guessed, embedding=(0.5, -1)
    )
    joints = (Point("left_shoulder", 0.6, 0.5, 0.9), Point("left_elbow", 0.7, 0.7, 0.9))
    person = Person(Score(Scale.UNCALIBRATED, 3.25), Box.of(0.4, 0.1, 1.2, 0.9), joints)
    unsafe = SafeSearch("violence", Score(Scale.LIKELIHOOD, word="VERY_UNLIKELY"))
    things = (_thing("dog", 1), _thing(SCRIPT, 6))
    return {
        Task.LABELS: Annotation(labels=labels, unknown=("labels[].new_thing",)),
        Task.OBJECTS: Annotation(objects=things),
        Task.FACES: Annotation(faces=(face,)),
        Task.PEOPLE: Annotation(people=(person,)),
        Task.TEXT: Annotation(text_lines=texts),
        Task.SAFE_SEARCH: Annotation(safe_search=(unsafe,)),
    }
