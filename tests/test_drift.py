"""One provider at two times: on recorded answers of two years, and on studies made by hand."""

from __future__ import annotations

import csv
import json
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

import visionhub
from tests.compared import Maker, labels, objects
from visionhub import registry
from visionhub.analysis.drift import WantedDrift, drift
from visionhub.analysis.methods import method_of
from visionhub.analysis.resample import Resampling
from visionhub.analysis.settings import Settings
from visionhub.cli import app
from visionhub.errors import UsageError
from visionhub.report import drifted
from visionhub.schema import (
    Annotation,
    Box,
    Face,
    SafeSearch,
    Scale,
    Score,
    Status,
    Task,
    TextLine,
    probability,
)
from visionhub.store.study import StudyFile

FEW = Settings(Resampling(draws=200))
N = 40
NAMES = [f"{number}.jpg" for number in range(N)]


def run(path: Path, **wanted):
    with StudyFile(path) as study:
        return drift(study, WantedDrift(settings=FEW, **wanted))


def value(part, measure, thing="", at=None):
    found = [row for row in part.rows if (row.measure, row.thing) == (measure, thing)]
    return next(row.estimate.value for row in found if at is None or row.at == at)


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    return Maker(tmp_path / "study.db")


# The recorded answers


@pytest.fixture(scope="module")
def cloudy(shared: Path) -> Path:
    folder = shared / "recorded" / "cloudy_vision"
    if not folder.is_dir():
        pytest.skip("no folder ../shared/recorded beside the checkout: recordings not tested")
    return folder


