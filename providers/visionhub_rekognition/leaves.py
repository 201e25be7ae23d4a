"""What becomes of every member of Rekognition's answers.

The members are those of the SDK's own model (botocore), a test compares the two; what older
answers have besides, or what a client adds when it saves one, is in `SAVED` and `_TURN`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from visionhub.leaves import Leaves
from visionhub.schema import Task

_VERSION = "kept as the body's model version"
_TURN = "pictures are turned upright before they are sent; AWS documents it as always null now"
SAVED = {
    "ResponseMetadata.*": "added by boto3: about the call, not about the picture",
    "$metadata.*": "added by the SDK for JavaScript: about the call, not about the picture",
    "response_time": "added by a recorder of answers, cloudy_vision: seconds that the call took",
}
"""What clients add to an answer when they save it."""

_SIDES = {"Left": "x_min", "Top": "y_min", "Width": "x_max", "Height": "y_max"}
_NO_PLACE = "a box or a name is what is kept of such a face; ask for the task faces"
_SOURCE = "about the source picture, the same for every image"
_COLOR_NAME = "follows from red, green and blue"


def _box(holder: str, table: str) -> dict[str, str]:
    return {f"{holder}.BoundingBox.{side}": f"{table}.{at}" for side, at in _SIDES.items()}


def _dropped(paths: Iterable[str], reason: str) -> dict[str, str]:
    return dict.fromkeys(paths, reason)


def _table(
    kind: str,
    mapped: Mapping[str, str],
    dropped: Mapping[str, str],
    tasks: Mapping[Task, tuple[str, ...]],
) -> Leaves:
    return Leaves(kind, mapped, {**dropped, **SAVED}, tasks)


def _colors(holder: str) -> dict[str, str]:
    at = f"{holder}.DominantColors[]"
    quality = {
        f"{holder}.Quality.{name}": "image_attributes.score"
        for name in ("Brightness", "Sharpness", "Contrast")
    }
    return {
        **quality,
        f"{at}.Red": "colors.red",
        f"{at}.Green": "colors.green",
        f"{at}.Blue": "colors.blue",
        f"{at}.PixelPercent": "colors.fraction",
        f"{at}.SimplifiedColor": "colors.group",
    }


_REGIONS = ("ImageProperties", "ImageProperties.Foreground", "ImageProperties.Background")
_COLOR = ("Red", "Green", "Blue", "HexCode", "CSSColor", "SimplifiedColor", "PixelPercent")
LABELS = _table(
    "DetectLabels",
    {
        "Labels[].Name": "labels.name, objects.name",
        "Labels[].Confidence": "labels.score",
        "Labels[].Parents[].Name": "labels.parents, objects.parents",
        "Labels[].Aliases[].Name": "labels.aliases",
        "Labels[].Categories[].Name": "labels.categories",
        "Labels[].Instances[].Confidence": "objects.score",
        **_box("Labels[].Instances[]", "objects"),
        **{path: to for region in _REGIONS for path, to in _colors(region).items()},
    },
    {
        **_dropped(
            (f"Labels[].Instances[].DominantColors[].{name}" for name in _COLOR),
            "colours of single objects: the table colors is about regions of the picture",
        ),
        **_dropped(
            (f"{r}.DominantColors[].{name}" for r in _REGIONS for name in ("HexCode", "CSSColor")),
            _COLOR_NAME,
        ),
        "LabelModelVersion": _VERSION,
        "OrientationCorrection": _TURN,
    },
    {
        Task.LABELS: ("Labels",),
        Task.OBJECTS: ("Labels",),
        Task.COLORS: ("ImageProperties",),
    },
)

_FLAGS = (
    *("Smile", "Eyeglasses", "Sunglasses", "Beard", "Mustache"),
    *("EyesOpen", "MouthOpen", "FaceOccluded"),
)
FACES = _table(
    "DetectFaces",
    {
        "FaceDetails[].Confidence": "faces.score",
        **_box("FaceDetails[]", "faces"),
        "FaceDetails[].Pose.Roll": "faces.roll",
        "FaceDetails[].Pose.Yaw": "faces.yaw",
        "FaceDetails[].Pose.Pitch": "faces.pitch",
        "FaceDetails[].Landmarks[].Type": "face_landmarks.name",
        "FaceDetails[].Landmarks[].X": "face_landmarks.x",
        "FaceDetails[].Landmarks[].Y": "face_landmarks.y",
        **{f"FaceDetails[].{name}.Value": "face_attributes.value" for name in _FLAGS},
        **{f"FaceDetails[].{name}.Confidence": "face_attributes.score" for name in _FLAGS},
        "FaceDetails[].Quality.Brightness": "face_attributes.score",
        "FaceDetails[].Quality.Sharpness": "face_attributes.score",
        "FaceDetails[].EyeDirection.Yaw": "face_attributes.number",
        "FaceDetails[].EyeDirection.Pitch": "face_attributes.number",
        "FaceDetails[].EyeDirection.Confidence": "face_attributes.score",
        "FaceDetails[].AgeRange.Low": "face_attributes.low",
        "FaceDetails[].AgeRange.High": "face_attributes.high",
        "FaceDetails[].Gender.Value": "face_attributes.value",
        "FaceDetails[].Gender.Confidence": "face_attributes.score",
        "FaceDetails[].Emotions[].Type": "face_attributes.value",
        "FaceDetails[].Emotions[].Confidence": "face_attributes.score",
    },
    {"OrientationCorrection": _TURN},
    {Task.FACES: ("FaceDetails",)},
)

TEXT = _table(
    "DetectText",
    {
        "TextDetections[].DetectedText": "text_lines.text",
        "TextDetections[].Type": "text_lines.level",
        "TextDetections[].Confidence": "text_lines.score",
        **_box("TextDetections[].Geometry", "text_lines"),
        "TextDetections[].Geometry.Polygon[].X": "text_lines.polygon",
        "TextDetections[].Geometry.Polygon[].Y": "text_lines.polygon",
    },
    {
        "TextDetections[].Id": "numbers the pieces of one answer, as rank does",
        "TextDetections[].ParentId": "the line of a word: the words' boxes lie within the line's",
        "TextModelVersion": _VERSION,
    },
    {Task.TEXT: ("TextDetections",)},
)

_LOOP = "no human review is asked for"
_ANSWERED = "HumanLoopActivationOutput"
MODERATION = _table(
    "DetectModerationLabels",
    {
        "ModerationLabels[].Name": "safe_search.category",
        "ModerationLabels[].ParentName": "safe_search.parent",
        "ModerationLabels[].TaxonomyLevel": "safe_search.level",
        "ModerationLabels[].Confidence": "safe_search.score",
        "ContentTypes[].Name": "image_attributes.value",
        "ContentTypes[].Confidence": "image_attributes.score",
    },
    {
        "ModerationModelVersion": _VERSION,
        "ProjectVersion": "no adapter of one's own is asked for",
        f"{_ANSWERED}.HumanLoopArn": _LOOP,
        f"{_ANSWERED}.HumanLoopActivationReasons[]": _LOOP,
        f"{_ANSWERED}.HumanLoopActivationConditionsEvaluationResults": _LOOP,
    },
    {Task.SAFE_SEARCH: ("ModerationLabels", "ContentTypes")},
)

_THING = "Persons[].BodyParts[].EquipmentDetections[]"
_SUMMARY = "counts what is in Persons, by a rule that is not asked for"
EQUIPMENT = _table(
    "DetectProtectiveEquipment",
    {
        "Persons[].Confidence": "people.score",
        **_box("Persons[]", "people"),
        "Persons[].BodyParts[].Name": "equipment.body_part",
        "Persons[].BodyParts[].Confidence": "equipment.body_part_score",
        f"{_THING}.Type": "equipment.name",
        f"{_THING}.Confidence": "equipment.score",
        **_box(_THING, "equipment"),
        f"{_THING}.CoversBodyPart.Value": "equipment.covers",
        f"{_THING}.CoversBodyPart.Confidence": "equipment.covers_score",
    },
    {
        "Persons[].Id": "numbers the persons of one answer, as rank does",
        "ProtectiveEquipmentModelVersion": _VERSION,
        "Summary.PersonsWithRequiredEquipment[]": _SUMMARY,
        "Summary.PersonsWithoutRequiredEquipment[]": _SUMMARY,
        "Summary.PersonsIndeterminate[]": _SUMMARY,
    },
    {Task.PEOPLE: ("Persons",)},
)


def _compared(holder: str) -> dict[str, str]:
    """What is told of a face that is named or matched, beyond its box."""
    members = (
        *("Confidence", "Landmarks[].Type", "Landmarks[].X", "Landmarks[].Y"),
        *("Pose.Roll", "Pose.Yaw", "Pose.Pitch", "Quality.Brightness", "Quality.Sharpness"),
        *("Emotions[].Type", "Emotions[].Confidence", "Smile.Value", "Smile.Confidence"),
    )
    return _dropped((f"{holder}.{member}" for member in members), _NO_PLACE)


CELEBRITIES = _table(
    "RecognizeCelebrities",
    {
        "CelebrityFaces[].Name": "celebrities.name",
        "CelebrityFaces[].Id": "celebrities.vendor_id",
        "CelebrityFaces[].MatchConfidence": "celebrities.score",
        "CelebrityFaces[].Urls[]": "celebrities.urls",
        "CelebrityFaces[].KnownGender.Type": "celebrities.gender",
        **_box("CelebrityFaces[].Face", "celebrities"),
        **_box("UnrecognizedFaces[]", "celebrities"),
    },
    {
        **_compared("CelebrityFaces[].Face"),
        **_compared("UnrecognizedFaces[]"),
        "OrientationCorrection": _TURN,
    },
    {Task.CELEBRITIES: ("CelebrityFaces", "UnrecognizedFaces")},
)

MATCHES = _table(
    "CompareFaces",
    {
        "FaceMatches[].Similarity": "face_matches.score",
        **_box("FaceMatches[].Face", "face_matches"),
        **_box("UnmatchedFaces[]", "face_matches"),
    },
    {
        **_compared("FaceMatches[].Face"),
        **_compared("UnmatchedFaces[]"),
        **_dropped((f"SourceImageFace.BoundingBox.{side}" for side in _SIDES), _SOURCE),
        "SourceImageFace.Confidence": _SOURCE,
        "SourceImageOrientationCorrection": _TURN,
        "TargetImageOrientationCorrection": _TURN,
    },
    {Task.FACE_MATCHES: ("FaceMatches", "UnmatchedFaces")},
)

LEAVES = (LABELS, FACES, TEXT, MODERATION, EQUIPMENT, CELEBRITIES, MATCHES)
