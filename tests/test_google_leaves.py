"""The table of leaves, held against the client's own message and against the parsers."""

from __future__ import annotations

import json

import pytest
from google.cloud import vision_v1
from visionhub_google import GoogleVision
from visionhub_google.leaves import ENVELOPE, IMAGE, ROOTS
from visionhub_google.words import BREAKS, LIKELIHOODS, POINTS

from tests.google_answers import changed, full, leaves
from tests.google_server import protobuf
from visionhub.provider import Request, canonical
from visionhub.schema import Status, Task

GOOGLE = GoogleVision()
TABLE = {leaf.path: leaf for leaf in IMAGE}


def request(task, width=256, height=128, **options):
    asked = {"attributes": ["emotion"], **options}
    return Request("i", "s", width, height, task, "google", "r", canonical(asked))


def annotations(answer):
    """What every task reads in an answer for one image."""
    body = json.dumps({"responses": [answer]}).encode()
    return {task: GOOGLE.parse(body, request(task)) for task in GOOGLE.tasks}


def variants():
    """Answers that hold every leaf, in the shapes that make the parsers take other ways."""
    error = {"code": 7, "message": "M", "details": [{"@type": "T", "v": 1}]}
    for corners in "vertices", "normalizedVertices":
        yield full(corners) | {"error": error}
        yield {name: part for name, part in full(corners).items() if name != "fullTextAnnotation"}
    pixels = full()
    pixels["localizedObjectAnnotations"] = [
        {**each, "boundingPoly": full()["logoAnnotations"][0]["boundingPoly"]}
        for each in pixels["localizedObjectAnnotations"]
    ]
    yield {name: part for name, part in pixels.items() if name != "textAnnotations"}
    yield _one_break(full())


def _one_break(answer):
    """An answer in whose paragraphs the second of two words alone has a break."""
    for paragraph in answer["fullTextAnnotation"]["pages"][0]["blocks"][0]["paragraphs"]:
        for symbol in paragraph["words"][0]["symbols"]:
            del symbol["property"]
    return answer


VARIANTS = [(answer, annotations(answer)) for answer in variants()]


