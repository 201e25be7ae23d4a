"""The embedded provider around its tasks: one decode, a session set a thread, honest failures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from visionhub_embedded import Embedded, provider
from visionhub_embedded.pool import Pool
from visionhub_embedded.runtime import _Stderr, load

from visionhub import archives
from visionhub.errors import (
    MissingExtra,
    ModelError,
    ProviderError,
    RefusedImage,
    UnexpectedBody,
    UnreadableImage,
    UsageError,
)
from visionhub.provider import Batch, Body, Request, Work, canonical
from visionhub.schema import Annotation, Task


class Fake(provider.Labels):
    """Labels without a network: tells whether it was shared; the picture says what happens."""

    def __init__(self):
        self.users = []

    def predict(self, image, options):
        if image == "odd":
            raise RuntimeError("convolution of nothing")
        if image == "unweighted":
            raise ModelError("no weights")
        if image == "infinite":
            return {"classes": [{"index": 1, "name": "a", "score": float("inf")}]}
        self.users.append(threading.get_ident())
        time.sleep(0.002)
        shared = len(self.users) > 1
        self.users.pop()
        return {"classes": [{"index": 1, "name": "shared" if shared else "own", "score": 1.0}]}


class Picture:
    """Stands for a rendering; counts how often it is decoded."""

    def __init__(self, pixels="plain"):
        self.pixels, self.opened = pixels, 0

    def open(self):
        self.opened += 1
        if self.pixels == "broken":
            raise UnreadableImage("truncated", "a.jpg")
        return self.pixels


@pytest.fixture
def embedded(monkeypatch):
    monkeypatch.setattr(provider, "TASKS", {Task.LABELS: Fake})
    return Embedded()


def request(task=Task.LABELS, **options):
    return Request("0", "0", 100, 100, task, "embedded", "r", canonical(options))


def fetch(embedded, picture, *requests):
    batch = Batch((Work(picture, requests or (request(),)),))
    return [outcome.result for outcome in embedded.fetch(batch)]


def test_a_picture_is_decoded_once_for_all_its_requests(embedded):
    picture = Picture()
    bodies = fetch(embedded, picture, request(), request(min_score=0.5))
    assert all(isinstance(body, Body) for body in bodies)
    assert picture.opened == 1


def test_a_body_says_what_made_it(embedded):
    [body] = fetch(embedded, Picture())
    found = json.loads(body.data)
    assert found["task"] == "labels"
    assert found["model"] == body.model_version == embedded.revision(Task.LABELS, {})
    assert found["runtime"].startswith("numpy ")
    assert list(found) == sorted(found)


def test_no_session_serves_two_threads_at_once(embedded):
    def name(_: int) -> str:
        [body] = fetch(embedded, Picture())
        return embedded.parse(body.data, request()).labels[0].name

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(name, range(40))) == {"own"}


def test_one_odd_picture_does_not_end_the_run(embedded):
    [error] = fetch(embedded, Picture("odd"))
    assert isinstance(error, ProviderError)
    assert "labels: RuntimeError: convolution of nothing" in str(error)
    [error] = fetch(embedded, Picture("infinite"))
    assert isinstance(error, ProviderError)


def test_an_unreadable_picture_is_refused_for_all_its_requests(embedded):
    asked = request(), request(min_score=0.5)
    batch = Batch((Work(Picture("broken"), asked), Work(Picture(), asked[:1])))
    first, second = embedded.fetch(batch)
    assert isinstance(first.result, RefusedImage)
    assert first.requests == asked
    assert isinstance(second.result, Body)


def test_missing_weights_end_the_run(embedded):
    with pytest.raises(ModelError):
        fetch(embedded, Picture("unweighted"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"{}",
        b'{"task": "faces", "classes": []}',
        b'{"task": "labels"}',
        b'{"task": "labels", "classes": {}}',
        b'{"task": "labels", "classes": [3]}',
        b'{"task": "labels", "classes": [{"index": 1, "name": "a", "score": NaN}]}',
        b'{"task": "labels", "classes": [{"index": 1e400, "name": "a", "score": 0.5}]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_answer_is_unexpected(body):
    with pytest.raises(UnexpectedBody, match="labels"):
        Embedded().parse(body, request(min_score=0.0))


def test_parse_needs_no_model():
    body = b'{"task": "labels", "classes": [{"index": 1, "name": "goldfish", "score": 0.5}]}'
    found = Embedded().parse(body, request())
    assert isinstance(found, Annotation)
    assert found.labels[0].name == "goldfish"


def test_revision_holds_weights_and_recipe_but_no_threshold():
    first = Embedded().revision(Task.LABELS, {"model": "efficientnet-lite0"})
    [card] = [card for card in Embedded.models if card.name == "efficientnet-lite0"]
    assert card.files[0].sha256[:12] in first
    assert f"recipe-{provider.Labels.recipe}" in first
    assert first == Embedded().revision(Task.LABELS, {"min_score": 0.5})
    other = Embedded().revision(Task.LABELS, {"model": "efficientnet-lite0-int8"})
    assert other != first
    assert Embedded().revision(Task.TEXT, {}).rpartition("/")[2].startswith("rapidocr-")


def test_unknown_model_and_task_are_refused_in_words():
    with pytest.raises(UsageError, match="choose one of efficientnet-lite0"):
        Embedded().revision(Task.LABELS, {"model": "resnet"})
    with pytest.raises(UsageError, match="labels"):
        Embedded().revision(Task.LOGOS, {})


@pytest.mark.parametrize("least", [-0.1, 25.0, "much"])
def test_an_impossible_threshold_is_refused_before_anything_is_pulled(monkeypatch, least):
    monkeypatch.setattr(archives, "ensure_all", lambda *_: pytest.fail("weights were pulled"))
    with pytest.raises(UsageError, match="min_score"):
        Embedded().ready({Task.LABELS: {"min_score": least}}, print)


def test_ready_pulls_the_weights_of_the_wanted_tasks_only(monkeypatch):
    pulled = []

    def ensure(asked, _announce, beside):
        pulled.append([card.name for card in asked])
        assert not any(card.sensitive or not card.permissive for card in beside)

    monkeypatch.setattr(archives, "ensure_all", ensure)
    Embedded().ready({Task.SAFE_SEARCH: {}, Task.LOGOS: {}}, print)
    said = []
    Embedded().ready({Task.OBJECTS: {"model": "yolo11n-agpl-3.0"}}, said.append)
    assert ["AGPL-3.0-only" in line for line in said] == [True]
    Embedded().ready({Task.OBJECTS: {}, Task.PEOPLE: {}}, said.append)
    assert len(said) == 1, "these licences permit any use"
    objects, poses = "efficientdet-lite0-int8", "blazepose-full"
    assert pulled == [["open-nsfw"], ["yolo11n-agpl-3.0"], [objects, poses]]


def test_a_missing_runtime_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(MissingExtra, match=r"visionhub\[embedded\]"):
        Embedded().ready({Task.LABELS: {}}, print)


@pytest.mark.models
@pytest.mark.skipif(sys.platform != "linux", reason="looks where Linux keeps such files")
def test_the_runtime_leaves_no_number_of_the_machine_and_nothing_to_report(tmp_path):
    """onnxruntime 1.29 and later does, in Microsoft/DeveloperTools, unless it is told not to."""
    code = (
        "from PIL import Image; from visionhub_embedded.safe_search import Safety\n"
        "from visionhub_embedded.text import Text\n"
        "for model in (Safety(), Text()): model.predict(Image.new('RGB', (64, 64)), {})\n"
    )
    weights = load(provider.Safety.cards[0])
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / provider.Safety.cards[0].files[0].name).write_bytes(weights[0])
    told = ("CI", "ORT_", "TF_BUILD", "GITHUB_", "XDG_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(told)}
    environment |= {"HOME": str(tmp_path), "VISIONHUB_MODELS": str(folder)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["open_nsfw.onnx"]


def test_defaults_are_permissive_and_each_task_has_one():
    for task, model in provider.TASKS.items():
        assert model.used({}), f"{task} has no default model"
        assert all(card.permissive for card in model.used({}))
        for card in model.cards:
            assert task.value in card.tasks


def test_wrong_weights_are_refused_as_they_are_loaded(monkeypatch, tmp_path):
    [card] = [card for card in Embedded.models if card.name == "open-nsfw"]
    (tmp_path / card.files[0].name).write_bytes(b"another network")
    monkeypatch.setenv("VISIONHUB_MODELS", str(tmp_path))
    with pytest.raises(ModelError, match="SHA-256"):
        load(card)


def test_importing_the_provider_imports_no_runtime():
    """The command line starts with every provider known, and with none of its weight."""
    heavy = ("numpy", "onnxruntime", "ai_edge_litert", "rapidocr", "cv2", "PIL")
    code = f"import sys, visionhub_embedded; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_the_notice_is_held_back_from_standard_error(capfd):
    with _Stderr.without(b"INFO: Created"):
        os.write(2, b"INFO: Created a delegate\nE: no memory\n")
    assert capfd.readouterr().err == "E: no memory\n"
    os.write(2, b"INFO: Created\n")
    assert capfd.readouterr().err == "INFO: Created\n"


def test_two_providers_share_no_session():
    one, other = Embedded(), Embedded()
    with (
        one._pools[Task.SAFE_SEARCH].lent() as mine,
        other._pools[Task.SAFE_SEARCH].lent() as yours,
    ):
        assert mine is not yours
    with one._pools[Task.SAFE_SEARCH].lent() as again:
        assert again is mine


def test_no_more_models_are_made_than_there_is_room_for() -> None:
    made: list[object] = []
    lent: list[object] = []
    both = threading.Barrier(2, timeout=10)

    def make() -> object:
        made.append(object())
        return made[-1]

    pool = Pool(make, 2)

    def work(number: int) -> None:
        with pool.lent() as one:
            assert one not in lent
            lent.append(one)
            if number < 2:
                both.wait()
            time.sleep(0.01)  # long enough for the other threads to ask
            lent.remove(one)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, range(30)))
    assert len(made) == 2
    assert not lent
