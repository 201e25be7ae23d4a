"""The statements of migrations 004 (prices, owners, accounts, attempts, charges) and 005.

Never edited.

Accounts and usage are sums over charges, kept by triggers: whoever changes a charge, in whatever
way, changes them in the same statement. So the CHECK of accounts refuses any change by which more
would be spent and held than the cap allows.
"""

from __future__ import annotations

# What one charge counts for, as a function of its row; held units stay apart from spent ones.
_HELD = "({0}.state = 'held') * {0}.hold"
_SETTLED = "({0}.state IN ('settled', 'unknown')) * {0}.charge"
_UNKNOWN = "({0}.state = 'unknown') * {0}.charge"
_UNITS_HELD = "({0}.state = 'held') * {0}.units"
_UNITS_SETTLED = "({0}.state IN ('settled', 'unknown')) * {0}.units"
_FREE = "({0}.state <> 'released') * {0}.free"

_CURRENCY = "(SELECT currency FROM attempts WHERE id = new.attempt_id)"
_MONTH = (
    "SELECT a.provider, l.pool, a.month{more} FROM attempts a, price_lines l "
    "WHERE a.id = new.attempt_id AND l.id = new.line_id"
)


def _change(column: str, amount: str) -> str:
    return f"{column} = {column} + {amount.format('new')} - {amount.format('old')}"


_TABLES = (
    "CREATE TABLE price_tables (id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, "
    "text TEXT NOT NULL, added_at TEXT NOT NULL)",
    # A table may hold a line twice: today's price, and the next from some day on.
    "CREATE TABLE price_lines (id INTEGER PRIMARY KEY, price_table_id INTEGER NOT NULL REFERENCES "
    "price_tables(id), provider TEXT NOT NULL, sku TEXT NOT NULL, region TEXT NOT NULL, "
    "effective_from TEXT NOT NULL, pool TEXT NOT NULL, currency TEXT NOT NULL, tiers TEXT NOT "
    "NULL, UNIQUE (price_table_id, provider, sku, region, effective_from))",
    "CREATE TABLE owners (id INTEGER PRIMARY KEY, host TEXT NOT NULL, boot TEXT NOT NULL, "
    "pid INTEGER NOT NULL, started TEXT NOT NULL, rehearsal INTEGER NOT NULL, lease_until REAL "
    "NOT NULL, began_at TEXT NOT NULL, ended_at TEXT)",
    "CREATE TABLE accounts (currency TEXT PRIMARY KEY, cap INTEGER NOT NULL, "
    "settled INTEGER NOT NULL DEFAULT 0 CHECK (settled >= 0), "
    "held INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0), "
    "unknown INTEGER NOT NULL DEFAULT 0 CHECK (unknown BETWEEN 0 AND settled), "
    "CHECK (settled + held <= cap)) WITHOUT ROWID",
    "CREATE TABLE usage (provider TEXT NOT NULL, pool TEXT NOT NULL, month TEXT NOT NULL, "
    "settled INTEGER NOT NULL DEFAULT 0 CHECK (settled >= 0), "
    "held INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0), "
    "free_claimed INTEGER NOT NULL DEFAULT 0, "
    "free_used INTEGER NOT NULL DEFAULT 0 CHECK (free_used >= 0), "
    "PRIMARY KEY (provider, pool, month)) WITHOUT ROWID",
    "CREATE TABLE attempts (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id INTEGER NOT NULL "
    "REFERENCES runs(id), owner_id INTEGER NOT NULL REFERENCES owners(id), provider TEXT NOT NULL, "
    "operation TEXT NOT NULL, region TEXT NOT NULL, month TEXT NOT NULL, currency TEXT NOT NULL "
    "REFERENCES accounts(currency), price_table_id INTEGER NOT NULL REFERENCES price_tables(id), "
    "requests INTEGER NOT NULL, hold INTEGER NOT NULL, reserved_at TEXT NOT NULL, ended_at TEXT)",
    "CREATE TABLE charges (key BLOB NOT NULL CHECK (length(key) = 16), attempt_id INTEGER NOT NULL "
    "REFERENCES attempts(id), image_id INTEGER NOT NULL, question_id INTEGER NOT NULL, "
    "line_id INTEGER REFERENCES price_lines(id), units INTEGER NOT NULL CHECK (units IN (0, 1)), "
    "free INTEGER NOT NULL CHECK (free BETWEEN 0 AND units), hold INTEGER NOT NULL, "
    "charge INTEGER NOT NULL DEFAULT 0 CHECK (charge BETWEEN 0 AND hold), "
    "state TEXT NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'settled', 'released', "
    "'unknown')), reason TEXT NOT NULL DEFAULT '', body_id INTEGER REFERENCES bodies(id), "
    "PRIMARY KEY (key, attempt_id), CHECK (charge = 0 OR state IN ('settled', 'unknown')), "
    "CHECK (charge = hold OR state <> 'unknown'), CHECK (units = 0 OR line_id IS NOT NULL)) "
    "WITHOUT ROWID",
)

