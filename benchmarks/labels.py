"""Agreement on labels over a million images: `make bench-labels`.

Made answers: two raters with 600 words each (names of ImageNet's classes, so that the crosswalk has
something to expand), some eight labels an image, a fifth of them another word, some left out. One
row for the whole pair at two levels, with 1,000 bootstrap draws; one for mean Jaccard and MASI
beside a loop over images with Python's sets, in turns. CPU time of this process, peak memory.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from benchmarks.figures import markdown
from visionhub.analysis.frames import Answers
from visionhub.analysis.label_things import things
from visionhub.analysis.labels import LabelPair
from visionhub.analysis.raters import Rater
from visionhub.analysis.resample import Resampling
from visionhub.analysis.sets import Overlaps
from visionhub.analysis.settings import Settings
from visionhub.analysis.spoken import spoken
from visionhub.analysis.sweep import sweep
from visionhub.analysis.vocabulary.alignment import align
from visionhub.analysis.vocabulary.propose import propose
from visionhub.analysis.vocabulary.wordnet import WordNet

IMAGES, LOOPED, LABELS, DRAWS, ROUNDS = 1_000_000, 50_000, 8, 1_000, 5
CHANGED, SKEW = 0.2, 2.5  # share of labels that are another word; how uneven words are


def vocabulary() -> list[str]:
    """600 words."""
    from visionhub_embedded.imagenet import SYNSETS

    wordnet = WordNet.packaged()
    return sorted({wordnet.name(synset).casefold() for synset in SYNSETS})[:600]


def rater(name: str, seed: int, left_out: float, images: int, words: list[str]) -> Answers:
    """Answers of one rater; all raters look at the same things."""
    truth, own = np.random.default_rng(0), np.random.default_rng(seed)
    at = np.repeat(np.arange(images), LABELS)
    word = (len(words) * truth.random(len(at)) ** SKEW).astype(np.int64)
    other = (len(words) * own.random(len(at)) ** SKEW).astype(np.int64)
    word = np.where(own.random(len(at)) < CHANGED, other, word)
    kept = np.zeros(len(at), dtype=np.bool_)
    kept[np.unique(at * len(words) + word, return_index=True)[1]] = True
    kept &= own.random(len(at)) >= left_out
    at, word = at[kept], word[kept]
    rank = np.arange(len(at)) - np.searchsorted(at, at) + 1
    score = 1 - 0.05 * rank + 0.05 * own.random(len(at))
    return Answers(
        Rater(name, name, 1, vocabulary=name, floor=0.5),
        np.arange(images),
        np.zeros(images, dtype=np.bool_),
        at,
        rank,
        {"score": score},
        {"name": word, "vendor_id": np.full(len(at), -1)},
        {"name": words, "vendor_id": []},
    )


def whole(answers: list[Answers]) -> int:
    """Everything about one pair: sets, alpha, ranks, single labels, the sweep; rows made."""
    terms, speeches = spoken(answers)
    alignment = align(terms, propose(terms))
    settings, rows = Settings(Resampling(DRAWS)), 0
    for level in (alignment.exact, alignment.crosswalk):
        pair = LabelPair.of(*speeches, level)
        rows += len(list(pair.measure(settings)))
        if level is alignment.crosswalk:
            rows += len(things(pair, settings)) + len(sweep(pair, settings))
    return rows


class Loop:
    """Mean Jaccard and MASI as they are written down."""

    def __init__(self, answers: list[Answers], images: int) -> None:
        self.pairs = list(zip(*(_sets(one, images) for one in answers), strict=True))

    def run(self) -> tuple[float, float]:
        jaccard = masi = 0.0
        for a, b in self.pairs:
            both, union = len(a & b), len(a | b)
            share = both / union if union else 1.0
            weight = 1.0 if a == b else 2 / 3 if a <= b or b <= a else 1 / 3 if both else 0.0
            jaccard, masi = jaccard + share, masi + share * weight
        return jaccard / len(self.pairs), masi / len(self.pairs)


def _sets(one: Answers, images: int) -> list[set[int]]:
    found: list[set[int]] = [set() for _ in range(images)]
    for at, word in zip(one.at.tolist(), one.words["name"].tolist(), strict=True):
        if at < images:
            found[at].add(word)
    return found


def _seconds(function: Callable[[], object]) -> float:
    started = time.process_time()
    function()
    return time.process_time() - started


def beside(answers: list[Answers], images: int, looped: int, rounds: int) -> list[str]:
    """Mean Jaccard and MASI, ours and the loop's, in turns."""
    terms, speeches = spoken(answers)
    level = align(terms, propose(terms)).exact
    sets = [one.sets(level) for one in speeches]
    loop = Loop(answers, looped)

    def ours() -> tuple[float, float]:
        found = Overlaps.of(*sets)
        return float(found.jaccard.mean()), float(found.masi.mean())

    part = Overlaps.of(*(one.of_images(np.arange(looped)) for one in sets))
    mine = float(part.jaccard.mean()), float(part.masi.mean())
    if not np.allclose(mine, loop.run()):
        raise SystemExit(f"not the same: {mine} and {loop.run()}")
    rates = [(images / _seconds(ours), looped / _seconds(loop.run)) for _ in range(rounds)]
    ratios = [a / b for a, b in rates]
    middle = f"{statistics.median(ratios):.1f} [{min(ratios):.1f} to {max(ratios):.1f}]"
    each = [f"{statistics.median(column):,.0f}" for column in zip(*rates, strict=True)]
    return ["mean Jaccard and MASI / Python's sets in a loop", *each, middle]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.labels", description=__doc__)
    parser.add_argument("--images", type=int, default=IMAGES)
    chosen = parser.parse_args()
    words = vocabulary()
    answers = [rater("a", 1, 0.1, chosen.images, words), rater("b", 2, 0.3, chosen.images, words)]
    wall = time.monotonic()
    cpu = _seconds(lambda: whole(answers))
    wall = time.monotonic() - wall
    scale = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1e9
    row = [f"{chosen.images:,}", f"{wall:.0f}", f"{cpu:.0f}", f"{peak:.1f}"]
    head = ["image pairs", "seconds", "CPU seconds", "peak GB"]
    print(markdown(head, [row]))
    head = ["what", "images a CPU second", "the loop's", "ratio [range]"]
    print(markdown(head, [beside(answers, chosen.images, min(LOOPED, chosen.images), ROUNDS)]))


if __name__ == "__main__":
    main()
