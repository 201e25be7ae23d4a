"""`visionhub ledger`: what a study has spent, what is in doubt, and whether the bill agrees."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from visionhub.cli.options import PricesOption, StudyOption, spared

app = typer.Typer(help="Show what a study has spent, by provider, task, day, run or price line.")
CsvOption = Annotated[
    str | None, typer.Option("--csv", help="Write CSV to this file; - prints it.", callback=spared)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class By(StrEnum):
    """What a row of the spend table stands for."""

    PROVIDER = "provider"
    TASK = "task"
    DAY = "day"
    RUN = "run"
    LINE = "line"


@app.callback(invoke_without_command=True)
def ledger(
    context: typer.Context,
    study: StudyOption = None,
    by: Annotated[By, typer.Option(help="What a row stands for.")] = By.PROVIDER,
    csv: CsvOption = None,
    json: JsonOption = False,
) -> None:
    """Show what a study has spent and what is left of its cap; see also the commands below."""
    context.obj = study
    if context.invoked_subcommand:
        return
    from visionhub.report.spending import sections, spending, spent, write_csv
    from visionhub.report.terminal import write, write_json
    from visionhub.store.study import StudyFile

    with StudyFile(_named(context, study)) as opened:
        if csv:
            write_csv(spent(opened, by.value), csv)
            return
        found = spending(opened, by.value)
    write_json(found) if json else write(sections(found))


@app.command()
def ambiguous(
    context: typer.Context,
    study: StudyOption = None,
    csv: CsvOption = None,
    json: JsonOption = False,
) -> None:
    """List the requests that may have been charged without an answer, or were, with their cost."""
    from visionhub.report import spending
    from visionhub.report.terminal import write, write_json
    from visionhub.store.study import StudyFile

    path = _named(context, study)
    with StudyFile(path) as opened:
        found = spending.ambiguous(opened)
    if csv:
        spending.write_csv(found, csv)
    else:
        write_json(list(found)) if json else write(spending.doubts(found, str(path)))


@app.command()
def reconcile(
    context: typer.Context,
    export: Annotated[Path, typer.Argument(help="A billing export: CSV or JSON, or as .gz.")],
    study: StudyOption = None,
    provider: Annotated[
        str | None, typer.Option("--provider", "-p", help="Only this provider.")
    ] = None,
    prices: PricesOption = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Settle or release what the bill makes certain.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Compare the ledger with the vendor's bill, day by day and line by line."""
    from visionhub.report.reconcile import reconciled
    from visionhub.report.reconciled import sections
    from visionhub.report.terminal import write, write_json

    found = reconciled(_named(context, study), export, provider, prices, apply=apply)
    write_json(found) if json else write(sections(found))


def _named(context: typer.Context, study: Path | None) -> Path:
    """The study, whether its option stands before or after the command's name."""
    return study or context.obj or Path("study.db")
