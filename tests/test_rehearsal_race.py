"""A rehearsal and a run for real that begin at one moment: one of them does not go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest

import visionhub
from tests.conftest import jpeg
from tests.ledgers import LABELS, new_study, open_ledger
from tests.toy import SPEC, Toy
from visionhub import facade, registry
from visionhub.engine import rehearsal
from visionhub.errors import UsageError
from visionhub.pricing.rows import written
from visionhub.provider import TaskSpec
from visionhub.schema import Task
from visionhub.store.study import StudyFile


def plan(*, rehearsing: bool) -> SimpleNamespace:
    """A plan that asks a service, or a stand-in for it."""

    class Service:
        settings, tasks = {"sandbox": None}, {}

    service = Service()
    service.rehearsing = rehearsing
    return SimpleNamespace(rehearsal=rehearsing, providers={"cloud": service})


@pytest.fixture
def study(tmp_path: Path) -> Iterator[StudyFile]:
    with new_study(tmp_path / "study.db") as study:
        yield study


def test_a_rehearsal_that_comes_second_is_refused(study) -> None:
    rehearsal.mark(study, plan(rehearsing=False))
    with open_ledger(study), pytest.raises(UsageError, match="is being filled for real: rehearse"):
        rehearsal.mark(study, plan(rehearsing=True))
    assert not rehearsal.is_rehearsal(study)
    rehearsal.mark(study, plan(rehearsing=True))  # that run has sent nothing


def test_a_run_for_real_that_comes_second_is_refused_once_it_is_in_the_ledger(study) -> None:
    rehearsal.mark(study, plan(rehearsing=False))
    rehearsal.mark(study, plan(rehearsing=True))
    with open_ledger(study), pytest.raises(UsageError, match="holds a rehearsal"):
        rehearsal.refuse_real(study)


def test_a_run_looks_again_once_it_is_in_the_ledger(tmp_path, monkeypatch) -> None:
    def meanwhile(study: StudyFile, _: object) -> None:
        rehearsal.mark(study, plan(rehearsing=True))

    class Paid(Toy):
        tasks: ClassVar[Mapping[Task, TaskSpec]] = {Task.LABELS: replace(SPEC, sku="LABELS")}

    paid, prices = Paid(), tmp_path / "prices.toml"
    row = replace(LABELS, provider="toy", retrieved=datetime.now(UTC).date())
    prices.write_text(written("made up", [row]), "utf-8")
    (tmp_path / "0.jpg").write_bytes(jpeg(120, 90))
    monkeypatch.setattr(registry, "get", lambda _: paid)
    monkeypatch.setattr(facade, "mark", meanwhile)
    study = visionhub.Study(tmp_path / "study.db")
    with pytest.raises(UsageError, match="holds a rehearsal"):
        study.annotate(
            tmp_path / "0.jpg", providers="toy", tasks="labels", max_cost="1", prices=prices
        )
    assert paid.calls == []
