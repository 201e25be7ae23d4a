"""`visionhub vocabulary check`: what is wrong with a crosswalk, and what it does to a study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visionhub.report.plain import counted, percent
from visionhub.report.terminal import Section
from visionhub.report.vocabulary import read_codebook, read_crosswalk, read_terms
from visionhub.store.study import StudyFile

if TYPE_CHECKING:
    from visionhub.analysis.vocabulary.codebook import Codebook
    from visionhub.analysis.vocabulary.crosswalk import Crosswalk
    from visionhub.analysis.vocabulary.emitted import Emitted
    from visionhub.analysis.vocabulary.terms import Terms

GRAVE = ("contradiction", "cycle")  # kinds of findings that must not stay
LINES, HEAVIEST = 15, 5  # in a terminal; --json gives all


def check(
    study: StudyFile,
    *,
    crosswalk: Path | None = None,
    codebook: Path | None = None,
    providers: Sequence[str] = (),
) -> dict[str, Any]:
    """All that there is to say, as plain values. Without a crosswalk: what `propose` would make."""
    found = read_terms(study, providers)
    from visionhub.analysis.vocabulary.checks import findings
    from visionhub.analysis.vocabulary.propose import propose

    table = read_crosswalk(crosswalk) if crosswalk else propose(found.terms)
    book = read_codebook(codebook) if codebook else None
    return {
        "study": str(study.path),
        "labels": len(found.terms),
        "crosswalk": _table(table, crosswalk),
        "codebook": {"file": str(codebook), "sha256": book.sha256} if book else None,
        "findings": [asdict(each) for each in findings(found.terms, table, book)],
        **_mapped(found, table, book),
        "collapses": _collapses(found.terms, table),
        "constructs": _constructs(found.terms, table, book) if book else [],
    }


def is_grave(found: Mapping[str, Any]) -> bool:
    """Whether the crosswalk contradicts itself."""
    return any(each["kind"] in GRAVE for each in found["findings"])


def _table(table: Crosswalk, path: Path | None) -> dict[str, Any]:
    return {
        "file": str(path) if path else None,
        "version": table.version,
        "sha256": table.sha256,
        "rows": len(table),
        "used": sum(row.counts for row in table),
        "undecided": sum(not row.decision for row in table),
    }


def _mapped(found: Emitted, table: Crosswalk, book: Codebook | None) -> dict[str, Any]:
    """Of each provider's current labels, what is mapped to each other one's, by task."""
    import numpy as np

    from visionhub.analysis.vocabulary.accounting import accounting, unmapped

    masses: dict[str, dict[str, Any]] = {}
    for emission in (each for each in found.emissions if each.current):
        mine = masses.setdefault(emission.task, {})
        zeros = np.zeros(len(found.terms), dtype=np.int64)
        mine.setdefault(emission.provider, zeros)[emission.term] += emission.mass
    mapped, lost = [], []
    for task, by_provider in masses.items():
        for rater, other in permutations(by_provider, 2):
            pair = by_provider[rater], by_provider[other]
            names = {"task": task, "rater": rater, "other": other}
            mapped += [
                {**names, **asdict(row)} for row in accounting(found.terms, table, *pair, book)
            ]
            left = unmapped(found.terms, table, *pair, book, len(found.terms))
            lost += [{**names, "label": label, "mass": mass} for label, mass in left]
    return {"mapped": mapped, "unmapped": lost}


def _collapses(terms: Terms, table: Crosswalk) -> list[dict[str, Any]]:
    from visionhub.analysis.vocabulary.accounting import collapses
    from visionhub.analysis.vocabulary.alignment import align

    return [asdict(each) for each in collapses(terms, align(terms, table).crosswalk)]


def _constructs(terms: Terms, table: Crosswalk, book: Codebook) -> list[dict[str, Any]]:
    """Which labels each construct covers, and whether they are named or only narrower."""
    from visionhub.analysis.vocabulary.alignment import Concepts
    from visionhub.analysis.vocabulary.codebook import Matcher, covered

    matcher = Matcher(terms, Concepts(terms, list(table.used)))
    return [
        {
            "construct": construct.name,
            "vocabulary": terms[number].vocabulary,
            "label": terms.labels[number],
            "how": "named" if named else "narrower",
            "mass": terms[number].mass,
        }
        for construct, labels in zip(book.constructs, covered(book, matcher), strict=True)
        for number, named in sorted(labels.items(), key=lambda item: (not item[1], item[0]))
    ]


def sections(found: Mapping[str, Any]) -> Iterator[Section]:
    """What `check` found."""
    yield Section(f"Vocabulary of {found['study']}", notes=tuple(_head(found)))
    rows = [[each["kind"], each["text"]] for each in found["findings"]]
    if rows:
        yield Section("To look at", ("what", "where"), rows[:LINES], _more(len(rows)))
    if found["mapped"]:
        yield from _mapping(found)
    collapsed = [
        [c["vocabulary"], c["label"], ", ".join(c["names"]), sum(c["masses"])]
        for c in found["collapses"]
    ]
    if collapsed:
        columns = ("vocabulary", "concept", "labels taken for one", "mass")
        notes = _more(len(collapsed))
        yield Section("Collapses", columns, collapsed[:LINES], notes, ("mass",))
    yield from _covered(found["constructs"])


def _more(rows: int) -> tuple[str, ...]:
    return (f"… {rows - LINES} more: --json",) if rows > LINES else ()


def _head(found: Mapping[str, Any]) -> Iterator[str]:
    table, book = found["crosswalk"], found["codebook"]
    name = table["file"] or "what `visionhub vocabulary propose` would write"
    said = (
        f"{counted(found['labels'], 'label')}; crosswalk: {name}, {counted(table['rows'], 'row')}"
    )
    yield f"{said}, {table['used']:,} used, {table['undecided']:,} undecided"
    yield f"version {table['version'] or 'of nobody'}, sha256 {table['sha256']}"
    if book:
        yield f"codebook: {book['file']}, sha256 {book['sha256']}"
    if not found["findings"]:
        yield "Nothing contradicts itself, and everything is in the study"
    if not found["mapped"]:
        yield "Labels of two providers for one task are needed to say what is mapped: there is one"


def _mapping(found: Mapping[str, Any]) -> Iterator[Section]:
    rows = [
        [
            m["task"],
            f"{m['rater']} to {m['other']}",
            "not mapped" if m["tier"] == "none" else m["tier"],
            m["how"],
            m["terms"],
            m["mass"],
            "" if m["share"] is None else percent(m["share"], 1),
        ]
        for m in found["mapped"]
    ]
    columns = ("task", "labels of", "tier", "how", "labels", "mass", "share")
    note = "mass: how often the current answers have them; a label counts at the first such tier"
    yield Section("Mapped, tier by tier", columns, rows, (note,), columns[4:])
    heaviest: dict[tuple[str, str, str], list[str]] = {}
    for each in found["unmapped"]:
        pair = heaviest.setdefault((each["task"], each["rater"], each["other"]), [])
        pair.append(f"{each['label']} ({each['mass']:,})")
    lost = [[t, f"{a} to {b}", ", ".join(n[:HEAVIEST])] for (t, a, b), n in heaviest.items()]
    if lost:
        yield Section("Not mapped, the heaviest", ("task", "labels of", "label (mass)"), lost)


def _covered(constructs: Sequence[Mapping[str, Any]]) -> Iterator[Section]:
    gathered: dict[tuple[str, str], list[str]] = {}
    for each in constructs:
        gathered.setdefault((each["construct"], each["how"]), []).append(each["label"])
    rows = [
        [name, how, len(labels), ", ".join(dict.fromkeys(labels[:LINES]))]
        for (name, how), labels in gathered.items()
    ]
    if rows:
        columns = ("construct", "how", "labels", "such as")
        yield Section("Constructs of the codebook", columns, rows, right=("labels",))
