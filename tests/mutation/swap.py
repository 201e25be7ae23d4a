"""Putting a fault into a module that is imported already, wherever its functions went."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from types import CodeType, FunctionType
from typing import Any

from tests.mutation.mutants import Mutant, mutated


def put(mutant: Mutant, source: str) -> None:
    """Give the function its code with the fault, wherever it has been imported to."""
    module = import_module(mutant.path.removesuffix(".py").replace("/", "."))
    code = compile(mutated(source, mutant.number), str(module.__file__), "exec", dont_inherit=True)
    here: Any = module
    for name in mutant.scope.split("."):
        code = next(c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == name)
        here = _function(vars(here)[name])
    here.__code__ = code


def _function(held: Any) -> Any:
    if isinstance(held, property):
        return held.fget
    if isinstance(held, cached_property):
        return held.func
    if isinstance(held, staticmethod | classmethod):
        return held.__func__
    if not isinstance(held, FunctionType | type):
        return held.__wrapped__  # of a cache
    return getattr(held, "__wrapped__", held)
