"""Which image an answer is about: by the name it gives, by a table, by hash, by its file's name.

Nothing is guessed: a name that fits two different pictures fits none.
"""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from types import MappingProxyType
from urllib.parse import unquote

from visionhub.engine.flow import batched
from visionhub.engine.naming import IMAGE_END, names_image
from visionhub.engine.sources import Found
from visionhub.errors import UnreadableImage, UsageError
from visionhub.files import read
from visionhub.images import sha256_of
from visionhub.store.items import printable

ROWS = 5000
# Words between the image's name and .json that say nothing about the image; the provider's name
# and the tasks are added.
_WORDS = (
    "json jsonl txt response responses answer answers result results raw output out api "
    "detect detection detections recognize annotate annotation annotations label object "
    "moderation celebs"
)
# A picture's hash by the number of its digits.
HASHES = MappingProxyType({64: "SHA-256", 40: "SHA-1", 32: "MD5"})
DIGEST = re.compile(
    r"(?<![0-9a-z])(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})(?![0-9a-z])", re.IGNORECASE
)
SUFFIX_IN = re.compile(IMAGE_END.pattern.removesuffix("$") + r"(?![0-9a-z])", re.IGNORECASE)
SEPARATORS = re.compile(r"[\\/]")
LOOSE = re.compile(r"[\s_]+")


@dataclass(frozen=True, slots=True)
class Matched:
    """The image of an answer, or why there is none."""

    path: str = ""
    reason: str = ""
    several: bool = False


class Images:
    """The images that answers may be about, by name. Kept in a temporary file, not in memory.

    Use it in one thread.
    """

    def __init__(self, files: Iterable[Found]) -> None:
        self._sql = sqlite3.connect("", isolation_level=None)  # gone when it is closed
        self._sql.execute("CREATE TABLE images (path BLOB, name TEXT, stem TEXT)")
        self._sql.execute("CREATE TABLE hashes (hash TEXT, image INTEGER)")
        self._hashed = False
        for chunk in batched(files, ROWS):
            self._sql.execute("BEGIN")
            self._sql.executemany(
                "INSERT INTO images (path, name, stem) VALUES (?, ?, ?)",
                [_row(found.path) for found in chunk if found.problem != "missing"],
            )
            self._sql.execute("COMMIT")
        for column in ("name", "stem"):
            self._sql.execute(f"CREATE INDEX images_{column} ON images({column})")

    def __len__(self) -> int:
        (count,) = self._sql.execute("SELECT count(*) FROM images").fetchone()
        return int(count)

    def close(self) -> None:
        """Remove the temporary file."""
        self._sql.close()

    def called(self, text: str) -> Matched:
        """The image that a text names: a path, an address, a file's name, its stem, or a hash."""
        parts = _parts(text)
        if not parts:
            return Matched(reason="it names no image")
        by = "name" if names_image(parts[-1]) else "stem"
        found = self._closest(by, parts)
        if by == "stem" and not found:  # a file without a suffix, or with an unusual one
            found = self._closest("name", parts)
        if not found and DIGEST.fullmatch(text):
            return self.hashed(text)
        return self._only(found, text)

    def hashed(self, digest: str) -> Matched:
        """The image with the bytes of this SHA-256, SHA-1 or MD5. Reads all images, once."""
        if not self._hashed:
            self._hash()
        sql = "SELECT path FROM images JOIN hashes ON image = images.rowid WHERE hash = ?"
        found = self._paths(sql, (digest.lower(),))
        none = f"no image has the name or the {HASHES[len(digest)]} that the answer names"
        return Matched(found[0]) if found else Matched(reason=none)

    def _hash(self) -> None:
        paths = [row[0] for row in self._sql.execute("SELECT rowid FROM images")]
        for chunk in batched(paths, ROWS):
            self._sql.execute("BEGIN")
            for row in chunk:
                (path,) = self._paths("SELECT path FROM images WHERE rowid = ?", (row,))
                values = [(digest, row) for digest in _hashes_of(path)]
                self._sql.executemany("INSERT INTO hashes VALUES (?, ?)", values)
            self._sql.execute("COMMIT")
        self._sql.execute("CREATE INDEX hashes_hash ON hashes(hash)")
        self._hashed = True

    def _closest(self, by: str, parts: Sequence[str]) -> list[str]:
        """Paths whose name fits best: to the letter, else but for case, else loosely.

        Of several, those whose folders agree with the text's for longest.
        """
        name = parts[-1]
        found = self._paths(f"SELECT path FROM images WHERE {by} = ?", (_loose(name),))  # noqa: S608
        for fit in (_exact, _folded):
            same = [path for path in found if fit(_named(by, path)) == fit(name)]
            if same:
                found = same
                break
        agree = [_agreement(_parts(path), parts) for path in found]
        return [p for p, n in zip(found, agree, strict=True) if n == max(agree)]

    def _paths(self, sql: str, values: Sequence[object]) -> list[str]:
        return sorted(os.fsdecode(row[0]) for row in self._sql.execute(sql, values))

    def _only(self, found: Sequence[str], text: str) -> Matched:
        name = printable(text)[0]
        if not found:
            return Matched(reason=f"no image is called {name!r}")
        if len(found) > 1 and len({_hash_of(path) for path in found}) > 1:
            several = ", ".join(printable(path)[0] for path in found[:3])
            why = f"{name!r} may be any of several images: {several}"
            return Matched(reason=why, several=True)
        return Matched(found[0])


