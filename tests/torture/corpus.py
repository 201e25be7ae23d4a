"""Files that nobody should trust: each gets a row with a reason, and a run costs what it may."""

from __future__ import annotations

import io
import os
import struct
import tarfile
import tempfile
import threading
import time
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from visionhub_sandbox import Sandbox

import visionhub
from tests.conftest import jpeg
from tests.sandboxed import Seer
from tests.torture.measured import Ended, measured
from tests.torture.report import Section
from visionhub.decode import can_decode
from visionhub.engine.sources import Sources

ROOT = Path(__file__).resolve().parents[2]
GIGABYTE = 1_000_000  # kB
MADE_TO_HURT = 1_200_000  # kB: decode.MEMORY for all pictures at a time, and the process
PARTIAL = 4  # exit code
PNG = b"\x89PNG\r\n\x1a\n"
ROWS = """
SELECT count(*) FROM paths p WHERE p.problem IS NOT NULL OR EXISTS (SELECT 1 FROM status s
WHERE s.image_id = p.image_id AND (s.status = 'observed' OR s.reason <> ''))"""
SETTINGS = {"google": ["--set", "google.transport=rest"], "rekognition": []}


@dataclass(frozen=True, slots=True)
class Fed:
    """A run over bad files. files: found by the run; rows: of them, with a status or a reason.

    unreadable: images that could not be rendered; sent: of these, those that came to the server.
    """

    ended: Ended
    files: int
    rows: int
    unreadable: Counter[str]
    sent: int
    calls: int
    seconds: float

    @property
    def clean(self) -> bool:
        """Whether it ended in good order, with some files left unanswered."""
        said = self.ended.said
        return self.ended.code == PARTIAL and "Traceback" not in said and "Error:" not in said


def run(scale: float, seed: int) -> Section:
    """The corpus and the hostile extras, for each paid service. It has one size, and no lot."""
    section = Section("Files that nobody should trust")
    with tempfile.TemporaryDirectory() as folder:
        places = {"hostile files made here": hostile(Path(folder) / "hostile")}
        if corpus := bad(Path(folder) / "bad"):
            places["the corpus of bad files"] = corpus
        else:
            section.notes.append("no ../shared/images/bad/bad.tar: the corpus was not tried")
        for what, place in places.items():
            for provider in SETTINGS:
                _tell(section, f"{what}, {provider}", fed(place, provider))
    return section


def _tell(section: Section, what: str, found: Fed) -> None:
    end = f"exit code {found.ended.code}, {found.seconds:.0f} s"
    section.holds(f"{what}: ends in good order", end, f"exit code {PARTIAL}", ok=found.clean)
    section.holds(
        f"{what}: files with a row and a reason", found.rows, "all",
        ok=found.rows == found.files, of=found.files,
    )  # fmt: skip
    section.told(f"{what}: unreadable", found.unreadable.total(), found.files)
    section.none(f"{what}: unreadable ones that were sent", found.sent, found.calls)
    most = MADE_TO_HURT if what.startswith("hostile") else GIGABYTE
    section.most(f"{what}: peak memory in kB", found.ended.peak, most)
    section.notes.append(f"{what}: {dict(found.unreadable)}")


def bad(folder: Path) -> Path | None:
    """The corpus, unpacked; None where it is not."""
    shared = Path(os.environ.get("VISIONHUB_SHARED", ROOT.parent / "shared"))
    archive = shared / "images/bad/bad.tar"
    if not archive.is_file():
        return None
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder


def fed(place: Path, provider: str) -> Fed:
    """Annotate a folder with a service, from the command line."""
    with tempfile.TemporaryDirectory() as folder, Sandbox(Seer()) as sandbox:
        path = Path(folder) / "study.db"
        words = ["annotate", str(place), "-p", provider, "-t", "labels", "--study", str(path)]
        began = time.monotonic()
        ended = measured(
            [*words, *SETTINGS[provider], "--sandbox"], {"VISIONHUB_SANDBOX": sandbox.address}
        )
        seconds = time.monotonic() - began
        study = visionhub.Study(path)
        unread = study.query("SELECT sha256, problem FROM images WHERE problem IS NOT NULL").rows
        paths = study.query("SELECT problem FROM paths WHERE problem IS NOT NULL").column("problem")
        rows = study.query(ROWS).rows[0][0]
        sent = {sha for counted in sandbox.calls.recent for sha in counted.call.images}
        calls = sandbox.calls.count()
    files = sum(1 for _ in Sources.of(place))
    reasons = Counter([*paths, *(problem for _, problem in unread)])
    late = len(sent & {sha256 for sha256, _ in unread})
    return Fed(ended, files, rows, reasons, late, calls, seconds)


def hostile(folder: Path) -> Path:
    """Files that are made to harm whoever opens them."""
    folder.mkdir()
    for name, data in {**_bombs(), **_headers(), **_cut(), **_polyglots()}.items():
        (folder / name).write_bytes(data)
    for name, target in {
        "loop_a.jpg": "loop_b.jpg",
        "loop_b.jpg": "loop_a.jpg",
        "nowhere.jpg": "not/there.jpg",
        "round": ".",
        "zero.jpg": "/dev/zero",
    }.items():
        (folder / name).symlink_to(target)
    os.mkfifo(folder / "pipe.jpg")
    (folder / "sparse.jpg").touch()
    os.truncate(folder / "sparse.jpg", 1 << 40)  # a terabyte that takes no room
    return folder


