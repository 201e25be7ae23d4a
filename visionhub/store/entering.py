"""Coming in to write: who has a study alone makes it ready, who shares it finds it ready.

Several processes that start at one moment, on a new study or an older one, take turns.
"""

from __future__ import annotations

import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from visionhub.store import journal
from visionhub.store.explain import explained
from visionhub.store.locks import another, take
from visionhub.store.opening import (
    APPLICATION_ID,
    check_version,
    connect,
    create,
    is_current,
)
from visionhub.store.patience import SHORT

PATIENCE = 10.0  # seconds to wait for others who make or migrate a study
SOON = 3.0  # seconds to wait for others who open a study that is ready
TURN = (0.01, 0.05)  # seconds between two tries


def enter(path: Path, *, shared: bool) -> sqlite3.Connection:
    """Lock a study for writing, until what is returned is closed; it is there and up to date.

    Raises StudyError when others write to it, and sqlite3.OperationalError when another program
    has locked it. Who shares it waits for a moment first: they may be
    opening it only.
    """
    lock = _together(path) if shared else _alone(path)
    ready, until = False, time.monotonic() + PATIENCE
    while lock is None:
        if not ready and is_current(path):
            ready, until = True, time.monotonic() + SOON
        if not shared or time.monotonic() > until:
            raise another(path)
        time.sleep(random.uniform(*TURN))  # noqa: S311 - so that two do not meet again and again
        lock = _share(path) if ready else _together(path)
    return lock


def _together(path: Path) -> sqlite3.Connection | None:
    if alone := _alone(path):  # nobody else is there: see to what needs that
        alone.close()
    return _share(path)


def _share(path: Path) -> sqlite3.Connection | None:
    lock, ready = take(path, shared=True), False
    try:
        ready = lock is not None and is_current(path)
    finally:
        if lock is not None and not ready:
            lock.close()
    return lock if ready else None


def _alone(path: Path) -> sqlite3.Connection | None:
    lock = take(path, shared=False)
    if lock is not None:
        try:
            _make_ready(path)
        except BaseException:
            lock.close()
            raise
    return lock


def _make_ready(path: Path) -> None:
    """Create or migrate a study, and see to its journal, while nobody else may write to it."""
    with explained(path):
        create(path)
        if not is_current(path):
            _migrate(path)
        with closing(connect(path, write=True)) as connection:
            journal.choose(connection)


def _migrate(path: Path) -> None:
    from sqlite_utils import Database

    from visionhub.store.migrations import migrations

    connection = sqlite3.connect(path, timeout=SHORT)
    try:
        check_version(connection, path)
        if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrations.apply(Database(connection))
    finally:
        connection.close()
