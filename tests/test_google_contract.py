"""The Google adapter keeps the contract, over REST and over gRPC."""

from __future__ import annotations

from typing import ClassVar

import pytest
from visionhub_google import GoogleVision

from tests.google_answers import well
from tests.google_server import serving
from visionhub.schema import Task
from visionhub.testing import ProviderContract


class Contract(ProviderContract):
    provider = GoogleVision
    transport = ""
    sandbox = ""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def served(cls):
        with serving(well) as server:
            cls.sandbox = server.sandbox
            yield

    def make(self):
        provider = GoogleVision()
        provider.configure({"sandbox": self.sandbox, "transport": self.transport})
        return provider


class TestOverRest(Contract):
    transport = "rest"


class TestOverGrpc(Contract):
    transport = "grpc"


class TestEmotionAsked(Contract):
    transport = "rest"
    options: ClassVar = {Task.FACES: {"attributes": ["emotion"]}}
