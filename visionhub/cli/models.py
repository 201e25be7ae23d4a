"""`visionhub models`: the local models, their cards, and their weights on this machine."""

from __future__ import annotations

import json as json_module
from typing import TYPE_CHECKING, Annotated, Any

import typer

from visionhub.cli.progress import note, noting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from visionhub.weights import ModelCard

app = typer.Typer(help="List, read and pull the cards and weights of local models.")
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback(invoke_without_command=True)
def models(context: typer.Context, json: JsonOption = False) -> None:
    """List, read and pull local models; alone, it lists the cards of all installed providers."""
    if context.invoked_subcommand:
        return
    from visionhub.report.cards import cards, summaries

    rows = summaries()
    if json:
        _print_json(rows)
        return
    _warn(cards(), note)
    _print_table(rows)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A name that `visionhub models` lists.")],
    json: JsonOption = False,
) -> None:
    """Print one model's card in full: source, licence, training data, known limits, files."""
    from visionhub.report.cards import in_full

    card = in_full(name)
    if json:
        _print_json(card)
        return
    for line in _lines(card):
        typer.echo(line)


@app.command()
def pull(
    names: Annotated[
        list[str] | None, typer.Argument(help="Models; without any, the defaults.")
    ] = None,
    all_defaults: Annotated[
        bool, typer.Option("--all-defaults", help="Also the sensitive ones among the defaults.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Pull weights into the cache, checked; what is there already is not pulled again."""
    from visionhub.archives import pull_cards
    from visionhub.report.cards import chosen

    cards = chosen(names or [], all_defaults=all_defaults)
    say = noting(as_json=json)
    _warn(cards, say)
    paths = [str(path) for path in pull_cards(cards, say)]
    if json:
        _print_json({"models": [card.name for card in cards], "files": paths})
    else:
        typer.echo("\n".join(paths))


def _warn(cards: Sequence[ModelCard], say: Callable[[str], None]) -> None:
    from visionhub.report.cards import warnings

    for warning in warnings(cards):
        say(f"NOTE {warning}")


def _print_json(value: Any) -> None:  # noqa: ANN401 - whatever JSON can say
    typer.echo(json_module.dumps(value, indent=2, ensure_ascii=False))


def _print_table(rows: Sequence[dict[str, Any]]) -> None:
    from visionhub.report.terminal import Section, write

    columns = ("name", "provider", "tasks", "license", "MB", "download MB", "use", "where")
    cells = [[value for name, value in row.items() if name != "permissive"] for row in rows]
    write([Section("", columns, cells, right=("MB", "download MB"))])


def _lines(card: dict[str, Any]) -> list[str]:
    """One line a member of the card; files and archive in lines of their own."""
    lines = []
    for name, value in card.items():
        if isinstance(value, list):
            lines += [f"{name}: {', '.join(f'{k} {v}' for k, v in each.items())}" for each in value]
        elif isinstance(value, dict):
            lines += [f"{name}: {', '.join(f'{k} {v}' for k, v in value.items())}"]
        else:
            lines += [f"{name}: {', '.join(value) if isinstance(value, tuple) else value}"]
    return lines
