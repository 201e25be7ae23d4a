"""A full disk: one clear sentence, nothing lost that was settled, nothing sent twice.

The short form of `tests.torture.disk`, and what a full disk does between two attempts of one call.
"""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from pathlib import Path

import pytest
from visionhub_sandbox import Fault, Sandbox

import visionhub
from tests.sandboxed import Seer
from tests.torture import disk
from tests.torture.faults import WAYS, annotate, broken, make_photos, quick
from visionhub.engine.till import Till
from visionhub.errors import StudyFull

pytest.importorskip("boto3", reason="the extra 'aws' is not installed: not tested")

CASES = {  # whether the study is there before, and the ballast helps; which write fails first
    (False, False): (30, 300, 500),
    (True, True): (60, 200, 330),
}


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = disk.built(tmp_path_factory.mktemp("shim"))
    if found is None:
        pytest.skip("no C compiler (cc): a full disk is not tested at each write")
    return found


@pytest.mark.parametrize(("made", "helps"), CASES, ids=["full for good", "the ballast helps"])
def test_a_disk_that_is_full_from_some_write_on(shim: Path, made: bool, helps: bool) -> None:
    with tempfile.TemporaryDirectory(dir=disk.memory()) as folder:
        numbers = CASES[made, helps]
        found = disk.filled(shim, Path(folder), numbers, made=made, helps=helps, workers=1)
    assert found.wrong == []
    assert found.reached >= 2
    assert (found.gone, found.twice) == (0, 0)
    if helps:
        assert (found.lost, found.ambiguous) == (0, 0)


def test_a_small_disk_that_fills_up_while_calls_are_in_flight() -> None:
    found = disk.really_filled(2)
    if found is None:
        pytest.skip("no mount namespace is allowed here: no real file system was filled")
    assert found.wrong == []
    assert (found.reached, found.lost, found.gone, found.twice) == (2, 0, 0, 0)


@pytest.mark.parametrize("what", ["admit", "failed"])
def test_what_a_call_answered_is_kept_when_the_rest_of_it_cannot_be_booked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    pytest.importorskip("google.cloud.vision", reason="the extra 'google' is not installed")
    study = visionhub.Study(tmp_path / "study.db")
    photos = make_photos(tmp_path / "photos", 2)
    whole = getattr(Till, what)
    done: list[int] = []

    def full(self: Till, *given: object) -> object:
        done.append(1)
        if len(done) > (1 if what == "admit" else 0):
            raise StudyFull("The disk is full.")
        return whole(self, *given)

    quota = Fault("item_error", code=8, times=1)  # the first of two images is to be asked again
    with quick(tmp_path), Sandbox(Seer(), faults=(quota,)) as sandbox:
        # The rest is put off, and meets the full disk once more: that ends the run.
        ends = pytest.raises(StudyFull) if what == "admit" else nullcontext()
        with monkeypatch.context() as patched, ends:
            patched.setattr(Till, what, full)
            annotate(study, photos, WAYS[0], sandbox.address)
        states = dict(study.query("SELECT state, count(*) FROM charges GROUP BY 1").rows)
        assert states == {"settled": 4, "released" if what == "admit" else "unknown": 4}
        annotate(study, photos, WAYS[0], sandbox.address, "retry")
    assert study.query("SELECT count(*) FROM status WHERE status = 'observed'").rows == [(8,)]
    assert broken(study) == []
