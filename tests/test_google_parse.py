"""Reading Google's answers: geometry, scales, missing values, text; and faults of other tools."""

from __future__ import annotations

import json

import pytest
from visionhub_google import GoogleVision
from visionhub_google.words import POINTS, point_name

from tests.google_answers import full
from tests.google_asked import parse, pixels, rectangle
from visionhub.errors import ProviderError, RefusedImage, UnexpectedBody
from visionhub.provider import Request
from visionhub.schema import Annotation, Box, Scale, Score, Status, Task

LIKELY = Score(Scale.LIKELIHOOD, word="LIKELY")


def face(**more):
    return {"fdBoundingPoly": rectangle(20, 10, 100, 60), "detectionConfidence": 0.5, **more}


def one_face(asked=(), **more):
    return parse(Task.FACES, {"faceAnnotations": [face(**more)]}, attributes=list(asked))


# Faults found in other tools.


def test_yaw_and_pitch_are_not_swapped():
    (found,) = one_face(rollAngle=1.0, panAngle=2.0, tiltAngle=3.0).faces
    assert (found.roll, found.yaw, found.pitch) == (1.0, 2.0, 3.0)


def test_a_likelihood_is_not_stretched_to_a_probability():
    said = parse(Task.SAFE_SEARCH, {"safeSearchAnnotation": {"adult": "LIKELY", "racy": 5}})
    assert [(each.category, each.score) for each in said.safe_search] == [
        ("adult", LIKELY),
        ("racy", Score(Scale.LIKELIHOOD, word="VERY_LIKELY")),
    ]
    (found,) = one_face(["emotion"], blurredLikelihood="LIKELY", joyLikelihood="LIKELY").faces
    rated = {each.name: each.score for each in found.attributes if each.name != "landmarking"}
    assert rated == {"blurred": LIKELY, "emotion": LIKELY}


def test_boxes_in_pixels_and_in_ratios_are_not_mixed():
    """Objects come in ratios, all else in pixels; whatever comes is one box."""
    ratios = {"normalizedVertices": [{"x": 0.1, "y": 0.1}, {"x": 0.5, "y": 0.6}]}
    boxes = [
        parse(
            Task.OBJECTS, {"localizedObjectAnnotations": [{"name": "N", "boundingPoly": polygon}]}
        ).objects[0].box
        for polygon in (ratios, pixels((20, 10), (100, 60)))
    ]  # fmt: skip
    assert boxes == [Box(0.1, 0.1, 0.5, 0.6)] * 2
    assert one_face().faces[0].box == Box(0.1, 0.1, 0.5, 0.6)


@pytest.mark.parametrize("said", [{}, {"joyLikelihood": "UNKNOWN"}, {"joyLikelihood": 0}])
def test_unknown_is_never_no(said):
    """An emotion that is not offered any more leaves no attribute, and says why."""
    asked = one_face(["emotion"], sorrowLikelihood="UNLIKELY", **said)
    emotions = [each.word for each in asked.faces[0].attributes if each.name == "emotion"]
    assert emotions == ["SORROW"]
    assert asked.status is Status.WITHDRAWN
    for words in ("emotion is UNKNOWN for 1 of 1 faces", "2026-10-15", "2027-01-14"):
        assert words in asked.reason
    assert one_face(**said).status is Status.OBSERVED, "nobody asked for emotions"


def test_unknown_elsewhere_is_left_out_and_named():
    said = parse(Task.SAFE_SEARCH, {"safeSearchAnnotation": {"adult": "VERY_UNLIKELY", "racy": 0}})
    assert [each.category for each in said.safe_search] == ["adult"]
    assert said.status is Status.OBSERVED
    assert said.reason == "UNKNOWN for spoof, medical, violence, racy"
    rated = one_face(headwearLikelihood="UNKNOWN", blurredLikelihood=1)
    assert {each.name for each in rated.faces[0].attributes} == {"landmarking", "blurred"}
    assert rated.reason == "UNKNOWN for under_exposed, headwear of some faces"


def test_all_four_emotions_are_there_when_asked_for():
    names = ("joy", "sorrow", "anger", "surprise")
    likelihoods = {f"{name}Likelihood": value for value, name in enumerate(names, 1)}
    said = one_face(["emotion"], **likelihoods)
    assert [(each.word, each.score.word) for each in said.faces[0].attributes[1:]] == [
        ("JOY", "VERY_UNLIKELY"), ("SORROW", "UNLIKELY"), ("ANGER", "POSSIBLE"),
        ("SURPRISE", "LIKELY"),
    ]  # fmt: skip
    assert said.status is Status.OBSERVED
    unasked = one_face(**likelihoods).faces[0].attributes
    assert {each.name for each in unasked} == {"landmarking"}


