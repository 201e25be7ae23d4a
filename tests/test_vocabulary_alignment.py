"""Terms become concepts: at three levels, comparable or not, mapped or not, and checked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visionhub.analysis.vocabulary.accounting import Mapped, accounting, collapses, unmapped
from visionhub.analysis.vocabulary.alignment import align
from visionhub.analysis.vocabulary.checks import findings
from visionhub.analysis.vocabulary.codebook import Codebook
from visionhub.analysis.vocabulary.crosswalk import Crosswalk, Row
from visionhub.analysis.vocabulary.level import Level
from visionhub.analysis.vocabulary.propose import propose
from visionhub.analysis.vocabulary.terms import Term, Terms

NONE = Crosswalk()


def row(a: str, relation: str, b: str, decision: str = "accepted") -> Row:
    return Row("", a, "", b, relation, decision=decision)


def terms(*names: str, vocabulary: str = "v") -> Terms:
    return Terms(Term(vocabulary, name, mass=1) for name in names)


def ids(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def concepts(level: Level, term: int) -> set[str]:
    return set(level.of_term(term))


def on(level: Level, a: np.ndarray, b: np.ndarray) -> set[str]:
    return {level.concepts[i] for i in np.flatnonzero(level.comparable(a, b))}


def test_exact_is_equal_but_for_case() -> None:
    level = align(terms("dog", "Dog", "dogs", "hot dog"), NONE).exact
    assert [level.of_term(i) for i in range(4)] == [("dog",), ("dog",), ("dogs",), ("hot dog",)]


def test_exact_rows_make_one_concept_whichever_way_they_go() -> None:
    some = terms("a", "b", "c", "d")
    rows = Crosswalk([row("a", "exact", "b"), row("c", "exact", "b"), row("c", "related", "d")])
    level = align(some, rows).crosswalk
    assert concepts(level, 0) == concepts(level, 1) == concepts(level, 2)
    assert concepts(level, 3) == {"d"}


def test_a_concept_goes_by_its_synset_else_its_mid_else_its_word() -> None:
    some = Terms(
        [
            Term("v", "Collie", "/m/02kcj6", mass=1),
            Term("v", "Lens flares", "/m/01_", mass=1),
            Term("v", "Lens Flare", None, mass=5),
            Term("v", "Selfies", None, mass=1),
            Term("w", "Xyzzy", mass=1),
            Term("w", "xyzzy!", mass=1),
        ]
    )
    no = row("xyzzy!", "exact", "Xyzzy", "rejected")
    level = align(some, Crosswalk([no]).merged(propose(some))).crosswalk
    own = [level.of_term(i)[0] for i in range(6)]
    assert own == ["n02106030", "/m/01_", "/m/01_", "selfies", "xyzzy", "xyzzy (2)"]
    names = dict(zip(level.concepts, level.labels, strict=True))
    assert names["n02106030"] == "collie"
    assert names["/m/01_"] == "lens flare"


def test_both_sides_are_expanded_to_what_is_broader() -> None:
    some = terms("collie", "Dog", "mammal", "asdf")
    rows = propose(some)
    level = align(some, rows).crosswalk
    assert concepts(level, 0) == {"n02106030", "n02084071", "n01861778"}
    assert concepts(level, 1) == {"n02084071", "n01861778"}
    assert [bool(flag) for flag in level.own[: level.starts[1]]] == [True, False, False]
    broader = align(some, Crosswalk([*rows, row("mammal", "broader", "asdf")])).crosswalk
    assert concepts(broader, 3) == {"asdf", "n01861778"}


def test_concepts_that_nobody_says_are_in_no_array() -> None:
    """Everything is an entity: that is left out before anything is counted."""
    level = align(terms("collie", "Chair"), propose(terms("collie", "Chair"))).crosswalk
    assert set(level.concepts) == {"n02106030", "n03001627"}


def test_what_only_one_rater_has_words_for_is_not_compared() -> None:
    """Trap a: an absent label of an open vocabulary is no "no"."""
    some = terms("collie", "poodle", "Dog", "cat", "chair")
    level = align(some, propose(some)).crosswalk
    dog, cat = "n02084071", "n02121620"
    assert on(level, ids(0, 3), ids(2, 3)) == {dog, cat}
    assert on(level, ids(0, 4), ids(2)) == {dog}  # nobody but the first can say a chair
    assert on(level, ids(0), ids(1)) == set()  # both are dogs, and neither says so
    assert on(level, ids(0), ids()) == set()


def test_a_hit_on_dog_is_no_miss_for_a_collie() -> None:
    """Trap b: with strings alone the two raters have nothing in common."""
    some = terms("collie", "Dog")
    found = align(some, propose(some))
    assert on(found.exact, ids(0), ids(1)) == set()
    assert on(found.crosswalk, ids(0), ids(1)) == {"n02084071"}


def test_cycles_end_and_both_are_both() -> None:
    some = terms("a", "b", "c")
    rows = [row("a", "narrower", "b"), row("b", "narrower", "c"), row("c", "narrower", "a")]
    level = align(some, Crosswalk(rows)).crosswalk
    assert all(concepts(level, i) == {"a", "b", "c"} for i in range(3))


def test_a_row_for_any_vocabulary_and_one_for_its_own() -> None:
    some = Terms([Term("v", "van", mass=1), Term("w", "Van", mass=1), Term("w", "lorry", mass=1)])
    anywhere = align(some, Crosswalk([row("VAN", "exact", "lorry")])).crosswalk
    assert concepts(anywhere, 0) == concepts(anywhere, 1) == concepts(anywhere, 2)
    here = Crosswalk([Row("w", "van", "w", "lorry", "exact")])
    level = align(some, here).crosswalk
    assert concepts(level, 1) == concepts(level, 2) != concepts(level, 0)


def test_proposals_align_nothing() -> None:
    some = terms("a", "b")
    level = align(some, Crosswalk([row("a", "exact", "b", "")])).crosswalk
    assert concepts(level, 0) != concepts(level, 1)


@given(
    st.lists(st.lists(st.integers(0, 5), max_size=4), min_size=1, max_size=6),
    st.lists(st.integers(-1, 5), max_size=30),
    st.booleans(),
)
def test_expanding_is_looking_up_each_row(
    said: list[list[int]], asked: list[int], own: bool
) -> None:
    """The same as a loop, also where the work is cut into blocks."""
    level = Level.of(
        "any",
        [(str(n), str(n)) for n in range(6)],
        [(mine[:1], mine[1:]) for mine in said],
    )
    rows = [min(term, len(said) - 1) for term in asked]
    expected = [
        (place, concept)
        for place, term in enumerate(rows)
        if term >= 0
        for concept in (said[term][:1] if own else _once(said[term]))
    ]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("visionhub.analysis.vocabulary.level.BLOCK", 4)
        place, concept = level.expand(np.array(rows, dtype=np.int64), own=own)
    assert list(zip(place.tolist(), concept.tolist(), strict=True)) == expected


def _once(mine: list[int]) -> list[int]:
    """Its own first, then the broader ones ascending, each once."""
    return [*mine[:1], *sorted(set(mine[1:]) - set(mine[:1]))]


BOOK = """
police = ["Police", "Law enforcement", "police van"]
dog = ["dogs"]

