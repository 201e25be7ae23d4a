"""`python -m tests.mutation`: put faults into a copy of the code; which do the tests not notice?"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.mutation.parts import PARTS

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("visionhub", "providers", "tests", "cassettes", "pyproject.toml", "README.md", "docs")
EQUIVALENT = Path(__file__).with_name("equivalent.toml")
LEAST = 0.90  # of the faults that change anything have to be noticed
EXAMPLES = "12"  # of the ledger's model for each fault


def main() -> int:
    """Try the parts that are asked for; 1 when one of them falls short."""
    chosen = _arguments()
    chosen.results.mkdir(parents=True, exist_ok=True)
    listed = tomllib.loads(EQUIVALENT.read_text("utf-8")).get("equivalent", [])
    known = {name for one in listed for name in one["names"]}
    fine = True
    for name in chosen.only or PARTS:
        start, kept = time.monotonic(), chosen.results / f"{name.replace(' ', '_')}.json"
        before = json.loads(kept.read_text("utf-8")) if chosen.survivors else {}
        wanted = sorted(key for key, one in before.items() if one["outcome"] not in DEAD)
        if wanted or not chosen.survivors:
            now = kept.with_suffix(".part.json")  # stays when this is interrupted
            _try(name, wanted, chosen.jobs, now)
            sure = {key: one for key, one in before.items() if key not in wanted}
            found = {**sure, **json.loads(now.read_text("utf-8"))}
            kept.write_text(json.dumps(found, indent=1), "utf-8")
            now.unlink()
        fine &= _told(name, json.loads(kept.read_text("utf-8")), known)
        print(f"{time.monotonic() - start:.0f} seconds\n", flush=True)
    return int(not fine)


DEAD = ("killed", "timeout")


def _try(name: str, wanted: list[str], jobs: int, results: Path) -> None:
    """Note what becomes of each fault of a part, by name; in a copy, so that nobody meets them."""
    results.write_text("{}", "utf-8")
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / "copy"
        for each in NEEDED:
            source = ROOT / each
            if source.is_dir():
                skip = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source, copy / each, ignore=skip)
            else:
                shutil.copy(source, copy / each)
        names = Path(folder) / "wanted.json"
        names.write_text(json.dumps(wanted), "utf-8")
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(copy), str(copy / "providers")]),
            "VISIONHUB_LEDGER_EXAMPLES": EXAMPLES,
            "TMPDIR": folder,
            "VISIONHUB_SHARED": str(ROOT.parent / "shared"),
        }
        command = [sys.executable, "-m", "tests.mutation.loop", name, str(results.resolve())]
        command += [str(jobs), str(names)]
        subprocess.run(command, cwd=copy, env=environment, check=True)


def _told(name: str, found: dict[str, Any], known: set[str]) -> bool:
    """Print a part's table and its survivors; whether enough were noticed."""
    print(f"\n## {name}\n\n| module | faults | equivalent | killed | timed out | survived |")
    print("|---|---|---|---|---|---|")
    total: Counter[str] = Counter()
    for path in dict.fromkeys(one["path"] for one in found.values()):
        rows = {key: one for key, one in found.items() if one["path"] == path}
        counts = Counter(_kind(key, one, known) for key, one in rows.items())
        total += counts
        print(_row(path, counts))
    print(_row("all", total))
    dead = total["killed"] + total["timeout"]
    share = dead / max(1, total.total() - total["equivalent"])
    print(f"\n{share:.1%} of those that change anything were noticed.\n")
    for key, one in found.items():
        if _kind(key, one, known) == "survived":
            print(f"- {one['path']}:{one['line']}: {one['change']}\n    {one['text']}\n    {key}")
    return share >= LEAST


def _kind(key: str, one: dict[str, Any], known: set[str]) -> str:
    if one["outcome"] in DEAD:
        return str(one["outcome"])
    return "equivalent" if key in known else "survived"


def _row(name: str, counts: Counter[str]) -> str:
    order = (counts.total(), *(counts[k] for k in ("equivalent", "killed", "timeout", "survived")))
    return f"| {name} | {' | '.join(map(str, order))} |"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--only", action="append", choices=PARTS, help="one part; repeat it")
    parser.add_argument("--survivors", action="store_true", help="only what survived last time")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at a time")
    parser.add_argument("--results", type=Path, default=ROOT / ".mutants", help="kept here")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
