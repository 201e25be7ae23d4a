"""Predictions in the shapes of Google's answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from visionhub_sandbox.desk import Desk
from visionhub_sandbox.pictures import Picture

Fill = Callable[[Desk, Picture, int], dict[str, Any]]
FILLS: Mapping[str, Fill] = {}
