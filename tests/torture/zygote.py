"""Forks command lines that have everything imported; orders are lines of JSON on stdin.

Started with `full.c` as LD_PRELOAD: each child names the folder whose disk is full, and from which
write on.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from pathlib import Path
from typing import Any

import boto3  # noqa: F401
import botocore.client  # noqa: F401
import rich.progress  # noqa: F401
import sqlite_utils  # noqa: F401
import tenacity  # noqa: F401
import visionhub_rekognition  # noqa: F401
import zstandard  # noqa: F401
from PIL import Image  # noqa: F401

from visionhub.cli import main


def serve() -> None:
    """Take orders until there are no more."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _work(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _work(order: dict[str, Any]) -> None:
    """One run in this process, which ends with it."""
    there = Path(order["folder"])
    code: object = None
    with (there / "said").open("w") as said:
        os.dup2(said.fileno(), 2)
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(0, 1)
        (there / "disk").mkdir(exist_ok=True)
        os.environ["VISIONHUB_SANDBOX"] = order["address"]
        os.environ["VISIONHUB_STATE"] = str(there / "rates")
        shim = ctypes.CDLL(None)
        shim.full_arm(
            os.fsencode((there / "disk").resolve()), ctypes.c_long(order["fails"]), order["helps"]
        )
        words = [str(there / "photos"), "-p", "rekognition", "-t", "labels,faces", "--sandbox"]
        sys.argv = ["visionhub", "annotate", *words, "--study", str(there / "disk" / "study.db")]
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        shim.full_calls.restype = ctypes.c_long
        (there / "writes").write_text(str(shim.full_calls()))
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    serve()
