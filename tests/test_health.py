"""What `visionhub doctor` says about weights."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import ClassVar

import pytest

from visionhub import registry
from visionhub.report.health import findings
from visionhub.weights import Archive, ModelCard, WeightFile

DATA = b"weights"
FILE = WeightFile("toy/net.onnx", hashlib.sha256(DATA).hexdigest(), len(DATA))
WORDS = ("MIT", "source", "training data", "labels", "scale", "limits", "runtime")
CARD = ModelCard(
    "net", "toy", ("labels",), "Net", Archive("toy", "1", "0", 9), (FILE,), *WORDS, default=True
)


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    class Toy:
        models: ClassVar = (CARD,)
        requires: ClassVar = ()
        tasks: ClassVar = {}

    monkeypatch.setattr(registry, "installed", lambda: {"toy": Toy})
    monkeypatch.setattr(registry, "names", list)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("VISIONHUB_MODELS", str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def weights() -> list[tuple[bool, bool, str]]:
    return [(f.ok, f.broken, f.says) for f in findings() if f.subject == "model weights"]


def test_weights_are_checked_and_told_where(folder: Path) -> None:
    (folder / "net.onnx").write_bytes(DATA)
    [(ok, broken, says)] = weights()
    assert ok
    assert not broken
    assert "all 1 default models, checked (folder" in says


def test_wrong_weights_are_broken(folder: Path) -> None:
    (folder / "net.onnx").write_bytes(b"rubbish")
    [(ok, broken, says)] = weights()
    assert broken
    assert not ok
    assert "net.onnx is not the file that its model card names" in says


def test_a_folder_that_is_not_there_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISIONHUB_MODELS", str(folder / "gone"))
    first, second = weights()
    assert "VISIONHUB_MODELS names no folder" in first[2]
    assert "net not pulled" in second[2]
