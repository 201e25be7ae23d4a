"""How a command ends that cannot go on: one sentence, or with --json one event, and a code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn

import typer
from typer.core import TyperGroup

from visionhub.errors import VisionHubError

INTERRUPTED = 130  # the exit code
NOISE = "Value error, "  # what pydantic, by which Typer reads choices, puts before its sentences


class End(NamedTuple):
    """What is said, and the exit code."""

    message: str
    code: int


def run(app: Callable[..., object], arguments: Sequence[str]) -> NoReturn:
    """Run the command line to its exit code, whatever goes wrong."""
    as_json = wants_json(arguments)
    try:
        # Else faults in the arguments are printed, with how the command is used, and not raised.
        code = app(standalone_mode=not as_json)
    except Exception as error:
        end = _end(error)
        if end is None:
            raise
        _say(end, as_json=as_json)
        sys.exit(end.code)
    sys.exit(code if isinstance(code, int) else 0)


class Commands(TyperGroup):
    """The commands; what stops one, or is wrong with its options, ends in our own words."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 (as in each Typer's own)
        """Run a command. Typer itself would end an interrupted one without a word."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            sys.exit(interrupted())
        except typer.BadParameter as error:
            error.message = error.message.removeprefix(NOISE)
            raise


def interrupted() -> int:
    """Say that Ctrl-C ended a command that had nothing to finish; the exit code."""
    as_json = wants_json(sys.argv[1:])
    if as_json:
        _say(End("Interrupted.", INTERRUPTED), as_json=True)
    else:
        print("Interrupted.", file=sys.stderr)  # noqa: T201
    return INTERRUPTED


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether --json is among what was typed: then stderr holds events only, one a line."""
    for argument in arguments:
        if argument in ("--", "--json"):
            return argument == "--json"
    return False


def _end(error: Exception) -> End | None:
    """What an error comes to; None where its traceback is wanted."""
    if isinstance(error, VisionHubError):
        return End(str(error), error.exit_code)
    if isinstance(error, OSError):  # files have sentences of their own: this is the output
        return End(f"{error.filename or 'the output'}: {error.strerror or error}.", 1)
    usage = getattr(error, "format_message", None)  # of the arguments' parser, in every Typer
    if usage is not None:
        return End(usage(), getattr(error, "exit_code", 2))
    if type(error).__name__ == "Abort":
        return End("Aborted.", 1)
    if os.environ.get("VISIONHUB_DEBUG"):
        return None
    return End(
        f"an unexpected {type(error).__name__}: {error}. Nothing that was stored is lost. Set "
        f"VISIONHUB_DEBUG=1 to see where, and please report it.",
        1,
    )


def _say(end: End, *, as_json: bool) -> None:
    event = {"event": "error", "exit_code": end.code, "message": end.message}
    print(json.dumps(event) if as_json else f"Error: {end.message}", file=sys.stderr)  # noqa: T201
