"""Recorded answers through the real clients: what each tells, and that nothing else answers."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from vcr.record_mode import RecordMode

from tests import cassettes
from tests.cassettes import BY_HAND, FOLDER, WAYS, NotPlayed, Tape, replaying, tapes
from tests.cassettes_told import EXPECTED, box, rated, told
from tests.conftest import jpeg
from tests.record import REHEARSED
from visionhub import registry
from visionhub.errors import ProviderError
from visionhub.images import render, sha256_of
from visionhub.provider import Batch, Body, Provider, Value, Work, installed
from visionhub.schema import Annotation, Status, Task

if not installed(("boto3", "google.cloud.vision_v1", "vcr")):
    pytest.skip("the extras 'google' and 'aws' are not installed", allow_module_level=True)

pytestmark = pytest.mark.disable_socket
TAPES = tapes()
OTHERS: Mapping[str, Value] = {
    "max_results": 7,
    "min_confidence": 61.5,
    "min_similarity": 61.5,
    "model": "builtin/latest",
    "attributes": [],
}
"""Values that no cassette was asked with."""
NOT_SENT = {("google", "attributes")}  # the parser alone reads it


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that no service takes, and no way of this machine's own."""
    for name in os.environ:
        if name.startswith(("AWS_", "VISIONHUB_", "GOOGLE_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for way in WAYS.values():
        for name, value in way.variables.items():
            monkeypatch.setenv(name, value)


def provider_of(tape: Tape) -> Provider:
    provider = registry.get(tape.provider)
    provider.configure(WAYS[tape.provider].settings)
    return provider


def question(
    tape: Tape, image: bytes | None, changed: Mapping[str, Value]
) -> tuple[Provider, Work]:
    """What a cassette was asked, or something near it."""
    provider, task = provider_of(tape), Task(tape.task)
    options = {**cassettes.options(type(provider), task), **changed}
    return provider, cassettes.work(provider, task, image or tape.image(), options)


def asked(tape: Tape, path: Path | None = None) -> Annotation:
    """The annotation that a cassette gives."""
    provider, work = question(tape, None, {})
    with replaying(path or tape.path) as cassette:
        assert cassette.record_mode is RecordMode.NONE
        [outcome] = [one for batch in provider.batches([work]) for one in provider.fetch(batch)]
    assert isinstance(outcome.result, Body)
    return provider.parse(outcome.result.data, work.requests[0])


def refused(
    tape: Tape, image: bytes | None = None, path: Path | None = None, **changed: Value
) -> None:
    """The recording does not answer, and that is the error that comes."""
    provider, work = question(tape, image, changed)
    with suppress(NotPlayed), replaying(path or tape.path) as cassette:
        [result] = [_result(provider, batch) for batch in provider.batches([work])]
    assert isinstance(result, ProviderError)
    assert "Can't play back this request" in str(result)
    assert not cassette.play_count


def _result(provider: Provider, batch: Batch) -> Body | ProviderError:
    try:
        [outcome] = provider.fetch(batch)
    except ProviderError as error:
        return error
    return outcome.result


def name_of(tape: Tape) -> str:
    return f"{tape.provider}/{tape.path.stem}"


every = pytest.mark.parametrize("tape", TAPES, ids=name_of)


@every
def test_a_cassette_tells_what_it_holds(tape: Tape) -> None:
    assert name_of(tape) in EXPECTED, "look at what it tells and add a row to EXPECTED"
    annotation = asked(tape)
    count, expected = EXPECTED[name_of(tape)]
    assert not expected - told(annotation, Task(tape.task))
    assert len(annotation) == count
    assert not annotation.unknown
    withdrawn = name_of(tape) == "google/faces_couple"  # one face's emotions are UNKNOWN
    assert annotation.status is (Status.WITHDRAWN if withdrawn else Status.OBSERVED)


def test_every_row_has_a_cassette() -> None:
    assert set(EXPECTED) == {name_of(tape) for tape in TAPES}


@every
def test_another_picture_is_refused(tape: Tape) -> None:
    refused(tape, image=jpeg(160, 120))


@every
def test_another_parameter_is_refused(tape: Tape) -> None:
    given = cassettes.options(registry.load(tape.provider), Task(tape.task))
    for name in given.keys() & OTHERS.keys():
        if (tape.provider, name) not in NOT_SENT:
            refused(tape, **{name: OTHERS[name]})


def test_a_picture_s_operation_is_matched_as_well() -> None:
    """Rekognition has one address for everything: another operation's answer is not taken."""
    tape = Tape("rekognition", "celebrities", "couple")
    path = Tape("rekognition", "people", "street").path
    image = Tape("rekognition", "people", "street").image()
    refused(tape, image=image, path=path)


def test_another_source_is_refused() -> None:
    other = cassettes.picture_file(FOLDER, "couple")
    refused(Tape("rekognition", "face_matches", "couple"), source=str(other))


def test_the_network_is_out_of_reach() -> None:
    with pytest.warns(UserWarning, match="socket"), pytest.raises(RuntimeError, match="socket"):
        socket.socket()


def test_nothing_is_recorded_where_there_is_no_cassette(tmp_path: Path) -> None:
    path = tmp_path / "google" / "labels_street.yaml"
    refused(Tape("google", "labels", "street"), path=path)
    assert not path.exists()


def test_a_call_that_nobody_makes_fails(tmp_path: Path) -> None:
    tape = Tape("google", "labels", "street")
    document = yaml.safe_load(tape.path.read_text("utf-8"))
    document["interactions"] += yaml.safe_load(
        Tape("google", "logos", "street").path.read_text("utf-8")
    )["interactions"]
    path = tmp_path / "more.yaml"
    path.write_text(yaml.safe_dump(document), "utf-8")
    with pytest.raises(NotPlayed, match=r"calls \[1\] of 2"):
        asked(tape, path=path)


def test_every_task_has_a_cassette_and_every_cassette_a_task() -> None:
    assert cassettes.flaws() == []
    remote = {n for n, found in registry.installed().items() if "sandbox" in found.settings}
    assert remote == set(WAYS), "a provider that can be rehearsed has cassettes"


@pytest.fixture
def copied(tmp_path: Path) -> Iterator[Path]:
    """The folder, with empty files in place of the real ones."""
    for path in FOLDER.rglob("*.*"):
        there = tmp_path / path.relative_to(FOLDER)
        there.parent.mkdir(parents=True, exist_ok=True)
        there.touch()
    assert cassettes.flaws(tmp_path) == []
    return tmp_path


def test_orphans_and_gaps_are_found(copied: Path) -> None:
    for name in ("azure/labels_street", "google/caption_street", "google/labels_moon"):
        path = copied / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.touch()
        assert len(cassettes.flaws(copied)) == 1, name
        path.unlink()
    (copied / "labels_street.yaml").touch()
    assert cassettes.flaws(copied) == [f"{copied}/labels_street.yaml: no recording"]
    (copied / "labels_street.yaml").unlink()
    (copied / "rekognition" / "people_street.yaml").unlink()
    assert cassettes.flaws(copied) == ["rekognition: no recording of people"]


@pytest.mark.parametrize("path", sorted((FOLDER / "pictures").iterdir()), ids=lambda p: p.name)
def test_pictures_are_sent_as_they_lie_there(path: Path) -> None:
    """Small, taken by every operation, and not rendered anew: so their hash stays the same."""
    data = path.read_bytes()
    assert len(data) < 20_000
    for name in WAYS:
        _, sent = render(data, registry.load(name).limits)
        assert sent.sha256 == sha256_of(data)
        assert min(sent.width, sent.height) >= 80
    used = "".join(tape.path.read_text("utf-8") for tape in TAPES)
    assert f"sha256:{sha256_of(data)}" in used, "a picture without a cassette"


def test_faces_through_rekognition_s_client() -> None:
    """What other tools lost: EyesOpen, three of the emotions, yaw and pitch in their places."""
    annotation = asked(Tape("rekognition", "faces", "couple"))
    big, cut = annotation.faces
    said = {(a.name, a.word): rated(a.score) for a in big.attributes if a.word}
    assert {word for name, word in said if name == "emotion"} == {
        *("HAPPY", "SAD", "ANGRY", "CONFUSED", "DISGUSTED", "SURPRISED", "CALM", "FEAR")
    }
    assert said["eyes_open", "true"] == 98.33
    assert said["gender", "Male"] == 83.4
    assert [(a.low, a.high) for a in big.attributes if a.name == "age"] == [(27, 35)]
    assert (big.yaw, big.pitch, big.roll) == (2.87, -4.5, -1.21)
    assert len(big.landmarks) == 30
    assert len(cut.landmarks) == 5
    eyes = {point.name: point.x for point in big.landmarks}
    assert eyes["right_eye"] < eyes["left_eye"], "the person's own sides"


def test_faces_through_google_s_client() -> None:
    """Emotions of the first face; none, and a reason, of the second, whose emotions are UNKNOWN."""
    annotation = asked(Tape("google", "faces", "couple"))
    big, cut = annotation.faces
    said = {a.word: rated(a.score) for a in big.attributes if a.name == "emotion"}
    assert said == {
        "JOY": "VERY_LIKELY",
        "SORROW": "VERY_UNLIKELY",
        "ANGER": "VERY_UNLIKELY",
        "SURPRISE": "UNLIKELY",
    }
    assert not [a for a in cut.attributes if a.name == "emotion"]
    assert "UNKNOWN for 1 of 2 faces" in annotation.reason
    assert box(cut.head_box) == (0, 0, 26, 78, 1)
    assert len(big.landmarks) == 36


def test_protective_equipment_through_rekognition_s_client() -> None:
    annotation = asked(Tape("rekognition", "people", "street"))
    worn = {
        e.body_part: (e.name, e.covers, rated(e.covers_score))
        for e in annotation.people[0].equipment
    }
    assert worn["HEAD"] == ("HEAD_COVER", True, 97.15)
    assert worn["LEFT_HAND"] == ("HAND_COVER", False, 84.4)
    assert worn["FACE"] == (None, None, None)


def test_cassettes_say_where_they_come_from() -> None:
    for tape in TAPES:
        text = tape.path.read_text("utf-8")
        assert text.startswith((BY_HAND, "# Recorded from ")), tape.path
        assert not text.startswith(REHEARSED), f"{tape.path}: git checkout {FOLDER.name} undoes it"
