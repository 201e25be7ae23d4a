"""Poses of several people: proposals, alignment, landmarks, and one pose for each body.

BlazePose's detector alone was made for the most prominent person. As in other top-down systems, an
object detector proposes further people; BlazePose's detector then aligns each in a crop around the
box, and where it sees nothing there, the box itself is the alignment. On 55 COCO photographs this
found 25 of the 34 people over 96x96 pixels, and the detector alone 15.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visionhub_embedded.detectors import EfficientDetLite
from visionhub_embedded.people import KEYPOINTS
from visionhub_embedded.pose_detector import Bodies, PoseDetector
from visionhub_embedded.pose_landmarks import Pose, PoseLandmarks

if TYPE_CHECKING:
    from PIL.Image import Image

BODY = 0.5  # lowest score of BlazePose's detector, as in MediaPipe
PERSON = 0.4  # lowest score of a proposed person
AROUND = 1.25  # side of the crop around a proposed box, in longer sides of the box
SAME = 0.3  # of the torso's length: two poses whose trunks lie nearer are one body
TRUNK = [KEYPOINTS.index(name) for name in ("nose", "left_shoulder", "right_shoulder")]
TRUNK += [KEYPOINTS.index(name) for name in ("left_hip", "right_hip")]

Floats = NDArray[np.float32]


def from_box(box: Floats) -> tuple[Floats, Floats]:
    """Middle and rim of the circle around an upright body that fills the box (4,)."""
    middle: Floats = (box[:2] + box[2:]) / np.float32(2)
    radius = (box[2:] - box[:2]).max() / 2
    rim: Floats = middle - np.array([0, radius], dtype=np.float32)
    return middle, rim


def inside(bodies: Bodies, box: Floats) -> int | None:
    """Find the strongest body whose head and shoulders have their middle in `box`, if any."""
    middle = (bodies.boxes[:, :2] + bodies.boxes[:, 2:]) / 2
    (index,) = np.nonzero(((middle >= box[:2]) & (middle <= box[2:])).all(axis=1))
    return int(index[0]) if index.size else None


def around(box: Floats, width: int, height: int) -> tuple[int, int, int, int]:
    """Crop around a box, square unless the picture ends: left, top, right, bottom."""
    middle = (box[:2] + box[2:]) / 2
    half = (box[2:] - box[:2]).max() * AROUND / 2
    left, top = np.maximum(middle - half, 0).astype(int).tolist()
    right, bottom = np.ceil(np.minimum(middle + half, [width, height])).astype(int).tolist()
    return left, top, max(right, left + 1), max(bottom, top + 1)


def distinct(poses: list[Pose]) -> list[Pose]:
    """One pose for each body, the one of the highest presence, in order of presence."""
    kept: list[Pose] = []
    for pose in sorted(poses, key=lambda pose: -pose.presence):
        trunk = pose.points[TRUNK]
        torso = np.linalg.norm(trunk[1:3].mean(axis=0) - trunk[3:].mean(axis=0))
        apart = (np.linalg.norm(trunk - other.points[TRUNK], axis=1).mean() for other in kept)
        if all(distance > SAME * torso for distance in apart):
            kept.append(pose)
    return kept


class PoseEstimator:
    """The three networks, ready to run; one instance a thread.

    bundle: MediaPipe's pose_landmarker.task, a ZIP archive of the two BlazePose networks.
    """

    def __init__(self, bundle: bytes, persons: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(bundle)) as networks:
            self.detector = PoseDetector(networks.read("pose_detector.tflite"))
            self.landmarks = PoseLandmarks(networks.read("pose_landmarks_detector.tflite"))
        self.persons = EfficientDetLite(persons)

    def find(self, image: Image, most: int) -> list[Pose]:
        """At most `most` poses in an RGB picture, in its pixels, by falling presence."""
        whole = self.detector.detect(image, BODY)
        circles = [*zip(whole.hips, whole.rims, strict=True)][:most]
        circles += [self.align(image, box) for box in self.propose(image, most)]
        poses = [
            self.landmarks.find(image, hips, rim) for hips, rim in circles if (hips != rim).any()
        ]
        return distinct(poses)[:most]

    def propose(self, image: Image, most: int) -> Iterator[Floats]:
        """Boxes (4,) of at most `most` people in pixels of the picture, best first."""
        found = self.persons.detect(image)
        person = self.persons.names.index("person")
        keep = (found.classes == person) & (found.scores >= PERSON)
        size = np.array([image.width, image.height] * 2, dtype=np.float32)
        yield from (np.clip(found.boxes[keep], 0, 1) * size)[:most]

    def align(self, image: Image, box: Floats) -> tuple[Floats, Floats]:
        """Middle and rim of the circle around the body in a box."""
        part = around(box, image.width, image.height)
        origin = np.array(part[:2], dtype=np.float32)
        bodies = self.detector.detect(image.crop(part), BODY)
        one = inside(bodies, box - np.tile(origin, 2))
        if one is None:
            return from_box(box)
        return bodies.hips[one] + origin, bodies.rims[one] + origin
