"""A correct toy provider, and one broken in each way that the contract must notice.

Not collected by itself: tests/test_testing.py runs pytest on this file and reads who failed.
`breaks` names the tests that must fail, and no others may.
"""
# ruff: noqa: N801 - the nested classes are named as the attribute that the contract reads

from __future__ import annotations

import itertools
import json
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from visionhub.errors import RefusedImage, UnexpectedBody
from visionhub.provider import Batch, Body, Outcome, Parameter, Provider, TaskSpec, Work
from visionhub.schema import (
    Annotation,
    Attribute,
    Box,
    Face,
    Label,
    Object,
    Point,
    Scale,
    Score,
    Status,
    Task,
    probability,
)
from visionhub.testing import ProviderContract
from visionhub.weights import Archive, ModelCard, WeightFile

LABELS = TaskSpec(
    Scale.PROBABILITY,
    floor=0.1,
    max_results=3,
    parameters={"model": Parameter("small", "which net", ("small", "large"))},
)
FACES = TaskSpec(
    Scale.PROBABILITY,
    sensitive=("age",),
    parameters={"attributes": Parameter([], "what to guess", ("age", "embedding"))},
)
BOTH = MappingProxyType({Task.LABELS: LABELS, Task.FACES: FACES})
CARD = ModelCard(
    "toy-net",
    "toy",
    ("labels",),
    "A toy",
    Archive("toy", "1", "0" * 64, 1),
    (WeightFile("toy/net", "0" * 64, 1),),
    "MIT",
    "nowhere",
    "none",
    "none",
    "probability",
    "everything",
    "",
    default=True,
)


class Toy(Provider):
    """Correct; one body answers both tasks, as services do that take several at once."""

    name = "toy"
    tasks = BOTH
    models = (CARD,)

    def revision(self, task, options):
        return f"toy-{options.get('model', '')}-1"

    def fetch(self, batch):
        for work in batch.works:
            yield Outcome(work.requests, Body(json.dumps(self.answer(work)).encode()))

    def answer(self, work):
        asked = {word for r in work.requests for word in r.options.get("attributes", [])}
        face = {"box": [0.1, 0.2, 0.4, 0.6], "score": 0.9, "nose": [0.2, 0.3]}
        face |= {"age": 40} if "age" in asked else {}
        ratio = min(work.image.width / work.image.height, 1)
        names = [{"name": "wide", "score": ratio}, {"name": "high", "score": 0.1}]
        return {"labels": names, "faces": [face]}

    def parse(self, body, request):
        try:
            answer = json.loads(body)
            read = {Task.LABELS: self.labels, Task.FACES: self.faces}[request.task]
            return replace(read(answer), unknown=self.unknown(answer))
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise UnexpectedBody(f"toy: {error!r}") from error

    def labels(self, answer):
        labels = tuple(Label(x["name"], probability(x["score"])) for x in answer["labels"])
        return Annotation(labels=labels)

    def faces(self, answer):
        return Annotation(faces=tuple(self.face(x) for x in answer["faces"]))

    def face(self, x):
        ages = (Attribute("age", number=x["age"]),) if "age" in x else ()
        nose = (Point("nose", *x["nose"]),)
        return Face(probability(x["score"]), Box(*x["box"]), nose, attributes=ages)

    def unknown(self, answer):
        more = answer.keys() - {"labels", "faces"}
        for x in [*answer["labels"], *answer["faces"]]:
            more |= x.keys() - {"name", "score", "box", "nose", "age"}
        return tuple(sorted(more))


class Contract(ProviderContract):
    breaks: ClassVar[set[str]] = set()


class TestToy(Contract):
    provider = Toy
    recorded: ClassVar = {
        Task.LABELS: (b'{"labels": [], "faces": []}',),
        Task.FACES: (b'{"faces": [], "labels": []}',),
    }


