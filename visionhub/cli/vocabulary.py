"""`visionhub vocabulary`: which labels of several services mean the same."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from visionhub.cli.ending import INTERRUPTED
from visionhub.cli.options import spared
from visionhub.cli.progress import note

if TYPE_CHECKING:
    from visionhub.report.vocabulary_review import Review

app = typer.Typer(
    help="Align the labels of several services: a crosswalk, and a codebook of your own.",
    no_args_is_help=True,
)
StudyArgument = Annotated[Path, typer.Argument(help="The study file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ProviderOption = Annotated[
    list[str] | None,
    typer.Option("--provider", "-p", help="Only these providers' labels; repeat it for several."),
]


@app.command()
def propose(
    study: StudyArgument = Path("study.db"),
    out: Annotated[
        Path,
        typer.Option(help="The crosswalk; what is decided in it already stays.", callback=spared),
    ] = Path("crosswalk.csv"),
    provider: ProviderOption = None,
    vectors: Annotated[
        bool,
        typer.Option(
            "--vectors", help="Propose neighbours by word vectors too (pulls 45 MB once)."
        ),
    ] = False,
    threshold: Annotated[
        float | None,
        typer.Option(min=-1, max=1, help="Least cosine of such a neighbour.  [0.7]"),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Write a crosswalk: by identifiers and words, and proposals that wait for a decision."""
    from visionhub.report.terminal import write, write_json
    from visionhub.report.vocabulary import proposal, proposal_sections
    from visionhub.store.study import StudyFile

    with StudyFile(study) as opened:
        found = proposal(
            opened,
            out,
            providers=provider or (),
            vectors=vectors or threshold is not None,
            threshold=threshold,
            announce=note,
        )
    write_json(found) if json else write(proposal_sections(found))


@app.command()
def review(
    crosswalk: Annotated[Path, typer.Argument(help="The crosswalk.")] = Path("crosswalk.csv"),
    study: Annotated[
        Path | None, typer.Option("--study", "-s", help="Where to look for examples and counts.")
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print what is undecided as JSON, and ask nothing.")
    ] = False,
) -> None:
    """Go through a crosswalk's proposals and decide; each answer is saved at once."""
    from contextlib import nullcontext

    from visionhub.report.terminal import write_json
    from visionhub.report.vocabulary_review import Review
    from visionhub.store.study import StudyFile

    with StudyFile(study) if study else nullcontext() as opened:
        found = Review(crosswalk, opened)
        if json:
            write_json([question.as_json() for question in found.questions()])
            return
        _ask(found)
    left = found.summary()
    note(f"{left['decided']} decided, {left['undecided']} undecided; sha256 {left['sha256']}")


@app.command()
def check(
    study: StudyArgument = Path("study.db"),
    crosswalk: Annotated[
        Path | None, typer.Option(help="The crosswalk. Default: what `propose` would write.")
    ] = None,
    codebook: Annotated[Path | None, typer.Option(help="Your constructs (TOML).")] = None,
    provider: ProviderOption = None,
    json: JsonOption = False,
) -> None:
    """Find contradictions and gaps, and say how much of each provider's labels is mapped."""
    from visionhub.report.terminal import write, write_json
    from visionhub.report.vocabulary_check import check as checked
    from visionhub.report.vocabulary_check import is_grave, sections
    from visionhub.store.study import StudyFile

    with StudyFile(study) as opened:
        found = checked(opened, crosswalk=crosswalk, codebook=codebook, providers=provider or ())
    write_json(found) if json else write(sections(found))
    if is_grave(found):
        raise typer.Exit(1)


def _ask(review: Review) -> None:
    """Ask about each proposal. UsageError without a terminal."""
    from visionhub.errors import UsageError
    from visionhub.report.vocabulary_review import QUIT

    questions = review.questions()
    if questions and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            f"There is no terminal to ask on. Edit {review.path}: write accepted or rejected into "
            f"the column decision, and change relation where it is wrong."
        )
    for number, question in enumerate(questions, 1):
        note(f"\n{number} of {len(questions)}")
        for line in question.lines:
            note(f"  {line}")
        taken = None
        while taken is None:
            taken = review.answer(question, _typed(question.asks))
        if taken == QUIT:
            return


def _typed(asks: str) -> str:
    """What is typed. Ctrl-C or SIGTERM ends the program; what was decided is saved already."""
    from visionhub.report.vocabulary_review import ANSWERS

    def leave(number: int, frame: object) -> None:
        raise SystemExit(INTERRUPTED)

    before = {s: signal.signal(s, leave) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        return str(typer.prompt(f"{asks} [{ANSWERS}]", err=True))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
