"""Pre-trained models that run on the processor: no key, no account, no graphics card."""

from visionhub_embedded.provider import Embedded

__all__ = ["Embedded"]
