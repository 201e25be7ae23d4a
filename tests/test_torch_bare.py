"""The torchvision provider where torch is not installed: bodies, revisions, batches."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from visionhub_torch import TorchVision
from visionhub_torch.provider import BATCH

from visionhub.errors import MissingExtra, UnexpectedBody
from visionhub.images import Rendering
from visionhub.provider import Request, Work, canonical
from visionhub.schema import Status, Task


def complete(task, **options):
    parameters = TorchVision.tasks[task].parameters
    return {name: one.default for name, one in parameters.items()} | options


def question(task, name="0", **options):
    words = canonical(complete(task, **options))
    return Request(name, name, 6000, 4000, task, "torch", "r", words)


def test_nothing_heavy_is_imported_before_it_is_used():
    heavy = "{'torch', 'torchvision', 'numpy', 'PIL'}"
    code = f"import sys, visionhub_torch as v; v.TorchVision(); print({heavy} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_without_torch_the_default_has_a_revision_and_a_run_says_what_to_install(monkeypatch):
    for module in ("torch", "torchvision", "torchvision.models"):
        monkeypatch.setitem(sys.modules, module, None)
    provider, options = TorchVision(), complete(Task.LABELS)
    revision = provider.revision(Task.LABELS, options)
    assert "mobilenet_v2.IMAGENET1K_V1@b03531047ffa" in revision
    explicit = complete(Task.LABELS, weights="IMAGENET1K_V1")
    assert provider.revision(Task.LABELS, explicit) == revision
    with pytest.raises(MissingExtra, match=r"visionhub\[torch\]"):
        provider.ready({Task.LABELS: options}, print)


BODY = {"task": "objects", "floor": 0.01, "limit": 2}
BUS = {"id": 6, "name": "bus", "score": 0.8, "box": [0.1, 0.2, 0.5, 1.000004]}


@pytest.mark.parametrize(
    ("objects", "least", "status", "count"),
    [
        ([BUS], 0.25, Status.OBSERVED, 1),
        ([BUS], 0.9, Status.BELOW_FLOOR, 0),
        ([], 0.25, Status.OBSERVED, 0),
        ([BUS, BUS], 0.25, Status.TRUNCATED, 2),
        ([BUS, BUS | {"score": 0.1}], 0.25, Status.OBSERVED, 1),
    ],
)
def test_parse_says_what_was_left_out(objects, least, status, count):
    request = question(Task.OBJECTS, min_score=least)
    read = TorchVision().parse(json.dumps(BODY | {"objects": objects}).encode(), request)
    assert (read.status, len(read.objects)) == (status, count)
    for found in read.objects:
        assert (found.name, found.vendor_id, found.box.y_max) == ("bus", "6", 1.0)
    with pytest.raises(UnexpectedBody, match="labels"):
        TorchVision().parse(b'{"task": "labels", "floor": 0.001, "labels": []}', request)


def test_batches_hold_one_question_and_bounded_memory():
    works = []
    for n in range(BATCH + 2):  # photographs of 24 megapixels
        image = Rendering(f"{n}", b"", "image/jpeg", 6000, 4000)
        requests = [question(task, f"{n}") for task in TorchVision.tasks]
        works.append(Work(image, tuple(requests)))
    batches = list(TorchVision().batches(works))
    assert all(len({r.task for r in batch.requests}) == 1 for batch in batches)
    sizes = [(batch.operation, len(batch.works)) for batch in batches]
    assert sizes == [("labels", BATCH), ("labels", 2), *[("objects", 2)] * (BATCH // 2 + 1)]
