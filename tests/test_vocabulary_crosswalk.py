"""The crosswalk's table: how it is read, written, hashed, merged, and which of its rows count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visionhub.analysis.vocabulary.crosswalk import (
    DECISIONS,
    RELATIONS,
    Crosswalk,
    Row,
)
from visionhub.errors import UsageError

HEAD = "vocabulary_a,label_a,vocabulary_b,label_b,relation,source,score,decision,version\n"
WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
LABELS = WORDS.filter(lambda text: bool(text.strip()))
ROWS = st.builds(
    Row,
    WORDS,
    LABELS,
    WORDS,
    LABELS,
    st.sampled_from(RELATIONS),
    WORDS,
    st.none() | st.sampled_from([0.0, 0.125, 0.3333, 1.0]),
    st.sampled_from(DECISIONS),
    WORDS,
)


def row(
    a: str, relation: str, b: str, decision: str = "automatic", source: str = "words: x"
) -> Row:
    return Row("x", a, "y", b, relation, source, 1.0, decision, "1")


@given(st.lists(ROWS, max_size=6))
def test_what_is_written_is_read_again(rows: list[Row]) -> None:
    table = Crosswalk(rows)
    again = Crosswalk.read(table.text, "here")
    assert list(again) == list(table)
    assert again.sha256 == table.sha256


@given(st.lists(ROWS, max_size=6), st.randoms())
def test_the_hash_does_not_depend_on_the_order(rows: list[Row], random) -> None:
    mixed = [*rows, *rows]
    random.shuffle(mixed)
    assert Crosswalk(mixed).sha256 == Crosswalk(rows).sha256


def test_the_hash_depends_on_everything_else() -> None:
    first = row("collie", "narrower", "dog")
    others = [
        row("collie", "exact", "dog"),
        row("collie", "narrower", "dogs"),
        row("collie", "narrower", "dog", "accepted"),
        row("collie", "narrower", "dog", source="words: y"),
    ]
    hashes = {Crosswalk([one]).sha256 for one in (first, *others)}
    assert len(hashes) == 5


def test_a_row_reads_from_left_to_right() -> None:
    """label_a is <relation> label_b: every collie is a dog."""
    collie = row("collie", "narrower", "dog")
    dog = collie.turned()
    assert (dog.label_a, dog.relation, dog.label_b) == ("dog", "broader", "collie")
    assert dog.turned() == collie
    assert row("a", "exact", "b").turned().relation == "exact"
    assert row("a", "related", "b").turned().relation == "related"


def test_a_table_made_by_hand_needs_three_columns() -> None:
    text = "\ufefflabel_a,relation,label_b\r\nPolice,exact,Law enforcement\r\n\r\n"
    [only] = Crosswalk.read(text, "mine.csv")
    assert only == Row("", "Police", "", "Law enforcement", "exact", "person", None, "accepted", "")
    assert only.counts
    assert only.tier == "person"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "mine.csv, line 1: the column label_a is missing."),
        ("label_a,label_b\nx,y\n", "mine.csv, line 1: the column relation is missing."),
        ("label_a,label_b,relation,colour\n", "line 1: no crosswalk has a column 'colour', but"),
        (
            "path,date\na.jpg,1\n",
            "mine.csv is no crosswalk: its first line has none of the columns",
        ),
        ("label_a;label_b;relation\n", "mine.csv, line 1: columns are separated by commas here,"),
        ("label_a,label_b,relation,label_a\n", "mine.csv, line 1: there are two columns label_a."),
        (HEAD + "x,a,y,b,same,,,,\n", "line 2: relation 'same': choose one of exact, narrower,"),
        (HEAD + "x,a,y,b,exact,,,maybe,\n", "line 2: decision 'maybe': choose one of automatic,"),
        (HEAD + "x,a,y,b,exact,,high,,\n", "mine.csv, line 2: score 'high' is no number."),
        (HEAD + "x,a,y,b,exact,,nan,,\n", "mine.csv, line 2: score 'nan' is no number."),
        (HEAD + "x, ,y,b,exact,,,,\n", "mine.csv, line 2: label_a is empty."),
        (HEAD + "x,a,y,b,exact\n", "mine.csv, line 2: 5 cells under 9 columns."),
        (
            HEAD + 'x,"two\nlines",y,b,exact,,,,\nx,a,y,b,no,,,,\n',
            "mine.csv, line 4: relation 'no'",
        ),
        (HEAD + 'x,"a\n', "it is no CSV"),
    ],
)
def test_a_wrong_file_is_told_by_line(text: str, said: str) -> None:
    with pytest.raises(UsageError) as told:
        Crosswalk.read(text, "mine.csv")
    assert said in str(told.value)
    assert str(told.value).count("\n") == 0


def test_tiers_are_what_the_source_begins_with() -> None:
    assert row("a", "exact", "b", source="identifier: mid /m/0").tier == "identifier"
    assert row("a", "exact", "b", source="vectors: cosine").tier == "vectors"
    assert row("a", "exact", "b", source="Dr. Smith: by eye").tier == "person"


def test_proposals_and_rejected_rows_count_nowhere() -> None:
    rows = [row(str(n), "exact", "b", decision) for n, decision in enumerate(DECISIONS)]
    assert [r.decision for r in Crosswalk(rows).used] == ["automatic", "accepted"]


def test_what_a_person_said_wins_over_rules() -> None:
    """About the same pair, from whichever side; and about the sense of a label."""
    rules = row("collie", "exact", "dog")
    person = row("collie", "narrower", "dog", "accepted", "person")
    for said in (person, person.turned()):
        assert list(Crosswalk([rules, said]).used) == [said]
    no = Row("y", "dog", "x", "collie", "exact", "person", None, "rejected")
    assert list(Crosswalk([rules, no]).used) == []
    first = Row(
        "x", "bike", "wordnet-3.0", "n03790512 motorcycle", "exact", "words", 1, "automatic"
    )
    second = Row("x", "bike", "wordnet-3.0", "n02834778 bicycle", "exact", "person", 1, "accepted")
    third = Row("x", "van", "wordnet-3.0", "n04520170 van", "exact", "words", 1, "automatic")
    assert set(Crosswalk([first, second, third]).used) == {second, third}


def test_a_decision_for_any_vocabulary_is_one_for_each() -> None:
    rules = [row("collie", "exact", "dog"), row("poodle", "exact", "dog")]
    said = Row("", "Collie", "", "DOG", "narrower")
    assert set(Crosswalk([*rules, said]).used) == {rules[1], said}
    assert set(Crosswalk([said]).merged(rules)) == {rules[1], said}


def test_a_table_brought_up_to_date_keeps_decisions() -> None:
    old = Crosswalk(
        [
            row("a", "exact", "b", "accepted"),
            row("c", "narrower", "d", "rejected"),
            row("e", "exact", "f"),
            row("g", "exact", "h", ""),
        ]
    )
    new = [row("a", "narrower", "b", ""), row("c", "narrower", "d"), row("i", "exact", "j")]
    turned = Row("y", "b", "x", "a", "exact", "words: x", 1.0, "", "1")
    merged = old.merged([*new, turned])
    assert {(r.label_a, r.relation, r.decision) for r in merged} == {
        ("a", "exact", "accepted"),
        ("c", "narrower", "rejected"),
        ("i", "exact", "automatic"),
    }


def test_a_decision_changes_one_row() -> None:
    table = Crosswalk([row("a", "exact", "b", ""), row("c", "exact", "d", "")])
    after = table.decided(table[0], "broader", "accepted")
    assert [(r.label_a, r.relation, r.decision) for r in after] == [
        ("a", "broader", "accepted"),
        ("c", "exact", ""),
    ]


def test_versions_are_those_of_its_rows() -> None:
    rows = [row("a", "exact", "b"), Row("", "c", "", "d", "exact")]
    assert Crosswalk(rows).version == "1"
    assert Crosswalk(rows[1:]).version == ""
