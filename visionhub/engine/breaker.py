"""Leave a service alone that fails again and again, for longer each time; then one call probes it.

The pattern is M. Nygard's circuit breaker ("Release It!", 2007). A breaker belongs to one process
and has no lock of its own: who uses it in several threads holds one.
"""

from __future__ import annotations

LEASE = 120.0  # seconds until a probe that nobody has heard of makes room for another
LOOK = 0.1  # seconds between two looks at what one waits for


class Breaker:
    """Opens after `after` failures in a row, for `first` seconds, doubled up to `longest`.

    Once that time is over one caller is let through, the probe; its success closes the breaker, its
    failure opens it again. Callers are known by any number of their own; times are in seconds, on
    a clock that never goes back.
    """

    def __init__(self, after: int, first: float, longest: float) -> None:
        self.after, self.first, self.longest = after, first, longest
        self.row = 0  # failures since the last success
        self.opened = 0  # how often it was opened since then
        self.began = 0.0  # when the first of these failures came
        self._at, self._until = 0.0, 0.0  # when it was opened, and for how long
        self._probe: int | None = None
        self._lapses = 0.0

    def wait(self, now: float, who: int) -> float:
        """Seconds until a caller should look again; 0 when it may pass."""
        if not self.opened or self._probe == who:
            return 0.0
        if now < self._until:
            return self._until - now
        return LOOK if self._probe is not None and now < self._lapses else 0.0

    def enter(self, now: float, who: int) -> None:
        """Pass; while it is open that makes the caller the probe."""
        if self.opened and self._probe != who:
            self._probe, self._lapses = who, now + LEASE

    def leave(self, who: int) -> None:
        """The caller is back, whatever it brings: it is the probe no longer."""
        if self._probe == who:
            self._probe = None

    def failed(self, now: float, sent: float, asked: float = 0.0) -> float:
        """Count a failure of what was sent at a time; the seconds for which that opens it, or 0.

        asked: seconds that the service asked for, which opens it at once. What was sent before it
        opened, and fails after, tells nothing new.
        """
        if self.opened and sent <= self._at:
            return 0.0
        if not self.row:
            self.began = now
        self.row += 1
        if self.row < self.after and not self.opened and not asked:
            return 0.0
        self.opened += 1
        pause = asked or min(self.first * 2.0 ** (self.opened - 1), self.longest)
        self._at, self._until = now, now + pause
        return pause

    def succeeded(self, sent: float) -> None:
        """Close it: the service answers. What was sent before it opened is no proof of that."""
        if not self.opened or sent > self._at:
            self.row = self.opened = 0
            self._probe = None
