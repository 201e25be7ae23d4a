"""A page that is one file: it loads nothing, and its own policy lets nothing else run in it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files

from visionhub.report.card import safe


def asset(name: str) -> str:
    """A style sheet or script of this package."""
    return files("visionhub.report").joinpath(name).read_text("utf-8")


def head(title: str, style: str, scripts: Sequence[str]) -> str:
    """Everything before the body's own content.

    style, scripts: the only ones that the policy allows, by their hashes. A script must stand in
    the page as it is here. title: is escaped.
    """
    policy = (
        f"default-src 'none'; img-src data:; style-src {_allowed(style)}; "
        f"script-src {' '.join(map(_allowed, scripts))}; base-uri 'none'; form-action 'none'"
    )
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(policy, quote=True)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>{safe(title)}</title>
<style>{style}</style>
</head>
<body>
"""


def data(kind: str, value: object) -> str:
    """Values for a script, as JSON that no text in it can end: an element that is never run.

    kind: its class, a word of ours.
    """
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    # In a script element "</script" ends it and "<!--" changes how it is read (HTML, 4.12.1.3).
    text = text.replace("</", "<\\/").replace("<!--", "\\u003c!--")
    return f'<script type="application/json" class="{kind}">{text}</script>\n'


def _allowed(text: str) -> str:
    """The source of a policy that allows exactly this inline text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
