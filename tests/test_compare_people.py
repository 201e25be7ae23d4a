"""People beside providers: what codes mean, what was left open, and who is the odd one out."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from tests.compared import Maker, coded, labels
from visionhub.analysis.codes import Code, Codes
from visionhub.analysis.codes_read import coders
from visionhub.analysis.compare import Comparison, Wanted, compare
from visionhub.analysis.measured import Measured, find
from visionhub.analysis.naming import Names, read_sources
from visionhub.analysis.part import Part
from visionhub.analysis.resample import Resampling
from visionhub.analysis.settings import Settings
from visionhub.analysis.vocabulary.codebook import Codebook
from visionhub.errors import UsageError
from visionhub.schema import Task
from visionhub.store.study import StudyFile

QUICK = Resampling(draws=200)
NAMES = tuple(f"{letter}.jpg" for letter in "abcdefgh")
# What the providers say of each image: whether there is a dog.
ONE = (1, 1, 1, 0, 0, 0, 1, 0)
OTHER = (1, 1, 0, 0, 0, 1, 1, 0)


def said(flags: Sequence[int], word: str = "dog") -> dict[str, object]:
    return {
        n: labels(word, "sky") if yes else labels("sky")
        for n, yes in zip(NAMES, flags, strict=True)
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    maker = Maker(tmp_path_factory.mktemp("people") / "study.db")
    maker.answered("one", Task.LABELS, said(ONE))
    maker.answered("other", Task.LABELS, said(OTHER, "Dog"))
    return maker.path


Compared = Callable[..., Comparison]


@pytest.fixture
def compared(made: Path, tmp_path: Path) -> Compared:
    """Compare with a table of codes."""

    def run(
        *rows: Sequence[object], columns: str = "image,label,coder,value", **more: object
    ) -> Comparison:
        with StudyFile(made) as study:
            path = coded(tmp_path / "codes.csv", *rows, columns=columns)
            people = coders(study, [path]) if rows else []
            return compare(study, Wanted(coders=people, settings=Settings(QUICK), **more))

    return run


def part_of(found: Comparison, task: str = "labels") -> Part:
    return next(part for part in found.parts if part.task == task)


def row_of(found: Comparison, measure: str, *raters: str, task: str = "labels", **more) -> Measured:
    row = find(part_of(found, task).rows, measure, raters, **more)
    assert row is not None, (measure, raters, more)
    return row


def cells(found: Comparison, *raters: str, thing: str = "dog") -> tuple[int, ...]:
    rows = [
        row
        for row in part_of(found).tables["cells"]
        if (row["a"], row["b"], row["thing"], row["level"]) == (*raters, thing, "crosswalk")
    ]
    return tuple(rows[0][name] for name in ("both", "only_a", "only_b", "neither"))


# What a code means


def test_a_no_that_was_coded_is_a_no_and_silence_beside_it_is_none(compared: Compared) -> None:
    """The coder decided about four images of eight; the other four are left out, not counted no."""
    values = dict(zip(NAMES, (1, 0, 1, 0), strict=False))
    rows = [(name, "dog", "ann", value) for name, value in values.items()]
    rows += [(name, "sky", "ann", 1) for name in NAMES]
    found = compared(*rows)
    assert cells(found, "one", "ann") == (2, 1, 0, 1)
    kappa = row_of(found, "cohen_kappa", "one", "ann", level="crosswalk", thing="dog").estimate
    assert kappa.value == pytest.approx(cohen_kappa_score(ONE[:4], [1, 0, 1, 0]))
    assert kappa.n == 4
    assert cells(found, "one", "ann", thing="sky") == (8, 0, 0, 0)
    note = next(note for note in part_of(found).notes if note.startswith("ann "))
    assert "dog" in note
    assert "sky" not in note


def test_who_never_codes_a_no_has_looked_everywhere(compared: Compared) -> None:
    rows = [(name, "dog", "ann", "") for name in NAMES[:3]]
    rows += [(name, "", "ann", "") for name in NAMES[3:7]]
    found = compared(*rows)
    assert cells(found, "one", "ann") == (3, 1, 0, 3)
    assert part_of(found).notes == []
    assert row_of(found, "jaccard", "one", "ann", level="exact").estimate.n == 7


def test_could_not_tell_is_neither_yes_nor_no(compared: Compared) -> None:
    for word in ("?", "NA", "n/a", "NaN"):
        rows = [(name, "dog", "ann", 1) for name in NAMES[:2]]
        rows += [(NAMES[3], "", "ann", ""), (NAMES[2], "dog", "ann", word)]
        assert cells(compared(*rows), "one", "ann") == (2, 0, 0, 1)


def test_a_label_that_is_always_coded_no_is_compared(compared: Compared) -> None:
    """Forty noes beside a provider's yeses are disagreement, not a word that the coder lacks."""
    rows = [
        (name, label, "ann", value) for name in NAMES for label, value in (("dog", 0), ("sky", 1))
    ]
    found = compared(*rows)
    assert cells(found, "one", "ann") == (0, 4, 0, 4)
    jaccard = row_of(found, "jaccard_comparable", "one", "ann", level="crosswalk").estimate
    assert jaccard.value == pytest.approx((4 * 1 + 4 * 0.5) / 8)
    alpha = row_of(found, "alpha_nominal", level="crosswalk", thing="dog").estimate
    truth = krippendorff.alpha([ONE, OTHER, [0] * 8], level_of_measurement="nominal")
    assert alpha.value == pytest.approx(truth)


