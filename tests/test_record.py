"""`make record`, against the sandbox: what is sent, what is kept, and when nothing is."""

from __future__ import annotations

import base64
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from visionhub_sandbox import Fault, Sandbox

from tests import cassettes, record
from tests.cassettes import BY_HAND, FOLDER, SOURCE, WAYS, Tape, replaying, tapes
from tests.conftest import ROOT, jpeg
from tests.leaks import leaks
from tests.sandboxed import Seer
from visionhub import registry
from visionhub.errors import ProviderError
from visionhub.images import sha256_of
from visionhub.provider import Body, installed
from visionhub.schema import Task

if not installed(("boto3", "google.cloud.vision_v1", "vcr")):
    pytest.skip("the extras 'google' and 'aws' are not installed", allow_module_level=True)

KEYS = {
    "VISIONHUB_GOOGLE_API_KEY": "AI" + "zaSyNobodysKeyNobodysKeyNobodysKey00",
    "AWS_ACCESS_KEY_ID": "AS" + "IANOBODYSKEY0EXAMPL",
    "AWS_SECRET_ACCESS_KEY": "nobodysSecretNobodysSecretNobodysSecret0",
    "AWS_SESSION_TOKEN": "nobodysTokenNobodysTokenNobodysTokenNobodys",
}
every = pytest.mark.parametrize("name", WAYS)
Record = Callable[..., int]


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's own keys, and nothing else of this machine's."""
    for name in os.environ:
        if name.startswith(("AWS_", "VISIONHUB_", "GOOGLE_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of cassettes with no cassette, and with the picture that faces are compared to."""
    (tmp_path / "cassettes" / "pictures").mkdir(parents=True)
    shutil.copy(FOLDER / "pictures" / f"{SOURCE}.png", tmp_path / "cassettes" / "pictures")
    return tmp_path / "cassettes"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    path = tmp_path / "house.jpg"
    path.write_bytes(jpeg(160, 120))
    return path


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Seer()) as server:
        yield server