def test_the_whole_text_is_no_word():
    flat = [{"description": "to be", "locale": "en", "boundingPoly": rectangle(0, 0, 50, 20)},
            {"description": "to", "boundingPoly": rectangle(0, 0, 20, 20)},
            {"description": "be", "boundingPoly": rectangle(30, 0, 50, 20)}]  # fmt: skip
    said = parse(Task.TEXT, {"textAnnotations": flat})
    assert [(line.level, line.text) for line in said.text_lines] == [
        ("page", "to be"), ("word", "to"), ("word", "be"),
    ]  # fmt: skip
    assert said.text_lines[0].language == "en"
    assert len(said) == 2


# Geometry.


def test_missing_coordinates_are_zero():
    """Protocol buffers leave out what is 0."""
    corner = {"vertices": [{}, {"x": 100}, {"x": 100, "y": 50}, {"y": 50}]}
    (found,) = one_face(fdBoundingPoly=corner).faces
    assert found.box == Box(0.0, 0.0, 0.5, 0.5)
    assert not found.box.clipped


def test_what_reaches_outside_is_cut_and_marked():
    (found,) = one_face(boundingPoly=rectangle(-20, -5, 220, 50)).faces
    assert found.head_box == Box(0.0, 0.0, 1.0, 0.5, clipped=True)
    assert not found.box.clipped


def test_a_face_has_the_box_of_its_skin_and_that_of_its_head():
    (found,) = one_face(boundingPoly=rectangle(0, 0, 120, 80)).faces
    assert found.box == Box(0.1, 0.1, 0.5, 0.6)
    assert found.head_box == Box(0.0, 0.0, 0.6, 0.8)
    said = one_face(boundingPoly=rectangle(0, 0, 120, 80), fdBoundingPoly={})
    assert said.faces[0].box == said.faces[0].head_box
    assert "only the box of the head" in said.reason
    with pytest.raises(UnexpectedBody, match="no corners"):
        one_face(fdBoundingPoly={})


def test_landmarks_are_named_from_the_person_s_side():
    """In a face that looks into the camera, the person's right eye is on the picture's left."""
    points = [
        {"type": kind, "position": {"x": x, "y": 40, "z": 3}}
        for kind, x in (("LEFT_EYE", 40), (2, 80), ("UNKNOWN_LANDMARK", 1), (0, 2), (37, 60))
    ]
    (found,) = one_face(landmarks=points).faces
    at = {point.name: (point.x, point.y) for point in found.landmarks}
    assert at == {"right_eye": (0.2, 0.4), "left_eye": (0.4, 0.4), "37": (0.3, 0.4)}
    assert point_name("LEFT_OF_RIGHT_EYEBROW") == "right_of_left_eyebrow"
    assert point_name("RIGHT_EYE_LEFT_CORNER") == "left_eye_right_corner"
    assert point_name("NOSE_TIP") == "nose_tip"
    assert len({point_name(kind) for kind in POINTS}) == len(POINTS)


def test_a_landmark_given_twice_is_there_once():
    twice = [{"type": 1, "position": {"x": x, "y": 1}} for x in (10, 20)]
    (found,) = one_face(landmarks=twice).faces
    assert [point.x for point in found.landmarks] == [0.05]


# The rest.


def test_labels_and_their_like():
    entity = {
        "mid": "/m/1",
        "description": "Dom",
        "score": 0.75,
        "boundingPoly": rectangle(0, 0, 100, 50),
        "locations": [{"latLng": {"latitude": 50.9, "longitude": 6.9}}, {"latLng": {}}],
    }
    (label,) = parse(Task.LABELS, {"labelAnnotations": [entity]}).labels
    assert (label.name, label.vendor_id) == ("Dom", "/m/1")
    assert label.score == Score(Scale.PROBABILITY, 0.75)
    (place,) = parse(Task.LANDMARKS, {"landmarkAnnotations": [entity]}).landmarks
    assert place.locations == ((50.9, 6.9), (0.0, 0.0))
    assert place.box == Box(0.0, 0.0, 0.5, 0.5)
    (logo,) = parse(Task.LOGOS, {"logoAnnotations": [{**entity, "boundingPoly": {}}]}).logos
    assert logo.box is None
    (nameless,) = parse(Task.LABELS, {"labelAnnotations": [{"mid": "/m/1"}]}).labels
    assert nameless.name == "/m/1"
    with pytest.raises(UnexpectedBody, match="neither"):
        parse(Task.LABELS, {"labelAnnotations": [{"score": 0.5}]})


