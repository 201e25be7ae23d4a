"""The same label at two times: by the vendor's identifier, and by its name where there is none.

A label whose identifier stays and whose name changes was renamed; it was not lost. One whose name
stays and whose identifier changes is the same too, where neither time has both identifiers.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from visionhub.analysis.frames import Answers, Bools, Integers

Term: TypeAlias = tuple[str, str]  # a name, and an identifier or ""
BEFORE, AFTER = 0, 1


@dataclass(frozen=True)
class Words:
    """Labels of two versions as numbers of things.

    things: (before, after), each (m,) numbers from 0 for the version's rows. terms: of each thing,
    the terms by which either version says it, before and after.
    """

    things: tuple[Integers, Integers]
    terms: tuple[tuple[tuple[Term, ...], tuple[Term, ...]], ...]

    def __len__(self) -> int:
        return len(self.terms)

    @classmethod
    def of(
        cls, before: Answers, after: Answers, name: str = "name", vendor_id: str = "vendor_id"
    ) -> Words:
        """From all answers of both. vendor_id: the column of identifiers; "" for none."""
        sides = [_terms(one, name, vendor_id) for one in (before, after)]
        group = _grouped([terms for terms, _ in sides])
        numbers: dict[str, int] = {}
        found: list[tuple[dict[Term, None], dict[Term, None]]] = []
        things = []
        for side, (terms, row) in enumerate(sides):
            codes = []
            for term in terms:
                number = numbers.setdefault(group[side, term], len(numbers))
                found.extend([({}, {})] if number == len(found) else [])
                found[number][side][term] = None
                codes.append(number)
            things.append(np.array(codes, dtype=np.int64)[row])
        return cls((things[0], things[1]), tuple((tuple(a), tuple(b)) for a, b in found))

    def label(self, thing: int) -> str:
        """What a thing is called, by the later version if it says it."""
        before, after = self.terms[thing]
        return (after or before)[0][0]

    def vendor_id(self, thing: int) -> str:
        """Its identifier, by the later version if it has one; "" for none."""
        before, after = self.terms[thing]
        return next((number for _, number in (*after, *before) if number), "")

    def changes(self, images: tuple[Integers, Integers]) -> Iterator[dict[str, Any]]:
        """Rows about things that are called otherwise, are new, or are gone.

        images: (before, after), each (things,) of how many images each version says it, among those
        that are compared. What is new was never said before, of any image.
        """
        for thing, (before, after) in enumerate(self.terms):
            counts = {"images_a": int(images[BEFORE][thing]), "images_b": int(images[AFTER][thing])}
            names, ids = (_names(before), _names(after)), (_ids(before), _ids(after))
            if all(names) and not names[0] & names[1]:
                yield self._row("renamed", thing, names[BEFORE], counts)
            if all(ids) and not ids[0] & ids[1]:
                yield self._row("another identifier", thing, ids[BEFORE], counts)
            if not before and counts["images_b"]:
                yield self._row("new", thing, (), counts)
            if not after and counts["images_a"]:
                yield self._row("gone", thing, (), counts)

    def _row(
        self, change: str, thing: int, was: Iterable[str], counts: dict[str, int]
    ) -> dict[str, Any]:
        label, number = self.label(thing), self.vendor_id(thing)
        then = ", ".join(sorted(was))
        return {"change": change, "label": label, "vendor_id": number, "was": then, **counts}


def rows_about(one: Answers, images: Integers) -> Bools:
    """(m,) which of a version's rows are about some images, all of which it has answered for."""
    wanted = np.zeros(len(one.images), dtype=np.bool_)
    wanted[np.searchsorted(one.images, images)] = True
    return wanted[one.at]


def _names(terms: Iterable[Term]) -> set[str]:
    return {name for name, _ in terms}


def _ids(terms: Iterable[Term]) -> set[str]:
    return {number for _, number in terms if number}


def _terms(one: Answers, name: str, vendor_id: str) -> tuple[list[Term], Integers]:
    """The distinct terms of a version's rows, and (m,) which each row has."""
    names, ids = one.texts[name], one.texts[vendor_id] if vendor_id else []
    number = one.words[vendor_id] if vendor_id else np.full(len(one.at), -1, dtype=np.int64)
    width = len(ids) + 1
    pairs, row = np.unique(one.words[name] * width + number + 1, return_inverse=True)
    terms = [(names[p // width], ids[p % width - 1] if p % width else "") for p in pairs.tolist()]
    return terms, row


def _grouped(sides: Sequence[Sequence[Term]]) -> dict[tuple[int, Term], str]:
    """For each version's terms a key that the same label has in both.

    Its identifier, or its name where it has none. Two keys that are not both versions' and are one
    name, and no other, in each of them are one: that of the later version.
    """
    keyed = [[(term, _key(term)) for term in terms] for terms in sides]
    shared = {key for _, key in keyed[BEFORE]} & {key for _, key in keyed[AFTER]}
    by_name = [_by_name(pairs) for pairs in keyed]
    links: set[tuple[str, str]] = set()
    for name in by_name[BEFORE].keys() & by_name[AFTER].keys():
        then, now = by_name[BEFORE][name], by_name[AFTER][name]
        if len(then) == len(now) == 1 and not (then | now) & shared:
            links.add((next(iter(then)), next(iter(now))))
    ends = Counter((side, key) for link in links for side, key in enumerate(link))
    one = {a: b for a, b in links if ends[BEFORE, a] == ends[AFTER, b] == 1}
    return {
        (side, term): one.get(key, key) if side == BEFORE else key
        for side, pairs in enumerate(keyed)
        for term, key in pairs
    }


def _key(term: Term) -> str:
    name, number = term
    return f"id {number}" if number else f"name {name.casefold()}"


def _by_name(pairs: Iterable[tuple[Term, str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for (name, _), key in pairs:
        found[name.casefold()].add(key)
    return found
