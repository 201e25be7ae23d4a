"""The command line: a file a command; each parses its arguments, calls the library and prints."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Annotated

try:
    import typer

    from visionhub.cli import (
        annotate,
        compare,
        contact_sheet,
        demo,
        doctor,
        drift,
        export,
        import_bodies,
        ledger,
        models,
        prices,
        providers,
        quote,
        reparse,
        sandbox,
        schema,
        show,
        status,
        vocabulary,
    )
    from visionhub.cli.ending import Commands
    from visionhub.cli.once import Once
except KeyboardInterrupt:  # they take a while to load: it is no error to have changed one's mind
    sys.exit(130)

EPILOG = (
    "Exit codes: 0 ok, 1 error, 2 usage, 3 cap reached, 4 some images or requests have no answer, "
    "5 ambiguous attempts, 130 interrupted. Data goes to stdout, the rest to stderr; NO_COLOR is "
    "respected."
)

app = typer.Typer(
    name="visionhub",
    cls=Commands,
    help="Photographs in; annotations from several vision services out, in one honest schema.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: it loads in a third of the time, and pastes well
)
COMMANDS: Mapping[str, Callable[..., None]] = {
    "quote": quote.quote,
    "annotate": annotate.annotate,
    "import-bodies": import_bodies.import_bodies,
    "show": show.show,
    "status": status.status,
    "export": export.export,
    "contact-sheet": contact_sheet.contact_sheet,
    "compare": compare.compare,
    "drift": drift.drift,
    "reparse": reparse.reparse,
    "schema": schema.schema,
    "providers": providers.providers,
    "prices": prices.prices,
    "doctor": doctor.doctor,
    "demo": demo.demo,
    "sandbox": sandbox.sandbox,
}
for name, command in COMMANDS.items():
    app.command(name, cls=Once)(command)
app.add_typer(ledger.app, name="ledger")
app.add_typer(models.app, name="models")
app.add_typer(vocabulary.app, name="vocabulary")


def _version(wanted: bool) -> None:
    if wanted:
        from visionhub import __version__

        typer.echo(f"visionhub {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and end."
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; whatever goes wrong ends in one sentence and a documented exit code."""
    from visionhub.cli.ending import interrupted, run
    from visionhub.cli.streams import prepare

    try:
        from visionhub.decode import ignore_decoder_warnings

        ignore_decoder_warnings()
        prepare()
        run(app, sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(interrupted())
