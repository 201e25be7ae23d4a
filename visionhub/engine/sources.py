"""Which files a run looks at: files, folders, globs, lists and table columns, each path once."""

from __future__ import annotations

import glob
import os
import random
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, cast

from visionhub.engine.lists import check_column, column_of, is_table, listed
from visionhub.engine.progress import Progress
from visionhub.engine.walk import Found, PassOver, look, walk
from visionhub.errors import UsageError
from visionhub.store.items import printable

__all__ = ["Found", "Sources", "shown", "without_study"]

Source: TypeAlias = str | os.PathLike[str]
STDIN = "-"
SPOOLED = 1 << 20  # bytes of a list that are kept in memory; more goes into a file
COUNT_AFTER = 0.5  # seconds; a run that is over by then needs no total


def shown(path: str) -> str:
    """A path as one printable line: control characters and bytes that are no UTF-8 are escaped."""
    text = printable(path)[0]
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _ignore(_: str) -> None:
    return None


@dataclass(frozen=True)
class Sources:
    """What the user named, with how much of it is wanted. Iterate it, as often as you like.

    paths: files, folders (searched through), glob patterns, tables (with `column`), or "-" for a
        list on `stdin`, which can be read once only.
    limit: at most so many files; problems on the way do not count.
    shuffle: in an order that depends on `seed` and the set of paths only. All paths are then held
        in memory, about 200 bytes each; without it, those of one folder at a time.
    pass_over: told each file in a searched folder that is no image.
    """

    paths: tuple[str, ...]
    column: str | None = None
    limit: int | None = None
    shuffle: bool = False
    seed: int = 0
    stdin: BinaryIO | None = None
    pass_over: PassOver = _ignore

    @classmethod
    def of(
        cls,
        paths: Source | Iterable[Source],
        *,
        column: str | None = None,
        limit: int | None = None,
        shuffle: bool = False,
        seed: int = 0,
        stdin: BinaryIO | None = None,
        pass_over: PassOver = _ignore,
    ) -> Sources:
        """Sources from one path or many."""
        single = isinstance(paths, str | os.PathLike)
        many: Iterable[Source] = [paths] if single else paths  # type: ignore[list-item, assignment]
        texts = tuple(os.fspath(path) for path in many)
        return cls(texts, column, limit, shuffle, seed, stdin, pass_over)

    def check(self) -> None:
        """Raise UsageError naming the first source that is not there or cannot be used."""
        if not self.paths:
            raise UsageError("Name at least one file or folder, or - for a list on standard input.")
        if self.column is not None and not any(map(is_table, self.paths)):
            raise UsageError("--column is for CSV files: name one among the sources.")
        for path in self.paths:
            self._check(path)

    def _check(self, path: str) -> None:
        found, _ = look(path)
        if path == STDIN or (not is_table(path) and found.problem is None):
            return
        if found.problem == "missing":
            if not _is_pattern(path) or next(glob.iglob(path, recursive=True), None) is None:  # noqa: PTH207
                what = "no file matches" if _is_pattern(path) else "no such file or folder"
                raise UsageError(f"{shown(path)}: {what}")
        elif is_table(path):
            if self.column is None:
                raise UsageError(f"{shown(path)} is a table: name its column with --column.")
            check_column(path, self.column)

    def described(self) -> dict[str, Any]:
        """What was asked for, ready for JSON."""
        asked = {"paths": [shown(path) for path in self.paths], "column": self.column}
        chosen = {"limit": self.limit, "shuffle": self.shuffle, "seed": self.seed}
        return {**asked, **chosen} if self.shuffle else {**asked, "limit": self.limit}

    def __iter__(self) -> Iterator[Found]:
        """Files in order, each path once; problems of all sources come first when shuffled."""
        everything = _once(self._all(self.pass_over), check=self._may_repeat())
        return _limited(self._shuffled(everything) if self.shuffle else everything, self.limit)

    def are_none(self, study: Path) -> bool:
        """Whether there is no file but the study; a list on standard input is not read for it."""
        if STDIN in self.paths:
            return False
        if next(without_study(replace(self, shuffle=False, pass_over=_ignore), study, _ignore), 0):
            return False
        return not any(without_study(self, study, self.pass_over))  # tells what is passed over

    @contextmanager
    def repeatable(self) -> Iterator[Sources]:
        """The same sources, to be gone through more than once: a list on standard input is kept."""
        if STDIN not in self.paths:
            yield self
            return
        with tempfile.SpooledTemporaryFile(SPOOLED) as kept:
            shutil.copyfileobj(self.stdin or sys.stdin.buffer, kept)
            yield replace(self, stdin=cast("BinaryIO", kept))

    @contextmanager
    def counting(self, progress: Progress) -> Iterator[None]:
        """Set `progress.total` from a thread, a moment later, unless the block is over by then.

        A list on standard input cannot be read twice: its total stays None.
        """
        if STDIN in self.paths:
            yield
            return
        over = threading.Event()
        timer = threading.Timer(COUNT_AFTER, self._count, (progress, over))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            over.set()
            timer.cancel()

    def _count(self, progress: Progress, over: threading.Event) -> None:
        everything = _once(self._all(_ignore), check=self._may_repeat())
        total = 0
        try:
            for total, _ in enumerate(_limited(everything, self.limit), 1):  # noqa: B007
                if over.is_set():
                    return
        except (UsageError, OSError, ValueError):  # the run itself says what is wrong
            return
        progress.total = total

    def _all(self, pass_over: PassOver) -> Iterator[Found]:
        for path in self.paths:
            if path == STDIN:
                for entry in listed(_from_its_beginning(self.stdin or sys.stdin.buffer)):
                    yield from _expand(entry, pass_over)
            elif self.column is not None and is_table(path):
                for line, cell, name in column_of(path, self.column):
                    empty = Found(f"{path}:{line}", "empty_cell")
                    yield from _expand(name, pass_over, given=cell) if cell else [empty]
            elif _is_pattern(path) and look(path)[0].problem == "missing":
                for match in _matches(path):
                    yield from _expand(match, pass_over)
            else:
                yield from _expand(path, pass_over)

    def _may_repeat(self) -> bool:
        """One folder names no path twice, and needs no memory of what was seen."""
        return len(self.paths) > 1 or look(self.paths[0])[1] is None

    def _shuffled(self, everything: Iterable[Found]) -> Iterator[Found]:
        paths: list[str] = []
        for found in everything:
            if found.problem is None:
                paths.append(found.path)
            else:
                yield found
        paths.sort(key=os.fsencode)
        random.Random(self.seed).shuffle(paths)  # noqa: S311 (a sample, no secret)
        yield from map(Found, paths)


