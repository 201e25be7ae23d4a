"""`visionhub quote`: what a run would ask and cost, before anything is sent."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    spared,
)

if TYPE_CHECKING:
    from visionhub.engine.plan import Ask
    from visionhub.engine.sources import Sources

EVERY = 10.0  # seconds between two lines on how far it got


def quote(
    sources: SourcesArgument,
    study: StudyOption = None,
    provider: ProvidersOption = None,
    task: TasksOption = None,
    param: ParametersOption = None,
    sensitive: SensitiveOption = None,
    setting: SettingsOption = None,
    max_cost: Annotated[
        str | None, typer.Option(help="Say whether it fits under this cap, such as 5 or '5 USD'.")
    ] = None,
    prices: PricesOption = None,
    old_prices: OldPricesOption = False,
    assume_free: FreeOption = None,
    on_ambiguous: Annotated[
        str, typer.Option(help="Requests that may have been charged already: skip or retry.")
    ] = "skip",
    quick: Annotated[
        bool | None,
        typer.Option(
            "--quick/--full",
            help="Decode no image, or every one. Default: the first 2,000 that are to be asked "
            "about; with others beyond, the cost is an upper bound.",
            show_default=False,
        ),
    ] = None,
    near_list: Annotated[
        Path | None,
        typer.Option(
            help="Write near duplicates to this CSV file: path, group, distance.", callback=spared
        ),
    ] = None,
    column: ColumnOption = None,
    limit: LimitOption = None,
    shuffle: ShuffleOption = False,
    seed: SeedOption = 0,
    json: Annotated[
        bool, typer.Option("--json", help="Print JSON; money in millionths of the currency.")
    ] = False,
) -> None:
    """Show what `annotate` would ask and cost. Nothing is sent and nothing is stored."""
    from visionhub.cli.watch import pairs
    from visionhub.engine.plan import DEFAULT_TASKS, Ask
    from visionhub.engine.sources import Sources

    files = Sources.of(sources, column=column, limit=limit, shuffle=shuffle, seed=seed)
    ask = Ask(
        providers=tuple(provider or ("embedded",)),
        tasks=_words(task) if task else DEFAULT_TASKS,
        parameters=pairs(param or (), "--param", "task.name=value"),
        sensitive=_words(sensitive or ""),
        settings=pairs(setting or (), "--set", "provider.name=value"),
        max_cost=max_cost,
        prices=prices,
        old_prices=old_prices,
        assume_free=pairs(assume_free or (), "--assume-free", "provider.task=N"),
        on_ambiguous=on_ambiguous,
    )
    raise typer.Exit(_show(files, ask, study or Path("study.db"), quick, near_list, as_json=json))


def _show(
    files: Sources,
    ask: Ask,
    study: Path,
    quick: bool | None,
    near_list: Path | None,
    *,
    as_json: bool,
) -> int:
    """Make the quote and print it; the exit code, which is 1 where there is no photograph."""
    from dataclasses import replace

    from visionhub.cli.progress import noting
    from visionhub.facade import Study
    from visionhub.report.quoted import sections, write_near
    from visionhub.report.summary import PassedOver
    from visionhub.report.terminal import write, write_json

    over, say = PassedOver(), noting(as_json=as_json)
    files = replace(files, pass_over=over.add)
    _say_if_unwritable(study, say)
    made = Study(study).quote(files, ask, quick=quick, announce=say, watch=_telling(say))
    if near_list is not None:
        write_near(made, near_list)
    if as_json:
        write_json(made.summary() | {"passed_over": over.count})
    else:
        write(sections(made, over, near_list))
    return 0 if made.files else 1


def _say_if_unwritable(study: Path, say: Callable[[str], None]) -> None:
    """A quote writes nothing and needs no place for it, but the run that follows does."""
    from visionhub.errors import StudyError
    from visionhub.store.writable import check_place

    try:
        check_place(study)
    except StudyError as error:
        say(f"NOTE to run it: {error}")


def _telling(say: Callable[[str], None]) -> Callable[[int, int | None], None]:
    """Say now and then how many files were looked at."""
    last = [time.monotonic()]

    def tell(files: int, _: int | None) -> None:
        if time.monotonic() - last[0] >= EVERY:
            last[0] = time.monotonic()
            say(f"{files:,} files looked at")

    return tell


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
