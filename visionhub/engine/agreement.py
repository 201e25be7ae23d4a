"""Before a paid run: what it would cost, whether its owner agrees, and what it may spend then."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from visionhub.engine.plan import Plan
from visionhub.engine.sources import Sources, without_study
from visionhub.engine.terms import Terms
from visionhub.errors import Declined, Interrupted, UsageError

if TYPE_CHECKING:
    from visionhub.engine.quote import Quote


def agreed(
    files: Sources,
    plan: Plan,
    terms: Terms,
    study: Path,
    confirm: Callable[[Quote], bool] | None,
    stop: threading.Event | None,
) -> Terms:
    """The terms with what was agreed to.

    Raises UsageError when nobody could agree, Declined when the answer is no, and Interrupted when
    `stop` came before it.
    """
    if confirm is None:
        if terms.cap is None:
            charged = sorted({f"{q.provider} {q.task}" for q in plan.questions if q.spec.sku})
            raise UsageError(
                f"Charged for: {', '.join(charged)}. Rehearse with --sandbox, which costs nothing, "
                f"or say with --max-cost what the study may spend at most."
            )
        return terms
    from visionhub.engine.quote import quote

    made = quote(without_study(files, study, lambda _: None), plan, terms, study, stop=stop)
    if made.interrupted:
        raise Interrupted("Stopped before anything was sent.")
    if not confirm(made):
        raise Declined("Nothing was sent.")
    return terms if terms.cap is not None else replace(terms, room=made.highest)
