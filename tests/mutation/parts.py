"""What is put to the test, and the quick tests that have to notice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

STORE, PRICING, ENGINE = "visionhub/store/", "visionhub/pricing/", "visionhub/engine/"
LEDGER = ("", "_accounts", "_away", "_end", "_items", "_owners", "_queue", "_reconcile", "_reserve")


@dataclass(frozen=True, slots=True)
class Part:
    """files: with the functions that belong to the part, () for all of them. tests: files."""

    files: Mapping[str, tuple[str, ...]]
    tests: tuple[str, ...]
    left_out: tuple[str, ...] = field(default=())  # tests that start processes and take their time


PARTS = {
    "ledger": Part(
        {
            **{f"{STORE}ledger{name}.py": () for name in LEDGER},
            f"{STORE}owners.py": (),
            f"{STORE}migrations_ledger.py": (),
        },
        (
            "tests/test_ledger.py",
            "tests/test_ledger_queue.py",
            "tests/test_ledger_model.py",
            "tests/test_owners.py",
            "tests/test_reconcile.py",
            "tests/test_ledger_command.py",
        ),
        ("test_processes_that_want_the_same",),
    ),
    "pricing": Part(
        {
            **{f"{PRICING}{name}.py": () for name in ("money", "price", "rows", "table")},
            f"{ENGINE}terms.py": (),
        },
        ("tests/test_pricing.py", "tests/test_terms.py"),
    ),
    "retry": Part(
        {
            f"{ENGINE}{name}.py": ()
            for name in ("ask", "till", "keeping", "gate", "adaptive", "breaker")
        },
        (
            "tests/test_ask.py",
            "tests/test_keeping.py",
            "tests/test_gate.py",
            "tests/test_adaptive.py",
            "tests/test_breaker.py",
            "tests/test_engine.py",
            "tests/test_faults.py",
            "tests/test_lanes.py",
            "tests/test_full_disk.py",
        ),
    ),
    "cache key": Part(
        {
            "visionhub/provider.py": ("Request", "canonical"),
            f"{STORE}lookup.py": ("settled", "complete", "_marks"),
        },
        (
            "tests/test_store.py",
            "tests/test_engine.py",
            "tests/test_faults.py",
        ),
    ),
}
