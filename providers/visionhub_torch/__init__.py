"""Any classification or detection network of torchvision as a visionhub provider.

Importing this package imports neither torch nor torchvision; using it needs the `torch` extra.
"""

from __future__ import annotations

from visionhub_torch.provider import TorchVision

__all__ = ["TorchVision"]
