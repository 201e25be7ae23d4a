"""What a run pays with: the ledger, its terms, and the ballast with which a full disk settles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from visionhub.engine.plan import Plan
from visionhub.engine.terms import Terms
from visionhub.pricing import money
from visionhub.provider import Announce
from visionhub.store.ballast import Ballast
from visionhub.store.ledger import Ledger
from visionhub.store.study import StudyFile


@dataclass(frozen=True, slots=True)
class Money:
    """Of one run with paid requests, or with rehearsed ones."""

    ledger: Ledger
    terms: Terms
    ballast: Ballast


@contextmanager
def paying(
    study: StudyFile, run_id: int, plan: Plan, terms: Terms | None, announce: Announce
) -> Iterator[Money | None]:
    """Open the ledger for a run; None where nothing is charged for.

    Holds of runs that were killed become ambiguous first. Raises StudyError, CapReached.
    """
    if terms is None:
        yield None
        return
    with Ballast(study.path) as ballast:
        ledger = Ledger(
            study,
            run_id,
            terms.table,
            terms.currency,
            cap=terms.cap,
            room=terms.room,
            free=terms.free,
            retry=terms.retry,
            rehearsal=plan.rehearsal,
        )
        try:
            recovered = ledger.recover()
            if recovered.requests:
                cost = money(recovered.micros, terms.currency)
                announce(
                    f"WARNING a run that was killed left {recovered.requests} requests (at most "
                    f"{cost}) of which nobody knows whether they were charged. They count as spent."
                )
            yield Money(ledger, terms, ballast)
        finally:
            ledger.close()
