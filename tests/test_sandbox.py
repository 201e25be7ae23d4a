"""The sandbox as a server: threads, counts, ports, its command line, and real models."""

from __future__ import annotations

import base64
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from google.cloud import vision
from visionhub_sandbox import Fault, Sandbox
from visionhub_sandbox.calls import Call, Calls
from visionhub_sandbox.once import Once

from tests.conftest import jpeg
from tests.sandboxed import Seer, annotate, google, rekognition
from visionhub.errors import MissingExtra, ModelError, UsageError
from visionhub.images import sha256_of
from visionhub.provider import Announce
from visionhub.schema import Task

LABELS = [vision.Feature.Type.LABEL_DETECTION]


def test_models_are_asked_once_by_many_clients_at_a_time(photo: bytes) -> None:
    seer = Seer(slow=0.2)
    other = jpeg(160, 120, 9)
    with Sandbox(seer) as sandbox:
        with (
            rekognition(sandbox) as aws,
            google(sandbox, "rest") as rest,
            google(sandbox, "grpc") as rpc,
            ThreadPoolExecutor(24) as pool,
        ):
            text = [vision.Feature.Type.TEXT_DETECTION]
            asked: list[Any] = []
            for image in (photo, other) * 4:
                asked.append(pool.submit(aws.detect_text, Image={"Bytes": image}))
                asked += [
                    pool.submit(annotate, client, image, features=text) for client in (rest, rpc)
                ]
            words = {len(each.result().get("TextDetections")) for each in asked[::3]}
        assert words == {5}
        assert [task for task, _ in seer.asked] == ["text", "text"]
        assert sandbox.calls.count() == 24
        assert sandbox.calls.count("google") == 16
        assert sandbox.calls.count("rekognition", "DetectText") == 8


def test_calls_are_counted_with_the_hashes_of_their_images(photo: bytes) -> None:
    other = jpeg(160, 120, 9)
    with Sandbox(faults=[Fault("latency", seconds=0.0)]) as sandbox:
        with google(sandbox, "grpc") as client:
            annotate(client, photo, other, features=LABELS)
        with rekognition(sandbox) as client:
            client.compare_faces(SourceImage={"Bytes": photo}, TargetImage={"Bytes": other})
        with urllib.request.urlopen(f"http://{sandbox.address}/_sandbox/calls") as response:
            shown = json.load(response)
        sandbox.calls.clear()
        assert (sandbox.calls.count(), sandbox.calls.recent) == (0, [])
    assert shown["calls"] == {"google BatchAnnotateImages": 1, "rekognition CompareFaces": 1}
    assert shown["recent"][0] == {
        "provider": "google",
        "operation": "BatchAnnotateImages",
        "transport": "grpc",
        "features": ["LABEL_DETECTION"],
        "images": [sha256_of(photo), sha256_of(other)],
        "fault": "",
        "billable": True,
    }
    assert shown["recent"][1]["images"] == [sha256_of(photo), sha256_of(other)]


def shown_by(sandbox: Sandbox) -> Any:
    with urllib.request.urlopen(f"http://{sandbox.address}/calls") as response:
        return json.load(response)