[animal]
terms = ["Animals"]
exclude = ["Dog"]

[protest]
terms = [{ label = "March", vocabulary = "w" }, "sign"]
narrower = false
"""


@pytest.fixture
def labels() -> Terms:
    names = ["Police", "police van", "collie", "Dog", "cat", "March", "street sign", "Sign"]
    return Terms(
        [
            *(Term("v", name, mass=1) for name in names),
            Term("w", "march", mass=1),
            Term("w", "Cop", None, (), ("Police",), mass=1),
        ]
    )


def test_a_codebook_gathers_what_it_names_and_what_is_narrower(labels: Terms) -> None:
    level = align(labels, propose(labels), Codebook.read(BOOK, "b.toml")).codebook
    assert level is not None
    said = {labels[i].name: level.of_term(i) for i in range(len(labels))}
    assert said == {
        "Police": ("police",),
        "police van": ("police",),
        "collie": ("dog",),  # the codebook's word is no label: by its meaning, below animal
        "Dog": ("dog",),
        "cat": ("animal",),
        "March": (),  # only the other vocabulary's
        "street sign": (),  # narrower, which was not wanted
        "Sign": ("protest",),
        "march": ("protest",),
        "Cop": (),  # "Police" is the very name of another label
    }
    assert level.concepts == ("police", "dog", "animal", "protest")
    assert level.own.all()


def test_an_alias_is_a_name_where_no_label_has_it() -> None:
    some = Terms([Term("w", "Cop", None, (), ("Police",), mass=1)])
    level = align(some, NONE, Codebook.read('police = ["Police"]', "b")).codebook
    assert level is not None
    assert level.of_term(0) == ("police",)


def test_what_is_listed_itself_is_not_excluded_with_what_is_broader(labels: Terms) -> None:
    text = '[animal]\nterms = ["Animal", "Collie"]\nexclude = ["Dog"]'
    level = align(labels, propose(labels), Codebook.read(text, "b")).codebook
    assert level is not None
    assert [labels[i].name for i in range(len(labels)) if level.of_term(i)] == ["collie", "cat"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("police = [", "mine.toml is no codebook (TOML)"),
        ("", "mine.toml is empty: write constructs"),
        ("police = 1", "mine.toml: police: expected a list of labels"),
        ("police = []", "mine.toml: police: expected a list of labels, with one at least."),
        ("[police]\nword = []", "mine.toml: police: 'word' is unknown: a construct has terms,"),
        ('[police]\nexclude = ["x"]', "mine.toml: police.terms: expected a list of labels, with"),
        ("police = [1]", 'mine.toml: police: write a label as "Police" or {'),
        ('police = [{ label = "x", lang = "en" }]', 'mine.toml: police: write a label as "Police"'),
        ('police = [" "]', "mine.toml: police: a label and a vocabulary are texts, and a label is"),
        (
            'police = ["x"]\nPolice = ["x"]',
            "mine.toml: police and Police differ by their case only",
        ),
        ('[p]\nterms = ["x"]\nnarrower = 1', "mine.toml: p: narrower is true or false."),
        ('[p]\nterms = ["x"]\nexclude = ["x"]', "mine.toml: p: 'x' is both listed and excluded."),
    ],
)
def test_a_wrong_codebook_is_told(text: str, said: str) -> None:
    from visionhub.errors import UsageError

    with pytest.raises(UsageError) as told:
        Codebook.read(text, "mine.toml")
    assert said in str(told.value)


def test_a_codebooks_hash_is_that_of_what_it_says() -> None:
    one = Codebook.read('a = ["x"]  # a comment', "b")
    assert one.sha256 == Codebook.read('[a]\nterms = [{ label = "x" }]', "c").sha256
    assert one.sha256 != Codebook.read('[a]\nterms = ["x"]\nnarrower = false', "c").sha256


def test_accounting_goes_tier_by_tier() -> None:
    mid = "/m/0zzz"
    some = Terms(
        [
            Term("v", "cat", mass=4),
            Term("v", "Quux", mid, mass=3),
            Term("v", "collie", mass=2),
            Term("v", "Xyzzy", mass=1),
            Term("v", "Plugh", mass=5),
            Term("w", "Cat", mass=1),
            Term("w", "Quuux", mid, mass=1),
            Term("w", "Dog", mass=1),
            Term("w", "Zork", mass=1),
        ]
    )
    mine = np.array([4, 3, 2, 1, 5, 0, 0, 0, 0])
    theirs = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1])
    rows = Crosswalk([*propose(some), Row("v", "Xyzzy", "w", "Zork", "exact")])
    book = Codebook.read('lamp = ["Plugh", "Zork"]', "b")
    assert accounting(some, rows, mine, theirs, book) == [
        Mapped("exact", "same", 1, 4, 4 / 15),
        Mapped("identifier", "same", 1, 3, 3 / 15),
        Mapped("words", "broader or narrower", 1, 2, 2 / 15),
        Mapped("person", "same", 1, 1, 1 / 15),
        Mapped("codebook", "same", 1, 5, 5 / 15),
    ]
    assert accounting(some, rows, mine, theirs)[-1] == Mapped("none", "", 1, 5, 5 / 15)
    assert unmapped(some, rows, mine, theirs) == [("Plugh", 5)]
    assert unmapped(some, rows, mine, theirs, book) == []
    assert accounting(some, rows, mine * 0, theirs) == [Mapped("none", "", 0, 0, None)]


def test_what_is_told_as_left_is_what_the_accounts_leave() -> None:
    """Equal words of two things count as mapped, by their letters, in both."""
    bird = Term("imagenet-1k", "crane", "n02012849", mass=1)
    machine = Term("imagenet-21k", "crane", "n03126707", mass=1)
    some = Terms([bird, machine])
    rows, mine, theirs = Crosswalk(propose(some)), np.array([1, 0]), np.array([0, 1])
    assert [one.tier for one in accounting(some, rows, mine, theirs)] == ["exact"]
    assert unmapped(some, rows, mine, theirs) == []


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=10, max_size=10))
def test_the_accounts_add_up(masses: list[tuple[int, int]]) -> None:
    names = ["cat", "Cat", "dog", "collie", "animal", "Selfie", "selfies", "qwe", "chair", "Table"]
    some = terms(*names)
    mine, theirs = (np.array(column) for column in zip(*masses, strict=True))
    found = accounting(some, propose(some), mine, theirs)
    assert sum(one.mass for one in found) == mine.sum()
    assert sum(one.terms for one in found) == (mine > 0).sum()
    if mine.sum():
        assert sum(one.share or 0 for one in found) == pytest.approx(1)


def test_labels_that_fall_together_are_listed() -> None:
    some = Terms(
        [
            Term("v", "people", mass=2),
            Term("v", "Person", mass=5),
            Term("w", "Human", mass=1),
            Term("v", "chair", mass=1),
        ]
    )
    [only] = collapses(some, align(some, propose(some)).crosswalk)
    assert (only.vocabulary, only.label) == ("v", "person")
    assert (only.names, only.masses) == (("people", "Person"), (2, 5))
    assert collapses(some, align(some, propose(some)).crosswalk, [0, 2, 3]) == []


def kinds(some: Terms, *rows: Row, book: str = "") -> dict[str, str]:
    codebook = Codebook.read(book, "b") if book else None
    return {f.kind: f.text for f in findings(some, Crosswalk(rows), codebook)}


def test_a_pair_with_two_relations_is_a_contradiction() -> None:
    some = terms("a", "b")
    assert kinds(some, row("a", "narrower", "b")) == {}
    both = kinds(some, row("a", "narrower", "b"), row("b", "narrower", "a"))
    assert both["contradiction"] in (
        "'a' is both narrower and broader: 'b'",
        "'a' is both broader and narrower: 'b'",
    )
    assert "cycle" in both
    assert "contradiction" in kinds(some, row("a", "narrower", "b"), row("b", "exact", "a"))


def test_a_way_round_is_a_cycle() -> None:
    some = terms("a", "b", "c")
    rows = [row("a", "narrower", "b"), row("b", "narrower", "c"), row("a", "broader", "c")]
    found = kinds(some, *rows)
    assert set(found) == {"cycle"}
    assert "and by other rows broader" in found["cycle"]


def test_what_rules_alone_lead_to_is_an_overlap() -> None:
    """A vendor puts buildings under architecture; to WordNet a building is no kind of it."""
    some = Terms([Term("r", "Cow", None, ("Kine",), mass=1), Term("r", "Kine", mass=1)])
    rows = [
        Row("r", "Cow", "r", "Kine", "narrower", "identifier: parents", 1, "automatic", "1"),
        Row("r", "Kine", "r", "Cow", "exact", "words: x", 1, "automatic", "1"),
    ]
    assert set(kinds(some, *rows)) == {"contradiction", "overlap"}
    person = row("Kine", "exact", "Cow")
    assert kinds(some, *rows, person) == {}  # who says what, wins


def test_a_person_who_contradicts_rules_at_a_distance_makes_a_cycle() -> None:
    rules = [
        Row("v", "Cow", "v", "Kine", "narrower", "identifier: parents", 1, "automatic", "1"),
        Row("v", "Kine", "v", "Beast", "narrower", "identifier: parents", 1, "automatic", "1"),
    ]
    some = terms("Cow", "Kine", "Beast")
    assert kinds(some, *rules) == {}
    assert set(kinds(some, *rules, row("Beast", "exact", "Cow"))) == {"cycle"}


def test_strangers_are_named() -> None:
    some = Terms([Term("r", "Dog", None, ("Pet",), mass=1)])
    assert kinds(some, row("Dgo", "exact", "Dog"))["unknown label"] == "'Dgo' is not in this study"
    assert kinds(some, Row("r", "Dog", "r", "Pet", "narrower")) == {}  # parents need not be emitted
    other = Row("q", "Hound", "r", "Dog", "exact")
    said = "1 labels of q, a vocabulary that nobody here has used"
    assert kinds(some, other)["unknown label"] == said
    wrong = Row("r", "Dog", "wordnet-3.0", "n00000000 dog", "exact")
    assert kinds(some, wrong)["unknown synset"] == "WordNet 3.0 has no noun 'n00000000 dog'"
    other = kinds(terms("Dog", "Cat"), row("Dog", "related", "Dog"))
    assert other["not in the crosswalk"] == "1 labels are in no row, such as 'Cat' of v"


def test_words_that_match_nothing_have_near_misses() -> None:
    book = 'dog = ["Dgo", "dogs"]\n[x]\nterms = ["Qwertz"]'
    found = findings(terms("Dog", "Chair"), NONE, Codebook.read(book, "b"))
    assert [finding.text for finding in found] == [
        "dog: 'Dgo' matches nothing; near: Dog",
        "x: 'Qwertz' matches nothing",
    ]


def test_terms_are_numbered_by_arrays() -> None:
    some = Terms([Term("v", "dog", "/m/1"), Term("v", "dog"), Term("w", "dog", "/m/1")])
    names, vendor = ["dog", "cat"], ["/m/1", "/m/2"]
    name, number = np.array([0, 0, 0, 1]), np.array([0, -1, 1, 0])
    assert some.numbers("v", names, name, vendor, number).tolist() == [0, 1, -1, -1]
    assert some.numbers("w", names, name, vendor, number).tolist() == [2, -1, -1, -1]
    empty = np.zeros(0, np.int64)
    assert some.numbers("v", [], empty, [], empty).tolist() == []


def test_terms_that_come_twice_are_one() -> None:
    one = Term("v", "dog", None, ("Pet",), images=2, mass=3)
    two = Term("v", "dog", None, ("Pet", "Animal"), ("Hound",), images=1, mass=1)
    [both] = Terms([one, two])
    assert both == Term("v", "dog", None, ("Pet", "Animal"), ("Hound",), images=3, mass=4)
