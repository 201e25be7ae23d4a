"""The small faults themselves: what can take the place of a piece of code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from copy import deepcopy

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
_SQL = re.compile(
    r"\b(SELECT|INSERT|UPDATE|FROM|WHERE|AND|OR|IN|SET|JOIN|BEGIN|VALUES|NULL|CASE)\b"
)
_IN_SQL = (  # what is looked for, and what it becomes
    (r"\bAND\b", "OR"),
    (r"\bOR\b", "AND"),
    (r" \+ ", " - "),
    (r" - ", " + "),
    (r" \* ", " + "),
    (r" <= ", " < "),
    (r" >= ", " > "),
    (r" < ", " <= "),
    (r" > ", " >= "),
    (r" <> ", " = "),
    (r"(?<=WHERE) (\S+) = ", r" \1 <> "),
    (r"(?<=AND) (\S+) = ", r" \1 <> "),
    (r"\bIS NULL\b", "IS NOT NULL"),
    (r"\bIS NOT NULL\b", "IS NULL"),
    (r"\bNOT EXISTS\b", "EXISTS"),
    (r"\bNOT (?=[a-z])", ""),
    (r" IN \(", " NOT IN ("),
    (r"\bLEFT JOIN\b", "JOIN"),
    (r"\bDISTINCT ", ""),
    (r"\bmax\(", "min("),
    (r"\bmin\(", "max("),
    (r"'held'", "'unknown'"),
    (r"'unknown'", "'held'"),
    (r"'released'", "'settled'"),
    (r"'settled'", "'released'"),
    (r" ON CONFLICT DO NOTHING", ""),
    (r"\bIMMEDIATE\b", "DEFERRED"),
    (r"\bCOMMIT\b", "ROLLBACK"),
    (r"\bROLLBACK\b", "COMMIT"),
    (r"\b0\b", "1"),
    (r"(?<![?])(?<!SELECT )\b1\b", "2"),
)


def variants(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """What can take the place of a node, each with the change in words."""
    for new in (*_statement(node), *_expression(node), *_turned(node)):
        if isinstance(node, ast.If | ast.While):
            yield new, f"{type(node).__name__.lower()} not: {_short(ast.unparse(node.test))}"
        else:
            yield new, f"{_short(ast.unparse(node))} -> {_short(ast.unparse(new))}"
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and _SQL.search(node.value):
        for pattern, into in _IN_SQL:
            for hit in re.finditer(pattern, node.value):
                start, end = hit.span()
                text = node.value[:start] + hit.expand(into) + node.value[end:]
                near = slice(max(0, start - 24), end + 24)
                yield ast.Constant(text), f"SQL {node.value[near]!r}: {hit[0]!r} -> {into!r}"


def _statement(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.AugAssign(target=target, op=op, value=value):
            yield ast.Pass()
            if type(op) in _BINARY:
                yield ast.AugAssign(target, _BINARY[type(op)](), value)
        case ast.Return(value=value) if value and not _is_none(value):
            yield ast.Return(ast.Constant(None))
        case ast.Expr() | ast.Raise():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript() | ast.Tuple()]):
            yield ast.Pass()
        case ast.Continue():
            yield ast.Break()
        case ast.Break():
            yield ast.Continue()


def _expression(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=ops):
            for n, op in enumerate(ops):
                new = deepcopy(node)
                new.ops[n] = _COMPARE[type(op)]()
                yield new
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            yield ast.BinOp(left, _BINARY[type(op)](), right)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.Name(id=name, ctx=ast.Load()) if name in _NAMES:
            yield ast.Name(_NAMES[name], ast.Load())
        case ast.Constant(value=value):
            yield from _constant(value)


def _turned(node: ast.AST) -> Iterator[ast.AST]:
    """With the contrary of its condition."""
    match node:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            if not _is_turned_elsewhere(test):
                new = deepcopy(node)
                new.test = ast.UnaryOp(ast.Not(), deepcopy(test))
                yield new
        case ast.comprehension(ifs=[_, *_]):
            turned = deepcopy(node)
            turned.ifs[0] = ast.UnaryOp(ast.Not(), turned.ifs[0])
            yield turned


def _is_turned_elsewhere(test: ast.expr) -> bool:
    """Whether a change of the condition itself turns it into its contrary."""
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return not isinstance(test.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE)
    return isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)


def _constant(value: object) -> Iterator[ast.AST]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield ast.Constant(value + 1)
    elif isinstance(value, str) and value and " " not in value and not _SQL.search(value):
        yield ast.Constant(f"{value}~")


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 90 else f"{line[:60]} ... {line[-25:]}"
