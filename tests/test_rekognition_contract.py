"""Rekognition keeps the contract, through the real SDK and over a real connection."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from visionhub_rekognition import Rekognition

from tests.rekognition_service import Service
from visionhub.provider import Value, installed
from visionhub.schema import Task
from visionhub.testing import ProviderContract
from visionhub.trial import picture

if not installed(("boto3",)):
    pytest.skip("the extra 'aws' is not installed: not tested", allow_module_level=True)


class TestRekognition(ProviderContract):
    provider = Rekognition
    options: ClassVar[dict[Task, dict[str, Value]]] = {}
    service: ClassVar[Service]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def served(cls, tmp_path_factory):
        """A service of its own, and a picture to compare with."""
        source: Path = tmp_path_factory.mktemp("source") / "source.jpg"
        source.write_bytes(picture(100, 100))
        cls.options = {Task.FACE_MATCHES: {"source": str(source)}}
        cls.service = Service()
        yield
        cls.service.stop()

    def make(self):
        made = Rekognition()
        made.configure({"sandbox": self.service.address})
        return made


class TestSensitive(TestRekognition):
    """The same with every guess asked for."""

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def guesses(cls, served):
        words = ["age", "emotion", "gender"]
        cls.options = {**cls.options, Task.FACES: {"attributes": words}}
