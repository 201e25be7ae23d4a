"""A study holds the answers of services, or of a stand-in for them: never both."""

from __future__ import annotations

from visionhub.engine.plan import Plan, is_service
from visionhub.errors import UsageError
from visionhub.store.study import StudyFile

MARK = "rehearsal"
HELD = (
    "SELECT DISTINCT q.provider FROM requests r JOIN questions q ON q.id = r.question_id ORDER BY 1"
)


def is_rehearsal(study: StudyFile) -> bool:
    """Whether a stand-in's answers are in this study."""
    return bool(study.query("SELECT 1 FROM marks WHERE name = ?", (MARK,)).rows)


PAID = (  # answered or not: a rehearsal's prices do not belong into that ledger
    "SELECT DISTINCT a.provider FROM attempts a JOIN owners o ON o.id = a.owner_id WHERE "
    "NOT o.rehearsal ORDER BY 1"
)


UNDER_WAY = "SELECT 1 FROM owners WHERE NOT rehearsal AND ended_at IS NULL LIMIT 1"


def mark(study: StudyFile, plan: Plan) -> None:
    """Note that a rehearsal goes into this study.

    Raises UsageError when a study that is none holds answers already, of whomever, and when a
    service's own would join a stand-in's. Local models may answer beside a rehearsal.
    """
    real = [n for n, p in plan.providers.items() if is_service(type(p)) and not p.rehearsing]
    if not plan.rehearsal:
        if real:
            refuse_real(study)
        return
    if real:
        raise UsageError(
            f"{', '.join(real)} would answer for itself beside a rehearsal: ask it in another run, "
            f"for another study."
        )
    with study.transaction() as sql:  # one: a run for real may enter the ledger at this moment
        if not is_rehearsal(study):
            _refuse_rehearsal(study)
        sql.execute("INSERT OR IGNORE INTO marks VALUES (?, 'a stand-in answered')", (MARK,))


def _refuse_rehearsal(study: StudyFile) -> None:
    """UsageError when a stand-in's answers are about to join others, there or on their way."""
    held = study.query(HELD).column("provider") or study.query(PAID).column("provider")
    if held or study.query(UNDER_WAY).rows:
        what = f"holds real answers of {', '.join(held)}" if held else "is being filled for real"
        raise UsageError(
            f"{str(study.path)!r} {what}: rehearse in a study of its own, with --study."
        )


def unmark(study: StudyFile) -> None:
    """Take the mark away again from a study in which nothing was rehearsed, nor is now."""
    owners = (
        "SELECT 1 FROM owners o WHERE o.rehearsal AND (o.ended_at IS NULL OR EXISTS (SELECT 1 FROM "
        "attempts a WHERE a.owner_id = o.id)) LIMIT 1"
    )
    if not study.query(HELD).rows and not study.query(owners).rows:
        with study.transaction() as sql:
            sql.execute("DELETE FROM marks WHERE name = ?", (MARK,))


def refuse_real(study: StudyFile) -> None:
    """UsageError when a service's own answers are about to join a stand-in's."""
    if is_rehearsal(study):
        raise UsageError(
            f"{str(study.path)!r} holds a rehearsal: give the real answers a study of their own, "
            f"with --study."
        )
