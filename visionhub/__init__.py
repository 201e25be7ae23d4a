"""Images as data: annotations from several vision services, in one honest schema.

import visionhub

study = visionhub.Study("study.db")
study.annotate("photos/", providers=["embedded"], tasks=["labels"])
study.table("labels")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from visionhub.facade import Study as Study

__version__ = "0.1.0"
__all__ = ["Study", "__version__"]


def __getattr__(name: str) -> object:
    # Late, so that `visionhub --help` and adapters load nothing of the engine.
    if name == "Study":
        from visionhub.facade import Study

        return Study
    raise AttributeError(f"module 'visionhub' has no attribute {name!r}")
