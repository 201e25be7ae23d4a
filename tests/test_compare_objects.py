"""Objects compared: boxes, names and counts, against a loop over images and against pycocotools."""

from __future__ import annotations

import contextlib
import io
import json
import math
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from scipy.optimize import linear_sum_assignment

from tests.compared import Maker, coded, objects
from visionhub.analysis.codes_read import coders
from visionhub.analysis.compare import Comparison, Wanted, compare
from visionhub.analysis.measured import Measured, find
from visionhub.analysis.naming import read_sources
from visionhub.analysis.resample import Resampling
from visionhub.analysis.settings import Settings
from visionhub.errors import UsageError
from visionhub.schema import Annotation, Box, Object, Scale, Score, Task
from visionhub.store.study import StudyFile

QUICK = Resampling(draws=200)
WORDS = ("qqx", "qqy", "qqz")  # words that nobody has a meaning for
Found = tuple[str, Sequence[float], float]
Said = Mapping[str, Sequence[Found]]


def made(folder: Path, said: Mapping[str, Said], name: str = "study.db") -> Path:
    maker = Maker(folder / name)
    for provider, found in said.items():
        maker.answered(provider, Task.OBJECTS, {n: objects(*them) for n, them in found.items()})
    return maker.path


def compared(path: Path, *raters: str, codes: Sequence[str] = (), **more) -> Comparison:
    sources = more.pop("source", None)
    with StudyFile(path) as study:
        settings = Settings(QUICK, read_sources(study, sources) if sources else None)
        people = coders(study, codes)
        return compare(
            study, Wanted(("objects",), raters, coders=people, settings=settings, **more)
        )


def rows(found: Comparison) -> list[Measured]:
    return found.parts[0].rows


def value(found: Comparison, measure: str, raters: Iterable[str] = ("one", "other"), **more):
    row = find(rows(found), measure, raters, **more)
    assert row is not None, (measure, more)
    return row.estimate.value


# A loop over images as the oracle


def iou(a: Sequence[float], b: Sequence[float]) -> float:
    across, down = (min(a[i + 2], b[i + 2]) - max(a[i], b[i]) for i in (0, 1))
    common = max(across, 0) * max(down, 0)
    whole = sum((x[2] - x[0]) * (x[3] - x[1]) for x in (a, b)) - common
    return common / whole if whole > 0 else 0.0


def matched(first: Sequence[Found], second: Sequence[Found], least: float) -> list[tuple[int, int]]:
    if not first or not second:
        return []
    shared = np.array([[iou(a[1], b[1]) for b in second] for a in first])
    shared[shared < least] = 0
    pairs = zip(*linear_sum_assignment(-shared), strict=True)
    return [(i, j) for i, j in pairs if shared[i, j] > 0]


def some(random: np.random.Generator, jitter: float, names: Sequence[str] = WORDS) -> list[Found]:
    found = []
    for at in range(random.integers(0, 5)):
        left, top = np.clip(at / 5 + random.normal(0, jitter, 2), 0, 0.8)
        box = (left, top, min(left + 0.25, 1), min(top + 0.2, 1))
        found.append((str(random.choice(names)), box, random.uniform(0.2, 1)))
    return found


def drawn(seed: int, images: int = 40) -> dict[str, dict[str, list[Found]]]:
    random = np.random.default_rng(seed)
    names = [f"{n:03}.jpg" for n in range(images)]
    return {rater: {n: some(random, 0.03) for n in names} for rater in ("one", "other", "third")}


@pytest.fixture(scope="module")
def said() -> dict[str, dict[str, list[Found]]]:
    return drawn(3)


@pytest.fixture(scope="module")
def study(said, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("objects"), said)


@pytest.mark.parametrize("least", [0.3, 0.5, 0.75])
def test_boxes_are_matched_as_by_a_loop_over_images(study: Path, said, least: float) -> None:
    found = compared(study, "one", "other")
    hits, overlaps, first, second, alike = 0, 0.0, 0, 0, 0
    for name, mine in said["one"].items():
        theirs = said["other"][name]
        pairs = matched(mine, theirs, least)
        hits, first, second = hits + len(pairs), first + len(mine), second + len(theirs)
        overlaps += sum(iou(mine[i][1], theirs[j][1]) for i, j in pairs)
        alike += sum(mine[i][0] == theirs[j][0] for i, j in pairs)
    truth = {
        "precision": hits / first,
        "recall": hits / second,
        "f1": 2 * hits / (first + second),
        "mean_iou": overlaps / hits,
        "panoptic_quality": overlaps / ((first + second) / 2),
    }
    assert {name: value(found, name, at=least) for name in truth} == pytest.approx(truth)
    if least == 0.5:
        assert value(found, "same_name", at=0.5, level="exact") == pytest.approx(alike / hits)


