"""What must not stand in a recording, in the clear or in base64 (as vcrpy writes boto3's headers).

Sources of the forms: AWS's guides on access keys and on signing requests, Google's on API keys and
service accounts, RFC 7519 (tokens), all read 2026.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

REMOVED = "REMOVED"
DEEPEST = 3  # base64 within base64
TOKEN = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")

SECRETS: Mapping[str, re.Pattern[str]] = {
    "an AWS access key id": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"),
    "an AWS signature": re.compile(r"AWS4-HMAC\S*|\bX-Amz-(?:Signature|Credential)\b", re.I),
    "a signature": re.compile(r"\bSignature=\w*"),
    "a session token": re.compile(r"X-Amz-Security-Token|\bSecurityToken=\S*", re.I),
    "a bearer token": re.compile(r"\bBearer\s+[\w.~+/=-]{8,}", re.I),
    "a Google access token": re.compile(r"\bya29\.[\w.-]+"),
    "a Google refresh token": re.compile(r"\b1//0[\w-]{20,}"),
    "a Google client secret": re.compile(r"\bGOCSPX-[\w-]+"),
    "a Google API key": re.compile(r"\bAIza[\w-]{20,}"),
    "an API key in a header": re.compile(r"x-goog-api-key", re.I),
    "an API key in a query": re.compile(r"[?&]key=[^&\s\"'#]+"),
    "a token (JWT)": re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END|$)", re.S),
    "a service account": re.compile(r"[\w.+-]+@[\w.-]*gserviceaccount\.com"),
    "a name of AWS (ARN)": re.compile(r"\barn:aws[\w-]*:[\w-]*:[\w-]*:\d{12}:[^\s\"'\\,]*"),
    "an AWS account": re.compile(r"\baccount(?:\s+id)?[\s:=]+\d{12}\b", re.I),
    "a Google project": re.compile(r"\bprojects?(?:/|=|\s+)\d{6,}\b", re.I),
    "a cookie": re.compile(r"\b(?:Set-)?Cookie:\s*\S+", re.I),
}


def scrubbed(text: str) -> str:
    """A text with each secret in the clear replaced."""
    for secret in SECRETS.values():
        text = secret.sub(REMOVED, text)
    return text


def decoded(text: str) -> bytes | None:
    """The bytes of a text in base64, of the usual alphabet or that of URLs; None if it is none."""
    plain = "".join(text.split()).rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def leaks(path: Path) -> list[str]:
    """The secrets in a recording, each with its place; its comments count."""
    text = path.read_text("utf-8")
    comments = "\n".join(line for line in text.splitlines() if line.lstrip().startswith("#"))
    places = [("a comment", comments), *_texts(yaml.safe_load(text), "")]
    found = [
        f"{where}: {name}"
        for where, place in places
        for layer in layers(place)
        for name, secret in SECRETS.items()
        if secret.search(layer)
    ]
    return sorted(set(found))


def _texts(value: Any, where: str) -> Iterator[tuple[str, str | bytes]]:
    """All texts of a YAML document with their places, names of members too."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield where, name
            yield from _texts(member, f"{where}.{name}".lstrip("."))
    elif isinstance(value, list):
        for place, member in enumerate(value):
            yield from _texts(member, f"{where}[{place}]")
    elif isinstance(value, str | bytes):
        yield where, value


def layers(value: str | bytes, depth: int = 0) -> Iterator[str]:
    """A text, what its escapes in JSON stand for, and what is in it in base64, however deep."""
    text = value if isinstance(value, str) else _unpacked(value).decode("latin-1")
    yield text
    with suppress(ValueError, RecursionError):
        yield json.dumps(json.loads(text), ensure_ascii=False)
    if depth < DEEPEST:
        for data in filter(None, map(decoded, dict.fromkeys(_pieces(text)))):
            yield from layers(data, depth + 1)


def _pieces(text: str) -> Iterator[str]:
    """What may be base64: the whole, and runs of its alphabet, wherever in them it begins."""
    yield text
    for run in TOKEN.findall(text):
        yield run
        rests = (run.rstrip("=")[start:] for start in range(1, 4))
        yield from (rest[:-1] if len(rest) % 4 == 1 else rest for rest in rests)


def _unpacked(data: bytes) -> bytes:
    with suppress(OSError, EOFError, zlib.error):
        return gzip.decompress(data)
    return data
