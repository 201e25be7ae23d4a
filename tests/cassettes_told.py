"""What each cassette must tell, kept by hand; see tests/test_cassettes.py.

Who records an answer anew, or adds a picture, looks at what came and writes the row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from visionhub.schema import Annotation, Box, Task


def box(of: Box | None) -> tuple[float, ...]:
    """Sides in hundredths of the picture; a box that was cut has a fifth number."""
    assert of is not None
    sides = (round(side * 100) for side in (of.x_min, of.y_min, of.x_max, of.y_max))
    return (*sides, 1) if of.clipped else tuple(sides)


def rated(score: Any) -> float | str | None:
    return (score.word or round(score.value, 2)) if score else None


TELLS: Mapping[Task, Callable[[Any], tuple[Any, ...]]] = {
    Task.LABELS: lambda x: (x.name, rated(x.score), x.vendor_id or x.parents),
    Task.OBJECTS: lambda x: (x.name, rated(x.score), box(x.box)),
    Task.FACES: lambda x: (rated(x.score), box(x.box), round(x.yaw), round(x.pitch)),
    Task.PEOPLE: lambda x: (rated(x.score), box(x.box), len(x.equipment)),
    Task.TEXT: lambda x: (x.level, x.text, rated(x.score), box(x.box)),
    Task.SAFE_SEARCH: lambda x: (x.category, rated(x.score), x.parent, x.level),
    Task.LANDMARKS: lambda x: (x.name, rated(x.score), box(x.box), x.locations[-1]),
    Task.LOGOS: lambda x: (x.name, rated(x.score), box(x.box)),
    Task.COLORS: lambda x: (x.region, x.name, round(x.fraction, 3), x.group or rated(x.score)),
    Task.CROP_HINTS: lambda x: (box(x.box), rated(x.score), round(x.importance, 2)),
    Task.WEB: lambda x: (x.kind, x.text, rated(x.score), x.page),
    Task.CELEBRITIES: lambda x: (x.name, rated(x.score), box(x.box), x.urls[:1], x.gender),
    Task.FACE_MATCHES: lambda x: (rated(x.similarity), box(x.box)),
}
"""What is held of each thing, by task."""

PAGES = "https://www.example.org/towers"
EXPECTED: Mapping[str, tuple[int, set[tuple[Any, ...]]]] = {
    "google/labels_street": (
        6,
        {("Street", 0.93, "/m/01c8br"), ("Car", 0.88, "/m/0k4j"), ("Bakery", 0.53, "/m/0h8n5zk")},
    ),
    "google/objects_street": (
        5,
        {
            ("Car", 0.94, (5, 73, 33, 92)),
            ("Car", 0.9, (40, 67, 68, 85)),
            ("Building", 0.73, (0, 16, 30, 63)),  # no x at its left side
        },
    ),
    "google/faces_couple": (
        2,
        {(0.98, (55, 21, 85, 74), 3, -7), (0.83, (0, 25, 21, 70, 1), -22, -2)},
    ),
    "google/text_sign": (
        12,
        {
            (
                "page",
                "CITY LIBRARY\nOpen Monday to Friday, 9 to 17\nCafé upstairs",
                0.95,
                (8, 12, 77, 84),
            ),
            ("line", "CITY LIBRARY", None, (8, 12, 77, 29)),
            ("line", "Open Monday to Fri-", None, (8, 39, 67, 49)),
            ("line", "day, 9 to 17", None, (8, 53, 44, 63)),
            ("word", "Café", 0.91, (8, 74, 22, 84)),
        },
    ),
    "google/safe_search_street": (
        5,
        {("adult", "VERY_UNLIKELY", None, 1), ("spoof", "LIKELY", None, 1)},
    ),
    "google/landmarks_tower": (
        2,
        {
            ("Lattice Tower", 0.78, (0, 3, 76, 86), (-33.8523, -151.2108)),
            ("/m/0zz9invented", 0.41, (24, 2, 78, 88), (48.8584, 2.2945)),  # it has no name
        },
    ),
    "google/logos_street": (
        2,
        {("Bakery & Sons", 0.62, (32, 31, 57, 40)), ("Red Motors", 0.33, (5, 78, 33, 89))},
    ),
    "google/colors_street": (
        6,
        {("image", "#96c4e8", 0.241, 0.31), ("image", "#000000", 0.005, 0.01)},  # black: no member
    ),
    "google/crop_hints_street": (
        2,
        {((0, 25, 100, 100), 0.72, 0.92), ((34, 0, 100, 100), 0.44, 0.0)},
    ),
    "google/web_tower": (
        13,
        {
            ("entity", "Tower", 1.21, None),
            ("entity", "/g/11zzinvent", 0.33, None),
            ("best_guess", "lattice tower clip art", None, None),
            ("page", "Drawings of <b>towers</b>", None, None),
            ("full_match", "https://pictures.example.org/tower.png", None, PAGES),
            ("similar", "https://pictures.example.org/mast.jpg", None, None),
        },
    ),
    "rekognition/labels_street": (
        7,
        {
            ("Car", 98.87, ("Transportation", "Vehicle")),
            ("Person", 96.4, ()),
            ("Bakery", 55.21, ("Shop",)),
        },
    ),
    "rekognition/objects_street": (
        6,  # all instances; Street, Vehicle and Bakery have none and are no objects
        {
            ("Car", 98.87, (5, 73, 33, 92)),
            ("Car", 97.12, (40, 67, 68, 85)),
            ("Person", 60.25, (94, 60, 100, 90, 1)),
        },
    ),
    "rekognition/colors_street": (
        7,
        {
            ("image", "#96c4e8", 0.241, "blue"),
            ("foreground", "#c4282c", 0.385, "red"),
            ("background", "#000000", 0.012, "black"),
        },
    ),
    "rekognition/faces_couple": (
        2,
        {(99.98, (53, 15, 87, 75), 3, -4), (96.41, (0, 21, 23, 74, 1), -24, -2)},
    ),
    "rekognition/text_sign": (
        12,
        {
            ("line", "CITY LIBRARY", 99.62, (8, 12, 77, 29)),
            ("word", "Fri-", 95.68, (56, 39, 66, 49)),
            ("word", "Café", 90.2, (8, 74, 22, 84)),
        },
    ),
    "rekognition/safe_search_street": (
        5,
        {
            ("Smoking", 58.92, "Drugs & Tobacco Paraphernalia & Use", 3),
            ("Alcohol", 51.37, None, 1),
        },
    ),
    "rekognition/people_street": (
        3,
        {(99.2, (73, 52, 85, 95), 4), (50.6, (94, 60, 100, 90, 1), 0)},
    ),
    "rekognition/celebrities_couple": (
        2,
        {
            (
                *("Ada Example", 97.3, (53, 15, 87, 75)),
                *(("www.example.org/people/ada-example",), "Nonbinary"),
            ),
            (None, None, (0, 21, 23, 74, 1), (), None),
        },
    ),
    "rekognition/face_matches_couple": (
        2,
        {(98.42, (53, 15, 87, 75)), (None, (0, 21, 23, 74, 1))},
    ),
}
"""Cassette: how many things it holds, and what must be among them."""


def told(annotation: Annotation, task: Task) -> set[tuple[Any, ...]]:
    """What an annotation tells, in the form of `EXPECTED`."""
    things = getattr(annotation, "text_lines" if task is Task.TEXT else task.value)
    return {TELLS[task](thing) for thing in things}
