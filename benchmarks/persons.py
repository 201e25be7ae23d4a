"""Faces, and what is guessed about them: boxes, one face a portrait, gender and age."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks import truth
from benchmarks.asked import Asked
from benchmarks.figures import Figure, recall_precision, share
from benchmarks.scenes import boxes, pixels
from visionhub.analysis.greedy import found_and_missed
from visionhub.schema import Task

TAKEN_BEFORE = date(2021, 3, 1)  # no portrait is younger; how old each one is nobody noted
YOUNGEST = 25  # years; nobody younger may sit in the House of Representatives
YEAR = 365.2425  # days
SENSITIVE = ("age", "gender")
APART = "sensitive"  # the study that holds the guesses, and the word under which they are printed


def faces(asked: Asked, images: Path) -> Iterator[Figure]:
    """Boxes against the annotated ones, and portraits in which exactly one face was found."""
    folder = images / "faces"
    annotated: dict[Path, list[dict[str, str]]] = {}
    for row in truth.rows(folder / "boxes.csv"):
        annotated.setdefault(folder / row["file"], []).append(row)
    files = asked.cut(annotated)
    answers, facts = asked.ask(Task.FACES, files), asked.facts(files)
    for least in (0.5, 0.3):
        counts = np.zeros(3, dtype=int)
        for file in files:
            found = boxes([pixels(row, facts[file]) for row in answers[file]])
            ignored = [row["ignore"] == "True" for row in annotated[file]]
            true = boxes([[float(row[s]) for s in _SIDES] for row in annotated[file]])
            counts += found_and_missed(found, true, np.array(ignored, dtype=bool), least=least)
        name = f"faces/boxes ({len(files)} photographs of groups)"
        yield from recall_precision("faces", name, counts.tolist(), ("faces", "boxes"), least)
    yield _single(asked, folder)


_SIDES = ("left", "top", "width", "height")


def _single(asked: Asked, folder: Path) -> Figure:
    rows = [row for row in truth.rows(folder / "portraits.csv") if row["faces"] == "1"]
    files = asked.cut(folder / row["file"] for row in rows)
    answers = asked.ask(Task.FACES, files)
    hits = sum(len(answers[file]) == 1 for file in files)
    return share("faces", "faces/portraits", "exactly one face found", hits, len(files))


def sensitive(asked: Asked, images: Path) -> Iterator[Figure]:
    """Gender and age of portraits, as guessed from the strongest face.

    The truth about age is an upper bound: birth dates are known, the days of the portraits are not.
    """
    folder = images / "faces"
    people = {folder / row["file"]: row for row in truth.rows(folder / "portraits.csv")}
    files = asked.cut(people)
    asked.ask(Task.FACES, files, sensitive=SENSITIVE, study=APART)
    guesses = {
        file: {row["name"]: row for row in rows}
        for file, rows in asked.attributes(files, APART).items()
    }
    genders = {f: g["gender"]["value"] for f, g in guesses.items() if "gender" in g}
    ages = {f: g["age"]["number"] for f, g in guesses.items() if "age" in g}
    yield from _gender(people, files, genders)
    yield from _age(people, ages)


def _gender(
    people: Mapping[Path, Mapping[str, str]], files: list[Path], guessed: Mapping[Path, str]
) -> Iterator[Figure]:
    """Agreement over all portraits, those without a face too, and for each gender apart."""
    for word in ("", *sorted({people[file]["gender"] for file in files})):
        mine = [file for file in files if word in ("", people[file]["gender"])]
        hits = sum(guessed.get(file) == people[file]["gender"] for file in mine)
        name = f"gender as recorded: {word or 'all'}"
        yield share(APART, "faces/portraits", name, hits, len(mine))


def _age(
    people: Mapping[Path, Mapping[str, str]], guessed: Mapping[Path, float]
) -> Iterator[Figure]:
    """Guesses that can be true, and how far the middle one lies below the upper bound."""
    oldest = {
        file: (TAKEN_BEFORE - date.fromisoformat(people[file]["date_of_birth"])).days / YEAR
        for file in guessed
    }
    possible = sum(YOUNGEST <= years <= oldest[file] for file, years in guessed.items())
    name = f"age guess between {YOUNGEST} and the upper bound"
    yield share(APART, "faces/portraits", name, possible, len(guessed))
    below = [oldest[file] - years for file, years in guessed.items()]
    name = "upper bound minus age guess, median"
    middle = median(below) if below else None
    yield Figure(APART, "faces/portraits", name, middle, len(below), unit="years")
