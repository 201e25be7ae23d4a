"""Images as data: annotations from several vision services, in one honest schema."""

from __future__ import annotations

__version__ = "0.1.0"
