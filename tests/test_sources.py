"""Which files a run looks at."""
# ruff: noqa: PTH100, PTH102, PTH106, PTH108, PTH118, PTH119 - paths are text here, as handed out

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visionhub.engine import walk as walking
from visionhub.engine.lists import listed
from visionhub.engine.progress import Progress
from visionhub.engine.sources import Found, Sources, shown
from visionhub.errors import UnreadableImage, UsageError
from visionhub.files import read

JPEG = b"\xff\xd8\xff\xe0 enough to look like one"


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder of files in every position that matters."""
    folder = tmp_path / "album"
    for name in ("b.jpg", "a.JPG", "sub/c.png", "sub/deep/d.webp", ".hidden.jpg", ".dir/e.gif"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(JPEG)
    (folder / "no_extension").write_bytes(JPEG)
    (folder / "photo.dat").write_bytes(JPEG)
    (folder / "notes.txt").write_bytes(b"words")
    (folder / "empty").write_bytes(b"")
    return folder


def names(found: list[Found], folder: Path) -> list[str]:
    return [os.path.relpath(file.path, folder) for file in found]


def stream(*entries: bytes, end: bytes = b"\n") -> io.BytesIO:
    return io.BytesIO(b"".join(entry + end for entry in entries))


def discover(
    sources: object,
    *,
    stdin: BinaryIO | None = None,
    csv_column: str | None = None,
    limit: int | None = None,
) -> Iterator[Found]:
    """As a run does it: checked at once, found as the iterator is read."""
    wanted = Sources.of(sources, column=csv_column, limit=limit, stdin=stdin)
    wanted.check()
    return iter(wanted)


def test_a_folder_in_order_with_what_is_passed_over(album: Path) -> None:
    passed: list[str] = []
    found = list(Sources.of(album, pass_over=passed.append))
    assert names(found, album) == [
        ".dir/e.gif",
        ".hidden.jpg",
        "a.JPG",
        "b.jpg",
        "no_extension",
        "photo.dat",
        "sub/c.png",
        "sub/deep/d.webp",
    ]
    assert {file.problem for file in found} == {None}
    assert [Path(path).name for path in passed] == ["empty", "notes.txt"]


def test_order_does_not_depend_on_the_disk(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forward = list(Sources.of(album))
    scandir = os.scandir

    class Reversed:
        def __init__(self, path: str) -> None:
            with scandir(path) as entries:
                self.entries = sorted(entries, key=lambda entry: entry.name, reverse=True)

        def __enter__(self) -> list[os.DirEntry[str]]:
            return self.entries

        def __exit__(self, *_: object) -> None:
            return None

    monkeypatch.setattr(walking.os, "scandir", Reversed)
    assert list(Sources.of(album)) == forward


def test_named_files_are_taken_whatever_their_name(album: Path) -> None:
    assert names(list(discover([album / "notes.txt", album / "b.jpg"])), album) == [
        "notes.txt",
        "b.jpg",
    ]


def test_each_path_once(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(album)
    (album / "link.jpg").symlink_to("b.jpg")
    found = list(discover(["b.jpg", "sub/../b.jpg", str(album / "b.jpg"), ".", "link.jpg"]))
    assert [file.path for file in found].count("b.jpg") == 1
    real = [os.path.abspath(file.path) for file in found]
    assert len(real) == len(set(real)) == 9  # the link is another path


def test_awkward_names(tmp_path: Path) -> None:
    raw = [b"-rf.jpg", b"line\nbreak.jpg", b"latin\xe9.jpg", b"a[1].jpg", b"$(x).jpg", b"* ?.jpg"]
    for name in raw:
        Path(os.path.join(tmp_path, os.fsdecode(name))).write_bytes(JPEG)
    found = list(Sources.of(tmp_path))
    assert [os.path.basename(os.fsencode(file.path)) for file in found] == sorted(raw)
    assert all(read(file.path) == JPEG for file in found)
    paths = [file.path for file in found]
    assert [file.path for file in discover(paths)] == paths  # none is taken for a pattern
    listed_ = stream(*map(os.fsencode, paths), end=b"\0")
    assert [file.path for file in discover(["-"], stdin=listed_)] == paths


def test_a_path_is_shown_on_one_line() -> None:
    assert shown("a\nb\x1b[31m\u202e.jpg") == r"a\nb\x1b[31m\u202e.jpg"
    assert shown(os.fsdecode(b"caf\xe9.jpg")) == r"caf\xe9.jpg"
    assert shown("写真 é.jpg") == "写真 é.jpg"


def test_globs(album: Path) -> None:
    assert names(list(discover([f"{album}/*.jpg"])), album) == ["b.jpg"]
    deep = names(list(discover([f"{album}/**/*.[pw]*"])), album)
    assert deep == ["sub/c.png", "sub/deep/d.webp"]
    (album / "sub" / "loop").symlink_to(album)
    assert names(list(discover([f"{album}/**/*.webp"])), album) == ["sub/deep/d.webp"]
    with pytest.raises(UsageError, match="no file matches"):
        discover([f"{album}/*.tiff"])


def test_what_is_not_there_is_named_before_anything_starts(album: Path) -> None:
    with pytest.raises(UsageError, match="nowhere: no such file or folder"):
        discover([album, album / "nowhere"])
    with pytest.raises(UsageError, match="at least one"):
        discover([])


def test_links_loops_and_things_that_are_no_files(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "a.jpg").write_bytes(JPEG)
    (inner / "up").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(inner)
    (tmp_path / "broken.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "self.jpg").symlink_to("self.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    os.mkfifo(tmp_path / "pipe")
    passed: list[str] = []
    found = {
        os.path.relpath(f.path, tmp_path): f.problem
        for f in Sources.of(tmp_path, pass_over=passed.append)
    }
    assert found == {
        "again/a.jpg": None,
        "again/up": "symlink_loop",
        "broken.jpg": "missing",
        "inner/a.jpg": None,
        "inner/up": "symlink_loop",
        "pipe.jpg": "not_a_file",
        "self.jpg": "symlink_loop",
    }
    assert passed == [str(tmp_path / "pipe")]


def test_folders_nested_deeper_than_python_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    depth = 1200
    monkeypatch.chdir(tmp_path)
    for _ in range(depth):
        os.mkdir("d")
        os.chdir("d")
    Path("a.jpg").write_bytes(JPEG)
    (found,) = Sources.of(tmp_path)
    assert found.path.endswith("d/d/a.jpg")
    os.unlink("a.jpg")
    for _ in range(depth):  # pytest would fail to remove it
        os.chdir("..")
        os.rmdir("d")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable to root")
def test_what_may_not_be_read_by_permission(album: Path) -> None:
    (album / "b.jpg").chmod(0)
    (album / "photo.dat").chmod(0)
    (album / "sub").chmod(0)
    try:
        found = {Path(f.path).name: f.problem for f in Sources.of(album)}
        with pytest.raises(UnreadableImage, match="no_access"):  # told when it is read
            read(album / "b.jpg")
    finally:
        (album / "sub").chmod(0o755)
    assert [found[name] for name in ("photo.dat", "sub")] == ["no_access"] * 2
    assert found["b.jpg"] is None


def test_what_may_not_be_read(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for root, to whom nothing is unreadable."""
    scandir, locked = os.scandir, [str(album / "sub")]

    def guarded(path: str) -> object:
        if path in locked:
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(walking.os, "scandir", guarded)
    found = {Path(f.path).name: f.problem for f in Sources.of(album)}
    assert found["sub"] == "no_access"
    assert found["a.JPG"] is None


