"""Group commit: many threads write, one of them commits for all that wait.

A durable commit costs a turn of the disk, whatever is in it. So a thread that wants to write puts
its job into a queue; the first in it waits for the file and then does all jobs that have come
meanwhile, in one transaction. No thread of its own is needed for that.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar, cast

from visionhub.store.patience import Patience

T = TypeVar("T")


class _Job(Generic[T]):
    """What one thread wants done, and how it ended."""

    def __init__(self, work: Callable[[sqlite3.Connection], T]) -> None:
        self.work = work
        self.woken = threading.Event()
        self.leads = False
        self.result: T | None = None
        self.error: Exception | None = None


class Queue:
    """Jobs for one connection, which nothing else uses while `writing` is held."""

    def __init__(
        self, connection: sqlite3.Connection, writing: threading.Lock, patience: Patience
    ) -> None:
        self._sql, self._writing, self._patience = connection, writing, patience
        self._guard = threading.Lock()
        self._jobs: list[_Job[Any]] = []
        self._led = False  # whether one of the jobs leads

    def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do a piece of work inside a transaction that is committed when this returns.

        Raises what the work raised, in which case nothing of it is done, and sqlite3.Error when
        the transaction as a whole could not be committed. Not to be called inside a transaction
        of the same study: it waits for that one's end.
        """
        job = _Job(work)
        try:
            with self._guard:
                self._jobs.append(job)
                if not self._led:
                    self._appoint(job)  # first: Ctrl-C in here would leave a lead that nobody has
                    self._led = True
            job.woken.wait()
            if job.leads:
                self._lead()
        finally:
            self._leave(job)
        if job.error is not None:
            raise job.error
        return cast("T", job.result)

    @staticmethod
    def _appoint(job: _Job[Any]) -> None:
        job.leads = True
        job.woken.set()

    def _leave(self, job: _Job[Any]) -> None:
        """Hand the lead on. A job whose thread was interrupted as it waited is not done."""
        with self._guard:
            if job in self._jobs:
                self._jobs.remove(job)
            if not job.leads:
                return
            if self._jobs:
                self._appoint(self._jobs[0])
            else:
                self._led = False

    def _lead(self) -> None:
        """Do what waits. A single leader asks for the file: the answers' writer gets its turn."""
        with self._writing:
            with self._guard:
                jobs, self._jobs = self._jobs, []
            try:
                self._transact(jobs)
            except Exception as error:
                for job in jobs:
                    job.error = job.error or error
            except BaseException:  # of this thread, not of the others
                for job in jobs:
                    job.error = sqlite3.OperationalError("interrupted")
                raise
            finally:
                for job in jobs:
                    job.woken.set()

    def _transact(self, jobs: Sequence[_Job[Any]]) -> None:
        try:
            # In here: Ctrl-C may come as soon as it returns.
            self._patience.execute(self._sql, "BEGIN IMMEDIATE")
            for job in jobs:
                self._one(job)
            self._patience.execute(self._sql, "COMMIT")
        except BaseException:
            if self._sql.in_transaction:  # a full disk has rolled back already
                with suppress(sqlite3.Error):  # the cause is what counts
                    self._sql.execute("ROLLBACK")
            raise

    def _one(self, job: _Job[Any]) -> None:
        """Do one job; if it fails, the others of the transaction go on."""
        self._sql.execute("SAVEPOINT job")
        try:
            job.result = job.work(self._sql)
        except Exception as error:
            if not self._sql.in_transaction:
                raise
            self._sql.execute("ROLLBACK TO job")
            job.error = error
        self._sql.execute("RELEASE job")
