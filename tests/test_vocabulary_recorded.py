"""Real answers of two services about 24 photographs: what the crosswalk makes of their labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest

from visionhub.analysis.vocabulary.alignment import Alignment, align
from visionhub.analysis.vocabulary.checks import findings
from visionhub.analysis.vocabulary.level import Level
from visionhub.analysis.vocabulary.propose import propose
from visionhub.analysis.vocabulary.terms import Term, Terms

Answers: TypeAlias = list[list[tuple[str, str, str | None]]]  # by photograph: keys of terms


@pytest.fixture(scope="module")
def recorded(shared: Path) -> dict[str, Answers]:
    folder = shared / "recorded" / "cloudy_vision"
    if not folder.is_dir():
        pytest.skip("no folder ../shared/recorded/cloudy_vision: recordings not tested")
    read = {
        "google 2017": ("output", "google"),
        "google 2016": ("output_2016_07_06", "google"),
        "rekognition": ("output", "rekognition"),
    }
    return {name: _answers(folder / place, maker) for name, (place, maker) in read.items()}


def _answers(folder: Path, maker: str) -> Answers:
    bodies = [json.loads(p.read_text()) for p in sorted(folder.glob(f"*.{maker}.json"))]
    assert len(bodies) == 24
    if maker == "google":
        every = [body["responses"][0].get("labelAnnotations", []) for body in bodies]
        return [[("google", one["description"], one["mid"]) for one in said] for said in every]
    return [[("rekognition", one["Name"], None) for one in body["Labels"]] for body in bodies]


@pytest.fixture(scope="module")
def aligned(recorded: dict[str, Answers]) -> Alignment:
    said = [key for answers in recorded.values() for one in answers for key in one]
    terms = Terms(Term(*key, images=1, mass=1) for key in said)
    return align(terms, propose(terms))


def jaccard(level: Level, terms: Terms, a: Answers, b: Answers) -> float:
    """Mean over photographs, of concepts that one of the two says itself."""
    number = {term.key: i for i, term in enumerate(terms)}

    def numbers(one: list[tuple[str, str, str | None]]) -> np.ndarray:
        return np.array([number[key] for key in one], dtype=np.int64)

    shown = level.emitted(np.concatenate([numbers(one) for one in (*a, *b)]))

    def concepts(one: list[tuple[str, str, str | None]]) -> set[int]:
        found = level.expand(numbers(one))[1]
        return set(found[shown[found]].tolist())

    pairs = [(concepts(one), concepts(other)) for one, other in zip(a, b, strict=True)]
    return sum(len(x & y) / len(x | y) for x, y in pairs) / len(pairs)


def test_equal_strings_are_what_a_few_lines_find(
    recorded: dict[str, Answers], aligned: Alignment
) -> None:
    first, second = recorded["google 2017"], recorded["rekognition"]
    by_hand = []
    for one, other in zip(first, second, strict=True):
        x, y = ({name.lower() for _, name, _ in said} for said in (one, other))
        by_hand.append(len(x & y) / len(x | y))
    found = jaccard(aligned.exact, aligned.terms, first, second)
    assert found == pytest.approx(sum(by_hand) / 24)
    assert found == pytest.approx(0.125, abs=0.001)


def test_agreement_rises_with_the_crosswalk(
    recorded: dict[str, Answers], aligned: Alignment
) -> None:
    for a, b in (("google 2017", "rekognition"), ("google 2016", "google 2017")):
        pair = recorded[a], recorded[b]
        exact = jaccard(aligned.exact, aligned.terms, *pair)
        assert jaccard(aligned.crosswalk, aligned.terms, *pair) > exact + 0.05


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ("people", "Person"),
        ("bicycle", "Bike"),
        ("train station", "Train Station"),
        ("hearth", "Fireplace"),
        ("percussion", "Percussion"),
        ("interior design", "Interior Design"),
    ],
)
def test_what_a_reader_takes_for_one_is_one(mine: str, theirs: str, aligned: Alignment) -> None:
    [a] = aligned.terms.find(mine, "google")
    [b] = aligned.terms.find(theirs, "rekognition")
    assert aligned.crosswalk.of_term(a)[0] == aligned.crosswalk.of_term(b)[0]


@pytest.mark.parametrize(
    ("narrow", "broad"),
    [("pembroke welsh corgi", "Canine"), ("dairy cow", "Mammal"), ("bass drum", "Drum"),
     ("sushi", "Food"), ("mountain bike", "Vehicle")],
)  # fmt: skip
def test_what_a_reader_takes_for_a_kind_is_one(narrow: str, broad: str, aligned: Alignment) -> None:
    [a] = aligned.terms.find(narrow, "google")
    [b] = aligned.terms.find(broad, "rekognition")
    assert aligned.crosswalk.of_term(b)[0] in aligned.crosswalk.of_term(a)[1:]


def test_rules_alone_contradict_themselves_nowhere(aligned: Alignment) -> None:
    kinds = {finding.kind for finding in findings(aligned.terms, aligned.crosswalk_rows)}
    assert kinds <= {"overlap", "not in the crosswalk"}
