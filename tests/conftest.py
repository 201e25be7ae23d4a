"""Fixtures for every test: pictures made on the spot, and the folder of shared photographs."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from PIL import Image, ImageDraw

from tests import browsers
from visionhub import registry
from visionhub.provider import Provider

ROOT = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests with real models reach the network: their weights are pulled once."""
    for item in items:
        if item.get_closest_marker("models"):
            item.add_marker(pytest.mark.enable_socket)


# nohup has it ignored, for us and all that we start; the tests are of what happens elsewhere.
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Machines are shared: a slow moment is no fault of the code.
settings.register_profile(
    "shared", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared")


@pytest.fixture(autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where processes share their rates: a folder of the test's own, not the user's."""
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("VISIONHUB_STATE", str(folder))
    return folder


@pytest.fixture
def tireless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that fails again and again is asked again at once, and never given up."""
    from visionhub.engine import adaptive, gate

    for name in ("PAUSE", "LONGEST_PAUSE"):
        monkeypatch.setattr(adaptive, name, 0.01)
    for name, value in (("REST", 0.01), ("LONGEST_REST", 0.01), ("EARLY", 999), ("OPENINGS", 999)):
        monkeypatch.setattr(gate, name, value)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[Provider], Provider]:
    """Make one object the provider `toy` of every run."""

    def install(one: Provider) -> Provider:
        entry = EntryPoint("toy", "tests.toy:Toy", registry.GROUP)
        monkeypatch.setattr(registry, "_found", lambda: {"toy": entry})
        monkeypatch.setattr(registry, "get", lambda name: one)
        monkeypatch.setattr(registry, "load", lambda name: type(one))
        return one

    return install


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real photographs with ground truth that may lie beside the checkout."""
    folder = Path(os.environ.get("VISIONHUB_SHARED", ROOT.parent / "shared"))
    if not (folder / "images").is_dir():
        pytest.skip("no folder ../shared/images beside the checkout: real photographs not tested")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A running Chromium; for a module only, because it keeps an event loop running."""
    found = browsers.program()
    if found is None:
        pytest.skip("no Chromium on this machine: pages were not tried in a browser")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as play:
        running = play.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def photo() -> bytes:
    """A small colourful JPEG, 160x120, the same bytes each time."""
    return jpeg(160, 120)


def jpeg(width: int, height: int, shift: int = 0) -> bytes:
    """A JPEG with a gradient and a rectangle; `shift` makes other bytes."""
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    draw = ImageDraw.Draw(image)
    draw.rectangle(
        (shift % width, 10, width // 2 + shift % 20, height // 2), fill=(200, 30, shift % 256)
    )
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()
