"""People: body poses, each with 33 named points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from visionhub.provider import Parameter, Request, TaskSpec, Value
from visionhub.schema import Annotation, Box, Person, Point, Scale, Status, Task, probability
from visionhub_embedded import cards
from visionhub_embedded.base import (
    Answer,
    TaskModel,
    floored,
    items,
    number,
    package,
    strangers,
    text,
)
from visionhub_embedded.cards_people import BLAZEPOSE

if TYPE_CHECKING:
    from PIL.Image import Image

    from visionhub_embedded.pose_landmarks import Pose
    from visionhub_embedded.poses import PoseEstimator

FLOOR = 0.5
KEPT = 0.1  # lowest presence in a body
VISIBLE = 0.5  # lowest score of the points that the box bounds
MOST = 50
KEYPOINTS = (
    "nose",
    *("left_eye_inner", "left_eye", "left_eye_outer"),
    *("right_eye_inner", "right_eye", "right_eye_outer"),
    *("left_ear", "right_ear", "mouth_left", "mouth_right"),
    *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow"),
    *("left_wrist", "right_wrist", "left_pinky", "right_pinky"),
    *("left_index", "right_index", "left_thumb", "right_thumb"),
    *("left_hip", "right_hip", "left_knee", "right_knee"),
    *("left_ankle", "right_ankle", "left_heel", "right_heel"),
    *("left_foot_index", "right_foot_index"),
)


class People(TaskModel):
    """Poses by BlazePose, of the people that it and EfficientDet-Lite0 propose.

    Left and right in the names of points are the person's own, not the viewer's.
    """

    task = Task.PEOPLE
    cards = (BLAZEPOSE, cards.EFFICIENTDET_LITE0_INT8)
    requires = ("numpy", "ai_edge_litert")
    recipe = 2
    spec = TaskSpec(
        scale=Scale.PROBABILITY,
        vocabulary="blazepose-33",
        floor=FLOOR,
        max_results=MOST,
        parameters={
            "min_score": Parameter(FLOOR, "lowest score that is reported, from 0.1"),
            "max_results": Parameter(10, f"most people in one picture, 1 to {MOST}"),
        },
    )

    def __init__(self) -> None:
        self._estimator: PoseEstimator | None = None

    @classmethod
    def check(cls, options: Mapping[str, Value]) -> None:
        """Raise MissingExtra for an absent package, UsageError for an impossible option."""
        cls.check_count(options, "max_results", MOST)
        super().check(options)

    def predict(self, image: Image, options: Mapping[str, Value]) -> Answer:
        """Poses of a presence of at least `KEPT`, best first, in ratios; points may lie outside."""
        if self._estimator is None:
            self._estimator = _open()
        most = int(number(self.option(options, "max_results")))
        found = self._estimator.find(image, most)
        return {"people": [_described(pose, image) for pose in found if pose.presence >= KEPT]}

    @staticmethod
    def parse(answer: Answer, request: Request) -> Annotation:
        """People of at least `min_score`; a point's score is its visibility."""
        least = number(People.option(request.options, "min_score"))
        most = int(number(People.option(request.options, "max_results")))
        found = [(item, number(item["score"])) for item in items(answer, "people")]
        people = tuple(_person(item, score) for item, score in found if score >= least)
        status, reason = floored(len(people), (score for _, score in found), least)
        if len(people) >= most:
            status, reason = Status.TRUNCATED, f"the {most} strongest poses were kept"
        unknown = strangers(answer, {"people": ("score", "keypoints")})
        return Annotation(status, reason, people=people, unknown=unknown)


def _open() -> PoseEstimator:
    runtime = package("visionhub_embedded.runtime")
    poses = package("visionhub_embedded.poses")
    [bundle] = runtime.load(BLAZEPOSE)
    [persons] = runtime.load(cards.EFFICIENTDET_LITE0_INT8)
    estimator: PoseEstimator = poses.PoseEstimator(bundle, persons)
    return estimator


def _described(pose: Pose, image: Image) -> dict[str, Any]:
    rows = zip(KEYPOINTS, pose.points.tolist(), pose.visibility.tolist(), strict=True)
    keypoints = [
        {
            "name": name,
            "x": round(x / image.width, 6),
            "y": round(y / image.height, 6),
            "score": round(seen, 6),
        }
        for name, (x, y), seen in rows
    ]
    return {"score": round(pose.presence, 6), "keypoints": keypoints}


def _person(item: Mapping[str, Any], score: float) -> Person:
    points = tuple(
        Point(text(p, "name"), number(p["x"]), number(p["y"]), number(p["score"]))
        for p in items(item, "keypoints")
    )
    seen = [p for p in points if p.score is not None and p.score >= VISIBLE] or points
    x, y = [p.x for p in seen], [p.y for p in seen]
    return Person(probability(score), Box.of(min(x), min(y), max(x), max(y)), points)
