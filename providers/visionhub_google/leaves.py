"""What becomes of every member of an answer: the table that `visionhub schema` prints."""

from __future__ import annotations

from collections.abc import Collection

from visionhub.leaves import Leaves
from visionhub.schema import Task

ROOTS = {
    Task.LABELS: ("labelAnnotations",),
    Task.OBJECTS: ("localizedObjectAnnotations",),
    Task.FACES: ("faceAnnotations",),
    Task.TEXT: ("textAnnotations", "fullTextAnnotation"),
    Task.SAFE_SEARCH: ("safeSearchAnnotation",),
    Task.LANDMARKS: ("landmarkAnnotations",),
    Task.LOGOS: ("logoAnnotations",),
    Task.COLORS: ("imagePropertiesAnnotation",),
    Task.CROP_HINTS: ("cropHintsAnnotation",),
    Task.WEB: ("webDetection",),
}
"""The members of AnnotateImageResponse that answer each task."""

UNSET = "the service never sets it for this kind of answer"
FINER = "the schema's finest piece of text is the word"
NO_PLACE = "the schema has no place for it; it stays in the body"
OLD = "deprecated by the vendor, who puts the score into `score`"
ADDED = "no member of the service's: tools that keep answers add it"
PRODUCTS = "products are not asked for"


def answered(task: Task, members: Collection[str]) -> bool:
    """Whether an answer with these members says something about a task."""
    return any(root in members for root in ROOTS[task])


def _corners(path: str, kind: str) -> tuple[str, str]:
    return f"{path}.{kind}[].x", f"{path}.{kind}[].y"


def _polygon(path: str, to: str) -> dict[str, str]:
    """A polygon in pixels or, where the service prefers them, in ratios: both are read."""
    both = (*_corners(path, "vertices"), *_corners(path, "normalizedVertices"))
    return dict.fromkeys(both, to)


def _unread(path: str, reason: str, *names: str) -> dict[str, str]:
    return {f"{path}.{name}": reason for name in names}


def _entity_rest(root: str, *, box: bool, places: bool = False) -> dict[str, str]:
    """The members of an EntityAnnotation that no table takes."""
    path = f"{root}[]"
    rest = _unread(path, NO_PLACE, "locale", "topicality", "properties[].name")
    rest |= _unread(path, NO_PLACE, "properties[].value", "properties[].uint64Value")
    rest[f"{path}.confidence"] = OLD
    if not box:
        rest |= dict.fromkeys(_polygon(f"{path}.boundingPoly", ""), UNSET)
    if not places:
        where = ("locations[].latLng.latitude", "locations[].latLng.longitude")
        rest |= _unread(path, UNSET, *where)
    return rest


def _entity(root: str, table: str) -> dict[str, str]:
    return {
        f"{root}[].mid": f"{table}.vendor_id",
        f"{root}[].description": f"{table}.name",
        f"{root}[].score": f"{table}.score",
    }


_BOX = "x_min, y_min, x_max, y_max"
_FACE = "faceAnnotations[]"
_LIKELIHOODS = {
    "joyLikelihood": "emotion",
    "sorrowLikelihood": "emotion",
    "angerLikelihood": "emotion",
    "surpriseLikelihood": "emotion",
    "underExposedLikelihood": "under_exposed",
    "blurredLikelihood": "blurred",
    "headwearLikelihood": "headwear",
}
_FACES = {
    **_polygon(f"{_FACE}.boundingPoly", f"face_boxes.{_BOX} (head)"),
    **_polygon(f"{_FACE}.fdBoundingPoly", f"faces.{_BOX}"),
    f"{_FACE}.landmarks[].type": "face_landmarks.name",
    f"{_FACE}.landmarks[].position.x": "face_landmarks.x",
    f"{_FACE}.landmarks[].position.y": "face_landmarks.y",
    f"{_FACE}.rollAngle": "faces.roll",
    f"{_FACE}.panAngle": "faces.yaw",
    f"{_FACE}.tiltAngle": "faces.pitch",
    f"{_FACE}.detectionConfidence": "faces.score",
    f"{_FACE}.landmarkingConfidence": "face_attributes.score (landmarking)",
    **{f"{_FACE}.{name}": f"face_attributes.score ({word})" for name, word in _LIKELIHOODS.items()},
}

