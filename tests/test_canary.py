"""A fixed set is asked about again: apart from current answers, through the money of any run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest
from typer.testing import CliRunner
from visionhub_sandbox import Fault, Sandbox

import visionhub
from tests.conftest import jpeg
from tests.ledgers import LABELS
from tests.sandboxed import Seer
from tests.toy import SPEC, Toy
from visionhub import registry
from visionhub.analysis.compare import Wanted, compare
from visionhub.analysis.raters import choose, versions
from visionhub.cli import app
from visionhub.engine import ask as asking
from visionhub.engine import canary as again
from visionhub.engine import intake
from visionhub.engine.plan import Ask
from visionhub.errors import CapReached, Declined, UnreadableImage, UsageError
from visionhub.pricing import Tier
from visionhub.pricing.rows import written
from visionhub.provider import Request, TaskSpec
from visionhub.schema import Annotation, Label, Task, probability
from visionhub.store.study import StudyFile

PHOTOS = 8
CURRENT = "SELECT * FROM status ORDER BY 1, 2, 3"


class Moody(Toy):
    """A toy that calls things otherwise from one release to the next, under one revision."""

    name: ClassVar[str] = "toy"
    mood: ClassVar[str] = "cat"

    def parse(self, body: bytes, request: Request) -> Annotation:
        if request.task is not Task.LABELS:
            return super().parse(body, request)
        said = json.loads(body)["mood"]
        return Annotation(labels=(Label(said, probability(0.9)), Label("pet", probability(0.6))))

    def fetch(self, batch):
        for outcome in super().fetch(batch):
            told = json.loads(outcome.result.data) | {"mood": self.mood}
            yield replace(outcome, result=replace(outcome.result, data=json.dumps(told).encode()))


class Other(Moody):
    name: ClassVar[str] = "other"


class Paid(Moody):
    tasks: ClassVar[Mapping[Task, TaskSpec]] = {Task.LABELS: replace(SPEC, sku="LABELS")}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(PHOTOS):
        (folder / f"{number}.jpg").write_bytes(jpeg(160, 120, shift=number * 7))
    return folder


@pytest.fixture
def study(tmp_path: Path) -> visionhub.Study:
    return visionhub.Study(tmp_path / "study.db")


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    path = tmp_path / "prices.toml"
    today, tiers = datetime.now(UTC).date(), (Tier(None, 1500),)
    row = replace(LABELS, provider="toy", retrieved=today, tiers=tiers)
    path.write_text(written("made up", [row]), "utf-8")
    return path


def asked(study: visionhub.Study) -> list[tuple[str, str, int]]:
    """Canary questions with the number of answers to each."""
    return study.query(
        "SELECT q.task, c.revision, count(*) FROM canaries c JOIN questions q ON q.id = "
        "c.question_id JOIN requests r ON r.question_id = q.id GROUP BY q.id ORDER BY q.id"
    ).rows


def test_the_set_is_the_first_by_hash_and_stays(use, study, photos) -> None:
    toy = use(Moody())
    study.annotate(photos, providers="toy", tasks="labels,objects")
    hashes = sorted(study.table("images").column("sha256"))
    canary, progress = study.canary(Ask(("toy",), ()), 3)
    assert (canary.images, progress.done, canary.left_out) == (3, 6, ())
    held = "SELECT i.sha256 FROM canary_images c JOIN images i ON i.id = c.image_id ORDER BY 1"
    assert study.query(held).column("sha256") == hashes[:3]
    assert canary.ask.tasks == ("labels", "objects")
    with pytest.raises(UsageError, match="has 3 photographs since"):
        study.canary(Ask(("toy",), ()), 4)
    for number in range(PHOTOS, PHOTOS + 20):  # some of these hashes come before
        (photos / f"{number}.jpg").write_bytes(jpeg(160, 120 + number))
    study.annotate(photos, providers="toy", tasks="labels,objects")
    assert min(set(study.table("images").column("sha256")) - set(hashes)) < hashes[2]
    toy.calls.clear()
    second, progress = study.canary(Ask(("toy",), ("labels",)))
    assert (second.images, progress.done, toy.calls) == (3, 3, ["labels"] * 3)
    assert study.query(held).column("sha256") == hashes[:3]
    assert second.ask.canary > canary.ask.canary  # on the same day, and another collection
    assert asked(study) == [("labels", "toy@1", 3), ("objects", "toy@1", 3), ("labels", "toy@1", 3)]


def test_what_was_current_stays_so_everywhere(use, study, photos, tmp_path) -> None:
    toy = use(Moody())
    study.annotate(photos, providers="toy", tasks="labels")

    def everything() -> list[object]:
        runner, out = CliRunner(), []
        for words in (["status"], ["contact-sheet", "--out", str(tmp_path / "a.html")]):
            words.insert(1, str(study.path))
            out.append(runner.invoke(app, words, catch_exceptions=False).exit_code)
        export = ["export", str(study.path), "--out", str(tmp_path / "t"), "--overwrite"]
        out.append(runner.invoke(app, [*export, "--table", "labels"]).exit_code)
        out += [(tmp_path / "t" / "labels.csv").read_text(), (tmp_path / "a.html").read_text()]
        status = json.loads(runner.invoke(app, ["status", str(study.path), "--json"]).stdout)
        out += [status["tasks"], status["mixed"], status["model_versions"]]
        return [*out, study.query(CURRENT).rows, study.table("labels").rows]

    before = everything()
    toy.mood = "dog"
    canary, progress = study.canary(Ask(("toy",), ()))
    assert progress.done == PHOTOS
    assert not progress.switched
    assert study.query("SELECT count(*) FROM labels WHERE name = 'dog'").rows == [(PHOTOS,)]
    assert everything() == before
    counts = study.reparse()
    assert counts == {"observed": 2 * PHOTOS}
    assert everything() == before
    assert study.query("SELECT count(*) FROM labels WHERE name = 'dog'").rows == [(PHOTOS,)]
    toy.mood = "cat"
    assert study.annotate(photos, providers="toy", tasks="labels").done == 0
    assert everything() == before
    with StudyFile(study.path) as opened:
        found = versions(opened, Task.LABELS)
        assert [(one.canary, one.current) for one in found] == [
            ("", PHOTOS),
            (canary.ask.canary, 0),
        ]


def test_a_comparison_takes_current_answers_and_names_the_canary(use, study, photos) -> None:
    toy = use(Moody())
    study.annotate(photos, providers="toy", tasks="labels")
    toy.mood = "dog"
    canary, _ = study.canary(Ask(("toy",), ()))
    moment = canary.ask.canary
    with StudyFile(study.path) as opened:
        found = versions(opened, Task.LABELS)
        chosen = choose(found, task="labels")
        assert [rater.canary for rater in chosen.raters] == [""]
        assert f"8 answers of a canary of {moment}, which are not mixed in" in chosen.notes[0]
        assert f"--rater toy@{moment} compares them" in chosen.notes[0]
        assert not choose([one for one in found if one.canary]).raters
        plain = choose(found, ["old=toy@toy@1", f"new=toy@{moment}"]).raters
        assert [rater.canary for rater in plain] == ["", moment]
        part = compare(opened, Wanted(["labels"], ["old=toy", f"new=toy@{moment}"])).parts[0]
        exact = next(row for row in part.rows if row.measure == "jaccard" and row.level == "exact")
        assert exact.estimate.value == pytest.approx(1 / 3)  # {cat, pet} and {dog, pet}


def test_two_providers_are_compared_by_their_current_answers(
    use, study, photos, monkeypatch
) -> None:
    toy = use(Moody())
    monkeypatch.setattr(registry, "get", {"toy": toy, "other": Other()}.__getitem__)
    study.annotate(photos, providers="toy,other", tasks="labels")
    toy.mood = "dog"
    canary, _ = study.canary(Ask(("toy",), ()), 5)
    with StudyFile(study.path) as opened:
        (part,) = compare(opened, Wanted(["labels"])).parts
    assert [(rater.name, rater.canary, rater.images) for rater in part.raters] == [
        ("other", "", PHOTOS),
        ("toy", "", PHOTOS),
    ]
    exact = next(row for row in part.rows if row.measure == "jaccard" and row.level == "exact")
    assert (exact.estimate.value, exact.estimate.n) == (1.0, PHOTOS)  # both say cat and pet
    (note,) = [line for line in part.notes if canary.ask.canary in line]
    assert "toy has 5 answers of a canary" in note


def test_photographs_that_are_gone_or_others_are_left_out_and_named(use, study, photos) -> None:
    use(Moody())
    study.annotate(photos, providers="toy", tasks="labels")
    study.canary(Ask(("toy",), ()))
    (photos / "0.jpg").unlink()
    (photos / "1.jpg").write_bytes(jpeg(90, 90))
    (photos / "2.jpg").rename(photos / "moved.jpg")
    said: list[str] = []
    canary, progress = study.canary(Ask(("toy",), ()), announce=said.append)
    assert (canary.images, progress.done) == (PHOTOS, PHOTOS - 3)
    why = {Path(path).name: reason for path, reason in canary.left_out}
    assert why == {
        "0.jpg": "its file is not there",
        "1.jpg": "its file has changed",
        "2.jpg": "its file is not there",
    }
    assert sum("left out of the canary: " in line for line in said) == 3
    study.annotate(photos, providers="toy", tasks="labels")  # there it is found again
    canary, progress = study.canary(Ask(("toy",), ()))
    assert progress.done == PHOTOS - 2
    assert {Path(path).name for path, _ in canary.left_out} <= {"0.jpg", "1.jpg"} | {
        path for path, _ in canary.left_out if path.startswith("image ")
    }


def test_what_goes_wrong_in_a_canary_changes_no_status(use, study, photos, monkeypatch) -> None:
    toy = use(Moody())
    study.annotate(photos, providers="toy", tasks="labels")
    before = study.query(CURRENT).rows
    toy.fault["labels"] = "refuse"
    assert study.canary(Ask(("toy",), ()))[1].unanswered == PHOTOS
    toy.fault.clear()

    def broken(*_: object) -> None:
        raise UnreadableImage("no_memory", "there is not enough of it")

    monkeypatch.setattr(intake, "render", broken)
    assert study.canary(Ask(("toy",), ()))[1].unreadable_images == PHOTOS
    assert study.query(CURRENT).rows == before


def test_it_asks_what_was_asked_before(use, study, photos) -> None:
    use(Moody())
    given = {"labels.min_score": "0.3", "labels.style": "b"}
    study.annotate(photos, providers="toy", tasks="labels", parameters=given)
    study.canary(Ask(("toy",), ()))
    parameters = study.query("SELECT DISTINCT parameters FROM questions").column("parameters")
    assert parameters == ['{"min_score":0.3,"style":"b"}']
    study.canary(Ask(("toy",), (), {"toy.labels.style": "c"}))
    assert '"style":"c"' in study.table("questions").column("parameters")[-1]


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (Ask(("toy", "other"), ()), "name one provider"),
        (Ask(("toy",), ("landmarks",)), "toy can be asked again for"),
        (Ask(("toy",), ("objects",)), "holds no answers of toy for objects"),
    ],
)
def test_what_cannot_be_asked_again_is_said(use, study, photos, ask, says) -> None:
    use(Moody())
    study.annotate(photos, providers="toy", tasks="labels")
    with pytest.raises(UsageError, match=says):
        study.canary(ask)
    assert asked(study) == []


def test_it_is_quoted_agreed_to_and_capped_like_any_run(use, study, photos, prices) -> None:
    paid = use(Paid())
    ask = Ask(("toy",), (), prices=prices)
    study.annotate(photos, providers="toy", tasks="labels", prices=prices, max_cost="1")
    spent = study.table("accounts").rows
    shown = []

    def no(quote) -> bool:
        shown.append((quote.calls, quote.units, quote.spent))
        return False

    paid.calls.clear()
    with pytest.raises(Declined):
        study.canary(ask, 4, confirm=no)
    assert (shown, paid.calls, study.table("accounts").rows) == ([(4, 4, 12_000)], [], spent)
    with pytest.raises(UsageError, match="Charged for: toy labels"):
        study.canary(ask, 4)
    with pytest.raises(CapReached):  # nothing was asked so far: another size may be chosen
        study.canary(replace(ask, max_cost="0.0165"), 5)
    assert paid.calls == ["labels"] * 3
    (first,) = asked(study)
    canary, progress = study.canary(replace(ask, max_cost="1"))  # the same one goes on
    assert canary.goes_on
    assert (progress.done, sum(progress.cached.values())) == (2, 3)
    assert len(paid.calls) == 5
    assert asked(study) == [(*first[:2], 5)]
    third, progress = study.canary(replace(ask, max_cost="1"))
    assert (third.goes_on, progress.done) == (False, 5)
    assert study.table("accounts").rows[0][2] == (PHOTOS + 10) * 1500


def test_what_was_cut_off_long_ago_is_begun_anew(use, study, photos, monkeypatch) -> None:
    toy = use(Moody())
    study.annotate(photos, providers="toy", tasks="labels")
    with StudyFile(study.path, write=True):
        pass
    monkeypatch.setattr(again.canaries, "finish", lambda *_: None)
    first, _ = study.canary(Ask(("toy",), ()))
    assert study.canary(Ask(("toy",), ()))[0].ask.canary == first.ask.canary
    assert not study.canary(Ask(("toy",), (), {"labels.style": "z"}))[0].goes_on
    monkeypatch.setattr(again, "DAY", again.DAY * 0)
    toy.calls.clear()
    canary, progress = study.canary(Ask(("toy",), ()))
    assert (canary.goes_on, progress.done) == (False, PHOTOS)


# Through the command line, and against the stand-in


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_a_provider_that_has_changed_is_told_from_one_that_has_not(use, study, photos) -> None:
    toy = use(Moody())
    study.annotate(photos, providers="toy", tasks="labels,objects")
    words = ("drift", study.path, "--canary", "-p", "toy", "-t", "labels", "--json")
    code, out, _ = run(*words)
    same = json.loads(out)
    assert code == 0
    assert (same["changed"], same["tasks"][0]["verdict"]) == (False, "no evidence of a change")
    assert same["canary"]["run"]["done"] == PHOTOS
    toy.mood = "dog"
    found = json.loads(run(*words)[1])["tasks"][0]
    assert found["changed"] is True
    flips = {row["label"]: row for row in found["flips"]}
    assert (flips["cat"]["lost"], flips["dog"]["gained"]) == (PHOTOS, PHOTOS)
    p = 2 * 0.5**PHOTOS
    assert flips["cat"]["p_value"] == pytest.approx(p)
    assert flips["cat"]["p_holm"] == pytest.approx(2 * p)
    assert flips["cat"]["p_fdr_bh"] == pytest.approx(p)
    assert flips["pet"]["p_value"] is None
    assert {row["change"]: row["label"] for row in found["vocabulary"]} == {
        "new": "dog",
        "gone": "cat",
    }
    assert found["versions"][1]["canary"] > found["versions"][0]["last_answer"][:10]
    assert any("of 2 labels that flipped" in line for line in found["evidence"])
    # Two canaries of one day differ by as much as the two moods: that, now, is taken for noise.
    assert [row["value"] for row in found["noise_floor"] if row["measure"] == "identical_sets"] == [
        0.0
    ]
    again = json.loads(run("drift", study.path, "-t", "labels", "--json")[1])
    assert again["tasks"][0]["verdict"] == "cannot be told"
    assert "of one day" in again["tasks"][0]["reason"]


def test_options_that_do_not_go_together_are_refused(use, study, photos) -> None:
    use(Moody())
    study.annotate(photos, providers="toy", tasks="labels")
    with pytest.raises(UsageError, match="there are no two versions"):
        run("drift", study.path)
    with pytest.raises(UsageError, match="--max-cost is for --canary"):
        run("drift", study.path, "--max-cost", "5")
    with pytest.raises(UsageError, match="leave --rater out"):
        run("drift", study.path, "--canary", "-p", "toy", "--rater", "toy")
    with pytest.raises(UsageError, match="name one provider with -p"):
        run("drift", study.path, "--canary")
    with pytest.raises(UsageError, match=r"nowhere\.csv"):
        run("drift", study.path, "--canary", "-p", "toy", "--source", "nowhere.csv")
    assert asked(study) == []


@pytest.fixture
def clouds(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("boto3", reason="the extra 'aws' is not installed: not tested")
    reason = "the extra 'google' is not installed: not tested"
    pytest.importorskip("google.cloud.vision", reason=reason)
    monkeypatch.setattr(asking, "FIRST_WAIT", 0.01)


@pytest.mark.usefixtures("clouds", "tireless")
@pytest.mark.parametrize("provider", ["google", "rekognition"])
def test_a_rehearsed_canary_meets_faults_and_stays_a_rehearsal(
    tmp_path, photos, monkeypatch, provider
) -> None:
    monkeypatch.chdir(tmp_path)
    tasks = "labels,objects,faces,text,safe_search"
    words = ("-p", provider, "-t", tasks, "--sandbox", "--json")
    with Sandbox(Seer()) as sandbox:
        monkeypatch.setenv("VISIONHUB_SANDBOX", sandbox.address)
        assert run("annotate", photos, *words)[0] == 0
        study = visionhub.Study("rehearsal.db")
        before, calls = study.query(CURRENT).rows, sandbox.calls.count()
        settled = study.table("accounts").rows[0][2]
    with Sandbox(Seer(), faults=(Fault("throttle", times=2),)) as sandbox:
        monkeypatch.setenv("VISIONHUB_SANDBOX", sandbox.address)
        code, out, err = run("drift", "--canary", "--canary-size", 4, *words)
        assert sandbox.calls.count() > 2
    found = json.loads(out)
    assert (code, found["rehearsal"], found["changed"]) == (0, True, False)
    with pytest.raises(UsageError, match=r"is a rehearsal: add --sandbox\."):
        run("drift", "rehearsal.db", "-p", provider, "--canary", "--yes")
    assert [part["task"] for part in found["tasks"]] == tasks.split(",")
    for part in found["tasks"]:
        assert part["verdict"] == "no evidence of a change", part
        assert all(one["requested"].startswith("rehearsal ") for one in part["versions"])
        assert {row["images"] for row in part["statuses"]} == {4}
    assert study.query(CURRENT).rows == before
    assert '"event": "summary"' in err
    revisions = study.query("SELECT revision FROM questions WHERE revision LIKE '%canary%'")
    assert all(one.startswith("rehearsal ") for one in revisions.column("revision"))
    assert study.table("accounts").rows[0][2] > settled  # what it would have cost counts as ever
    assert sum(study.reparse().values()) == 5 * (PHOTOS + 4)
    assert calls
    for real in ((), ("--max-cost", "1")):
        with pytest.raises(Exception, match=r"rehearsal|credentials|AWS|GOOGLE"):
            run("drift", "rehearsal.db", "--canary", "-p", provider, "-t", "labels", *real)
