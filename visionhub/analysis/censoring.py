"""What an absent thing means, and how far it can move an agreement.

A service reports what reaches its floor, and so many results at most. What it does not report has
a score below that floor, or below the last one that it had room for: it is censored, and not "no".
Against a threshold t a thing is "yes" from t on, "no" when its score is known to lie below t, and
unknown otherwise. Assigning the unknown in the way that agrees most, and least, bounds an agreement
without any assumption (Manski 2003, chapter 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from visionhub.analysis.frames import Answers, Floats
from visionhub.analysis.paired import BINARY

YES, NO, UNKNOWN = 0, 1, 2
RISING = (
    "percent_agreement",
    "cohen_kappa",
    "gwet_ac1",
    "pabak",
    "positive_agreement",
    "negative_agreement",
)
"""Measures of BINARY that rise whenever a disagreement becomes an agreement."""


def floor_of(answers: Answers) -> float:
    """The lowest score that a rater reports: as it declares, or else the lowest that it gave.

    A service that names no floor still has one; -inf where it has given no score at all.
    """
    if answers.rater.floor is not None:
        return answers.rater.floor
    scores = answers.numbers["score"]
    known = scores[~np.isnan(scores)]
    return float(known.min()) if len(known) else -np.inf


def ceilings(answers: Answers) -> Floats:
    """(n,) the score below which everything lies that a rater has not reported for an image.

    A list that was cut off may go on with a score as high as its last one.
    """
    found = np.full(len(answers.images), floor_of(answers))
    lowest = np.full(len(answers.images), np.inf)
    np.minimum.at(lowest, answers.at, np.nan_to_num(answers.numbers["score"], nan=np.inf))
    cut = answers.truncated & np.isfinite(lowest)
    found[cut] = np.nextafter(np.maximum(found, lowest)[cut], np.inf)
    return found


@dataclass(frozen=True)
class Cells:
    """(..., 3, 3) counts of images: what one rater says (yes, no, unknown), and what the other."""

    counts: Floats

    @property
    def returned(self) -> Floats:
        """(..., 4) yes-yes, yes-no, no-yes, no-no, where what is unknown was not returned."""
        c = self.counts
        rest = c.sum((-2, -1)) - c[..., 0, :].sum(-1) - c[..., 1:, 0].sum(-1)
        return np.stack([c[..., 0, 0], c[..., 0, 1:].sum(-1), c[..., 1:, 0].sum(-1), rest], -1)

    @property
    def unknown(self) -> Floats:
        """(...,) images in which either is unknown."""
        return np.asarray(self.counts[..., 2, :].sum(-1) + self.counts[..., :2, 2].sum(-1))

    def bounds(self) -> dict[str, tuple[Floats, Floats]]:
        """Lowest and highest (...,) of every measure in RISING, by name.

        All are attained at the ends, because each rises whenever a disagreement becomes an
        agreement. Where both are unknown the assignment among agreements (or disagreements) is the
        one that gives the extreme: for kappa the balanced one, for AC1 the most one-sided.
        """
        yes, no, split = self._agreeing()
        to_yes = np.clip((no + split - yes) // 2, 0, split)
        balanced = self._agreed(yes + to_yes, no + split - to_yes)
        all_yes, all_no = self._agreed(yes + split, no), self._agreed(yes, no + split)
        worst = self._worst()
        at = {"cohen_kappa": (balanced,), "gwet_ac1": (all_yes, all_no)}
        at["negative_agreement"] = (all_no,)
        return {
            name: (
                BINARY[name](worst),
                np.fmax.reduce([BINARY[name](cells) for cells in at.get(name, (all_yes,))]),
            )
            for name in RISING
        }

    def _agreeing(self) -> tuple[Floats, Floats, Floats]:
        """yes-yes and no-no when the unknown agrees, and what may be either."""
        c = self.counts
        yes = c[..., 0, 0] + c[..., 0, 2] + c[..., 2, 0]
        no = c[..., 1, 1] + c[..., 1, 2] + c[..., 2, 1]
        return yes, no, c[..., 2, 2]

    def _agreed(self, yes: Floats, no: Floats) -> Floats:
        """(..., 4) cells where no more disagree than are known to."""
        return np.stack([yes, self.counts[..., 0, 1], self.counts[..., 1, 0], no], axis=-1)

    def _worst(self) -> Floats:
        """(..., 4) cells where all that is unknown disagrees, as evenly as it can."""
        c = self.counts
        first = c[..., 0, 1] + c[..., 0, 2] + c[..., 2, 1]
        second = c[..., 1, 0] + c[..., 1, 2] + c[..., 2, 0]
        split = c[..., 2, 2]
        to_first = np.clip((second + split - first) // 2, 0, split)
        disagreed = first + to_first, second + split - to_first
        return np.stack([c[..., 0, 0], *disagreed, c[..., 1, 1]], axis=-1)
