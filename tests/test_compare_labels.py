"""Labels compared: on recorded answers against few-line computations, and on studies by hand."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

import visionhub
from tests.compared import Maker, labels
from visionhub import registry
from visionhub.analysis.compare import Comparison, Wanted, compare
from visionhub.analysis.measured import Measured, find
from visionhub.analysis.resample import Resampling
from visionhub.analysis.settings import Settings
from visionhub.analysis.vocabulary.codebook import Codebook
from visionhub.errors import UsageError
from visionhub.schema import Scale, Task
from visionhub.store.study import StudyFile

QUICK = Settings(Resampling(draws=200))
ENTRIES = {
    "google": "visionhub_google:GoogleVision",
    "rekognition": "visionhub_rekognition:Rekognition",
}
CODEBOOK = Codebook.read(
    """
    animal = ["Animal", "Vertebrate"]
    people = ["Person", "People", "Human", "Crowd"]
    building = ["Building", "House", "Room", "Property"]
    vehicle = ["Vehicle", "Car", "Bicycle", "Train"]
    food = ["Food", "Dish"]
    """,
    "codebook.toml",
)


def compared(path: Path, *raters: str, **more) -> Comparison:
    with StudyFile(path) as study:
        return compare(study, Wanted(("labels",), raters, settings=QUICK, **more))


def value(
    found: Comparison, measure: str, level: str = "exact", thing: str = "", **more
) -> Measured:
    row = find(found.parts[0].rows, measure, level=level, thing=thing, **more)
    assert row is not None, (measure, level, thing)
    return row


# Recorded answers


@pytest.fixture(scope="module")
def cloudy(shared: Path) -> Path:
    folder = shared / "recorded" / "cloudy_vision"
    if not folder.is_dir():
        pytest.skip("no ../shared/recorded/cloudy_vision: recorded answers are not compared")
    return folder


@pytest.fixture(scope="module")
def recorded(cloudy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Google 2016, Google 2017 and Rekognition 2017 about the same photographs."""
    path = tmp_path_factory.mktemp("cloudy") / "study.db"
    entries = {name: EntryPoint(name, at, registry.GROUP) for name, at in ENTRIES.items()}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(registry, "_found", lambda: entries)
        study, asked = visionhub.Study(path), {"images": cloudy / "input_images"}
        for year, name in (("2016", "output_2016_07_06"), ("2017", "output")):
            files = sorted((cloudy / name).glob("*.google.json"))
            given = {"received": f"{year}-04-17", "collection": year, "tasks": "labels"}
            study.import_bodies(files, provider="google", **asked, **given)
        files = sorted((cloudy / "output").glob("*.rekognition.json"))
        study.import_bodies(files, provider="rekognition", collection="2017", **asked)
    return path


def raw(folder: Path, service: str) -> dict[str, set[str]]:
    """Lower-case labels by photograph, out of the recorded files; of two equal ones the first."""
    found = {}
    for path in sorted(folder.glob(f"*.{service}.json")):
        answer = json.loads(path.read_text())
        if service == "google":
            words = [o["description"] for o in answer["responses"][0].get("labelAnnotations", [])]
        else:
            words = [one["Name"] for one in answer["Labels"]]
        if "collie_in_a_park" not in path.name:  # the same bytes as collie.jpg
            found[path.name.removesuffix(f".{service}.json")] = {word.lower() for word in words}
    return found


def mean_jaccard(first: dict[str, set[str]], second: dict[str, set[str]]) -> float:
    pairs = [(first[name], second[name]) for name in first]
    return float(np.mean([len(a & b) / len(a | b) if a | b else 1.0 for a, b in pairs]))


