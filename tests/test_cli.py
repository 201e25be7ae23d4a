"""The command line end to end, in processes of their own: exit codes, signals, pipes, locales."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.conftest import ROOT, jpeg
from visionhub.cli import app
from visionhub.cli.ending import wants_json

MAIN = "import sys; from visionhub.cli import main; sys.argv[0] = 'visionhub'; main()"
BROKEN = """
from visionhub.store import study
def broken(*_):
    raise ZeroDivisionError("by zero")
study.StudyFile.__init__ = broken
"""
STOPPED = """
import sys
class Stop:
    def find_spec(self, name, *_):
        if name == "{where}":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Stop())
"""
PLUGIN = """
import json, os, time
from visionhub.provider import Body, Outcome, Provider, TaskSpec
from visionhub.schema import Annotation, Label, Scale, Score, Task

class Slow(Provider):
    name = "slow"
    concurrency = 2
    tasks = {Task.LABELS: TaskSpec(Scale.UNCALIBRATED), Task.TEXT: TaskSpec(Scale.UNCALIBRATED)}

    def revision(self, task, options):
        return "1"

    def fetch(self, batch):
        time.sleep(float(os.environ.get("SLOW", "0")))
        for request in batch.requests:
            body = Body(json.dumps({"n": request.sent_sha256[:6]}).encode())
            yield Outcome((request,), body)

    def parse(self, body, request):
        if request.task is Task.TEXT:
            return Annotation()
        word = json.loads(body)["n"]
        score = Score(Scale.UNCALIBRATED, float(int(word, 16)))
        return Annotation(labels=(Label(word, score), Label("all", score)))
