"""From what a user names to what is laid side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from visionhub.analysis.drift import Drift, WantedDrift
from visionhub.analysis.drift import drift as drifted
from visionhub.analysis.drift_scores import TOLERANCE
from visionhub.analysis.naming import read_sources
from visionhub.analysis.resample import DRAWS, Resampling
from visionhub.analysis.settings import Settings
from visionhub.errors import UsageError
from visionhub.store.study import StudyFile


def check(study: StudyFile, *, source: str | None, confidence: float, tolerance: float) -> Settings:
    """What intervals are made with. Raises UsageError, before anything is paid."""
    if not 0 < confidence < 1:
        raise UsageError(f"--confidence {confidence}: a share between 0 and 1, such as 0.95.")
    if not 0 <= tolerance < 1:
        raise UsageError(f"--tolerance {tolerance}: a share of the score, such as 0.0001.")
    sources = read_sources(study, source) if source else None
    return Settings(Resampling(level=confidence), sources)


def drift(
    study: StudyFile,
    *,
    provider: str = "",
    tasks: Sequence[str] = (),
    raters: Sequence[str] = (),
    canary: str = "",
    source: str | None = None,
    tolerance: float = TOLERANCE,
    draws: int = DRAWS,
    seed: int = 0,
    confidence: float = 0.95,
) -> Drift:
    """Read what is named and compare; see `visionhub.Study.drift`."""
    ready = check(study, source=source, confidence=confidence, tolerance=tolerance)
    settings = replace(ready, how=Resampling(draws, seed, confidence))
    return drifted(study, WantedDrift(provider, tasks, raters, canary, tolerance, settings))
