"""`visionhub vocabulary review`: what a person is asked about a proposal, and what they see."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visionhub.report.plain import counted, plain
from visionhub.report.vocabulary import read_crosswalk, write_crosswalk
from visionhub.store.study import StudyFile

if TYPE_CHECKING:
    from visionhub.analysis.vocabulary.crosswalk import Row

ANSWERS = "yes, no, exact, broader, narrower, related, skip or quit"
SKIP, QUIT = "skip", "quit"
EXAMPLES = 3
LONGEST = 100
_ASKS = {
    "exact": "Do they mean the same?",
    "narrower": "Is the first a kind of the second?",
    "broader": "Is the second a kind of the first?",
    "related": "Are they related, and no more?",
}
_SEEN = (
    "SELECT count(DISTINCT t.image), min(t.path), max(t.path) FROM {view} t JOIN requests r ON "
    "r.id = t.request_id JOIN questions q ON q.id = r.question_id WHERE lower(t.name) = lower(?) "
    "AND (? = '' OR coalesce(nullif(q.vocabulary, ''), q.provider) = ?)"
)


@dataclass(frozen=True, slots=True)
class Question:
    """A row that nobody has decided: what is asked, with what is known of both labels."""

    row: Row
    lines: tuple[str, ...]
    asks: str
    weight: int

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        names = (
            "vocabulary_a",
            "label_a",
            "vocabulary_b",
            "label_b",
            "relation",
            "source",
            "score",
        )
        said = {name: getattr(self.row, name) for name in names}
        return {**said, "asks": self.asks, "seen": list(self.lines)}


class Review:
    """A crosswalk's undecided rows, one after another; each decision is saved at once."""

    def __init__(self, path: Path, study: StudyFile | None = None) -> None:
        self.path = path
        self._study = study
        self._table = read_crosswalk(path, "The crosswalk")
        self.decided = 0

    def questions(self) -> list[Question]:
        """What is open, the labels met most often first where there is a study to look into."""
        found = [self._question(row) for row in self._table if not row.decision]
        return sorted(found, key=lambda question: -question.weight)

    def answer(self, question: Question, said: str) -> str | None:
        """Take an answer: what it was taken for, or None when it is no answer."""
        word = meant(said)
        if word in (None, SKIP, QUIT):
            return word
        relation = question.row.relation if word in ("yes", "no") else word
        decision = "rejected" if word == "no" else "accepted"
        self._table = self._table.decided(question.row, relation or "", decision)
        write_crosswalk(self._table, self.path)
        self.decided += 1
        return word

    def summary(self) -> dict[str, Any]:
        """Where the table stands."""
        left = sum(not row.decision for row in self._table)
        return {
            "crosswalk": str(self.path),
            "decided": self.decided,
            "undecided": left,
            "sha256": self._table.sha256,
        }

    def _question(self, row: Row) -> Question:
        sides = (row.vocabulary_a, row.label_a), (row.vocabulary_b, row.label_b)
        seen = [self._seen(*side) for side in sides]
        lines = [
            f"{plain(label, LONGEST)!r} of {plain(vocabulary or 'any vocabulary')}{text}"
            for (vocabulary, label), (_, text) in zip(sides, seen, strict=True)
        ]
        score = "" if row.score is None else f" ({row.score:.2f})"
        lines.append(f"proposed: {row.relation}, by {plain(row.source, LONGEST)}{score}")
        weight = sum(images for images, _ in seen)
        return Question(row, tuple(lines), _ASKS[row.relation], weight)

    def _seen(self, vocabulary: str, label: str) -> tuple[int, str]:
        """In how many images a label is, and where; of WordNet what it means."""
        from visionhub.analysis.vocabulary.wordnet import VOCABULARY, WordNet, synset_of

        synset = synset_of(label) or ""
        if vocabulary == VOCABULARY and synset in WordNet.packaged():
            return 0, _meaning(synset)
        if self._study is None:
            return 0, ""
        images, paths = 0, dict[str, None]()
        name = label.partition(" [")[0]
        for view in ("v_labels", "v_objects"):
            sql = _SEEN.format(view=view)
            count, *some = self._study.query(sql, (name, vocabulary, vocabulary)).rows[0]
            images += count
            paths.update(dict.fromkeys(plain(path) for path in some if path))
        text = f": {counted(images, 'image')}"
        return images, text + (f", such as {', '.join(list(paths)[:EXAMPLES])}" if paths else "")


def _meaning(synset: str) -> str:
    from visionhub.analysis.vocabulary.wordnet import WordNet

    wordnet = WordNet.packaged()
    words = ", ".join(wordnet.words(synset))
    kinds = ", ".join(wordnet.name(parent) for parent in wordnet.parents(synset))
    return f": {words}" + (f"; a kind of {kinds}" if kinds else "")


def meant(said: str) -> str | None:
    """The answer that a word, or the beginning of one, stands for; n is no."""
    word = said.strip().lower()
    if word in ("n", "no"):
        return "no"
    choices = ("yes", "exact", "broader", "narrower", "related", SKIP, QUIT)
    fitting = [choice for choice in choices if word and choice.startswith(word)]
    return fitting[0] if fitting else None
