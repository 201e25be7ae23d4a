"""Memory that threads share: who needs much of it waits for the others, and the sum is bounded."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress

MUCH = 100_000_000  # bytes


class Allowance:
    """So many bytes for all threads together, handed out in the order in which they are asked for.

    In order, because a big request would never be met among many small ones otherwise.
    """

    def __init__(self, size: int) -> None:
        self._size = self._free = size
        self._changed = threading.Condition()
        self._queue: deque[object] = deque()

    @contextmanager
    def take(self, need: int) -> Iterator[None]:
        """Hold `need` bytes, or all that there are, for a while; wait until they are free.

        Not to be called by a thread that holds some: it would wait for itself.
        """
        need = min(need, self._size)
        self._wait(need)
        try:
            if need > MUCH:
                give_back()
            yield
        finally:
            with self._changed:
                self._free += need
                self._changed.notify_all()

    def _wait(self, need: int) -> None:
        me = object()
        with self._changed:
            self._queue.append(me)
            try:
                self._changed.wait_for(lambda: self._queue[0] is me and self._free >= need)
                self._free -= need
            finally:  # on Ctrl-C too: the others must not wait for one that is gone
                self._queue.remove(me)
                self._changed.notify_all()


def give_back() -> None:
    """Let the C library return what is free to the system, where it has a way to (glibc).

    It keeps freed memory for the thread that had it: several threads that each had a big picture
    once would together hold many times what one of them needs.
    """
    import ctypes

    with suppress(OSError, AttributeError, TypeError):  # TypeError: None names no library (Windows)
        ctypes.CDLL(None).malloc_trim(0)