_INDICES = (
    "CREATE UNIQUE INDEX charges_held ON charges(key) WHERE state = 'held'",
    "CREATE INDEX charges_unknown ON charges(attempt_id) WHERE state = 'unknown'",
    "CREATE INDEX charges_attempt ON charges(attempt_id)",
    "CREATE INDEX attempts_open ON attempts(owner_id) WHERE ended_at IS NULL",
)

_TRIGGERS = (
    "CREATE TRIGGER charges_reserve AFTER INSERT ON charges WHEN new.hold > 0 BEGIN "
    f"UPDATE accounts SET held = held + {_HELD.format('new')}, "
    f"settled = settled + {_SETTLED.format('new')}, unknown = unknown + {_UNKNOWN.format('new')} "
    f"WHERE currency = {_CURRENCY}; END",
    "CREATE TRIGGER charges_count AFTER INSERT ON charges WHEN new.units > 0 BEGIN "
    "INSERT INTO usage (provider, pool, month, held, settled, free_used) "
    + _MONTH.format(
        more=f", {_UNITS_HELD.format('new')}, {_UNITS_SETTLED.format('new')}, {_FREE.format('new')}"
    )
    + " ON CONFLICT (provider, pool, month) DO UPDATE SET held = held + excluded.held, "
    "settled = settled + excluded.settled, free_used = free_used + excluded.free_used; END",
    "CREATE TRIGGER charges_end AFTER UPDATE OF state, hold, charge ON charges WHEN new.hold > 0 "
    "OR old.hold > 0 BEGIN UPDATE accounts SET "
    f"{_change('held', _HELD)}, {_change('settled', _SETTLED)}, {_change('unknown', _UNKNOWN)} "
    f"WHERE currency = {_CURRENCY}; END",
    "CREATE TRIGGER charges_recount AFTER UPDATE OF state, units, free ON charges "
    "WHEN new.units > 0 OR old.units > 0 BEGIN UPDATE usage SET "
    f"{_change('held', _UNITS_HELD)}, {_change('settled', _UNITS_SETTLED)}, "
    f"{_change('free_used', _FREE)} "
    f"WHERE (provider, pool, month) = ({_MONTH.format(more='')}); END",
)

_VIEW = (
    "CREATE VIEW v_ledger AS SELECT a.run_id AS run, substr(a.reserved_at, 1, 10) AS day, "
    "a.id AS attempt, a.provider, q.task, a.operation, l.sku, a.region, a.currency, c.state, "
    "c.units, c.free, c.hold, c.charge, c.reason, i.sha256 AS image, (SELECT path FROM paths p "
    "WHERE p.image_id = c.image_id ORDER BY p.id LIMIT 1) AS path, t.sha256 AS price_table, "
    "b.model_version, o.rehearsal FROM charges c JOIN attempts a ON a.id = c.attempt_id "
    "JOIN owners o ON o.id = a.owner_id JOIN price_tables t ON t.id = a.price_table_id "
    "LEFT JOIN price_lines l ON l.id = c.line_id LEFT JOIN questions q ON q.id = c.question_id "
    "LEFT JOIN images i ON i.id = c.image_id LEFT JOIN bodies b ON b.id = c.body_id"
)

_VERSIONS = (
    "CREATE TABLE model_versions (question_id INTEGER NOT NULL REFERENCES questions(id), "
    "model_version TEXT NOT NULL, first_at TEXT NOT NULL, "
    "PRIMARY KEY (question_id, model_version)) WITHOUT ROWID",
    "INSERT INTO model_versions SELECT r.question_id, b.model_version, min(b.received_at) FROM "
    "requests r JOIN bodies b ON b.id = r.body_id WHERE b.model_version IS NOT NULL "
    "GROUP BY r.question_id, b.model_version",
)

LEDGER = (*_TABLES, *_INDICES, *_TRIGGERS, _VIEW, *_VERSIONS)
"""The statements of migration 004, in order."""

VERSIONS_OF_ANSWERS = (
    "DELETE FROM model_versions",
    "INSERT INTO model_versions SELECT r.question_id, b.model_version, min(b.received_at) FROM "
    "requests r JOIN bodies b ON b.id = r.body_id WHERE b.model_version IS NOT NULL AND r.status "
    "IN ('observed', 'below_floor', 'truncated', 'withdrawn') "
    "GROUP BY r.question_id, b.model_version",
)
"""The statements of migration 005, in order."""
