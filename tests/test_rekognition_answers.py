"""Reading answers. The faults that other tools have made with them are named here."""

from __future__ import annotations

import copy
import json

import pytest
from visionhub_rekognition import Rekognition
from visionhub_rekognition.faces import LANDMARKS

from tests.rekognition_service import maximal, model
from tests.test_rekognition_leaves import request
from visionhub.errors import UnexpectedBody
from visionhub.provider import installed
from visionhub.schema import Annotation, Box, Scale, Status, Task

if not installed(("boto3",)):
    pytest.skip("the extra 'aws' is not installed: not tested", allow_module_level=True)

BOX = {"Left": 0.1, "Top": 0.2, "Width": 0.3, "Height": 0.4}
POINTS = [{"Type": "eyeLeft", "X": 0.4, "Y": 0.3}, {"Type": "eyeRight", "X": 0.6, "Y": 0.31}]


def parse(answer: dict, task: Task, **options) -> Annotation:
    return Rekognition().parse(json.dumps(answer).encode(), request(task, **options))


def label(name: str, confidence: float, *boxes: float) -> dict:
    instances = [{"BoundingBox": BOX, "Confidence": one} for one in boxes]
    return {"Name": name, "Confidence": confidence, "Instances": instances, "Parents": []}


def face(**members) -> dict:
    return {"FaceDetails": [{"BoundingBox": BOX, "Confidence": 99.5, **members}]}


class TestFaultsOfOtherTools:
    def test_only_the_first_instance_kept(self):
        answer = {"Labels": [label("Person", 99.0, 99.0, 85.0, 52.4), label("Car", 90.0, 90.0)]}
        objects = parse(answer, Task.OBJECTS).objects
        assert [(one.name, one.score.value) for one in objects] == [
            ("Person", 99.0),
            ("Person", 85.0),
            ("Person", 52.4),  # surer of the label than of this box: kept all the same
            ("Car", 90.0),
        ]

    def test_percent_read_as_probability(self):
        answer = {"Labels": [label("Road", 0.9, 0.8)]}
        (one,) = parse(answer, Task.LABELS).labels
        assert (one.score.scale, one.score.value) == (Scale.PERCENT, 0.9)  # nine in a thousand
        (thing,) = parse(answer, Task.OBJECTS).objects
        assert (thing.score.scale, thing.score.value) == (Scale.PERCENT, 0.8)

    def test_emotions_lost_by_a_typo(self):
        words = model().shape_for("EmotionName").enum
        emotions = [{"Type": w, "Confidence": float(i)} for i, w in enumerate(words)]
        (one,) = parse(face(Emotions=emotions), Task.FACES).faces
        told = {a.word: a.score.value for a in one.attributes if a.name == "emotion"}
        assert told == {word: float(i) for i, word in enumerate(words)}
        assert {"SURPRISED", "SAD", "DISGUSTED", "FEAR"} <= told.keys()

    def test_eye_open_read_for_eyes_open(self):
        given = face(EyesOpen={"Value": False, "Confidence": 97.0})
        (one,) = parse(given, Task.FACES).faces
        assert [(a.name, a.word, a.score.value) for a in one.attributes] == [
            ("eyes_open", "false", 97.0)
        ]
        wrong = parse(face(EyeOpen={"Value": True, "Confidence": 97.0}), Task.FACES)
        assert not wrong.faces[0].attributes
        assert wrong.unknown == ("FaceDetails[].EyeOpen",)

    def test_label_without_a_box_called_an_object(self):
        answer = {"Labels": [label("Living Room", 99.0), {"Name": "Indoors", "Confidence": 98.0}]}
        assert parse(answer, Task.OBJECTS).objects == ()
        assert len(parse(answer, Task.LABELS)) == 2

    def test_yaw_and_pitch_swapped(self):
        pose = {"Roll": 1.0, "Yaw": -20.0, "Pitch": 30.0}
        (one,) = parse(face(Pose=pose), Task.FACES).faces
        assert (one.roll, one.yaw, one.pitch) == (1.0, -20.0, 30.0)

    def test_pixel_and_ratio_boxes_mixed(self):
        (one,) = parse(face(), Task.FACES).faces
        assert one.box == Box.of(0.1, 0.2, 0.4, 0.6000000000000001)

    def test_parents_aliases_and_categories_lost(self):
        full = {"Parents": ["Vehicle", "Transportation"], "Aliases": ["Auto"], "Categories": ["X"]}
        named = {key: [{"Name": name} for name in names] for key, names in full.items()}
        answer = {"Labels": [{**label("Car", 80.0, 79.0), **named}]}
        (one,) = parse(answer, Task.LABELS).labels
        assert one.parents == ("Vehicle", "Transportation")
        assert (one.aliases, one.categories) == (("Auto",), ("X",))
        assert parse(answer, Task.OBJECTS).objects[0].parents == one.parents


