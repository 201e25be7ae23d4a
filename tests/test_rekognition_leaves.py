"""What becomes of every member of an answer: the table, the SDK's model and the parser agree."""

from __future__ import annotations

import copy
import json

import pytest
from visionhub_rekognition import Rekognition
from visionhub_rekognition.leaves import LEAVES, SAVED
from visionhub_rekognition.operations import BY_NAME

from tests.rekognition_service import maximal, model
from visionhub.leaves import REST
from visionhub.provider import Request, canonical, installed
from visionhub.schema import Task
from visionhub.store.rows import TABLES, flaw, rows

if not installed(("boto3",)):
    pytest.skip("the extra 'aws' is not installed: not tested", allow_module_level=True)

OPTIONS = {"attributes": ["age", "emotion", "gender"]}  # no floors: nothing is filtered
BY_KIND = {table.kind: table for table in LEAVES}
MAPPED = [(table.kind, path) for table in LEAVES for path in table.mapped]
DROPPED = [(table.kind, path) for table in LEAVES for path in table.dropped]


def request(task: Task, **options) -> Request:
    parameters = canonical({**OPTIONS, **options})
    return Request("i" * 64, "s" * 64, 640, 480, task, "rekognition", "2016-06-27", parameters)


def parsed(kind: str, body: dict) -> list:
    data = json.dumps(body).encode()
    return [Rekognition().parse(data, request(task)) for task in BY_NAME[kind].tasks]


def leaves_of(shape, path: str = "") -> set[str]:
    if shape.type_name == "structure":
        start = f"{path}." if path else ""
        return set().union(*(leaves_of(m, start + name) for name, m in shape.members.items()))
    if shape.type_name == "list":
        return leaves_of(shape.member, f"{path}[]")
    return {path}


def holders(value, steps: list[str]) -> list[tuple]:
    """Every place in an answer that a path leads to, as (object or list, name or index)."""
    if len(steps) == 1 and steps[0] == "[]":
        return [(value, index) for index in range(len(value))]
    if len(steps) == 1:
        return [(value, steps[0])] if steps[0] in value else []
    step, *rest = steps
    inner = value if step == "[]" else [value[step]] if step in value else []
    return [place for one in inner for place in holders(one, rest)]


def changed(body: dict, path: str) -> dict:
    """The answer with all values at a path changed into others that are as possible."""
    if path.endswith(REST) or path in SAVED:
        return {**body, path.removesuffix(f".{REST}"): 1.5}
    steps = [s for part in path.split(".") for s in part.replace("[]", ".[]").split(".")]
    other = copy.deepcopy(body)
    places = holders(other, steps)
    assert places, f"{path}: not in the maximal answer"
    for holder, name in places:
        value = holder[name]
        if isinstance(value, bool):
            holder[name] = not value
        elif isinstance(value, int | float):
            holder[name] = value + 1 if isinstance(value, int) else value * 0.75
        else:
            holder[name] = f"{value}, other"
    return other


@pytest.mark.parametrize("table", LEAVES, ids=lambda table: table.kind)
def test_the_table_has_every_leaf_of_the_sdk_and_no_other(table):
    known = leaves_of(model().operation_model(table.kind).output_shape)
    ours = {leaf.path for leaf in table}
    assert known - ours == set(), "the SDK knows leaves that the table lacks"
    assert ours - known == set(SAVED), "the table has leaves that no SDK knows"


@pytest.mark.parametrize("table", LEAVES, ids=lambda table: table.kind)
def test_every_mapped_leaf_names_a_table_and_every_dropped_one_a_reason(table):
    for leaf in table:
        named = [to.partition(".")[0] for to in leaf.to.split(", ")] if leaf.to else []
        assert set(named) <= set(TABLES), leaf
        assert bool(leaf.to) != bool(leaf.reason), leaf


@pytest.mark.parametrize(("kind", "path"), MAPPED)
def test_a_mapped_leaf_changes_the_rows_it_says(kind, path):
    body = maximal(kind)
    before, after = parsed(kind, body), parsed(kind, changed(body, path))
    touched = set()
    for old, new in zip(before, after, strict=True):
        assert not flaw(new), path
        was, now = list(rows(1, old)), list(rows(1, new))
        touched |= {table for table, _ in set(was) ^ set(now)}
    named = {to.partition(".")[0] for to in BY_KIND[kind].mapped[path].split(", ")}
    assert touched == named, path


@pytest.mark.parametrize(("kind", "path"), DROPPED)
def test_a_dropped_leaf_changes_nothing(kind, path):
    body = maximal(kind)
    assert parsed(kind, changed(body, path)) == parsed(kind, body)


@pytest.mark.parametrize("table", LEAVES, ids=lambda table: table.kind)
def test_the_maximal_answer_has_no_stranger_and_one_more_member_is_one(table):
    body = maximal(table.kind)
    assert all(not annotation.unknown for annotation in parsed(table.kind, body))
    body["FaceColour"] = {"Hue": 3}
    assert all(annotation.unknown == ("FaceColour",) for annotation in parsed(table.kind, body))


def test_a_new_word_in_a_closed_list_is_reported():
    faces, text = maximal("DetectFaces"), maximal("DetectText")
    faces["FaceDetails"][0]["Landmarks"][0]["Type"] = "earLeft"
    text["TextDetections"][0]["Type"] = "PARAGRAPH"
    (found,) = parsed("DetectFaces", faces)
    assert found.unknown == ("FaceDetails[].Landmarks[].Type=earLeft",)
    assert "earLeft" in {point.name for point in found.faces[0].landmarks}  # its side is not known
    (found,) = parsed("DetectText", text)
    assert found.unknown == ("TextDetections[].Type=PARAGRAPH",)
