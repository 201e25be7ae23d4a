"""Settings and parameters of the Google adapter: sizes of calls, rates, what cannot be."""

from __future__ import annotations

import pytest
from visionhub_google import GoogleVision

from tests.conftest import jpeg
from tests.google_asked import work, works
from visionhub.errors import (
    UsageError,
)
from visionhub.schema import Task


def test_bytes_of_a_call_are_bounded():
    asked = works(5)
    size = max(len(each.image.data) for each in asked)
    provider = GoogleVision()
    provider.configure({"call_bytes": str(2 * size)})
    assert [len(batch.works) for batch in provider.batches(asked)] == [2, 2, 1]
    provider.configure({"call_bytes": "1"})
    assert [len(batch.works) for batch in provider.batches(asked)] == [1] * 5
    provider.configure({"batch": "3"})
    assert [len(batch.works) for batch in provider.batches(asked)] == [3, 2]


def test_a_full_call_of_json_stays_below_the_vendor_s_10_megabytes():
    size = GoogleVision().setting("call_bytes")
    assert size * 4 / 3 + 16 * 4096 < 10_000_000
    assert GoogleVision.limits.max_bytes <= size, "an image must fit into a call"


def test_rates_and_what_a_call_uses_of_them():
    provider = GoogleVision()
    assert provider.rates() == {
        "BatchAnnotateImages": 30, "LABEL_DETECTION": 30, "TEXT_DETECTION": 30
    }  # fmt: skip
    asked = [work(jpeg(64, 48, 1), Task.LABELS, Task.TEXT), work(jpeg(64, 48, 2), Task.FACES),
             work(jpeg(64, 48, 3), Task.LABELS, kind="document")]  # fmt: skip
    (batch,) = provider.batches(asked)
    assert provider.takes(batch) == {
        "BatchAnnotateImages": 1, "LABEL_DETECTION": 2, "TEXT_DETECTION": 1
    }  # fmt: skip
    provider.configure({"rate_calls": "5", "rate_units": "2.5"})
    assert provider.rates() == {
        "BatchAnnotateImages": 5, "LABEL_DETECTION": 2.5, "TEXT_DETECTION": 2.5
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [("batch", "17"), ("batch", "0"), ("transport", "http"), ("timeout", "0"),
     ("timeout", "-1"), ("rate_calls", "-1"), ("concurrency", "0"), ("sandbox", "8099"),
     ("sandbox", "host:"), ("call_bytes", "0"), ("timeout", "nan"), ("rate_units", "inf")],
)  # fmt: skip
def test_settings_that_cannot_be(name, value):
    with pytest.raises(UsageError, match=f"google.{name}"):
        GoogleVision().configure({name: value})


@pytest.mark.parametrize(
    ("task", "options"),
    [(Task.LABELS, {"max_results": 0}), (Task.CROP_HINTS, {"aspect_ratios": ["wide"]}),
     (Task.CROP_HINTS, {"aspect_ratios": ["1"] * 17}), (Task.CROP_HINTS, {"aspect_ratios": ["0"]})],
)  # fmt: skip
def test_parameters_that_cannot_be_are_told_before_anything_is_sent(task, options):
    provider = GoogleVision()
    provider.configure({"sandbox": "127.0.0.1:9"})
    with pytest.raises(UsageError, match=next(iter(options))):
        provider.ready({task: options}, print)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("concurrency", "0", "give a number from 1 to"),
        ("batch", "17", "give a number from 1 to 16"),
        ("timeout", "0", "give a number from 0.001 to"),
        ("rate_calls", "-1", "give a number from 0 to"),
        ("sandbox", "here", "give host:port"),
        ("rate_calls", "x", "expected a value of type float"),
    ],
)
def test_a_setting_that_cannot_be_is_named_as_it_was_given(monkeypatch, name, text, says):
    with pytest.raises(UsageError, match=f"^--set google.{name}={text}: {says}"):
        GoogleVision().configure({name: text})
    monkeypatch.setenv(f"VISIONHUB_GOOGLE_{name.upper()}", text)
    with pytest.raises(UsageError, match=f"^VISIONHUB_GOOGLE_{name.upper()}={text}: {says}"):
        GoogleVision().configure({})


def test_concurrency_is_the_setting(monkeypatch):
    provider = GoogleVision()
    assert provider.concurrency == 16
    monkeypatch.setenv("VISIONHUB_GOOGLE_CONCURRENCY", "48")
    provider.configure({})
    assert provider.concurrency == 48


def test_the_revision_names_version_model_and_rehearsal():
    provider = GoogleVision()
    asked = {"model": "builtin/latest"}
    assert provider.revision(Task.LABELS, asked) == "vision v1 builtin/latest"
    assert provider.revision(Task.LABELS, {}) == "vision v1 model unknown"
    provider.configure({"sandbox": "127.0.0.1:9", "transport": "rest", "batch": "2"})
    assert provider.revision(Task.LABELS, asked) == "rehearsal vision v1 builtin/latest"
