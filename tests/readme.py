"""What README.md shows of the program is written by the program: `--write` does it, `--check` fails
when it is out of date.

A block stands between `<!-- COMMAND -->` and `<!-- end -->`, where COMMAND is a visionhub command
line such as `visionhub annotate --help`.
"""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

from typer.testing import CliRunner

from visionhub.cli import app

README = Path(__file__).resolve().parents[1] / "README.md"
BLOCK = re.compile(r"<!-- visionhub ([^>]*?) -->\n.*?<!-- end -->", re.DOTALL)


def shown(words: str) -> str:
    """What a visionhub command prints, 100 columns wide, without colour."""
    result = CliRunner().invoke(
        app,
        shlex.split(words),
        prog_name="visionhub",
        env={"COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"},
        terminal_width=100,
        catch_exceptions=False,
    )
    return "\n".join(line.rstrip() for line in result.stdout.strip("\n").splitlines())


def written(text: str) -> str:
    """README's text with every block up to date."""

    def block(match: re.Match[str]) -> str:
        words = match[1]
        printed = f"```\n$ visionhub {words}\n{shown(words)}\n```"
        return f"<!-- visionhub {words} -->\n{printed}\n<!-- end -->"

    return BLOCK.sub(block, text)


def main(arguments: list[str]) -> int:
    """The exit code."""
    now = README.read_text("utf-8")
    then = written(now)
    if arguments == ["--write"]:
        README.write_text(then, "utf-8")
    elif now != then:
        print("README.md does not show what the program prints: run  make docs", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
