"""A study holds the answers of services, or of a stand-in for them: never both."""

from __future__ import annotations

from visionhub.engine.plan import Plan
from visionhub.errors import UsageError
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
    served = {name for name, p in plan.providers.items() if "sandbox" in p.settings}
    if not served:
        return
    if not plan.rehearsal:
        refuse_real(study)
        return
    real = study.query("SELECT DISTINCT provider FROM questions").column("provider")
    if not is_rehearsal(study) and (mixed := sorted(served & set(real))):
        raise UsageError(
            f"{str(study.path)!r} holds real answers of {', '.join(mixed)}: rehearse in a study of "
            f"its own, with --study."
        )
    with study.transaction() as sql:
        sql.execute("INSERT OR IGNORE INTO marks VALUES (?, 'a stand-in answered')", (MARK,))


def refuse_real(study: StudyFile) -> None:
    """UsageError when a service's own answers are about to join a stand-in's."""
    if is_rehearsal(study):
        raise UsageError(
            f"{str(study.path)!r} holds a rehearsal: give the real answers a study of their own, "
            f"with --study."
        )
