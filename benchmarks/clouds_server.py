"""The stand-in of `make bench-clouds`, a process of its own so that its work is not counted.

It is the product's sandbox, with a provider behind it that says the same of every picture at once:
the answers are as long as those of a usual photograph (20 labels, of which 6 have boxes), and no
model runs. Prints its address; ends when its standard input does.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

from visionhub_sandbox import Sandbox
from visionhub_sandbox.faults import Fault

from visionhub.provider import Batch, Body, Outcome, Provider, Request, TaskSpec, Value
from visionhub.schema import Annotation, Box, Label, Object, Scale, Task, probability

LABELS, OBJECTS = 20, 6


class Usual(Provider):
    """Sees in every picture what there is in a usual one."""

    name = "usual"
    tasks: ClassVar[Mapping[Task, TaskSpec]] = {
        Task.LABELS: TaskSpec(Scale.PROBABILITY),
        Task.OBJECTS: TaskSpec(Scale.PROBABILITY),
    }

    def revision(self, task: Task, options: Mapping[str, Value]) -> str:
        return "1"

    def fetch(self, batch: Batch) -> list[Outcome]:
        return [Outcome(batch.requests, Body(b"{}"))]

    def parse(self, body: bytes, request: Request) -> Annotation:
        if request.task is Task.OBJECTS:
            return Annotation(objects=tuple(map(_thing, range(OBJECTS))))
        return Annotation(labels=tuple(map(_label, range(LABELS))))


def _label(number: int) -> Label:
    family = (f"Kind {number % 5}", "Things")[: 1 + number % 2]
    return Label(
        f"Thing {number}",
        probability(0.99 - number / 100),
        vendor_id=f"/m/0{number:04}",
        parents=family,
        aliases=("Something",) * (number % 2),
        categories=("Objects and Places",),
    )


def _thing(number: int) -> Object:
    box = Box(0.05 * number, 0.1234567, 0.05 * number + 0.4321, 0.7654321)
    return Object(f"Thing {number}", probability(0.9), box)


@contextmanager
def stand_in(latency: float) -> Iterator[str]:
    """The address, host:port, of a stand-in that answers after `latency` seconds."""
    command = [sys.executable, "-m", "benchmarks.clouds_server", "--latency", str(latency)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdout is None or process.stdin is None:
            raise RuntimeError("the stand-in has no pipes")
        try:
            address = process.stdout.readline().strip()
            if not address:
                raise RuntimeError("the stand-in did not start: its reason stands above")
            yield address
        finally:
            process.stdin.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, required=True, help="seconds")
    latency = parser.parse_args().latency
    with Sandbox(Usual(), faults=[Fault("latency", seconds=latency)]) as sandbox:
        print(sandbox.address, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
