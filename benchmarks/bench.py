"""Speed, as ratios measured side by side in one run: `make bench`.

Every pair is run in turn (A B A B ...), in CPU time of all threads (user + system), because wall
time on a shared machine says little. Reported are medians and the spread of the ratio A/B.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import pairs

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("VISIONHUB_SHARED", ROOT.parent / "shared")) / "images/imagenet/images"


@dataclass(frozen=True)
class Row:
    """One comparison: CPU seconds of A and B, round by round."""

    name: str
    ours: list[float]
    bare: list[float]
    unit: str
    count: int

    @property
    def ratios(self) -> list[float]:
        return [a / b for a, b in zip(self.ours, self.bare, strict=True)]

    def line(self) -> str:
        """A Markdown row: our rate, the bare rate, the ratio of cost with its spread."""
        ratio = self.ratios
        rate = [f"{self.count / statistics.median(v):,.1f}" for v in (self.ours, self.bare)]
        spread = f"{statistics.median(ratio):.2f} [{min(ratio):.2f} to {max(ratio):.2f}]"
        return f"| {self.name} | {rate[0]} | {rate[1]} | {self.unit} | {spread} |"


def cpu(function: Callable[[], object]) -> float:
    """CPU seconds of this process, all threads, and of children that have ended."""
    before = _used()
    function()
    return _used() - before


def _used() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, kinds))


def side_by_side(
    name: str, ours: Callable[[], object], bare: Callable[[], object], unit: str, count: int, n: int
) -> Row:
    """Run both once to warm up, then `n` times in turn."""
    ours()
    bare()
    times = [(cpu(ours), cpu(bare)) for _ in range(n)]
    return Row(name, [a for a, _ in times], [b for _, b in times], unit, count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=Path, default=SHARED)
    parser.add_argument("--count", type=int, default=100)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        photos = pairs.photographs(given.images, given.count, Path(folder))
        rows = list(measured(photos, Path(folder), given.rounds))
    print("| A against B | A per CPU-s | B per CPU-s | unit | cost of A / cost of B |")
    print("|---|---|---|---|---|")
    for row in rows:
        print(row.line())
    machine = {"cpus": os.cpu_count(), "python": sys.version.split()[0], "rounds": given.rounds}
    print(json.dumps(machine))


def measured(photos: list[Path], folder: Path, rounds: int):
    """All comparisons."""
    n = len(photos)
    labels = pairs.Labels(photos, folder)
    yield side_by_side(
        "labels end to end / the same model, one image at a time",
        labels.product,
        labels.bare_litert,
        "images",
        n,
        rounds,
    )
    if pairs.has_torch():
        loop = pairs.TorchLoop(photos)
        yield side_by_side(
            "labels end to end / plain torchvision loop (MobileNetV2, same resize and crop)",
            labels.product,
            loop.run,
            "images",
            n,
            rounds,
        )
    yield side_by_side(
        "second run over answered images / bare read and SHA-256",
        labels.again,
        labels.read_and_hash,
        "images",
        n * pairs.COPIES,
        rounds,
    )
    rows = pairs.StoredRows(folder)
    yield side_by_side(
        "answers into the study / plain executemany of the same rows",
        rows.product,
        rows.bare,
        "rows",
        rows.count,
        rounds,
    )
    yield side_by_side(
        "visionhub --help / python -c 'import typer'",
        lambda: _call(str(Path(sys.executable).with_name("visionhub")), "--help"),
        lambda: _call(sys.executable, "-c", "import typer"),
        "calls",
        1,
        max(rounds, 15),
    )


def _call(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