"""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an installed plugin: a module, and the metadata that pip would write."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "slow_provider.py").write_text(PLUGIN)
    metadata = folder / "slow-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: slow\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[visionhub.providers]\nslow = slow_provider:Slow\n")
    return folder


@pytest.fixture
def start(site: Path, tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Start `visionhub` in an empty folder; keyword arguments are environment variables."""

    def begin(*arguments: str, **variables: str) -> subprocess.Popen[bytes]:
        places = os.pathsep.join(map(str, (site, ROOT, ROOT / "providers")))
        environment = {**os.environ, "PYTHONPATH": places} | variables
        environment = {name: value for name, value in environment.items() if value}
        return subprocess.Popen(
            [sys.executable, "-X", "dev", "-W", "error", "-c", MAIN, *arguments],
            env=environment,
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    return begin


@pytest.fixture
def visionhub(start) -> Callable[..., tuple[int, str, str]]:
    """Run `visionhub` to its end: exit code, what it printed, and what it said on the side."""

    def run(*arguments: str, stdin: bytes = b"", **variables: str) -> tuple[int, str, str]:
        with start(*arguments, **variables) as process:
            out, err = process.communicate(stdin, timeout=120)
        assert b"Traceback" not in out + err
        return process.returncode, out.decode(), err.decode()

    return run


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.jpg").write_bytes(jpeg(60, 40, shift=number * 7))
    return folder


ASK = ("-p", "slow", "-t", "labels")


def held(study: Path) -> dict[str, list[tuple[object, ...]]]:
    """What a study says, without the numbers and times that differ from run to run."""
    connection = sqlite3.connect(study)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    queries = {
        "labels": "SELECT path, image, provider, revision, rank, name, score FROM v_labels",
        "status": "SELECT * FROM v_status",
        "bodies": "SELECT sha256, data FROM bodies",
        "requests": "SELECT i.sha256, r.status, r.results FROM requests r JOIN images i "
        "ON i.id = r.image_id",
        "renderings": "SELECT sha256 FROM renderings",
    }
    found = {name: sorted(connection.execute(sql)) for name, sql in queries.items()}
    connection.close()
    return found


def test_annotate_then_again_then_read(visionhub, photos):
    code, out, err = visionhub("annotate", "photos", *ASK, "--json")
    first = json.loads(out)
    assert (code, first["done"], first["cached"], first["failed"]) == (0, 6, 0, 0)
    code, out, err = visionhub("annotate", "photos", *ASK, "--json")
    second = json.loads(out)
    assert (code, second["done"], second["cached"]) == (0, 0, 6)
    events = [json.loads(line) for line in err.splitlines()]
    assert events[-1]["event"] == "progress"
    assert sum(task["cached"] for task in events[-1]["tasks"].values()) == 6
    code, out, _ = visionhub("status", "study.db", "--json")
    assert code == 0
    assert json.loads(out)
    assert visionhub("reparse")[0] == 0
    assert visionhub("export", "--out", "tables")[0] == 0
    assert visionhub("show", "photos/0.jpg")[0] == 0
    for named in (("study.db",), ("--study", "study.db"), ("study.db", "-s", "study.db")):
        code, out, _ = visionhub("doctor", *named)
        assert code == 0
        assert "study.db" in out


def test_images_without_an_answer_end_with_four(visionhub, photos):
    (photos / "broken.jpg").write_bytes(jpeg(60, 40)[:200])
    for _ in range(2):  # the second time from memory
        code, out, _ = visionhub("annotate", "photos", *ASK, "--json")
        assert code == 4
        assert json.loads(out)["failed"] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("annotate", "nowhere.jpg"), 2, "nowhere.jpg: no such file or folder"),
        (("doctor", "one.db", "-s", "two.db"), 2, "Two studies are named, 'one.db' and 'two.db'"),
        (("annotate", "photos", "-p", "nobody"), 2, "No provider named 'nobody'"),
        (("annotate", "photos", "-p", "slow", "-t", "lables"), 2, "there is no such task"),
        (("annotate", "photos", *ASK, "--param", "labels"), 2, "write it as task.name=value"),
        (("annotate", "photos", *ASK, "--limit", "0"), 2, "--limit"),
        (("annotate", "photos", *ASK, "-s", "photos"), 1, "is a folder"),
        (("annotate", "photos", *ASK, "-s", "photos/0.jpg"), 1, "is no study"),
        (("annotate",), 2, "sources"),
        (("status", "nothing.db"), 1, "There is no study 'nothing.db'"),
        (("reparse", "nothing.db"), 1, "nothing.db': make one with"),
        (("frobnicate",), 2, "frobnicate"),
    ],
)
def test_failures_are_one_sentence_and_a_code(visionhub, photos, arguments, code, says):
    before = (photos / "0.jpg").read_bytes()
    found, out, err = visionhub(*arguments)
    assert found == code
    assert out == ""
    assert says in err
    assert (photos / "0.jpg").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("annotate", "nowhere.jpg"), 2, "nowhere.jpg: no such file or folder"),
        (("annotate", "photos", *ASK, "-s", "photos"), 1, "is a folder"),
        (("annotate", "photos", *ASK, "--limit", "0"), 2, "--limit"),
        (("annotate",), 2, "sources"),
        (("quote", "photos", "-p", "nobody"), 2, "No provider named 'nobody'"),
        (("ledger", "ambiguous", "-s", "nothing.db"), 1, "There is no study 'nothing.db'"),
        (("ledger", "--csv"), 2, "--csv"),
        (("status", "--frobnicate"), 2, "--frobnicate"),
        (("import-bodies", "none", "-p", "slow", "--images", "photos"), 2, "slow"),
        (("models", "show", "none"), 2, "none"),
    ],
)
def test_with_json_a_failure_is_an_event(visionhub, photos, arguments, code, says):
    found, out, err = visionhub(*_with_json(arguments))
    events = [json.loads(line) for line in err.splitlines()]
    assert (found, out) == (code, "")
    assert events[-1].keys() == {"event", "exit_code", "message"}
    assert (events[-1]["event"], events[-1]["exit_code"]) == ("error", code)
    assert says in events[-1]["message"]
    assert {event["event"] for event in events[:-1]} <= {"note"}


def _with_json(arguments: tuple[str, ...]) -> list[str]:
    """With --json behind the command's name, for some end with an option that lacks its value."""
    words = 2 if arguments[1:] and arguments[1] in ("ambiguous", "show") else 1
    return [*arguments[:words], "--json", *arguments[words:]]


def test_with_json_the_unexpected_is_an_event_too(visionhub, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "MAIN", BROKEN + MAIN)
    code, out, err = visionhub("status", "--json")
    assert (code, out) == (1, "")
    told = json.loads(err)
    assert told["message"].startswith("an unexpected ZeroDivisionError: by zero. Nothing that was")
    assert visionhub("status")[2].startswith("Error: an unexpected ZeroDivisionError: by zero.")


@pytest.mark.parametrize("where", ["visionhub.store.study", "visionhub.decode", "typer"])
def test_an_interrupt_is_a_word_and_its_code(visionhub, monkeypatch, where):
    """Whenever it comes: as a command works, as the program begins, as its libraries load."""
    monkeypatch.setattr(sys.modules[__name__], "MAIN", STOPPED.format(where=where) + MAIN)
    code, out, err = visionhub("status")
    assert (code, out, err) == (130, "", "" if where == "typer" else "Interrupted.\n")
    code, out, err = visionhub("status", "--json")
    assert (code, out) == (130, "")
    if where != "typer":  # which no word can be said without
        told = {"event": "error", "exit_code": 130, "message": "Interrupted."}
        assert json.loads(err) == told


