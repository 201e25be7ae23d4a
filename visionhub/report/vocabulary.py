"""`visionhub vocabulary propose`: a crosswalk made, or brought up to date; and files read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visionhub.errors import UsageError
from visionhub.report.files import whole
from visionhub.report.plain import counted
from visionhub.report.terminal import Section
from visionhub.store.study import StudyFile

if TYPE_CHECKING:
    from visionhub.analysis.vocabulary.codebook import Codebook
    from visionhub.analysis.vocabulary.crosswalk import Crosswalk
    from visionhub.analysis.vocabulary.emitted import Emitted

MOST = 100_000_000  # bytes of a crosswalk or codebook
COLUMNS = ("tier", "relation", "decision", "rows")


def read_crosswalk(path: Path, option: str = "--crosswalk") -> Crosswalk:
    """A crosswalk's file; UsageError, which names the option, file and line, where it is none."""
    from visionhub.analysis.vocabulary.crosswalk import Crosswalk

    return Crosswalk.read(_text(path, option), f"{option} {path}")


def read_codebook(path: Path, option: str = "--codebook") -> Codebook:
    """A codebook's file; UsageError as above."""
    from visionhub.analysis.vocabulary.codebook import Codebook

    return Codebook.read(_text(path, option), f"{option} {path}")


def write_crosswalk(table: Crosswalk, path: Path) -> None:
    """Put a table in the place of a file, whole or not at all."""
    with whole(path) as file:
        file.write(table.text.encode())


def _text(path: Path, option: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MOST + 1)
    except OSError as error:
        raise UsageError(f"{option} {path}: {error.strerror or error}.") from error
    if len(data) > MOST:
        raise UsageError(f"{option} {path}: it is too long.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{option} {path}: it is no UTF-8 text.") from None


def read_terms(study: StudyFile, providers: Sequence[str]) -> Emitted:
    """The labels of a study. UsageError when it holds none, or none of a provider that is named."""
    from visionhub.analysis.vocabulary.emitted import emitted

    found = emitted(study, providers=providers)
    answered = {emission.provider for emission in found.emissions}
    for provider in providers:
        if provider not in answered:
            raise UsageError(f"--provider {provider}: the study {study.path} has no labels of it.")
    if not found.terms:
        raise UsageError(f"The study {study.path} holds no labels and no objects yet.")
    return found


def proposal(
    study: StudyFile,
    out: Path,
    *,
    providers: Sequence[str] = (),
    vectors: bool = False,
    threshold: float | None = None,
    announce: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Write the rows of all tiers to a file; what somebody decided in it before is kept.

    vectors: also neighbours by word vectors, whose weights are pulled when they are absent.
    """
    terms = read_terms(study, providers).terms
    from visionhub.analysis.vocabulary.crosswalk import Crosswalk
    from visionhub.analysis.vocabulary.propose import propose

    before = read_crosswalk(out, "--out") if out.exists() else Crosswalk()
    embed = None
    if vectors:
        from visionhub.analysis.vocabulary.vectors import minilm

        embed = minilm(announce)
    table = before.merged(propose(terms, embed, threshold))
    write_crosswalk(table, out)
    counts = Counter((row.tier, row.relation, row.decision) for row in table)
    return {
        "study": str(study.path),
        "crosswalk": str(out),
        "labels": len(terms),
        "vocabularies": list(terms.vocabularies),
        "rows": [dict(zip(COLUMNS, (*k, n), strict=True)) for k, n in sorted(counts.items())],
        "undecided": sum(not row.decision for row in table),
        "version": table.version,
        "sha256": table.sha256,
    }


def proposal_sections(found: Mapping[str, Any]) -> Iterator[Section]:
    """What `proposal` found."""
    rows = [
        [r["tier"], r["relation"], r["decision"] or "(proposed)", r["rows"]] for r in found["rows"]
    ]
    words = ", ".join(found["vocabularies"])
    notes = [
        f"{counted(found['labels'], 'label')} of {words}, written to {found['crosswalk']}",
        f"version {found['version']}, sha256 {found['sha256']}",
    ]
    if found["undecided"]:
        said = counted(found["undecided"], "proposal")
        notes.append(
            f"{said}, which count nowhere until somebody decides:  "
            f"visionhub vocabulary review {found['crosswalk']} --study {found['study']}"
        )
    yield Section("Crosswalk", COLUMNS, rows, tuple(notes), ("rows",))
