"""The sandbox as Google Cloud Vision, asked by Google's own client over REST and gRPC."""

from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import vision
from visionhub_sandbox import Sandbox

from tests.conftest import jpeg
from tests.sandboxed import Seer, annotate, google

F = vision.Feature.Type
UNKNOWN = vision.Likelihood.UNKNOWN


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Seer()) as sandbox:
        yield sandbox


@pytest.fixture(scope="module", params=["rest", "grpc"])
def client(sandbox: Sandbox, request: pytest.FixtureRequest) -> Iterator[Any]:
    with google(sandbox, request.param) as client:
        yield client


def test_labels_are_probabilities_in_order(client: Any, photo: bytes) -> None:
    [answer] = annotate(client, photo, features=[F.LABEL_DETECTION]).responses
    found = [(each.description, round(each.score, 6)) for each in answer.label_annotations]
    assert found == [("Golden retriever", 0.9), ("Dog", 0.4), ("Street sign", 0.2)]
    two = {"type_": F.LABEL_DETECTION, "max_results": 2}
    [answer] = annotate(client, photo, features=[two]).responses
    assert len(answer.label_annotations) == 2


def test_objects_lie_in_ratios_and_faces_in_pixels(client: Any, photo: bytes) -> None:
    features = [F.OBJECT_LOCALIZATION, F.FACE_DETECTION]
    [answer] = annotate(client, photo, features=features).responses
    dog = answer.localized_object_annotations[0]
    corners = [(each.x, each.y) for each in dog.bounding_poly.normalized_vertices]
    assert (dog.name, corners) == ("Dog", [(0, 0.25), (0.5, 0.25), (0.5, 1), (0, 1)])
    face, small = answer.face_annotations
    skin = [(each.x, each.y) for each in face.fd_bounding_poly.vertices]
    assert skin == [(32, 12), (96, 12), (96, 84), (32, 84)]
    assert small.bounding_poly.vertices[0].y == -4  # wider than the face, and not cut
    places = {each.type_.name: round(each.position.x) for each in face.landmarks}
    assert places["LEFT_EYE"] == 48  # the viewer's left
    assert places["RIGHT_EYE"] == 80
    assert abs(face.pan_angle) < 0.01
    withdrawn = {face.joy_likelihood, face.sorrow_likelihood, face.anger_likelihood}
    assert withdrawn | {face.surprise_likelihood} == {UNKNOWN}
    assert face.blurred_likelihood != UNKNOWN


def test_text_is_a_list_and_a_tree(client: Any, photo: bytes) -> None:
    [answer] = annotate(client, photo, features=[F.DOCUMENT_TEXT_DETECTION]).responses
    words = [each.description for each in answer.text_annotations]
    assert words == ["NO  ENTRY\never", "NO", "ENTRY", "ever"]
    entry = answer.text_annotations[2].bounding_poly.vertices
    assert [(each.x, each.y) for each in entry] == [(64, 0), (144, 0), (144, 12), (64, 12)]
    [page] = answer.full_text_annotation.pages
    assert (page.width, page.height) == (160, 120)
    first = page.blocks[0].paragraphs[0].words
    assert ["".join(each.text for each in word.symbols) for word in first] == ["NO", "ENTRY"]
    breaks = [word.symbols[-1].property.detected_break.type_.name for word in first]
    assert breaks == ["SPACE", "LINE_BREAK"]


def test_what_models_do_not_tell_is_unknown_or_empty(client: Any, photo: bytes) -> None:
    features = [F.SAFE_SEARCH_DETECTION, F.WEB_DETECTION, F.CROP_HINTS, F.LANDMARK_DETECTION]
    [answer] = annotate(client, photo, features=[*features, F.LOGO_DETECTION]).responses
    assert answer.safe_search_annotation.adult == vision.Likelihood.LIKELY
    assert answer.safe_search_annotation.medical == UNKNOWN
    assert not answer.error.code
    assert not answer.landmark_annotations
    assert not answer.web_detection.web_entities


