"""Whether a call that failed ever left this machine: what surely did not is not charged.

Found by experiment with grpcio 1.85, requests 2.34 and urllib3 2.8 against bare sockets; tests do
it again with what is installed. What cannot be told counts as sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from traceback import walk_tb
from typing import Any, TypeAlias

Foreign: TypeAlias = Any  # an object of a client's library

CONNECTING = frozenset(
    {
        (
            "urllib3.connection",
            "connect",
        ),  # address, connection, proxy, TLS
        ("requests.adapters", "cert_verify"),  # looks for the file of certificates before that
    }
)
"""Functions that are over before the first byte of a request is sent."""

UNSENT = re.compile(
    r"failed to connect to all addresses|errors resolving |DNS resolution failed|"
    r"Getting metadata from plugin failed"
)
"""How gRPC begins what it says of a call for which it had no connection, or no token. A connection
that ends later is "Stream removed (…)", even if it ends before the server has read a word."""

BROKE_OFF = re.compile(r"Stream removed|RST_STREAM|GOAWAY|Bandwidth exhausted")
"""What gRPC itself makes of a call that ends without an answer, whatever status it gives it."""


def never_sent(error: BaseException) -> bool:
    """Whether an exception of requests or urllib3 came up while connecting.

    Types do not tell: a proxy that hangs up after it has read the request is a ProxyError as well,
    TLS that breaks in mid-answer is an SSLError, and TLS that hangs is a ReadTimeout.
    """
    frames = (frame for each in _chain(error) for frame, _ in walk_tb(each.__traceback__))
    return any((f.f_globals.get("__name__"), f.f_code.co_name) in CONNECTING for f in frames)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def not_connected(error: Foreign) -> bool:
    """Whether gRPC had no connection for a call; `error` is google-api-core's.

    A server may say the same words; what comes from one has metadata, or says so.
    """
    call = error.response
    if not (hasattr(call, "debug_error_string") and UNSENT.match(error.message or "")):
        return False
    told = [*(call.initial_metadata() or ()), *(call.trailing_metadata() or ())]
    return not told and "received from peer" not in (call.debug_error_string() or "")


def broke_off(error: Foreign) -> bool:
    """Whether gRPC gave a call its status because the connection broke off."""
    return bool(BROKE_OFF.match(error.message or ""))
