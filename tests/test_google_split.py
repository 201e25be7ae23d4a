"""Cutting an answer for several images apart, byte for byte."""

from __future__ import annotations

import json
import re

import pytest
from google.cloud import vision_v1
from hypothesis import given
from hypothesis import strategies as st
from visionhub_google.split import MEMBERS, is_json, split, split_json, split_protobuf

from tests.google_answers import IMAGE, full
from tests.google_server import protobuf
from visionhub.errors import UnexpectedBody

RESPONSE = vision_v1.BatchAnnotateImagesResponse.pb()

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    scalars, lambda deeper: st.lists(deeper) | st.dictionaries(st.text(), deeper), max_leaves=6
)
items = st.dictionaries(st.text().filter(lambda name: name != "error"), values, max_size=4)
blanks = st.text(" \t\r\n", max_size=3)


def written(data, value):
    """A value as JSON in one of the ways that JSON can be written."""
    indent = data.draw(st.sampled_from([None, 0, 2, "\t"]))
    return json.dumps(value, indent=indent, ensure_ascii=data.draw(st.booleans()))


@given(st.lists(items, min_size=1, max_size=6), st.dictionaries(st.text(), values), st.data())
def test_each_part_is_what_was_received_without_the_others(found, rest, data):
    rest.pop("responses", None)
    names = data.draw(st.permutations([*rest, "responses"]))
    texts = [written(data, item) for item in found]
    before, after = data.draw(blanks) + "{", "}" + data.draw(blanks)
    for name in names[: names.index("responses")]:
        before += f"{written(data, name)}{data.draw(blanks)}:{written(data, rest[name])}, "
    for name in reversed(names[names.index("responses") + 1 :]):
        after = f",{written(data, name)}:{data.draw(blanks)}{written(data, rest[name])}" + after
    before += f'"responses"{data.draw(blanks)}:{data.draw(blanks)}[{data.draw(blanks)}'
    after = f"{data.draw(blanks)}]{data.draw(blanks)}" + after
    between = f"{data.draw(blanks)},{data.draw(blanks)}"
    parts = split_json((before + between.join(texts) + after).encode())
    assert [part.data for part in parts] == [(before + text + after).encode() for text in texts]
    assert [part.members for part in parts] == [frozenset(item) for item in found]
    assert [json.loads(part.data)["responses"] for part in parts] == [[item] for item in found]


def test_the_middle_is_sliced_and_not_written_again():
    """Numbers, escapes and blanks stay as they came."""
    received = (
        b'{ "responses" : [ {"a":1.50e0,"b":"\\u00e9\\/"} ,\n\t{"c" : -0.0} ] , "more": 1 }\n'
    )
    first, second = split(received)
    assert first.data == b'{ "responses" : [ {"a":1.50e0,"b":"\\u00e9\\/"} ] , "more": 1 }\n'
    assert second.data == b'{ "responses" : [ {"c" : -0.0} ] , "more": 1 }\n'


@given(st.lists(st.sampled_from([{}, full()]), min_size=1, max_size=5), st.data())
def test_a_json_answer_cut_short_is_unexpected(found, data):
    received = json.dumps({"responses": found}).encode()
    end = data.draw(st.integers(0, len(received) - 1))
    with pytest.raises(UnexpectedBody):
        split_json(received[:end])


@pytest.mark.parametrize(
    "received",
    [
        b"{}",
        b'{"responses": {}}',
        b'{"responses": [1]}',
        b'{"responses": [{}],}',
        b'{"responses": [{},]}',
        b'{"responses": [{}]} trailing',
        b'{"responses": [{}], "responses": [{}]}',
        b'{"responses": [{"error": 3}]}',
        b'{"responses": [{"error": {"code": "3"}}]}',
        b'{"responses" [{}]}',
        b"{1: [{}]}",
        b"[]",
        b"",
        b"\xff",
        b"<html>",
    ],
)
def test_what_is_no_answer_is_unexpected(received):
    with pytest.raises(UnexpectedBody, match=r"^Google's "):
        split_json(received)


labels = st.builds(
    lambda name, score: {"description": name, "score": score},
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from([0, 0.5, 1]),
)
messages = st.builds(
    lambda found, code: (
        {"labelAnnotations": found} | ({"error": {"code": code, "message": "M"}} if code else {})
    ),
    st.lists(labels, max_size=4),
    st.sampled_from([0, 0, 3, 14]),
)


@given(st.lists(messages, min_size=1, max_size=16))
def test_protobuf_parts_hold_their_own_bytes(found):
    received = protobuf({"responses": found})
    parts = split_protobuf(received)
    assert b"".join(part.data for part in parts) == received  # nothing stands around the items
    for part, item in zip(parts, found, strict=True):
        assert part.data == protobuf({"responses": [item]})
        error = item.get("error", {})
        assert (part.code, part.message) == (error.get("code", 0), error.get("message", ""))
        assert part.members == {name for name, value in item.items() if value}


@given(st.binary(max_size=40), st.integers(2, 2**20), st.integers(2, 5))
def test_unknown_fields_of_the_envelope_stay_in_every_part(payload, number, count):
    stranger = _varint(number << 3 | 2) + _varint(len(payload)) + payload
    item = protobuf({"responses": [{"labelAnnotations": [{"description": "cat"}]}]})
    parts = split_protobuf(item + stranger + item * (count - 1))
    assert [part.data for part in parts] == [item + stranger, *[stranger + item] * (count - 1)]


def _varint(value):
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


@given(st.binary(max_size=200))
def test_bytes_that_are_no_message_never_do_more_harm(noise):
    """What cannot be walked is unexpected; what protobuf reads is cut as protobuf reads it."""
    try:
        parts = split_protobuf(noise)
    except UnexpectedBody:
        return
    try:
        read = RESPONSE.FromString(noise)
    except Exception:
        return  # stricter about what lies within
    assert len(parts) == len(read.responses)
    assert [part.code for part in parts] == [
        item.error.code & (2**64 - 1) for item in read.responses
    ]


def test_a_protobuf_answer_cut_short_is_unexpected():
    received = protobuf({"responses": [{"labelAnnotations": [{"description": "cat"}]}] * 2})
    whole = len(received) // 2
    for end in range(1, len(received)):
        if end != whole:  # there it is an answer for one image: the count tells
            with pytest.raises(UnexpectedBody, match=r"no answer of Google's: .*cut short"):
                split_protobuf(received[:end])


def test_members_have_the_numbers_of_the_client_s_message():
    assert {field.number: field.json_name for field in IMAGE.fields} == MEMBERS


def test_a_message_may_begin_like_json():
    """A line feed and a brace: the tag of `responses` and a length of 123 bytes."""
    name = "x" * 200
    for size in range(200):
        body = protobuf({"responses": [{"labelAnnotations": [{"description": name[:size]}]}]})
        if body[:2] == b"\n{":
            break
    assert re.match(rb"\s*{", body)
    assert not is_json(body)
    assert split(body)[0].members == {"labelAnnotations"}
    assert is_json(b'\n{"responses": []}')
