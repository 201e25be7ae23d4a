"""The embedded provider keeps the contract, with its real models."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageDraw, ImageFont
from visionhub_embedded import Embedded

from visionhub.testing import ProviderContract
from visionhub.trial import picture


@pytest.mark.models
class TestEmbedded(ProviderContract):
    provider = Embedded

    def images(self):
        """A gradient that shows nothing, and a sign with words on it."""
        sign = Image.new("RGB", (320, 240), "white")
        ImageDraw.Draw(sign).text((30, 90), "NO ENTRY", "black", ImageFont.load_default(48))
        out = io.BytesIO()
        sign.save(out, "PNG")
        return picture(160, 120), out.getvalue()