def test_google_and_rekognition_at_three_levels(recorded: Path, cloudy: Path) -> None:
    found = compared(recorded, "google", "rekognition", codebook=CODEBOOK)
    exact = value(found, "jaccard")
    google, amazon = raw(cloudy / "output", "google"), raw(cloudy / "output", "rekognition")
    assert exact.estimate.value == pytest.approx(mean_jaccard(google, amazon), abs=1e-12)
    assert (exact.estimate.n, exact.estimate.clusters) == (23, 23)
    shared = sum(len(google[name] & amazon[name]) for name in google)
    share = value(found, "shared_of_a").estimate.value
    assert share == pytest.approx(shared / sum(map(len, google.values())))
    ladder = [value(found, "jaccard", name).estimate for name in ("exact", "crosswalk", "codebook")]
    assert all(one.value < other.value for one, other in pairwise(ladder))
    assert all(one.low < one.value < one.high for one in ladder)
    assert 0.11 < ladder[0].value < 0.13 < ladder[1].value < ladder[2].value
    told = "google has 23 answers of another version"
    assert any(told in note for note in found.parts[0].notes)


def test_google_of_two_years(recorded: Path, cloudy: Path) -> None:
    found = compared(recorded, "then=google@2016", "now=google@2017", codebook=CODEBOOK)
    assert [one.name for one in found.parts[0].raters] == ["then", "now"]
    then, now = raw(cloudy / "output_2016_07_06", "google"), raw(cloudy / "output", "google")
    exact = value(found, "jaccard").estimate
    assert exact.value == pytest.approx(mean_jaccard(then, now), abs=1e-12)
    levels = ("exact", "crosswalk", "codebook")
    ladder = [value(found, "jaccard", name).estimate.value for name in levels]
    assert ladder == sorted(ladder)
    assert all(note.startswith("codebook: ") for note in found.parts[0].notes)


def test_label_by_label_the_cells_are_counted_right(recorded: Path, cloudy: Path) -> None:
    found = compared(recorded, "google", "rekognition")
    google, amazon = raw(cloudy / "output", "google"), raw(cloudy / "output", "rekognition")
    codebook = Codebook.read('cat = { terms = ["Cat"], narrower = false }', "c.toml")
    books = compared(recorded, "google", "rekognition", codebook=codebook)
    assert not [row for row in books.parts[0].tables["cells"] if row["level"] == "codebook"]
    rows = {r["thing"]: r for r in found.parts[0].tables["cells"] if r["level"] == "crosswalk"}
    said = [["mammal" in side[name] for name in google] for side in (google, amazon)]
    row, first, second = rows["mammal"], np.array(said[0]), np.array(said[1])
    # The crosswalk adds what is narrower, so that it can only find more.
    assert row["both"] >= (first & second).sum() > 0
    assert row["both"] + row["only_a"] + row["only_b"] + row["neither"] == 23


def test_what_cannot_be_mapped_is_told_tier_by_tier(recorded: Path) -> None:
    part = compared(recorded, "google", "rekognition").parts[0]
    for name in ("google", "rekognition"):
        mine = [row for row in part.tables["mapped"] if row["of"] == name]
        assert sum(row["share"] for row in mine) == pytest.approx(1)
        assert {"exact", "words", "none"} <= {row["tier"] for row in mine}
    assert part.tables["unmapped"]
    assert part.tables["collapses"]
    assert len(part.about["crosswalk_sha256"]) == 64


# Studies by hand


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    return Maker(tmp_path / "study.db")


def two(maker: Maker, said: dict[str, tuple[str, str]], **more) -> Path:
    """Two providers; labels are written as words with spaces between."""
    for at, name in enumerate(("one", "two")):
        rows = {image: labels(*words[at].split()) for image, words in said.items()}
        maker.answered(name, Task.LABELS, rows, **more)
    return maker.path


