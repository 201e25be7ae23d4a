"""A second Ctrl-C ends a run wherever it is, and leaves no transaction open for others to wait."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.ledgers import new_study, open_ledger
from visionhub.store.ledger_queue import Queue
from visionhub.store.patience import Patience


class Waited:
    """A connection that was interrupted as it waited for others: the signal comes with BEGIN."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        done = self._connection.execute(sql, *values)
        if sql.startswith("BEGIN"):
            raise KeyboardInterrupt
        return done


def test_an_interrupted_transaction_lets_the_ledger_close(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with new_study(tmp_path / "study.db") as study, open_ledger(study) as ledger:
        real = study.connection
        monkeypatch.setattr(study, "connection", Waited(real))
        with pytest.raises(KeyboardInterrupt), study.transaction():
            pass
        monkeypatch.setattr(study, "connection", real)
        assert not real.in_transaction
        assert not study.writing.locked()
        ledger.close()


def test_an_interrupted_leader_leaves_no_transaction_open(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "n.db", isolation_level=None)) as real:
        writing = threading.Lock()
        patience = Patience(tmp_path, print)
        queue = Queue(Waited(real), writing, patience)  # type: ignore[arg-type]
        with pytest.raises(KeyboardInterrupt):
            queue.do(lambda sql: None)
        assert not real.in_transaction
        assert not writing.locked()
