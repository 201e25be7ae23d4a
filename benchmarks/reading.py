"""Text: how many of the words that stand in a picture were read, by the kind of truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from benchmarks import truth
from benchmarks.asked import Answers, Asked
from benchmarks.figures import Figure
from benchmarks.measures import fragments_found, words_found
from visionhub.schema import Task

Measure: TypeAlias = Callable[[str, Iterable[str]], tuple[int, int]]
FRAGMENTS = "fragments-any-order"


def text(asked: Asked, images: Path) -> Iterator[Figure]:
    """Word recall for each kind of match and of picture; for receipts, whole fragments besides."""
    folder = images / "ocr"
    records = {folder / r["file"]: r for r in truth.records(folder / "truth.jsonl")}
    answers = asked.ask(Task.TEXT, asked.cut(records))
    kinds: dict[tuple[str, str], list[tuple[Path, str]]] = {}
    for file in answers:
        kind = (records[file]["match"], records[file]["level"])
        kinds.setdefault(kind, []).append((file, records[file]["text"]))
    for (match, level), members in sorted(kinds.items()):
        name = f"ocr: {level}, {match} ({len(members)})"
        yield _recall(name, "word recall", "words", words_found, members, answers)
        if match == FRAGMENTS:
            what = "fragment recall, spaces left out"
            yield _recall(name, what, "fragments", fragments_found, members, answers)


def _recall(
    name: str,
    what: str,
    of: str,
    measure: Measure,
    members: Sequence[tuple[Path, str]],
    answers: Answers,
) -> Figure:
    """Pool the counts of some pictures. No interval: the words of a page fail together."""
    counts = [measure(true, [row["text"] for row in answers[file]]) for file, true in members]
    hits, n = sum(hit for hit, _ in counts), sum(total for _, total in counts)
    return Figure("text", name, what, hits / n if n else None, n, of)
