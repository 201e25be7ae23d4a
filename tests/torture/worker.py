"""The command line as it is, in a process that kills itself at a named moment.

    FAILPOINT=after_receive:3 python -m tests.torture.worker annotate PHOTOS --study study.db ...

The moments are set by wrapping public methods here: nothing in the product knows of them.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.torture.broken import put_in

AT_SERVER = "after_send"  # the server kills: it alone knows when a call has come in
AT_RANDOM = "random"  # the parent kills
IN_WORKER = (
    "before_reserve",
    "in_reserve",  # inside its transaction, before COMMIT
    "after_reserve",
    "before_send",
    "after_receive",
    "before_settle",  # the body is written, the money is not; both before COMMIT
    "in_settle",  # both are written, before COMMIT
    "after_settle",
    "before_end",  # an attempt without an answer
    "after_end",
    "in_recover",  # while what others left behind becomes unknown
    "before_close",
)
POINTS = (*IN_WORKER, AT_SERVER, AT_RANDOM)
SLOW = ("before_settle", "in_settle", "after_settle", "before_end", "after_end")  # passed seldom
ONCE = ("in_recover", "before_close")


def work(arguments: list[str], failpoint: str, output: str, state: str, flaw: str = "") -> None:
    """Run the command line with its output in a file; kill this process at NAME:N, the Nth time.

    state: the folder where processes share their rates. flaw: of tests.torture.broken.
    """
    os.environ["VISIONHUB_STATE"] = state
    with Path(output).open("ab") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    put_in(flaw)
    _command(arguments, failpoint)


def _command(arguments: list[str], failpoint: str) -> None:
    name, _, number = failpoint.partition(":")
    if name in IN_WORKER:
        _set(name, _Bomb(int(number)))
    from visionhub.cli import main

    sys.argv = ["visionhub", *arguments]
    main()


class _Bomb:
    """Counts passages; the last one is the end of this process."""

    def __init__(self, passages: int) -> None:
        self.left = passages

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _set(name: str, bomb: _Bomb) -> None:
    from visionhub.store import ledger, ledger_owners

    when, _, what = name.partition("_")
    if name == "in_reserve":
        _wrap(ledger, "reserve", bomb, before=False)
    elif name == "in_recover":
        _wrap(ledger_owners, "recover", bomb, before=False)
    elif name == "after_settle":
        _after_commit(bomb)
    elif what in ("send", "receive"):
        _around_fetch(bomb, before=when == "before")
    else:
        _wrap(ledger.Ledger, what, bomb, before=when == "before")


def _wrap(holder: Any, name: str, bomb: Callable[[], None], *, before: bool) -> None:
    whole = getattr(holder, name)

    def wrapped(*given: Any, **named: Any) -> Any:
        if before:
            bomb()
        done = whole(*given, **named)
        if not before:
            bomb()
        return done

    setattr(holder, name, wrapped)


def _around_fetch(bomb: Callable[[], None], *, before: bool) -> None:
    from visionhub import registry

    for name in ("google", "rekognition"):
        provider: Any = registry.load(name)
        whole = provider.fetch

        def fetch(self: Any, batch: Any, whole: Any = whole) -> Any:
            if before:
                bomb()
            outcomes = list(whole(self, batch))
            if not before:
                bomb()
            return outcomes

        provider.fetch = fetch


def _after_commit(bomb: Callable[[], None]) -> None:
    """After the COMMIT of a transaction that settled something."""
    from visionhub.store.ledger import Ledger
    from visionhub.store.study import StudyFile

    settled: list[bool] = []
    _wrap(Ledger, "settle", lambda: settled.append(True), before=False)
    whole = StudyFile.transaction

    @contextmanager
    def transaction(self: StudyFile) -> Iterator[Any]:
        with whole(self) as sql:
            yield sql
        if settled:
            settled.clear()
            bomb()

    StudyFile.transaction = transaction  # type: ignore[method-assign]


if __name__ == "__main__":
    _command(sys.argv[1:], os.environ.get("FAILPOINT", ""))
