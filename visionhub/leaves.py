"""What becomes of every member of a body: mapped, dropped on purpose, or new.

A table of leaves says it for one kind of body. The parser of a provider reports what its table does
not hold; `visionhub schema` prints the tables; tests hold them against the vendor's own definition
of the body, and against the parser: a mapped leaf that does not change the annotation, or a dropped
one that does, is a fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from visionhub.schema import Task

Json: TypeAlias = Any  # what json.loads returns
_Tree: TypeAlias = dict[str, "_Tree"]

REST = "*"  # the last step of a path: anything, at any depth, below here


@dataclass(frozen=True, slots=True)
class Leaf:
    """One leaf: members by name with dots between, `[]` for a list: `Labels[].Parents[].Name`.

    to: `table.column` that it fills; empty for one that is dropped, and `reason` then says why.
    """

    path: str
    to: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Leaves:
    """All leaves of one kind of body (an operation, a message).

    tasks: which tasks are answered by which members at the top; a member of no task belongs to
        all. A body that answers several tasks is walked for the members of one only.
    """

    kind: str
    mapped: Mapping[str, str]
    dropped: Mapping[str, str]
    tasks: Mapping[Task, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        tree: _Tree = {}
        for path in (*self.mapped, *self.dropped):
            node = tree
            for step in _steps(path):
                node = node.setdefault(step, {})
        object.__setattr__(self, "_tree", tree)

    def __iter__(self) -> Iterator[Leaf]:
        for path, to in self.mapped.items():
            yield Leaf(path, to)
        for path, reason in self.dropped.items():
            yield Leaf(path, reason=reason)

    def strangers(self, body: Json, task: Task | None = None) -> tuple[str, ...]:
        """Members that the table does not hold, as paths, sorted; of the task's part of the body.

        body: what json.loads returned.
        """
        tree: _Tree = self._tree  # type: ignore[attr-defined]
        others = {
            name for other, names in self.tasks.items() if task and other != task for name in names
        } - set(self.tasks.get(task, ()) if task else ())
        found: set[str] = set()
        if isinstance(body, dict):
            body = {name: value for name, value in body.items() if name not in others}
        _walk(body, tree, "", found)
        return tuple(sorted(found))


def _steps(path: str) -> list[str]:
    return [step for part in path.split(".") for step in part.replace("[]", ".[]").split(".")]


def _walk(value: Json, tree: _Tree, path: str, found: set[str]) -> None:
    if REST in tree:
        return
    if isinstance(value, dict):
        for name, member in value.items():
            at = f"{path}.{name}" if path else name
            if name in tree:
                _walk(member, tree[name], at, found)
            else:
                found.add(at)
    elif isinstance(value, list):
        _walk_list(value, tree.get("[]"), f"{path}[]", found)
    elif tree and value is not None:
        found.add(path)  # a value where the table has members


def _walk_list(values: list[Json], tree: _Tree | None, path: str, found: set[str]) -> None:
    if tree is None:
        if values:
            found.add(path)
        return
    for value in values:
        _walk(value, tree, path, found)
