"""Which terms a study holds, by whom they were emitted, and how often."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from visionhub.analysis.vocabulary.terms import Term, Terms
from visionhub.store.study import StudyFile

TASKS = ("labels", "objects")
_MORE = {"labels": "t.aliases, t.categories", "objects": "NULL, NULL"}


@dataclass(frozen=True, slots=True)
class Emission:
    """How often a provider emitted a term (by number) for a task; images, mass: as in Term.

    current: in the study's current answers, or in others (of earlier revisions and dates).
    """

    provider: str
    task: str
    term: int
    images: int
    mass: int
    current: bool


@dataclass(frozen=True, slots=True)
class Emitted:
    """The terms of a study, with their counts in all answers, and who emitted them how often."""

    terms: Terms
    emissions: tuple[Emission, ...]


def emitted(
    study: StudyFile, *, tasks: Sequence[str] = TASKS, providers: Iterable[str] = ()
) -> Emitted:
    """Read the terms out of an open study. tasks: labels, objects. providers: empty for all."""
    wanted = set(providers)
    found: list[tuple[str, str, bool, Term]] = []
    for task in tasks:
        for provider, current, *columns in study.stream(_sql(task)):
            if not wanted or provider in wanted:
                found.append((provider, task, bool(current), _term(*columns)))
    terms = Terms(term for *_, term in found)
    number = {term.key: i for i, term in enumerate(terms)}
    emissions = (
        Emission(provider, task, number[term.key], term.images, term.mass, current)
        for provider, task, current, term in found
    )
    return Emitted(terms, tuple(emissions))


def _sql(task: str) -> str:
    """Distinct labels of a task with their counts, most frequent first. task: a table's name."""
    return (
        "SELECT q.provider, s.request_id IS NOT NULL AS current, "  # noqa: S608
        "coalesce(nullif(q.vocabulary, ''), q.provider) AS vocabulary, t.name, t.vendor_id, "
        f"t.parents, {_MORE[task]}, count(DISTINCT r.image_id), count(*) AS mass "
        f"FROM {task} t JOIN requests r ON r.id = t.request_id "
        "LEFT JOIN status s ON s.request_id = r.id "
        "JOIN questions q ON q.id = r.question_id "
        "GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY mass DESC, 1, 2, 3, 4, 5"
    )


def _term(
    vocabulary: str,
    name: str,
    vendor_id: str | None,
    parents: str | None,
    aliases: str | None,
    categories: str | None,
    images: int,
    mass: int,
) -> Term:
    more = [tuple(json.loads(text or "[]")) for text in (parents, aliases, categories)]
    return Term(vocabulary, name, vendor_id, more[0], more[1], more[2], images, mass)