def test_counts_agree_as_by_hand(study: Path, said) -> None:
    found = compared(study, "one", "other")
    table = np.array([[len(said[r][n]) for r in ("one", "other")] for n in said["one"]], float)
    assert value(found, "count_equal") == pytest.approx((table[:, 0] == table[:, 1]).mean())
    away = np.abs(table[:, 0] - table[:, 1]).mean()
    assert value(found, "count_mean_absolute_difference") == pytest.approx(away)
    n, k = table.shape
    mean = table.mean()
    ms_rows = k * ((table.mean(1) - mean) ** 2).sum() / (n - 1)
    ms_columns = n * ((table.mean(0) - mean) ** 2).sum() / (k - 1)
    rest = table - table.mean(1)[:, None] - table.mean(0)[None] + mean
    ms_error = (rest**2).sum() / ((n - 1) * (k - 1))
    icc = (ms_rows - ms_error) / (ms_rows + (k - 1) * ms_error + k * (ms_columns - ms_error) / n)
    assert value(found, "count_icc") == pytest.approx(icc)


def test_one_class_is_measured_on_its_own(study: Path, said) -> None:
    found = compared(study, "one", "other")
    sides = [{n: [f for f in them if f[0] == "qqx"] for n, them in said[r].items()}
             for r in ("one", "other")]  # fmt: skip
    hits = sum(len(matched(sides[0][n], sides[1][n], 0.5)) for n in sides[0])
    truth = hits / sum(map(len, sides[0].values()))
    at = {"level": "crosswalk", "thing": "qqx"}
    assert value(found, "precision", at=0.5, **at) == pytest.approx(truth)
    equal = np.mean([len(sides[0][n]) == len(sides[1][n]) for n in sides[0]])
    assert value(found, "count_equal", **at) == pytest.approx(equal)


def test_how_far_apart_an_image_is(study: Path, said) -> None:
    (apart,) = compared(study, "one", "other").parts[0].apart
    truth = []
    for name, mine in said["one"].items():
        both = len(mine) + len(said["other"][name])
        hits = len(matched(mine, said["other"][name], 0.5))
        truth.append(1 - 2 * hits / both if both else 0)
    assert apart.distance.tolist() == pytest.approx(truth)


# Whose turn it is, copies, other words


MIRRORED = {"precision": "recall", "recall": "precision"}


def numbers(found: Comparison) -> dict[tuple[object, ...], float | None]:
    return {(r.measure, r.raters, r.level, r.thing, r.at): r.estimate.value for r in rows(found)}


def test_the_order_of_raters_changes_nothing_but_direction(study: Path) -> None:
    there, back = numbers(compared(study, "one", "other")), numbers(compared(study, "other", "one"))
    assert len(there) == len(back)
    for (measure, raters, *rest), number in there.items():
        turned = back[MIRRORED.get(measure, measure), raters[::-1], *rest]
        assert number == pytest.approx(turned, abs=1e-12), (measure, rest)


def test_another_rater_changes_no_number_of_a_pair(study: Path) -> None:
    alone, all_three = numbers(compared(study, "one", "other")), numbers(compared(study))
    pairs = {key: number for key, number in alone.items() if key[1] == ("one", "other")}
    pairs = {key: number for key, number in pairs.items() if key[0] != "box_alpha"}
    assert {key: all_three[key] for key in pairs} == pairs


def test_copies_under_one_source_change_no_value(said, study: Path, tmp_path: Path) -> None:
    copies = {rater: {**them, **{f"copy-{n}": f for n, f in them.items()}}
              for rater, them in said.items()}  # fmt: skip
    table = [(n, n.removeprefix("copy-")) for n in copies["one"]]
    source = coded(tmp_path / "s.csv", *table, columns="image,source") + ":source"
    found = compared(made(tmp_path, copies), source=source)
    there, once = numbers(found), numbers(compared(study))
    assert len(there) == len(once)
    for (measure, *rest), number in once.items():  # an ICC, and alpha, count n - 1 units
        least = 0.01 if measure in ("count_icc", "box_alpha") else 1e-12
        assert there[measure, *rest] == pytest.approx(number, abs=least), (measure, rest)
    row = find(rows(found), "f1", ("one", "other"), at=0.5)
    assert row.estimate.n == 2 * row.estimate.clusters
    assert "of sources" in row.estimate.method


