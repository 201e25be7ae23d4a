"""Lending models: an interpreter must not be used by two threads at once, and each costs memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, LifoQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class Pool(Generic[T]):
    """At most `most` instances, made when they are needed, each lent to one thread at a time."""

    def __init__(self, make: Callable[[], T], most: int) -> None:
        self._make = make
        self._idle: LifoQueue[T] = LifoQueue()  # last in, first out: its memory is still warm
        self._room = threading.Semaphore(most)

    @contextmanager
    def lent(self) -> Iterator[T]:
        """Wait for an instance, and give it back."""
        with self._room:
            try:
                one = self._idle.get_nowait()
            except Empty:
                one = self._make()
            try:
                yield one
            finally:
                self._idle.put(one)