def test_a_list_on_standard_input(album: Path) -> None:
    entries = [os.fsencode(album / name) for name in ("b.jpg", "gone.jpg", "sub")]
    for end in (b"\n", b"\r\n", b"\0"):
        found = list(discover(["-"], stdin=stream(*entries, b"", end=end)))
        assert [(Path(f.path).name, f.problem) for f in found] == [
            ("b.jpg", None),
            ("gone.jpg", "missing"),
            ("c.png", None),
            ("d.webp", None),
        ]


@given(st.lists(st.binary(min_size=1, max_size=300).filter(lambda b: b"\0" not in b), min_size=1))
def test_nul_lists_keep_every_byte(entries: list[bytes]) -> None:
    if entries[0].startswith(b"\xef\xbb\xbf"):
        entries = entries[1:] or [b"a"]
    assert [os.fsencode(path) for path in listed(stream(*entries, end=b"\0"))] == entries
    whole = io.BytesIO(b"\0".join(entries) + b"\0")
    assert len(list(listed(whole))) == len(entries)


def test_lists_longer_than_a_block() -> None:
    entries = [f"folder/photo {number:06}.jpg".encode() for number in range(5000)]
    for end in (b"\n", b"\0"):
        assert [os.fsencode(path) for path in listed(stream(*entries, end=end))] == entries
    assert list(listed(io.BytesIO(b"a\nb"))) == ["a", "b"]
    assert list(listed(io.BytesIO(b""))) == []


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_column_of_a_table(album: Path, mark: str) -> None:
    table = album / "records.csv"
    rows = [["id", "file"], ["1", "b.jpg"], ["2", '"sub/c.png"'], ["3", ""], ["4", "gone.jpg"]]
    text = "\r\n".join(mark.join(row) for row in rows)
    table.write_bytes(b"\xef\xbb\xbf" + text.encode())
    found = list(discover([table], csv_column="file"))
    assert [(os.path.relpath(f.path, album), f.problem) for f in found] == [
        ("b.jpg", None),
        ("sub/c.png", None),
        ("records.csv:4", "empty_cell"),
        ("gone.jpg", "missing"),
    ]
    with pytest.raises(UsageError, match="no column 'path'; it has id, file"):
        discover([table], csv_column="path")
    with pytest.raises(UsageError, match="name its column"):
        discover([table])
    with pytest.raises(UsageError, match="--column is for CSV"):
        discover([album], csv_column="file")


