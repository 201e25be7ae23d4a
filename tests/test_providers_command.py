"""`visionhub providers`: the table of tasks, and one provider in full."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from visionhub import registry
from visionhub.cli import app
from visionhub.errors import UnknownProvider


def said(*words: str) -> str:
    result = CliRunner().invoke(app, ["providers", *words], catch_exceptions=True)
    assert result.exit_code == 0, result.exception
    return result.stdout


def test_every_task_of_every_provider_is_in_the_table_and_in_json():
    table = said()
    rows = json.loads(said("--json"))
    found = {(row["provider"], row["task"]) for row in rows}
    known = registry.installed()
    assert found == {(name, task.value) for name, p in known.items() for task in p.tasks}
    header, _, *lines = table.splitlines()
    assert header.split() == ["task", *known]
    for _, task in found:
        assert any(line.split()[:1] == [task] for line in lines)


def test_one_provider_is_shown_with_its_parameters_and_settings():
    for name, provider in registry.installed().items():
        text = said(name)
        for task, spec in provider.tasks.items():
            for parameter in spec.parameters.keys() - {"attributes"}:
                assert f"{task}.{parameter} " in text
            assert not spec.sku or spec.sku in text
            assert all(str(ends) in text for ends in spec.withdrawn)
        for setting in provider.settings:
            assert f"{name}.{setting} " in text


def test_a_provider_that_is_not_there():
    result = CliRunner().invoke(app, ["providers", "nobody"])
    assert isinstance(result.exception, UnknownProvider)