class TestStatus:
    def test_nothing_above_a_floor_that_was_sent_is_below_it(self):
        empty = {"Labels": [], "ModerationLabels": [], "TextDetections": []}
        for task in (Task.LABELS, Task.OBJECTS, Task.SAFE_SEARCH, Task.TEXT):
            assert parse(empty, task, min_confidence=50.0).status is Status.BELOW_FLOOR
            assert parse(empty, task, min_confidence=0.0).status is Status.OBSERVED

    def test_where_no_floor_is_known_the_service_has_one_of_its_own(self):
        empty = {"Labels": [], "ModerationLabels": [], "TextDetections": []}
        for task in (Task.LABELS, Task.OBJECTS, Task.SAFE_SEARCH):
            assert parse(empty, task).status is Status.BELOW_FLOOR
        assert parse(empty, Task.TEXT).status is Status.OBSERVED

    def test_objects_among_labels_that_were_cut_off_may_be_missing(self):
        plain = {"Labels": [{"Name": "Sky", "Confidence": 90.0}] * 2}
        assert parse(plain, Task.OBJECTS, max_results=2).status is Status.TRUNCATED
        assert parse(plain, Task.OBJECTS, max_results=3, min_confidence=0.0).status is (
            Status.OBSERVED
        )

    @pytest.mark.parametrize(
        ("task", "operation", "member", "most"),
        [
            (Task.FACES, "DetectFaces", "FaceDetails", 100),
            (Task.PEOPLE, "DetectProtectiveEquipment", "Persons", 15),
            (Task.CELEBRITIES, "RecognizeCelebrities", "UnrecognizedFaces", 64),
            (Task.FACE_MATCHES, "CompareFaces", "UnmatchedFaces", 100),
            (Task.LABELS, "DetectLabels", "Labels", 1000),
        ],
    )
    def test_an_answer_as_long_as_can_be_is_truncated(self, task, operation, member, most):
        answer = {member: maximal(operation)[member][:1] * (most - 1)}
        assert parse(answer, task).status is Status.OBSERVED
        answer[member] = answer[member][:1] * most
        assert parse(answer, task).status is Status.TRUNCATED

    def test_of_text_the_words_count(self):
        line, word = maximal("DetectText")["TextDetections"]
        assert (line["Type"], word["Type"]) == ("LINE", "WORD")
        almost = parse({"TextDetections": [line] * 20 + [word] * 99}, Task.TEXT)
        assert (almost.status, len(almost)) == (Status.OBSERVED, 99)
        full = parse({"TextDetections": [line] * 20 + [word] * 100}, Task.TEXT)
        assert (full.status, len(full), len(full.text_lines)) == (Status.TRUNCATED, 100, 120)

    def test_colours_of_one_region_are_truncated(self):
        answer = maximal("DetectLabels")
        assert parse(answer, Task.COLORS, max_results=3).status is Status.OBSERVED
        assert parse(answer, Task.COLORS, max_results=2).status is Status.TRUNCATED
        one = parse(answer, Task.COLORS, max_results=1)
        assert [color.region for color in one.colors] == ["image", "foreground", "background"]


LABELS = {"Labels": [label("A", 95.0, 95.0), label("B", 70.0, 70.0), label("C", 30.0, 30.0)]}


class TestOneCallForTwoRequests:
    def test_each_request_has_its_own_floor(self):
        assert [x.name for x in parse(LABELS, Task.LABELS, min_confidence=55).labels] == [
            *("A", "B")
        ]
        assert len(parse(LABELS, Task.OBJECTS, min_confidence=30.0)) == 3
        below = parse(LABELS, Task.LABELS, min_confidence=99)
        assert (below.status, len(below)) == (Status.BELOW_FLOOR, 0)

    def test_each_request_has_its_own_maximum_the_surest_first(self):
        turned = {"Labels": list(reversed(LABELS["Labels"]))}
        kept = parse(turned, Task.LABELS, max_results=2)
        assert (kept.status, [x.name for x in kept.labels]) == (Status.TRUNCATED, ["B", "A"])

    def test_without_parameters_nothing_is_left_out(self):
        assert len(parse(LABELS, Task.LABELS)) == 3