def test_colours_cover_the_picture(client: Any, photo: bytes) -> None:
    [answer] = annotate(client, photo, features=[F.IMAGE_PROPERTIES]).responses
    colors = answer.image_properties_annotation.dominant_colors.colors
    assert len(colors) == 10
    assert sum(each.pixel_fraction for each in colors) == pytest.approx(1, abs=1e-5)
    assert colors[0].pixel_fraction >= colors[-1].pixel_fraction


def test_one_bad_image_does_not_spoil_the_others(client: Any, photo: bytes) -> None:
    images = [photo, b"no image", jpeg(160, 120)[:-900]]
    answers = annotate(client, *images, features=[F.LABEL_DETECTION]).responses
    assert [each.error.code for each in answers] == [0, 3, 3]
    assert answers[1].error.message == "Bad image data."
    assert answers[0].label_annotations
    asked = {"image": {"source": {"image_uri": "https://example.org/a.jpg"}}}
    features = [{"type_": F.LABEL_DETECTION}]
    [answer] = client.batch_annotate_images(requests=[asked | {"features": features}]).responses
    assert answer.error.code == 7
    [answer] = annotate(client, photo, features=[]).responses
    assert answer.error.code == 3


def test_a_call_has_one_to_sixteen_images(client: Any, photo: bytes) -> None:
    full = annotate(client, *[photo] * 16, features=[F.LABEL_DETECTION])
    assert len(full.responses) == 16
    for images in ([photo] * 17, []):
        with pytest.raises(BadRequest) as caught:
            annotate(client, *images, features=[F.LABEL_DETECTION])
        assert caught.value.code == 400
    with pytest.raises(BadRequest):
        annotate(client, photo, features=[{"type_": F.LABEL_DETECTION, "max_results": -1}])


def test_enumerations_are_numbers_where_the_client_wants_numbers(
    sandbox: Sandbox, photo: bytes
) -> None:
    image = {"content": base64.b64encode(photo).decode()}
    features = [{"type": "SAFE_SEARCH_DETECTION"}, {"type": "FACE_DETECTION"}]
    body = json.dumps({"requests": [{"image": image, "features": features}]}).encode()
    url = f"http://{sandbox.address}/v1/images:annotate"
    found = []
    for query in ("", "?%24alt=json%3Benum-encoding%3Dint"):
        with urllib.request.urlopen(urllib.request.Request(url + query, body)) as response:
            assert response.headers["X-Visionhub-Sandbox"] == "1"
            [item] = json.load(response)["responses"]
        face = item["faceAnnotations"][0]
        emotion, point = face["joyLikelihood"], face["landmarks"][0]["type"]
        found.append((item["safeSearchAnnotation"]["adult"], emotion, point))
    assert found == [("LIKELY", "UNKNOWN", "LEFT_EYE"), (4, 0, 1)]


@pytest.mark.parametrize("transport", ["rest", "grpc"])
def test_without_models_answers_are_empty(transport: str, photo: bytes) -> None:
    features = [F.LABEL_DETECTION, F.FACE_DETECTION, F.TEXT_DETECTION, F.SAFE_SEARCH_DETECTION]
    with Sandbox() as sandbox, google(sandbox, transport) as client:
        [answer] = annotate(client, photo, features=features).responses
    assert not answer.label_annotations
    assert not answer.face_annotations
    assert not answer.text_annotations
    assert answer.safe_search_annotation.adult == UNKNOWN
    assert not answer.error.code


def test_grpc_answers_are_marked(sandbox: Sandbox, photo: bytes) -> None:
    import grpc

    request = vision.BatchAnnotateImagesRequest(
        requests=[{"image": {"content": photo}, "features": [{"type_": F.LABEL_DETECTION}]}]
    )
    with grpc.insecure_channel(sandbox.grpc_address) as channel:
        ask = channel.unary_unary("/google.cloud.vision.v1.ImageAnnotator/BatchAnnotateImages")
        _, call = ask.with_call(type(request).serialize(request), timeout=10)
        assert ("x-visionhub-sandbox", "1") in [tuple(each) for each in call.initial_metadata()]
