"""Who still lives: process start, boot, container, lease."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from visionhub.store import owners
from visionhub.store.owners import LEASE, Owner, is_alive, is_due

LINUX = Path("/proc/self/stat").exists()
NOW = 1_000_000.0
OPEN, OVER = NOW + 1, NOW - 1  # leases
on_linux = pytest.mark.skipif(not LINUX, reason="only Linux tells when a process started")


def start(program: str | Path = sys.executable) -> subprocess.Popen[bytes]:
    """A process that waits until it is told to end."""
    wait = "import sys; print(flush=True); sys.stdin.read()"
    child = subprocess.Popen(
        [program, "-c", wait], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    assert child.stdout
    child.stdout.readline()
    return child


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    process = start()
    yield process
    end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        assert pipe
        pipe.close()


def owner_of(pid: int) -> Owner:
    return replace(Owner.here(), pid=pid, started=owners._started(pid) or "")


@on_linux
def test_this_process_lives_whatever_its_lease() -> None:
    assert Owner.here().pid == os.getpid()
    assert int(Owner.here().started) > 0
    assert is_alive(Owner.here(), OVER, NOW)


@on_linux
def test_a_process_that_ended_is_dead_whatever_its_lease(child) -> None:
    owner = owner_of(child.pid)
    assert is_alive(owner, OVER, NOW)
    end(child)
    assert not is_alive(owner, OPEN, NOW)


@on_linux
def test_a_killed_process_is_dead_before_anybody_has_asked_for_its_end(child) -> None:
    owner = owner_of(child.pid)
    child.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it stays, as a zombie
    assert Path(f"/proc/{child.pid}/stat").exists()
    assert not is_alive(owner, OPEN, NOW)


@on_linux
def test_a_number_that_was_given_to_another_process_is_not_the_owner(child) -> None:
    earlier = replace(owner_of(child.pid), started="12345")
    assert not is_alive(earlier, OPEN, NOW)


@on_linux
def test_a_program_may_have_any_name(tmp_path) -> None:
    shell = shutil.which("sleep")
    assert shell
    odd = tmp_path / "a) R 1 2 (b"
    shutil.copy(shell, odd)
    process = subprocess.Popen([odd, "60"])
    try:
        stat = Path(f"/proc/{process.pid}/stat")
        while "a) R" not in stat.read_text():  # it has not become that program yet
            pass
        # Field 22 of proc(5), counted from behind: the fields after the name never change.
        fields = stat.read_text().replace("(a) R 1 2 (b)", "name").split()
        assert owners._started(process.pid) == fields[21]
    finally:
        process.kill()
        process.wait()


@on_linux
def test_another_boot_of_this_host_is_over() -> None:
    assert not is_alive(replace(Owner.here(), boot="0000 pid:[1]"), OPEN, NOW)
    same = replace(Owner.here(), boot=Owner.here().boot.split()[0] + " pid:[1]")  # a container
    assert is_alive(same, OPEN, NOW)
    assert not is_alive(same, NOW, NOW)
    assert not is_alive(same, OVER, NOW)


@on_linux
def test_a_boot_is_told_with_its_process_numbers() -> None:
    owners._boot.cache_clear()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert Owner.here().boot == f"{boot} {Path('/proc/self/ns/pid').readlink()}"


def test_where_no_boot_is_told_it_is_empty(monkeypatch) -> None:
    def none(self: Path, *_: object) -> str:
        raise FileNotFoundError

    owners._boot.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_text", none)
        assert owners._boot() == ""
    owners._boot.cache_clear()


@on_linux
def test_a_program_may_have_a_name_that_is_no_text(monkeypatch) -> None:
    stat = Path("/proc/self/stat").read_bytes()
    odd = stat.replace(stat[stat.index(b"(") : stat.rindex(b")") + 1], b"(\xff)")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", lambda self: odd)
        assert owners._started(os.getpid()) == stat.rpartition(b")")[2].split()[19].decode()


@pytest.mark.parametrize(
    "changed",
    [
        {"host": "elsewhere"},
        {"boot": ""},
        {"started": ""},
        {"host": "elsewhere", "boot": "", "pid": 1},
    ],
)
def test_what_cannot_be_looked_up_lives_as_long_as_its_lease(changed) -> None:
    owner = replace(Owner.here(), **changed)
    assert is_alive(owner, OPEN, NOW)
    assert not is_alive(owner, NOW, NOW)
    assert not is_alive(owner, OVER, NOW)


def test_where_the_system_does_not_tell_the_lease_decides(monkeypatch) -> None:
    monkeypatch.setattr(owners, "_boot", lambda: "")
    here = Owner.here()
    assert here.boot == ""
    assert is_alive(here, OPEN, NOW)
    assert not is_alive(here, OVER, NOW)
    assert not is_alive(replace(here, boot="another"), OVER, NOW)


@on_linux
@pytest.mark.parametrize("error", [None, PermissionError])
def test_a_hidden_process_lives_as_long_as_its_lease(child, monkeypatch, error) -> None:
    owner = owner_of(child.pid)

    def hidden(self: Path) -> bytes:
        raise FileNotFoundError

    def asked(pid: int, signal: int) -> None:
        assert (pid, signal) == (child.pid, 0)
        if error is not None:
            raise error

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", hidden)
        patched.setattr(owners.os, "kill", asked)
        assert is_alive(owner, OPEN, NOW)
        assert not is_alive(owner, OVER, NOW)


@on_linux
def test_an_unreadable_process_lives_as_long_as_its_lease(child, monkeypatch) -> None:
    owner = owner_of(child.pid)

    def denied(self: Path) -> bytes:
        raise PermissionError

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", denied)
        assert is_alive(owner, OPEN, NOW)
        assert not is_alive(owner, NOW, NOW)
        assert not is_alive(owner, OVER, NOW)


def test_a_process_is_never_asked_where_asking_would_end_it(monkeypatch) -> None:
    def never(pid: int, signal: int) -> None:
        raise AssertionError

    monkeypatch.setattr(owners.os, "kill", never)
    monkeypatch.setattr(owners.os, "name", "nt")
    assert owners._is_hidden(1) is False


@pytest.mark.parametrize(
    ("left", "due"),
    [
        (LEASE, False),
        (LEASE * 2 / 3 + 1, False),
        (LEASE * 2 / 3, True),
        (0, True),
        (-1000, True),
        (LEASE + 1, True),  # the clock went back
    ],
)
def test_a_lease_is_written_anew_when_a_third_is_gone(left, due) -> None:
    assert is_due(NOW + left, NOW) is due
