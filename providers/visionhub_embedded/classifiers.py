"""The two image classifiers: EfficientNet-Lite (ImageNet classes) and open_nsfw."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from visionhub_embedded.runtime import LiteRtModel, OnnxModel

if TYPE_CHECKING:
    from PIL.Image import Image

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

CROP = 224 / 256  # of the shorter side: the published evaluation of both networks
GAP = 3.0  # Pillow shrinks large photographs in whole steps first; no difference to the eye
NSFW_MEAN = (104.0, 117.0, 123.0)  # blue, green, red, as the Caffe network was trained


def embedded_labels(weights: bytes) -> list[str]:
    """Read the label list that a LiteRT file carries as a ZIP archive, in class order."""
    with zipfile.ZipFile(io.BytesIO(weights)) as attached:
        [name] = [name for name in attached.namelist() if "label" in name]
        return attached.read(name).decode().split("\n")


def central_square(width: int, height: int, fraction: float) -> tuple[float, float, float, float]:
    """Place a square of `fraction` of the shorter side in the middle: left, top, right, bottom."""
    side = min(width, height) * fraction
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def central_crop(image: Image, side: int) -> Bytes:
    """Crop the middle and resize it to (side, side, 3)."""
    box = central_square(image.width, image.height, CROP)
    return np.asarray(image.resize((side, side), Pillow.Resampling.BICUBIC, box, GAP))


def input_levels(dtype: np.dtype[Any], scale: float, zero: float) -> NDArray[Any]:
    """Tabulate what each of the 256 levels of a channel becomes in the network's input."""
    real = (np.arange(256, dtype=np.float32) - np.float32(127)) / np.float32(128)
    if dtype == np.float32:
        return real
    stored = np.round(real / np.float32(scale) + np.float32(zero))
    return np.clip(stored, 0, 255).astype(dtype)


def nsfw_input(image: Image) -> Floats:
    """Prepare open_nsfw's input, (224, 224, 3): blue, green, red minus the training mean."""
    small = np.asarray(image.resize((256, 256), Pillow.Resampling.BILINEAR, None, GAP))
    return small[16:240, 16:240, ::-1] - np.array(NSFW_MEAN, dtype=np.float32)


class EfficientNetLite:
    """EfficientNet-Lite in LiteRT, float or quantised; `labels` in class order.

    Recipe: the network's published evaluation (central 224/256 of the shorter side, resized to the
    input's side, (value - 127) / 128). Bicubic stands for TensorFlow's own bilinear kernel, which
    does not smooth; timm's port of these weights makes the same choice.
    """

    def __init__(self, weights: bytes) -> None:
        self.model = LiteRtModel(weights)
        self.labels = [name.strip() for name in embedded_labels(weights) if name.strip()]
        self._levels = input_levels(self.model.dtype, self.model.scale, self.model.zero)

    def probabilities(self, image: Image) -> Floats:
        """Give one probability a class."""
        pixels = central_crop(image, self.model.shape[1])
        [found] = self.model.run(self._levels[pixels][None])
        return np.asarray(found[0], dtype=np.float32)


class OpenNsfw:
    """Yahoo's open_nsfw, converted from Caffe.

    Recipe: the release's own: 256x256 bilinear without regard to shape, then the central 224x224.
    The release also re-encodes the picture as JPEG in between, to match its training data; that
    step is left out, so that pixels alone decide.
    """

    def __init__(self, weights: bytes) -> None:
        self.model = OnnxModel(weights)

    def probability(self, image: Image) -> float:
        """Tell how likely the picture is pornographic, to the network."""
        [found] = self.model.run({"input_0": nsfw_input(image)[None]}).values()
        return float(found[0, 1])