def test_other_words_for_the_same_change_nothing(said, study: Path, tmp_path: Path) -> None:
    new = {word: f"{word}r" for word in WORDS}
    renamed = {rater: {n: [(new[f[0]], *f[1:]) for f in found] for n, found in them.items()}
               for rater, them in said.items()}  # fmt: skip
    found = numbers(compared(made(tmp_path, renamed)))
    for (measure, raters, level, thing, at), number in numbers(compared(study)).items():
        assert found[measure, raters, level, new.get(thing, ""), at] == number


def test_the_consensus_does_not_depend_on_who_is_first(study: Path) -> None:
    there = numbers(compared(study, "one", "other", "third"))
    back = numbers(compared(study, "third", "other", "one"))
    for (measure, raters, *rest), number in there.items():
        if measure.startswith("consensus_") or measure == "box_alpha":
            assert number == pytest.approx(back[measure, raters[::-1], *rest]), measure


# Little, or nothing


BOX = (0.1, 0.1, 0.5, 0.5)


def test_images_in_which_neither_draws_say_nothing_about_boxes(tmp_path: Path) -> None:
    one = {"a.jpg": [("qqx", BOX, 0.9)], "b.jpg": [], "c.jpg": []}
    other = {"a.jpg": [("qqx", BOX, 0.9)], "b.jpg": [], "c.jpg": [("qqx", BOX, 0.9)]}
    found = compared(made(tmp_path, {"one": one, "other": other}))
    row = find(rows(found), "f1", at=0.5)
    assert (row.estimate.value, row.estimate.n) == (pytest.approx(2 / 3), 2)
    assert value(found, "count_equal") == pytest.approx(2 / 3)
    assert found.parts[0].apart[0].distance.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a.jpg": []}, {"a.jpg": []}),
        ({"a.jpg": []}, {"a.jpg": [("qqx", BOX, 0.5)]}),
        ({"a.jpg": [("qqx", BOX, 0.5)]}, {"b.jpg": [("qqx", BOX, 0.5)]}),
        ({"a.jpg": [("qqx", (0, 0, 0, 0), 0.5)]}, {"a.jpg": [("qqx", (0, 0, 0, 0), 0.5)]}),
        ({"a.jpg": [("qqx", (0.2, 0, 0.2, 1), 0.5)]}, {"a.jpg": [("qqx", (0, 0, 1, 1), 0.5)]}),
    ],
)
def test_nothing_to_compare_has_reasons_and_no_number(tmp_path: Path, one, other) -> None:
    found = compared(made(tmp_path, {"one": one, "other": other}))
    for row in rows(found):
        assert row.estimate.value is not None or row.estimate.reason
        assert row.estimate.low is None
    assert value(found, "mean_iou", at=0.5) is None
    assert "nan" not in json.dumps([row.row() for row in rows(found)]).lower().replace('nan"', "")


def test_boxes_on_the_border_are_boxes(tmp_path: Path) -> None:
    whole = {"a.jpg": [("qqx", (0, 0, 1, 1), 0.5), ("qqx", (0.9, 0.9, 1, 1), 0.5)]}
    found = compared(made(tmp_path, {"one": whole, "other": whole}))
    assert value(found, "f1", at=0.75) == 1
    assert value(found, "mean_iou", at=0.75) == 1


def test_two_alike_boxes_are_not_one(tmp_path: Path) -> None:
    twice = {"a.jpg": [("qqx", BOX, 0.9), ("qqx", BOX, 0.8)]}
    found = compared(made(tmp_path, {"one": twice, "other": {"a.jpg": [("qqx", BOX, 0.9)]}}))
    assert (value(found, "precision", at=0.5), value(found, "recall", at=0.5)) == (0.5, 1)


# Names


