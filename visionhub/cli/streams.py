"""Standard output and error of a command that does not end because nobody reads them any more."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

STREAMS = ("stdout", "stderr")


class Outlet(io.FileIO):
    """A stream that drops what is printed once its reader, or its terminal, is gone.

    A paid run has to store what it is charged for, whoever stopped listening: `head` that has had
    enough, a log's pipe that was closed, an SSH session that broke. always: whatever the fault,
    as for notes on the side; else a fault such as a full disk is raised, for the output is wanted.
    """

    def __init__(self, stream: io.TextIOWrapper, *, always: bool) -> None:
        super().__init__(stream.fileno(), "wb", closefd=False)
        self._kept = stream  # which would else close what it shares with this one
        self._always, self._gone = always, False
        self._terminal = self.isatty()  # asked now: one that has hung up says no

    def write(self, data: ReadableBuffer, /) -> int:
        """Write it, or say so when there is no point."""
        if not self._gone:
            try:
                written = super().write(data)
            except OSError as error:
                self._gone = self._always or self._is_reader_gone(error)
                if not self._gone:
                    raise
            else:
                if written is not None or not self._always:  # None: a full pipe that does not wait
                    return written
        return memoryview(data).nbytes

    def _is_reader_gone(self, error: OSError) -> bool:
        return error.errno == errno.EPIPE or (error.errno == errno.EIO and self._terminal)


def prepare() -> None:
    """Make both streams go on without a reader, and escape what a C locale cannot print."""
    for name in STREAMS:
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
            if isinstance(getattr(stream.buffer, "raw", stream.buffer), io.FileIO):
                setattr(sys, name, _outliving(stream, always=name == "stderr"))
    _replace_closed()


def _outliving(stream: io.TextIOWrapper, *, always: bool) -> io.TextIOWrapper:
    """The same stream over an outlet."""
    stream.flush()
    outlet = Outlet(stream, always=always)
    unbuffered = isinstance(stream.buffer, io.FileIO)  # python -u
    return io.TextIOWrapper(
        outlet if unbuffered else io.BufferedWriter(outlet),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _replace_closed() -> None:
    """A job runner may close any of the three: Python then has None, and libraries print into it.

    Their numbers are taken too, so that no file that is opened later is mistaken for one.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nothing = open(os.devnull, mode, encoding="utf-8", errors="backslashreplace")  # noqa: PTH123, SIM115
            setattr(sys, name, nothing)