def test_limit_counts_files_and_not_problems(album: Path) -> None:
    entries = [os.fsencode(album / name) for name in ("gone.jpg", "b.jpg", "a.JPG", "sub")]
    found = list(discover(["-"], stdin=stream(*entries), limit=2))
    assert names(found, album) == ["gone.jpg", "b.jpg", "a.JPG"]


def test_a_limited_run_reads_no_further() -> None:
    class Endless(io.RawIOBase):
        blocks = 0

        def read(self, size: int = -1) -> bytes:
            self.blocks += 1
            return b"".join(b"%d-%d.jpg\n" % (self.blocks, n) for n in range(size // 16))

    endless = Endless()
    iterator = discover(["-"], stdin=endless, limit=None)
    assert [next(iterator).problem for _ in range(3)] == ["missing"] * 3
    assert endless.blocks <= 2


def test_shuffle_depends_on_seed_and_paths_only(album: Path) -> None:
    plain = list(Sources.of(album))
    one = list(Sources.of(album, shuffle=True, seed=1))
    assert sorted(one, key=lambda f: f.path) == sorted(plain, key=lambda f: f.path)
    assert one == list(Sources.of([album / "sub", album], shuffle=True, seed=1))
    assert len({tuple(Sources.of(album, shuffle=True, seed=s)) for s in range(6)}) > 1
    assert list(Sources.of(album, shuffle=True, seed=1, limit=3)) == one[:3]


def test_counting_beside_the_run(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("visionhub.engine.sources.COUNT_AFTER", 0.0)
    progress = Progress()
    passed: list[str] = []
    sources = Sources.of(album, limit=5, pass_over=passed.append)
    with sources.counting(progress):
        for _ in range(200):
            if progress.total is not None:
                break
            time.sleep(0.01)
    assert progress.total == 5
    assert passed == []  # told by the run only


def test_a_run_that_is_over_is_not_counted(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("visionhub.engine.sources.COUNT_AFTER", 0.05)
    progress = Progress()
    for sources in (Sources.of(album), Sources.of("-")):
        with sources.counting(progress):
            pass
    time.sleep(0.2)
    assert progress.total is None


def test_sources_say_what_was_asked(album: Path) -> None:
    told = Sources.of([album], shuffle=True, seed=7, limit=2).described()
    assert told == {
        "paths": [str(album)],
        "column": None,
        "limit": 2,
        "shuffle": True,
        "seed": 7,
    }


def test_reading_a_file_gives_bytes_or_a_reason(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(JPEG)
    assert read(tmp_path / "a") == JPEG
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "big").touch()
    os.truncate(tmp_path / "big", 1 << 40)
    wrong = {"pipe": "not_a_file", "gone": "missing", "big": "too_large", "n\0l": "missing"}
    for name, reason in wrong.items():
        with pytest.raises(UnreadableImage) as error:
            read(os.path.join(tmp_path, name))
        assert error.value.reason == reason
