"""How each task of a study is compared: what is read, and which measures it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from visionhub.analysis import faces, located, objects, ratings, safe_search, text
from visionhub.analysis.codes import Codes
from visionhub.analysis.compare_labels import Vocabulary, compare_labels
from visionhub.analysis.face_numbers import ages, poses
from visionhub.analysis.frames import BOX, Answers, Integers, read
from visionhub.analysis.labels import Settings
from visionhub.analysis.located import Located
from visionhub.analysis.matching import candidates, match, moments
from visionhub.analysis.measured import Measured
from visionhub.analysis.part import Apart, Part, Wanted
from visionhub.analysis.raters import Chosen, Rater, choose, versions
from visionhub.analysis.spoken import LABEL_WORDS, OBJECT_WORDS, Speech, spoken
from visionhub.analysis.vocabulary.alignment import align
from visionhub.analysis.vocabulary.crosswalk import Crosswalk
from visionhub.analysis.vocabulary.propose import propose
from visionhub.schema import Task
from visionhub.store.study import StudyFile

PAIR = 2
RATINGS = "ratings"
NUMBERED = ("score",)
FACES = (*BOX, "score", "roll", "yaw", "pitch")
FACE_NUMBERS = ("number", "low", "high", "score")
FACE_WORDS = ("name", "value", "score_word", "scale")


def _chosen(study: StudyFile, task: str, wanted: Wanted) -> Chosen:
    found = versions(study, Task(task))
    there = {one.provider for one in found}
    words = [word for word in wanted.raters if _provider(word) in there]
    if wanted.raters and not words:
        return Chosen(())
    return choose(found, words, task)


def _provider(word: str) -> str:
    return word.partition("=")[2].partition("@")[0] or word.partition("@")[0]


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
    coders = [codes for codes in wanted.coders if _of_images(codes)]
    answers += [codes.answers(boxed=False) for codes in coders]
    if len(answers) < PAIR:
        return None
    words, speeches = _vocabulary(answers, wanted)
    part = compare_labels(speeches, coders, words, wanted.settings)
    part.notes += chosen.notes
    part.about |= _crosswalk(words, wanted)
    return part


def _of_images(codes: Codes) -> bool:
    """Whether a coder says something about whole images."""
    return bool((np.isnan(codes.boxes[:, 0]) & (codes.label >= 0)).any())


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
    coders = [codes for codes in wanted.coders if not np.isnan(codes.boxes).all()]
    answers += [codes.answers(boxed=True) for codes in coders]
    if len(answers) < PAIR:
        return None
    words, speeches = _vocabulary(answers, wanted)
    part = Part("objects", tuple(one.rater for one in answers), notes=list(chosen.notes))
    part.about |= _crosswalk(words, wanted)
    levels = words.alignment.levels
    for first, second in combinations(speeches, PAIR):
        part.rows += objects.measures(first, second, levels, wanted.settings)
        two = Located.of("objects", [first.answers, second.answers])
        part.apart.append(boxes_apart(two))
    part.rows += located.all_measures(Located.of("objects", answers), wanted.settings)
    for gold in (one for one in speeches if one.name == wanted.gold):
        for other in (one for one in speeches if not one.answers.rater.human):
            images = np.intersect1d(gold.answers.images, other.answers.images)
            sizes = _sizes(study, images)
            part.rows += objects.against_gold(gold, other, levels[1], sizes, wanted.settings)
    return part


def _sizes(study: StudyFile, images: Integers) -> Integers:
    """(n, 2) width and height of images in pixels."""
    known = {row[0]: row[1:] for row in study.stream("SELECT id, width, height FROM images")}
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
    for first, second in combinations(rated, PAIR):
        two = Located.of("faces", [first.faces, second.faces])
        part.rows += located.pair_measures(two, wanted.settings)
        part.apart.append(boxes_apart(two))
        matched = faces.Matched.of(two, first.only(two.images), second.only(two.images))
        part.rows += poses(matched, wanted.settings)
        part.rows += faces.attribute_measures(matched, wanted.settings, wanted.sensitive)
        if "age" in wanted.sensitive:
            part.rows += ages(matched, wanted.settings)
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
        part.rows += measures(first, second, wanted.settings)
        if apart is not None:
            part.apart.append(apart(first, second))
    return part


def _ratings(study: StudyFile, wanted: Wanted) -> Part | None:
    rated = [codes for codes in wanted.coders if ratings.numeric(codes)]
    if not rated:
        return None
    chosen = _chosen(study, "labels", wanted)
    answers = _answers(study, chosen.raters, "labels", NUMBERED, LABEL_WORDS)
    words, speeches = _vocabulary(answers, wanted)
    part = Part(RATINGS, tuple(codes.rater for codes in rated))
    level = words.alignment.codebook
    part.rows += ratings.measures(rated, speeches, level, wanted.settings)
    return part if part.rows else None


COMPARED: Mapping[str, Callable[[StudyFile, Wanted], Part | None]] = {
    "labels": _labels,
    "objects": _objects,
    "faces": _faces,
    "text": _text,
    "safe_search": _safe_search,
    RATINGS: _ratings,
}