class TestToyAskedForAges(Contract):
    provider = Toy
    options: ClassVar = {Task.FACES: {"attributes": ["age"]}}


class TestName(Contract):
    breaks: ClassVar = {"test_describes_itself", "test_cards_tell_what_a_reader_must_know"}

    class provider(Toy):
        name = "My Toy"


class TestFloorAboveScale(Contract):
    breaks: ClassVar = {"test_describes_itself", "test_scores_keep_their_scale"}

    class provider(Toy):
        tasks = MappingProxyType({Task.LABELS: replace(LABELS, floor=50)})


class TestHiddenLicence(Contract):
    breaks: ClassVar = {"test_cards_tell_what_a_reader_must_know"}

    class provider(Toy):
        models = (replace(CARD, license="AGPL-3.0", default=False),)


class TestRestrictiveDefault(Contract):
    breaks: ClassVar = {"test_cards_tell_what_a_reader_must_know"}

    class provider(Toy):
        models = (replace(CARD, name="toy-agpl", license="AGPL-3.0"),)


class TestNamedLicence(Contract):
    class provider(Toy):
        models = (replace(CARD, name="toy-agpl", license="AGPL-3.0", default=False),)


class TestDefaultThatIsNoChoice(Contract):
    breaks: ClassVar = {"test_parameters_can_be_typed"}

    class provider(Toy):
        middle = replace(LABELS, parameters={"size": Parameter("middle", "net", ("small",))})
        tasks = MappingProxyType({Task.LABELS: middle})


class TestRevisionByChance(Contract):
    breaks: ClassVar = {"test_revision_is_stable"}

    class provider(Toy):
        def revision(self, task, options):
            return f"toy-{next(COUNTER)}"


class TestRevisionEmpty(Contract):
    breaks: ClassVar = {"test_revision_is_stable", "test_revision_tells_models_apart"}

    class provider(Toy):
        def revision(self, task, options):
            return ""


class TestRevisionByOrder(Contract):
    breaks: ClassVar = {"test_revision_is_stable"}

    class provider(Toy):
        more = {**LABELS.parameters, "top": Parameter(3, "how many")}  # noqa: RUF012
        tasks = MappingProxyType({Task.LABELS: replace(LABELS, parameters=more)})

        def revision(self, task, options):
            return str(options)


class TestOneRevisionForAllModels(Contract):
    breaks: ClassVar = {"test_revision_tells_models_apart"}

    class provider(Toy):
        def revision(self, task, options):
            return "toy-1"


class TestLostRequest(Contract):
    breaks: ClassVar = {"test_batches_cover_every_request_once"}

    class provider(Toy):
        def batches(self, works):
            return iter([Batch(tuple(works[:-1]))] if works else [])


class TestDoubledRequest(Contract):
    breaks: ClassVar = {"test_batches_cover_every_request_once"}

    class provider(Toy):
        def batches(self, works):
            return (Batch((work,)) for work in [*works, *works[:1]])


class TestMixedImages(Contract):
    breaks: ClassVar = {"test_batches_cover_every_request_once"}

    class provider(Toy):
        def batches(self, works):
            pairs = zip(works, reversed(works), strict=True)
            return (Batch((Work(mine.image, other.requests),)) for mine, other in pairs)


class TestBatchOfNothing(Contract):
    breaks: ClassVar = {"test_batches_cover_every_request_once"}

    class provider(Toy):
        def batches(self, works):
            return iter([Batch(tuple(works))])


class TestUnanswered(Contract):
    breaks: ClassVar = {"test_fetch_answers_every_request_once"}

    class provider(Toy):
        def fetch(self, batch):
            for outcome in super().fetch(batch):
                yield replace(outcome, requests=outcome.requests[:1])


class TestAnsweredTwice(Contract):
    breaks: ClassVar = {"test_fetch_answers_every_request_once"}

    class provider(Toy):
        def fetch(self, batch):
            return [*super().fetch(batch)] * 2


