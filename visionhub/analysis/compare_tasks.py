"""How each task of a study is compared: what is read, and which measures it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from visionhub.analysis import faces, located, objects, ratings, safe_search, text
from visionhub.analysis.codes import Codes
from visionhub.analysis.compare_labels import Vocabulary, compare_labels
from visionhub.analysis.face_attributes import attribute_measures, by_image, told_by_image
from visionhub.analysis.face_numbers import ages, poses
from visionhub.analysis.frames import BOX, Answers, Integers, read
from visionhub.analysis.located import Located
from visionhub.analysis.matching import candidates, match, moments
from visionhub.analysis.measured import Measured
from visionhub.analysis.part import Apart, Part, Wanted
from visionhub.analysis.raters import Chosen, Rater, choose, offers, versions
from visionhub.analysis.settings import Settings
from visionhub.analysis.spoken import LABEL_WORDS, OBJECT_WORDS, Speech, spoken
from visionhub.analysis.vocabulary.alignment import align
from visionhub.analysis.vocabulary.crosswalk import Crosswalk
from visionhub.analysis.vocabulary.propose import propose
from visionhub.schema import Task
from visionhub.store.study import StudyFile

PAIR = 2
RATINGS = "ratings"
SIDE = 1000  # pixels, of an image whose size is not known
NUMBERED = ("score",)
FACES = (*BOX, "score", "roll", "yaw", "pitch")
FACE_NUMBERS = ("number", "low", "high", "score")
FACE_WORDS = ("name", "value", "score_word", "scale")


def _chosen(study: StudyFile, task: str, wanted: Wanted) -> Chosen:
    """Who is compared for a task: of the raters that were named those that answered for it."""
    found = versions(study, Task(task))
    words = [word for word in wanted.raters if offers(found, word)]
    if wanted.raters and not words:
        return Chosen(())
    return choose(found, words, task)


def _answers(
    study: StudyFile,
    chosen: Sequence[Rater],
    table: str,
    numbers: Sequence[str],
    words: Sequence[str],
) -> list[Answers]:
    return [read(study, rater, table, numbers=numbers, words=words) for rater in chosen]


def _labels(study: StudyFile, wanted: Wanted) -> Part | None:
    chosen = _chosen(study, "labels", wanted)
    answers = _answers(study, chosen.raters, "labels", NUMBERED, LABEL_WORDS)
    coders = [codes for codes in wanted.coders if codes.of_images]
    answers += [codes.answers(boxed=False) for codes in coders]
    if len(answers) < PAIR:
        return None
    words, speeches = _vocabulary(answers, wanted)
    part = compare_labels(speeches, coders, words, wanted.settings)
    part.notes += chosen.notes
    part.about |= _crosswalk(words, wanted)
    return part


def _vocabulary(
    answers: Sequence[Answers], wanted: Wanted
) -> tuple[Vocabulary, tuple[Speech, ...]]:
    """What words mean: by rules, and by what the user says, which wins."""
    terms, speeches = spoken(answers)
    rows = Crosswalk([*propose(terms), *(wanted.rows or ())])
    return Vocabulary(terms, align(terms, rows, wanted.codebook), wanted.codebook), speeches


def _crosswalk(words: Vocabulary, wanted: Wanted) -> dict[str, object]:
    """What identifies the crosswalk and the codebook that were used."""
    rows = words.alignment.crosswalk_rows
    about: dict[str, object] = {
        "crosswalk_sha256": rows.sha256,
        "crosswalk_version": rows.version,
        "crosswalk_rows_used": len(rows.used),
        "crosswalk_rows_of_the_user": len(wanted.rows or ()),
    }
    return about | ({"codebook_sha256": words.codebook.sha256} if words.codebook else {})


def _objects(study: StudyFile, wanted: Wanted) -> Part | None:
    chosen = _chosen(study, "objects", wanted)
    answers = _answers(study, chosen.raters, "objects", (*BOX, "score"), OBJECT_WORDS)
    coders = [codes for codes in wanted.coders if codes.boxed.any()]
    answers += [codes.answers(boxed=True) for codes in coders]
    if len(answers) < PAIR:
        return None
    gold = [codes.answers(boxed=True, crowds=True) for codes in coders if codes.name == wanted.gold]
    words, spoken_by = _vocabulary([*answers, *gold], wanted)
    speeches, true = spoken_by[: len(answers)], spoken_by[-1]
    part = Part("objects", tuple(one.rater for one in answers), notes=list(chosen.notes))
    part.about |= _crosswalk(words, wanted)
    part.notes += _crowds(coders)
    levels = words.alignment.levels
    for first, second in combinations(speeches, PAIR):
        part.rows += objects.measures(first, second, levels, wanted.settings)
        two = Located.of("objects", [first.answers, second.answers])
        part.apart.append(boxes_apart(two))
    part.rows += located.all_measures(Located.of("objects", answers), wanted.settings)
    for other in (one for one in speeches if gold and not one.answers.rater.human):
        images = np.intersect1d(true.answers.images, other.answers.images)
        sizes = _sizes(study, images)
        part.rows += objects.against_gold(true, other, levels[1], sizes, wanted.settings)
        part.notes += [objects.named_of_gold(true, other, levels[1])]
    return part


def _crowds(coders: Sequence[Codes]) -> list[str]:
    """Boxes that no single thing can be compared with."""
    return [
        f"{one.name}: {many:,} boxes around crowds are left out of everything but AP."
        for one in coders
        if (many := int((one.crowd & one.boxed).sum()))
    ]


def _sizes(study: StudyFile, images: Integers) -> Integers:
    """(n, 2) width and height of images in pixels; a square where the study does not know them.

    What is measured is the same in pixels and in ratios.
    """
    known = {
        image: (width or SIDE, height or SIDE)
        for image, width, height in study.stream("SELECT id, width, height FROM images")
    }
    return np.array([known[one] for one in images.tolist()], dtype=np.int64).reshape(-1, 2)


def boxes_apart(two: Located) -> Apart:
    """1 - F1 of boxes, image by image."""
    first, second = two.boxes()
    matched = match(candidates(first, second, located.USUAL, same_category=False))
    hits, only_a, only_b, _ = moments(matched, first, second, two.n).T
    every = 2 * hits + only_a + only_b
    f1 = np.where(every > 0, 2 * hits / np.maximum(every, 1), 1.0)
    return Apart((two.names[0], two.names[1]), f"{two.task} (1 - F1 of boxes)", two.images, 1 - f1)


def _faces(study: StudyFile, wanted: Wanted) -> Part | None:
    chosen = _chosen(study, "faces", wanted)
    answers = _answers(study, chosen.raters, "faces", FACES, ())
    if len(answers) < PAIR:
        return None
    more = _answers(study, chosen.raters, "face_attributes", FACE_NUMBERS, FACE_WORDS)
    rated = [faces.Rated(one, other) for one, other in zip(answers, more, strict=True)]
    part = Part("faces", chosen.raters, notes=list(chosen.notes))
    grouped = by_image(wanted.settings)
    for first, second in combinations(rated, PAIR):
        two = Located.of("faces", [first.faces, second.faces])
        part.rows += located.pair_measures(two, wanted.settings)
        part.apart.append(boxes_apart(two))
        matched = faces.Matched.of(two, first.only(two.images), second.only(two.images))
        found = [
            *poses(matched, grouped),
            *attribute_measures(matched, grouped, wanted.sensitive),
            *(ages(matched, grouped) if "age" in wanted.sensitive else ()),
        ]
        part.rows += (told_by_image(row, wanted.settings) for row in found)
    part.rows += located.all_measures(Located.of("faces", answers), wanted.settings)
    return part


def _text(study: StudyFile, wanted: Wanted) -> Part | None:
    chosen = _chosen(study, "text", wanted)
    answers = _answers(study, chosen.raters, "text_lines", NUMBERED, ("text", "level"))
    return _pairwise("text", chosen, answers, text.measures, text.apart, wanted)


def _safe_search(study: StudyFile, wanted: Wanted) -> Part | None:
    chosen = _chosen(study, "safe_search", wanted)
    words = ("category", "score_word")
    answers = _answers(study, chosen.raters, "safe_search", NUMBERED, words)
    return _pairwise("safe_search", chosen, answers, safe_search.measures, None, wanted)


def _pairwise(
    task: str,
    chosen: Chosen,
    answers: Sequence[Answers],
    measures: Callable[[Answers, Answers, Settings], Iterator[Measured]],
    apart: Callable[[Answers, Answers], Apart] | None,
    wanted: Wanted,
) -> Part | None:
    if len(answers) < PAIR:
        return None
    part = Part(task, chosen.raters, notes=list(chosen.notes))
    for first, second in combinations(answers, PAIR):
        rows = list(measures(first, second, wanted.settings))
        part.rows += rows
        if not rows:
            part.notes.append(
                f"{first.rater.name} and {second.rater.name} have no category in common: what one "
                f"has never reported may not be on its list."
            )
        if apart is not None:
            part.apart.append(apart(first, second))
    return part


def _ratings(study: StudyFile, wanted: Wanted) -> Part | None:
    rated = [codes for codes in wanted.coders if codes.ratings & set(codes.labels)]
    if not rated:
        return None
    chosen = _chosen(study, "labels", wanted)
    answers = _answers(study, chosen.raters, "labels", NUMBERED, LABEL_WORDS)
    words, speeches = _vocabulary(answers, wanted)
    level = words.alignment.codebook
    rows = list(ratings.measures(rated, speeches, level, wanted.settings))
    met = {name for row in rows for name in row.raters}
    raters = [codes.rater for codes in rated] + [a.rater for a in answers if a.rater.name in met]
    part = Part(RATINGS, tuple(raters), rows)
    part.notes += chosen.notes if len(raters) > len(rated) else ()
    return part if part.rows else None


COMPARED: Mapping[str, Callable[[StudyFile, Wanted], Part | None]] = {
    "labels": _labels,
    "objects": _objects,
    "faces": _faces,
    "text": _text,
    "safe_search": _safe_search,
    RATINGS: _ratings,
}
