"""Both clouds, end to end through their SDKs, against the stand-in with everything going wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner
from visionhub_sandbox import Fault, Sandbox

import visionhub
from tests.conftest import jpeg
from tests.sandboxed import Seer
from visionhub.cli import app
from visionhub.engine import ask as asking
from visionhub.errors import AuthenticationError, CapReached, MissingExtra, UsageError
from visionhub.schema import Status

pytest.importorskip("boto3", reason="the extra 'aws' is not installed: not tested")
pytest.importorskip("google.cloud.vision", reason="the extra 'google' is not installed: not tested")

PHOTOS = 5
TASKS = ("labels", "objects", "faces", "text", "safe_search")
WAYS = (("google", "rest"), ("google", "grpc"), ("rekognition", "json"))
QUICK = {"google.timeout": "3", "rekognition.timeout": "3"}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(PHOTOS):
        (folder / f"{number}.jpg").write_bytes(jpeg(160, 120, shift=number * 7))
    return folder


@pytest.fixture
def study(tmp_path: Path) -> visionhub.Study:
    return visionhub.Study(tmp_path / "study.db")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "FIRST_WAIT", 0.01)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Seer()) as running:
        yield running


def rehearse(
    study: visionhub.Study, photos: Path, sandbox: Sandbox, way: tuple[str, str], **more: object
):
    provider, transport = way
    settings = {k: v for k, v in QUICK.items() if k.startswith(provider)}
    if provider == "google":
        settings["google.transport"] = transport
    options = {"tasks": TASKS, "settings": settings, "sandbox": sandbox.address} | more
    return study.annotate(photos, providers=[provider], **options)


def ends(study: visionhub.Study) -> dict[str, int]:
    return dict(study.query("SELECT status, count(*) FROM status GROUP BY 1").rows)


def bodies(study: visionhub.Study) -> int:
    return int(study.query("SELECT count(*) FROM bodies").rows[0][0])


def test_three_services_answer_about_the_same_bytes(photos, study, sandbox):
    progress = study.annotate(
        photos, providers=["google", "rekognition"], tasks=TASKS, sandbox=sandbox.address
    )
    assert (progress.done, progress.failed) == (2 * PHOTOS * len(TASKS), 0)
    names = study.query("SELECT DISTINCT provider, name FROM v_objects ORDER BY 1, 2").rows
    assert ("google", "Dog") in names
    assert ("rekognition", "Dog") in names
    sent = study.query(
        "SELECT i.sha256, count(DISTINCT n.sha256), count(DISTINCT q.provider) FROM requests r "
        "JOIN images i ON i.id = r.image_id JOIN renderings n ON n.id = r.rendering_id JOIN "
        "questions q ON q.id = r.question_id GROUP BY 1"
    )
    assert [row[1:] for row in sent.rows] == [(1, 2)] * PHOTOS
    seen = {sha for counted in sandbox.calls.recent for sha in counted.call.images}
    assert seen == set(sent.column("sha256"))  # the very bytes of the files
    # Labels and objects come out of one body of Rekognition, and it says which model answered.
    shared = study.query(
        "SELECT q.provider, b.id, group_concat(q.task), b.model_version, b.client FROM requests r "
        "JOIN bodies b ON b.id = r.body_id JOIN questions q ON q.id = r.question_id GROUP BY b.id"
    ).rows
    asked = {(provider, tuple(sorted(tasks.split(",")))) for provider, _, tasks, *_ in shared}
    assert ("rekognition", ("labels", "objects")) in asked
    assert ("google", tuple(sorted(TASKS))) in asked
    clients = {(provider, client.split()[0]) for provider, *_, client in shared}
    assert clients == {("google", "google-cloud-vision"), ("rekognition", "boto3")}
    assert all(version for *_, version, _ in shared)
    again = study.annotate(
        photos, providers=["google", "rekognition"], tasks=TASKS, sandbox=sandbox.address
    )
    assert again.done == 0


def test_google_sends_sixteen_images_a_call(tmp_path, study, sandbox):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(20):
        (folder / f"{number}.jpg").write_bytes(jpeg(160, 120, shift=number * 5))
    rehearse(study, folder, sandbox, ("google", "grpc"), tasks=("labels",))
    assert sorted(len(counted.call.images) for counted in sandbox.calls.recent) == [4, 16]
    assert bodies(study) == 20


@pytest.mark.parametrize("way", WAYS, ids=["rest", "grpc", "json"])
@pytest.mark.parametrize(
    ("fault", "answered"),
    [
        (Fault("latency", seconds=0.05), True),
        (Fault("throttle", times=2), True),
        (Fault("throttle", times=1, retry_after=0.3), True),
        (Fault("error", status=500, times=1), True),
        (Fault("error", status=503, times=2), True),
        (Fault("hang", times=1), True),
        (Fault("reset", times=1), True),
        (Fault("truncated", times=1), False),
        (Fault("item_error", code=14, times=1), True),
        (Fault("item_error", code=3, times=1), False),
        (Fault("unknown_field"), True),
        (Fault("throttle"), None),
        (Fault("error", status=500), None),
        (Fault("truncated"), None),
    ],
    ids=lambda value: (
        f"{value.kind}-{value.status or value.code or ''}-{value.times}"
        if isinstance(value, Fault)
        else ""
    ),
)
@pytest.mark.usefixtures("tireless")
def test_no_fault_escapes_and_every_body_is_kept(photos, study, fault, answered, way):
    """answered: True, all in the end; False, all but what the fault spoils; None, nothing."""
    with Sandbox(Seer(), faults=(fault,)) as sandbox:
        progress = rehearse(study, photos, sandbox, way, on_ambiguous="retry")
        calls = sandbox.calls.count()
    found = ends(study)
    assert sum(found.values()) == PHOTOS * len(TASKS)
    assert set(found) <= {status.value for status in Status}
    lost = found.get("error", 0) + found.get("refused", 0)
    concerned = fault.kind != "item_error" or way[0] == "google"
    if answered is None:
        assert progress.done == 0
        assert lost == PHOTOS * len(TASKS)
    elif answered or not concerned:
        assert lost == 0
    else:
        assert 0 < lost < PHOTOS * len(TASKS) or (way[0] == "google" and fault.kind == "truncated")
    if fault.kind == "truncated" and way[1] != "grpc":  # gRPC drops what it cannot frame
        kept = study.query("SELECT count(*) FROM requests WHERE body_id IS NULL").rows[0][0]
        assert kept == 0
        expected = 1 if way[0] == "google" else 4 * PHOTOS  # one call of five images, or four each
        assert calls == expected  # what may have been paid for is not asked again
    if fault.kind == "unknown_field":
        assert progress.unknown
        assert study.query("SELECT 1 FROM requests WHERE unknown LIKE '%nknown%'").rows or (
            study.query("SELECT 1 FROM requests WHERE unknown LIKE '%9001%'").rows
        )


@pytest.mark.parametrize("way", WAYS, ids=["rest", "grpc", "json"])
def test_expired_credentials_end_the_run_at_once_and_say_what_to_set(photos, study, way):
    with Sandbox(Seer(), faults=(Fault("expired_credentials", after=1),)) as sandbox:
        extra = {"google.batch": "1", "google.concurrency": "1", "google.transport": way[1]}
        if way[0] != "google":
            extra = {"rekognition.concurrency": "1"}
        with pytest.raises(AuthenticationError, match=r"[A-Z]+_[A-Z_]+") as caught:
            rehearse(study, photos, sandbox, way, tasks=("labels",), settings=extra)
        assert sandbox.calls.count() == 2
    assert "\n" not in str(caught.value)
    assert ends(study) == {"observed": 1}
    with Sandbox(Seer()) as sandbox:  # and the same command goes on
        assert rehearse(study, photos, sandbox, way, tasks=("labels",)).done == PHOTOS - 1


def test_a_picture_that_is_too_small_is_refused_before_it_costs_anything(tmp_path, study, sandbox):
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "small.jpg").write_bytes(jpeg(120, 79))
    progress = rehearse(study, folder, sandbox, ("rekognition", "json"))
    assert progress.unanswered == len(TASKS)
    assert ends(study) == {"refused": len(TASKS)}
    assert sandbox.calls.count() == 0
    assert "80" in study.query("SELECT DISTINCT reason FROM status").rows[0][0]


def test_emotions_of_google_are_withdrawn_and_never_no(photos, study, sandbox):
    said: list[str] = []
    rehearse(
        study, photos, sandbox, ("google", "grpc"), tasks=("faces",), sensitive="emotion",
        announce=said.append,
    )  # fmt: skip
    assert any("withdrawn by the vendor: emotion, 2026-10-15" in line for line in said)
    assert ends(study) == {"withdrawn": PHOTOS}
    assert not study.query("SELECT 1 FROM face_attributes WHERE name = 'emotion'").rows


def test_the_command_line_rehearses_with_a_server_that_runs(photos, tmp_path, sandbox, monkeypatch):
    monkeypatch.setenv("VISIONHUB_SANDBOX", sandbox.address)
    monkeypatch.chdir(tmp_path)
    words = ["annotate", str(photos), "-p", "google", "-p", "rekognition", "-t", "labels"]
    result = CliRunner().invoke(app, [*words, "--sandbox", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["done"] == 2 * PHOTOS
    assert "REHEARSAL" in result.stderr
    assert visionhub.Study("rehearsal.db").table("marks").column("name") == ["rehearsal"]
    revisions = visionhub.Study("rehearsal.db").table("questions").column("revision")
    assert all(revision.startswith("rehearsal ") for revision in revisions)


def test_no_key_is_one_sentence_that_names_what_to_set(photos, study, tmp_path, monkeypatch):
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    for provider, names in (
        ("google", "GOOGLE_APPLICATION_CREDENTIALS"),
        ("rekognition", "AWS_ACCESS_KEY_ID"),
    ):
        with pytest.raises(AuthenticationError, match=names):
            study.annotate(photos, providers=[provider], tasks="labels", max_cost="1")


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1", "127.0.0.1:none", "other"])
def test_a_sandbox_that_is_not_there_is_one_sentence(photos, tmp_path, monkeypatch, address):
    if address == "other":  # a server that is no sandbox: its answers would be taken for one's
        monkeypatch.setattr("visionhub_sandbox.http.MARK", "X-Other")
    with Sandbox() as running:
        monkeypatch.setenv("VISIONHUB_SANDBOX", running.address if address == "other" else address)
        monkeypatch.chdir(tmp_path)
        result = CliRunner().invoke(app, ["annotate", str(photos), "-p", "google", "--sandbox"])
    assert isinstance(result.exception, UsageError)
    assert "VISIONHUB_SANDBOX=" in str(result.exception)
    assert "no sandbox is there" in str(result.exception)
    assert not Path("rehearsal.db").exists()


def test_pictures_of_a_size_that_one_operation_refuses_cost_no_unit(tmp_path, study, sandbox):
    folder = tmp_path / "wide"
    folder.mkdir()
    (folder / "wide.jpg").write_bytes(jpeg(4200, 90))
    rehearse(study, folder, sandbox, ("rekognition", "json"), tasks=("labels", "people"))
    found = study.query("SELECT task, status, reason FROM status ORDER BY 1").rows
    assert [row[:2] for row in found] == [("labels", "observed"), ("people", "refused")]
    assert "64 to 4,096 pixels a side; this one has 4200 x 90" in found[1][2]
    assert [counted.call.operation for counted in sandbox.calls.recent] == ["DetectLabels"]


def test_a_rehearsal_without_the_embedded_models_names_both_ways_out(photos, tmp_path, monkeypatch):
    class Lacking(Seer):
        def ready(self, wanted: object, announce: object) -> None:
            raise MissingExtra("embedded", "ai_edge_litert")

    monkeypatch.delenv("VISIONHUB_SANDBOX", raising=False)
    monkeypatch.setattr("visionhub.registry.get", lambda name: Lacking())
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["annotate", str(photos), "-p", "google", "--sandbox"])
    assert isinstance(result.exception, UsageError)
    for way in ("pip install 'visionhub[embedded]'", "--no-models", "VISIONHUB_SANDBOX"):
        assert way in str(result.exception)


def test_at_the_cap_the_command_says_what_it_did_and_the_same_one_goes_on(
    photos, tmp_path, sandbox, monkeypatch
):
    monkeypatch.setenv("VISIONHUB_SANDBOX", sandbox.address)
    monkeypatch.setenv("VISIONHUB_GOOGLE_BATCH", "1")
    monkeypatch.chdir(tmp_path)
    words = ["annotate", str(photos), "-p", "google", "-t", "labels", "--sandbox", "--json"]
    ended = []
    for cap in ("0.0045", "0.0045", "0.0075"):
        result = CliRunner().invoke(app, [*words, "--max-cost", cap])
        told = json.loads(result.stdout)
        money = (told["money"]["settled"], told["money"]["spent_in_this_run"])
        ended.append((isinstance(result.exception, CapReached), told["done"], *money))
    assert ended == [(True, 3, 4500, 4500), (True, 0, 4500, 0), (False, 2, 7500, 3000)]


@pytest.mark.parametrize("words", [["--help"], ["annotate", "--help"], ["providers", "google"]])
def test_no_sdk_is_imported_before_it_is_needed(words: list[str]) -> None:
    code = (
        "import sys; from visionhub.cli import main; sys.argv = ['visionhub', *sys.argv[1:]]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "found = {'boto3', 'botocore', 'grpc', 'google.cloud', 'google.api_core', 'vcr'}\n"
        "print('loaded', sorted(found & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1] == "loaded []", done.stderr