def test_a_wrong_choice_is_said_without_the_names_of_libraries(visionhub):
    for words in (("ledger", "--by", "foo"), ("export", "x.db", "--format", "foo")):
        code, _, err = visionhub(*words)
        assert code == 2
        assert f"Invalid value for '{words[-2]}': 'foo' is not one of" in err


def test_tasks_that_can_be_chosen_are_those_that_somebody_offers(visionhub, photos):
    _, _, err = visionhub("annotate", "photos", "-t", "lables")
    assert "choose from labels, objects, " in err
    assert "caption" not in err
    assert "embedding" not in err


def test_json_that_is_no_option_is_none():
    assert wants_json(["status", "--json"])
    assert not wants_json(["annotate", "--", "--json"])
    assert not wants_json([])


def test_lists_on_standard_input(visionhub, photos):
    lines = "".join(f"photos/{n}.jpg\n" for n in range(3)).encode()
    assert visionhub("annotate", "-", *ASK, stdin=lines)[0] == 0
    nul = b"\0".join(f"photos/{n}.jpg".encode() for n in range(6))
    code, out, _ = visionhub("annotate", "-", *ASK, "--json", stdin=nul)
    summary = json.loads(out)
    assert (code, summary["done"], summary["cached"]) == (0, 3, 3)
    code, out, _ = visionhub("annotate", "-", *ASK)
    assert code == 1
    assert "No photographs were found" in out


def test_the_study_is_no_photograph_even_when_it_is_named(visionhub, photos, tmp_path):
    for number in range(2):
        names = sorted(path.name for path in tmp_path.iterdir())  # what a shell makes of *
        code, out, _ = visionhub("annotate", *names, *ASK, "--json")
        summary = json.loads(out)
        assert (code, summary["files"], summary["images"]) == (0, 6, 6)
        assert summary["passed_over"] == (2 if number else 0)
    assert json.loads(visionhub("annotate", ".", *ASK, "--json")[1])["files"] == 6