def test_measures_of_a_label_are_those_of_its_table(maker: Maker) -> None:
    random = np.random.default_rng(1)
    first = random.random(200) < 0.3
    second = np.where(random.random(200) < 0.8, first, random.random(200) < 0.3)
    said = {
        str(at): ("sky dog" if a else "sky", "sky dog" if b else "sky")
        for at, (a, b) in enumerate(zip(first, second, strict=True))
    }
    found = compared(two(maker, said))
    kappa = value(found, "cohen_kappa", "crosswalk", "dog").estimate
    assert kappa.value == pytest.approx(cohen_kappa_score(first, second))
    assert kappa.low < kappa.value < kappa.high
    positive = value(found, "positive_agreement", "crosswalk", "dog").estimate
    assert positive.value == pytest.approx(
        2 * (first & second).sum() / (first.sum() + second.sum())
    )
    (cells,) = [row for row in found.parts[0].tables["cells"] if row["thing"] == "dog"]
    assert cells["both"] == (first & second).sum()
    assert cells["only_a"] == (first & ~second).sum()
    assert cells["prevalence_b"] == pytest.approx(second.mean())
    sky = value(found, "cohen_kappa", "crosswalk", "sky").estimate
    assert not sky.estimable
    assert "both always said the same" in sky.reason


def test_sources_widen_the_interval(maker: Maker) -> None:
    random = np.random.default_rng(2)
    said = {}
    for source in range(40):
        pair = [" ".join(random.choice(["dog", "cat", "tree"], 2)) for _ in range(2)]
        said |= {f"{source}-{at}": tuple(pair) for at in range(10)}
    path = two(maker, said)
    alone = value(compared(path), "jaccard").estimate
    order = np.array(sorted(maker.ids.values()))
    by = {maker.ids[name]: int(name.partition("-")[0]) for name in said}
    settings = Settings(QUICK.how, lambda images: np.array([by[one] for one in images.tolist()]))
    with StudyFile(path) as study:
        found = compare(study, Wanted(("labels",), settings=settings))
    sourced = value(found, "jaccard").estimate
    assert (sourced.n, sourced.clusters) == (400, 40)
    assert sourced.value == pytest.approx(alone.value)
    assert (sourced.high - sourced.low) > 2 * (alone.high - alone.low)
    label = value(found, "cohen_kappa", "crosswalk", "dog").estimate
    assert label.clusters == 40
    assert "of sources" in label.method
    assert len(order) == 400


def test_what_was_cut_off_is_unknown_and_bounds_say_what_it_can_be(maker: Maker) -> None:
    first = {str(at): labels(("dog", 0.9), ("cat", 0.8), cut=True) for at in range(40)}
    second = {str(at): labels(("dog", 0.9), ("tree", 0.7)) for at in range(40)}
    maker.answered(
        "cut", Task.LABELS, first | {"x": labels(("tree", 0.6))}, max_results=2, floor=0.5
    )
    maker.answered("whole", Task.LABELS, second | {"x": labels(("cat", 0.6))}, floor=0.5)
    found = compared(maker.path)
    row = value(found, "jaccard")
    assert row.estimate.value == pytest.approx((40 / 3 + 0) / 41)
    # `tree` may have been cut off from the first; `cat` is no answer of the second, which is whole.
    assert row.lowest == pytest.approx(row.estimate.value)
    assert row.highest == pytest.approx((40 * 2 / 3) / 41)
    tree = value(found, "positive_agreement", "crosswalk", "tree")
    assert tree.lowest == tree.estimate.value == 0
    assert tree.highest == pytest.approx(80 / 81)  # 40 agreements, and one image of the first alone
    kappa = value(found, "cohen_kappa", "crosswalk", "tree")
    assert kappa.lowest == kappa.estimate.value == pytest.approx(-80 / 1601)
    assert kappa.highest == pytest.approx(0)  # the first says it everywhere then
    for name in ("gwet_ac1", "pabak", "percent_agreement"):
        assert value(found, name, "crosswalk", "tree").highest > 0.9
    cells = {row["thing"]: row for row in found.parts[0].tables["cells"]}
    assert cells["tree"]["unknown"] == 40
    assert cells["cat"]["unknown"] == 0


