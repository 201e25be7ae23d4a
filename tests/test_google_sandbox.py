"""The Google adapter keeps the contract at visionhub's own rehearsal server, by both protocols."""

from __future__ import annotations

import pytest
from visionhub_google import GoogleVision
from visionhub_sandbox import Sandbox

from tests.google_asked import TRANSPORTS, fetched, work
from tests.sandboxed import Seer
from visionhub.provider import Body
from visionhub.testing import ProviderContract
from visionhub.trial import picture


class TestRehearsal(ProviderContract):
    provider = GoogleVision
    sandbox = ""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def served(cls):
        with Sandbox(Seer()) as sandbox:
            cls.sandbox = f"127.0.0.1:{sandbox.port}"
            yield

    def make(self):
        provider = GoogleVision()
        provider.configure({"sandbox": self.sandbox, "transport": "rest"})
        return provider


def test_both_protocols_rehearse_the_same_answers():
    """But for what a float32 loses, which only protocol buffers have."""
    asked = work(picture(160, 120), *GoogleVision.tasks)
    said = []
    with Sandbox(Seer()) as sandbox:
        for transport in TRANSPORTS:
            provider = GoogleVision()
            given = {"sandbox": f"127.0.0.1:{sandbox.port}", "transport": transport}
            provider.configure(given)
            (outcome,) = fetched(provider, asked)
            assert isinstance(outcome.result, Body)
            parsed = [provider.parse(outcome.result.data, each) for each in asked.requests]
            assert not any(each.unknown for each in parsed)
            said.append([(len(each), each.status, each.reason) for each in parsed])
    assert said[0] == said[1]
    assert sum(count for count, *_ in said[0]) > len(asked.requests)
