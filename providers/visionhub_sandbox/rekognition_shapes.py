"""Predictions in the shapes of Rekognition's answers: percent, ratios, names in title case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from visionhub.schema import Annotation, Object, Task
from visionhub_sandbox.answers import Refusal
from visionhub_sandbox.derived import Corners, corners, percent, pieces
from visionhub_sandbox.desk import VERSION, Desk
from visionhub_sandbox.pictures import Picture
from visionhub_sandbox.rekognition_colours import properties
from visionhub_sandbox.rekognition_faces import bounding_box, compared_face, detail, matches

LABELS_FLOOR, MODERATION_FLOOR, SIMILARITY_FLOOR = 55.0, 50.0, 80.0  # documented defaults
MOST_LABELS, MOST_WORDS, MOST_FACES, MOST_CELEBRITIES, MOST_PERSONS = 1000, 100, 100, 64, 15
MOST_COLOURS = 10
PARTS = {"nose": ("FACE", "HEAD"), "left_wrist": ("LEFT_HAND",), "right_wrist": ("RIGHT_HAND",)}
UNSAFE = {"nsfw": "Explicit"}  # which of the taxonomy's first level a category of ours is
Json: TypeAlias = dict[str, Any]
Request: TypeAlias = Mapping[str, Any]


def labels(desk: Desk, request: Request, pictures: Sequence[Picture]) -> Json:
    """DetectLabels: labels, things with their boxes as instances, and colours if asked for."""
    [picture] = pictures
    answer: Json = {"LabelModelVersion": VERSION}
    features = request.get("Features") or ["GENERAL_LABELS"]
    settings = request.get("Settings") or {}
    if "GENERAL_LABELS" in features:
        most = request.get("MaxLabels")
        found = _labels(desk, picture, _floor(request, LABELS_FLOOR))
        found = _filtered(found, settings.get("GeneralLabels") or {})
        answer["Labels"] = found[: MOST_LABELS if most is None else most]
    if "IMAGE_PROPERTIES" in features:
        wanted = (settings.get("ImageProperties") or {}).get("MaxDominantColors")
        answer["ImageProperties"] = properties(desk, picture, wanted or MOST_COLOURS)
    return answer


def _floor(request: Request, default: float, name: str = "MinConfidence") -> float:
    value = request.get(name)
    return default if value is None else float(value)


def _labels(desk: Desk, picture: Picture, floor: float) -> list[Json]:
    found: dict[str, Json] = {}
    for label in desk.predictions.of(picture, Task.LABELS).labels:
        entry = _label(found, _titled(label.name), percent(label.score))
        entry["Parents"] = _names(label.parents)
        entry["Aliases"] = _names(label.aliases)
        entry["Categories"] = _names(label.categories)
    for thing in desk.predictions.of(picture, Task.OBJECTS).objects:
        if percent(thing.score) >= floor:
            entry = _label(found, _titled(thing.name), percent(thing.score))
            entry["Instances"].append(_instance(thing))
    kept = [entry for entry in found.values() if entry["Confidence"] >= floor]
    return sorted(kept, key=lambda entry: (-entry["Confidence"], entry["Name"]))


def _label(found: dict[str, Json], name: str, confidence: float) -> Json:
    lists: Json = {"Instances": [], "Parents": [], "Aliases": [], "Categories": []}
    entry = found.setdefault(name, {"Name": name, "Confidence": confidence} | lists)
    entry["Confidence"] = max(entry["Confidence"], confidence)
    return entry


def _instance(thing: Object) -> Json:
    return {"BoundingBox": bounding_box(thing.box), "Confidence": percent(thing.score)}


def _filtered(found: list[Json], wanted: Mapping[str, Any]) -> list[Json]:
    only, without = wanted.get("LabelInclusionFilters"), wanted.get("LabelExclusionFilters") or []
    return [
        entry
        for entry in found
        if (not only or entry["Name"] in only) and entry["Name"] not in without
    ]


def _titled(name: str) -> str:
    return " ".join(word[:1].upper() + word[1:] for word in name.replace("_", " ").split())


def _names(names: Sequence[str]) -> list[Json]:
    return [{"Name": _titled(name)} for name in names]


def faces(desk: Desk, request: Request, pictures: Sequence[Picture]) -> Json:
    """DetectFaces: the largest first; age, gender and emotions if they are asked for."""
    [picture] = pictures
    attributes = set(request.get("Attributes") or ())
    found = desk.predictions.guesses(picture, _guesses(attributes)).faces
    ordered = sorted(found, key=lambda face: -_area(bounding_box(face.box)))
    details = [detail(desk, picture, face, attributes) for face in ordered]
    return {"FaceDetails": details[:MOST_FACES]}


def _guesses(attributes: set[str]) -> list[str]:
    named = {"age": "AGE_RANGE", "gender": "GENDER", "emotion": "EMOTIONS"}
    return [ours for ours, theirs in named.items() if attributes & {theirs, "ALL"}]


def _area(box: Mapping[str, float]) -> float:
    return box["Width"] * box["Height"]


def text(desk: Desk, request: Request, pictures: Sequence[Picture]) -> Json:
    """DetectText: all lines, then their words, which are placed evenly in them."""
    [picture] = pictures
    filters = (request.get("Filters") or {}).get("WordFilter") or {}
    floor = _floor(filters, 0.0)
    lines = desk.predictions.of(picture, Task.TEXT).text_lines
    kept = [line for line in lines if percent(line.score) >= floor]
    found = [
        _detection(
            "LINE", number, line.text, percent(line.score), line.polygon or corners(line.box)
        )
        for number, line in enumerate(kept)
    ]
    words = [(number, piece) for number, line in enumerate(kept) for piece in pieces(line)]
    for number, piece in words[:MOST_WORDS]:
        confidence = percent(kept[number].score)
        word = _detection("WORD", len(found), piece.text, confidence, piece.corners)
        found.append(word | {"ParentId": number})
    return {"TextDetections": found, "TextModelVersion": VERSION}


def _detection(kind: str, number: int, text: str, confidence: float, around: Corners) -> Json:
    xs, ys = zip(*around, strict=True)
    box = {"Width": max(xs) - min(xs), "Height": max(ys) - min(ys), "Left": min(xs), "Top": min(ys)}
    polygon = [{"X": round(x, 7), "Y": round(y, 7)} for x, y in around]
    geometry = {"BoundingBox": {k: round(v, 7) for k, v in box.items()}, "Polygon": polygon}
    head = {"DetectedText": text, "Type": kind, "Id": number}
    return {**head, "Confidence": confidence, "Geometry": geometry}


def moderation(desk: Desk, request: Request, pictures: Sequence[Picture]) -> Json:
    """DetectModerationLabels: of the taxonomy, the one branch that the models tell."""
    [picture] = pictures
    floor = _floor(request, MODERATION_FLOOR)
    found = [
        {"Name": name, "ParentName": "", "TaxonomyLevel": 1, "Confidence": percent(each.score)}
        for each in desk.predictions.of(picture, Task.SAFE_SEARCH).safe_search
        if (name := UNSAFE.get(each.category)) and percent(each.score) >= floor
    ]
    return {"ModerationLabels": found, "ModerationModelVersion": VERSION, "ContentTypes": []}


def equipment(desk: Desk, request: Request, pictures: Sequence[Picture]) -> Json:
    """DetectProtectiveEquipment: persons with the parts of their bodies, and nothing on them."""
    [picture] = pictures
    people = _people(desk.predictions.of(picture, Task.PEOPLE))
    answer: Json = {"ProtectiveEquipmentModelVersion": VERSION, "Persons": people}
    summary = request.get("SummarizationAttributes")
    if summary:
        floor = float(summary.get("MinConfidence", 0))
        without = [each["Id"] for each in people if each["Confidence"] >= floor]
        rest = [each["Id"] for each in people if each["Id"] not in without]
        answer["Summary"] = {
            "PersonsWithRequiredEquipment": [],
            "PersonsWithoutRequiredEquipment": without,
            "PersonsIndeterminate": rest,
        }
    return answer


def _people(annotation: Annotation) -> list[Json]:
    return [
        {
            "BodyParts": [
                {"Name": name, "Confidence": 100 * (point.score or 0), "EquipmentDetections": []}
                for point in person.keypoints
                for name in PARTS.get(point.name, ())
            ],
            "BoundingBox": bounding_box(person.box),
            "Confidence": percent(person.score),
            "Id": number,
        }
        for number, person in enumerate(annotation.people[:MOST_PERSONS])
    ]


def celebrities(desk: Desk, request: Request, pictures: Sequence[Picture]) -> Json:
    """RecognizeCelebrities: every face is one that it does not know."""
    [picture] = pictures
    found = desk.predictions.of(picture, Task.FACES).faces[:MOST_CELEBRITIES]
    unknown = [compared_face(desk, picture, face) for face in found]
    return {"CelebrityFaces": [], "UnrecognizedFaces": unknown}


def compared(desk: Desk, request: Request, pictures: Sequence[Picture]) -> Json:
    """CompareFaces: the source's largest face against all of the target's."""
    source, target = pictures
    floor = _floor(request, SIMILARITY_FLOOR, "SimilarityThreshold")
    if not desk.predictions.name:
        return {"FaceMatches": [], "UnmatchedFaces": []}
    found = desk.predictions.guesses(source, ["embedding"]).faces
    if not found:
        raise Refusal("InvalidParameterException", "The source image shows no face.")
    face = max(found, key=lambda face: _area(bounding_box(face.box)))
    head = {"BoundingBox": bounding_box(face.box), "Confidence": percent(face.score)}
    return {"SourceImageFace": head, **matches(desk, face, target, floor)}
