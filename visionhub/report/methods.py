"""docs/methods.md: how comparison is done, and every measure with its source. `make docs`."""

from __future__ import annotations

from itertools import groupby

from visionhub.analysis.methods import methods
from visionhub.analysis.resample import DRAWS, FEW, FEWEST
from visionhub.analysis.set_alpha import EXACT, PAIRS
from visionhub.analysis.settings import MOST

INTRO = f"""\
# How raters are compared

`visionhub compare` puts everybody who has answered for a task beside everybody else: services,
local models, and people (`--codes`). This page says what its numbers are.

## Who is compared
A rater is a provider at one revision, with one set of parameters, at one model version, or a
person who coded. Where a study holds several versions of a provider, the one with most current
answers is compared and the others are named; `--rater google@2016 --rater google@2017` compares
two of them. Two raters are compared on the images that both have answered for.

## Words, at three levels
- **exact**: the strings themselves, whatever their case.
- **crosswalk**: concepts. Labels are the same by identifiers first (Google's mids, WordNet's
  synsets, Rekognition's aliases), by words second (lemmas, then WordNet's senses), and by word
  vectors only where somebody has accepted the proposal (`visionhub vocabulary`). Both sides are
  expanded to what is broader, Rekognition's parents and WordNet's hypernyms, so that a collie of
  one meets the dog of the other. A concept that nobody says itself (entity, object) is left out.
- **codebook**: your own constructs (`codebook.toml`), which win over everything.

A concept is *comparable* when both raters can say it, themselves or by something narrower: where
a rater has no word for a thing, its silence is no "no". Measures named `…_comparable` leave out
the rest and the images in which neither said anything comparable; the others count a word that
the other has none for as disagreement. How much of each rater's labels could be mapped, by which
tier, and which labels fell together, stands beside the measures. The crosswalk is a table with a
hash that every result names.

## What is absent
A service reports what reaches its floor, and so many labels at most. A label that is not there
has a score below the floor, or below the last one that there was room for: it is censored. What
was returned counts as said, what was not as not said; `lowest` and `highest` are what the measure
can come to, whatever the censored scores are (Manski 2003). A service that names no floor is
taken to have one at the lowest score it gave.

Scores of two raters are not comparable numbers, so no cut can be shared. The sweep cuts both to
the same number of labels an image, from what was returned down to the surest few, with a
threshold of its own for each; its first point asks what would be if both reported everything,
where only bounds are known.

## Intervals
All measures are functions of sums over images, and whole sources of images are resampled:
accounts, outlets, cameras, given with `--source posts.csv:account` or `--source folder`. Images
of one source are not independent, and intervals that ignore that are too narrow. Percentile
bootstrap with {DRAWS:,} draws (Efron 1979; Davison & Hinkley 1997, section 3.8); fewer than {FEW}
sources take the delete-one jackknife with a t distribution (Efron & Stein 1981); fewer than
{FEWEST} give no interval. Some intervals are analytic, and say so. What cannot be estimated says
why: it is never 0. Of single labels the {MOST} most frequent are measured (`--most`). Alpha of
lists needs the distance of every two lists: exact for up to {EXACT:,} different ones, else from
{PAIRS:,} random pairs, whose error is told.

Hundreds of labels are hundreds of intervals: at 95 % one in twenty misses by chance. They
describe; a test of many labels belongs to `visionhub drift`, which adjusts for their number.

## Boxes and faces
Boxes are matched one to one so that the sum of intersection over union (IoU) is greatest among
pairs that reach the threshold; pairs below it displace nothing. Nobody is taken as true:
precision and recall are of one against the other. With `--gold CODER` average precision is
COCO's. A service's face box may be of the skin or of the head: see how agreement falls from IoU
.3 to .75. What is said about faces is compared for faces that both found, from IoU .3 on. Age,
gender and emotion are guesses from appearance and are compared only when named (`--sensitive
age,gender,emotion`).

## People
A coder's yes is a label; a coder's no (value 0) counts in the matrix of all raters, where what
was not decided is missing, not "no". With three raters and more, agreement is shown of all and
without each in turn: who is the odd one out.

## Dates
`visionhub drift` puts two versions of one provider side by side, or its answers of two dates.
Labels are matched by identifier where both have one, else by name, so that a renamed label is a
rename and not one lost and one gained. Each label's changes are tested (McNemar 1947; sources are
flipped whole where they are known) and adjusted for the number of labels (Holm 1979). Two canaries
of one day show what differs without a change: the noise beside which a drift is read.

## Measures
a: both said yes, b: only the first, c: only the second, d: neither.
"""


def page() -> str:
    """The page as Markdown."""
    lines = [INTRO]
    for group, members in groupby(methods().values(), key=lambda one: one.group):
        lines += [f"### {group}", "", "| measure | name | what it is | bounds | source |"]
        lines += ["|---|---|---|---|---|"]
        lines += [
            _row(one.title, f"`{one.name}`", one.text, one.bounds, one.source) for one in members
        ]
        lines.append("")
    return "\n".join(lines)


def _row(*cells: str) -> str:
    """A line of a table; a bar within a cell would end it."""
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201