def test_colours():
    dominant = {"color": {"red": 255, "blue": 16}, "score": 0.5, "pixelFraction": 0.25}
    answer = {"imagePropertiesAnnotation": {"dominantColors": {"colors": [dominant]}}}
    (color,) = parse(Task.COLORS, answer).colors
    assert (color.name, color.fraction, color.region) == ("#ff0010", 0.25, "image")
    assert color.score == Score(Scale.UNCALIBRATED, 0.5)
    dominant["color"]["red"] = 256
    with pytest.raises(UnexpectedBody, match="no colour"):
        parse(Task.COLORS, answer)


def test_the_web_in_six_kinds():
    image = {"url": "http://a/1.jpg"}
    page = {"url": "http://b/", "pageTitle": "B", "partialMatchingImages": [image]}
    answer = {"webDetection": {
        "webEntities": [{"entityId": "/m/1", "score": 12.5, "description": "Cat"},
                        {"entityId": "/m/2"}],
        "bestGuessLabels": [{"label": "a cat", "languageCode": "en"}],
        "fullMatchingImages": [image], "visuallySimilarImages": [image],
        "pagesWithMatchingImages": [page, {"url": "http://c/"}],
    }}  # fmt: skip
    assert [(m.kind, m.text, m.url, m.page) for m in parse(Task.WEB, answer).web] == [
        ("entity", "Cat", None, None), ("entity", "/m/2", None, None),
        ("best_guess", "a cat", None, None),
        ("full_match", image["url"], image["url"], None),
        ("similar", image["url"], image["url"], None),
        ("page", "B", "http://b/", None),
        ("partial_match", image["url"], image["url"], "http://b/"),
        ("page", "http://c/", "http://c/", None),
    ]  # fmt: skip
    assert parse(Task.WEB, answer, max_results=3).status is Status.OBSERVED
    assert parse(Task.WEB, answer, max_results=2).status is Status.TRUNCATED


def test_as_many_results_as_were_asked_for_are_cut_off():
    answer = {"labelAnnotations": [{"description": "a"}, {"description": "b"}]}
    assert parse(Task.LABELS, answer, max_results=3).status is Status.OBSERVED
    assert parse(Task.LABELS, answer, max_results=2).status is Status.TRUNCATED
    assert parse(Task.LABELS, answer).status is Status.OBSERVED, "an earlier answer does not tell"
    faces = parse(Task.FACES, {"faceAnnotations": [face()]}, max_results=1, attributes=["emotion"])
    assert faces.status is Status.WITHDRAWN
    assert "cut off at 1 results" in faces.reason


@pytest.mark.parametrize("task", GoogleVision.tasks)
def test_an_empty_answer_is_an_answer(task):
    said = parse(task, {})
    assert len(said) == 0
    assert said.status is Status.OBSERVED
    assert bool(said.reason) == (task is Task.SAFE_SEARCH), "without likelihoods nothing was said"


def test_a_bare_item_is_read_as_well():
    request = Request("i", "s", 200, 100, Task.LABELS, "google", "r", "{}")
    bare = json.dumps({"labelAnnotations": [{"description": "cat"}]}).encode()
    assert [label.name for label in GoogleVision().parse(bare, request).labels] == ["cat"]
    for nothing in (b"{}", b'{"a": 1}', b'{"responses": []}', b'{"responses": [{}, {}]}'):
        with pytest.raises(UnexpectedBody):
            GoogleVision().parse(nothing, request)


def test_an_image_s_error_is_raised_and_not_read_as_empty():
    for code, kind in ((3, RefusedImage), (7, ProviderError)):
        with pytest.raises(kind, match="Bad") as caught:
            parse(Task.LABELS, {"error": {"code": code, "message": "Bad image data."}})
        assert type(caught.value) is kind
    assert parse(Task.LABELS, {"error": {}}) == Annotation()


@pytest.mark.parametrize(
    "answer",
    [
        {"labelAnnotations": [{"description": "x", "score": 1.5}]},
        {"labelAnnotations": [{"description": "x", "score": "0.5"}]},
        {"labelAnnotations": [{"description": "x", "score": True}]},
        {"labelAnnotations": {"description": "x"}},
        {"labelAnnotations": ["x"]},
        {"error": "x"},
        {"error": {"code": "3"}},
    ],
)
def test_wrong_types_are_unexpected(answer):
    with pytest.raises(UnexpectedBody):
        parse(Task.LABELS, answer)


def test_every_task_reads_its_part_of_one_full_answer():
    for task in GoogleVision.tasks:
        said = parse(task, full(), attributes=[])
        assert len(said) >= 1, task
        assert said.unknown == ()
