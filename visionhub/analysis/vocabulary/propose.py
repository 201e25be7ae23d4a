"""Fill a crosswalk: identifiers first, words second, vectors last and only as proposals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from visionhub.analysis.vocabulary.anchors import Anchors
from visionhub.analysis.vocabulary.crosswalk import Crosswalk
from visionhub.analysis.vocabulary.identifiers import identifier_rows
from visionhub.analysis.vocabulary.same_words import homonym_rows
from visionhub.analysis.vocabulary.senses import word_rows
from visionhub.analysis.vocabulary.terms import Terms
from visionhub.analysis.vocabulary.wordnet import WordNet

if TYPE_CHECKING:
    from visionhub.analysis.vocabulary.vectors import Embed


def propose(terms: Terms, embed: Embed | None = None, threshold: float | None = None) -> Crosswalk:
    """All rows of all tiers.

    embed: words to vectors, as `vectors.minilm` makes it; None leaves the third tier out.
    threshold: the least cosine that is proposed; None is `vectors.THRESHOLD`.
    """
    wordnet, anchors = WordNet.packaged(), Anchors.packaged()
    known = list(identifier_rows(terms, wordnet, anchors))
    known += list(word_rows(terms, known, wordnet, anchors))
    found = Crosswalk([*known, *homonym_rows(terms, known)])
    if embed is None:
        return found
    from visionhub.analysis.vocabulary.vectors import THRESHOLD, neighbour_rows

    least = THRESHOLD if threshold is None else threshold
    return Crosswalk([*found, *neighbour_rows(terms, found, embed, least)])