def test_a_broader_name_is_no_contradiction_and_case_none_at_all(tmp_path: Path) -> None:
    one = {"a.jpg": [("dog", BOX, 0.9)], "b.jpg": [("Dog", BOX, 0.9)], "c.jpg": [("cat", BOX, 0.9)]}
    other = {
        "a.jpg": [("animal", BOX, 0.9)],
        "b.jpg": [("DOG", BOX, 0.9)],
        "c.jpg": [("dog", BOX, 0.9)],
    }
    found = compared(made(tmp_path, {"one": one, "other": other}))
    assert value(found, "same_name", at=0.5, level="exact") == pytest.approx(1 / 3)
    assert value(found, "same_name", at=0.5, level="crosswalk") == pytest.approx(2 / 3)


def test_a_word_for_other_images_is_a_word_too(tmp_path: Path) -> None:
    """The other can say dog: it did, of an image that the first never saw. Its silence counts."""
    one = {"a.jpg": [("dog", BOX, 0.9)], "b.jpg": []}
    other = {"a.jpg": [], "b.jpg": [], "z.jpg": [("dog", BOX, 0.9)]}
    found = compared(made(tmp_path, {"one": one, "other": other}))
    at = {"level": "crosswalk", "thing": "dog"}
    assert value(found, "precision", at=0.5, **at) == 0
    assert value(found, "count_equal", **at) == 0.5


def test_hostile_names_are_names(tmp_path: Path) -> None:
    names = ["<script>alert(1)</script>", "=cmd|' /C calc'!A0", "\u202etxt.exe", "a\nb"]
    them = {f"{at}.jpg": [(name, BOX, 0.9)] for at, name in enumerate(names)}
    found = compared(made(tmp_path, {"one": them, "other": them}))
    assert value(found, "same_name", at=0.5, level="exact") == 1
    assert len({row.thing for row in rows(found)}) == 1 + len(names)


# Versions


def test_two_versions_of_one_provider_are_two_raters(tmp_path: Path) -> None:
    maker = Maker(tmp_path / "study.db")
    for version, box in (("v1", BOX), ("v2", (0.1, 0.1, 0.5, 0.4))):
        them = {f"{n}.jpg": objects(("qqx", box, 0.9)) for n in range(3)}
        maker.answered("one", Task.OBJECTS, them, revision=version)
    with pytest.raises(UsageError, match="two raters are needed"):
        compared(maker.path)
    found = compared(maker.path, "one@v1", "new=one@v2")
    assert found.parts[0].notes == []
    assert value(found, "mean_iou", ("one@v1", "new"), at=0.5) == pytest.approx(0.75)
    with pytest.raises(UsageError, match="fits no version of one"):
        compared(maker.path, "one@v1", "one@v3")
    with pytest.raises(UsageError, match="the very same answers"):
        compared(maker.path, "a=one@v1", "b=one@v1")


# Gold


SIZE = (400, 200)


def annotated(said: Said, crowd: Iterable[int] = ()) -> dict[str, object]:
    names = {name: number for number, name in enumerate(said, 1)}
    kinds = sorted({found[0] for them in said.values() for found in them})
    boxes = []
    for name, them in said.items():
        for kind, (left, top, right, bottom), _ in them:
            box = [
                left * SIZE[0],
                top * SIZE[1],
                (right - left) * SIZE[0],
                (bottom - top) * SIZE[1],
            ]
            boxes.append({"id": len(boxes) + 1, "image_id": names[name], "bbox": box,
                          "category_id": kinds.index(kind) + 1, "area": box[2] * box[3],
                          "iscrowd": int(len(boxes) in set(crowd))})  # fmt: skip
    return {
        "images": [{"id": n, "file_name": name, "width": SIZE[0], "height": SIZE[1]}
                   for name, n in names.items()],
        "categories": [{"id": n, "name": kind} for n, kind in enumerate(kinds, 1)],
        "annotations": boxes,
    }  # fmt: skip


def by_pycocotools(document: dict[str, object], found: Said) -> dict[str, float]:
    ids = {image["file_name"]: image["id"] for image in document["images"]}
    kinds = {kind["name"]: kind["id"] for kind in document["categories"]}
    results = [
        {"image_id": ids[name], "category_id": kinds[kind], "score": score,
         "bbox": [box[0] * SIZE[0], box[1] * SIZE[1],
                  (box[2] - box[0]) * SIZE[0], (box[3] - box[1]) * SIZE[1]]}
        for name, them in found.items() for kind, box, score in them
    ]  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = document
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    stats = evaluation.stats
    return {"AP": stats[0], "AP50": stats[1], "AP75": stats[2], "AR100": stats[8]}


