"""The step that takes the network away from the clouds' tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

SCRIPT = ROOT / "tests" / "offline.sh"


@pytest.mark.skipif(shutil.which("sh") is None, reason="no sh: the script is not tested")
def test_where_no_namespace_is_allowed_it_says_so_in_one_line(tmp_path: Path) -> None:
    refusing = tmp_path / "unshare"
    refusing.write_text("#!/bin/sh\necho 'unshare: Operation not permitted' >&2\nexit 1\n")
    refusing.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", SCRIPT], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    [line] = done.stdout.splitlines()
    assert line.startswith(
        "No network namespace on this machine (unshare: Operation not permitted)"
    )


def test_the_files_that_it_runs_are_there() -> None:
    words = SCRIPT.read_text("utf-8").split()
    files = [word for word in words if word.startswith("tests/") and word.endswith(".py")]
    assert files
    assert all(list(ROOT.glob(file)) for file in files)
