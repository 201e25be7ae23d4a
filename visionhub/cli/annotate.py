"""`visionhub annotate`: photographs in, annotations into a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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


def annotate(
    sources: SourcesArgument,
    study: StudyOption = None,
    provider: Annotated[
        list[str] | None,
        typer.Option("--provider", "-p", help="Who is asked; repeat it for several.  [embedded]"),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            "--tasks",
            "-t",
            help="What is asked, comma-separated. Default: labels,objects,faces,"
            "text,safe_search. See `visionhub providers`.",
        ),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", help="task.name=value or provider.task.name=value; repeat it."),
    ] = None,
    sensitive: Annotated[
        str | None,
        typer.Option(help="Sensitive attributes to ask for by name, such as age,gender,emotion."),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="provider.name=value: how a service is reached; repeat it."),
    ] = None,
    sandbox: Annotated[
        bool,
        typer.Option(
            "--sandbox",
            help="Rehearse: a stand-in on this machine answers for the services, at no cost. The "
            "study is marked as a rehearsal.  [rehearsal.db unless --study]",
        ),
    ] = False,
    max_cost: Annotated[
        str | None,
        typer.Option(help="The most that the study may ever spend, such as 5 or '5 USD'."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask: at most the quote is spent.")
    ] = False,
    prices: Annotated[
        Path | None, typer.Option(help="Prices of your own; see `visionhub prices`.")
    ] = None,
    old_prices: Annotated[
        bool, typer.Option("--old-prices", help="Use prices although they are a year old.")
    ] = False,
    assume_free: Annotated[
        list[str] | None,
        typer.Option(help="provider.task=N: free units a month that you claim; repeat it."),
    ] = None,
    on_ambiguous: Annotated[
        str,
        typer.Option(
            help="Requests that may have been charged without an answer: skip, retry or ask."
        ),
    ] = "skip",
    column: Annotated[
        str | None, typer.Option(help="The column of a CSV file that holds paths.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many files.")] = None,
    shuffle: Annotated[bool, typer.Option("--shuffle", help="Files in random order.")] = False,
    seed: Annotated[int, typer.Option(help="The seed of --shuffle.")] = 0,
    json: Annotated[
        bool,
        typer.Option(
            "--json", help="The summary as JSON on stdout, and events as JSON lines on stderr."
        ),
    ] = False,
) -> None:
    """Ask providers about photographs and store the answers; what is held is not asked again."""
    from visionhub.cli.watch import Asked, run_watched
    from visionhub.engine.sources import Sources

    files = Sources.of(sources, column=column, limit=limit, shuffle=shuffle, seed=seed)
    asked = Asked(
        providers=provider,
        tasks=task,
        parameters=param,
        sensitive=sensitive,
        settings=setting,
        max_cost=max_cost,
        yes=yes,
        prices=prices,
        old_prices=old_prices,
        assume_free=assume_free,
        on_ambiguous=on_ambiguous,
    )
    named = study or Path("rehearsal.db" if sandbox else "study.db")
    raise typer.Exit(run_watched(named, files, asked, as_json=json, rehearse=sandbox))