@pytest.mark.parametrize("known", [True, False])
def test_average_precision_is_that_of_pycocotools(study, said, tmp_path, known: bool) -> None:
    """With crowds, and whether or not the study knows how large its images are."""
    document = annotated(said["third"], crowd=[3, 11, 20])
    gold = tmp_path / "gold.json"
    gold.write_text(json.dumps(document))
    path = tmp_path / "study.db"
    path.write_bytes(study.read_bytes())
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        sizes = SIZE if known else (None, None)
        db.execute("UPDATE images SET width = ?, height = ?", sizes)
    found = compared(path, "one", "other", codes=[str(gold)], gold="gold")
    for name, truth in by_pycocotools(document, said["one"]).items():
        measure = value(found, f"coco_{name}", ("gold", "one"), level="crosswalk")
        assert measure == pytest.approx(truth, abs=1e-9), name
    notes = found.parts[0].notes
    assert "gold: 3 boxes around crowds are left out of everything but AP." in notes
    assert any(note.startswith("AP of one is over 3 of 3 classes") for note in notes)


def test_crowds_are_no_misses(tmp_path: Path) -> None:
    them = {"a.jpg": [("qqx", BOX, 0.9)]}
    gold = tmp_path / "gold.json"
    both = {"a.jpg": [("qqx", BOX, 1), ("qqx", (0, 0, 1, 1), 1)]}
    gold.write_text(json.dumps(annotated(both, crowd=[1])))
    found = compared(made(tmp_path, {"one": them}), codes=[str(gold)])
    assert value(found, "recall", ("one", "gold"), at=0.5) == 1
    assert value(found, "count_equal", ("one", "gold")) == 1


def test_boxes_without_a_score_have_no_average_precision(tmp_path: Path) -> None:
    maker = Maker(tmp_path / "study.db")
    score = Score(Scale.UNCALIBRATED, math.nan)
    them = {f"{n}.jpg": Annotation(objects=(Object("qqx", score, Box(*BOX)),)) for n in range(6)}
    maker.answered("one", Task.OBJECTS, them)
    rows_ = [(name, "qqx", *BOX) for name in them]
    gold = coded(tmp_path / "g.csv", *rows_, columns="image,label,x_min,y_min,x_max,y_max")
    found = compared(maker.path, codes=[gold], gold="g")
    row = find(rows(found), "coco_AP", level="crosswalk")
    assert row.estimate.value is None
    assert "without a score" in row.estimate.reason
    assert value(found, "f1", ("one", "g"), at=0.5) == 1


def test_a_class_that_gold_has_and_nobody_names_is_told(tmp_path: Path) -> None:
    them = {"a.jpg": [("qqx", BOX, 0.9)]}
    gold = tmp_path / "gold.json"
    gold.write_text(
        json.dumps(annotated({"a.jpg": [("qqx", BOX, 1), ("qqy", (0.6, 0.6, 1, 1), 1)]}))
    )
    found = compared(made(tmp_path, {"one": them}), codes=[str(gold)], gold="gold")
    assert value(found, "coco_AP", ("gold", "one"), level="crosswalk") == pytest.approx(1)
    assert "AP of one is over 1 of 2 classes of gold: those that it has named in any image." in (
        found.parts[0].notes
    )


def test_only_images_that_were_looked_at_for_boxes_count(tmp_path: Path) -> None:
    """Who coded b.jpg as a whole, and drew in a.jpg alone, has not said that b.jpg has nothing."""
    them = {
        "a.jpg": [("qqx", BOX, 0.9)],
        "b.jpg": [("qqx", BOX, 0.9)],
        "c.jpg": [("qqx", BOX, 0.9)],
    }
    gold = coded(
        tmp_path / "ann.csv", ("a.jpg", "qqx", *BOX), ("b.jpg", "night", "", "", "", ""),
        ("c.jpg", "", "", "", "", ""), columns="image,label,x_min,y_min,x_max,y_max",
    )  # fmt: skip
    found = compared(made(tmp_path, {"one": them}), codes=[gold])
    row = find(rows(found), "f1", ("one", "ann"), at=0.5)
    assert (row.estimate.n, row.estimate.value) == (2, pytest.approx(2 / 3))
    assert {r.thing for r in rows(found)} == {"", "qqx"}