_PAGES = "fullTextAnnotation.pages[]"
_BLOCKS = f"{_PAGES}.blocks[]"
_PARAGRAPHS = f"{_BLOCKS}.paragraphs[]"
_WORDS = f"{_PARAGRAPHS}.words[]"
_SYMBOLS = f"{_WORDS}.symbols[]"
_LANGUAGE = "property.detectedLanguages[].languageCode"
_BREAK = ("property.detectedBreak.type", "property.detectedBreak.isPrefix")
_TEXT = {
    "textAnnotations[].description": "text_lines.text",
    "textAnnotations[].locale": "text_lines.language",
    **_polygon("textAnnotations[].boundingPoly", f"text_lines.{_BOX}, polygon"),
    "fullTextAnnotation.text": "text_lines.text (page)",
    f"{_PAGES}.width": f"text_lines.{_BOX}, polygon (the unit of the pixels)",
    f"{_PAGES}.height": f"text_lines.{_BOX}, polygon (the unit of the pixels)",
    f"{_PAGES}.confidence": "text_lines.score (page)",
    f"{_PAGES}.{_LANGUAGE}": "text_lines.language (page)",
    **{
        leaf: to
        for level, path in (("block", _BLOCKS), ("paragraph", _PARAGRAPHS), ("word", _WORDS))
        for leaf, to in {
            **_polygon(f"{path}.boundingBox", f"text_lines.{_BOX}, polygon ({level})"),
            f"{path}.confidence": f"text_lines.score ({level})",
            f"{path}.{_LANGUAGE}": f"text_lines.language ({level})",
        }.items()
    },
    f"{_SYMBOLS}.text": "text_lines.text",
    f"{_SYMBOLS}.{_BREAK[0]}": "text_lines.text (spaces, and where lines end)",
    f"{_SYMBOLS}.{_BREAK[1]}": "text_lines.text (spaces, and where lines end)",
}
_TEXT_REST = {
    **_unread("textAnnotations[]", UNSET, "mid", "score", "topicality"),
    **_unread("textAnnotations[]", OLD, "confidence"),
    **_unread("textAnnotations[]", UNSET, "locations[].latLng.latitude"),
    **_unread("textAnnotations[]", UNSET, "locations[].latLng.longitude"),
    **_unread("textAnnotations[]", UNSET, "properties[].name", "properties[].value"),
    **_unread("textAnnotations[]", UNSET, "properties[].uint64Value"),
    f"{_BLOCKS}.blockType": NO_PLACE,
    **{
        f"{path}.property.detectedLanguages[].confidence": NO_PLACE
        for path in (_PAGES, _BLOCKS, _PARAGRAPHS, _WORDS)
    },
    **{
        f"{path}.{leaf}": "breaks stand at symbols"
        for path in (_PAGES, _BLOCKS, _PARAGRAPHS, _WORDS)
        for leaf in _BREAK
    },
    **dict.fromkeys(_polygon(f"{_SYMBOLS}.boundingBox", ""), FINER),
    **_unread(_SYMBOLS, FINER, "confidence", _LANGUAGE),
    f"{_SYMBOLS}.property.detectedLanguages[].confidence": FINER,
}

_COLORS = "imagePropertiesAnnotation.dominantColors.colors[]"
_HINTS = "cropHintsAnnotation.cropHints[]"
_PICTURES = {
    **{
        f"safeSearchAnnotation.{word}": "safe_search.score"
        for word in ("adult", "spoof", "medical", "violence", "racy")
    },
    f"{_COLORS}.color.red": "colors.red",
    f"{_COLORS}.color.green": "colors.green",
    f"{_COLORS}.color.blue": "colors.blue",
    f"{_COLORS}.score": "colors.score",
    f"{_COLORS}.pixelFraction": "colors.fraction",
    **_polygon(f"{_HINTS}.boundingPoly", f"crop_hints.{_BOX}"),
    f"{_HINTS}.confidence": "crop_hints.score",
    f"{_HINTS}.importanceFraction": "crop_hints.importance",
}