class TestOneBodyForSeveralImages(Contract):
    breaks: ClassVar = {"test_fetch_answers_every_request_once"}

    class provider(Toy):
        def batches(self, works):
            return iter([Batch(tuple(works))] if works else [])

        def fetch(self, batch):
            first = next(iter(super().fetch(batch)))
            yield Outcome(batch.requests, first.result)


class TestSharedState(Contract):
    breaks: ClassVar = {"test_fetch_runs_in_threads"}

    class provider(Toy):
        def fetch(self, batch):
            self.busy = threading.get_ident()
            time.sleep(0.05)
            mine = self.busy == threading.get_ident()
            for outcome in super().fetch(batch):
                body = outcome.result.data if mine else b'{"labels": [], "faces": []}'
                yield replace(outcome, result=Body(body))


class TestCrashOnSmallPictures(Contract):
    breaks: ClassVar = {"test_small_pictures_do_no_harm"}

    class provider(Toy):
        def answer(self, work):
            return {**super().answer(work), "zoom": 1 // (work.image.width - 1)}

        def unknown(self, answer):
            return tuple(word for word in super().unknown(answer) if word != "zoom")


class TestRefusesSmallPictures(Contract):
    class provider(Toy):
        def fetch(self, batch):
            if any(work.image.width < 32 for work in batch.works):
                raise RefusedImage("too small")
            return super().fetch(batch)


class TestParseReadsAFile(Contract):
    breaks: ClassVar = {"test_parse_is_pure"}

    class provider(Toy):
        def labels(self, answer):
            Path(__file__).read_text(encoding="utf-8")
            return super().labels(answer)


class TestParseHidesThatItReadsAFile(Contract):
    breaks: ClassVar = {"test_parse_is_pure"}

    class provider(Toy):
        def labels(self, answer):
            with suppress(OSError):
                Path(__file__).read_text(encoding="utf-8")
            return super().labels(answer)


class TestParseCounts(Contract):
    breaks: ClassVar = {"test_parse_is_pure", "test_fetch_runs_in_threads"}

    class provider(Toy):
        def labels(self, answer):
            return Annotation(labels=(Label(f"call {next(COUNTER)}", probability(0.5)),))


class TestParseNeedsReady(Contract):
    breaks: ClassVar = {
        "test_parse_is_pure",
        *(name for name in vars(ProviderContract) if "_is_an_unexpected_body" in name),
        "test_parse_fills_the_task_s_field_only",
        "test_geometry_is_in_ratios",
        "test_scores_keep_their_scale",
        "test_status_says_what_is_missing",
        "test_sensitive_guesses_are_asked_for",
        "test_unknown_members_are_reported",
    }

    class provider(Toy):
        def ready(self, wanted, announce):
            self.names = {"labels", "faces"}

        def unknown(self, answer):
            return super().unknown(answer) if self.__dict__["names"] else ()

        def parse(self, body, request):
            if "names" not in self.__dict__:
                raise RuntimeError("not ready")
            return super().parse(body, request)


class TestFillsAnotherField(Contract):
    breaks: ClassVar = {"test_parse_fills_the_task_s_field_only"}

    class provider(Toy):
        def faces(self, answer):
            head = Object("head", probability(0.9), Box(0, 0, 1, 1))
            return replace(super().faces(answer), objects=(head,))


class TestCallsItsOwnMembersUnknown(Contract):
    breaks: ClassVar = {"test_parse_fills_the_task_s_field_only"}

    class provider(Toy):
        def unknown(self, answer):
            return (*super().unknown(answer), "labels")


class TestPixels(Contract):
    breaks: ClassVar = {"test_geometry_is_in_ratios"}

    class provider(Toy):
        def face(self, x):
            nose = Point("nose", x["nose"][0] * 160, x["nose"][1] * 120)
            return replace(super().face(x), landmarks=(nose,))


class TestAnotherScale(Contract):
    breaks: ClassVar = {"test_scores_keep_their_scale"}

    class provider(Toy):
        def labels(self, answer):
            return Annotation(labels=(Label("wide", Score(Scale.PERCENT, 90.0)),))


class TestBelowTheFloor(Contract):
    breaks: ClassVar = {"test_scores_keep_their_scale"}

    class provider(Toy):
        def labels(self, answer):
            return Annotation(labels=(Label("wide", probability(0.05)),))


def many(count, status):
    labels = tuple(Label(str(i), probability(0.5)) for i in range(count))
    return Annotation(status, labels=labels)


class TestFullButObserved(Contract):
    breaks: ClassVar = {"test_status_says_what_is_missing"}

    class provider(Toy):
        def labels(self, answer):
            return many(3, Status.OBSERVED)


class TestFullAndTruncated(Contract):
    class provider(Toy):
        def labels(self, answer):
            return many(3, Status.TRUNCATED)


class TestTooMany(Contract):
    breaks: ClassVar = {"test_status_says_what_is_missing"}

    class provider(Toy):
        def labels(self, answer):
            return many(4, Status.TRUNCATED)


class TestBelowFloorButNotEmpty(Contract):
    breaks: ClassVar = {"test_status_says_what_is_missing"}

    class provider(Toy):
        def labels(self, answer):
            return many(1, Status.BELOW_FLOOR)


class TestAgeUnasked(Contract):
    breaks: ClassVar = {"test_sensitive_guesses_are_asked_for"}

    class provider(Toy):
        def face(self, x):
            return replace(super().face(x), attributes=(Attribute("age", number=40),))


class TestEmbeddingUnasked(Contract):
    breaks: ClassVar = {"test_sensitive_guesses_are_asked_for"}

    class provider(Toy):
        def face(self, x):
            return replace(super().face(x), embedding=(1.0,))


class TestGarbageRaisesItsOwnError(Contract):
    breaks: ClassVar = {"test_garbage_is_an_unexpected_body"}

    class provider(Toy):
        def parse(self, body, request):
            json.loads(body)
            return super().parse(body, request)


class TestGarbageIsNothingSeen(Contract):
    breaks: ClassVar = {"test_garbage_is_an_unexpected_body"}

    class provider(Toy):
        def parse(self, body, request):
            try:
                return super().parse(body, request)
            except UnexpectedBody:
                return Annotation()


class TestAnEmptyObjectIsNothingSeen(Contract):
    """As boto3 has it, which makes one of an answer that was cut short."""

    breaks: ClassVar = {"test_garbage_is_an_unexpected_body"}

    class provider(Toy):
        def parse(self, body, request):
            if body in (b"{}", b'{"ResponseMetadata": {}}'):
                return Annotation()
            return super().parse(body, request)


class TestCutShortIsNothingSeen(Contract):
    breaks: ClassVar = {"test_garbage_is_an_unexpected_body"}

    class provider(Toy):
        def parse(self, body, request):
            if body.startswith(b"{") and not body.endswith(b"}"):
                return Annotation()
            return super().parse(body, request)


class TestDamageRaisesItsOwnError(Contract):
    breaks: ClassVar = {"test_damage_is_an_unexpected_body"}

    class provider(Toy):
        def parse(self, body, request):
            annotation = super().parse(body, request)
            if request.task is Task.FACES:
                assert json.loads(body)["faces"][0]["box"]
            return annotation


class TestDropsWhatItDoesNotKnow(Contract):
    breaks: ClassVar = {"test_unknown_members_are_reported"}

    class provider(Toy):
        def unknown(self, answer):
            super().unknown(answer)
            return ()


class TestDropsDeepMembers(Contract):
    breaks: ClassVar = {"test_unknown_members_are_reported"}

    class provider(Toy):
        def unknown(self, answer):
            super().unknown(answer)
            return tuple(answer.keys() - {"labels", "faces"})


COUNTER = itertools.count()