def test_what_is_recorded_holds_no_key_and_replays(
    sandbox: Sandbox, folder: Path, house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every task, by the way of a real service: keys and signatures are sent, and not kept."""
    at = f"endpoint=http://{sandbox.address}"
    for name in WAYS:
        given = [name, "--picture", str(house), "--set", at, "--yes", "--folder", str(folder)]
        assert record.main(given) == 0
        count = len(registry.load(name).tasks)
        assert f"{name}: calls: {count}, paid units: {count} (" in capsys.readouterr().out
        assert sandbox.calls.count(name) == count
    assert {call.call.images[-1] for call in sandbox.calls.recent} == {sha256_of(jpeg(160, 120))}
    sandbox.stop()
    assert cassettes.flaws(folder) == []
    for tape in tapes(folder):
        assert tape.path.read_text("utf-8").startswith(f"# Recorded from {sandbox.address} on 2")
        no_key(tape.path)
        assert isinstance(replayed(tape, jpeg(160, 120), at), Body)
        assert isinstance(replayed(tape, jpeg(160, 120, 9), at), ProviderError)


def no_key(path: Path) -> None:
    assert leaks(path) == []
    text = path.read_text("utf-8")
    for key in KEYS.values():
        assert key not in text
        assert base64.b64encode(key.encode()).decode().rstrip("=") not in text


def replayed(tape: Tape, image: bytes, at: str) -> Body | ProviderError:
    """What a recording answers, now that no server is there."""
    provider, task = registry.get(tape.provider), Task(tape.task)
    name, _, value = at.partition("=")
    provider.configure({**WAYS[tape.provider].settings, name: value})
    asked = cassettes.options(type(provider), task, tape.folder)
    work = cassettes.work(provider, task, image, asked)
    with replaying(tape.path, whole=False):
        try:
            [outcome] = [one for batch in provider.batches([work]) for one in provider.fetch(batch)]
        except ProviderError as error:
            return error
    return outcome.result


@every
def test_the_sandbox_plays_the_cassettes(name: str, tmp_path: Path) -> None:
    """Recorded anew from a sandbox that reads them, cassettes hold the same bytes as before."""
    copy = tmp_path / "cassettes"
    shutil.copytree(FOLDER, copy)
    with Sandbox(cassettes=FOLDER) as sandbox:
        at = f"sandbox={sandbox.address}"
        assert record.main([name, "--set", at, "--yes", "--force", "--folder", str(copy)]) == 0
    for tape in tapes(copy):
        if tape.provider == name:
            before = FOLDER / tape.path.relative_to(copy)
            assert bodies_of(tape.path) == bodies_of(before), tape.path
            assert not tape.path.read_text("utf-8").startswith(BY_HAND)


def bodies_of(path: Path) -> list[tuple[str, str]]:
    """What was asked and answered."""
    calls = yaml.safe_load(path.read_text("utf-8"))["interactions"]
    return [(call["request"]["body"], call["response"]["body"]["string"]) for call in calls]


def test_a_real_recording_is_not_overwritten_unless_forced(
    sandbox: Sandbox, folder: Path, house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["google", "--task", "labels", "--picture", str(house), "--yes"]
    given += ["--set", f"sandbox={sandbox.address}", "--folder", str(folder)]
    path = folder / "google" / "labels_house.yaml"
    path.parent.mkdir()
    path.write_text(f"{BY_HAND}\nbefore: 1\n", "utf-8")
    assert record.main(given) == 0, "one that was written by hand gives way"
    path.write_text("# Recorded from elsewhere\nbefore: 1\n", "utf-8")
    assert record.main(given) == 2
    assert "labels_house.yaml is a real recording: FORCE=1 replaces it" in capsys.readouterr().err
    assert "before: 1" in path.read_text("utf-8")
    assert sandbox.calls.count() == 1
    assert record.main([*given, "--force"]) == 0
    assert "before: 1" not in path.read_text("utf-8")


@pytest.mark.parametrize("answer", ["n", "", EOFError(), "y"])
def test_it_asks_before_it_sends(
    answer: str | EOFError,
    sandbox: Sandbox,
    folder: Path,
    house: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def reply(_: str) -> str:
        if isinstance(answer, EOFError):
            raise answer
        return answer

    monkeypatch.setattr("builtins.input", reply)
    given = ["google", "--task", "labels", "--picture", str(house), "--folder", str(folder)]
    code = record.main([*given, "--set", f"sandbox={sandbox.address}"])
    agreed = answer == "y"
    assert code == (0 if agreed else 1)
    assert sandbox.calls.count() == agreed
    assert (folder / "pictures" / "house.jpg").exists() == agreed


def test_an_error_is_not_kept(
    folder: Path, house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other calls go on; what failed is named, and the exit code tells."""
    faults = [Fault("throttle", operation="DetectFaces")]
    with Sandbox(Seer(), faults=faults) as sandbox:
        given = ["rekognition", "--picture", str(house), "--yes", "--folder", str(folder)]
        assert record.main([*given, "--set", f"sandbox={sandbox.address}"]) == 1
    assert "faces_house.yaml: not kept: DetectFaces" in capsys.readouterr().err
    assert cassettes.flaws(folder) == [
        *(f"google: no recording of {task}" for task in registry.load("google").tasks),
        "rekognition: no recording of faces",
    ]


def test_an_answer_with_a_secret_that_cannot_be_taken_out_is_not_kept(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Escaped in JSON it is not seen when the answer is cleaned, but when it is searched."""
    shutil.copy(FOLDER / "pictures" / "street.png", folder / "pictures")
    source = Tape("google", "labels", "street").path.read_text("utf-8")
    arn = "arn:" + "aws:iam::123456789012:user/somebody"
    hidden = "".join(f"\\u{ord(sign):04x}" for sign in arn)
    played = tmp_path / "played" / "google" / "labels_street.yaml"
    played.parent.mkdir(parents=True)
    played.write_text(source.replace('"Bakery"', f'"{hidden}"'), "utf-8")
    with Sandbox(cassettes=tmp_path / "played") as sandbox:
        given = ["google", "--task", "labels", "--picture", str(folder / "pictures" / "street.png")]
        given += ["--set", f"sandbox={sandbox.address}", "--yes", "--folder", str(folder)]
        assert record.main(given) == 1
    assert "a name of AWS (ARN)" in capsys.readouterr().err
    assert not list(folder.glob("google/*"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["azure"], "PROVIDER=azure: choose one of google, rekognition."),
        (["google", "--task", "people"], "TASK=people: google has labels, objects"),
        (["google"], "no cassette to record anew: name a picture"),
        (["google", "--picture", "No Name.jpg"], "a name of small letters and digits"),
        (["google", "--picture", "none.jpg"], "PICTURE=none.jpg: there is no such file."),
        (["google", "--task", "labels", "--picture", "portrait.jpg"], "another picture of that"),
    ],
)
def test_what_cannot_be_recorded_is_said(
    words: list[str],
    said: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    Path("portrait.jpg").write_bytes(jpeg(160, 120))
    assert record.main([*words, "--yes", "--folder", str(folder)]) > 0
    told = capsys.readouterr()
    assert said in told.err
    assert "Errno" not in told.err
    assert "Before you commit" not in told.out


@every
def test_without_a_network_one_sentence_says_so(
    name: str, folder: Path, house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sandbox(Seer()) as gone:
        at = f"endpoint=http://{gone.address}"
    given = [name, "--picture", str(house), "--set", at, "--yes", "--folder", str(folder)]
    assert record.main(given) == 1
    told = capsys.readouterr()
    assert told.err == f"{name} was not reached: is the network up?\n"
    assert "Before you commit" not in told.out
    assert [path.stem for path in folder.rglob("*.*")] == [SOURCE], "nor is the picture kept"


def test_a_recorded_rehearsal_gives_way(sandbox: Sandbox, folder: Path, house: Path) -> None:
    given = ["google", "--task", "labels", "--picture", str(house), "--yes"]
    given += ["--folder", str(folder), "--set"]
    path = folder / "google" / "labels_house.yaml"
    for _ in range(2):
        assert record.main([*given, f"sandbox={sandbox.address}"]) == 0
        assert path.read_text("utf-8").startswith("# Recorded from the rehearsal server: ")
    assert record.main([*given, f"endpoint=http://{sandbox.address}"]) == 0
    assert path.read_text("utf-8").startswith(f"# Recorded from {sandbox.address} on 2")
    assert record.main([*given, f"sandbox={sandbox.address}"]) == 2, "but does not replace one"


def test_without_a_key_nothing_is_sent(
    folder: Path,
    house: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for key in KEYS:
        monkeypatch.delenv(key)
    given = ["rekognition", "--task", "labels", "--picture", str(house), "--yes"]
    assert record.main([*given, "--folder", str(folder)]) == 1
    assert "AWS_ACCESS_KEY_ID" in capsys.readouterr().err


def test_make_record_passes_everything_on(sandbox: Sandbox, folder: Path, house: Path) -> None:
    """The line that make would run, run with this Python."""
    if shutil.which("make") is None:
        pytest.skip("no make on this machine: its target record is not tested")
    given = [f"SET=sandbox={sandbox.address} timeout=20", f"PICTURE={house}", "YES=1", "FORCE=1"]
    made = subprocess.run(
        ["make", "--no-print-directory", "-n", "record", "PROVIDER=google", "TASK=logos", *given],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    _, *words = shlex.split(made.stdout.strip().splitlines()[-1])
    assert words[:2] == ["-m", "tests.record"]
    done = subprocess.run(
        [sys.executable, *words, "--folder", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "free of charge" in done.stdout
    assert (folder / "google" / "logos_house.yaml").exists()
