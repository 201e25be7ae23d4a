"""Rows of a crosswalk by tier: what identifiers state, what words mean, what vectors propose."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visionhub.analysis.vocabulary.crosswalk import Crosswalk, Row
from visionhub.analysis.vocabulary.propose import propose
from visionhub.analysis.vocabulary.terms import Term, Terms

Said = tuple[str, str, str, str]


def said(table: Crosswalk, decision: str = "automatic", tier: str = "") -> set[Said]:
    """label_a, relation, label_b, source without its tier."""
    return {
        (r.label_a, r.relation, r.label_b, r.source.partition(": ")[2])
        for r in table
        if r.decision == decision and r.tier.startswith(tier)
    }


def test_one_mid_under_two_spellings_is_one_thing() -> None:
    """The more frequent one is what the others are put with, in any vocabulary."""
    mid = "/m/0195fx"
    terms = Terms(
        [
            Term("labels", "subway", mid, mass=3),
            Term("labels", "metro station", mid, mass=7),
            Term("objects", "Metro", mid, mass=1),
            Term("labels", "dog", "/m/0bt9lr"),
        ]
    )
    assert {
        ("subway", "exact", "metro station", f"mid {mid}"),
        ("Metro", "exact", "metro station", f"mid {mid}"),
    } < said(propose(terms), tier="identifier")


def test_synsets_classes_and_mids_have_their_place_in_wordnet() -> None:
    terms = Terms(
        [
            Term("imagenet-1k", "whatever it is called", "n02106030"),
            Term("coco-80", "dog", "18"),
            Term("coco-80", "dog", None),
            Term("other", "Hund", "/m/0bt9lr"),
            Term("other", "Bicycle helmet", "/m/03p3bw"),
            Term("other", "18", "18"),
        ]
    )
    found = said(propose(terms), tier="identifier")
    assert found == {
        ("whatever it is called", "exact", "n02106030 collie", "WordNet synset"),
        ("dog", "exact", "n02084071 dog", "class dog of coco-80"),
        ("Hund", "exact", "n02084071 dog", "mid /m/0bt9lr is Dog of open-images"),
        ("Bicycle helmet", "narrower", "n03513137 helmet", "mid /m/03p3bw is Bicycle helmet of "
         "open-images"),
    }  # fmt: skip


def test_a_mid_that_coco_has_for_something_narrower_keeps_its_own_meaning() -> None:
    """COCO's tennis racket goes by the mid of the racket, its dining table by that of the table."""
    terms = Terms([Term("g", "Racket", "/m/0dv9c"), Term("coco-80", "tennis racket", "43")])
    assert {(a, b) for a, _, b, _ in said(propose(terms), tier="identifier")} == {
        ("Racket", "n04039381 racket"),
        ("tennis racket", "n04409806 tennis racket"),
    }


def test_a_class_that_is_no_synset_is_found_by_its_mid() -> None:
    terms = Terms([Term("coco-80", "stop sign", "13"), Term("g", "Stop sign", "/m/02pv19", mass=1)])
    rows = said(propose(terms), tier="identifier")
    assert ("stop sign", "exact", "Stop sign", "mid /m/02pv19") in rows


def test_what_a_vendor_says_of_its_labels() -> None:
    terms = Terms(
        [
            Term("r", "Cell Phone", None, ("Electronics", "Phone"), ("Mobile Phone", "Handy"),
                 ("Technology and Computing",), mass=2),
            Term("r", "Mobile Phone", mass=1),
        ]
    )  # fmt: skip
    table = propose(terms)
    assert {
        ("Cell Phone", "narrower", "Electronics", "parents"),
        ("Cell Phone", "narrower", "Phone", "parents"),
        ("Cell Phone", "exact", "Mobile Phone", "aliases"),
        ("Cell Phone", "related", "Technology and Computing", "categories"),
    } == said(table, tier="identifier")
    [category] = [row for row in table if row.relation == "related"]
    assert category.vocabulary_b == "r categories"
    words = said(table, tier="words")
    assert {(a, b.partition(" ")[2]) for a, _, b, _ in words} == {
        ("Cell Phone", "cellular telephone"),  # once for both names
        ("Electronics", "electronic equipment"),  # which nobody emits
        ("Phone", "telephone"),
    }


def test_one_name_for_two_things_is_told_apart() -> None:
    terms = Terms(
        [
            Term("imagenet-1k", "crane", "n02012849", mass=1),
            Term("imagenet-1k", "crane", "n03126707", mass=2),
            Term("g", "Crane", None, mass=5),
        ]
    )
    table = propose(terms)
    assert {(r.label_a, r.label_b) for r in table if r.tier == "identifier"} == {
        ("crane [n02012849]", "n02012849 crane"),
        ("crane [n03126707]", "n03126707 crane"),
    }
    assert said(table, "") == set()  # the vocabulary itself tells the bird from the machine


def test_one_word_taken_for_two_things_is_to_be_looked_at() -> None:
    """WordNet's number of ImageNet's cup says that it is a punch."""
    terms = Terms([Term("imagenet-1k", "cup", "n07930864"), Term("coco-80", "cup", "47")])
    assert said(propose(terms), "") == {
        ("cup", "exact", "cup", "the same word, taken for two things")
    }


