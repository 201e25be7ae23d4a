"""Every file of a corpus of damaged, disguised and oversized ones: a rendering, or a reason."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import features

from visionhub.decode import FORMATS, REASONS, can_decode, sniff
from visionhub.engine.sources import Sources
from visionhub.errors import UnreadableImage
from visionhub.images import Limits, render

LIMITS = Limits()
GIGABYTE = 1_000_000  # kB, as ru_maxrss counts on Linux


@pytest.fixture(scope="session")
def bad(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = shared / "images/bad/bad.tar"
    if not archive.is_file():
        pytest.skip("no ../shared/images/bad/bad.tar: the corpus of bad files is not tested")
    folder = tmp_path_factory.mktemp("bad")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="session")
def manifest(shared: Path) -> list[dict[str, object]]:
    files: list[dict[str, object]] = json.loads(
        (shared / "images/bad/manifest.json").read_text(encoding="utf-8")
    )["files"]
    return files


def outcome(path: Path) -> str:
    """ "" for a rendering that keeps its promises, else the reason."""
    try:
        _, sent = render(path.read_bytes(), LIMITS)
    except UnreadableImage as error:
        reason, detail = error.reason, error.detail
    else:
        reason = detail = ""
        assert len(sent.data) <= LIMITS.max_bytes
        assert max(sent.width, sent.height) <= LIMITS.max_side
        assert sent.open().size == (sent.width, sent.height)
    assert not reason or reason in REASONS, path
    assert " at 0x" not in detail, "a memory address would be stored"
    return reason


def test_every_file_has_an_outcome_in_threads(bad: Path, manifest: list[dict[str, object]]) -> None:
    paths = [bad / str(entry["file"]) for entry in manifest]
    one_by_one = []
    for path in paths:
        started = time.thread_time()
        one_by_one.append(outcome(path))
        assert time.thread_time() - started < 10, path
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(outcome, paths)) == one_by_one


def test_outcomes_are_what_the_kind_of_file_calls_for(
    bad: Path, manifest: list[dict[str, object]]
) -> None:
    heif = can_decode("HEIF")
    for entry in manifest:
        name, kind = str(entry["file"]), entry["kind"]
        seen = outcome(bad / name)
        if kind in ("awkward-name", "duplicate", "wrong-extension", "odd-exif", "odd-valid"):
            allowed = {"unsupported_format"} if name.endswith(".heif") and not heif else {""}
        elif kind == "bomb":
            allowed = {""} if "large" in name else {"too_many_pixels", "damaged"}
        else:
            allowed = {
                "bit-rot": {"", "damaged"},
                "empty": {"empty"},
                "non-image": {"not_an_image", "unsupported_format"},
                "truncated": {"truncated"},
                "found-corrupt": REASONS - {"empty", "cannot_fit", "no_memory"},
            }[str(kind)]
        assert seen in allowed, (name, kind, seen)


def test_nonsense_in_exif_is_none(bad: Path) -> None:
    date, _ = render((bad / "files/date_nonsense.jpg").read_bytes(), LIMITS)
    assert date.taken_at is None
    for name in ("gps_nonsense.jpg", "pick_exif_gps_typeerror.jpg"):
        place, _ = render((bad / "files" / name).read_bytes(), LIMITS)
        assert (place.latitude, place.longitude) == (None, None), name


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc: peak not known")
def test_the_corpus_fits_in_a_gigabyte(bad: Path) -> None:
    # VmHWM and not getrusage: the latter starts from the parent's peak.
    program = (
        "import sys\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from pathlib import Path\n"
        "from visionhub.errors import UnreadableImage\n"
        "from visionhub.images import Limits, render\n"
        "def one(path):\n"
        "    try: return len(render(path.read_bytes(), Limits())[1].data) > 0\n"
        "    except UnreadableImage: return False\n"
        "paths = [p for p in Path(sys.argv[1]).rglob('*') if p.is_file()]\n"
        "with ThreadPoolExecutor(4) as pool: done = sum(pool.map(one, paths))\n"
        "status = Path('/proc/self/status').read_text()\n"
        "print(len(paths), done, status.split('VmHWM:')[1].split()[0])\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program, str(bad)], capture_output=True, text=True, check=True
    )
    files, rendered, peak = map(int, answer.stdout.split())
    assert files > 140
    assert rendered > 40
    assert peak < GIGABYTE


def test_no_file_of_the_corpus_is_passed_over(bad: Path, manifest: list[dict[str, object]]) -> None:
    passed: list[str] = []
    found = [file.path for file in Sources.of(bad, pass_over=passed.append)]
    assert sorted(found) == sorted(str(bad / str(entry["file"])) for entry in manifest)
    assert passed == []


def test_postscript_never_reaches_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import EpsImagePlugin

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *_, **__: pytest.fail("started"))
    data = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 50 50\nshowpage\n"
    with pytest.raises(UnreadableImage) as error:
        render(data, LIMITS)
    assert error.value.reason == "unsupported_format"


def test_sniffing_knows_what_is_decoded() -> None:
    brand = b"\0\0\0\x20ftyp"
    assert sniff(brand + b"mif1\0\0\0\0avifmif1") == "AVIF"
    assert sniff(brand + b"heic\0\0\0\0mif1heic") == "HEIF"
    assert sniff(brand + b"mp42\0\0\0\0isommp42") == ""
    assert sniff(brand + b"crx \0\0\0\x01crx isom") == "camera raw"
    assert sniff(b"BMW is a car, not a bitmap") == ""
    assert sniff(b"") == ""
    assert can_decode("AVIF") == bool(features.check("avif"))
    assert not any(can_decode(name) for name in ("EPS", "PostScript", "PDF"))
    assert "JPEG" in FORMATS


def test_a_camera_raw_file_is_not_its_thumbnail() -> None:
    from PIL import Image, TiffImagePlugin

    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[50706] = b"\1\4\0\0"
    tags.tagtype[50706] = 1
    import io

    out = io.BytesIO()
    Image.new("RGB", (16, 12)).save(out, "TIFF", tiffinfo=tags)
    with pytest.raises(UnreadableImage, match="camera raw"):
        render(out.getvalue(), LIMITS)
