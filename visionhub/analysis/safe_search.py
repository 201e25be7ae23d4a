"""How far two raters agree about unsafe content.

Vendors cut it up differently, so that categories are put beside one another construct by construct.
These are related, not equal: "racy" is a judgement, "swimwear or underwear" a thing that is seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from visionhub.analysis.frames import Answers
from visionhub.analysis.located import Located
from visionhub.analysis.measured import Measured
from visionhub.analysis.scored import WORDS, Scored, agreement
from visionhub.analysis.settings import Settings

TASK = "safe_search"
# Categories of each construct, lower case: Google's likelihoods; Amazon's moderation labels, top
# level and second, of its taxonomies 6 and 7; open_nsfw. Amazon's documentation of its taxonomy.
CONSTRUCTS: Mapping[str, Sequence[str]] = {
    "adult": ("adult", "explicit", "explicit nudity", "nsfw"),
    "racy": (
        "racy",
        "suggestive",
        "swimwear or underwear",
        "non-explicit nudity of intimate parts and kissing",
        "non-explicit nudity",
    ),
    "violence": ("violence",),
    "medical": ("medical",),
    "spoof": ("spoof",),
}


def measures(first: Answers, second: Answers, settings: Settings) -> Iterator[Measured]:
    """Every construct that both have a category for, in all that they have ever said."""
    two = Located.of(TASK, [first, second])
    a, b = two.answers
    named = {n: c for n, c in CONSTRUCTS.items() if offers(first, c) and offers(second, c)}
    others = {one: (one,) for one in sorted(_other(first) & _other(second))}
    for name, categories in {**named, **others}.items():
        pair = scored(a, categories), scored(b, categories)
        yield from agreement(TASK, name, pair[0], pair[1], two.images, settings)


def offers(answers: Answers, categories: Sequence[str]) -> bool:
    """Whether a rater has a word for a construct: one that it has used."""
    return not used(answers).isdisjoint(categories)


def used(answers: Answers) -> set[str]:
    """The categories of a rater's rows, lower case; `texts` may hold those of other versions."""
    texts = answers.texts["category"]
    return {texts[at].lower() for at in np.unique(answers.words["category"]).tolist()}


def _other(answers: Answers) -> set[str]:
    """Categories of no construct, lower case."""
    return used(answers) - {one for categories in CONSTRUCTS.values() for one in categories}


def scored(answers: Answers, categories: Sequence[str]) -> Scored:
    """(images,) the highest score among some categories.

    A category that an image lacks lies below the floor of a rater that reports by score, and is
    missing of one that rates every category.
    """
    places = [at for at, t in enumerate(answers.texts["category"]) if t.lower() in categories]
    rows = np.flatnonzero(np.isin(answers.words["category"], places))
    n, name = len(answers.images), answers.rater.name
    if answers.rater.scale == WORDS:
        said = np.full(n, "", dtype=object)
        likely = np.array([*answers.texts["score_word"], ""], dtype=object)
        said[answers.at[rows]] = likely[answers.words["score_word"][rows]]
        return Scored.of_words(name, said)
    numbers, below = np.full(n, np.nan), np.ones(n, dtype=np.bool_)
    np.fmax.at(numbers, answers.at[rows], answers.numbers["score"][rows])
    below[answers.at[rows]] = False  # a category without a score is missing, not low
    return Scored.of_numbers(name, answers.rater.scale, numbers, below)
