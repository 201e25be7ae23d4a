"""Seven facial expressions: a small densely connected network, run in plain numpy.

Recipe: face-api.js, faceExpressionNet: the face's box padded with black to a square, 112x112 RGB,
(value - mean) / 255, four dense blocks of depthwise separable convolutions, average pooling, one
linear layer, softmax. Its weights are a JSON manifest and one file of arrays that are floats, or
bytes with a scale and a minimum.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 112
MEANS = np.array([122.782, 117.001, 104.298], dtype=np.float32)
EMOTIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")

Floats = NDArray[np.float32]


def read_weights(manifest: list[dict[str, Any]], data: bytes) -> dict[str, Floats]:
    """Named arrays out of a TensorFlow.js weights manifest and its joined shards.

    ValueError when the manifest does not describe every byte of `data`.
    """
    arrays: dict[str, Floats] = {}
    at = 0
    for entry in (entry for group in manifest for entry in group["weights"]):
        quantised = entry.get("quantization")
        kind = np.dtype(quantised["dtype"] if quantised else entry["dtype"])
        count = int(np.prod(entry["shape"], dtype=int))
        values = np.frombuffer(data, kind, count, at).astype(np.float32)
        if quantised:
            values = values * np.float32(quantised["scale"]) + np.float32(quantised["min"])
        arrays[entry["name"]] = values.reshape(entry["shape"])
        at += count * kind.itemsize
    if at != len(data):
        raise ValueError(f"the manifest describes {at} bytes of {len(data)}")
    return arrays


def windows(x: Floats, stride: int) -> Floats:
    """View the 3x3 neighbourhoods of x (h, w, c) as (rows, columns, c, 3, 3), zeros outside.

    TensorFlow's "same" padding: ceil(size / stride) outputs, an odd pixel of padding at the end.
    """
    pads = []
    for size in x.shape[:2]:
        total = max((-(-size // stride) - 1) * stride + 3 - size, 0)
        pads.append((total // 2, total - total // 2))
    padded = np.pad(x, [*pads, (0, 0)])
    view: Floats = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))
    return view[::stride, ::stride]


def convolve(x: Floats, filters: Floats, bias: Floats, stride: int) -> Floats:
    """Convolve x (h, w, in) with filters (3, 3, in, out)."""
    out: Floats = np.tensordot(windows(x, stride), filters, axes=((2, 3, 4), (2, 0, 1))) + bias
    return out


def separable(x: Floats, weights: Mapping[str, Floats], name: str, stride: int) -> Floats:
    """Convolve each channel by itself in 3x3, then mix channels point by point, with bias."""
    depthwise = weights[f"{name}/depthwise_filter"][..., 0]
    pointwise = weights[f"{name}/pointwise_filter"][0, 0]
    view = windows(x, stride)
    spread = np.zeros(view.shape[:3], dtype=np.float32)
    for row in range(3):
        for column in range(3):
            spread += view[..., row, column] * depthwise[row, column]
    out: Floats = spread @ pointwise + weights[f"{name}/bias"]
    return out


def dense_block(x: Floats, weights: Mapping[str, Floats], name: str) -> Floats:
    """Four layers, each fed with the rectified sum of those before it; halves height and width."""
    if f"{name}/conv0/filters" in weights:
        filters, bias = weights[f"{name}/conv0/filters"], weights[f"{name}/conv0/bias"]
        total = np.maximum(convolve(x, filters, bias, 2), 0)
    else:
        total = np.maximum(separable(x, weights, f"{name}/conv0", 2), 0)
    # The sum runs over the layers' own outputs, of which only the first is rectified by itself.
    for layer in (1, 2, 3):
        total = total + separable(np.maximum(total, 0), weights, f"{name}/conv{layer}", 1)
    rectified: Floats = np.maximum(total, 0)
    return rectified


def forward(x: Floats, weights: Mapping[str, Floats]) -> Floats:
    """Probabilities (7,) of a normalised picture (112, 112, 3)."""
    for block in range(4):
        x = dense_block(x, weights, f"dense{block}")
    logits = x.mean(axis=(0, 1)) @ weights["fc/weights"] + weights["fc/bias"]
    powers = np.exp(logits - logits.max())
    probabilities: Floats = powers / powers.sum()
    return probabilities


def face_square(image: Image, box: NDArray[np.float32]) -> Floats:
    """Cut out the face in `box` (pixels), padded with black to a square, as the network's input."""
    left, top = np.maximum(np.floor(box[:2]), 0).astype(int)
    right = max(min(int(box[2]), image.width), left + 1)
    bottom = max(min(int(box[3]), image.height), top + 1)
    width, height = right - left, bottom - top
    side = max(width, height)
    square = Pillow.new("RGB", (side, side))
    part = image.crop((int(left), int(top), right, bottom))
    square.paste(part, ((side - width) // 2, (side - height) // 2))
    small = square.resize((SIDE, SIDE), Pillow.Resampling.BILINEAR)
    return (np.asarray(small, dtype=np.float32) - MEANS) / np.float32(255)


class EmotionNet:
    """The network, ready to run; one instance a thread."""

    def __init__(self, manifest: bytes, shard: bytes) -> None:
        self.weights = read_weights(json.loads(manifest), shard)

    def guess(self, image: Image, box: NDArray[np.float32]) -> dict[str, float]:
        """Give each expression its probability for the face in `box` (pixels)."""
        probabilities = forward(face_square(image, box), self.weights)
        return dict(zip(EMOTIONS, probabilities.tolist(), strict=True))
