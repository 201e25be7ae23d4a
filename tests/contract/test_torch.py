"""The torchvision provider keeps the contract, with two small networks of random weights."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from visionhub_torch import TorchVision

from visionhub.schema import Task
from visionhub.testing import ProviderContract

if find_spec("torchvision") is None:
    pytest.skip("the extra 'torch' is not installed: not tested", allow_module_level=True)

NETWORKS = {
    Task.LABELS: ("mobilenet_v3_small", ["bus", "tram"], {"num_classes": 2}),
    Task.OBJECTS: (
        "ssdlite320_mobilenet_v3_large",
        ["thing"],
        {"num_classes": 2, "weights_backbone": None},
    ),
}


class TestTorchVision(ProviderContract):
    provider = TorchVision

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def weights(cls, tmp_path_factory):
        """Random weights, because torchvision's own detectors must be downloaded."""
        import torch
        from torchvision import models

        folder = tmp_path_factory.mktemp("weights")
        torch.manual_seed(1)
        cls.options = {}
        for task, (name, classes, options) in NETWORKS.items():
            state = models.get_model(name, weights=None, **options).state_dict()
            torch.save(state, folder / f"{task}.pth")
            (folder / f"{task}.txt").write_text("\n".join(classes))
            files = {"weights": f"{task}.pth", "classes": f"{task}.txt"}
            chosen = {option: str(folder / file) for option, file in files.items()}
            cls.options[task] = {"model": name, **chosen}