_WEB = {
    "webDetection.webEntities[].entityId": "web.vendor_id",
    "webDetection.webEntities[].score": "web.score",
    "webDetection.webEntities[].description": "web.text",
    **{
        f"webDetection.{name}[].{leaf}": to
        for name in (
            "fullMatchingImages",
            "partialMatchingImages",
            "visuallySimilarImages",
            "pagesWithMatchingImages",
            "pagesWithMatchingImages[].fullMatchingImages",
            "pagesWithMatchingImages[].partialMatchingImages",
        )
        for leaf, to in (("url", "web.url"), ("score", "web.score"))
    },
    "webDetection.pagesWithMatchingImages[].pageTitle": "web.text",
    "webDetection.bestGuessLabels[].label": "web.text",
    "webDetection.bestGuessLabels[].languageCode": "web.language",
}

_PRODUCT = (
    *("product.name", "product.displayName", "product.description", "product.productCategory"),
    *("product.productLabels[].key", "product.productLabels[].value", "score", "image"),
)
_GROUP = "productSearchResults.productGroupedResults[]"
_PRODUCTS = {
    **_unread("productSearchResults", PRODUCTS, "indexTime"),
    **_unread("productSearchResults.results[]", PRODUCTS, *_PRODUCT),
    **dict.fromkeys(_polygon(f"{_GROUP}.boundingPoly", ""), PRODUCTS),
    **_unread(f"{_GROUP}.results[]", PRODUCTS, *_PRODUCT),
    **_unread(f"{_GROUP}.objectAnnotations[]", PRODUCTS, "mid", "languageCode", "name", "score"),
}

IMAGE = Leaves(
    kind="AnnotateImageResponse",
    mapped={
        **_entity("labelAnnotations", "labels"),
        "localizedObjectAnnotations[].mid": "objects.vendor_id",
        "localizedObjectAnnotations[].name": "objects.name",
        "localizedObjectAnnotations[].score": "objects.score",
        **_polygon("localizedObjectAnnotations[].boundingPoly", f"objects.{_BOX}"),
        **_FACES,
        **_TEXT,
        **_entity("landmarkAnnotations", "landmarks"),
        **_polygon("landmarkAnnotations[].boundingPoly", f"landmarks.{_BOX}"),
        "landmarkAnnotations[].locations[].latLng.latitude": "landmarks.locations",
        "landmarkAnnotations[].locations[].latLng.longitude": "landmarks.locations",
        **_entity("logoAnnotations", "logos"),
        **_polygon("logoAnnotations[].boundingPoly", f"logos.{_BOX}"),
        **_PICTURES,
        **_WEB,
        "error.code": "requests.status",
        "error.message": "requests.reason",
    },
    dropped={
        **_entity_rest("labelAnnotations", box=False),
        "localizedObjectAnnotations[].languageCode": NO_PLACE,
        f"{_FACE}.landmarks[].position.z": "relative depth: the schema's points are flat",
        **_TEXT_REST,
        **_entity_rest("landmarkAnnotations", box=True, places=True),
        **_entity_rest("logoAnnotations", box=True),
        f"{_COLORS}.color.alpha": "what is sent has no transparency",
        **_PRODUCTS,
        "error.details[].*": NO_PLACE,
        "context.uri": "names the image; read only when an earlier answer is imported",
        "context.pageNumber": "an image has one page",
    },
    tasks=ROOTS,
)

ENVELOPE = Leaves(
    kind="BatchAnnotateImagesResponse",
    mapped={},
    dropped={
        "responses[].*": "one item an image: see AnnotateImageResponse",
        "response_time": ADDED,
        "file_name": ADDED,
    },
)

LEAVES = (ENVELOPE, IMAGE)
