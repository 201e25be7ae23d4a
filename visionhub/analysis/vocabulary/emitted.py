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
    """How often a provider emitted a term (by number) for a task; images, mass: as in Term."""

    provider: str
    task: str
    term: int
    images: int
    mass: int


@dataclass(frozen=True, slots=True)
class Emitted:
    """The terms of a study, and who emitted them how often."""

    terms: Terms
    emissions: tuple[Emission, ...]


def emitted(
    study: StudyFile,
    *,
    tasks: Sequence[str] = TASKS,
    providers: Iterable[str] = (),
    every: bool = False,
) -> Emitted:
    """Read the terms out of an open study.

    tasks: labels, objects. providers: empty for all. every: also what earlier revisions of a
    provider answered, and not its current answers alone.
    """
    found: list[tuple[str, str, Term]] = []
    for task in tasks:
        for provider, *columns in study.stream(_sql(task, every=every)):
            found.append((provider, task, _term(*columns)))
    wanted = set(providers)
    kept = [row for row in found if not wanted or row[0] in wanted]
    terms = Terms(term for *_, term in kept)
    number = {term.key: i for i, term in enumerate(terms)}
    emissions = [Emission(p, task, number[t.key], t.images, t.mass) for p, task, t in kept]
    return Emitted(terms, tuple(emissions))


def _sql(task: str, *, every: bool) -> str:
    """Distinct labels of a task with their counts, most frequent first. task: a table's name."""
    current = "" if every else "JOIN status s ON s.request_id = r.id "
    return (
        "SELECT q.provider, coalesce(nullif(q.vocabulary, ''), q.provider) AS vocabulary, t.name, "  # noqa: S608
        f"t.vendor_id, t.parents, {_MORE[task]}, count(DISTINCT r.image_id), count(*) AS mass "
        f"FROM {task} t JOIN requests r ON r.id = t.request_id {current}"
        "JOIN questions q ON q.id = r.question_id "
        "GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY mass DESC, 1, 2, 3, 4"
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
