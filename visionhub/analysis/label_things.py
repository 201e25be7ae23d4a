"""Labels one by one: the cells of each, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from visionhub.analysis.estimate import Estimate
from visionhub.analysis.frames import Floats, Integers
from visionhub.analysis.labels import TASK, LabelPair
from visionhub.analysis.measured import Measured
from visionhub.analysis.paired import BINARY
from visionhub.analysis.pairs import Pair, returned_by_source, returned_cells
from visionhub.analysis.resample import Sums, estimate, estimates
from visionhub.analysis.settings import Settings

SHARES = ("percent_agreement", "positive_agreement", "negative_agreement")  # from 0 to 1
WHY = {
    "cohen_kappa": "both always said the same: nothing is left to agree about beyond chance",
    "positive_agreement": "neither ever said it",
    "negative_agreement": "both said it of every image",
}


@dataclass(frozen=True)
class Thing:
    """One concept of a pair: counts of images (yes-yes, yes-no, no-yes, no-no), and measures."""

    name: str
    cells: tuple[int, int, int, int]
    unknown: int
    measures: tuple[Measured, ...]


def things(found: LabelPair, settings: Settings) -> list[Thing]:
    """The concepts that both can say, one by one: the most frequent `settings.most` of them."""
    pair = found.comparable
    cells = pair.cells()
    returned, bounds = cells.returned, cells.bounds()
    said = returned[:, :3].sum(axis=1)
    order = np.argsort(-said, kind="stable")[: settings.most]
    chosen = order[said[order] > 0]
    sources = settings.of(found.images)
    by_thing = _measured(pair, chosen, returned, sources, settings)
    return [
        Thing(
            found.level.labels[thing],
            tuple(int(count) for count in returned[thing]),  # type: ignore[arg-type]
            int(cells.unknown[thing]),
            tuple(
                Measured(
                    TASK,
                    name,
                    found.names,
                    one,
                    found.level.name,
                    found.level.labels[thing],
                    lowest=_number(bounds[name][0][thing]) if name in bounds else None,
                    highest=_number(bounds[name][1][thing]) if name in bounds else None,
                )
                for name, one in zip(BINARY, measures, strict=True)
            ),
        )
        for thing, measures in zip(chosen.tolist(), by_thing, strict=True)
    ]


def limits_of(measure: str) -> tuple[float, float]:
    """What a measure of two raters can be at all."""
    return (0.0 if measure in SHARES else -1.0, 1.0)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _measured(
    pair: Pair,
    chosen: Integers,
    returned: Floats,
    sources: Integers | None,
    settings: Settings,
) -> Sequence[Sequence[Estimate]]:
    """For each chosen thing the estimates of BINARY, in its order."""
    if sources is None:
        return [
            [
                estimate(
                    Sums.counted(np.eye(4), returned[thing].astype(np.int64)),
                    measure,
                    settings.how,
                    limits=limits_of(name),
                    why=WHY.get(name, "it is undefined here"),
                )
                for name, measure in BINARY.items()
            ]
            for thing in chosen.tolist()
        ]
    data = returned_by_source(pair, chosen, sources)
    columns = [
        estimates(
            data,
            lambda sums, measure=measure: measure(returned_cells(sums)),  # type: ignore[misc]
            settings.how,
            limits=limits_of(name),
            why=WHY.get(name, "it is undefined here"),
        )
        for name, measure in BINARY.items()
    ]
    return list(zip(*columns, strict=True))
