"""What is drawn on a photograph: shapes by provider and task, each in its colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from visionhub.report.answers import Item, Shown
from visionhub.schema import Point

# Okabe and Ito's colours for the colour-blind (jfly.uni-koeln.de/color, 2008), the lighter first.
PALETTE = ("#56b4e9", "#e69f00", "#009e73", "#f0e442", "#cc79a7", "#d55e00", "#0072b2", "#ffffff")

# Pairs of keypoints that a skeleton joins; points that a model does not name are left out.
_SIDES = (
    ("shoulder", "elbow"),
    ("elbow", "wrist"),
    ("shoulder", "hip"),
    ("hip", "knee"),
    ("knee", "ankle"),
    ("ankle", "foot_index"),
)
SKELETON = (
    ("left_shoulder", "right_shoulder"),
    ("left_hip", "right_hip"),
    *((f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in _SIDES),
)
VISIBLE = 0.5  # keypoints that a model itself thinks hidden are not drawn


@dataclass(frozen=True, slots=True)
class Layer:
    """The boxes, polygons and points of one answer, in one colour."""

    answer: Shown
    colour: str
    items: tuple[Item, ...]

    @property
    def title(self) -> str:
        """Who saw it and what it is."""
        return f"{self.answer.provider} {self.answer.task} ({len(self.items)})"


def layers(answers: Iterable[Shown]) -> list[Layer]:
    """One layer for each answer that has something with a place."""
    placed = [(a, tuple(i for i in a.items if i.box)) for a in answers]
    drawn = [(answer, items) for answer, items in placed if items]
    return [
        Layer(answer, PALETTE[number % len(PALETTE)], items)
        for number, (answer, items) in enumerate(drawn)
    ]


def bones(item: Item) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Lines of a person's skeleton, in ratios, between points that are visible."""
    seen = {point.name: (point.x, point.y) for point in visible(item)}
    return [(seen[a], seen[b]) for a, b in SKELETON if a in seen and b in seen]


def visible(item: Item) -> Sequence[Point]:
    """Points that the model does not think hidden."""
    return [p for p in item.points if p.score is None or p.score >= VISIBLE]