def test_the_same_word_says_more_than_a_guess_of_its_sense() -> None:
    """A Cup without a number was guessed to be what one drinks from: no reason to split it off."""
    cup = Term("imagenet-1k", "cup", "n07930864", mass=9)
    terms = [cup, Term("g", "Cup"), Term("r", "Cups")]
    same = "the same word, taken for two things"
    found = {row for row in said(propose(Terms(terms))) if row[3] == same}
    assert found == {("cup", "exact", "Cup", same), ("cup", "exact", "Cups", same)}
    both = propose(Terms([*terms, Term("coco-80", "cup", "47")]))
    assert not {
        row for row in said(both) if row[3] == same
    }  # two numbers, two meanings: a question
    assert {row for row in said(both, "") if row[3] == same}


def test_equal_words_that_wordnet_lacks_are_one() -> None:
    terms = Terms([Term("a", "Selfies", mass=1), Term("b", "selfie", mass=9), Term("b", "Selfie")])
    assert said(propose(terms)) == {
        ("Selfies", "exact", "selfie", "the same word"),
        ("Selfie", "exact", "selfie", "the same word"),
    }


def test_equal_labels_without_a_letter_are_one() -> None:
    terms = Terms([Term("a", "🙂", mass=2), Term("b", "🙂"), Term("b", "🙃"), Term("a", "!?")])
    assert said(propose(terms)) == {("🙂", "exact", "🙂", "the same word")}


def test_a_word_has_the_score_of_its_senses() -> None:
    table = propose(Terms([Term("a", "Collie"), Term("a", "Dog")]))
    assert {(r.label_a, r.score) for r in table} == {("Collie", 1.0), ("Dog", 1 / 7)}


@pytest.mark.parametrize(
    ("label", "head"),
    [
        ("road bicycle", "bicycle"),
        ("skin head percussion instrument", "percussion instrument"),
        ("mode of transport", "manner"),
        ("surfing equipment and supplies", None),  # two heads
        ("Asdfgh", None),
        ("of the asdfgh", None),
    ],
)
def test_what_a_compound_is_a_kind_of_is_only_proposed(label: str, head: str | None) -> None:
    table = propose(Terms([Term("a", label)]))
    assert [(r.relation, r.label_b.partition(" ")[2]) for r in table] == (
        [("narrower", head)] if head else []
    )
    assert not list(table.used)


def test_labels_without_a_letter_are_no_words() -> None:
    assert said(propose(Terms([Term("a", "…"), Term("b", "—")]))) == set()


CLOSE = {
    "Gendarme": (1.0, 0.0, 0.0),
    "Rozzers": (0.9, np.sqrt(1 - 0.81), 0.0),
    "Asdfgh": (0.0, 0.0, 1.0),
    "Xyzzy Rozzers": (0.8, 0.6, 0.0),
}


def embed(names: Sequence[str]) -> np.ndarray:
    return np.array([CLOSE[name] for name in names], dtype=np.float32)


def neighbours(*terms: Term, threshold: float | None = None) -> list[Row]:
    return [r for r in propose(Terms(terms), embed, threshold) if r.tier == "vectors"]


def test_neighbours_are_proposed_above_the_threshold_and_never_used() -> None:
    names = [Term("a", "Rozzers"), Term("b", "Gendarme"), Term("b", "Asdfgh")]
    [found] = neighbours(*names)
    assert (found.label_a, found.relation, found.label_b) == ("Rozzers", "exact", "Gendarme")
    assert (found.score, found.decision, found.counts) == (0.9, "", False)
    assert neighbours(*names, threshold=0.95) == []
    assert len(neighbours(*names, threshold=-1)) == 2


def test_neighbours_are_looked_for_only_where_nothing_else_was_found() -> None:
    """A label that words have mapped to the other vocabulary has no need of them."""
    assert neighbours(Term("a", "Rozzers"), Term("b", "rozzers"), Term("b", "Gendarme")) == [
        Row("b", "Gendarme", "a", "Rozzers", "exact", "vectors: cosine of minilm-l6-int8", 0.9, "",
            "1")
    ]  # fmt: skip
    assert neighbours(Term("a", "Rozzers"), Term("a", "Gendarme")) == []  # one vocabulary


def test_a_neighbour_that_ends_alike_is_asked_for_as_a_kind() -> None:
    found = neighbours(Term("a", "Xyzzy Rozzers"), Term("b", "Rozzers"), threshold=0.5)
    assert [(r.label_a, r.relation, r.label_b) for r in found] == [
        ("Xyzzy Rozzers", "narrower", "Rozzers")
    ]


@given(st.permutations(range(9)))
def test_the_same_terms_make_the_same_table(order: list[int]) -> None:
    terms = [
        Term("a", "Dog", mass=2),
        Term("b", "hound"),
        Term("a", "cat"),
        Term("b", "Cats"),
        Term("b", "Selfie"),
        Term("a", "selfie"),
        Term("imagenet-1k", "cup", "n07930864"),
        Term("coco-80", "cup", "47"),
        Term("a", "Tasse", "/m/08gqpm"),
    ]
    assert propose(Terms(terms[i] for i in order)).sha256 == propose(Terms(terms)).sha256


def test_nothing_gives_nothing() -> None:
    assert len(propose(Terms([]))) == 0


@pytest.mark.models
def test_the_packaged_vectors() -> None:
    """Words used alike are near, and a word's vector does not depend on its company."""
    from visionhub.analysis.vocabulary.vectors import minilm

    found = minilm(lambda line: None)
    alone, beside = found(["police"]), found(["police", "law enforcement", "sky"])
    np.testing.assert_array_equal(alone[0], beside[0])
    assert np.linalg.norm(beside, axis=1) == pytest.approx(1, abs=1e-5)
    near, far = beside[0] @ beside[1], beside[0] @ beside[2]
    assert near == pytest.approx(0.76, abs=0.05)
    assert far == pytest.approx(0.26, abs=0.08)