@pytest.fixture(scope="module")
def years(cloudy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Google in 2016 and 2017 about 23 different pictures."""
    study = visionhub.Study(tmp_path_factory.mktemp("years") / "study.db")
    with pytest.MonkeyPatch.context() as patch:
        entry = EntryPoint("google", "visionhub_google:GoogleVision", registry.GROUP)
        patch.setattr(registry, "_found", lambda: {"google": entry})
        for year, name in ((2016, "output_2016_07_06"), (2017, "output")):
            study.import_bodies(
                sorted((cloudy / name).glob("*.google.json")),
                provider="google",
                images=cloudy / "input_images",
                received=f"{year}-04-17",
                collection=str(year),
                tasks="labels,faces,safe_search",
            )
    return study.path


def said(cloudy: Path, name: str) -> dict[str, dict[str, float]]:
    """Scores by mid of each picture, out of the files themselves; of one picture the first file."""
    found = {}
    for path in sorted((cloudy / name).glob("*.google.json")):
        if path.name != "collie_in_a_park.jpg.google.json":  # the bytes of collie.jpg
            answer = json.loads(path.read_bytes())["responses"][0]
            found[path.name] = {one["mid"]: one["score"] for one in answer["labelAnnotations"]}
    return found


def test_recorded_2016_beside_2017_equals_an_independent_computation(cloudy, years) -> None:
    then, now = said(cloudy, "output_2016_07_06"), said(cloudy, "output")
    pictures = list(then)
    found = run(years, raters=("google@2016", "google@2017"), tasks=("labels",))
    (part,) = found.parts
    (counts,) = part.tables["changes"]
    kept = sum(len(then[p].keys() & now[p].keys()) for p in pictures)
    lost = sum(len(then[p].keys() - now[p].keys()) for p in pictures)
    gained = sum(len(now[p].keys() - then[p].keys()) for p in pictures)
    assert (counts["kept"], counts["lost"], counts["gained"]) == (kept, lost, gained)
    assert (kept, lost, gained) == (74, 65, 94)
    assert value(part, "share_kept") == pytest.approx(kept / (kept + lost))
    alike = [len(then[p].keys() & now[p].keys()) / len(then[p].keys() | now[p].keys())
             for p in pictures]  # fmt: skip
    assert value(part, "jaccard") == pytest.approx(np.mean(alike))
    shifts = [now[p][m] - s for p in pictures for m, s in then[p].items() if m in now[p]]
    assert value(part, "score_shift_mean") == pytest.approx(np.mean(shifts))
    assert value(part, "scores_moved") == 1

    flips = {row["vendor_id"]: row for row in part.tables["flips"]}
    mids = {mid for side in (then, now) for p in pictures for mid in side[p]}
    assert flips.keys() == mids
    p_values = {}
    for mid in mids:
        b = sum(mid in then[p] and mid not in now[p] for p in pictures)
        c = sum(mid in now[p] and mid not in then[p] for p in pictures)
        assert (flips[mid]["lost"], flips[mid]["gained"]) == (b, c)
        if b + c:
            p_values[mid] = stats.binomtest(b, b + c).pvalue
            assert flips[mid]["p_value"] == pytest.approx(p_values[mid])
        else:
            assert flips[mid]["p_value"] is None
    assert len(p_values) == 118
    least = min(p_values.values())
    assert part.tables["flips"][0]["p_holm"] == pytest.approx(min(1, least * len(p_values)))
    assert part.tables["flips"][0]["p_value"] == least


def test_the_two_recorded_years_are_the_default_and_the_verdict_names_its_evidence(years) -> None:
    found = run(years, provider="google")
    assert [part.task for part in found.parts] == ["labels", "faces", "safe_search"]
    assert {rater.name for part in found.parts for rater in part.raters} == {
        "google@2016",
        "google@2017",
    }
    assert [part.verdict.changed for part in found.parts] == [True, False, False]
    net, far = found.parts[0].verdict.evidence
    assert "gained less those lost" in net
    assert "far from the floor" in far
    assert found.changed
    faces = found.parts[1]  # they are the same to the last digits: this is what noise looks like
    assert value(faces, "share_kept") == 1
    assert 0 < abs(value(faces, "score_shift_quantile", at=0.75)) < 1e-7
    words = found.parts[2].tables["transitions"]
    assert sum(row["images"] for row in words) == 23 * 4
    assert all(row["word_a"] == row["word_b"] for row in words)
    assert any("is not known" in note for note in found.parts[0].notes)


def test_the_command_gives_the_same_on_the_terminal_as_json_and_as_files(years, tmp_path) -> None:
    def invoke(*words: str) -> str:
        result = CliRunner().invoke(app, ["drift", str(years), *words], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    shown = invoke("--csv", str(tmp_path / "csv"), "--parquet", str(tmp_path / "parquet"))
    assert "labels        google@2016   google@2017   changed" in shown
    assert "wood" in shown
    plain = json.loads(invoke("-t", "labels", "--json"))
    assert plain["tasks"][0]["changed"] is True
    everything = json.loads(invoke("--json"))["tasks"]
    assert all(method_of(row["measure"]) for part in everything for row in part["measures"])
    with (tmp_path / "csv" / "flips.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(plain["tasks"][0]["flips"])
    assert rows[0]["label"] == plain["tasks"][0]["flips"][0]["label"]
    names = {path.stem for path in (tmp_path / "parquet").glob("*.parquet")}
    assert names == {"verdicts", "measures", "versions", "changes", "flips", "vocabulary",
                     "transitions", "statuses", "apart"}  # fmt: skip
    assert "p_holm" in (tmp_path / "csv" / "codebook.md").read_text()
    again = CliRunner().invoke(app, ["drift", str(years), "--csv", str(tmp_path / "csv")])
    assert "--overwrite" in str(again.exception)
    study = visionhub.Study(years).drift("google", tasks="labels", draws=200)
    assert study.parts[0].verdict.changed


def test_one_source_for_all_pictures_leaves_no_flip_that_is_sure(years, tmp_path) -> None:
    table = tmp_path / "sources.csv"
    with StudyFile(years) as study:
        paths = study.query("SELECT path FROM paths ORDER BY id").column("path")
    lines = [f"{Path(path).name},{place % 6}" for place, path in enumerate(paths)]
    table.write_text("\n".join(["image,account", *lines]) + "\n")
    found = visionhub.Study(years).drift(tasks="labels", source=f"{table}:account", draws=200)
    (part,) = found.parts
    assert found.about["sources"] == "account"
    assert {row.estimate.clusters for row in part.rows if row.measure == "jaccard"} == {6}
    tests = {row["test"] for row in part.tables["flips"]}
    assert tests == {"sign flips of sources, exact", ""}


# Studies made by hand


def test_the_same_answers_twice_are_no_change_and_a_new_model_version_is_one(maker) -> None:
    said = {name: labels(("dog", 0.9), ("pet", 0.6)) for name in NAMES}
    given = {"floor": 0.5, "vocabulary": "v"}
    maker.answered("p", Task.LABELS, said, model_version="2.0", **given)
    maker.answered("p", Task.LABELS, said, revision="2", parameters="{}", **given,
                   model_version="2.0", received_at="2026-12-01T00:00:00Z")  # fmt: skip
    (part,) = run(maker.path).parts
    assert part.verdict.evidence == ("another model was asked for: 1, now 2",)
    maker.answered("q", Task.LABELS, said, model_version="2.0", **given)
    maker.answered("q", Task.LABELS, said, revision="imported new", **given, model_version="2.0",
                   parameters='{"c":"1"}', received_at="2025-12-01T00:00:00Z")  # fmt: skip
    (part,) = run(maker.path, provider="q").parts
    assert (part.verdict.changed, part.verdict.evidence) == (False, ())
    assert value(part, "identical_sets") == 1
    maker.answered("q", Task.LABELS, said, revision="imported old", **given, model_version="3.0",
                   parameters='{"c":"2"}', received_at="2024-12-01T00:00:00Z")  # fmt: skip
    (part,) = run(maker.path, raters=("q@old", "q@new")).parts
    assert part.verdict.evidence == ("the provider reports another model version: 3.0, now 2.0",)
    assert len(run(maker.path).parts) == 2


def test_scores_that_moved_and_labels_that_fell_below_the_floor(maker) -> None:
    """All scores fall by .1: labels at .58 vanish, which is near the floor and no flip."""
    then = {name: labels(("dog", 0.9), ("pet", 0.7), ("grass", 0.54)) for name in NAMES}
    now = {name: labels(("dog", 0.8), ("pet", 0.6)) for name in NAMES}
    maker.answered("p", Task.LABELS, then, floor=0.5, revision="imported a", parameters='{"c":1}')
    maker.answered("p", Task.LABELS, now, floor=0.5, revision="imported b", parameters='{"c":2}',
                   received_at="2026-12-01T00:00:00Z")  # fmt: skip
    (part,) = run(maker.path).parts
    assert part.tables["changes"][0] == {
        "a": "p@a", "b": "p@b", "images": N, "images_identical": 0, "kept": 2 * N, "lost": N,
        "lost_near_floor": N, "gained": 0, "gained_near_floor": 0,
    }  # fmt: skip
    mean = next(row for row in part.rows if row.measure == "score_shift_mean")
    assert mean.estimate.value == pytest.approx(-0.1)
    assert mean.lowest == pytest.approx((-0.2 - 0.54) / 3)
    assert mean.highest == pytest.approx((-0.2 - 0.04) / 3)
    assert value(part, "changed_far_from_floor") == 0
    (flip,) = [row for row in part.tables["flips"] if row["lost"]]
    assert (flip["label"], flip["lost_near_floor"]) == ("grass", N)
    assert part.verdict.changed


def test_another_question_leaves_the_verdict_open(maker) -> None:
    for most, floor in ((10, 0.5), (20, 0.3)):
        said = {name: labels("dog", ("pet", floor)) for name in NAMES}
        maker.answered("p", Task.LABELS, said, floor=floor, max_results=most,
                       parameters=json.dumps({"min_score": floor}),
                       received_at=f"2026-11-{most}T00:00:00Z")  # fmt: skip
    (part,) = run(maker.path).parts
    assert part.verdict.changed is None
    assert part.verdict.reason == "another question was asked (min_score)"
    assert any("min_score was 0.5 and is 0.3" in note for note in part.notes)


def test_of_three_versions_the_two_latest_with_images_in_common_that_were_asked_alike(
    maker,
) -> None:
    said = {name: labels("dog") for name in NAMES}
    days = ("2026-11-01", "2026-11-02", "2026-11-03")
    parameters = ('{"most":1}', '{"most":2}', '{"most":1}')
    for day, asked in zip(days, parameters, strict=True):
        maker.answered("p", Task.LABELS, said, revision=day, parameters=asked,
                       received_at=f"{day}T00:00:00Z")  # fmt: skip
    maker.answered("p", Task.LABELS, {"other.jpg": labels("dog")}, revision="2026-11-04",
                   received_at="2026-11-04T00:00:00Z")  # fmt: skip
    (part,) = run(maker.path).parts
    assert [rater.name for rater in part.raters] == ["p@2026-11-01", "p@2026-11-03"]
    left = [note for note in part.notes if note.startswith("Not compared")]
    assert len(left) == 2
    assert "--rater p@2026-11-02" in left[0]


def test_what_cannot_be_compared_is_said(maker) -> None:
    said = {name: labels("dog") for name in NAMES}
    for provider, revision in (("p", "a"), ("p", "b"), ("q", "c")):
        maker.answered(provider, Task.LABELS, said, revision=revision)
    for raters, says in (
        (("p@a",), "name two versions"),
        (("p@a", "q@c"), "p and q are two providers"),
        (("p@a", "p@z"), "fits no version of p for labels"),
        (("x=p@a", "y=p@a"), "x and y are the very same answers"),
    ):
        with pytest.raises(UsageError, match=says):
            run(maker.path, raters=raters)
    with pytest.raises(UsageError, match="-t ratings: choose among labels"):
        run(maker.path, tasks=("ratings",))
    with pytest.raises(UsageError, match="no two versions of q for labels"):
        run(maker.path, provider="q", tasks=("labels",))


def box(at: float) -> tuple[float, float, float, float]:
    return (at, 0.1, at + 0.2, 0.5)


def test_boxes_that_moved_were_renamed_came_and_went(maker) -> None:
    tree = ("tree", (0.1, 0.6, 0.3, 0.9), 0.8)
    then = {n: objects(("dog", box(0.1), 0.9), ("cat", box(0.5), 0.8), tree) for n in NAMES}
    now = {n: objects(("Dog", box(0.1), 0.9), ("cow", box(0.52), 0.7), ("car", box(0.78), 0.95),
                      tree)
           for n in NAMES}  # fmt: skip
    then["0.jpg"], now["0.jpg"] = objects(("dog", box(0.1), 0.9)), objects()
    maker.answered("p", Task.OBJECTS, then, floor=0.5, revision="imported a", parameters='{"c":1}')
    maker.answered("p", Task.OBJECTS, now, floor=0.5, revision="imported b", parameters='{"c":2}',
                   received_at="2026-12-01T00:00:00Z")  # fmt: skip
    (part,) = run(maker.path).parts
    overlap = 0.18 / 0.22
    assert value(part, "mean_iou") == pytest.approx((2 + overlap) / 3)
    assert value(part, "boxes_moved") == pytest.approx(1 / 3)
    assert value(part, "renamed") == pytest.approx(1 / 3)  # Dog is dog
    assert value(part, "kept_per_image") == pytest.approx(3 * (N - 1) / N)
    assert value(part, "lost_per_image") == pytest.approx(1 / N)
    assert value(part, "score_shift_mean") == pytest.approx(-0.1 / 3)
    (counts,) = part.tables["changes"]
    assert (counts["kept"], counts["lost"], counts["gained"]) == (3 * (N - 1), 1, N - 1)
    assert counts["images_identical"] == 0
    flips = {row["label"]: (row["lost"], row["gained"]) for row in part.tables["flips"]}
    assert flips == {"Dog": (1, 0), "cat": (N - 1, 0), "cow": (0, N - 1), "car": (0, N - 1),
                     "tree": (0, 0)}  # fmt: skip
    assert part.verdict.changed
    assert any("called otherwise" in line for line in part.verdict.evidence)


def face(at: float, score: float) -> Face:
    return Face(probability(score), Box(*box(at)))


def test_faces_are_matched_and_scores_compared(maker) -> None:
    then = {n: Annotation(faces=(face(0.1, 0.9), face(0.5, 0.8))) for n in NAMES}
    now = {n: Annotation(faces=(face(0.1, 0.9 + 1e-6),)) for n in NAMES}
    maker.answered("p", Task.FACES, then, revision="imported a", parameters='{"c":1}')
    maker.answered("p", Task.FACES, now, revision="imported b", parameters='{"c":2}',
                   received_at="2026-12-01T00:00:00Z")  # fmt: skip
    (part,) = run(maker.path).parts
    assert value(part, "scores_moved") == 0
    assert value(part, "share_kept") == 0.5
    assert part.tables.get("flips", []) == []
    assert part.tables["changes"][0]["lost_near_floor"] == N  # for all that is seen, it is .9 now
    (evidence,) = part.verdict.evidence
    assert evidence.startswith("things gained less those lost, an image: -1")


def test_what_moved_is_no_image_without_change_and_no_evidence_by_itself(maker) -> None:
    then = {n: Annotation(faces=(face(0.1, 0.9),) if n in NAMES[:3] else ()) for n in NAMES}
    now = {**then, "0.jpg": Annotation(faces=(face(0.11, 0.8),))}
    maker.answered("p", Task.FACES, then)
    maker.answered("p", Task.FACES, now, revision="imported b", received_at="2026-12-01T00:00:00Z")
    found = run(maker.path, raters=("p@q1", "p@b"))
    with StudyFile(maker.path) as study:
        shown = [name for section in drifted.sections(found, study) for name in section.columns]
    (part,) = found.parts
    assert not part.verdict.changed
    assert "share of boxes that lie elsewhere 0.33 [" in part.verdict.reason
    assert "share of scores that moved beyond the tolerance 0.33" in part.verdict.reason
    assert "images with none lost or gained" in shown
    assert any("q1 is the number of a question" in note for note in found.notes)
    row = {"difference": 0.25, "low": -0.00001, "high": 0.5}
    assert drifted._interval(row) == "+0.25 [-1e-05, +0.50]"
    assert drifted._interval(row | {"low": 0.0}) == "+0.25 [0.00, +0.50]"


def text(*lines: str) -> Annotation:
    return Annotation(
        text_lines=tuple(TextLine(line, Box(*box(0.1)), probability(0.9)) for line in lines)
    )


def test_text_that_is_read_otherwise(maker) -> None:
    then = {n: text("STOP", "NO ENTRY") for n in NAMES}
    now = {n: text("ST0P", "NO ENTRY") for n in NAMES}
    now["0.jpg"] = text()
    maker.answered("p", Task.TEXT, then, revision="imported a", parameters='{"c":1}')
    maker.answered("p", Task.TEXT, now, revision="imported b", parameters='{"c":2}',
                   received_at="2026-12-01T00:00:00Z")  # fmt: skip
    (part,) = run(maker.path).parts
    assert value(part, "character_error_rate") == pytest.approx((N - 1 + 13) / (13 * N))
    assert value(part, "identical_texts") == 0
    (flip,) = part.tables["flips"]
    assert (flip["label"], flip["lost"], flip["gained"]) == ("any text", 1, 0)


def likely(word: str, status: Status = Status.OBSERVED) -> Annotation:
    return Annotation(
        status, safe_search=(SafeSearch("adult", Score(Scale.LIKELIHOOD, word=word)),)
    )


def test_words_of_likelihood_that_rose(maker) -> None:
    words = ["VERY_UNLIKELY"] * 20 + ["POSSIBLE"] * 12 + ["LIKELY"] * 8
    later = ["VERY_UNLIKELY"] * 20 + ["LIKELY"] * 12 + ["LIKELY"] * 6 + ["UNKNOWN"] * 2
    for day, said in (("2026-11-01", words), ("2026-12-01", later)):
        given = dict(zip(NAMES, map(likely, said), strict=True))
        maker.answered("p", Task.SAFE_SEARCH, given, scale=Scale.LIKELIHOOD,
                       revision=f"imported {day}", parameters=json.dumps({"c": day}),
                       received_at=f"{day}T00:00:00Z")  # fmt: skip
    (part,) = run(maker.path).parts
    assert value(part, "raised", "adult") == pytest.approx(12 / 38)
    assert value(part, "unchanged", "adult") == pytest.approx(26 / 38)
    table = {(row["word_a"], row["word_b"]): row["images"] for row in part.tables["transitions"]}
    assert table == {
        ("VERY_UNLIKELY", "VERY_UNLIKELY"): 20,
        ("POSSIBLE", "LIKELY"): 12,
        ("LIKELY", "LIKELY"): 6,
        ("LIKELY", "UNKNOWN"): 2,
    }
    (flip,) = part.tables["flips"]
    assert (flip["label"], flip["lost"], flip["gained"]) == ("adult (LIKELY or more)", 2, 12)
    assert flip["p_value"] == pytest.approx(stats.binomtest(2, 14).pvalue)
    assert part.verdict.changed


def test_numbers_of_unsafe_content_are_scores(maker) -> None:
    def scored(score: float) -> Annotation:
        return Annotation(safe_search=(SafeSearch("nsfw", probability(score)),))

    for day, score in (("2026-11-01", 0.1), ("2026-12-01", 0.3)):
        maker.answered("p", Task.SAFE_SEARCH, {n: scored(score) for n in NAMES},
                       revision=f"imported {day}", parameters=json.dumps({"c": day}),
                       received_at=f"{day}T00:00:00Z")  # fmt: skip
    (part,) = run(maker.path).parts
    assert value(part, "score_shift_mean") == pytest.approx(0.2)
    assert value(part, "identical_sets") == 1


def test_a_service_that_refuses_what_it_took_is_seen(maker) -> None:
    said = {name: labels("dog") for name in NAMES}
    maker.answered("p", Task.LABELS, said, revision="imported a", parameters='{"c":1}')
    said = dict.fromkeys(NAMES[:5], Annotation(Status.WITHDRAWN)) | {
        n: labels("dog") for n in NAMES[5:]
    }
    maker.answered("p", Task.LABELS, said, revision="imported b", parameters='{"c":2}',
                   received_at="2026-12-01T00:00:00Z")  # fmt: skip
    (part,) = run(maker.path).parts
    found = {(row["status_a"], row["status_b"]): row["images"] for row in part.tables["statuses"]}
    assert found == {("observed", "observed"): N - 5, ("observed", "withdrawn"): 5}
    assert part.tables["changes"][0]["images"] == N - 5
