"""A Chromium for tests of pages, and pages whose every message, error and request is noticed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def program() -> str | None:
    """Where a Chromium is; None without one."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


@contextmanager
def opened(browser: Any, path: Path, **options: Any) -> Iterator[Any]:
    """A page that is looked at; afterwards it must have said, raised and loaded nothing."""
    view = browser.new_page(**{"viewport": {"width": 1280, "height": 900}, **options})
    trouble: list[str] = []
    view.on("console", lambda message: trouble.append(f"console: {message.text}"))
    view.on("pageerror", lambda error: trouble.append(f"error: {error}"))
    view.on("dialog", lambda dialog: trouble.append("dialog") or dialog.dismiss())
    view.on(
        "request",
        lambda r: r.url.startswith("data:") or r.url == path.as_uri() or trouble.append(r.url),
    )
    view.goto(path.as_uri())
    yield view
    view.close()
    assert trouble == []
