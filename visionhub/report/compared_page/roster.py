"""Everybody who is on a page: a letter, a colour and a dash pattern that stay the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from visionhub.analysis.compare import Comparison
from visionhub.report.card import safe

STYLES = 8  # colours and dash patterns in compared.css


@dataclass(frozen=True)
class Roster:
    """Raters by name, in the order in which a comparison has them."""

    names: tuple[str, ...]

    @classmethod
    def of(cls, found: Comparison) -> Roster:
        """All raters of all tasks; one name is one rater, whatever the task."""
        names = [one.name for part in found.parts for one in part.raters]
        names += [name for part in found.parts for row in part.rows for name in row.raters]
        return cls(tuple(dict.fromkeys(names)))

    def place(self, name: str) -> int:
        """Its number, from 0."""
        return self.names.index(name)

    def letter(self, name: str) -> str:
        """A to Z, then A2 to Z2, and so on."""
        round_, at = divmod(self.place(name), len(ascii_uppercase))
        return ascii_uppercase[at] + (str(round_ + 1) if round_ else "")

    def style(self, name: str) -> str:
        """The class that gives it its colour and dashes."""
        return f"r{self.place(name) % STYLES}"

    def tag(self, name: str) -> str:
        """Its letter and name."""
        return f"<span class='rater'>{self.lettered(name)}</span>"

    def keyed(self, name: str) -> str:
        """The same, behind a line as its boxes are drawn."""
        return f"<span class='rater key {self.style(name)}'>{self.lettered(name)}</span>"

    def lettered(self, name: str) -> str:
        """The same, for an element that has the class `key` or `rater` itself."""
        return f"<b>{self.letter(name)}</b>{safe(name)}"

    def pair(self, names: Sequence[str]) -> str:
        """Some raters, with ~ between."""
        return " ~ ".join(map(self.tag, names))

    def short(self, names: Iterable[str]) -> str:
        """Some raters by their letters, as in A ~ C."""
        return " ~ ".join(map(self.letter, names))
