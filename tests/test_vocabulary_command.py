"""`visionhub vocabulary`: a crosswalk proposed, reviewed and checked, as a user types it."""

from __future__ import annotations

import csv
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

import visionhub
from tests.conftest import jpeg
from visionhub import registry
from visionhub.analysis.vocabulary import vectors
from visionhub.cli.vocabulary import app
from visionhub.errors import UsageError, VisionHubError
from visionhub.report import cards
from visionhub.report.vocabulary_review import Review, meant
from visionhub.store.study import StudyFile

ENTRIES = {
    "google": "visionhub_google:GoogleVision",
    "rekognition": "visionhub_rekognition:Rekognition",
}
SEEN = {  # photograph: what the one says, what the other says
    "a.jpg": (["dog", "collie", "road bicycle"], ["Dog", "Animal"]),
    "b.jpg": (["dog", "asdfgh"], ["Dog", "Selfie"]),
    "c.jpg": (["people"], ["Person", "Human"]),
}
Run = Callable[..., Result]


def answer(names: list[str], maker: str) -> dict[str, object]:
    if maker == "google":
        found = [{"description": n, "mid": f"/m/0{n[:3]}", "score": 0.9} for n in names]
        return {"responses": [{"labelAnnotations": found}]}
    return {"Labels": [{"Name": name, "Confidence": 90.0} for name in names]}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with the answers of two services about three photographs."""
    folder = tmp_path_factory.mktemp("vocabulary")
    with pytest.MonkeyPatch.context() as patched:
        entries = {name: EntryPoint(name, at, registry.GROUP) for name, at in ENTRIES.items()}
        patched.setattr(registry, "_found", lambda: entries)
        study = visionhub.Study(folder / "study.db")
        for number, photo in enumerate(SEEN):
            (folder / photo).write_bytes(jpeg(160, 120, number * 9))
        for place, maker in enumerate(ENTRIES):
            files = []
            for photo, said in SEEN.items():
                files.append(folder / f"{photo}.{maker}.json")
                files[-1].write_text(json.dumps(answer(said[place], maker)))
            study.import_bodies(files, provider=maker, images=folder, tasks="labels")
    return folder / "study.db"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, list(map(str, words)), catch_exceptions=False)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_crosswalk_is_proposed(made: Path, run: Run, tmp_path: Path) -> None:
    shown = run("propose", made)
    assert shown.exit_code == 0
    assert (
        "10 labels of google labels, rekognition-labels, written to crosswalk.csv" in shown.stdout
    )
    assert "1 proposal, which count nowhere" in shown.stdout
    found = rows(tmp_path / "crosswalk.csv")
    assert list(found[0]) == [
        "vocabulary_a", "label_a", "vocabulary_b", "label_b", "relation", "source", "score",
        "decision", "version",
    ]  # fmt: skip
    by_label = {(row["vocabulary_a"], row["label_a"]): row for row in found}
    assert by_label["google labels", "people"]["label_b"] == "n00007846 person"
    assert by_label["google labels", "road bicycle"]["decision"] == ""
    assert (tmp_path / "crosswalk.csv").stat().st_mode & 0o077 == 0


def test_json_says_what_the_table_says(made: Path, run: Run) -> None:
    told = json.loads(run("propose", made, "--json").stdout)
    assert told["labels"] == 10
    assert told["undecided"] == 1
    assert sum(row["rows"] for row in told["rows"]) == len(rows(Path("crosswalk.csv")))
    assert len(told["sha256"]) == 64


def test_proposing_again_keeps_decisions(made: Path, run: Run) -> None:
    run("propose", made, "--out", "mine.csv")
    path = Path("mine.csv")
    text = path.read_text()
    edited = [line for line in text.splitlines() if "road bicycle" in line]
    path.write_text(text.replace(edited[0], edited[0].replace(",,1", ",rejected,1")))
    first = json.loads(run("propose", made, "--out", "mine.csv", "--json").stdout)
    assert first["undecided"] == 0
    assert [r["decision"] for r in rows(path) if r["label_a"] == "road bicycle"] == ["rejected"]
    assert json.loads(run("propose", made, "--out", "mine.csv", "--json").stdout) == first


def test_one_provider_alone(made: Path, run: Run) -> None:
    told = json.loads(run("propose", made, "-p", "rekognition", "--json").stdout)
    assert told["vocabularies"] == ["rekognition-labels"]
    with pytest.raises(UsageError, match=r"--provider embedded: the study .* has no labels"):
        run("propose", made, "-p", "embedded")


def test_vectors_are_pulled_when_they_are_asked_for(
    made: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np

    def same(names: list[str]) -> np.ndarray:
        return np.ones((len(names), 1), dtype=np.float32)

    asked: list[object] = []
    monkeypatch.setattr(vectors, "minilm", lambda announce: asked.append(announce) or same)
    run("propose", made)
    assert not asked
    run("propose", made, "--vectors")
    found = [row for row in rows(Path("crosswalk.csv")) if row["source"].startswith("vectors")]
    assert {row["decision"] for row in found} == {""}
    assert ("asdfgh", "Animal") in {(row["label_a"], row["label_b"]) for row in found}
    assert len(asked) == 1


def test_the_card_of_the_vectors_is_among_the_models() -> None:
    [card] = cards.chosen(["minilm-l6-int8"])
    assert card.permissive
    assert not card.default


def test_a_study_without_labels_is_told(run: Run, tmp_path: Path) -> None:
    with StudyFile(tmp_path / "empty.db", write=True):
        pass
    with pytest.raises(UsageError, match="holds no labels and no objects yet"):
        run("propose", tmp_path / "empty.db")


def test_checking_says_how_much_is_mapped(made: Path, run: Run) -> None:
    told = json.loads(run("check", made, "--json").stdout)
    mapped = {
        (row["rater"], row["tier"], row["how"]): (row["terms"], row["mass"], row["share"])
        for row in told["mapped"]
    }
    assert mapped == {
        ("google", "exact", "same"): (1, 2, 2 / 6),  # dog
        ("google", "words", "same"): (1, 1, 1 / 6),  # people
        ("google", "words", "broader or narrower"): (1, 1, 1 / 6),  # collie
        ("google", "none", ""): (2, 2, 2 / 6),
        ("rekognition", "exact", "same"): (1, 2, 2 / 6),
        ("rekognition", "words", "same"): (3, 3, 3 / 6),  # Animal: a dog is one
        ("rekognition", "none", ""): (1, 1, 1 / 6),
    }
    lost = {(row["rater"], row["label"]) for row in told["unmapped"]}
    assert lost == {
        ("google", "road bicycle"),
        ("google", "asdfgh"),
        ("rekognition", "Selfie"),
    }
    [collapse] = told["collapses"]
    assert set(collapse["names"]) == {"Person", "Human"}
    shown = run("check", made)
    assert shown.exit_code == 0
    assert "rekognition to google" in shown.stdout
    assert "not mapped" in shown.stdout


def test_checking_with_files(made: Path, run: Run) -> None:
    run("propose", made)
    Path("book.toml").write_text('dog = ["Dog", "Dgo"]\nperson = ["People"]\n')
    told = json.loads(
        run(
            "check", made, "--crosswalk", "crosswalk.csv", "--codebook", "book.toml", "--json"
        ).stdout
    )
    assert told["crosswalk"]["undecided"] == 1
    assert len(told["codebook"]["sha256"]) == 64
    kinds = {finding["kind"]: finding["text"] for finding in told["findings"]}
    assert kinds["unmatched word"].startswith("dog: 'Dgo' matches nothing; near: ")
    covered = {(each["construct"], each["label"]): each["how"] for each in told["constructs"]}
    assert covered == {
        ("dog", "dog"): "named",
        ("dog", "Dog"): "named",
        ("dog", "collie"): "narrower",
        ("person", "people"): "named",
        ("person", "Person"): "narrower",
        ("person", "Human"): "narrower",
    }


def test_a_contradiction_ends_with_exit_code_1(made: Path, run: Run) -> None:
    Path("mine.csv").write_text(
        "label_a,label_b,relation\ncollie,Dog,narrower\nDog,collie,narrower\n"
    )
    shown = run("check", made, "--crosswalk", "mine.csv")
    assert shown.exit_code == 1
    assert "contradiction" in shown.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check", "--crosswalk", "absent.csv"], "--crosswalk absent.csv: No such file"),
        (["check", "--codebook", "absent.toml"], "--codebook absent.toml: No such file"),
        (["check", "--crosswalk", "binary"], "--crosswalk binary: it is no UTF-8 text."),
        (["check", "--codebook", "wrong.toml"], "--codebook wrong.toml is no codebook"),
        (
            ["propose", "--out", "wrong.toml"],
            "--out wrong.toml is no crosswalk: its first line has none of the columns",
        ),
        (["propose", "--out", "absent/x.csv"], "Cannot write 'absent/x.csv'"),
    ],
)
def test_files_that_cannot_be_used(words: list[str], said: str, made: Path, run: Run) -> None:
    Path("binary").write_bytes(b"\xff\xfe\x00")
    Path("wrong.toml").write_text("not toml\n")
    with pytest.raises(UsageError) as told:
        run(words[0], made, *words[1:])
    assert said in str(told.value)


def test_a_study_is_no_crosswalk(made: Path, run: Run) -> None:
    before = made.read_bytes()
    with pytest.raises(UsageError, match="it is a study or another SQLite database"):
        run("propose", made, "--out", made)
    assert made.read_bytes() == before


def test_reviewing_needs_a_terminal(made: Path, run: Run) -> None:
    run("propose", made)
    with pytest.raises(UsageError, match=r"no terminal to ask on\. Edit crosswalk\.csv: write"):
        run("review", "--study", made)
    [asked] = json.loads(run("review", "--study", made, "--json").stdout)
    assert asked["label_a"] == "road bicycle"
    assert asked["asks"] == "Is the first a kind of the second?"
    assert asked["seen"][0] == "'road bicycle' of google labels: 1 image, such as a.jpg"
    assert asked["seen"][1].endswith("bicycle, bike, wheel, cycle; a kind of wheeled vehicle")


def test_nothing_to_review_needs_none(made: Path, run: Run) -> None:
    Path("mine.csv").write_text("label_a,label_b,relation\ncollie,Dog,narrower\n")
    shown = run("review", "mine.csv")
    assert shown.exit_code == 0
    assert "0 decided, 0 undecided" in shown.stderr


@pytest.mark.parametrize(
    ("said", "relation", "decision"),
    [
        ("yes", "narrower", "accepted"),
        ("Y", "narrower", "accepted"),
        ("n", "narrower", "rejected"),
        ("exact", "exact", "accepted"),
        ("b", "broader", "accepted"),
        ("na", "narrower", "accepted"),
        ("related", "related", "accepted"),
        ("skip", "narrower", ""),
        ("quit", "narrower", ""),
    ],
)
def test_an_answer_is_saved_at_once(
    said: str, relation: str, decision: str, made: Path, run: Run
) -> None:
    run("propose", made)
    review = Review(Path("crosswalk.csv"))
    [question] = review.questions()
    assert review.answer(question, said) is not None
    [row] = [row for row in rows(Path("crosswalk.csv")) if row["label_a"] == "road bicycle"]
    assert (row["relation"], row["decision"]) == (relation, decision)
    assert review.summary()["undecided"] == (0 if decision else 1)


def test_what_is_no_answer_is_asked_again() -> None:
    assert [meant(word) for word in ("", " ", "perhaps", "x", "no way")] == [None] * 5
    assert meant(" QU ") == "quit"
    assert meant("r") == "related"


def test_a_crosswalk_that_cannot_be_saved_is_told(
    made: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("propose", made)
    before = Path("crosswalk.csv").read_bytes()
    review = Review(Path("crosswalk.csv"))
    [question] = review.questions()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(VisionHubError, match=r"Cannot write 'crosswalk\.csv': No space left"):
        review.answer(question, "y")
    assert Path("crosswalk.csv").read_bytes() == before


def test_at_a_terminal_questions_are_asked_and_answered(made: Path, run: Run) -> None:
    """In a real one: a wrong word first, then an answer."""
    run("propose", made)
    main, other = pty.openpty()
    code = "from visionhub.cli import main; main()"
    command = [sys.executable, "-c", code, "vocabulary", "review", "--study", str(made)]
    with subprocess.Popen(command, stdin=other, stdout=other, stderr=other) as process:
        os.close(other)
        os.write(main, b"hm\ny\nq\n")
        shown = b""
        while True:
            try:
                part = os.read(main, 1000)
            except OSError:  # how Linux says that the other end is closed
                break
            if not part:
                break
            shown += part
        assert process.wait() == 0
    os.close(main)
    text = shown.decode()
    assert text.count("Is the first a kind of the second?") == 2
    assert "1 decided, 0 undecided" in text
    [row] = [row for row in rows(Path("crosswalk.csv")) if row["label_a"] == "road bicycle"]
    assert row["decision"] == "accepted"
