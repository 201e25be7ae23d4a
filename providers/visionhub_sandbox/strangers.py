"""Members that no client knows yet, for the fault `unknown_field`."""

from __future__ import annotations

from typing import Any

VALUE = {"kind": "sandbox", "values": [1, 2.5, "three"]}


def add_members(answer: dict[str, Any], name: str) -> None:
    """Add a member at the top, and to the first item of every list of objects."""
    for value in list(answer.values()):
        _into(value, name)
    answer[name] = VALUE


def _into(value: Any, name: str) -> None:  # noqa: ANN401 - whatever JSON can say
    if isinstance(value, dict):
        for member in value.values():
            _into(member, name)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        _into(value[0], name)
        value[0][name] = VALUE