def test_words_in_other_case_and_the_codebook_keep_the_noes(compared: Compared) -> None:
    """Noes were looked up by the level's own name for a thing, which is seldom the coder's."""
    rows = [(name, "DOG", "ann", value) for name, value in zip(NAMES, (1, 1, 0), strict=False)]
    rows += [(name, "", "ann", "") for name in NAMES[3:]]
    truth = krippendorff.alpha(
        [ONE, OTHER, [1, 1, 0, *[np.nan] * 5]], level_of_measurement="nominal"
    )
    book = Codebook.read('animals = ["dog"]', "codebook.toml")
    for more, level, thing in (
        ({}, "crosswalk", "dog"),
        ({"codebook": book}, "codebook", "animals"),
    ):
        found = compared(*rows, **more)
        row = row_of(found, "alpha_nominal", "one", "other", "ann", level=level, thing=thing)
        assert row.estimate.value == pytest.approx(truth)


def test_no_of_every_narrower_word_is_no_of_the_construct(compared: Compared) -> None:
    book = Codebook.read('pets = ["dog", "cat"]', "codebook.toml")
    votes = {"a.jpg": (0, 1), "b.jpg": (0, 0), "c.jpg": (1, 0), "d.jpg": (0, ""), "e.jpg": ("", "")}
    rows = [
        (name, label, "ann", value)
        for name, pair in votes.items()
        for label, value in zip(("dog", "cat"), pair, strict=True)
        if value != ""
    ]
    rows += [("e.jpg", "sky", "ann", 1)]
    found = compared(*rows, codebook=book)
    row = next(
        row
        for row in part_of(found).tables["cells"]
        if (row["a"], row["b"], row["thing"]) == ("one", "ann", "pets")
    )
    # a, b, c are decided; of d the cat is open, of e both.
    assert [row[name] for name in ("both", "only_a", "only_b", "neither")] == [2, 1, 0, 0]


def test_ratings_are_no_labels(compared: Compared) -> None:
    """A 3 of 5 for "joy" is no yes to joy, and a coder of ratings alone is no rater of labels."""
    rows = [(name, "joy", coder, value) for coder, values in
            {"ann": (0, 1, 2, 3, 4, 3, 2, 1), "bob": (1, 1, 0, 0, 1, 0, 1, 1)}.items()
            for name, value in zip(NAMES, values, strict=True)]  # fmt: skip
    found = compared(*rows)
    assert [one.name for one in part_of(found).raters] == ["one", "other"]
    # Bob used 0 and 1 alone: it is the same scale nevertheless.
    row = row_of(found, "icc_agreement", "ann", "bob", task="ratings", thing="joy")
    assert row.estimate.n == 8
    mixed = compared(*rows, *[(name, "dog", "ann", 1) for name in NAMES])
    assert [one.name for one in part_of(mixed).raters] == ["one", "other", "ann"]
    assert "joy" not in {row["thing"] for row in part_of(mixed).tables["cells"]}


