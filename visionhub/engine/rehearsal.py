"""A study holds the answers of services, or of a stand-in for them: never both."""

from __future__ import annotations

from visionhub import registry
from visionhub.engine.plan import Plan, is_service
from visionhub.errors import UnknownProvider, UsageError
from visionhub.store.study import StudyFile

MARK = "rehearsal"


def is_rehearsal(study: StudyFile) -> bool:
    """Whether a stand-in's answers are in this study."""
    return bool(study.query("SELECT 1 FROM marks WHERE name = ?", (MARK,)).rows)


def mark(study: StudyFile, plan: Plan) -> None:
    """Note that a rehearsal goes into this study.

    Raises UsageError when a service's own answers are there already, or would join a stand-in's.
    Local models may answer in both: they are what they are.
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
    held = study.query("SELECT DISTINCT provider FROM questions").column("provider")
    if not is_rehearsal(study) and (mixed := sorted(name for name in held if _serves(name))):
        raise UsageError(
            f"{str(study.path)!r} holds real answers of {', '.join(mixed)}: rehearse in a study of "
            f"its own, with --study."
        )
    with study.transaction() as sql:
        sql.execute("INSERT OR IGNORE INTO marks VALUES (?, 'a stand-in answered')", (MARK,))


def _serves(name: str) -> bool:
    """Whether answers under this name are a service's; so it is taken where that is not known."""
    try:
        return is_service(registry.load(name))
    except UnknownProvider:
        return True


def refuse_real(study: StudyFile) -> None:
    """UsageError when a service's own answers are about to join a stand-in's."""
    if is_rehearsal(study):
        raise UsageError(
            f"{str(study.path)!r} holds a rehearsal: give the real answers a study of their own, "
            f"with --study."
        )
