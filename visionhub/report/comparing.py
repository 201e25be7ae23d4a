"""From what a user names (files, columns, words) to what is compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from visionhub.analysis.codes import Codes
from visionhub.analysis.codes_read import coders
from visionhub.analysis.compare import Comparison, Wanted
from visionhub.analysis.compare import compare as compared
from visionhub.analysis.faces import SENSITIVE
from visionhub.analysis.naming import read_sources
from visionhub.analysis.resample import DRAWS, Resampling
from visionhub.analysis.settings import MOST, Settings
from visionhub.errors import UsageError
from visionhub.report.vocabulary import read_codebook, read_crosswalk
from visionhub.store.study import StudyFile


def compare(
    study: StudyFile,
    *,
    tasks: Sequence[str] = (),
    raters: Sequence[str] = (),
    crosswalk: Path | None = None,
    codebook: Path | None = None,
    codes: Sequence[str] = (),
    gold: str = "",
    source: str | None = None,
    sensitive: Sequence[str] = (),
    draws: int = DRAWS,
    seed: int = 0,
    confidence: float = 0.95,
    most: int = MOST,
) -> Comparison:
    """Read what is named and compare; see `visionhub.Study.compare`."""
    if not 0 < confidence < 1:
        raise UsageError(f"--confidence {confidence}: a share between 0 and 1, such as 0.95.")
    for name, value, least in (("draws", draws, 100), ("seed", seed, 0), ("most", most, 1)):
        if value < least:
            raise UsageError(f"--{name} {value}: it must be {least} or more.")
    strange = next((word for word in sensitive if word not in SENSITIVE), None)
    if strange is not None:
        raise UsageError(f"--sensitive {strange}: choose among {', '.join(SENSITIVE)}.")
    people = coders(study, codes)
    _check_gold(gold, people)
    sources = read_sources(study, source) if source else None
    wanted = Wanted(
        tasks,
        raters,
        read_crosswalk(crosswalk) if crosswalk else None,
        read_codebook(codebook) if codebook else None,
        people,
        gold,
        sensitive,
        Settings(Resampling(draws, seed, confidence), sources, most),
    )
    found = compared(study, wanted)
    found.notes += [note for one in people for note in one.notes]
    return found


def _check_gold(gold: str, people: Sequence[Codes]) -> None:
    """Gold is a coder, and one who has drawn boxes: average precision is of boxes."""
    if not gold:
        return
    mine = [one for one in people if one.name == gold]
    if not mine:
        known = ", ".join(one.name for one in people) or "nobody: give codes with --codes"
        raise UsageError(f"--gold {gold}: there is no such coder; there is {known}.")
    if not mine[0].boxed.any():
        raise UsageError(
            f"--gold {gold}: this coder has drawn no boxes, and gold is for boxes alone. Leave it "
            f"out: labels are compared with every coder."
        )
