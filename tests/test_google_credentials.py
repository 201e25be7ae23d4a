"""Whose account the Google adapter uses, found without asking the network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from google.auth import api_key
from google.auth.credentials import AnonymousCredentials
from visionhub_google import GoogleVision, credentials

from tests.conftest import ROOT
from tests.google_answers import well
from tests.google_asked import fetched, google, works
from tests.google_server import serving
from visionhub.errors import AuthenticationError
from visionhub.images import sha256_of
from visionhub.provider import Body
from visionhub.schema import Task

cryptography = pytest.importorskip("cryptography", reason="cryptography makes the keys")
VARIABLES = ("GOOGLE_APPLICATION_CREDENTIALS", "VISIONHUB_GOOGLE_API_KEY", *credentials.HOSTED)


@pytest.fixture(autouse=True)
def nobody(monkeypatch, tmp_path):
    """A machine on which nobody has signed in."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    monkeypatch.setattr(credentials, "PRODUCT", tmp_path / "product_name")


@pytest.fixture(scope="module")
def key():
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def pem(key) -> bytes:
    from cryptography.hazmat.primitives import serialization as s

    return key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())


@pytest.fixture(scope="module")
def certificate(key) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    begin = datetime.now(UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(begin).not_valid_after(begin + timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    return made.public_bytes(serialization.Encoding.PEM)


def ready(**settings) -> GoogleVision:
    provider = GoogleVision()
    provider.configure({name: str(value) for name, value in settings.items()})
    provider.ready({Task.LABELS: {}}, print)
    return provider


def account(tmp_path, pem):
    path = tmp_path / "key.json"
    path.write_text(json.dumps({
        "type": "service_account", "client_email": "a@b.example", "private_key": pem.decode(),
        "token_uri": "https://oauth2.example/token", "project_id": "p",
    }))  # fmt: skip
    return str(path)


@pytest.mark.parametrize("transport", ["rest", "grpc"])
def test_without_credentials_one_sentence_says_what_to_set(transport):
    with pytest.raises(AuthenticationError) as caught:
        ready(transport=transport)
    for words in (*VARIABLES[:2], "gcloud auth application-default login"):
        assert words in str(caught.value)


@pytest.mark.parametrize("transport", ["rest", "grpc"])
def test_a_service_account_s_file_is_read_without_the_network(
    transport, tmp_path, pem, monkeypatch
):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", account(tmp_path, pem))
    ready(transport=transport)


@pytest.mark.parametrize(
    "text", ["", "{", '{"type": "service_account"}', '{"type": "other"}', None]
)
def test_a_file_that_is_no_key_is_named(text, tmp_path, monkeypatch):
    path = tmp_path / "key.json"
    if text is not None:
        path.write_text(text)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    with pytest.raises(AuthenticationError, match="GOOGLE_APPLICATION_CREDENTIALS"):
        ready()


@pytest.mark.parametrize("data", [b"\xff\xd8\xff\xe0photo", b"[]", None, b""])
def test_the_variable_and_the_file_are_named_in_one_sentence(data, tmp_path, monkeypatch):
    """A photograph, a list, a folder: google-auth's own words for them are no sentence."""
    path = tmp_path / "photo.jpg"
    path.mkdir() if data is None else path.write_bytes(data)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    with pytest.raises(AuthenticationError) as caught:
        ready()
    assert str(caught.value).startswith(f"GOOGLE_APPLICATION_CREDENTIALS={path}: it ")
    assert "Error(" not in str(caught.value)
    assert ".." not in str(caught.value)


def test_what_gcloud_left_broken_is_named(tmp_path):
    kept = tmp_path / "gcloud" / "application_default_credentials.json"
    kept.parent.mkdir()
    kept.write_bytes(b"\xff\xd8")
    with pytest.raises(AuthenticationError) as caught:
        ready()
    assert f"File {kept} is not a valid json file.): set " in str(caught.value)
    assert "UnicodeDecodeError" not in str(caught.value)


def test_what_gcloud_left_is_found(tmp_path):
    kept = tmp_path / "gcloud" / "application_default_credentials.json"
    kept.parent.mkdir()
    user = {"client_id": "i", "client_secret": "s", "refresh_token": "t", "type": "authorized_user"}
    kept.write_text(json.dumps(user))
    ready()


def test_on_a_machine_of_google_s_its_own_account_is_asked_for(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr("google.auth.default", lambda **_: (asked.append(1), None))
    (tmp_path / "product_name").write_text("Google Compute Engine\n")
    credentials.find(rehearsing=False)
    assert asked
    (tmp_path / "product_name").write_text("A Laptop\n")
    with pytest.raises(AuthenticationError):
        credentials.find(rehearsing=False)
    monkeypatch.setenv("K_SERVICE", "mine")
    credentials.find(rehearsing=False)
    assert len(asked) == 2


def test_a_rehearsal_uses_nobody_s_account(monkeypatch):
    monkeypatch.setenv("VISIONHUB_GOOGLE_API_KEY", "secret")
    assert isinstance(credentials.find(rehearsing=True), AnonymousCredentials)
    assert isinstance(credentials.find(rehearsing=False), api_key.Credentials)
    with serving(well) as server:
        for transport in "rest", "grpc":
            fetched(google(server, transport), *works(1))
    assert len(server.headers) == 2
    assert "secret" not in json.dumps(server.headers)


def test_an_api_key_is_sent_over_rest(monkeypatch):
    monkeypatch.setenv("VISIONHUB_GOOGLE_API_KEY", "mine")
    with serving(well) as server:
        provider = ready(transport="rest", endpoint=f"http://{server.sandbox}")
        (outcome,) = fetched(provider, *works(1))
    assert isinstance(outcome.result, Body)
    assert server.headers[0]["x-goog-api-key"] == "mine"


CHILD = """
from tests.google_asked import fetched, works
from visionhub.images import sha256_of
from visionhub_google import GoogleVision

provider = GoogleVision()
provider.configure({"endpoint": "localhost:PORT"})
(outcome,) = fetched(provider, *works(1))
print(sha256_of(outcome.result.data))
"""


def test_the_real_grpc_channel_is_tls_with_the_key_and_keeps_exact_bytes(
    tmp_path, pem, certificate
):
    """In a process of its own: gRPC reads its root certificates once."""
    roots = tmp_path / "roots.pem"
    roots.write_bytes(certificate)
    sent = []

    def keep(asked):
        reply = well(asked)
        sent.append(reply.protobuf_bytes())
        return reply

    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "VISIONHUB_GOOGLE_API_KEY": "mine",
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(roots),
    }
    with serving(keep, tls=(pem, certificate)) as server:
        port = int(server.sandbox.rpartition(":")[2]) + 1
        child = [sys.executable, "-c", CHILD.replace("PORT", str(port))]
        run = subprocess.run(
            child, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == sha256_of(sent[0])
    assert server.headers[0]["x-goog-api-key"] == "mine"


def test_importing_the_adapter_imports_no_client():
    code = (
        "import sys, visionhub_google; visionhub_google.GoogleVision().configure({}); "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & "
        "{'google', 'grpc', 'requests', 'urllib3', 'proto'}))"
    )
    child = [sys.executable, "-c", code]
    run = subprocess.run(child, capture_output=True, text=True, cwd=ROOT, check=False)
    assert run.stdout.strip() == "[]", run.stderr
