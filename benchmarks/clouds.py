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
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeAlias

from benchmarks.clouds_photos import SIDES, Photo, photos
from benchmarks.clouds_server import stand_in
from benchmarks.clouds_sides import WAYS, Ours, Way, Whole, bare
from benchmarks.clouds_table import VERDICT_FLIGHT, Cell, Spent, printed, verdicts
from visionhub.images import Limits, render

Side: TypeAlias = Callable[[Sequence[Photo]], int]
Photos: TypeAlias = dict[int, list[Photo]]  # by KB

LATENCY = 0.15  # seconds
CALLS = {1: 6, 4: 32, 16: 64, 64: 192}  # in a round, by how many are in flight
LARGE_BATCH, PHOTOS = 16, 256
FEW, FEWER = 3, 2  # rounds of what takes long, and of what no verdict rests on


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of what a verdict rests on")
    parser.add_argument("--only", default="", help="part of a way's name, such as gRPC")
    parser.add_argument("--latency", type=float, default=LATENCY, help="seconds")
    given = parser.parse_args()
    ways = [way for way in WAYS if given.only.lower() in way.title.lower()]
    with tempfile.TemporaryDirectory() as name, stand_in(given.latency) as address:
        folder = Path(name)
        pictures = {size: photos(folder / str(size), size, PHOTOS) for size in SIDES}
        cells = []
        for cell in measured(ways, address, pictures, folder, given.rounds):
            print(cell.title, f"| {cell.ratio('ours', 'bare'):.2f}", file=sys.stderr)
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
    for way in ways:
        for size, found in pictures.items():
            for flight, calls in CALLS.items():
                n = rounds if flight == VERDICT_FLIGHT else min(rounds, FEWER)
                cell = Cell(way.title, size, flight)
                yield _adapter(cell, way, address, found[:calls], n)
            few = min(rounds, FEW)
            if way.usual_batch > 1:
                cell = Cell(way.title, size, VERDICT_FLIGHT, LARGE_BATCH)
                yield _adapter(cell, way, address, found, few)
            whole = Whole(way, address, VERDICT_FLIGHT, folder)
            cell = Cell(way.title, size, VERDICT_FLIGHT, way.usual_batch, whole=True)
            yield _in_turn(cell, {"ours": whole.product, "bare": whole.loop}, found, few)


def _adapter(cell: Cell, way: Way, address: str, found: Sequence[Photo], rounds: int) -> Cell:
    """An adapter and a bare loop, each through its own connections and the same threads."""
    ours = Ours(way, address, cell.flight, cell.batch)
    loop = bare(way, address, cell.flight)
    sides: dict[str, Side] = {"ours": ours.answered, "bare": loop.call}
    if cell.flight == VERDICT_FLIGHT:
        sides |= {"call": ours.call, "kept": loop.kept}
    with ThreadPoolExecutor(cell.flight) as pool:
        spread = {name: partial(_spread, pool, side, cell.batch) for name, side in sides.items()}
        return _in_turn(cell, spread, found, rounds)


def _spread(pool: ThreadPoolExecutor, call: Side, batch: int, found: Sequence[Photo]) -> int:
    calls = [found[at : at + batch] for at in range(0, len(found), batch)]
    return sum(pool.map(call, calls))


def _in_turn(cell: Cell, sides: Mapping[str, Side], found: Sequence[Photo], rounds: int) -> Cell:
    """Run all once to warm up, then in turn, in the other order each time."""
    for side in sides.values():
        _spent(side, found)
    order = list(sides.items())
    for _ in range(rounds):
        for name, side in order:
            cell.turns[name].append(_spent(side, found))
        order.reverse()
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
