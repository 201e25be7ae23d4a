"""The contract passes on correct providers and fails on broken ones; strangers' plugins work."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree as ET

import pytest

from visionhub.registry import GROUP
from visionhub.testing import ProviderContract

HERE = Path(__file__).parent
BROKEN = HERE / "broken_providers.py"
EXAMPLE = HERE / "plugin_example"


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def python(*arguments: str, add: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run this Python on its own, with the modules that this process sees."""
    path = [str(add)] * (add is not None) + [entry for entry in sys.path if entry]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*path, str(HERE.parent)])}
    call = [sys.executable, *arguments]
    return subprocess.run(call, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bool]]:
    """Which tests of the contract failed, by contract class of broken_providers.py."""
    report = tmp_path_factory.mktemp("contract") / "report.xml"
    ran = python(
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", str(BROKEN))
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    failed: dict[str, dict[str, bool]] = defaultdict(dict)
    for case in ET.parse(report).iter("testcase"):
        name = case.attrib["classname"].rpartition(".")[2]
        assert case.find("error") is None, f"{name}: {case.attrib['name']} could not run"
        failed[name][case.attrib["name"]] = case.find("failure") is not None
    return failed


CONTRACTS = {
    name: contract.breaks
    for name, contract in vars(load(BROKEN)).items()
    if name.startswith("Test") and isinstance(contract, type)
}
PROMISES = {name for name in vars(ProviderContract) if name.startswith("test_")}


@pytest.mark.parametrize("name", CONTRACTS)
def test_exactly_what_is_broken_fails(name: str, verdicts: dict[str, dict[str, bool]]) -> None:
    assert verdicts[name].keys() == PROMISES
    assert {test for test, failed in verdicts[name].items() if failed} == CONTRACTS[name]


def test_every_promise_can_be_broken() -> None:
    assert set().union(*CONTRACTS.values()) == PROMISES


def test_a_stranger_s_plugin_is_found_as_built_ins_are(tmp_path: Path) -> None:
    """What `pip install` leaves behind is enough: a module, and metadata with the entry point."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    [(name, target)] = project["entry-points"][GROUP].items()
    info = tmp_path / f"visionhub_daylight-{project['version']}.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {target}\n")
    about = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(about)
    module = EXAMPLE / f"{target.partition(':')[0]}.py"
    (tmp_path / module.name).write_bytes(module.read_bytes())
    ask = (
        "from visionhub import registry\n"
        "print('daylight' in registry.names(), registry.installed()['daylight'].__name__)\n"
        "print(*registry.get('daylight').tasks)\n"
    )
    assert python("-c", ask).returncode == 1  # nobody is found who is not installed
    ran = python("-c", ask, add=tmp_path)
    assert ran.stdout == "True Daylight\nlabels\n", ran.stderr


def test_the_page_for_authors_shows_the_example_as_it_is_tested() -> None:
    page = (HERE.parent / "docs" / "adding-a-provider.md").read_text()
    shown = dict(re.findall(r"^`([\w.]+)`:\n\n```\w+\n(.*?)^```$", page, re.DOTALL | re.MULTILINE))
    assert shown.keys() == {"pyproject.toml", "visionhub_daylight.py", "test_daylight.py"}
    for name, text in shown.items():
        assert text == (EXAMPLE / name).read_text(), f"docs/adding-a-provider.md: {name} differs"


def test_the_contract_is_not_imported_by_the_package() -> None:
    ask = (
        "import sys, visionhub.registry; print({'visionhub.testing', 'pytest'} & set(sys.modules))"
    )
    assert python("-c", ask).stdout == "set()\n"
    for path in (HERE.parent / "visionhub").rglob("*.py"):
        if path.name not in ("testing.py", "trial.py"):
            code = path.read_text()
            assert not re.search(
                r"^\s*(from|import) (visionhub\.(testing|trial)|pytest)", code, re.M
            )
