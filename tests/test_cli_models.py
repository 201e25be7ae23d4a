"""`visionhub models`: cards listed, printed and pulled, as a user types it."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from visionhub import archives, places, registry
from visionhub.cli.models import app
from visionhub.download import Address
from visionhub.errors import UsageError
from visionhub.weights import Archive, ModelCard, WeightFile

DATA = b"weights" * 100_000
FILE = WeightFile("toy/net.onnx", hashlib.sha256(DATA).hexdigest(), len(DATA))
OTHER = WeightFile("toy/age.onnx", hashlib.sha256(DATA[1:]).hexdigest(), len(DATA) - 1)
CARD = ModelCard(
    "toy-net",
    "toy",
    ("labels", "objects"),
    "A toy",
    Archive("toy", "1", "", 2_000_000),
    (FILE,),
    "MIT",
    "a source",
    "no data",
    "no labels",
    "probability",
    "knows nothing",
    "onnxruntime",
    default=True,
)
AGE = replace(CARD, name="toy-age", files=(OTHER,), sensitive=True)
FREE = replace(CARD, name="toy-agpl", license="AGPL-3.0", default=False)

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    class Toy:
        models = (CARD, AGE, FREE)
        requires = ()

    with zipfile.ZipFile(tmp_path / "toy.whl", "w") as wheel:
        wheel.writestr("toy/net.onnx", DATA)
        wheel.writestr("toy/age.onnx", DATA[1:])

    class Here:
        def address(self, archive: Archive) -> Address:
            return Address((tmp_path / "toy.whl").as_uri())

    monkeypatch.delenv(places.FOLDER, raising=False)
    monkeypatch.setattr(places, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(archives, "Pip", Here)
    monkeypatch.setattr(registry, "installed", lambda: {"toy": Toy})
    return lambda *words: CliRunner().invoke(app, words, catch_exceptions=False)


def test_the_list_says_what_is_there(run: Run) -> None:
    assert [row["where"] for row in json.loads(run("--json").stdout)] == ["not pulled"] * 4
    assert run("pull").exit_code == 0
    rows = {row["name"]: row for row in json.loads(run("--json").stdout)}
    assert rows["toy-net"] == {
        "name": "toy-net",
        "provider": "toy",
        "tasks": "labels, objects",
        "license": "MIT",
        "permissive": True,
        "size_mb": 0.7,
        "archive_mb": 2.0,
        "use": "default",
        "where": "cached",
    }
    assert (rows["toy-age"]["use"], rows["toy-age"]["where"]) == (
        "default, sensitive",
        "not pulled",
    )
    assert rows["toy-agpl"]["use"] == "optional"


def test_the_table_is_plain_in_a_pipe_and_warns_of_licences(run: Run) -> None:
    shown = run()
    for word in ("toy-net", "labels, objects", "AGPL-3.0", "default, sensitive", "not pulled"):
        assert word in shown.stdout
    assert "\x1b" not in shown.stdout
    assert shown.stderr.startswith("NOTE toy-agpl: the licence AGPL-3.0 is not permissive")
    assert shown.stderr.count("NOTE") == 1


def test_a_card_is_printed_in_full(run: Run) -> None:
    text = run("show", "toy-net").stdout
    assert "tasks: labels, objects\n" in text
    for word in ("a source", "MIT", "no data", "knows nothing", FILE.sha256, "not pulled", "toy"):
        assert word in text
    told = json.loads(run("show", "toy-net", "--json").stdout)
    assert told["files"][0]["path"] is None
    assert told["revision"] == CARD.revision
    run("pull", "toy-net")
    path = json.loads(run("show", "toy-net", "--json").stdout)["files"][0]["path"]
    assert Path(path).read_bytes() == DATA


@pytest.mark.parametrize(
    ("words", "models"),
    [
        ([], ["toy-net"]),
        (["--all-defaults"], ["toy-net", "toy-age"]),
        (["toy-age"], ["toy-age"]),
        (["toy-agpl", "--all-defaults"], ["toy-agpl", "toy-net", "toy-age"]),
        (["toy-age", "toy-age"], ["toy-age"]),
    ],
)
def test_what_is_pulled(words: list[str], models: list[str], run: Run) -> None:
    told = run("pull", *words, "--json")
    result = json.loads(told.stdout)
    assert result["models"] == models
    kept = [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in result["files"]]
    assert set(kept) == {FILE.sha256 if name != "toy-age" else OTHER.sha256 for name in models}
    assert told.stderr.count("pulling toy 1 (2.0 MB)") == 1  # one archive, one download
    assert ("AGPL-3.0 is not permissive" in told.stderr) == ("toy-agpl" in models)
    assert "pulling" not in run("pull", *words).stderr


@pytest.mark.parametrize("command", ["show", "pull"])
def test_an_unknown_name_lists_the_known(command: str, run: Run) -> None:
    with pytest.raises(UsageError, match="no model 'x': choose among toy-net, toy-age, toy-agpl"):
        run(command, "x")
