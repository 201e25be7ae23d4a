"""What processes on one computer know of each other's calls: a quota is the account's.

The state of every rate lies in one small SQLite file of the user, whichever study they write to.
It is worth nothing when the computer starts again, so nothing waits for the disk; but a process
that is killed leaves the file whole (a rollback journal is kept). Where that file cannot be had
each process keeps to the rates by itself, and says so once.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from visionhub.engine.adaptive import Memory, State, T
from visionhub.engine.breaker import LOOK
from visionhub.provider import Announce
from visionhub.store.opening import create

FOLDER = "VISIONHUB_STATE"
FILE = "rates.db"
BUSY = 1.0  # seconds for which a locked file is waited for; a change takes 0.1 ms
FAR = 600.0  # seconds: what lies further ahead is no plan but a fault,
LINE = 64  # unless so many callers stand in line at a slow rate,
SLOWEST = 3600.0  # where each has so many seconds at most
FORGET = 600.0  # seconds without a call, after which what was learnt is out of date
KEEP = 7 * 86_400.0  # seconds for which rows of other boots and other computers are kept
TABLE = """
CREATE TABLE IF NOT EXISTS rates(
  boot TEXT, name TEXT, used REAL, state TEXT, PRIMARY KEY (boot, name)) WITHOUT ROWID"""
READ = "SELECT state FROM rates WHERE boot = ? AND name = ?"
WRITE = "INSERT OR REPLACE INTO rates VALUES (?, ?, ?, ?)"
OLD = "DELETE FROM rates WHERE boot <> ? AND abs(? - used) > ?"


def state_folder() -> Path:
    """Where this user's processes meet; it need not exist yet. VISIONHUB_STATE names another."""
    from platformdirs import user_state_dir

    named = os.environ.get(FOLDER)
    return Path(named).expanduser() if named else Path(user_state_dir("visionhub"))


class Pace:
    """The rates that all processes of this user share. Close it at the end of a run.

    Used by many threads. Never raises: `announce` is told when processes cannot know of each other.
    """

    def __init__(
        self,
        announce: Announce,
        folder: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path, self.clock = (folder or state_folder()) / FILE, clock
        self._announce, self._boot = announce, boot()
        self._seen: dict[str, tuple[State, float]] = {}
        self._sql: sqlite3.Connection | None = None
        self._alone: Memory | None = None
        self._lock = threading.Lock()

    def look(self, name: str) -> State:
        """A state as the file holds it or held it LOOK seconds ago."""
        with self._lock:
            state, at = self._seen.get(name, (None, 0.0))
            if state is not None and 0 <= self.clock() - at < LOOK:
                return state
            return self._safely(lambda: self._read(self._file(), name), lambda a: a.look(name))

    def change(self, name: str, how: Callable[[State, float], T]) -> T:
        """Change a state, one process after the other."""
        with self._lock:
            return self._safely(lambda: self._changed(name, how), lambda a: a.change(name, how))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._sql is not None:
                self._sql.close()
                self._sql = None

    def _safely(self, shared: Callable[[], T], alone: Callable[[Memory], T]) -> T:
        """Do it in the file or, from the first failure on, in this process."""
        if self._alone is None:
            try:
                return shared()
            except (sqlite3.Error, OSError) as error:
                self._alone = self._parted(error)
        return alone(self._alone)

    def _parted(self, error: Exception) -> Memory:
        """What this process knows, which has to do from now on."""
        known = Memory(self.clock, {name: state for name, (state, _) in self._seen.items()})
        self._seen.clear()
        self._announce(
            f"NOTE {self.path} cannot be used ({getattr(error, 'strerror', None) or error}): the "
            f"rates hold for this process only. Run one at a time, or remove that file, or name "
            f"another folder in {FOLDER}."
        )
        return known

    def _file(self) -> sqlite3.Connection:
        if self._sql is None:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            create(self.path)
            sql = sqlite3.connect(
                self.path, timeout=BUSY, isolation_level=None, check_same_thread=False
            )
            try:
                _prepare(sql, self._boot)
            except sqlite3.Error:
                sql.close()
                raise
            self._sql = sql
        return self._sql

    def _changed(self, name: str, how: Callable[[State, float], T]) -> T:
        sql = self._file()
        sql.execute("BEGIN IMMEDIATE")
        try:
            state = replace(self._read(sql, name))
            now = self.clock()
            told = how(state, now)
            sql.execute(WRITE, (self._boot, name, time.time(), json.dumps(asdict(state))))
            sql.execute("COMMIT")
        except BaseException:
            if sql.in_transaction:
                sql.execute("ROLLBACK")
            raise
        self._seen[name] = state, now
        return told

    def _read(self, sql: sqlite3.Connection, name: str) -> State:
        row = sql.execute(READ, (self._boot, name)).fetchone()
        now = self.clock()
        state = _sound(row[0], now) if row else State()
        self._seen[name] = state, now
        return state


def _prepare(sql: sqlite3.Connection, boot: str) -> None:
    """Make the table, and forget what other boots left long ago."""
    sql.execute("PRAGMA journal_mode = PERSIST")
    sql.execute("PRAGMA synchronous = OFF")
    sql.execute(TABLE)
    sql.execute(OLD, (boot, time.time(), KEEP))


def _sound(text: str, now: float) -> State:
    """A state that can be true at this moment; a fresh one in place of any other."""
    try:
        state = State(**{name: float(value) for name, value in json.loads(text).items()})
    except (ValueError, TypeError, AttributeError):  # another version's, or damaged
        return State()
    latest = max(state.next + state.paused, state.resumes, state.cut)
    line = LINE * min(state.apart, SLOWEST)
    timely = now - FORGET <= latest <= now + FAR + line
    return state if timely and state.limit > 0 and state.back > 0 else State()


def boot() -> str:
    """Name this start of this computer: the clock of turns begins anew with each."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return socket.gethostname()
