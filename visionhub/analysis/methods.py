"""What each measure is: for people, with its range and the source of its formula.

Every measure that a comparison can hold is in methods.toml (a test sees to it), and docs/methods.md
is made of it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

COMPARABLE, WITHOUT = "_comparable", "_without:"


@dataclass(frozen=True, slots=True)
class Method:
    """title: a few words. text: what it is, in sentences. bounds: what it can be. source: of it."""

    name: str
    group: str
    title: str
    text: str
    bounds: str
    source: str


@cache
def methods() -> Mapping[str, Method]:
    """All of them by name, in the order in which a reader meets them."""
    text = files("visionhub.analysis").joinpath("methods.toml").read_text("utf-8")
    return {one["name"]: Method(**one) for one in tomllib.loads(text)["measure"]}


def method_of(measure: str) -> Method | None:
    """The method of a measure, also of one of comparable labels, or without a rater."""
    plain = measure.partition(WITHOUT)[0].removesuffix(COMPARABLE)
    return methods().get(plain)


def title_of(measure: str) -> str:
    """A measure's name for people."""
    plain, _, left_out = measure.partition(WITHOUT)
    known = method_of(measure)
    title = known.title if known else plain.replace("_", " ")
    title += ", comparable labels" if plain.endswith(COMPARABLE) else ""
    return f"{title}, without {left_out}" if left_out else title
