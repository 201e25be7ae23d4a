"""How Rekognition is reached: one boto3 client, its credentials and region, and the raw bodies.

boto3 hands over what its own model of the answer knows and drops the rest in silence, and reads a
truncated body as an empty answer. So the bytes are taken before it parses them, through its event
`before-parse`, and it is they that are kept.
"""

from __future__ import annotations

import json
import math
import os
import re
import threading
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from visionhub.errors import AuthenticationError, ProviderError
from visionhub.provider import Announce, import_extra
from visionhub_rekognition.faults import KEYS, REGION, translated
from visionhub_rekognition.operations import Arguments, Operation

Sdk: TypeAlias = Any  # an object of boto3's or botocore's, which come without types

OK = 200
LAST_PORT = 65535
REHEARSAL_REGION = "us-east-1"
_NOT_SET = (None, None, None, None)  # botocore: from no file, from no variable, no default
_FILES = ("config_file", "credentials_file")


@dataclass(frozen=True, slots=True)
class Way:
    """How to get there: the settings of a provider, read."""

    region: str = ""
    profile: str = ""
    instance_role: bool = False
    endpoint: str = ""
    sandbox: str = ""
    concurrency: int = 16
    timeout: float = 60.0
    rate: float = 0.0

    def wrong(self) -> tuple[str, str]:
        """The first setting that cannot be used, and what to do about it; empty for none."""
        host, _, port = self.sandbox.rpartition(":")
        scheme = self.endpoint.partition("://")[0]
        for wrong, name, says in (
            (self.concurrency < 1, "concurrency", "give 1 or more"),
            (not 0 < self.timeout < math.inf, "timeout", "give more than 0"),
            (not 0 <= self.rate < math.inf, "rate", "give 0 or more"),
            (
                bool(self.sandbox) and not (host and port.isdecimal() and int(port) <= LAST_PORT),
                *("sandbox", "write it as host:port"),
            ),
            (
                bool(self.endpoint) and scheme not in ("http", "https"),
                *("endpoint", "write it as https://host"),
            ),
        ):
            if wrong:
                return name, says
        return "", ""

    def find_region(self) -> str:
        """The region: as set, from the environment, or the profile's; empty when none is named."""
        if self.sandbox:
            return self.region or REHEARSAL_REGION
        named = self.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        if named:
            return named
        with translated("Rekognition"):
            return str(self.session().get_config_variable("region") or "")

    def session(self) -> Sdk:
        """A botocore session of its own, that asks no other machine for credentials unasked."""
        module = import_extra("botocore.session", "aws")
        if self.sandbox:  # nothing of the user's account is needed, and a fault in it does no harm
            files = dict.fromkeys(_FILES, (None, None, os.devnull, None))
            return module.Session(session_vars={"profile": _NOT_SET, **files})
        session = module.Session(profile=self.profile or None)
        if not self.instance_role:
            with translated("Rekognition"):
                session.get_component("credential_provider").remove("iam-role")
        return session


@dataclass(frozen=True, slots=True)
class Reply:
    """What one call brought: the bytes of an answer, if any came, and the error, if it is one."""

    data: bytes | None
    version: str | None = None
    error: ProviderError | None = None


class _Seen(threading.local):  # without slots: those would be shared by all threads
    """The answer that came to this thread."""

    data: bytes | None = None
    status: int = 0


@dataclass(slots=True)
class Connection:
    """A client for any number of threads, and what it is called."""

    client: Sdk
    name: str
    _seen: _Seen = field(default_factory=_Seen)

    def __post_init__(self) -> None:
        self.client.meta.events.register("before-parse.rekognition.*", self._see)

    def _see(self, response_dict: dict[str, Any], **_: object) -> None:
        """Keep the bytes of an answer; called by botocore, in the thread that made the call."""
        body = response_dict.get("body")
        self._seen.data = body if isinstance(body, bytes) else None
        self._seen.status = int(response_dict.get("status_code") or 0)
        if self._seen.status == OK and self._seen.data:
            response_dict["body"] = b"{}"  # the parser reads the bytes itself: once is enough

    def call(self, operation: Operation, arguments: Arguments) -> Reply:
        """Call an operation once. Whatever goes wrong is in the reply."""
        self._seen.data, self._seen.status = None, 0
        try:
            with translated(operation.name):
                getattr(self.client, operation.method)(**arguments)
        except ProviderError as error:
            if self._seen.status == OK and self._seen.data is not None:
                return Reply(self._seen.data)  # the SDK could not read it: that is for `parse`
            return Reply(self._seen.data or None, error=error)
        return Reply(self._seen.data, _version(operation, self._seen.data or b""))


def connect(way: Way, announce: Announce) -> Connection:
    """Make the client; no network. Raises MissingExtra, AuthenticationError.

    Takes about a second, most of it spent on importing the SDK and reading its model.
    """
    boto3 = import_extra("boto3", "aws")
    config = import_extra("botocore.config", "aws").Config(
        retries={"total_max_attempts": 1, "mode": "standard"},
        max_pool_connections=way.concurrency,
        connect_timeout=way.timeout,
        read_timeout=way.timeout,
        proxies={} if way.sandbox else None,
        user_agent=f"visionhub boto3/{boto3.__version__}",  # else made anew for every call
    )
    region = way.find_region()
    if not region:
        raise AuthenticationError(f"Rekognition needs an AWS region: {REGION}.")
    core = way.session()
    if not way.sandbox:
        _check_credentials(core)
    if not (way.sandbox or way.endpoint or region in _regions(core)):
        announce(f"NOTE rekognition: boto3 knows no Rekognition in {region!r}; is the name right?")
    with translated("Rekognition"):
        client = boto3.session.Session(botocore_session=core).client(
            "rekognition", region_name=region, config=config, **_address(way)
        )
    return Connection(client, f"boto3 {boto3.__version__}")


def _check_credentials(session: Sdk) -> None:
    """Raise AuthenticationError when there are none, and say where they belong."""
    with translated("Rekognition"):
        found = session.get_credentials()
    if found is None:
        raise AuthenticationError(
            f"No AWS credentials for Rekognition: {KEYS}. On EC2, --set "
            f"rekognition.instance_role=yes uses the machine's own."
        )


def _regions(session: Sdk) -> set[str]:
    """Where the SDK knows the service to be, in every partition (public, China, government)."""
    return {
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("rekognition", partition)
    }


def _address(way: Way) -> dict[str, str]:
    """Where to send to, if not to the region's endpoint; a stand-in is given no real key."""
    if way.sandbox:
        keys = {"aws_access_key_id": "rehearsal", "aws_secret_access_key": "rehearsal"}
        return {"endpoint_url": f"http://{way.sandbox}", **keys}
    return {"endpoint_url": way.endpoint} if way.endpoint else {}


def _version(operation: Operation, data: bytes) -> str | None:
    """The member that tells which model answered; a quotation mark within a text is escaped."""
    if not operation.version:
        return None
    found = re.search(rb'"%s"\s*:\s*("[^"]*")' % operation.version.encode(), data)
    return str(json.loads(found[1])) if found else None