def test_the_account_tells_what_may_have_been_billed_and_how_often(photo: bytes) -> None:
    other = jpeg(160, 120, 9)
    kinds = [vision.Feature.Type.LABEL_DETECTION, vision.Feature.Type.TEXT_DETECTION]
    faults = [
        Fault("throttle", provider="rekognition", times=1),
        Fault("error", provider="rekognition", after=1, times=1),
        Fault("item_error", code=8, item=1, times=1),
    ]
    with Sandbox(faults=faults) as sandbox:
        with rekognition(sandbox) as client:
            for _ in range(2):
                with pytest.raises(Exception, match=r"Rate exceeded|scripted error"):
                    client.detect_labels(Image={"Bytes": photo})
            client.detect_labels(Image={"Bytes": photo}, Features=["IMAGE_PROPERTIES"])
            with pytest.raises(Exception, match="neither JPEG nor PNG"):
                client.detect_faces(Image={"Bytes": b"no picture"})
            client.compare_faces(SourceImage={"Bytes": photo}, TargetImage={"Bytes": other})
        with google(sandbox, "grpc") as client:
            annotate(client, photo, other, features=kinds)  # the second meets a quota
        shown = shown_by(sandbox)
    aws, goog = ("rekognition", "DetectLabels"), ("google", "BatchAnnotateImages")
    found = {tuple(unit.values())[:4]: unit["count"] for unit in shown["units"]}
    assert found == {
        (*aws, sha256_of(photo), "DetectLabels"): 1,  # the error 500; not the throttle
        (*aws, sha256_of(photo), "IMAGE_PROPERTIES"): 1,
        ("rekognition", "CompareFaces", sha256_of(other), "CompareFaces"): 1,
        (*goog, sha256_of(photo), "LABEL_DETECTION"): 1,
        (*goog, sha256_of(photo), "TEXT_DETECTION"): 1,
    }
    assert (shown["total"], shown["billable"]) == (6, 4)
    calls = {(c["operation"], c["fault"], c["billable"]): c["count"] for c in shown["calls"]}
    assert calls[("DetectLabels", "throttle", False)] == 1
    assert calls[("DetectFaces", "", False)] == 1, "a refused picture is not billed"


def test_a_call_is_told_before_it_is_answered_and_none_is_lost_from_the_count(
    photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Calls, "__init__", _short(Calls.__init__))
    told: list[tuple[str, int]] = []
    held = threading.Event()

    def on_call(call: Call) -> None:
        told.append((call.operation, sandbox.calls.count()))
        assert held.wait(10)

    with Sandbox(on_call=on_call) as sandbox, rekognition(sandbox) as client:
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(client.detect_labels, Image={"Bytes": photo})
            until = time.monotonic() + 10
            while not told and time.monotonic() < until:
                time.sleep(0.005)
            assert told == [("DetectLabels", 1)]
            assert not waiting.done()
            assert shown_by(sandbox)["total"] == 1, "it can be read while a call is held"
            held.set()
            assert "Labels" in waiting.result()
        for _ in range(7):
            client.detect_labels(Image={"Bytes": photo})
        assert len(sandbox.calls.recent) == 3
        assert sandbox.calls.count() == shown_by(sandbox)["units"][0]["count"] == 8


def _short(make: Any) -> Any:
    def shorter(self: Calls) -> None:
        make(self)
        self._recent = deque(maxlen=3)

    return shorter


def test_a_call_that_breaks_off_is_none_and_one_too_long_is_refused() -> None:
    with Sandbox() as sandbox:
        host, port = sandbox.address.split(":")
        head = b"POST / HTTP/1.1\r\nX-Amz-Target: RekognitionService.DetectLabels\r\n"
        with socket.create_connection((host, int(port))) as half:
            half.sendall(head + b"Content-Length: 99\r\n\r\n{")
            half.shutdown(socket.SHUT_WR)
            assert half.recv(100) == b""
        assert sandbox.calls.count() == 0
        with socket.create_connection((host, int(port))) as long:
            long.sendall(head + b"Content-Length: 999999999\r\n\r\n")
            assert long.recv(100).startswith(b"HTTP/1.1 413")
        ((kind, number),) = sandbox.calls.kinds.items()
        assert (kind.operation, kind.billable, number) == ("DetectLabels", False, 1)


