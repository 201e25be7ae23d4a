"""All faults of a module: where something can be changed, one thing at a time, on its tree."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.mutation.faults import variants

SHORT = 24  # letters; such a change is named with its line


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault. scope: the outermost function it is in; empty where a module has to be made anew.

    number: its place among all of its module. name: stays when lines elsewhere come and go.
    """

    path: str
    number: int
    scope: str
    lines: tuple[int, ...]
    change: str
    name: str


@dataclass(slots=True)
class _Site:
    node: ast.AST
    scope: str
    inside: str
    statement: ast.stmt
    put: Callable[[ast.AST], None]


def mutants(path: str, source: str, only: tuple[str, ...] = ()) -> list[Mutant]:
    """All faults of a module, in their order; only: functions, or none for all."""
    seen: Counter[str] = Counter()
    found, source_lines = [], source.splitlines()
    for number, (site, told, _) in enumerate(_all(ast.parse(source))):
        if only and not site.inside.startswith(only):
            continue
        line = source_lines[getattr(site.node, "lineno", 1) - 1].strip()
        change = f"{told}  in: {line}" if len(told) < SHORT else told
        base = f"{path}:{site.inside or '<module>'}: {change}"
        seen[base] += 1
        name = base if seen[base] == 1 else f"{base} #{seen[base]}"
        start = getattr(site.node, "lineno", site.statement.lineno)
        end = getattr(site.node, "end_lineno", site.statement.end_lineno)
        lines = tuple(sorted({site.statement.lineno, *range(start, end + 1)}))
        found.append(Mutant(path, number, site.scope, lines, change, name))
    return found


def mutated(source: str, number: int) -> ast.Module:
    """The tree of a module with one fault in it."""
    tree = ast.parse(source)
    for n, (site, _, new) in enumerate(_all(tree)):
        if n == number:
            site.put(ast.copy_location(new, site.node))
            return ast.fix_missing_locations(tree)
    raise IndexError(number)


def _all(tree: ast.Module) -> Iterator[tuple[_Site, str, ast.AST]]:
    for site in _sites(tree, "", "", tree.body[0]):
        for new, change in variants(site.node):
            yield site, change, new


def _sites(node: ast.AST, scope: str, inside: str, statement: ast.stmt) -> Iterator[_Site]:
    """Every place that can be changed; not: types, decorators, docstrings, words of errors."""
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "decorator_list", "bases"}:
            continue
        values = value if isinstance(value, list) else [value]
        for place, child in enumerate(values):
            if not isinstance(child, ast.AST) or _is_left_out(child, node, field, place):
                continue
            near = child if isinstance(child, ast.stmt) else statement
            function = isinstance(node, ast.FunctionDef)
            mine = inside if function and field == "body" and not scope else scope
            site = _Site(child, mine, inside, near, _putter(node, field, value, place))
            yield site
            if isinstance(child, ast.Raise):
                continue
            named = isinstance(child, ast.FunctionDef | ast.ClassDef)
            deeper = f"{inside}.{child.name}".strip(".") if named else inside
            yield from _sites(child, mine, deeper, near)


def _putter(node: ast.AST, field: str, value: object, place: int) -> Callable[[ast.AST], None]:
    def put(new: ast.AST) -> None:
        if isinstance(value, list):
            value[place] = new
        else:
            setattr(node, field, new)

    return put


def _is_left_out(child: ast.AST, parent: ast.AST, field: str, place: int) -> bool:
    match child:
        case ast.Import() | ast.ImportFrom() | ast.Global() | ast.Nonlocal():
            return True
        case ast.Expr(value=ast.Constant(value=str() | _)) if isinstance(child.value, ast.Constant):
            return True  # a docstring, or ...
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.AnnAssign(annotation=ast.Name(id="TypeAlias")):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.ClassDef(bases=bases):
            return any(isinstance(base, ast.Name) and base.id == "Protocol" for base in bases)
    return isinstance(parent, ast.FormattedValue) and field == "format_spec"