def test_the_sweep_begins_with_what_nobody_knows_and_ends_with_the_surest(maker: Maker) -> None:
    random = np.random.default_rng(3)
    names = ["dog", "cat", "tree", "car", "sky"]

    def said(scale: float) -> dict:
        return {
            str(at): labels(
                *((name, round(scale * random.uniform(0.5, 1), 4)) for name in names[: at % 5 + 1]),
                percent=scale > 1,
            )
            for at in range(60)
        }

    maker.answered("a", Task.LABELS, said(1), floor=0.5)
    maker.answered("b", Task.LABELS, said(100), floor=50, scale=Scale.PERCENT)
    rows = [r for r in compared(maker.path).parts[0].tables["sweep"] if r["level"] == "crosswalk"]
    assert (rows[0]["threshold_a"], rows[0]["highest"]) == (0.0, 1.0)
    assert rows[1]["threshold_a"] is None
    assert rows[1]["lowest"] == rows[1]["jaccard"] == rows[1]["highest"] == 1
    for row in rows[2:]:
        assert 0.5 <= row["threshold_a"] <= 1
        assert 50 <= row["threshold_b"] <= 100
        assert row["labels_an_image_a"] == pytest.approx(row["labels_an_image_b"], abs=0.1)
        assert row["lowest"] == pytest.approx(row["jaccard"])  # nothing was cut off
    rates = [row["labels_an_image_a"] for row in rows[1:]]
    assert rates == sorted(rates, reverse=True)
    assert rows[-1]["jaccard"] < 1


def test_three_raters_and_each_left_out(maker: Maker) -> None:
    random = np.random.default_rng(4)
    truth = random.random(80) < 0.5

    def said(flip: float) -> dict:
        wrong = random.random(80) < flip
        return {
            str(at): labels("sky", *(["dog"] if truth[at] != wrong[at] else [])) for at in range(80)
        }

    for name, flip in (("good", 0.05), ("fine", 0.05), ("odd", 0.5)):
        maker.answered(name, Task.LABELS, said(flip))
    found = compared(maker.path)
    together = value(found, "alpha_nominal", "crosswalk", "dog").estimate.value
    left_out = {
        name: value(found, f"alpha_nominal_without:{name}", "crosswalk", "dog").estimate.value
        for name in ("good", "fine", "odd")
    }
    assert left_out["odd"] > 0.6 > together > max(left_out["good"], left_out["fine"])
    assert value(found, "alpha_jaccard_without:odd").estimate.value > 0.6


def test_a_rater_without_a_word_for_a_thing_is_missing_and_not_a_no(maker: Maker) -> None:
    for name in ("one", "two"):
        maker.answered(name, Task.LABELS, {str(at): labels("dog", "zyx") for at in range(8)})
    maker.answered("mute", Task.LABELS, {str(at): labels("sky") for at in range(8)})
    found = compared(maker.path)
    assert find(found.parts[0].rows, "alpha_nominal", level="crosswalk", thing="dog") is None
    pair = ("mute", "one")
    row = find(found.parts[0].rows, "jaccard_comparable", pair, level="crosswalk")
    assert not row.estimate.estimable
    assert "nothing that both have words for" in row.estimate.reason


def test_images_that_one_has_not_answered_are_left_out(maker: Maker) -> None:
    maker.answered("one", Task.LABELS, {"a": labels("dog"), "b": labels("cat")})
    maker.answered("two", Task.LABELS, {"b": labels("cat"), "c": labels()})
    found = compared(maker.path)
    assert value(found, "jaccard").estimate.n == 1
    assert value(found, "jaccard").estimate.value == 1


def test_without_two_raters_there_is_one_sentence(maker: Maker) -> None:
    maker.answered("one", Task.LABELS, {"a": labels("dog")})
    with pytest.raises(UsageError, match="two raters are needed, and one has answered"):
        compared(maker.path)
    with StudyFile(maker.path) as study, pytest.raises(UsageError, match="no task has answers"):
        compare(study, Wanted())
    with StudyFile(maker.path) as study, pytest.raises(UsageError, match="-t smells: choose"):
        compare(study, Wanted(("smells",)))