def test_what_fails_is_asked_again_and_the_cache_is_bounded() -> None:
    once: Once[int, int] = Once(2)
    with pytest.raises(ZeroDivisionError):
        once.get(1, lambda: 1 // 0)
    assert once.get(1, lambda: 7) == 7
    assert once.get(1, lambda: 8) == 7
    assert [once.get(number, lambda: 9) for number in (2, 3)] == [9, 9]
    assert len(once) == 2
    assert once.get(1, lambda: 8) == 8


class Broken(Seer):
    """Cannot load the weights of one task."""

    def ready(self, wanted: Any, announce: Announce) -> None:
        for task, options in wanted.items():
            if (task is Task.FACES and options["attributes"]) or task is Task.PEOPLE:
                raise ModelError("its weights cannot be fetched.")


def test_models_that_cannot_be_had_are_an_error_of_the_service(photo: bytes) -> None:
    said: list[str] = []
    with Sandbox(Broken(), announce=said.append) as sandbox, rekognition(sandbox) as client:
        with pytest.raises(client.exceptions.InternalServerError, match="weights"):
            client.detect_protective_equipment(Image={"Bytes": photo})
        faces = client.detect_faces(Image={"Bytes": photo}, Attributes=["ALL"])["FaceDetails"]
        assert len(faces) == 2
        assert "AgeRange" not in faces[0]
    assert said == ["NOTE faces without age, gender, emotion: its weights cannot be fetched."]


class Bare(Seer):
    """Lacks its extra."""

    def ready(self, wanted: Any, announce: Announce) -> None:
        raise MissingExtra("embedded", "numpy")


def test_it_does_not_start_without_the_models_it_was_given() -> None:
    sandbox = Sandbox(Bare())
    with pytest.raises(MissingExtra, match="numpy"):
        sandbox.start()
    with Sandbox(Seer()) as other:  # nothing of the first holds a port, and its end is no error
        assert other.calls.count() == 0
    sandbox.stop()


def test_the_command_names_both_ways_out_without_the_models() -> None:
    code = (
        "import sys, visionhub.registry as r; import tests.test_sandbox as t;"
        "r.get = lambda name: t.Bare(); import visionhub.cli as c; c.main()"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, "sandbox", "--port", "0"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).resolve().parents[1],
    )
    assert said.returncode == 2
    assert "pip install 'visionhub[embedded]'  or use --no-models" in said.stderr


def test_other_paths_and_bodies_are_answered_in_json(photo: bytes) -> None:
    with Sandbox() as sandbox:
        for method, path, status in (("GET", "/", 404), ("POST", "/v2/x", 404)):
            request = urllib.request.Request(
                f"http://{sandbox.address}{path}", b"{}" if method == "POST" else None
            )
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(request)
            with caught.value as error:
                assert error.code == status
                assert json.load(error)["error"]["status"] == "NOT_FOUND"
        url = f"http://{sandbox.address}/v1/images:annotate"
        for body in (b"{", b"[]", b'{"requests": [3]}', b'{"requests": [{"image": 3}]}'):
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(url, body)
            with caught.value as error:
                assert json.load(error)["error"]["status"] == "INVALID_ARGUMENT"


def test_connections_are_kept_alive(photo: bytes) -> None:
    with Sandbox() as sandbox:
        connection = http.client.HTTPConnection(sandbox.address, timeout=5)
        headers = {"X-Amz-Target": "RekognitionService.DetectLabels"}
        ports = set()
        for _ in range(3):
            connection.request("POST", "/", b"{}", headers)
            ports.add(connection.sock.getsockname()[1])
            assert connection.getresponse().read()
        assert len(ports) == 1
        connection.close()


def test_stopping_cuts_off_what_hangs_and_frees_the_ports(photo: bytes) -> None:
    sandbox = Sandbox(faults=[Fault("hang")]).start()
    port = sandbox.port
    failed: list[BaseException] = []

    def ask(transport: str) -> None:
        try:
            if transport == "json":
                with rekognition(sandbox) as client:
                    client.detect_labels(Image={"Bytes": photo})
            else:
                with google(sandbox, transport) as client:
                    annotate(client, photo, features=LABELS)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=ask, args=(each,)) for each in ("json", "rest", "grpc")]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 10
    while sandbox.calls.count() < 3 and time.monotonic() < until:
        time.sleep(0.01)
    begun = time.monotonic()
    sandbox.stop()
    for thread in threads:
        thread.join(5)
    assert time.monotonic() - begun < 3
    assert len(failed) == 3
    for each in (port, port + 1):
        with socket.socket() as free:
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            free.bind(("127.0.0.1", each))


def test_a_port_in_use_is_one_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    with Sandbox() as sandbox:
        with pytest.raises(UsageError, match=rf"{sandbox.port} and {sandbox.port + 1}.*in use"):
            Sandbox(port=sandbox.port).start()
        with pytest.raises(UsageError, match="in use"):
            Sandbox(port=sandbox.port - 1).start()  # the port of its gRPC is taken
        with pytest.raises(UsageError, match="in use"):
            Sandbox(port=sandbox.port + 1).start()
    assert capfd.readouterr() == ("", "")  # gRPC's core has nothing to add


