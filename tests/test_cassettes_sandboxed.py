"""The project's own cassettes, told by the sandbox to both adapters."""

from __future__ import annotations

from pathlib import Path

import pytest
from visionhub_sandbox import Sandbox

import visionhub
from tests.conftest import ROOT


@pytest.mark.parametrize("provider", ["google", "rekognition"])
def test_every_task_of_the_street_comes_from_its_recording(tmp_path: Path, provider: str) -> None:
    """Labels, objects and colours are one call of Rekognition's, recorded in several."""
    study = visionhub.Study(tmp_path / "study.db")
    picture = ROOT / "cassettes" / "pictures" / "street.png"
    with Sandbox(None, cassettes=ROOT / "cassettes") as sandbox:
        study.annotate(
            picture,
            providers=[provider],
            tasks=("labels", "objects", "colors", "safe_search"),
            sandbox=sandbox.address,
        )
    for view in ("v_labels", "v_objects", "v_colors"):
        assert len(study.query(f"SELECT 1 FROM {view}"))