def test_what_a_person_left_open_is_told_with_the_number_of_images(compared: Compared) -> None:
    rows = [(name, word, "ann", 1) for name in NAMES[:7] for word in ("dog", "sky")]
    rows += [("a.jpg", "cat", "ann", 0), ("h.jpg", "dog", "ann", "?"), ("h.jpg", "sky", "ann", 1)]
    notes = part_of(compared(*rows)).notes
    assert any(note.startswith("ann has left labels open (dog") for note in notes)
    assert any(" in 7 of 8 images: " in note for note in notes)  # a.jpg: cat is a no
    rows = [*rows[:-3], *rows[-2:]]
    (note,) = [one for one in part_of(compared(*rows)).notes if "open" in one]
    assert note.startswith("ann has left labels open (dog) in 1 of 8 images: measures of a single")


def test_whoever_is_alone_is_told_why(compared: Compared) -> None:
    rows = [("a.jpg", "dog", "ann", 7), ("b.jpg", "dog", "ann", 1), ("a.jpg", "dog", "bob", 1)]
    with pytest.raises(UsageError) as told:
        compared(*rows, tasks=("labels",), raters=("one",))
    assert "of those that --rater names one has answered; the codes of ann, bob are" in str(
        told.value
    )
    assert "a number other than 0 and 1 was given for dog: -t ratings" in str(told.value)
    with pytest.raises(
        UsageError, match="two raters are needed, and nobody has answered; codes are"
    ):
        compared(*rows, tasks=("faces",))
    with pytest.raises(UsageError, match="-t ratings: numbers of two coders are needed, or of one"):
        compared(rows[0], rows[1], tasks=("ratings",))
    with pytest.raises(UsageError, match="--rater names one alone: name another rater beside it"):
        compared(raters=("one",))


def test_of_many_strange_images_the_first_are_named(made: Path, tmp_path: Path) -> None:
    rows = [("a.jpg", "dog", "ann", 1), *[(f"{n}.png", "dog", "ann", 1) for n in "vwxyz"]]
    (ann,) = read(made, coded(tmp_path / "codes.csv", *rows))
    some = "'v.png' (line 3), 'w.png' (line 4), 'x.png' (line 5) …"
    assert ann.notes == (f"codes.csv: 5 rows name images that the study does not hold: {some}.",)


def test_contradictions_count_as_missing_and_are_told(made: Path, tmp_path: Path) -> None:
    votes = (("a.jpg", 1), ("a.jpg", 0), ("b.jpg", 1), ("b.jpg", "yes"), ("c.jpg", "?"))
    rows = [(name, "dog", "ann", vote) for name, vote in (*votes, ("c.jpg", 0))]
    with StudyFile(made) as study:
        (ann,) = coders(study, [coded(tmp_path / "x.csv", *rows)])
        ids = dict(study.stream("SELECT path, image_id FROM paths"))
    values = ann.values("dog")
    assert math.isnan(values[ids["a.jpg"]])
    assert (values[ids["b.jpg"]], values[ids["c.jpg"]]) == (1, 0)
    assert ann.notes == (
        "x.csv: 1 times a coder said two things of one label of one image: these count as missing.",
    )


def test_images_that_only_one_has_answered_are_left_out(compared: Compared) -> None:
    found = compared(("a.jpg", "dog", "ann", 1), ("b.jpg", "dog", "ann", 0))
    assert row_of(found, "jaccard", "one", "ann", level="exact").estimate.n == 2
    assert row_of(found, "jaccard", "one", "other", level="exact").estimate.n == 8


def test_coders_of_different_images_have_nothing_to_compare(compared: Compared) -> None:
    found = compared(("a.jpg", "dog", "ann", 1), ("b.jpg", "dog", "bob", 1))
    row = row_of(found, "jaccard", "ann", "bob", level="exact")
    assert (row.estimate.value, row.estimate.reason) == (None, "no image has answers of both")
    every = [r for r in part_of(found).rows if r.raters == ("ann", "bob")]
    assert all(row.estimate.value is None and row.estimate.reason for row in every)


# Reliability


def test_each_is_left_out_in_turn(compared: Compared) -> None:
    """Three say the same, one says the reverse: without that one alpha is 1."""
    rows = [(name, "dog", "ann", yes) for name, yes in zip(NAMES, ONE, strict=True)]
    rows += [(name, "dog", "eve", 1 - yes) for name, yes in zip(NAMES, ONE, strict=True)]
    found = compared(*rows, raters=("one",))
    names = ("one", "ann", "eve")
    votes = {"one": ONE, "ann": ONE, "eve": [1 - yes for yes in ONE]}
    for out in ("", *names):
        ending = f"_without:{out}" if out else ""
        row = row_of(found, f"alpha_nominal{ending}", *names, level="crosswalk", thing="dog")
        data = [votes[name] for name in names if name != out]
        truth = krippendorff.alpha(data, level_of_measurement="nominal")
        assert row.estimate.value == pytest.approx(truth), out
    assert row_of(
        found, "alpha_nominal_without:eve", *names, level="crosswalk", thing="dog"
    ).estimate.value == pytest.approx(1)


