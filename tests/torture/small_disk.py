"""Runs on a small file system that fills up while calls are in flight; started by `unshare -rm`."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from visionhub_sandbox import Fault, Sandbox
from visionhub_sandbox.calls import Call

import visionhub
from tests.sandboxed import Seer
from tests.torture.disk import NO_MOUNT, Found
from tests.torture.faults import WAYS, Way, broken, make_photos, quick
from visionhub.errors import StudyFull

SIZE = 150  # MB: the ballast, what must be free beside it, and little more
PHOTOS = 16
CALLS = {"google": PHOTOS // 2, "rekognition": PHOTOS * 3}
TASKS = ("labels", "objects", "faces", "text")
MODES: tuple[tuple[Fault, ...], ...] = (  # what else happens: parts of calls are asked again
    (),
    (Fault("item_error", code=8, every=2, times=3), Fault("throttle", every=7, times=3)),
    (Fault("item_error", code=14, every=2, times=3), Fault("error", status=500, every=7, times=3)),
)


def main() -> int:
    """Mount it, and fill it at one call after another."""
    runs = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        disk = Path(folder) / "disk"
        disk.mkdir()
        words = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}m", "visionhub", str(disk)]
        if subprocess.run(words, capture_output=True, check=False).returncode:
            return NO_MOUNT
        photos = make_photos(Path(folder) / "photos", PHOTOS)
        total = Found()
        with quick(Path(folder)):
            for number in range(runs):
                way, faults = WAYS[number % 3], MODES[number // 3 % 3]
                at = 1 + number * 7 % CALLS[way.provider]
                total.add(_one(disk, photos, way, faults, at))
        subprocess.run(["umount", str(disk)], check=False)
    print(json.dumps(asdict(total)))
    return 0


def _one(disk: Path, photos: Path, way: Way, faults: tuple[Fault, ...], at: int) -> Found:
    study = visionhub.Study(disk / "study.db")
    filler = disk / "filler"
    count = itertools.count(1)
    found = Found(runs=1)

    def fill(call: Call) -> None:
        if next(count) == at:
            with filler.open("wb", buffering=0) as file:
                try:
                    while file.write(bytes(1 << 20)):
                        pass
                except OSError:
                    found.reached = 1

    slow = Fault("latency", seconds=0.05)
    with Sandbox(Seer(), faults=(slow, *faults), on_call=fill) as sandbox:
        first = _annotate(study, photos, way, sandbox.address)
        found.calls = sandbox.calls.count()
        answered = {
            (image, line)
            for counted in sandbox.calls.recent
            if counted.fault in ("", "item_error")
            for image, lines in list(zip(counted.call.images, counted.call.lines, strict=True))[
                counted.fault == "item_error" :  # the first is the one that is spoilt
            ]
            for line in lines
        }
        kept = _settled(study)
        found.lost = len(answered - kept)
        filler.unlink(missing_ok=True)
        second = _annotate(study, photos, way, sandbox.address)
        found.settled, found.gone = len(kept), len(kept - _settled(study))
        found.twice = sum(number - 1 for number in sandbox.calls.units.values())
    here = f"{way}, full at call {at}, {[fault.kind for fault in faults]}"
    if not first.startswith("The study"):
        found.wrong.append(f"{here}: {first or 'the run did not say so'}")
    if second or broken(study):
        found.wrong.append(f"{here}, again: {second} {broken(study)}")
    if found.lost:
        found.wrong.append(f"{here}: {found.lost} answers lost")
    study.path.unlink()
    return found


def _annotate(study: visionhub.Study, photos: Path, way: Way, address: str) -> str:
    """What a run said of a full disk."""
    try:
        study.annotate(
            photos,
            providers=[way.provider],
            tasks=TASKS,
            settings=way.settings,
            sandbox=address,
        )
    except StudyFull as error:
        return str(error)
    return ""


def _settled(study: visionhub.Study) -> set[tuple[str, str]]:
    sql = (
        "SELECT i.sha256, l.sku FROM charges c JOIN images i ON i.id = c.image_id JOIN price_lines "
        "l ON l.id = c.line_id WHERE c.state = 'settled' AND c.body_id IS NOT NULL"
    )
    return set(study.query(sql).rows)


if __name__ == "__main__":
    sys.exit(main())
