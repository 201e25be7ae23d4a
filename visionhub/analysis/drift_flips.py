"""Which labels are given of other images than before: McNemar's test, label by label.

A flip is an image that a label was given of at one time and not at the other. Without any change
both directions are equally likely (McNemar 1947). Of hundreds of labels some flip in one direction
by chance, so that p-values are adjusted over all that were tested: Holm (1979) for any false alarm,
Benjamini & Hochberg (1995) for the share of false alarms.

Images of one source do not flip independently. Where sources are known, a source's net change is
the unit, and its sign is what chance decides: a randomisation test (Fisher 1935, section 21), which
is McNemar's exact test where each source has one image. Beyond what can be enumerated the statistic
of Yang, Sun & Hardin (2010), Biometrical Journal 52:638-652, for clustered pairs is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from visionhub.analysis.drift_scores import Scores
from visionhub.analysis.estimate import Estimate
from visionhub.analysis.frames import Floats, Integers
from visionhub.analysis.given import sources_of
from visionhub.analysis.mcnemar import EXACT, adjust, mcnemar_p
from visionhub.analysis.pairs import Pair, returned_by_source, returned_cells
from visionhub.analysis.proportions import newcombe_paired
from visionhub.analysis.resample import Resampling, estimates, ratio

LABELS = 256  # whose intervals are made from the same draws at once
ENUMERATED = 4_000_000  # steps of an exact test of sources; beyond, the statistic is approximated


@dataclass(frozen=True, slots=True)
class Flip:
    """One label at two times.

    cells: images with it at both, then only, now only, at neither. near: (lost, gained) of these
    with a score near to the floor. difference: share of images now less then. p_value: None where
    nothing flipped; holm, fdr_bh: adjusted over all labels that were tested.
    """

    thing: int
    cells: tuple[int, int, int, int]
    near: tuple[int, int]
    difference: Estimate
    p_value: float | None
    holm: float | None
    fdr_bh: float | None
    test: str

    @property
    def lost(self) -> int:
        """Images that it was given of, and is not any more."""
        return self.cells[1]

    @property
    def gained(self) -> int:
        """Images that it is given of, and was not."""
        return self.cells[2]


def flips(pair: Pair, scores: Scores, sources: Integers | None, how: Resampling) -> list[Flip]:
    """Every label that either gave, the surest change first.

    scores: of the pair's rows. sources: (images,) or None.
    """
    sources = sources_of(sources, pair.n)
    lost, gained, near = scores.lost, scores.gained, scores.near
    both, then, now, then_near, now_near = (
        np.bincount(pair.thing[rows], minlength=pair.things)
        for rows in (scores.kept, lost, gained, lost & near, gained & near)
    )
    things = np.flatnonzero(both + then + now)
    cells = np.stack([both, then, now, pair.n - both - then - now], axis=1)[things]
    p_values, tests = _tested(pair, scores, things, cells, sources)
    holm, fdr_bh = adjust(p_values, "holm"), adjust(p_values, "fdr_bh")
    differences = _differences(pair, things, cells, sources, how)
    found = [
        Flip(
            int(thing),
            tuple(int(count) for count in cells[at]),  # type: ignore[arg-type]
            (int(then_near[thing]), int(now_near[thing])),
            differences[at],
            _number(p_values[at]),
            _number(holm[at]),
            _number(fdr_bh[at]),
            tests[at],
        )
        for at, thing in enumerate(things.tolist())
    ]
    return sorted(found, key=_surest)


def _surest(flip: Flip) -> tuple[float, float, int, int]:
    holm, p = (2.0 if value is None else value for value in (flip.holm, flip.p_value))
    return holm, p, -(flip.lost + flip.gained), flip.thing


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _tested(
    pair: Pair, scores: Scores, things: Integers, cells: Integers, sources: Integers | None
) -> tuple[Floats, list[str]]:
    """(T,) p-values, nan where nothing flipped, and the name of each test."""
    changed = cells[:, 1] + cells[:, 2]
    if sources is None:
        return mcnemar_p(cells[:, 1], cells[:, 2]), [_mcnemar(n) for n in changed.tolist()]
    nets = _nets(pair, scores, things, sources)
    found = [sign_flip_p(net) if len(net) else (np.nan, "") for net in nets]
    return np.array([p for p, _ in found], dtype=np.float64), [name for _, name in found]


def _mcnemar(changed: int) -> str:
    kind = "exact" if changed < EXACT else "mid-p"
    return f"McNemar, {kind}" if changed else ""


def _nets(pair: Pair, scores: Scores, things: Integers, sources: Integers) -> list[Integers]:
    """For each thing the net change of every source that has one."""
    gained = scores.gained
    rows = np.flatnonzero(scores.lost | gained)
    width = int(sources.max(initial=0)) + 1
    keys, place = np.unique(
        pair.thing[rows] * width + sources[pair.image[rows]], return_inverse=True
    )
    net = np.bincount(place, np.where(gained[rows], 1.0, -1.0), len(keys)).astype(np.int64)
    keys, net = keys[net != 0], net[net != 0]
    starts = np.searchsorted(keys, things * width)
    ends = np.searchsorted(keys, (things + 1) * width)
    return [net[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]


def sign_flip_p(nets: Integers) -> tuple[float, str]:
    """Two-sided p-value of "a source's change is as likely the other way round", and its method.

    nets: each source's changes, in one direction less those in the other, without zeros. Mid-p from
    25 sources on, as McNemar's test here.

    >>> sign_flip_p(np.array([1, 1, 1, 1, -1]))
    (0.375, 'sign flips of sources, exact')
    """
    sizes, total = np.abs(nets), abs(int(nets.sum()))
    reach = int(sizes.sum())
    if len(sizes) * (2 * reach + 1) > ENUMERATED:
        from scipy import stats

        statistic = total**2 / float((sizes.astype(np.float64) ** 2).sum())
        return float(stats.chi2.sf(statistic, 1)), "sign flips of sources, Yang et al. 2010"
    chances = np.zeros(2 * reach + 1)
    chances[reach] = 1.0
    for size in sizes.tolist():
        chances = (_moved(chances, size) + _moved(chances, -size)) / 2
    p = min(1.0, 2 * float(chances[reach + total :].sum()))
    if len(sizes) < EXACT:
        return p, "sign flips of sources, exact"
    seen = float(chances[reach + total])
    return p - (seen if total else seen / 2), "sign flips of sources, mid-p"


def _moved(chances: Floats, by: int) -> Floats:
    """The distribution of a sum after a step; nothing reaches beyond the ends."""
    found = np.zeros_like(chances)
    if by > 0:
        found[by:] = chances[:-by]
    else:
        found[:by] = chances[-by:]
    return found


def _differences(
    pair: Pair, things: Integers, cells: Integers, sources: Integers | None, how: Resampling
) -> Sequence[Estimate]:
    """(T,) share of images now less then: Newcombe's interval, or by resampling sources."""
    if sources is None:
        turned = cells[:, [0, 2, 1, 3]]  # newcombe_paired gives first less second
        return [newcombe_paired(table, how.level) for table in turned]
    return [one for some in _blocks(things) for one in _resampled(pair, some, sources, how)]


def _blocks(things: Integers) -> Iterator[Integers]:
    for start in range(0, len(things), LABELS):
        yield things[start : start + LABELS]


def _resampled(
    pair: Pair, things: Integers, sources: Integers, how: Resampling
) -> Sequence[Estimate]:
    def difference(sums: Floats) -> Floats:
        cells = returned_cells(sums)
        return ratio(cells[..., 2] - cells[..., 1], cells.sum(-1))

    return estimates(returned_by_source(pair, things, sources), difference, how, limits=(-1, 1))
