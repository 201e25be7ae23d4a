"""Things that are the same, gathered: a union-find with the smallest member as its group's name.

Tarjan, "Efficiency of a Good But Not Linear Set Union Algorithm" (1975), with path halving.
"""

from __future__ import annotations


class Groups:
    """Groups of the numbers 0 to n - 1; at first each is alone."""

    def __init__(self, n: int = 0) -> None:
        self._above = list(range(n))

    def __len__(self) -> int:
        return len(self._above)

    def add(self) -> int:
        """A new number, alone."""
        self._above.append(len(self._above))
        return len(self._above) - 1

    def of(self, one: int) -> int:
        """The group of a number, named by its smallest member."""
        above = self._above
        while above[one] != one:
            above[one] = above[above[one]]
            one = above[one]
        return one

    def join(self, one: int, other: int) -> None:
        """Make two groups one."""
        low, high = sorted((self.of(one), self.of(other)))
        self._above[high] = low

    def members(self) -> dict[int, list[int]]:
        """All groups by name, members ascending."""
        found: dict[int, list[int]] = {}
        for one in range(len(self._above)):
            found.setdefault(self.of(one), []).append(one)
        return found