class FileNames:
    """Reads the image's name out of the name of its answer's file.

    pattern: as users type it: {name} is the image's file name, {stem} the same without its suffix,
    {sha256} its hash, * anything. words: what may stand between the image's name and the suffix.
    """

    def __init__(self, images: Images, words: Iterable[str], pattern: str | None = None) -> None:
        self._images = images
        known = "|".join(sorted(map(re.escape, {*_WORDS.split(), *words})))
        self._tail = re.compile(rf"[._\- ](?:{known})+$", re.IGNORECASE)
        self._pattern = compiled(pattern) if pattern else None

    def match(self, path: str) -> Matched:
        """The image of the answer in this file."""
        name = os.path.basename(path)  # noqa: PTH119
        if self._pattern is not None:
            fits = self._pattern.fullmatch(name)
            if not fits:
                return Matched(reason="its file's name does not fit --pattern")
            return self._first(path, [next(v for v in fits.groupdict().values() if v)])
        found = self._first(path, self._readings(name))
        digest = DIGEST.search(name)
        missed = not found.path and not found.several
        return self._images.hashed(digest[0]) if digest and missed else found

    def _readings(self, name: str) -> Iterator[str]:
        """What the name may call the image, longest first."""
        whole = [match.end() for match in SUFFIX_IN.finditer(name)]
        if whole:
            yield from (name[:end] for end in reversed(whole))
            return
        while tail := self._tail.search(name):
            name = name[: tail.start()]
            yield name

    def _first(self, path: str, readings: Iterable[str]) -> Matched:
        folder = os.path.dirname(path)  # noqa: PTH120
        why = Matched(reason="no image has the name of its file")
        for reading in readings:
            matched = self._images.called(os.path.join(folder, reading))  # noqa: PTH118
            if matched.path or matched.several:
                return matched
        return why


def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern as `FileNames` takes it; UsageError when it has no place for the image."""
    marks = {"{name}": r"(?P<name>.+)", "{stem}": r"(?P<stem>.+)", "*": ".*"}
    marks["{sha256}"] = rf"(?P<sha256>{DIGEST.pattern})"
    parts = re.split(r"(\{name\}|\{stem\}|\{sha256\}|\*)", pattern)
    if sum(part in marks and part != "*" for part in parts) != 1:
        raise UsageError(f"--pattern {pattern}: write one of {{name}}, {{stem}}, {{sha256}} in it.")
    return re.compile("".join(marks.get(part, re.escape(part)) for part in parts), re.IGNORECASE)


def _row(path: str) -> tuple[bytes, str, str]:
    return os.fsencode(path), _loose(_named("name", path)), _loose(_named("stem", path))


def _named(by: str, path: str) -> str:
    name = os.path.basename(path)  # noqa: PTH119
    return os.path.splitext(name)[0] if by == "stem" else name  # noqa: PTH122


def _exact(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _folded(name: str) -> str:
    return _exact(name).casefold()


def _loose(name: str) -> str:
    return LOOSE.sub(" ", _folded(unquote(printable(name)[0]))).strip()


def _parts(text: str) -> list[str]:
    """Folders and name of a path or address, whichever system wrote it."""
    if text.lower().startswith(("http://", "https://")):  # a bucket's names may hold ? and #
        text = text.partition("?")[0].partition("#")[0]
    if "://" in text:
        text = unquote(text)
    return [part for part in SEPARATORS.split(text) if part]


def _agreement(path: Sequence[str], named: Sequence[str]) -> int:
    """How many folders, counted from the name upwards, agree."""
    folders = zip(reversed(path[:-1]), reversed(named[:-1]), strict=False)
    return sum(1 for _ in takewhile(lambda pair: _folded(pair[0]) == _folded(pair[1]), folders))


def _hash_of(path: str) -> str | None:
    try:
        return sha256_of(read(path))
    except UnreadableImage:
        return None


def _hashes_of(path: str) -> list[str]:
    """The digests that people name files by; none of a file that cannot be read."""
    try:
        data = read(path)
    except UnreadableImage:
        return []
    weak = (hashlib.new(name, data, usedforsecurity=False) for name in ("sha1", "md5"))
    return [sha256_of(data), *(each.hexdigest() for each in weak)]
