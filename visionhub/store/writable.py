"""Whether a study can be written and paid from, asked before a run looks at its files.

A run finds out as it opens the study. But for a paid one a quote goes before that, which takes an
hour for many photographs.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

from visionhub.store.ballast import Ballast
from visionhub.store.explain import explained
from visionhub.store.filesystem import refuse_network
from visionhub.store.ledger_accounts import set_cap
from visionhub.store.locks import refused
from visionhub.store.opening import check_file
from visionhub.store.study import StudyFile


class _Undo(Exception):
    """Ends a transaction whose outcome was only asked about."""


def check_place(path: Path) -> None:
    """Raise StudyError where no study can be written. Nothing is made there."""
    refuse_network(path)
    try:
        tempfile.TemporaryFile(dir=path.resolve().parent).close()
    except OSError as error:
        raise refused(path, error.strerror or str(error)) from error


def check_paid(path: Path, currency: str, cap: int | None) -> None:
    """Raise what would end a paid run at its start; a study that is not there is not made.

    StudyError, of which StudyFull, and CapReached where a cap that was named is used up already.
    """
    with explained(path):
        check_file(path, write=True)
    check_place(path)
    Ballast(path).release()
    if not path.exists() or path.stat().st_size == 0:
        return
    with (
        suppress(_Undo),
        StudyFile(path, write=True, shared=True) as study,
        study.transaction() as sql,
    ):
        if cap is not None:
            set_cap(sql, currency, cap)
        raise _Undo  # nobody has agreed to that run yet, nor to its cap