def png(width: int, height: int, kind: int, depth: int = 8, more: bytes = b"") -> bytes:
    """A PNG of zeros, made row by row. kind: 0 grey, 2 RGB, 3 palette, 6 RGBA."""
    pack = zlib.compressobj(9)
    row = bytes(1 + (width * depth * {0: 1, 2: 3, 3: 1, 6: 4}[kind] + 7) // 8)
    data = b"".join(pack.compress(row) for _ in range(height)) + pack.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    palette = chunk(b"PLTE", bytes(3)) if kind == 3 else b""
    return (
        PNG + chunk(b"IHDR", header) + more + palette + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def chunk(name: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _bombs() -> dict[str, bytes]:
    """Small files, large pictures; the first are just within what is decoded."""
    text = zlib.compress(bytes(200_000_000), 9)
    return {
        "within_grey.png": png(13_300, 13_300, 0),
        "within_rgb.png": png(8_900, 8_900, 2),
        "bomb_rgba.png": png(12_000, 12_000, 6),
        "bomb_grey.png": png(30_000, 30_000, 0, 1),
        "bomb_palette.png": png(13_300, 13_300, 3),
        "bomb_text.png": png(200, 200, 2, more=chunk(b"zTXt", b"Comment\0\0" + text)),
        "bomb_profile.png": png(200, 201, 2, more=chunk(b"iCCP", b"icc\0\0" + text)),
        "frames.gif": _frames("GIF", 3_000),
        "frames.png": _frames("PNG", 1_000),
        "pages.tif": _frames("TIFF", 2_000),
    }


def _frames(kind: str, count: int) -> bytes:
    out = io.BytesIO()
    frames = [Image.new("L", (100, 101), at % 256) for at in range(count)]
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    return out.getvalue()


def _headers() -> dict[str, bytes]:
    """Headers that promise more pixels than there are."""
    huge = struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 6, 0, 0, 0)
    frame = b"\xff\xc0\0\x11\x08\xff\xff\xff\xff\x03\x01\x22\0\x02\x11\x01\x03\x11\x01"
    jpg = jpeg(160, 120)
    at = jpg.index(b"\xff\xc0")
    bitmap = b"BM" + struct.pack("<IIIIiiHHIIiiII", 10**6, 0, 54, 40, 2**31 - 1, 2**31 - 1,
                                 1, 24, 0, 0, 0, 0, 0, 0)  # fmt: skip
    tags = [(256, 2**32 - 1), (257, 2**32 - 1), (258, 8), (259, 1), (262, 1), (273, 8), (279, 9)]
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return {
        "huge.png": PNG + chunk(b"IHDR", huge) + chunk(b"IDAT", zlib.compress(bytes(99))),
        "huge.jpg": jpg[:at] + frame + jpg[at + len(frame) :],
        "huge.gif": b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0x80, 0, 0) + bytes(64),
        "huge.bmp": bitmap + bytes(64),
        "huge.tif": b"II*\0" + struct.pack("<IH", 8, len(tags)) + directory + bytes(64),
        "huge.webp": b"RIFF" + struct.pack("<I", 1000) + b"WEBPVP8X" + struct.pack("<I", 10)
        + bytes(4) + b"\xff" * 6 + bytes(982),
        "round.tif": b"II*\0" + struct.pack("<IHHHIII", 8, 1, 256, 4, 1, 9, 8) + bytes(64),
    }  # fmt: skip


def _cut() -> dict[str, bytes]:
    """Every format that is decoded, cut off at several places."""
    picture = Image.effect_noise((300, 200), 50).convert("RGB")
    made: dict[str, bytes] = {}
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"):
        if not can_decode(kind):
            continue
        out = io.BytesIO()
        picture.save(out, kind)
        whole = out.getvalue()
        for at in (1, 3, 12, 33, len(whole) // 3, len(whole) // 2, len(whole) - 40):
            made[f"cut_{at}.{kind.lower()}"] = whole[:at]
    return made


def _polyglots() -> dict[str, bytes]:
    """Two formats in one file, or one under the name of another."""
    jpg = jpeg(160, 121)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("evil.sh", "touch /tmp/evil")
    script = b"GIF89a/*" + bytes(9) + b"*/=1;alert(1)//"
    return {
        "jpeg_and_zip.jpg": jpg + archive.getvalue(),
        "script.gif": script,
        "page.jpg": b"<html><script>alert(1)</script></html>",
        "postscript.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 50 50\nshowpage\n",
        "document.png": b"%PDF-1.7\n" + bytes(99),
        "png_in_jpeg.jpg": b"\xff\xd8\xff" + png(100, 100, 2),
        "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "jpeg.png": jpeg(161, 121),
    }


class Growing:
    """A file that something writes to without an end; a context manager."""

    def __init__(self, path: Path, most: int = 2 << 30) -> None:
        self._path, self._most = path, most
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def _write(self) -> None:
        with self._path.open("ab", buffering=0) as file:
            while not self._stop.is_set() and file.tell() < self._most:
                file.write(bytes(1 << 20))

    def __enter__(self) -> Growing:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
