"""What `visionhub doctor` says about weights, the disk, SQLite and the environment."""

from __future__ import annotations

import hashlib
import re
import shutil
import sqlite3
from collections import namedtuple
from importlib import metadata
from pathlib import Path
from typing import ClassVar

import pytest

from visionhub import registry
from visionhub.errors import MissingExtra
from visionhub.provider import Parameter, Provider
from visionhub.report import health
from visionhub.report.health import Finding, findings
from visionhub.store.filesystem import Mount
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
        settings: ClassVar = {}
        variables: ClassVar = ()

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


def told(subject: str, study: Path | None = None) -> list[Finding]:
    return [found for found in findings(study) if found.subject == subject]


def test_every_extra_is_told(folder: Path) -> None:
    extras = metadata.metadata("visionhub").get_all("Provides-Extra") or []
    assert {f"extra {extra}" for extra in extras if extra not in ("all", "dev")} <= {
        found.subject for found in findings()
    }


def test_what_is_missing_is_named_as_it_is_installed() -> None:
    assert "the package 'google-cloud-vision'" in str(MissingExtra("google", "google"))
    assert "the package 'boto3'" in str(MissingExtra("aws", "boto3"))


@pytest.mark.parametrize("safe", [True, False])
def test_the_journal_is_told_and_why(
    folder: Path, monkeypatch: pytest.MonkeyPatch, safe: bool
) -> None:
    monkeypatch.setattr(health, "wal_is_safe", lambda: safe)
    [found] = told("SQLite")
    assert found.says.startswith(sqlite3.sqlite_version)
    assert ("a study gets a write-ahead log, with one writer or several" in found.says) is safe
    assert ("a study gets the rollback journal, with one writer or" in found.says) is not safe
    assert "WAL-reset bug" in found.says


@pytest.mark.parametrize(
    ("mount", "free", "ok", "says"),
    [
        (Mount("/", "ext4"), 10**12, True, ": ext4, mounted at /; 1000.0 GB free"),
        (None, 10**12, True, ": a kind that is not told here; 1000.0 GB free"),
        (Mount("/n", "nfs"), 10**12, False, "a network file system: studies are read there"),
        (Mount("/", "ext4"), 10**8, False, "0.1 GB free; a paid run needs 0.13"),
    ],
)
def test_the_disk_of_a_study_is_told(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    mount: Mount | None,
    free: int,
    ok: bool,
    says: str,
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(health, "mount_at", lambda _: mount)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, free))
    [found] = told("disk", folder / "study.db")
    assert (found.ok, found.broken) == (ok, False)
    assert found.says.startswith(str(folder))
    assert says in found.says


def test_a_folder_of_a_study_that_is_not_there_is_told(folder: Path) -> None:
    [found] = told("disk", folder / "absent" / "study.db")
    assert not found.ok
    assert found.says.endswith("absent: No such file or directory")


@pytest.fixture
def cloud(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Cloud:
        models: ClassVar = ()
        requires: ClassVar = ()
        tasks: ClassVar = {}
        settings: ClassVar = {"rate": Parameter(5, ""), "other-one": Parameter(5, "")}
        variables: ClassVar = ("VISIONHUB_CLOUD_API_KEY",)

    monkeypatch.setattr(registry, "installed", lambda: {"cloud": Cloud})
    monkeypatch.setattr(registry, "names", lambda: ["cloud", "fails"])
    monkeypatch.setattr(registry, "load", lambda _: Cloud)


def test_a_variable_that_nothing_reads_is_told_without_its_value(
    cloud: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RATES", "KEY", "OTHER_ONE", "API_KEY", "RATE"):
        monkeypatch.setenv(f"VISIONHUB_CLOUD_{name}", "secret-value")
    monkeypatch.setenv("VISIONHUB_FAILS_RATE", "secret-value")  # nobody can tell
    monkeypatch.setenv("VISIONHUB_ZZZ", "secret-value")
    found = told("environment")
    assert [one.says for one in found] == [
        "nothing reads the variable VISIONHUB_CLOUD_KEY: is VISIONHUB_CLOUD_API_KEY meant?",
        "nothing reads the variable VISIONHUB_CLOUD_RATES: is VISIONHUB_CLOUD_RATE meant?",
        "nothing reads the variable VISIONHUB_ZZZ",
    ]
    assert not any(one.ok or one.broken for one in found)
    assert "secret-value" not in str(findings())


def test_every_variable_of_the_code_is_known() -> None:
    """Literal names in the sources: each is general, or some provider's."""
    root = Path(health.__file__).parents[2]
    sources = [*(root / "visionhub").rglob("*.py"), *(root / "providers").rglob("*.py")]
    named = {
        name
        for source in sources
        if source.name != "health.py"
        for name in re.findall(r'"(VISIONHUB_[A-Z_]+[A-Z])"', source.read_text("utf-8"))
    }
    of_providers = {name for cls in registry.installed().values() for name in cls.variables}
    assert named == {*health.VARIABLES, *of_providers}
    assert Provider.variables == ()
