"""`visionhub annotate`: photographs in, annotations into a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from visionhub.cli.options import (
    ColumnOption,
    FreeOption,
    LimitOption,
    OldPricesOption,
    ParametersOption,
    PricesOption,
    ProvidersOption,
    SeedOption,
    SensitiveOption,
    SettingsOption,
    ShuffleOption,
    SourcesArgument,
    StudyOption,
    TasksOption,
)


def annotate(
    sources: SourcesArgument,
    study: StudyOption = None,
    provider: ProvidersOption = None,
    task: TasksOption = None,
    param: ParametersOption = None,
    sensitive: SensitiveOption = None,
    setting: SettingsOption = None,
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
    prices: PricesOption = None,
    old_prices: OldPricesOption = False,
    assume_free: FreeOption = None,
    on_ambiguous: Annotated[
        str,
        typer.Option(
            help="Requests that may have been charged without an answer: skip, retry or ask."
        ),
    ] = "skip",
    column: ColumnOption = None,
    limit: LimitOption = None,
    shuffle: ShuffleOption = False,
    seed: SeedOption = 0,
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
