"""The command line in a process of its own, with its peak of memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# VmHWM and not getrusage: the latter starts from the parent's peak.
PROGRAM = """
import atexit, sys
from pathlib import Path
where, status = Path(sys.argv[1]), Path("/proc/self/status")
sys.argv = ["visionhub", *sys.argv[2:]]
if status.exists():
    atexit.register(lambda: where.write_text(status.read_text().split("VmHWM:")[1].split()[0]))
from visionhub.cli import main
main()
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended. peak: of its memory, in kB; 0 where the system does not tell."""

    code: int
    out: str
    said: str
    peak: int


def measured(
    words: Sequence[str],
    more: Mapping[str, str],
    *,
    timeout: float = 600.0,
    folder: Path | None = None,
) -> Ended:
    """Run `visionhub` with these arguments and more variables of the environment."""
    with tempfile.TemporaryDirectory() as place:
        peak = Path(place) / "peak"
        environment = {**os.environ, "VISIONHUB_STATE": place, **more}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(peak), *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=timeout,
            cwd=folder,
        )
        kilobytes = int(peak.read_text()) if peak.exists() else 0
    return Ended(done.returncode, done.stdout, done.stderr, kilobytes)