def _from_its_beginning(stdin: BinaryIO) -> BinaryIO:
    """A list on standard input, which is read once more where it was kept (`repeatable`)."""
    if isinstance(stdin, tempfile.SpooledTemporaryFile):
        stdin.seek(0)
    return stdin


def without_study(files: Iterable[Found], study: Path, pass_over: PassOver) -> Iterator[Found]:
    """Files but the study itself and what lies beside it, which `visionhub annotate *` names too.

    It would be another image after each run; and reading it here would drop the writer's locks.
    """
    own = {study.name + end for end in ("", ".lock", "-journal", "-wal", "-shm")}
    folder = os.path.realpath(study.parent)
    for found in files:
        parent, name = os.path.split(found.path)
        if name in own and os.path.realpath(parent or os.curdir) == folder:
            pass_over(found.path)
        else:
            yield found


def _is_pattern(path: str) -> bool:
    return any(mark in path for mark in "*?[")


def _matches(pattern: str) -> list[str]:
    """What a pattern matches, in the order of the paths' bytes.

    `**` runs in circles through a link to a folder above: one real folder's file is kept once,
    under its shortest path.
    """
    real: dict[str, str] = {}
    matches = sorted(glob.glob(pattern, recursive=True), key=lambda path: path.count(os.sep))  # noqa: PTH207
    for match in matches:
        folder, name = os.path.split(match)
        real.setdefault(os.path.join(os.path.realpath(folder), name), match)  # noqa: PTH118
    return sorted(real.values(), key=os.fsencode)


def _expand(path: str, pass_over: PassOver, *, given: str | None = None) -> Iterator[Found]:
    """A file that was named is looked at whatever its name; a folder is searched."""
    found, folder = look(path)
    if folder is None:
        yield replace(found, given=given)
    else:
        yield from walk(path, pass_over)


def _once(everything: Iterator[Found], *, check: bool) -> Iterator[Found]:
    """Each path once, however it was written (a/../b and b are one); links are other paths."""
    if not check:
        yield from everything
        return
    seen: set[str] = set()
    for found in everything:
        path = os.path.abspath(found.path) if "\0" not in found.path else found.path  # noqa: PTH100
        if path not in seen:
            seen.add(path)
            yield found


def _limited(everything: Iterator[Found], limit: int | None) -> Iterator[Found]:
    """Up to `limit` files; what has a problem does not count."""
    left = limit
    for found in everything:
        yield found
        if left is not None and found.problem is None:
            left -= 1
            if left < 1:
                return
