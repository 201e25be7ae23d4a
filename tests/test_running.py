"""What is shown while a run is under way."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from visionhub.cli import progress as shown
from visionhub.engine.progress import Progress
from visionhub.report.running import duration, headline, line, table


def under_way() -> Progress:
    progress = Progress(total=100, files=60, pending=40, questions=2)
    progress.ended.update({("toy", "labels", "observed"): 15, ("toy", "labels", "error"): 2})
    progress.ended.update({("toy", "text", "below_floor"): 5})
    progress.cached.update({("toy", "text"): 7})
    progress.started -= 80
    return progress


def test_a_line_tells_files_rate_time_left_and_counts_by_provider() -> None:
    assert line(under_way()) == (
        "40/100 files, 0.2 answers/s, about 2 min left; toy: 20 done, 7 from before, 2 failed"
    )


def test_time_left_counts_what_is_answered_not_what_was_looked_at() -> None:
    # 60 files looked at, 40 requests of 2 a file still open: 40 files in 80 s, 60 to go.
    assert under_way().eta is not None
    assert abs((under_way().eta or 0) - 120) < 1


def test_no_time_left_is_told_before_it_can_be_known() -> None:
    assert headline(Progress(total=None, files=5)).startswith("5 files, ")
    assert headline(Progress(total=None, files=1)).startswith("1 file, ")
    assert "left" not in headline(Progress(total=9, files=2, pending=4, questions=2))


def test_the_table_has_a_row_a_task() -> None:
    out = io.StringIO()
    Console(file=out, width=80).print(table(under_way()))
    rows = [row.split() for row in out.getvalue().splitlines() if row.startswith(" toy")]
    assert rows == [["toy", "labels", "15", "0", "2"], ["toy", "text", "5", "7", "0"]]


def test_the_last_line_is_said_once(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setattr(shown, "PLAIN_SECONDS", 0.0)
    with shown.showing(as_json=True) as show:
        show(Progress(total=1, files=1))
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_durations_as_people_say_them() -> None:
    assert [duration(s) for s in (3.4, 200, 7500)] == ["3 s", "3 min", "2 h 5 min"]
