"""Options that several commands take, in the same words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

import typer

Target = TypeVar("Target", str, Path, None)


def spared(param: typer.CallbackParam, value: Target) -> Target:
    """The callback of every option that names a file to write: no study is replaced by it.

    UsageError before anything is read or sent. "-" is standard output.
    """
    if value is not None and str(value) != "-":
        from visionhub.report.files import spare

        spare(Path(value), f"{param.opts[0]} {str(value)!r}")
    return value


SourcesArgument = Annotated[
    list[str],
    typer.Argument(
        help="Files, folders (searched through), globs, CSV files (with --column), or - for a "
        "list on standard input, one a line or NUL-separated."
    ),
]
StudyOption = Annotated[
    Path | None, typer.Option("--study", "-s", help="The study file.  [study.db]")
]
ProvidersOption = Annotated[
    list[str] | None,
    typer.Option("--provider", "-p", help="Who is asked; repeat it for several.  [embedded]"),
]
TasksOption = Annotated[
    str | None,
    typer.Option(
        "--tasks",
        "-t",
        help="What is asked, comma-separated. Default: labels,objects,faces,"
        "text,safe_search. See `visionhub providers`.",
    ),
]
ParametersOption = Annotated[
    list[str] | None,
    typer.Option("--param", help="task.name=value or provider.task.name=value; repeat it."),
]
SensitiveOption = Annotated[
    str | None,
    typer.Option(help="Sensitive attributes to ask for by name, such as age,gender,emotion."),
]
SettingsOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="provider.name=value: how a service is reached; repeat it."),
]
PricesOption = Annotated[
    Path | None,
    typer.Option("--prices", help="Prices of your own, over the packaged ones (visionhub prices)."),
]
OldPricesOption = Annotated[
    bool, typer.Option("--old-prices", help="Use prices although they are a year old.")
]
FreeOption = Annotated[
    list[str] | None,
    typer.Option(help="provider.task=N: free units a month that you claim; repeat it."),
]
ColumnOption = Annotated[
    str | None, typer.Option(help="The column of a CSV file that holds paths.")
]
LimitOption = Annotated[int | None, typer.Option(min=1, help="At most so many files.")]
ShuffleOption = Annotated[bool, typer.Option("--shuffle", help="Files in random order.")]
SeedOption = Annotated[int, typer.Option(help="The seed of --shuffle.")]
