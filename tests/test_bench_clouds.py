"""The arithmetic of `make bench-clouds`."""

from __future__ import annotations

import pytest

from benchmarks.clouds_photos import photos
from benchmarks.clouds_table import Cell, Spent, printed, speedup, verdicts


def cell(flight: int, *, batch: int = 1, whole: bool = False, **turns: list[Spent]) -> Cell:
    return Cell("SDK", 10, flight, batch, whole, turns)


SLOW = cell(1, ours=[Spent(10, 2.5, 0.05)], bare=[Spent(10, 2.0, 0.05)])  # bare: 5 images/s


def test_ratios_are_of_cpu_an_image_within_rounds() -> None:
    ours = [Spent(10, 1.0, 0.2), Spent(10, 1.0, 0.9), Spent(10, 1.0, 0.33)]
    bare = [Spent(10, 1.0, 0.1), Spent(10, 1.0, 0.3), Spent(20, 1.0, 0.6)]
    found = cell(16, ours=ours, bare=bare)
    assert found.ratios("ours", "bare") == pytest.approx([2.0, 3.0, 1.1])
    assert found.ratio("ours", "bare") == pytest.approx(2.0)
    assert found.ratio("call", "bare") is None, "a side that was not measured"
    assert found.milliseconds("ours") == pytest.approx(33.0)


def test_speedup_is_over_the_bare_loop_with_one_in_flight() -> None:
    fast = cell(16, batch=16, ours=[Spent(160, 4.0, 0.1)], bare=[Spent(160, 1.0, 0.1)])
    assert speedup(fast, [SLOW, fast]) == pytest.approx(8.0)
    assert speedup(fast, [fast]) is None


@pytest.mark.parametrize(("cpu", "wall", "said"), [(0.110, 2.0, "met"), (0.112, 2.1, "NOT MET")])
def test_verdicts_at_their_edges(cpu: float, wall: float, said: str) -> None:
    fine = cell(16, batch=2, ours=[Spent(80, 1.0, 0.08)], bare=[Spent(80, 1.0, 0.08)])
    judged = cell(16, ours=[Spent(80, wall, cpu)], bare=[Spent(80, 1.0, 0.1)])
    strict, call, _, whole, speed, _ = verdicts([SLOW, fine, judged])
    assert f"loop's: {said} (" in strict
    assert f"in flight: {said} (" in speed
    assert call.endswith("not measured.")
    assert whole.endswith("not measured.")


def test_a_row_for_each_comparison() -> None:
    head, line, row = printed([SLOW])
    assert head.count("|") == line.count("|") == row.count("|")
    assert row.startswith("| SDK | adapter | 10 | 1 | 1 | 4.0 | 4.0 | 5.0 | 0.8 | 5.00 |")


def test_photographs_differ_in_bytes_and_keep_their_size(tmp_path) -> None:
    made = photos(tmp_path / "small", 10, 6)
    assert len({photo.sha256 for photo in made}) == 6
    assert all(8_000 < photo.path.stat().st_size < 12_000 for photo in made)
