"""An attempt that is let through and then not made: nobody waits for what it would have brought."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import jpeg
from tests.toy import Toy
from visionhub.engine.ask import ask
from visionhub.engine.gate import Gate
from visionhub.engine.till import Admitted, Till
from visionhub.errors import RateLimited, StudyError
from visionhub.images import Limits, render
from visionhub.provider import Batch, Request, Work
from visionhub.schema import Task
from visionhub.store.ledger import Away


class Taken(Till):
    """All that is wanted is held by another process; or the ledger cannot be written."""

    def __init__(self, provider: Toy, error: Exception | None = None) -> None:
        super().__init__(provider, None, None, lambda _: (0, 0))
        self._error = error

    def admit(self, batch: Batch) -> Admitted:
        if self._error is not None:
            raise self._error
        away = {request.key: Away.HELD for request in batch.requests}
        return Admitted(Batch((), batch.operation), None, away)


@pytest.fixture
def batch() -> Batch:
    _, sent = render(jpeg(60, 60), Limits())
    known = (sent.sha256, sent.sha256, sent.width, sent.height)
    request = Request(*known, Task.LABELS, "toy", "toy@1", "{}")
    return Batch((Work(sent, (request,)),))


def test_what_another_process_asks_is_no_call_of_this_one(batch: Batch) -> None:
    toy = Toy()
    gate = Gate(toy)
    (parsed,) = ask(toy, batch, gate=gate, till=Taken(toy))
    assert (parsed.result, parsed.away) == (None, Away.HELD)
    assert gate.calls == 0


def test_a_reservation_that_fails_is_no_call(batch: Batch) -> None:
    toy = Toy()
    gate = Gate(toy)
    with pytest.raises(StudyError):
        ask(toy, batch, gate=gate, till=Taken(toy, StudyError("no")))
    assert gate.calls == 0


def test_a_probe_that_was_not_made_is_left_to_another(batch: Batch) -> None:
    """After "too many" a single caller probes; when it has nothing to send, the next one does."""
    toy = Toy()
    gate, stop = Gate(toy), threading.Event()
    assert gate.enter(batch, stop)
    gate.told(batch, RateLimited("slower", retry_after=0.01))
    with ThreadPoolExecutor(1) as other:
        other.submit(ask, toy, batch, stop, gate, Taken(toy)).result()
    giving_up = threading.Timer(10.0, stop.set)
    giving_up.start()
    (parsed,) = ask(toy, batch, stop, gate)
    giving_up.cancel()
    assert toy.calls == ["labels"]
    assert parsed.result is not None