def test_a_rater_without_a_word_for_it_is_missing_from_its_row(compared: Compared) -> None:
    """Bob codes sky alone: of dogs nothing is known from him, and his name is not in that row."""
    rows = [(name, "dog", "ann", yes) for name, yes in zip(NAMES, ONE, strict=True)]
    rows += [(name, "sky", "bob", 1) for name in NAMES]
    found = compared(*rows)
    things = {
        row.raters for row in part_of(found).rows if row.thing == "dog" and len(row.raters) > 2
    }
    assert things == {("one", "other", "ann")}


def test_two_raters_of_a_thing_have_no_matrix(compared: Compared) -> None:
    rows = [(name, "cat", "ann", yes) for name, yes in zip(NAMES, ONE, strict=True)]
    found = compared(*rows)
    assert not [row for row in part_of(found).rows if row.thing == "dog" and len(row.raters) > 2]


# The order of raters, one source, copies


def numbers(found: Comparison) -> dict[tuple[object, ...], float | None]:
    return {
        (row.measure, row.raters, row.level, row.thing, row.at): row.estimate.value
        for part in found.parts
        for row in part.rows
    }


MIRRORED = {"shared_of_a": "shared_of_b", "shared_of_a_comparable": "shared_of_b_comparable"}


def test_the_order_of_raters_changes_nothing_but_direction(compared: Compared) -> None:
    there = numbers(compared(raters=("one", "other")))
    back = numbers(compared(raters=("other", "one")))
    names = MIRRORED | {two: one for one, two in MIRRORED.items()}
    assert len(there) == len(back)
    for (measure, raters, *rest), value in there.items():
        turned = back[names.get(measure, measure), raters[::-1], *rest]
        turned = -turned if measure == "bias_index" else turned
        assert value == pytest.approx(turned, abs=1e-12), (measure, rest)


def test_another_rater_changes_no_number_of_a_pair(compared: Compared) -> None:
    alone = numbers(compared(raters=("one", "other")))
    rows = [(name, "dog", "ann", yes) for name, yes in zip(NAMES, OTHER, strict=True)]
    beside = numbers(compared(*rows, ("a.jpg", "zebra", "ann", 1)))
    assert {key: beside[key] for key in alone} == alone


def test_one_source_has_values_and_no_interval(made: Path, tmp_path: Path) -> None:
    table = coded(tmp_path / "s.csv", *[(n, "A ") for n in NAMES], columns="image,account")
    with StudyFile(made) as study:
        sources = read_sources(study, f"{table}:account")
        found = compare(study, Wanted(settings=Settings(QUICK, sources)))
        alone = compare(study, Wanted(settings=Settings(QUICK)))
    assert found.about["sources"] == "account"
    assert numbers(found) == pytest.approx(numbers(alone), nan_ok=True)
    for row in part_of(found).rows:
        assert row.estimate.low is None
        assert row.estimate.reason, row


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 1.0, math.nan]), st.booleans()), min_size=1, max_size=9
    )
)
def test_yes_no_and_open_are_all_there_is(votes: list[tuple[float, bool]]) -> None:
    rows = [
        Code("ann", at, "dog" if coded_ else "", value) for at, (value, coded_) in enumerate(votes)
    ]
    codes = Codes.of("ann", rows)
    yes = {row.image for row in rows if row.label and row.value > 0}
    no = {row.image for row in rows if row.label and row.value == 0}
    silent = {row.image for row in rows if not row.label}
    assert set(codes.answers(boxed=False).images.tolist()) == {row.image for row in rows}
    if "dog" in codes.labels:
        assert set(codes.noes("dog").tolist()) == (no or silent)
        at = codes.answers(boxed=False)
        assert set(at.images[at.at].tolist()) == yes


# Reading codes


