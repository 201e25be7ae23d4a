"""Comparing from Python: how far raters agree, and whether a provider's answers have changed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from visionhub.report.readable import Readable, items, words
from visionhub.store.study import StudyFile

if TYPE_CHECKING:
    from visionhub.report.tabled import ComparisonTables, DriftTables


class Comparable(Readable):
    """A study file whose annotations are compared; nothing is sent."""

    def compare(
        self,
        tasks: str | Sequence[str] = (),
        *,
        raters: str | Sequence[str] = (),
        crosswalk: str | os.PathLike[str] | None = None,
        codebook: str | os.PathLike[str] | None = None,
        codes: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
        gold: str = "",
        source: str | None = None,
        sensitive: str | Sequence[str] = (),
        draws: int = 2000,
        seed: int = 0,
        confidence: float = 0.95,
        most: int = 100,
    ) -> ComparisonTables:
        """How far everybody who has answered agrees, task by task; nothing is sent or stored.

        tasks: labels, objects, faces, text, safe_search, ratings; () for all that two answered.
        raters: as `visionhub compare --rater` takes them; () for all.
        crosswalk, codebook: files of `visionhub vocabulary` and your own constructs (TOML).
        codes: a file of what people coded, or several. gold: the coder who is taken as true.
        source: "folder" or "TABLE.csv:COLUMN": where images come from that go together.
        sensitive: guesses about people to compare: age, gender, emotion.
        The result: `.table("measures").to_pandas()`; the other tables are those of `--csv`.
        Raises UsageError when there are no two to compare, StudyError, MissingExtra.
        """
        from visionhub.report.comparing import compare
        from visionhub.report.tabled import ComparisonTables

        with StudyFile(self._file) as study:
            found = compare(
                study,
                tasks=words(tasks),
                raters=items(raters),
                crosswalk=Path(crosswalk) if crosswalk is not None else None,
                codebook=Path(codebook) if codebook is not None else None,
                codes=items(codes),
                gold=gold,
                source=source,
                sensitive=words(sensitive),
                draws=draws,
                seed=seed,
                confidence=confidence,
                most=most,
            )
        return ComparisonTables(**vars(found), file=self._file)

    def drift(
        self,
        provider: str = "",
        *,
        tasks: str | Sequence[str] = (),
        raters: str | Sequence[str] = (),
        canary: str = "",
        source: str | None = None,
        tolerance: float = 1e-4,
        draws: int = 2000,
        seed: int = 0,
        confidence: float = 0.95,
    ) -> DriftTables:
        """Whether a provider's answers about the same photographs have changed; nothing is sent.

        raters: two versions, the earlier one first, as `visionhub drift --rater` takes them;
            default: the two most recent ones that have images in common.
        canary: the moment of a canary (`Canary.ask.canary`), beside the current answers.
        source: "folder" or "TABLE.csv:COLUMN": where images come from that go together.
        tolerance: of scores, as a share of the greater of two.
        The result: `.table("verdicts").to_pandas()`; the other tables are those of `--csv`.
        Raises UsageError when there are no two versions, StudyError, MissingExtra.
        """
        from visionhub.report.drifting import drift
        from visionhub.report.tabled import DriftTables

        with StudyFile(self._file) as study:
            found = drift(
                study,
                provider=provider,
                tasks=words(tasks),
                raters=items(raters),
                canary=canary,
                source=source,
                tolerance=tolerance,
                draws=draws,
                seed=seed,
                confidence=confidence,
            )
        return DriftTables(**vars(found), file=self._file)
