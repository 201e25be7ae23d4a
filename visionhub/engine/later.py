"""What is asked when the other files are through, for something stood in its way at first."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from visionhub.engine.intake import Todo
from visionhub.engine.keeping import Keeping
from visionhub.provider import Batch, Request

MOST = 100_000  # requests that may be put off in a run


class Later:
    """Requests that wait, each put off once at most. Used by the writing thread only.

    `was_tried` alone is called by others too. It is true while something waits.
    """

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping
        self._waits: list[Todo] = []
        self._stands: list[Todo] = []
        self._put_off: dict[str, bool] = {}  # by key of the request: whether it was sent before

    def __bool__(self) -> bool:
        return bool(self._waits or self._stands)

    def takes(self, requests: Collection[Request]) -> bool:
        """Whether these may still be put off."""
        room = len(self._put_off) + len(requests) <= MOST
        return room and not any(request.key in self._put_off for request in requests)

    def add(self, requests: Collection[Request], *, tried: bool, stands: bool = False) -> None:
        """Put requests off. tried: they were sent. stands: their provider brings nothing now."""
        todo = self._stands if stands else self._waits
        todo += [self._keeping.leave(request) for request in requests]
        self._put_off |= {request.key: tried for request in requests}

    def was_tried(self, batch: Batch) -> bool:
        """Whether some of a batch was sent before it was put off: to send it again is a retry."""
        return any(self._put_off.get(request.key, False) for request in batch.requests)

    def next(self) -> Iterator[Todo]:
        """What waits: of an image all at once, for what one call carries is paid for once.

        Last comes what a provider that stood still is to be asked: it may hold up all others.
        """
        waiting, self._waits = self._waits, []
        if not waiting:
            waiting, self._stands = self._stands, []
        together: dict[int, Todo] = {}
        for todo in waiting:
            first = together.setdefault(todo.image_id, replace(todo, questions=()))
            more = replace(first, questions=(*first.questions, *todo.questions))
            together[todo.image_id] = more
        yield from together.values()