class TestFaces:
    def test_left_and_right_are_the_persons_own(self):
        (one,) = parse(face(Landmarks=POINTS), Task.FACES).faces
        assert [(p.name, p.x) for p in one.landmarks] == [("right_eye", 0.4), ("left_eye", 0.6)]

    def test_every_point_of_the_sdk_has_a_name_of_its_own(self):
        assert set(LANDMARKS) == set(model().shape_for("LandmarkType").enum)
        assert len(set(LANDMARKS.values())) == len(LANDMARKS)
        for theirs, ours in LANDMARKS.items():
            sides = [s for s in ("left", "right") if s in ours.split("_")]
            if "Left" in theirs or "left" in theirs:
                assert "right" in sides, ours
            if "Right" in theirs or "right" in theirs:
                assert "left" in sides, ours

    def test_guesses_are_given_only_when_asked_for_by_name(self):
        body = json.dumps(maximal("DetectFaces")).encode()
        for words in ([], ["age"], ["gender", "emotion"]):
            annotation = Rekognition().parse(body, request(Task.FACES, attributes=words))
            told = {a.name for f in annotation.faces for a in f.attributes}
            assert told & {"age", "gender", "emotion"} == set(words)
            assert not annotation.unknown

    def test_an_age_is_a_range(self):
        (one,) = parse(face(AgeRange={"Low": 21, "High": 33}), Task.FACES).faces
        (age,) = one.attributes
        assert (age.name, age.low, age.high, age.number) == ("age", 21, 33, None)


class TestOthers:
    def test_old_moderation_answers_tell_no_level(self):
        old = [
            {"Name": "Violence", "ParentName": "", "Confidence": 80.0},
            {"Name": "Weapons", "ParentName": "Violence", "Confidence": 80.0},
        ]
        found = parse({"ModerationLabels": old}, Task.SAFE_SEARCH).safe_search
        assert [(x.category, x.parent, x.level) for x in found] == [
            ("Violence", None, 1),
            ("Weapons", "Violence", 2),
        ]

    def test_a_bare_part_of_the_body_has_a_row(self):
        hand = {"Name": "LEFT_HAND", "Confidence": 90.0, "EquipmentDetections": []}
        person = {"BoundingBox": BOX, "Confidence": 99.0, "BodyParts": [hand]}
        (one,) = parse({"Persons": [person]}, Task.PEOPLE).people
        assert [(x.body_part, x.name, x.covers) for x in one.equipment] == [
            ("LEFT_HAND", None, None)
        ]

    def test_unknown_faces_are_celebrities_without_a_name(self):
        found = parse(
            {"CelebrityFaces": [], "UnrecognizedFaces": [{"BoundingBox": BOX}]}, Task.CELEBRITIES
        )
        assert [(x.name, x.score) for x in found.celebrities] == [(None, None)]

    def test_unmatched_faces_have_no_similarity(self):
        matched = {"Similarity": 97.5, "Face": {"BoundingBox": BOX}}
        found = parse(
            {"FaceMatches": [matched], "UnmatchedFaces": [{"BoundingBox": BOX}]}, Task.FACE_MATCHES
        )
        assert [x.similarity.value if x.similarity else None for x in found.face_matches] == [
            97.5,
            None,
        ]


class TestUnexpected:
    def test_a_member_that_the_sdk_drops_is_kept_and_reported(self):
        answer = {"Labels": [{**label("Car", 90.0, 80.0), "Mood": {"Value": "calm"}}]}
        assert parse(answer, Task.LABELS).unknown == ("Labels[].Mood",)

    def test_members_of_another_task_are_not_this_ones(self):
        answer = maximal("DetectLabels")
        answer["ImageProperties"]["Mood"] = 1
        assert parse(answer, Task.LABELS).unknown == ()
        assert parse(answer, Task.COLORS).unknown == ("ImageProperties.Mood",)

    @pytest.mark.parametrize("task", list(Rekognition.tasks))
    def test_an_answer_without_its_member_is_no_empty_one(self, task):
        for answer in ({}, {"Output": {}}, {"__type": "AccessDeniedException"}):
            with pytest.raises(UnexpectedBody, match="no answer of"):
                parse(answer, task)

    def test_numbers_out_of_their_range_are_no_answer(self):
        for confidence in (101.0, -1.0, True, "90", float("nan"), float("inf"), 10**400):
            answer = copy.deepcopy({"Labels": [label("Car", 90.0)]})
            answer["Labels"][0]["Confidence"] = confidence
            with pytest.raises(UnexpectedBody):
                parse(answer, Task.LABELS)

    def test_noise_of_a_short_float_is_cut_off(self):
        (one,) = parse({"Labels": [label("Car", 100.00000762939453)]}, Task.LABELS).labels
        assert one.score.value == 100.0

    def test_deep_nesting_is_an_unexpected_body(self):
        with pytest.raises(UnexpectedBody):
            Rekognition().parse(b'{"Labels":' + b"[" * 100_000, request(Task.LABELS))
