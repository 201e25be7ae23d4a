"""The torture in its short form, and that it finds what it looks for; `make torture`: all of it."""

from __future__ import annotations

import pytest

from tests.torture import kills, stops
from tests.torture.kills import Episode
from tests.torture.report import Section, markdown
from tests.torture.ways import WAYS

GRPC, REKOGNITION, _ = WAYS


def show(section: Section) -> str:
    return "\n" + "\n".join(markdown(section))


@pytest.mark.parametrize(
    "episode",
    [
        Episode(GRPC, processes=4, retry=False, kills=12, caps=(1.0,), images=90),
        Episode(REKOGNITION, processes=4, retry=True, kills=8, caps=(0.3, 10.0), images=50),
    ],
    ids=lambda episode: episode.name,
)
def test_kills(episode: Episode) -> None:
    section = kills.torture([episode], seed=1)
    assert not section.missed, show(section)


def test_stops() -> None:
    section = stops.run(0.0)
    assert not section.missed, show(section)


@pytest.mark.parametrize(
    ("flaw", "found"),
    [
        ("unreserved", "sent without a reservation"),
        ("risked twice", "extra paid units, skip"),
        ("forgotten", "settled answers lost"),
    ],
)
def test_a_flaw_is_found(flaw: str, found: str) -> None:
    points = ("after_receive",)  # billed, and nobody knows
    episode = Episode(REKOGNITION, 2, retry=False, kills=4, flaw=flaw, images=60, points=points)
    section = kills.torture([episode], seed=2)
    assert found in {row.what for row in section.missed}, show(section)
