"""What is counted at the server is in the ledger: `tests.torture.faults` in a short form."""

from __future__ import annotations

from pathlib import Path

import pytest
from visionhub_sandbox import Fault, Sandbox

import visionhub
from tests.sandboxed import Seer, rekognition
from tests.torture import faults
from tests.torture.faults import MODES, WAYS, annotate, compare, make_photos, measured, quick

pytest.importorskip("boto3", reason="the extra 'aws' is not installed: not tested")
pytest.importorskip("google.cloud.vision", reason="the extra 'google' is not installed: not tested")

PHOTOS = 8
# Which way and policy a mode gets here changes with its place; `make torture` does all.
CHOSEN = [
    (name, WAYS[(place + more) % 3], ("skip", "retry")[(place + more) % 2])
    for place, name in enumerate(MODES)
    for more in (0, 1)
]


@pytest.mark.parametrize(("name", "way", "policy"), CHOSEN, ids=str)
def test_every_call_and_unit_is_in_the_ledger(name, way, policy) -> None:
    tally = measured(way, MODES[name], policy, PHOTOS)
    assert tally.calls > 0
    assert tally.calls == tally.attempts
    assert tally.cheaper == 0
    assert (tally.wrong, tally.broken) == ([], [])
    if policy == "skip":
        assert tally.asked_twice == 0


def test_a_call_beside_the_ledger_is_found(tmp_path: Path) -> None:
    study = visionhub.Study(tmp_path / "study.db")
    photos = make_photos(tmp_path / "photos", 2)
    with Sandbox(Seer()) as sandbox, quick(tmp_path), rekognition(sandbox) as client:
        annotate(study, photos, WAYS[2], sandbox.address)
        assert compare(study, sandbox, ()).ok
        client.detect_labels(Image={"Bytes": (photos / "0.jpg").read_bytes()})
        tally = compare(study, sandbox, ())
    assert (tally.calls - tally.attempts, tally.cheaper, len(tally.wrong)) == (1, 1, 1)


def test_a_state_that_is_not_as_decided_is_found(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(faults, "_after", lambda counted, faults: ("unknown",))
    assert measured(WAYS[2], (), "skip", 2).wrong == ["settled: 6, not 0", "unknown: 0, not 6"]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_credential_revoked_in_mid_run_ends_it_and_the_same_command_goes_on(tmp_path, way):
    study = visionhub.Study(tmp_path / "study.db")
    photos = make_photos(tmp_path / "photos", 6)
    whole = {"google": 6 * 4, "rekognition": 6 * 4}[way.provider]
    with quick(tmp_path):
        with Sandbox(Seer(), faults=(Fault("expired_credentials", after=2),)) as sandbox:
            said = annotate(study, photos, way, sandbox.address)
            answered = sum(counted.fault == "" for counted in sandbox.calls.recent)
            kinds = study.query("SELECT state, count(*) FROM charges GROUP BY 1").rows
            stored = study.query("SELECT count(DISTINCT attempt_id) FROM charges WHERE body_id")
        assert "credentials" in said.lower() or "key" in said.lower(), said
        assert "\n" not in said
        assert answered == stored.rows[0][0] == 2
        assert {state for state, _ in kinds} <= {"settled", "released"}  # nothing ambiguous
        with Sandbox(Seer()) as sandbox:
            assert annotate(study, photos, way, sandbox.address) == ""
    observed = "SELECT count(*) FROM status WHERE status = 'observed'"
    assert study.query(observed).rows[0][0] == whole
    assert faults.broken(study) == []
