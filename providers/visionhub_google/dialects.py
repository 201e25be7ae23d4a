"""Answers as tools print them that are not the REST interface: the same message in other words.

The client library's Python dictionaries have names in snake_case, and empty lists for what was not
asked for; clients for .NET print null; R's toJSON puts every value into a list of one, unless it is
told otherwise. The message itself has no lists of plain values, and in it null and the empty list
are the same as nothing, so each of these can be read in one way only.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from types import MappingProxyType

from visionhub_google.leaves import IMAGE
from visionhub_google.reading import Json

_STEPS = {
    step for path in (*IMAGE.mapped, *IMAGE.dropped) for step in path.replace("[]", "").split(".")
}
NAMES = MappingProxyType(
    {re.sub("([A-Z])", r"_\1", step).lower(): step for step in sorted(_STEPS)} | {"type_": "type"}
)
"""Names in snake_case, each with the name that the REST interface gives the member."""


def known(members: Collection[str]) -> set[str]:
    """Names of members as the REST interface has them."""
    return {NAMES.get(name, name) for name in members}


def plain(item: Json) -> Json:
    """An image's item as the REST interface would have written it: itself, where it did.

    Members that nobody knows keep the name that they have.
    """
    printed = any("_" in name or value is None or value == [] for name, value in item.items())
    return _plain(item) if printed or any(map(_boxed, item.values())) else item


def _boxed(value: Json) -> bool:
    """Whether the first value below here lies in a list, alone."""
    while value and isinstance(value, dict | list):
        inner = next(iter(value.values() if isinstance(value, dict) else value))
        if isinstance(value, list) and not isinstance(inner, dict | list):
            return True
        value = inner
    return False


def _plain(value: Json) -> Json:
    if isinstance(value, dict):
        inner = ((NAMES.get(name, name), _plain(member)) for name, member in value.items())
        return {
            name: member
            for name, member in inner
            if member is not None and (member != [] or name not in _STEPS)
        }
    if not isinstance(value, list):
        return value
    if len(value) == 1 and not isinstance(value[0], dict | list):
        return value[0]
    return [_plain(item) for item in value]
