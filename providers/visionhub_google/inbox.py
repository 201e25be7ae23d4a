"""What a call received, kept by the thread that made it."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Received:
    """What came back from one call: the bytes, their media type, and the HTTP status."""

    data: bytes
    media_type: str
    status: int


class Inbox(threading.local):
    """What this thread's call received; nothing where nothing arrived."""

    last: Received | None = None
