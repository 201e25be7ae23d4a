"""Who holds money: a process, and how another process tells that it is dead.

A process is a host, its boot, a number and the moment it started: numbers are used again. Where
that cannot be looked up (another host, another container, no /proc) a lease decides, which the
owner renews as it works. So a clock that jumps can mislead about other hosts only.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LEASE = 120.0  # seconds
STARTED = 22  # the field of /proc/<pid>/stat, counted from 1 as in proc(5); its third is the state
GONE = ("Z", "X", "x")  # dead already, though nobody has asked for its exit status


@dataclass(frozen=True, slots=True)
class Owner:
    """A process. boot: the kernel's id of its boot and, after a blank, of its process numbers.

    started: clock ticks from boot to its start. Both are empty where the system does not tell.
    """

    host: str
    boot: str
    pid: int
    started: str

    @classmethod
    def here(cls) -> Owner:
        """The process that asks."""
        return cls(socket.gethostname(), _boot(), os.getpid(), _started(os.getpid()) or "")


def is_alive(owner: Owner, lease_until: float, now: float) -> bool:
    """Whether an owner may still end what it holds. Times are seconds since the epoch, UTC."""
    boot, _, numbers = owner.boot.partition(" ")
    boot_here, _, numbers_here = _boot().partition(" ")
    if owner.host != socket.gethostname() or not (boot and boot_here and owner.started):
        return now < lease_until
    if boot != boot_here:
        return False
    if numbers != numbers_here:  # another container's processes cannot be seen from here
        return now < lease_until
    started = _started(owner.pid)
    return now < lease_until if started is None else started == owner.started


def is_due(lease_until: float, now: float) -> bool:
    """Whether a lease has to be written anew: a third of it is gone, or the clock has jumped."""
    return not LEASE * 2 / 3 < lease_until - now <= LEASE


@cache  # neither changes while a process lives
def _boot() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    """When a process started; empty when there is none, None when that cannot be told."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes().decode("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return None if _is_hidden(pid) else ""
    except OSError:
        return None
    # The second field is the program's name in parentheses, and may hold blanks and parentheses.
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in GONE else fields[STARTED - 3]


def _is_hidden(pid: int) -> bool:
    """Whether there is such a process all the same: /proc may hide those of other users."""
    if os.name != "posix":  # elsewhere os.kill ends the process
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
