"""Both clouds keep the contract with what was recorded of them, through their real clients."""

from __future__ import annotations

from typing import ClassVar

import pytest
import yaml

from tests.cassettes import FOLDER, WAYS, options, replaying, tapes, work
from visionhub import registry
from visionhub.provider import installed
from visionhub.schema import Task
from visionhub.testing import ProviderContract

if not installed(("boto3", "google.cloud.vision_v1", "vcr")):
    pytest.skip("the extras 'google' and 'aws' are not installed", allow_module_level=True)

pytestmark = pytest.mark.disable_socket


class Replayed(ProviderContract):
    """One call a task and picture, as the cassettes have them; what else is asked is refused."""

    settings: ClassVar = {}
    # vcrpy is for one thread; that threads do not disturb each other is tested over connections.
    test_fetch_runs_in_threads = None  # type: ignore[assignment]

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def played(cls, tmp_path_factory):
        """All cassettes of the provider as one, each call as often as it is made."""
        way, name = WAYS[cls.provider.name], cls.provider.name
        cls.options = {task: options(cls.provider, task) for task in cls.provider.tasks}
        found = [tape.path.read_text("utf-8") for tape in tapes() if tape.provider == name]
        calls = [call for text in found for call in yaml.safe_load(text)["interactions"]]
        path = tmp_path_factory.mktemp("cassettes") / f"{name}.yaml"
        path.write_text(yaml.safe_dump({"interactions": calls, "version": 1}), "utf-8")
        with pytest.MonkeyPatch.context() as patch:
            for variable, value in way.variables.items():
                patch.setenv(variable, value)
            with replaying(path, again=True, whole=False):
                yield

    def make(self):
        made = self.provider()
        made.configure({**WAYS[self.provider.name].settings, **self.settings})
        return made

    def works(self, files=()):
        """The recorded questions, each alone; of other pictures, all questions."""
        if files:
            return super().works(files)
        recorded = [tape for tape in tapes(FOLDER) if tape.provider == self.provider.name]
        return [
            work(self.make(), Task(tape.task), tape.image(), self.complete(Task(tape.task)))
            for tape in recorded
        ]


class TestGoogle(Replayed):
    provider = registry.load("google")
    settings: ClassVar = {"batch": "1"}


class TestRekognition(Replayed):
    provider = registry.load("rekognition")
