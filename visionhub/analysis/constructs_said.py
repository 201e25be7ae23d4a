"""What a reader should know about figures at the codebook's level: words and lists that are empty.

Two empty lists are alike (Jaccard 1). So a codebook that hardly anybody has words for would look
like agreement: pairs without a common construct have no figure, and notes tell the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from visionhub.analysis.frames import Integers
from visionhub.analysis.labels import LabelPair
from visionhub.analysis.vocabulary.alignment import Alignment, Concepts
from visionhub.analysis.vocabulary.checks import unmatched
from visionhub.analysis.vocabulary.codebook import Codebook
from visionhub.analysis.vocabulary.crosswalk import RELATED

SHOWN = 3  # words that a note names


def empty_lists(pairs: Sequence[LabelPair]) -> Iterator[str]:
    """In what share of the images neither rater of a pair names a construct, over all pairs."""
    told = [pair for pair in pairs if len(pair.images) and not pair.blank]
    shares = [float((_named(pair) == 0).mean()) for pair in told]
    if not shares or not max(shares):
        return
    least, most = (f"{100 * share:.0f} %" for share in (min(shares), max(shares)))
    whose = "neither rater names" if len(pairs) == 1 else "neither rater of a pair names"
    yield (
        f"codebook: in {most if least == most else f'{least} to {most}'} of the images {whose} a "
        "construct. Two empty lists count as agreement (Jaccard 1); the measures of comparable "
        "labels leave these images out."
    )


def _named(pair: LabelPair) -> Integers:
    """(n,) how many constructs the two name in each image, together."""
    first, second = pair.sides
    found: Integers = first.sets.sizes + second.sets.sizes
    return found


def unused_words(codebook: Codebook, alignment: Alignment) -> Iterator[str]:
    """Words of the codebook that no label of any rater answers to."""
    terms = alignment.terms
    used = [row for row in alignment.crosswalk_rows.used if row.relation != RELATED]
    found = [one.text for one in unmatched(codebook, terms, Concepts(terms, used))]
    if found:
        some = "; ".join(found[:SHOWN]) + (" …" if len(found) > SHOWN else "")
        yield f"codebook: {len(found):,} of its words match no label of these raters: {some}."