def other(value):
    """Another value that the same leaf may have."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value / 2 if isinstance(value, float) else value // 2
    if isinstance(value, dict):
        return {**value, "v": 2}
    return {
        **dict.fromkeys(LIKELIHOODS, "VERY_LIKELY"),
        "SPACE": "LINE_BREAK",
        "LEFT_EYE": "NOSE_TIP",
        "RIGHT_EYE": "NOSE_TIP",
    }.get(value, f"{value} or other")


def test_every_leaf_of_the_message_is_in_the_table_and_nothing_else():
    assert sorted(leaves()) == sorted(TABLE)
    assert len(TABLE) > 150


def test_the_full_answer_holds_every_leaf_of_the_table():
    for path in TABLE:
        held = [answer for answer, _ in VARIANTS if changed(answer, path, other) != answer]
        assert held, f"{path} stands in no answer that is tried"


def test_no_variant_has_a_stranger_or_fails():
    for answer, said in VARIANTS:
        for task, annotation in said.items():
            assert not annotation.unknown, (task, annotation.unknown)
            assert len(annotation) or task is Task.TEXT, task
        assert not IMAGE.strangers(answer)


@pytest.mark.parametrize("path", TABLE)
def test_mapped_leaves_change_the_annotation_and_dropped_ones_do_not(path):
    leaf = TABLE[path]
    differ = [annotations(changed(answer, path, other)) != said for answer, said in VARIANTS]
    assert any(differ) == bool(leaf.to), f"{path} -> {leaf.to or leaf.reason}"
    assert bool(leaf.to) != bool(leaf.reason)


def test_a_task_s_members_change_no_other_task():
    answer, said = VARIANTS[-1]
    for task, roots in ROOTS.items():
        less = annotations({name: part for name, part in answer.items() if name not in roots})
        assert {other for other in said if said[other] != less[other]} == {task}


def test_columns_of_the_table_exist(tmp_path):
    from visionhub.store.tables import TABLES

    columns = {
        f"{table}.{column}" for table, meaning in TABLES.items() for column in meaning.columns
    }
    for leaf in (*IMAGE, *ENVELOPE):
        table, _, names = leaf.to.partition(" (")[0].partition(".")
        for name in filter(None, names.split(", ")):
            assert f"{table}.{name}" in columns, leaf


def test_enumerations_are_the_client_s():
    face = vision_v1.FaceAnnotation.Landmark.Type
    breaks = vision_v1.TextAnnotation.DetectedBreak.BreakType
    for names, kind in ((LIKELIHOODS, vision_v1.Likelihood), (POINTS, face), (BREAKS, breaks)):
        assert [member.name for member in kind] == list(names)
        assert [member.value for member in kind] == list(range(len(names)))


@pytest.mark.parametrize("index", range(len(VARIANTS)))
def test_protobuf_and_json_say_the_same(index):
    answer, said = VARIANTS[index]
    answer = {name: part for name, part in answer.items() if name != "error"}
    said = annotations(answer)
    body = protobuf({"responses": [answer]})
    for task, expected in said.items():
        assert GOOGLE.parse(body, request(task)) == expected, task


def test_numbers_of_enumerations_are_read_like_their_names():
    """The client asks REST for numbers; other tools ask for names."""
    answer, said = VARIANTS[0]
    numbers = {name: i for names in (POINTS, BREAKS, LIKELIHOODS) for i, name in enumerate(names)}

    def numbered(node):
        if isinstance(node, dict):
            return {name: numbered(value) for name, value in node.items()}
        if isinstance(node, list):
            return [numbered(value) for value in node]
        return numbers.get(node, node) if isinstance(node, str) else node

    assert numbered(answer) != answer
    assert annotations(numbered(answer)) == said


def test_unknown_fields_of_a_protobuf_body_are_named():
    """At any depth; of another task's part they are that task's."""
    types = vision_v1.BatchAnnotateImagesResponse.pb()
    message = types.FromString(protobuf({"responses": [full()]}))
    stranger = b"\xfa\x3e\x01x"  # field 1007, one byte
    message.MergeFromString(stranger)
    message.responses[0].face_annotations[0].landmarks[1].MergeFromString(stranger)
    message.responses[0].web_detection.web_entities[0].MergeFromString(stranger)
    message.responses[0].MergeFromString(stranger)
    body = message.SerializeToString()
    deep = {
        Task.FACES: "faceAnnotations[].landmarks[].#1007",
        Task.WEB: "webDetection.webEntities[].#1007",
    }
    for task in GOOGLE.tasks:
        expected = {"#1007"} | ({deep[task]} if task in deep else set())
        assert set(GOOGLE.parse(body, request(task)).unknown) == expected


def test_strangers_of_json_are_named_wherever_they_stand():
    answer = full()
    answer["labelAnnotations"][1]["new"] = 1
    answer["fullTextAnnotation"]["pages"][0]["blocks"][0]["new"] = {"deep": 1}
    answer["newTask"] = []
    body = json.dumps({"responses": [answer], "billed": 3, "response_time": 1.5}).encode()
    said = {task: GOOGLE.parse(body, request(task)).unknown for task in GOOGLE.tasks}
    common = ("billed", "newTask")
    assert said.pop(Task.LABELS) == ("billed", "labelAnnotations[].new", "newTask")
    assert said.pop(Task.TEXT) == ("billed", "fullTextAnnotation.pages[].blocks[].new", "newTask")
    assert set(said.values()) == {common}


def test_status_of_the_variants():
    _, said = VARIANTS[0]
    assert {annotation.status for annotation in said.values()} == {Status.OBSERVED}
    assert all("beside an error: M (code 7)" in each.reason for each in said.values())
