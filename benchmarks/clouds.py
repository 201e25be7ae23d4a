"""The clouds' adapters beside bare loops with the same SDKs, in one run: `make bench-clouds`.

A stand-in in another process answers after 150 ms. Each pair is run in turn (A B, B A, ...) in one
process; CPU is user and system time of all its threads. Reported are medians over rounds, and
the median and range of the ratios within rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeAlias

from benchmarks.clouds_photos import Photo, photos
from benchmarks.clouds_server import stand_in
from benchmarks.clouds_sides import WAYS, Ours, Way, Whole, bare
from benchmarks.clouds_table import Cell, Spent, printed, verdicts
from visionhub.images import Limits, render

Side: TypeAlias = Callable[[Sequence[Photo]], int]
Photos: TypeAlias = dict[int, list[Photo]]  # by KB

LATENCY = 0.15  # seconds
CALLS = {1: 8, 4: 32, 16: 96, 64: 192}  # in a round, by how many are in flight
LARGE_BATCH, LARGE_CALLS = 16, 16
WHOLE_FLIGHT, WHOLE_PHOTOS = 16, 256
FEW = 3  # rounds of what no verdict rests on


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="of what a verdict rests on")
    parser.add_argument("--only", default="", help="part of a way's name, such as gRPC")
    parser.add_argument("--latency", type=float, default=LATENCY, help="seconds")
    given = parser.parse_args()
    ways = [way for way in WAYS if given.only.lower() in way.title.lower()]
    with tempfile.TemporaryDirectory() as name, stand_in(given.latency) as address:
        folder = Path(name)
        pictures = {
            size: photos(folder / str(size), size, LARGE_BATCH * LARGE_CALLS) for size in (10, 200)
        }
        cells = []
        for cell in measured(ways, address, pictures, folder, given.rounds):
            print(cell.title, f"{cell.ratio:.2f}", file=sys.stderr)
            cells.append(cell)
        rendering = {size: _rendering(found) for size, found in pictures.items()}
    print(*printed(cells), sep="\n")
    for size, milliseconds in rendering.items():
        print(f"Decoding and checking one picture of {size} KB, alone: {milliseconds:.2f} CPU ms.")
    print(*verdicts(cells), sep="\n")
    machine = {"cpus": os.cpu_count(), "python": sys.version.split()[0], "rounds": given.rounds}
    print(json.dumps(machine | {"latency": given.latency}))


def measured(
    ways: Sequence[Way], address: str, pictures: Photos, folder: Path, rounds: int
) -> Iterator[Cell]:
    """All comparisons."""
    few = min(FEW, rounds)
    for way in ways:
        for size, found in pictures.items():
            at = Cell(way.title, size)
            for flight, calls in CALLS.items():
                n = rounds if flight == 16 else few
                yield _adapter(at.at(flight, 1), way, address, found[:calls], n)
            if way.usual_batch > 1:
                yield _adapter(at.at(16, LARGE_BATCH), way, address, found, few)
            whole = Whole(way, address, WHOLE_FLIGHT, folder)
            sides = (whole.product, whole.loop)
            cell = Cell(way.title, size, WHOLE_FLIGHT, way.usual_batch, whole=True)
            yield _in_turn(cell, *sides, found[:WHOLE_PHOTOS], few)


def _adapter(cell: Cell, way: Way, address: str, found: Sequence[Photo], rounds: int) -> Cell:
    """An adapter and a bare loop, each through its own connections and the same threads."""
    made = (
        Ours(way, address, cell.flight, cell.batch),
        bare(way, address, cell.flight, cell.batch),
    )
    with ThreadPoolExecutor(cell.flight) as pool:
        ours, loop = (partial(_spread, pool, call, cell.batch) for call in made)
        return _in_turn(cell, ours, loop, found, rounds)


def _spread(pool: ThreadPoolExecutor, call: Side, batch: int, found: Sequence[Photo]) -> int:
    calls = [found[at : at + batch] for at in range(0, len(found), batch)]
    return sum(pool.map(call, calls))


def _in_turn(cell: Cell, ours: Side, loop: Side, found: Sequence[Photo], rounds: int) -> Cell:
    """Run both once to warm up, then in turn, the other one first each time."""
    sides = [(ours, cell.ours), (loop, cell.bare)]
    for side, _ in sides:
        _spent(side, found)
    for _ in range(rounds):
        for side, spent in sides:
            spent.append(_spent(side, found))
        sides.reverse()
    return cell


def _spent(side: Side, found: Sequence[Photo]) -> Spent:
    wall, cpu = time.perf_counter(), time.process_time()
    answered = side(found)
    spent = Spent(len(found), time.perf_counter() - wall, time.process_time() - cpu)
    if answered != len(found):
        raise RuntimeError(f"{len(found) - answered} of {len(found)} images were not answered")
    return spent


def _rendering(found: Sequence[Photo]) -> float:
    """CPU milliseconds for what the product does to a picture before it is sent."""
    begun = time.process_time()
    for photo in found[:40]:
        render(photo.path.read_bytes(), Limits())
    return (time.process_time() - begun) / 40 * 1000


if __name__ == "__main__":
    main()
