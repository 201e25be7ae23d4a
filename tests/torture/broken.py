"""Flaws to put into a worker: a torture that does not find them would be worth nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def put_in(flaw: str) -> None:
    """Break the product in this process; an empty name leaves it whole."""
    if flaw:
        FLAWS[flaw]()


def _unreserved() -> None:
    """Money is given back before the call is sent."""
    from visionhub.store.ledger import Ended, Ledger, State

    whole = Ledger.reserve

    def reserve(self: Ledger, wanted: Any) -> Any:
        found = whole(self, wanted)
        if found.attempt is not None:
            self.end([Ended(found.attempt, key, State.RELEASED) for key in found.granted])
        return found

    Ledger.reserve = reserve  # type: ignore[method-assign]


def _risked_twice() -> None:
    """What may have been paid for is asked again, whatever the user wants."""
    from visionhub.store.ledger import Ledger

    whole = Ledger.__init__

    def begin(self: Ledger, *given: Any, **named: Any) -> None:
        whole(self, *given, **{**named, "retry": True})

    Ledger.__init__ = begin  # type: ignore[method-assign]


def _forgotten() -> None:
    """Answers and what they cost are thrown away where they ought to be committed."""
    from visionhub.store.ledger import Ledger

    whole = Ledger.settle

    def settle(self: Ledger, sql: Any, ended: Any, bodies: Any) -> None:
        whole(self, sql, ended, bodies)
        sql.execute(
            "UPDATE charges SET state = 'released', charge = 0, body_id = NULL WHERE key IN "
            "(SELECT key FROM charges WHERE state = 'settled' LIMIT 3)"
        )

    Ledger.settle = settle  # type: ignore[method-assign]


FLAWS: Mapping[str, Callable[[], None]] = {
    "unreserved": _unreserved,
    "risked twice": _risked_twice,
    "forgotten": _forgotten,
}
