"""Tests that every provider passes, for those who write one.

    from visionhub.testing import ProviderContract

    class TestMine(ProviderContract):
        provider = MyProvider

Each test is one promise of `visionhub.provider`. The package itself never imports this module.
"""
# ruff: noqa: S101 - assertions are what pytest tests are made of

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields

import pytest

from visionhub.damage import STRANGER, cut_short, damaged, with_stranger
from visionhub.errors import ProviderError, UnexpectedBody
from visionhub.provider import Body, Request, canonical
from visionhub.schema import Annotation, Scale, Status, Task
from visionhub.trial import Trial, attempt, bodies, field_of, found, named, picture, sealed

THREADS = 3
GUESSES = frozenset({"age", "gender", "emotion"})


class ProviderContract(Trial):
    """The tests. A subclass named Test… sets `provider`, and what else of `Trial` it needs."""

    def test_describes_itself(self) -> None:
        """A name that can be typed, and specifications that make sense."""
        assert re.fullmatch(r"[a-z][a-z0-9_-]*", self.provider.name)
        assert self.provider.tasks, "offers no task"
        assert self.provider.concurrency >= 0
        limits = self.provider.limits
        assert limits.media_types & {"image/jpeg", "image/png"}, "takes neither JPEG nor PNG"
        assert 1 <= limits.min_side <= limits.max_side
        for task, spec in self.provider.tasks.items():
            assert isinstance(task, Task)
            assert spec.max_results is None or spec.max_results > 0, task
            top = {Scale.PROBABILITY: 1, Scale.PERCENT: 100}.get(spec.scale, float("inf"))
            assert spec.floor is None or spec.floor <= top, f"{task}: no score reaches the floor"

    def test_cards_tell_what_a_reader_must_know(self) -> None:
        """Cards are complete, pinned, and name a licence that restricts use."""
        cards = self.provider.models
        assert len({card.name for card in cards}) == len(cards), "two cards have one name"
        for card in cards:
            assert card.provider == self.provider.name
            assert card.tasks, f"{card.name}: for no task"
            assert set(card.tasks) <= set(self.provider.tasks), card.name
            for text in ("title", "license", "source", "training_data", "scale", "known_limits"):
                assert getattr(card, text), f"{card.name}: {text} is empty"
            assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in card.files)
            named = any(
                word in card.name.lower() for word in re.findall("[a-z]{2,}", card.license.lower())
            )
            assert card.permissive or (named and not card.default), f"{card.name}: {card.license}"

    def test_parameters_can_be_typed(self) -> None:
        """Each default is JSON, is among its choices, and is read back from what a user types."""
        for spec in self.provider.tasks.values():
            for name, parameter in spec.parameters.items():
                default = parameter.default
                assert json.loads(canonical({name: default})) == {name: default}
                text = ",".join(default) if isinstance(default, list) else str(default)
                assert default == [] or parameter.read(name, text) == default
                assert parameter.help, f"{name}: no help"

    def test_revision_is_stable(self) -> None:
        """The same words from every instance, before any weights are loaded."""
        for task in self.provider.tasks:
            options = self.complete(task)
            turned = dict(reversed(options.items()))
            first = self.make().revision(task, options)
            assert first
            assert first == self.make().revision(task, turned), f"{task}: the revision changes"

    def test_revision_tells_models_apart(self) -> None:
        """Another model is another revision, and so another request."""
        for task, spec in self.provider.tasks.items():
            models = spec.parameters["model"].choices if "model" in spec.parameters else ()
            given = [
                self.make().revision(task, {**self.complete(task), "model": m}) for m in models
            ]
            assert len(set(given)) == len(given), f"{task}: models share a revision: {given}"

    def test_batches_cover_every_request_once(self) -> None:
        """No request is lost, doubled, or put with another image."""
        works = self.works()
        batches = list(self.make().batches(works))
        asked = Counter(request.key for work in works for request in work.requests)
        assert Counter(r.key for batch in batches for r in batch.requests) == asked
        for work in (work for batch in batches for work in batch.works):
            assert {r.sent_sha256 for r in work.requests} <= {work.image.sha256}, "images mixed"
        assert not list(self.make().batches([]))

    def test_fetch_answers_every_request_once(self) -> None:
        """Each request of a batch ends in one body or one ProviderError; a body has one image."""
        provider = self.prepared()
        for batch in provider.batches(self.works()):
            outcomes = list(provider.fetch(batch))
            answered = Counter(r.key for outcome in outcomes for r in outcome.requests)
            assert answered == Counter(r.key for r in batch.requests)
            for outcome in outcomes:
                assert isinstance(outcome.result, Body | ProviderError), outcome.result
                if isinstance(outcome.result, Body):
                    assert isinstance(outcome.result.data, bytes)
                    assert len({r.sent_sha256 for r in outcome.requests}) == 1

    def test_fetch_runs_in_threads(self) -> None:
        """Several threads at once get the answers that one gets."""
        provider = self.prepared()
        batches = list(provider.batches(self.works()))[:THREADS]
        start = threading.Barrier(THREADS)

        def run(turn: int) -> dict[str, Annotation]:
            start.wait(60)
            mine = batches[turn % len(batches) :] + batches[: turn % len(batches)]
            pairs = [pair for batch in mine for pair in bodies(provider.fetch(batch))]
            return {request.key: provider.parse(body, request) for request, body in pairs}

        with ThreadPoolExecutor(THREADS) as pool:
            first, *others = pool.map(run, range(THREADS))
        assert all(other == first for other in others), "threads disturb each other"

    def test_small_pictures_do_no_harm(self) -> None:
        """The smallest picture gets an answer or a ProviderError, never another exception."""
        provider = self.prepared()
        sides = {1, self.provider.limits.min_side}
        for batch in provider.batches(self.works([picture(side, side) for side in sides])):
            for request, body in bodies(attempt(provider, batch)):
                assert isinstance(provider.parse(body, request), Annotation)

    def test_parse_is_pure(self) -> None:
        """Equal answers for equal bodies, from a provider that loaded nothing and opens nothing."""
        for request, body in self.answers():
            first = self.make().parse(body, request)
            fresh = self.make()
            with sealed() as seen:
                again = fresh.parse(body, request)
            assert not seen, f"{request.task}: parse used {seen}"
            assert again == first, f"{request.task}: one body, two annotations"

    def test_parse_fills_the_task_s_field_only(self) -> None:
        """Nothing stands in the fields of other tasks."""
        beside = {"status", "reason", "unknown", "image_attributes"}
        listed = {f.name for f in fields(Annotation)} - beside
        for request, annotation in self.parsed():
            filled = {name for name in listed if getattr(annotation, name)}
            assert filled <= {field_of(request.task)}, f"{request.task} also fills {filled}"
            assert not annotation.unknown, f"{request.task}: unknown {annotation.unknown}"

    def test_geometry_is_in_ratios(self) -> None:
        """Boxes lie within the image; points and polygons may reach a little outside."""
        for request, annotation in self.parsed():
            for item in found(request, annotation):
                box = getattr(item, "box", None)
                sides = (box.x_min, box.y_min, box.x_max, box.y_max) if box else ()
                assert all(0 <= side <= 1 for side in sides), f"{request.task}: {box}"
                points = [*getattr(item, "landmarks", ()), *getattr(item, "keypoints", ())]
                ratios = [(point.x, point.y) for point in points] + [*getattr(item, "polygon", ())]
                for x, y in ratios:
                    assert -1 <= x <= 2 and -1 <= y <= 2, f"{request.task}: {x, y} is no ratio"  # noqa: PLR2004, PT018 - a point one picture away is in pixels

    def test_scores_keep_their_scale(self) -> None:
        """Every score is on the scale that the specification names, and reaches its floor."""
        for request, annotation in self.parsed():
            spec = self.provider.tasks[request.task]
            scores = (getattr(item, "score", None) for item in found(request, annotation))
            for score in filter(None, scores):
                assert score.scale is spec.scale, f"{request.task}: {score}"
                if spec.floor is not None and score.value is not None:
                    assert score.value >= spec.floor, f"{request.task}: {score} below the floor"

    def test_status_says_what_is_missing(self) -> None:
        """An answer as long as can be is truncated; below the floor means that nothing is left."""
        for request, annotation in self.parsed():
            spec = self.provider.tasks[request.task]
            count, status = len(annotation), annotation.status
            if spec.max_results is not None:
                assert count <= spec.max_results, f"{request.task}: {count} results"
                full = count == spec.max_results
                assert not full or status is Status.TRUNCATED, f"{request.task}: full but {status}"
            assert count or status is not Status.TRUNCATED
            if status is Status.BELOW_FLOOR:
                assert spec.floor is not None and not count, request.task  # noqa: PT018

    def test_sensitive_guesses_are_asked_for(self) -> None:
        """Age, gender, emotion and embeddings are absent unless a parameter names them."""
        for request, annotation in self.parsed():
            asked = named(request.options)
            kept = (GUESSES | set(self.provider.tasks[request.task].sensitive)) - asked
            for face in annotation.faces:
                given = {attribute.name for attribute in face.attributes} & kept
                assert not given, f"{given} without having been asked for"
                assert not face.embedding or "embedding" in asked, "an embedding, unasked"

    def test_garbage_is_an_unexpected_body(self) -> None:
        """What is no answer at all raises UnexpectedBody, and so does an answer cut short."""
        for request, body in self.answers():
            pieces = [b"\xff\x00\xfe", b"<html><h1>502 Bad Gateway</h1></html>", *cut_short(body)]
            for piece in pieces:
                with pytest.raises(UnexpectedBody):
                    self.make().parse(piece, request)

    def test_damage_is_an_unexpected_body(self) -> None:
        """A member that is missing or of another type is tolerated, or raises UnexpectedBody."""
        for request, body in self.answers():
            for path, wrong in damaged(body):
                try:
                    self.make().parse(wrong, request)
                except UnexpectedBody:
                    continue
                except Exception as error:
                    pytest.fail(f"{request.task}: {path} damaged raises {error!r}")

    def test_unknown_members_are_reported(self) -> None:
        """A member that the parser does not know shows up in `unknown`, wherever it stands."""
        shared: dict[bytes, list[Request]] = {}
        for request, body in self.answers():
            shared.setdefault(body, []).append(request)
        for body, requests in shared.items():
            for path, more in with_stranger(body):
                unknown = [word for r in requests for word in self.make().parse(more, r).unknown]
                assert any(STRANGER in word for word in unknown), f"{path}: dropped in silence"
