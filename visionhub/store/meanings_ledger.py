"""What the columns of the ledger's tables mean, and their units. Data only."""

from __future__ import annotations

from visionhub.store.cells import HASH, JSON, UTC, Meaning, TableMeaning

MICROS = "micro-units of the currency (1,000,000 are one)"
_MONTH = Meaning("calendar month, in the time zone that the service bills in", "YYYY-MM")
_CURRENCY = Meaning("currency of all its amounts", "ISO 4217")
_UNITS = Meaning(
    "1 when the request is charged for by itself; 0 when its price line is counted with another "
    "request of the call, or costs nothing",
    "0 or 1",
)
_FREE = Meaning("1 when the unit is one of those claimed as free (`--assume-free`)", "0 or 1")
_HOLD = Meaning("the most that it can cost, held before it was sent", MICROS)
_CHARGE = Meaning(
    "what it counts for: by the tiers when settled, all that was held when unknown, else 0", MICROS
)
_STATE = Meaning(
    "held (on its way), settled (the service charges for it), released (it surely does not), "
    "unknown (nobody can tell: it counts as spent, and is not asked again unless by `retry`)"
)
_REASON = Meaning("why it ended so, in words; empty when nothing needs explaining")
_OPERATION = Meaning("the operation of the service, where it has several")
_REGION = Meaning("where the service ran, as its price list says; empty where it has one price")

LEDGER = {
    "model_versions": TableMeaning(
        "Which versions of a service's model answered a question: several are not one measurement.",
        {
            "question_id": Meaning("the question (questions.id)"),
            "model_version": Meaning("model version, as the provider reported it"),
            "first_at": Meaning("when its first answer came", UTC),
        },
    ),
    "accounts": TableMeaning(
        "The money of this study in one currency: sums over `charges`, which the database keeps "
        "itself. It refuses whatever would make settled + held pass the cap.",
        {
            "currency": Meaning("the currency", "ISO 4217"),
            "cap": Meaning("the most that may be spent; 2^62 for no cap", MICROS),
            "settled": Meaning("spent, with all that is unknown", MICROS),
            "held": Meaning("held for requests on their way", MICROS),
            "unknown": Meaning("the part of `settled` that nobody can tell the end of", MICROS),
            "named": Meaning(
                "1: the cap was named (--max-cost), and stays until another is; 0: it follows from "
                "the quotes that were agreed to"
            ),
        },
    ),
    "usage": TableMeaning(
        "What was used of one pool of price lines in one month: tiers and free units count by it.",
        {
            "provider": Meaning("who is asked"),
            "pool": Meaning("price lines that are counted together, as the price table names them"),
            "month": _MONTH,
            "settled": Meaning("units that are settled or unknown, free ones included", "units"),
            "held": Meaning("units that are held", "units"),
            "free_claimed": Meaning(
                "units that a user said to be free in that month (the most, of several runs)",
                "units",
            ),
            "free_used": Meaning("free units that are held, settled or unknown", "units"),
        },
    ),
    "owners": TableMeaning(
        "One process that held money. What a dead one holds becomes unknown.",
        {
            "id": Meaning("number of the owner"),
            "host": Meaning("name of its machine"),
            "boot": Meaning(
                "the machine's boot, and its space of process numbers; empty where it cannot be "
                "told"
            ),
            "pid": Meaning("process number"),
            "started": Meaning("when the process started, as Linux says", "clock ticks from boot"),
            "rehearsal": Meaning("1 when a stand-in answered: nothing was charged", "0 or 1"),
            "lease_until": Meaning(
                "until when it counts as alive where it cannot be looked up",
                "seconds since 1970-01-01, UTC",
            ),
            "began_at": Meaning("when it came", UTC),
            "ended_at": Meaning("when it left, or was found dead; empty before", UTC),
        },
    ),
    "price_tables": TableMeaning(
        "One price table that a run went by.",
        {
            "id": Meaning("number of the table"),
            "sha256": Meaning("hash of its text", HASH),
            "text": Meaning("the whole table", "TOML"),
            "added_at": Meaning("when it was first used here", UTC),
        },
    ),
    "price_lines": TableMeaning(
        "One price that was used.",
        {
            "id": Meaning("number of the line"),
            "price_table_id": Meaning("where it stands (price_tables.id)"),
            "provider": Meaning("whose price it is"),
            "sku": Meaning("what it is the price of, as the price table names it"),
            "region": Meaning("where it holds; * is anywhere"),
            "effective_from": Meaning("the first day on which it is known to hold", "YYYY-MM-DD"),
            "pool": Meaning("lines of one pool are counted together (usage.pool)"),
            "currency": _CURRENCY,
            "tiers": Meaning(
                "price of one unit (`micros`) up to and including the month's unit `up_to`; null "
                "is without end",
                f"{JSON}, a list; micro-units",
            ),
        },
    ),
    "attempts": TableMeaning(
        "One call of a service, as it was written down before it was sent.",
        {
            "id": Meaning("number of the attempt"),
            "run_id": Meaning("the run (runs.id)"),
            "owner_id": Meaning("the process (owners.id)"),
            "provider": Meaning("who was asked"),
            "operation": _OPERATION,
            "region": _REGION,
            "month": _MONTH,
            "currency": Meaning("currency of its amounts (accounts.currency)", "ISO 4217"),
            "price_table_id": Meaning("the prices that it went by (price_tables.id)"),
            "requests": Meaning("how many requests it carried"),
            "hold": Meaning("the most that it could cost", MICROS),
            "reserved_at": Meaning("when it was written down", UTC),
            "ended_at": Meaning("when nothing of it was held any more; empty before", UTC),
        },
    ),
    "charges": TableMeaning(
        "One request of one attempt, and what it costs. A request that was asked again has several "
        "rows; one of them at most is held.",
        {
            "key": Meaning("the first half of the request's identity", "16 bytes"),
            "attempt_id": Meaning("the attempt (attempts.id)"),
            "image_id": Meaning("the image (images.id)"),
            "question_id": Meaning("what was asked (questions.id)"),
            "line_id": Meaning("its price (price_lines.id); empty where it has none"),
            "units": _UNITS,
            "free": _FREE,
            "hold": _HOLD,
            "charge": _CHARGE,
            "state": _STATE,
            "reason": _REASON,
            "body_id": Meaning("what came (bodies.id); empty when nothing did, or not yet"),
        },
    ),
}

V_LEDGER = TableMeaning(
    "`charges` with everything about them, one row a request of an attempt. Sum `charge` for what "
    "was spent, by whatever column; leave out rehearsals.",
    {
        "run": Meaning("the run (runs.id)"),
        "day": Meaning("the day on which it was reserved", "UTC, YYYY-MM-DD"),
        "attempt": Meaning("the attempt (attempts.id)"),
        "provider": Meaning("who was asked"),
        "task": Meaning("what was asked"),
        "operation": _OPERATION,
        "sku": Meaning("its price line; empty where it costs nothing"),
        "region": _REGION,
        "currency": _CURRENCY,
        "state": _STATE,
        "units": _UNITS,
        "free": _FREE,
        "hold": _HOLD,
        "charge": _CHARGE,
        "reason": _REASON,
        "image": Meaning("identity of the image (images.sha256)", HASH),
        "path": Meaning("the first path under which the image was met, from the study's folder"),
        "price_table": Meaning("the prices that it went by (price_tables.sha256)", HASH),
        "model_version": Meaning("model version of the answer, as the provider reported it"),
        "rehearsal": Meaning("1 when a stand-in answered: nothing was charged", "0 or 1"),
    },
)
