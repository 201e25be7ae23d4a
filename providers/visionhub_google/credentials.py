"""Whose account is used: found before the first image is read, without asking the network."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, TypeAlias

from visionhub.errors import AuthenticationError
from visionhub.provider import import_extra
from visionhub_google.translate import FILE_VARIABLE, HINT, KEY_VARIABLE, translated

Foreign: TypeAlias = Any  # an object of a client's library

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
HOSTED = ("K_SERVICE", "GAE_ENV", "GCE_METADATA_HOST")  # set where Google runs the program
PRODUCT = Path("/sys/class/dmi/id/product_name")  # begins with "Google" on its virtual machines


def find(*, rehearsing: bool) -> Foreign:
    """Credentials for the vendor's client; a rehearsal has none.

    An API key in VISIONHUB_GOOGLE_API_KEY comes first, then what google-auth finds (its
    "Application Default Credentials"). Raises AuthenticationError that says what to set.
    """
    import_extra("google.auth", "google")
    from google.auth import api_key
    from google.auth.credentials import AnonymousCredentials

    if rehearsing:
        return AnonymousCredentials()
    if key := os.environ.get(KEY_VARIABLE):
        return api_key.Credentials(key)
    return _default()


def _default() -> Foreign:
    import google.auth

    named = os.environ.get(FILE_VARIABLE)
    if not (named or _kept().is_file() or _hosted()):
        raise AuthenticationError(f"Google Cloud Vision has no credentials: {HINT}.")
    if named:
        _check(named)
    with translated():
        credentials, _ = google.auth.default(scopes=SCOPES)
    return credentials


def _check(path: str) -> None:
    """Raise AuthenticationError for a file that holds no JSON object, as every kind of key does."""
    try:
        found = json.loads(Path(path).read_bytes())
    except OSError as error:
        why = f"it cannot be read ({error.strerror})"
    except ValueError:
        why = "it is no key file, which is written in JSON"
    else:
        if isinstance(found, dict):
            return
        why = "it is no key file, which is one JSON object"
    raise AuthenticationError(f"{FILE_VARIABLE}={path}: {why}; {HINT}.")


def _kept() -> Path:
    """Where `gcloud auth application-default login` leaves credentials."""
    folder = os.environ.get("CLOUDSDK_CONFIG")
    if folder:
        return Path(folder) / "application_default_credentials.json"
    base = os.environ.get("APPDATA") if os.name == "nt" else str(Path.home() / ".config")
    return Path(base or ".") / "gcloud" / "application_default_credentials.json"


def _hosted() -> bool:
    """Whether a metadata server may be asked; elsewhere the question costs ten seconds."""
    if any(os.environ.get(name) for name in HOSTED):
        return True
    try:
        return PRODUCT.read_text("utf-8").startswith("Google")
    except OSError:
        return False
