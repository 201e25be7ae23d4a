"""`python -m tests.torture`: run the parts, print every figure; exit code 1 when one is missed."""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
import sys
import time
from importlib import import_module

from tests.torture.report import Section, markdown

PARTS = ("kills", "stops", "faults", "disk", "storm", "clock", "corpus")
SHORT = 0.05  # of the long form


def main() -> int:
    """Run what is asked for."""
    chosen = _arguments()
    began, missed = time.monotonic(), 0
    print(f"# Torture of visionhub, seed {chosen.seed}, {'short' if chosen.short else 'long'} form")
    print(
        f"\nPython {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores.\n"
    )
    for name in chosen.only or PARTS:
        start = time.monotonic()
        section = _run(name, SHORT if chosen.short else 1.0, chosen.seed)
        section.told("seconds", round(time.monotonic() - start, 1))
        print("\n".join(markdown(section)), flush=True)
        missed += len(section.missed)
    minutes = (time.monotonic() - began) / 60
    print(f"{missed} figures missed; {minutes:.1f} minutes.")
    return int(missed > 0)


def _run(name: str, scale: float, seed: int) -> Section:
    section: Section = import_module(f"tests.torture.{name}").run(scale, seed)
    return section


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a twentieth of it")
    parser.add_argument("--only", action="append", choices=PARTS, help="one part; repeat it")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