def read(made: Path, path: str) -> list[Codes]:
    with StudyFile(made) as study:
        return coders(study, [path])


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([("a.jpg", "dog", "ann", "perhaps")], "line 2: value 'perhaps' is neither yes nor no"),
        ([("a.jpg", "dog", "ann", 1), ("b.jpg", "dog", "ann", "inf")], "line 3: value 'inf' is no"),
        ([("", "dog", "ann", 1)], "line 2: it names no image"),
        (
            [("z.jpg", "dog", "ann", 1)],
            "none of its images is in the study, such as 'z.jpg' (line 2): write",
        ),
        ([], "there are no codes in it"),
    ],
)
def test_a_bad_table_is_refused_with_its_line(made, tmp_path, rows, sentence) -> None:
    path = coded(tmp_path / "codes.csv", *rows)
    with pytest.raises(UsageError) as caught:
        read(made, path)
    assert sentence in str(caught.value)
    assert f"--codes {path}" in str(caught.value)


@pytest.mark.parametrize(
    ("box", "sentence"),
    [
        ((0, 0, 0.5, ""), "a box is x_min, y_min, x_max, y_max, four numbers"),
        ((0, 0, 2, 1), "is no box in ratios"),
        ((0.5, 0, 0.2, 1), "is no box in ratios"),
        (("nan", 0, 1, 1), "is no box in ratios"),
    ],
)
def test_a_bad_box_is_refused_with_its_line(made, tmp_path, box, sentence) -> None:
    columns = "image,label,x_min,y_min,x_max,y_max"
    path = coded(tmp_path / "b.csv", ("a.jpg", "dog", *box), columns=columns)
    with pytest.raises(UsageError, match=sentence):
        read(made, path)


@pytest.mark.parametrize("bad", ["image\na.jpg\n", "picture,label\na.jpg,dog\n", "", "\0\0\n"])
def test_a_table_without_its_columns_is_refused(made, tmp_path, bad) -> None:
    path = tmp_path / "codes.csv"
    path.write_text(bad)
    with pytest.raises(UsageError, match=r"codes\.csv"):
        read(made, str(path))


def test_a_folder_or_nothing_is_no_table(made: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        read(made, str(tmp_path))
    with pytest.raises(UsageError, match="is not there"):
        read(made, str(tmp_path / "none.csv"))


def test_empty_lines_count_for_nothing_and_strange_images_are_told(made, tmp_path) -> None:
    path = tmp_path / "codes.csv"
    path.write_text("image;label;coder\na.jpg;dog;ann\n\nz.jpg;dog;ann\nb.jpg;;bob\n")
    ann, bob = read(made, str(path))
    assert (ann.name, bob.name, bob.labels) == ("ann", "bob", ())
    told = "codes.csv: 1 row names an image that the study does not hold: 'z.jpg' (line 4)."
    assert ann.notes == (told,)
    assert bob.notes == ()


def test_one_coder_in_two_files_is_refused(made: Path, tmp_path: Path) -> None:
    paths = [coded(tmp_path / f"{n}.csv", ("a.jpg", "dog", "ann", 1)) for n in "xy"]
    with StudyFile(made) as study, pytest.raises(UsageError, match="'ann' is in two files"):
        coders(study, paths)


def test_bytes_that_are_no_text_do_no_harm(compared: Compared, made: Path, tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_bytes(b"image,label,coder\na.jpg,d\xffg,\xfe\n")
    (one,) = read(made, str(path))
    assert (one.name, one.labels) == ("\\xfe", ("d\\xffg",))


COCO = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 50},
               {"id": 2, "file_name": "nowhere.jpg", "width": 100, "height": 50},
               {"id": 3, "file_name": "b.jpg", "width": 100, "height": 50}],
    "categories": [{"id": 7, "name": "dog"}],
    "annotations": [{"image_id": 1, "category_id": 7, "bbox": [-5, 10, 25, 60]},
                    {"image_id": 2, "category_id": 7, "bbox": [0, 0, 1, 1]},
                    {"image_id": 1, "category_id": 7, "bbox": [0, 0, 9, 9], "iscrowd": 1}],
}  # fmt: skip


def coco(path: Path, **changed: object) -> str:
    path.write_text(json.dumps(COCO | changed))
    return str(path)


def test_coco_boxes_are_read_in_ratios_and_cut_to_the_picture(made: Path, tmp_path: Path) -> None:
    (gold,) = read(made, coco(tmp_path / "gold.json"))
    answers = gold.answers(boxed=True)
    assert gold.name == "gold"
    assert len(answers.images) == 2  # b.jpg was looked at, and has none
    assert answers.boxes.tolist() == [[0, 0.2, 0.2, 1]]
    assert gold.answers(boxed=True, crowds=True).numbers["crowd"].tolist() == [0, 1]
    assert not gold.of_images
    told = "gold.json: 1 row names an image that the study does not hold: 'nowhere.jpg'."
    assert gold.notes == (told,)