MAIN = "from visionhub.cli import main; main()"


def run(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", MAIN, "sandbox", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_it_is_told_to_stop(
    number: signal.Signals, tmp_path: Path, photo: bytes
) -> None:
    faults = tmp_path / "faults.toml"
    faults.write_text('[[fault]]\nkind = "error"\ntimes = 1\n')
    with run("--port", "0", "--no-models", "--faults", str(faults)) as process:
        assert process.stdout
        assert process.stderr
        said = dict(pair.split("=") for pair in process.stdout.readline().split()[1:])
        assert int(said["grpc"].split(":")[1]) == int(said["http"].split(":")[1]) + 1
        headers = {"X-Amz-Target": "RekognitionService.DetectLabels"}
        connection = http.client.HTTPConnection(said["http"], timeout=10)
        body = json.dumps({"Image": {"Bytes": base64.b64encode(photo).decode()}})
        found = []
        for _ in range(2):
            connection.request("POST", "/", body, headers)
            found.append(json.load(connection.getresponse()))
        connection.close()
        assert found[0]["__type"] == "InternalServerError"  # out of the file
        assert found[1] == {"LabelModelVersion": "sandbox", "Labels": []}
        process.send_signal(number)
        assert process.wait(10) == 0
        assert "Traceback" not in process.stderr.read()


def test_the_command_refuses_in_one_sentence(tmp_path: Path) -> None:
    faults = tmp_path / "faults.toml"
    faults.write_text("[[fault]]\nkind = 3\n")
    with Sandbox() as taken:
        for words, says in (
            (("--faults", str(faults)), "fault 1: it needs a kind"),
            (("--port", str(taken.port)), "in use"),
            (("--cassettes", str(tmp_path / "no")), "no such folder"),
        ):
            with run("--no-models", *words) as process:
                _, said = process.communicate(timeout=30)
            assert process.returncode == 2
            assert said.startswith("Error: ")
            assert says in said
            assert len(said.strip().splitlines()) == 1


def test_help_explains_faults_and_imports_no_server() -> None:
    code = (
        "import sys, visionhub.cli, typer.testing as t;"
        "print(t.CliRunner().invoke(visionhub.cli.app, ['sandbox', '--help']).stdout);"
        "print([m for m in ('visionhub_sandbox.http', 'grpc', 'boto3') if m in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    for word in ("[[fault]]", "retry_after", "unknown_field", "expired_credentials"):
        assert word in said
    assert said.splitlines()[-1] == "[]"


@pytest.mark.models
def test_the_embedded_models_fill_both_shapes(shared: Path) -> None:
    from visionhub import registry

    image = next((shared / "images" / "cloud" / "images").glob("wakeupcat.jpg")).read_bytes()
    face = (shared / "images" / "cloud" / "images" / "face_no_surprise.jpg").read_bytes()
    with Sandbox(registry.get("embedded")) as sandbox:
        with rekognition(sandbox) as client:
            labels = client.detect_labels(Image={"Bytes": image}, MinConfidence=30)["Labels"]
            assert "Cat" in [each["Name"] for each in labels if each["Instances"]]
            [found] = client.detect_faces(Image={"Bytes": face})["FaceDetails"]
            lines = client.detect_text(Image={"Bytes": image})["TextDetections"]
        with google(sandbox, "grpc") as client:
            kinds = [vision.Feature.Type.FACE_DETECTION, vision.Feature.Type.TEXT_DETECTION]
            seen, read = annotate(client, face, image, features=kinds).responses
    [same] = seen.face_annotations
    left = same.fd_bounding_poly.vertices[0].x
    width = vision_width(face)
    assert left == pytest.approx(found["BoundingBox"]["Left"] * width, abs=1)
    assert abs(found["Pose"]["Roll"]) < 45
    words = [each["DetectedText"] for each in lines if each["Type"] == "WORD"]
    assert words == [each.description for each in read.text_annotations[1:]]


def vision_width(data: bytes) -> int:
    import io

    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        return image.width
