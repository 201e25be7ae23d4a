"""Aligned crops: the similarity transform between two point sets, and the picture seen through it.

Coordinates are pixel indices (the middle of the first pixel is 0, 0), as in the recipes of the
networks that are fed from here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

if TYPE_CHECKING:
    from PIL.Image import Image

Matrix = NDArray[np.float64]


def similarity(source: NDArray[np.floating], target: NDArray[np.floating]) -> Matrix:
    """Find the rotation, scale and shift (2, 3) that carry source (n, 2) closest to target.

    Least squares without reflection. In the plane this is one complex division: with both sets
    centred, z -> a z has a = sum(conj(s) t) / sum(|s|^2) (Umeyama 1991 in two dimensions).
    ValueError when all source points coincide.
    """
    middle, goal = source.mean(axis=0, dtype=np.float64), target.mean(axis=0, dtype=np.float64)
    s = (source - middle) @ np.array([1, 1j])
    t = (target - goal) @ np.array([1, 1j])
    length = float(np.sum(np.abs(s) ** 2))
    if length == 0.0:
        raise ValueError("the points to align coincide")
    a = complex(np.sum(np.conj(s) * t)) / length
    linear = np.array([[a.real, -a.imag], [a.imag, a.real]])
    return np.hstack([linear, (goal - linear @ middle)[:, None]])


def inverse(matrix: Matrix) -> Matrix:
    """Invert an affine map (2, 3)."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.hstack([linear, -linear @ matrix[:, 2:]])


def apply(matrix: Matrix, points: NDArray[np.floating]) -> Matrix:
    """Carry points (n, 2) through an affine map (2, 3)."""
    moved: Matrix = points @ matrix[:, :2].T + matrix[:, 2]
    return moved


def crop(image: Image, matrix: Matrix, size: int, *, smooth: bool) -> NDArray[np.uint8]:
    """Cut the square (size, size, 3) to which `matrix` carries the picture's pixel indices.

    Bilinear; black outside the picture. With `smooth`, a picture that is shown at half its size
    or less is first averaged down by a power of two, so that fine detail does not alias.
    """
    back = inverse(matrix)
    step = math.sqrt(abs(np.linalg.det(back[:, :2])))
    factor = 2 ** max(0, math.floor(math.log2(step))) if smooth else 1
    corners = apply(back, np.array([[0, 0], [size, 0], [0, size], [size, size]]) - 0.5)
    low = np.maximum(np.floor(corners.min(axis=0)).astype(int) - 2 * factor, 0)
    high = np.ceil(corners.max(axis=0)).astype(int) + 2 * factor + 1
    high = np.minimum(high, [image.width, image.height])
    if (high <= low).any():
        return np.zeros((size, size, 3), dtype=np.uint8)
    part = image.crop((int(low[0]), int(low[1]), int(high[0]), int(high[1]))).reduce(factor)
    # Pillow counts from a pixel's corner, hence the halves; the crop and its reduction follow.
    linear = back[:, :2] / factor
    shift = (back[:, 2] + 0.5 - low) / factor - linear @ np.array([0.5, 0.5])
    data = (linear[0, 0], linear[0, 1], shift[0], linear[1, 0], linear[1, 1], shift[1])
    seen = part.transform((size, size), Pillow.Transform.AFFINE, data, Pillow.Resampling.BILINEAR)
    return np.asarray(seen)