@pytest.mark.parametrize("coerced", ["0", "1"])
def test_a_c_locale_takes_every_name(visionhub, photos, tmp_path, coerced):
    for name in ("é ü.jpg", "日本.jpg", "new\nline.jpg", os.fsdecode(b"bad\xff.jpg"), "-dash.jpg"):
        (photos / "0.jpg").rename(photos / name)
        (photos / "0.jpg").write_bytes(jpeg(50, 40, shift=len(list(photos.iterdir()))))
    (tmp_path / "list.csv").write_text(
        "größe,datei\n1,photos/é ü.jpg\n2,photos/日本.jpg\n", "utf-8"
    )
    c = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": coerced}
    csv = ("list.csv", "--column", "datei")
    code, out, _ = visionhub("annotate", *csv, *ASK, "--json", **c)
    assert (code, json.loads(out)["done"]) == (0, 2)
    code, out, _ = visionhub("annotate", "photos", *ASK, "--json", **c)
    assert (code, json.loads(out)["cached"]) == (0, 2)
    assert visionhub("show", "photos/日本.jpg", **c)[0] == 0
    assert visionhub("status", **c)[0] == 0
    assert visionhub("export", **c)[0] == 0
    paths = sqlite3.connect(tmp_path / "study.db")
    assert ("photos/日本.jpg",) in paths.execute("SELECT path FROM paths").fetchall()
    paths.close()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_stop_nothing(site, photos, tmp_path, closed):
    places = os.pathsep.join(map(str, (site, ROOT, ROOT / "providers")))
    program = f'"$0" -c "{MAIN}" annotate photos -p slow -t labels {closed}'
    call = ["sh", "-c", program, sys.executable]
    ran = subprocess.run(
        call,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": places},
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert len(held(tmp_path / "study.db")["labels"]) == 12


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_an_output_that_takes_nothing_is_said(visionhub, site, photos, tmp_path):
    visionhub("annotate", "photos", *ASK)
    places = os.pathsep.join(map(str, (site, ROOT, ROOT / "providers")))
    program = f'"$0" -c "{MAIN}" status > /dev/full'
    ran = subprocess.run(
        ["sh", "-c", program, sys.executable],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": places},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("Error: the output: No space left")


def test_a_reader_that_has_had_enough_is_no_error(start, visionhub, photos):
    visionhub("annotate", "photos", *ASK)
    with start("status") as process:
        process.stdout.close()
        assert b"Error" not in process.stderr.read()


def wait_for(study: Path, rows: int, process: subprocess.Popen[bytes]) -> None:
    """Until a run that is going on has committed so many answers."""
    for _ in range(600):
        assert process.poll() is None
        if study.exists():
            reader = sqlite3.connect(f"{study.as_uri()}?mode=ro", uri=True)
            try:
                if reader.execute("SELECT count(*) FROM requests").fetchone()[0] >= rows:
                    return
            except sqlite3.OperationalError:
                pass  # not there yet
            finally:
                reader.close()
        time.sleep(0.05)
    raise AssertionError("nothing was stored within half a minute")


@pytest.fixture
def many(tmp_path: Path) -> Path:
    folder = tmp_path / "many"
    folder.mkdir()
    picture = jpeg(40, 30)
    for number in range(300):
        comment = b"%06d" % number
        head = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        (folder / f"{number:03}.jpg").write_bytes(picture[:2] + head + picture[2:])
    return folder


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_stores_what_was_sent_and_goes_on(
    start, visionhub, many, tmp_path, number
):
    with start("annotate", "many", *ASK, "--json", SLOW="0.1") as process:
        wait_for(tmp_path / "study.db", 1, process)
        process.send_signal(number)
        told = time.monotonic()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert time.monotonic() - told < 5  # 300 photographs would be 15 s
    events = [json.loads(line) for line in err.splitlines()]
    stopping = [event for event in events if event.get("text", "").startswith("Stopping: ")]
    assert [event["event"] for event in stopping] == ["note"]
    summary = json.loads(out)
    assert summary["interrupted"]
    assert 0 < summary["done"] < 300
    assert len(held(tmp_path / "study.db")["requests"]) == summary["done"]
    code, out, _ = visionhub("annotate", "many", *ASK, "--json")
    assert (code, json.loads(out)["done"]) == (0, 300 - summary["done"])
    visionhub("annotate", "many", *ASK, "-s", "whole.db")
    assert held(tmp_path / "study.db") == held(tmp_path / "whole.db")


def test_the_second_interrupt_ends_at_once_and_damages_nothing(start, visionhub, many, tmp_path):
    with start("annotate", "many", *ASK, SLOW="1") as process:
        wait_for(tmp_path / "study.db", 1, process)
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        told = time.monotonic()
        _, err = process.communicate(timeout=60)
    assert time.monotonic() - told < 3
    assert process.returncode == 130
    assert b"\nStopping: what was sent is finished." in err
    assert b"Traceback" not in err
    assert visionhub("annotate", "many", *ASK)[0] == 0
    assert len(held(tmp_path / "study.db")["labels"]) == 600


def test_killed_at_any_moment_it_goes_on_to_the_same_end(start, visionhub, many, tmp_path):
    visionhub("annotate", "many", *ASK, "-s", "whole.db")
    for moment in (0.4, 0.7, 0.9, 1.1, 1.4):
        with start("annotate", "many", *ASK, SLOW="0.002") as process:
            time.sleep(moment)
            process.kill()
        if (tmp_path / "study.db").exists():
            code, _, err = visionhub("status")
            assert code == 0 or "is empty" in err or "no such table" in err
    assert visionhub("annotate", "many", *ASK)[0] == 0
    assert held(tmp_path / "study.db") == held(tmp_path / "whole.db")


def test_two_runs_fill_one_study_and_what_needs_it_alone_is_refused(
    start, visionhub, many, tmp_path
):
    with start("annotate", "many", *ASK, SLOW="0.1") as process:
        wait_for(tmp_path / "study.db", 1, process)
        code, _, err = visionhub("reparse")
        assert code == 1
        assert "Another visionhub process is writing" in err
        assert visionhub("status")[0] == 0  # a reader is welcome
        assert visionhub("annotate", "many", *ASK)[0] == 0  # and so is another run
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    assert visionhub("annotate", "many", *ASK, "-s", "whole.db")[0] == 0
    assert held(tmp_path / "study.db") == held(tmp_path / "whole.db")


def test_colour_only_where_it_is_wanted(visionhub, photos):
    visionhub("annotate", "photos", *ASK)
    assert "\x1b" not in visionhub("status", NO_COLOR="1", FORCE_COLOR="")[1]
    assert "\x1b" not in visionhub("status", NO_COLOR="", FORCE_COLOR="")[1]  # a pipe


@pytest.mark.parametrize("command", ["annotate photos", "compare", "drift", "quote photos"])
def test_an_option_that_takes_one_value_is_given_once(command: str) -> None:
    """`-t labels -t text` had been `-t text`."""
    done = CliRunner().invoke(app, [*command.split(), "-t", "labels", "--tasks=text"])
    assert done.exit_code == 2
    assert "--tasks is given 2 times, and takes one value" in done.stderr


def test_what_is_for_several_may_be_repeated_and_a_flag_too() -> None:
    done = CliRunner().invoke(app, ["providers", "--json", "--json"])
    assert done.exit_code == 0
    done = CliRunner().invoke(app, ["annotate", "nothing", "-p", "google", "-p", "nobody"])
    assert "nothing: no such file" in str(done.exception)
