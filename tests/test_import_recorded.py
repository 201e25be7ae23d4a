"""Recorded answers of two cloud services are imported, and each file that is not is named."""

from __future__ import annotations

import csv
import json
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import visionhub
from visionhub import registry
from visionhub.engine.kept import Lost

ENTRIES = {
    "google": "visionhub_google:GoogleVision",
    "rekognition": "visionhub_rekognition:Rekognition",
}


@pytest.fixture(autouse=True)
def clouds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the two are installed."""
    entries = {name: EntryPoint(name, at, registry.GROUP) for name, at in ENTRIES.items()}
    monkeypatch.setattr(registry, "_found", lambda: entries)


@pytest.fixture(scope="session")
def recorded(shared: Path) -> Path:
    folder = shared / "recorded"
    if not folder.is_dir():
        pytest.skip("no folder ../shared/recorded beside the checkout: recordings not tested")
    return folder


def take(study: visionhub.Study, answers, **options) -> dict[str, str]:
    """Import; the reasons by name of the file."""
    lost: list[Lost] = []
    study.import_bodies(answers, listed=lost.append, **options)
    return {Path(found.source.partition(",")[0]).name: found.reason for found in lost}


def test_24_photographs_three_times(recorded: Path, tmp_path: Path) -> None:
    study = visionhub.Study(tmp_path / "study.db")
    cloudy = recorded / "cloudy_vision"
    asked = {"images": cloudy / "input_images"}
    every = "labels,faces,landmarks,logos,safe_search"
    for year in 2017, 2016:
        name = "output" if year == 2017 else "output_2016_07_06"
        files = sorted((cloudy / name).glob("*.google.json"))
        assert len(files) == 24
        given = {"received": f"{year}-04-17", "collection": str(year), "tasks": every}
        lost = take(study, files, provider="google", **asked, **given)
        # Two of the files hold one picture. The service answered it twice, in 2017 differently.
        assert set(lost) <= {"collie_in_a_park.jpg.google.json"}
        assert all("holds another answer for labels" in reason for reason in lost.values())
        assert len(lost) == (year == 2017)
    files = sorted((cloudy / "output").glob("*.rekognition.json"))
    lost = take(study, files, provider="rekognition", collection="2017", **asked)
    assert list(lost) == ["collie_in_a_park.jpg.rekognition.json"]

    counts = study.query(
        "SELECT q.provider, q.revision, q.task, count(*), sum(r.status = 'observed' OR r.status = "
        "'truncated') FROM requests r JOIN questions q ON q.id = r.question_id GROUP BY 1, 2, 3 "
        "ORDER BY 1, 2, 3"
    )
    tasks = sorted(every.split(","))
    assert counts.rows == [
        *[("google", f"imported {year}", task, 23, 23) for year in (2016, 2017) for task in tasks],
        ("rekognition", "imported 2017", "labels", 23, 23),
    ]
    current = study.query(
        "SELECT DISTINCT q.revision FROM status s JOIN requests r ON r.id = s.request_id JOIN "
        "questions q ON q.id = r.question_id"
    )
    assert current.column("revision") == ["imported 2017"]
    days = study.query("SELECT DISTINCT substr(received_at, 1, 10) FROM bodies ORDER BY 1")
    assert days.column("substr(received_at, 1, 10)") == ["2016-04-17", "2017-04-17"]
    assert not len(study.schema())
    before = study.query("SELECT * FROM v_labels").rows
    assert sum(study.reparse().values()) == 23 * 11
    assert study.query("SELECT * FROM v_labels").rows == before


def test_a_table_of_images_for_files_with_other_names(recorded: Path, tmp_path: Path) -> None:
    study = visionhub.Study(tmp_path / "study.db")
    raw = recorded / "edenai" / "raw"
    index = json.loads((recorded / "INDEX.json").read_text())
    images = {
        entry["file"]: Path(entry["image"][0]).name
        for entry in index
        if entry["file"].startswith("edenai/raw") and len(entry.get("image") or ()) == 1
    }
    match = tmp_path / "match.csv"
    with match.open("w", newline="") as file:
        rows = [(recorded / name, image) for name, image in images.items()]
        csv.writer(file).writerows([("answer", "image"), *rows])
    asked = {"images": recorded / "edenai" / "images", "match": match}
    files = {path.name for path in raw.iterdir()}
    known = {
        "google": {
            "explicit_content.google.json": "inside of a safeSearchAnnotation",
            "landmark_detection.google.json": "a list of entities",
            "logo_detection.google.json": "say with -t what had been asked for",
        },
        "rekognition": {
            "ocr.amazon.json": "Amazon Textract",
            "face_compare.amazon.json": "no image has the name",
        },
    }
    taken = {
        "google": {"face_detection", "object_detection", "ocr"},
        "rekognition": {"face_detection", "object_detection", "explicit_content"},
    }
    for provider, expected in known.items():
        lost = take(study, raw, provider=provider, **asked)
        maker = "google" if provider == "google" else "amazon"
        assert files - set(lost) == {f"{what}.{maker}.json" for what in taken[provider]}
        for name, reason in expected.items():
            assert reason in lost[name]
        assert all(lost.values())
    tasks = study.query("SELECT provider, task FROM status ORDER BY 1, 2").rows
    assert tasks == [
        ("google", "faces"), ("google", "objects"), ("google", "text"),
        ("rekognition", "faces"), ("rekognition", "labels"), ("rekognition", "objects"),
        ("rekognition", "safe_search"),
    ]  # fmt: skip
    assert study.query("SELECT count(*) FROM status WHERE status = 'error'").rows == [(0,)]
    ages = "SELECT count(*) FROM face_attributes WHERE name IN ('age', 'gender', 'emotion')"
    assert study.query(ages).rows == [(0,)]


@pytest.mark.parametrize(
    "folder", ["aws_devguide", "awscli_examples", "botocore_examples", "errors_verbatim"]
)
@pytest.mark.parametrize("provider", ENTRIES)
def test_every_file_of_other_recordings_is_named(
    recorded: Path, tmp_path: Path, folder: str, provider: str
) -> None:
    """They are about no picture that is here: each is left out, with a reason of its own."""
    study = visionhub.Study(tmp_path / "study.db")
    images = recorded / "edenai" / "images"
    lost = take(study, recorded / folder, provider=provider, images=images)
    assert set(lost) == {path.name for path in (recorded / folder).iterdir()}
    assert all(lost.values())
    assert study.query("SELECT count(*) FROM bodies").rows == [(0,)]