BOXED = {"image_id": 1, "category_id": 7, "bbox": [0, 0, 1, 1]}


@pytest.mark.parametrize(
    "changed",
    [
        {"images": 5},
        {"images": [{"file_name": "a.jpg"}]},
        {"images": [5]},
        {"categories": None},
        {"annotations": [5]},
        {"annotations": [{**BOXED, "image_id": 99}]},
        {"annotations": [{**BOXED, "image_id": []}]},
        {"annotations": [{**BOXED, "category_id": 8}]},
        {"annotations": [{**BOXED, "bbox": [0, 0, 1]}]},
        {"annotations": [{**BOXED, "bbox": [0, 0, -1, 1]}]},
        {"annotations": [{**BOXED, "bbox": [0, 0, math.nan, 1]}]},
        {"annotations": [{**BOXED, "bbox": "box"}]},
        {"images": [{"id": 1, "file_name": "a.jpg", "width": 0, "height": 50}]},
        {"images": [{"id": 1, "file_name": "a.jpg"}]},
    ],
)
def test_bad_coco_is_refused_in_one_sentence(made, tmp_path, changed) -> None:
    path = coco(tmp_path / "gold.json", **{"annotations": [BOXED]} | changed)
    with pytest.raises(UsageError) as caught:
        read(made, path)
    assert str(caught.value).startswith(f"--codes {path}")


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, "\xff", '{"images": []}'])
def test_what_is_no_coco_is_refused(made: Path, tmp_path: Path, text: str) -> None:
    path = tmp_path / "gold.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match="is no COCO JSON"):
        read(made, str(path))


# What names an image


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    maker = Maker(tmp_path_factory.mktemp("names") / "study.db")
    paths = ("x/a.jpg", "y/a.jpg", "x/b.jpg", "IMG.JPG", "x/img.jpg", "low.jpg")
    maker.answered("one", Task.LABELS, {path: labels("dog") for path in paths})
    return maker.path, maker.ids


def test_an_image_is_named_by_path_file_name_or_hash(names) -> None:
    path, ids = names
    with StudyFile(path) as study:
        known = Names(study)
        (sha,) = [
            s for i, s in study.stream("SELECT id, sha256 FROM images") if i == ids["IMG.JPG"]
        ]
    assert known.find("x/a.jpg") == ids["x/a.jpg"]
    assert known.find("a.jpg") is None  # two images have that name
    assert known.find("b.jpg") == ids["x/b.jpg"]
    assert known.find("img.jpg") == ids["x/img.jpg"]  # not IMG.JPG
    assert known.find("Img.jpg") is known.find("LOW.JPG") is None
    assert known.find(sha.upper()) == ids["IMG.JPG"]
    assert known.find("") is None
    assert known.find("a.jpg", str(path.parent / "y")) == ids["y/a.jpg"]
    assert known.find(str(path.parent / "x" / "a.jpg")) == ids["x/a.jpg"]


def test_sources_are_of_a_column_or_of_folders(names, tmp_path: Path) -> None:
    path, ids = names
    with StudyFile(path) as study:
        folders = read_sources(study, "folder")
        every = np.array(sorted(ids.values()))
        assert len(set(folders(every).tolist())) == 3  # x, y, and where the study lies
        table = coded(
            tmp_path / "t.csv", ("x/a.jpg", "one"), ("x/b.jpg", ""), ("IMG.JPG", " one "),
            columns="file_name,outlet",
        )  # fmt: skip
        outlets = read_sources(study, f"{table}:outlet")
        assert outlets.name == "outlet"
        assert outlets.of_image == {ids["x/a.jpg"]: 0, ids["IMG.JPG"]: 0}
        alone = outlets(np.array([ids["x/b.jpg"], ids["y/a.jpg"]]))
        assert len(set(alone.tolist())) == 2
        for wrong in (f"{table}:nothing", f"{tmp_path}/none.csv:x", "t.csv", ":x", f"{tmp_path}:x"):
            with pytest.raises(UsageError, match=r"^--source "):
                read_sources(study, wrong)
        empty = coded(tmp_path / "e.csv", ("q.jpg", "one"), columns="image,outlet")
        with pytest.raises(UsageError, match="none of its rows names an image"):
            read_sources(study, f"{empty}:outlet")
