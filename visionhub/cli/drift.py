"""`visionhub drift`: whether a provider's answers about the same photographs have changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypedDict

import typer

from visionhub.cli.options import (
    FreeOption,
    OldPricesOption,
    ParametersOption,
    PricesOption,
    SensitiveOption,
    SettingsOption,
    spared,
)
from visionhub.cli.watch import Asked

if TYPE_CHECKING:
    from visionhub.analysis.drift import Drift
    from visionhub.store.study import StudyFile

FOR_CANARIES = (
    "canary_size",
    "param",
    "sensitive",
    "setting",
    "sandbox",
    "max_cost",
    "yes",
    "prices",
    "old_prices",
    "assume_free",
    "on_ambiguous",
)


def drift(
    ctx: typer.Context,
    study: Annotated[
        Path | None, typer.Argument(help="The study file.  [study.db]", show_default=False)
    ] = None,
    provider: Annotated[
        str | None,
        typer.Option("--provider", "-p", help="Whose answers. Default: all with two versions."),
    ] = None,
    tasks: Annotated[
        str | None,
        typer.Option(
            "--tasks",
            "-t",
            help="labels,objects,faces,text,safe_search, or some of them. Default: all that there "
            "are two versions of.",
        ),
    ] = None,
    rater: Annotated[
        list[str] | None,
        typer.Option(
            "--rater",
            help="Two versions, the earlier one first: --rater google@2016 --rater google@2017. "
            "Default: the two most recent ones.",
        ),
    ] = None,
    canary: Annotated[
        bool,
        typer.Option(
            "--canary",
            help="Ask -p again, now, about a fixed set of the study's photographs, and compare. "
            "Current answers stay as they are.",
        ),
    ] = False,
    canary_size: Annotated[
        int | None,
        typer.Option(min=1, help="Photographs of that set, when it is first chosen.  [50]"),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(help="Where images come from, TABLE.csv:COLUMN or folder: they go together."),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(help="A score has moved beyond this share of it.")
    ] = 1e-4,
    draws: Annotated[int, typer.Option(min=100, help="Bootstrap draws.")] = 2000,
    seed: Annotated[int, typer.Option(help="The seed of the draws.")] = 0,
    confidence: Annotated[float, typer.Option(help="Level of the intervals.")] = 0.95,
    csv: Annotated[
        Path | None, typer.Option(help="A folder for all tables as CSV.", callback=spared)
    ] = None,
    parquet: Annotated[
        Path | None, typer.Option(help="The same as Parquet.", callback=spared)
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace tables that are there.")
    ] = False,
    sandbox: Annotated[
        bool,
        typer.Option("--sandbox", help="Rehearse the canary.  [rehearsal.db unless named]"),
    ] = False,
    param: ParametersOption = None,
    sensitive: SensitiveOption = None,
    setting: SettingsOption = None,
    max_cost: Annotated[
        str | None, typer.Option(help="The most that the study may ever spend, such as 5.")
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
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show whether a provider's answers about the same photographs have changed between dates."""
    from visionhub.store.study import StudyFile

    _check(ctx, canary=canary, raters=rater)
    named = study or Path("rehearsal.db" if sandbox else "study.db")
    asked = Asked(
        providers=[provider] if provider else None,
        tasks=tasks,
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
    how = How(source=source, tolerance=tolerance, draws=draws, seed=seed, confidence=confidence)
    again = Again()
    if canary:
        again = _again(named, asked, canary_size, how, as_json=json, rehearse=sandbox)
    with StudyFile(named) as opened:
        found = _found(opened, asked, rater or (), again, how)
        for folder, form in ((csv, "csv"), (parquet, "parquet")):
            _write(found, opened, folder, form, overwrite=overwrite)
        _show(found, opened, again, as_json=json)
    raise typer.Exit(again.code)


class How(TypedDict):
    """How intervals are made, and what counts as moved."""

    source: str | None
    tolerance: float
    draws: int
    seed: int
    confidence: float


class Again(NamedTuple):
    """What a canary did: its moment, what is to be said of it, and the exit code."""

    moment: str = ""
    said: Mapping[str, Any] | None = None
    code: int = 0


def _check(ctx: typer.Context, *, canary: bool, raters: Sequence[str] | None) -> None:
    """UsageError for options that do not go together."""
    from visionhub.errors import UsageError

    if canary and raters:
        raise UsageError(
            "--canary is compared with the current answers: leave --rater out, and name versions "
            "later, in a command without --canary."
        )
    for name in () if canary else FOR_CANARIES:
        source = ctx.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise UsageError(f"{_option(ctx, name)} is for --canary: nothing is asked without it.")


def _option(ctx: typer.Context, name: str) -> str:
    return next(one.opts[0] for one in ctx.command.params if one.name == name)


def _again(
    study: Path, asked: Asked, size: int | None, how: How, *, as_json: bool, rehearse: bool
) -> Again:
    """Ask once more, after all that can be checked was."""
    from visionhub.cli.canary import ask_again
    from visionhub.cli.ending import INTERRUPTED
    from visionhub.cli.watch import exit_code
    from visionhub.report.drifting import check
    from visionhub.store.study import StudyFile

    with StudyFile(study) as opened:
        check(
            opened,
            source=how["source"],
            confidence=how["confidence"],
            tolerance=how["tolerance"],
        )
    canary, progress = ask_again(study, asked, size, as_json=as_json, rehearse=rehearse)
    code = exit_code(progress)
    if code == INTERRUPTED or not progress.done + sum(progress.cached.values()):
        raise typer.Exit(code)
    return Again(canary.ask.canary, {**canary.summary(), "run": progress.summary()}, code)


def _found(study: StudyFile, asked: Asked, raters: Sequence[str], again: Again, how: How) -> Drift:
    from visionhub.report.drifting import drift as drifted

    tasks = tuple(word.strip() for word in (asked["tasks"] or "").split(",") if word.strip())
    provider = next(iter(asked["providers"] or ()), "")
    return drifted(study, provider=provider, tasks=tasks, raters=raters, canary=again.moment, **how)


def _write(
    found: Drift, study: StudyFile, folder: Path | None, form: str, *, overwrite: bool
) -> None:
    from visionhub.report.drifted_files import write_tables

    if folder is not None:
        write_tables(found, study, folder, form, overwrite=overwrite)


def _show(found: Drift, study: StudyFile, again: Again, *, as_json: bool) -> None:
    from visionhub.report.drifted import sections
    from visionhub.report.drifted_files import as_json as plain
    from visionhub.report.terminal import write, write_json

    if as_json:
        more = {} if again.said is None else {"canary": again.said}
        write_json(plain(found, study) | more)
    else:
        write(sections(found, study))
