"""Calls through the real client: what is sent, what is kept, what goes wrong on the way."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import format_datetime

import pytest
from visionhub_rekognition import Rekognition
from visionhub_rekognition.operations import BY_TASK

from tests.conftest import jpeg
from tests.rekognition_service import Answer, Service, answer_to
from visionhub.errors import (
    AuthenticationError,
    ProviderUnavailable,
    RateLimited,
    RefusedImage,
    UnexpectedBody,
    UsageError,
)
from visionhub.images import Rendering, render, sha256_of
from visionhub.provider import (
    NOT_REPORTED,
    Batch,
    Body,
    Outcome,
    Request,
    Work,
    canonical,
    installed,
)
from visionhub.schema import Task

if not installed(("boto3",)):
    pytest.skip("the extra 'aws' is not installed: not tested", allow_module_level=True)

LABELS = Task.LABELS
SMALL = b'{"Labels": [], "LabelModelVersion": "3.0", "New": {"Inside": 1}}\n'


@pytest.fixture
def service():
    made = Service()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def no_account(monkeypatch, tmp_path):
    """Neither the variables nor the files of whoever runs the tests."""
    import os

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / name))
    return tmp_path


def provider(service: Service | None = None, **settings: str) -> Rekognition:
    made = Rekognition()
    made.configure({**settings, **({"sandbox": service.address} if service else {})})
    return made


def defaults(task: Task) -> dict:
    return {name: p.default for name, p in Rekognition.tasks[task].parameters.items()}


def work(image: Rendering | bytes, *tasks: Task, **options) -> Work:
    if isinstance(image, bytes):
        _, image = render(image, Rekognition.limits)
    requests = (
        Request(
            *("o" * 64, image.sha256, image.width, image.height, task, "rekognition", "r"),
            canonical({**defaults(task), **options}),
        )
        for task in tasks
    )
    return Work(image, tuple(requests))


def ask(made: Rekognition, given: Work) -> list[Outcome]:
    return [outcome for batch in made.batches([given]) for outcome in made.fetch(batch)]


def error_of(outcomes: list[Outcome]):
    (outcome,) = outcomes
    return outcome.result


class TestWhatIsSent:
    def test_reencoded_bytes(self, service, photo):
        """The file's own bytes arrive, and none that were encoded anew."""
        (outcome,) = ask(provider(service), work(photo, LABELS))
        assert isinstance(outcome.result, Body)
        assert [sha256_of(asked.image) for asked in service.asked] == [sha256_of(photo)]

    def test_one_call_pays_for_labels_objects_and_colours(self, service, photo):
        given = work(photo, LABELS, Task.OBJECTS, Task.COLORS, Task.FACES)
        made = provider(service)
        first, second = ask(made, given)
        assert [r.task for r in first.requests] == [LABELS, Task.OBJECTS, Task.COLORS]
        assert [r.task for r in second.requests] == [Task.FACES]
        assert [asked.operation for asked in service.asked] == ["DetectLabels", "DetectFaces"]
        for request in first.requests:
            assert len(made.parse(first.result.data, request)) > 0

    def test_floors_and_maxima_are_sent(self, service, photo):
        ask(provider(service), work(photo, LABELS, Task.OBJECTS, Task.COLORS))
        sent = dict(service.asked[0].members)
        assert set(sent.pop("Image")) == {"Bytes"}
        assert sent == {
            "Features": ["GENERAL_LABELS", "IMAGE_PROPERTIES"],
            "MinConfidence": 55.0,
            "MaxLabels": 1000,
            "Settings": {"ImageProperties": {"MaxDominantColors": 20}},
        }
        ask(provider(service), work(photo, Task.SAFE_SEARCH))
        assert service.asked[1].members["MinConfidence"] == 50.0
        ask(provider(service), work(photo, Task.TEXT, min_confidence=61.5))
        assert service.asked[2].members["Filters"] == {"WordFilter": {"MinConfidence": 61.5}}

    def test_one_call_asks_for_the_most_that_any_request_wants(self, service, photo):
        low = work(photo, LABELS, min_confidence=30.0, max_results=10)
        high = work(photo, Task.OBJECTS, min_confidence=80.0, max_results=50)
        ask(provider(service), Work(low.image, low.requests + high.requests))
        (asked,) = service.asked
        assert (asked.members["MinConfidence"], asked.members["MaxLabels"]) == (30.0, 50)
        assert asked.members["Features"] == ["GENERAL_LABELS"]

    def test_colours_alone_ask_for_no_labels(self, service, photo):
        ask(provider(service), work(photo, Task.COLORS, max_results=7))
        sent = {k: v for k, v in service.asked[0].members.items() if k != "Image"}
        assert sent == {
            "Features": ["IMAGE_PROPERTIES"],
            "Settings": {"ImageProperties": {"MaxDominantColors": 7}},
        }

    def test_guesses_are_sent_for_only_when_asked_for(self, service, photo):
        sensitive = {"AGE_RANGE", "GENDER", "EMOTIONS"}
        for words in ([], ["age"], ["age", "emotion", "gender"]):
            ask(provider(service), work(photo, Task.FACES, attributes=words))
        none, one, every = (set(asked.members["Attributes"]) for asked in service.asked)
        assert len(none) == 10
        assert not none & sensitive
        assert one & sensitive == {"AGE_RANGE"}
        assert every == {"ALL"}

    def test_the_same_task_asked_in_two_ways_takes_two_calls(self, service, photo):
        one, two = work(photo, Task.TEXT), work(photo, Task.TEXT, min_confidence=80.0)
        ask(provider(service), Work(one.image, one.requests + two.requests))
        assert len(service.asked) == 2

    def test_faces_are_compared_with_the_source(self, service, photo, tmp_path):
        import base64

        source = tmp_path / "me.jpg"
        source.write_bytes(jpeg(200, 200))
        made = provider(service)
        given = work(photo, Task.FACE_MATCHES, source=str(source), min_similarity=90.0)
        made.ready({Task.FACE_MATCHES: given.requests[0].options}, print)
        ask(made, given)
        sent = service.asked[0].members
        assert base64.b64decode(sent["SourceImage"]["Bytes"]) == source.read_bytes()
        assert base64.b64decode(sent["TargetImage"]["Bytes"]) == photo
        assert (sent["SimilarityThreshold"], sent["QualityFilter"]) == (90.0, "NONE")


class TestWhatIsKept:
    def test_the_body_is_kept_as_it_came(self, service, photo):
        service.next = [Answer(body=SMALL)]
        made = provider(service)
        (outcome,) = ask(made, work(photo, LABELS))
        assert outcome.result.data == SMALL
        assert outcome.result.model_version == "3.0"
        assert outcome.result.client.startswith("boto3 1.")
        annotation = made.parse(outcome.result.data, outcome.requests[0])
        assert annotation.unknown == ("New",)  # boto3 drops it in silence

    def test_a_model_version_that_is_not_reported_says_so(self, service, photo):
        (outcome,) = ask(provider(service), work(photo, Task.FACES))
        assert outcome.result.model_version == NOT_REPORTED

    @pytest.mark.parametrize(
        "body",
        [
            *(b"", b'{"Labels": [{"Name": "Ca', b"[]", b"null", b"<html>", b'{"Labels": 3}', b"{}"),
            *(b'{"ResponseMetadata": {}}', b'{"Labels": null}', b"[" * 100_000),
        ],
        ids=lambda body: body[:24].decode(),
    )
    def test_a_damaged_answer_is_kept_and_no_empty_one(self, service, photo, body):
        """boto3 takes a truncated 200 for a success without members."""
        service.next = [Answer(body=body)]
        made = provider(service)
        (outcome,) = ask(made, work(photo, LABELS))
        assert type(outcome.result) is UnexpectedBody
        assert outcome.result.charged is None
        assert (outcome.body.data, outcome.body.model_version) == (body, None)
        with pytest.raises(UnexpectedBody):
            made.parse(body, outcome.requests[0])

    @pytest.mark.parametrize("task", [task for task in Rekognition.tasks if task in BY_TASK])
    def test_every_task_misses_the_member_that_answers_it(self, service, photo, tmp_path, task):
        source = tmp_path / "me.jpg"
        source.write_bytes(jpeg(200, 200))
        given = work(photo, task, **({"source": str(source)} if "matches" in task else {}))
        members = {"ImageProperties"} if task is Task.COLORS else set(BY_TASK[task].members)
        members -= {"ImageProperties"} if task is not Task.COLORS else set()
        answer = answer_to(BY_TASK[task].name, {"Features": ["GENERAL_LABELS", "IMAGE_PROPERTIES"]})
        assert members <= answer.keys()
        without = {name: value for name, value in answer.items() if name not in members}
        service.next = [Answer(body=json.dumps(without).encode())]
        (outcome,) = ask(provider(service), given)
        assert type(outcome.result) is UnexpectedBody
        for name in members:  # one of them is enough: AWS's own examples leave out an empty list
            service.next = [Answer(body=json.dumps({**without, name: answer[name]}).encode())]
            (outcome,) = ask(provider(service), given)
            assert isinstance(outcome.result, Body)

    def test_what_is_there_is_an_answer_and_what_lacks_is_not(self, service, photo):
        body = json.dumps({"Labels": []}).encode()
        service.next = [Answer(body=body)]
        good, lost = ask(provider(service), work(photo, LABELS, Task.OBJECTS, Task.COLORS))
        assert [r.task for r in good.requests] == [LABELS, Task.OBJECTS]
        assert good.result.data == body
        assert [r.task for r in lost.requests] == [Task.COLORS]
        assert type(lost.result) is UnexpectedBody
        assert lost.body.data == body

    def test_threads_keep_their_own_answers(self, service):
        made = provider(service, concurrency="8")
        service._reply = lambda operation, members: Answer(
            body=json.dumps({"Labels": [], "Echo": members["Image"]["Bytes"]}).encode()
        )
        works = [work(jpeg(100, 90, shift), LABELS) for shift in range(40)]
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda given: ask(made, given), works))
        import base64

        for given, (outcome,) in zip(works, found, strict=True):
            echo = json.loads(outcome.result.data)["Echo"]
            assert base64.b64decode(echo) == given.image.data
        assert service.connections <= 8


class TestWhatGoesWrong:
    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [
            (400, "ThrottlingException", RateLimited),
            (500, "ThrottlingException", RateLimited),
            (400, "ProvisionedThroughputExceededException", RateLimited),
            (500, "InternalServerError", ProviderUnavailable),
            (503, "", ProviderUnavailable),
            (400, "InvalidParameterException", RefusedImage),
            (400, "AccessDeniedException", AuthenticationError),
            (400, "ExpiredTokenException", AuthenticationError),
        ],
    )
    def test_an_error_is_asked_for_once_and_its_body_kept(self, service, photo, status, code, kind):
        body = json.dumps({"__type": code}).encode() if code else b""
        service.next = [Answer(status, body)]
        (outcome,) = ask(provider(service), work(photo, LABELS, Task.OBJECTS))
        assert type(outcome.result) is kind
        assert len(outcome.requests) == 2
        assert (outcome.body.data if outcome.body else b"") == body
        assert outcome.body is None or outcome.body.model_version is None  # no model answered
        assert len(service.asked) == 1, "the SDK tried again"

    def test_a_source_without_a_face_is_named_until_it_has_worked(self, service, photo, tmp_path):
        """The service says the same of either picture; after a success it is not the source."""
        source = tmp_path / "back.jpg"
        source.write_bytes(photo)
        said = b'{"__type": "InvalidParameterException", "Message": "No face."}'
        made, given = provider(service), work(photo, Task.FACE_MATCHES, source=str(source))
        told = []
        for answer in (Answer(400, said), None, Answer(400, said)):
            service.next = [answer] if answer else []
            told.append(error_of(ask(made, given)))
        first, good, last = told
        assert type(first) is type(last) is RefusedImage
        assert (
            f"No face. No picture has been compared with the source yet: probably it is the "
            f"source, {source}, that shows no face" in str(first)
        )
        assert "does not take this picture" not in str(first)
        assert isinstance(good, Body)
        assert str(last).endswith("No face. Rekognition does not take this picture.")
        service.next = [Answer(400, said)]
        assert "source" not in str(error_of(ask(made, work(photo, LABELS))))

    def test_retry_after_is_handed_on(self, service, photo):
        said = b'{"__type": "ThrottlingException"}'
        service.next = [Answer(400, said, {"Retry-After": "3"})]
        assert error_of(ask(provider(service), work(photo, LABELS))).retry_after == 3

    def test_a_page_of_a_proxy_is_kept(self, service, photo):
        service.next = [Answer(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"})]
        (outcome,) = ask(provider(service), work(photo, LABELS))
        assert type(outcome.result) is ProviderUnavailable
        assert outcome.body.data == b"<html>Bad Gateway</html>"

    def test_a_hanging_service_is_unavailable(self, service, photo):
        service.next = [Answer(hang=3, body=SMALL)]
        start = time.monotonic()
        error = error_of(ask(provider(service, timeout="0.2"), work(photo, LABELS)))
        assert type(error) is ProviderUnavailable
        assert time.monotonic() - start < 3, "a timeout is for one attempt"

    def test_a_connection_that_is_reset_is_unavailable(self, service, photo):
        service.next = [Answer(reset=True)]
        made = provider(service)
        assert type(error_of(ask(made, work(photo, LABELS)))) is ProviderUnavailable
        assert isinstance(error_of(ask(made, work(photo, LABELS))), Body)

    def test_a_connection_cut_in_the_body_is_no_empty_answer(self, service, photo):
        """boto3 hands over fewer bytes than were announced, and says nothing."""
        service.next = [Answer(body=SMALL, cut=20)]
        made = provider(service)
        (outcome,) = ask(made, work(photo, LABELS))
        assert type(outcome.result) is UnexpectedBody
        assert outcome.body.data == SMALL[:20]

    def test_nobody_there_is_unavailable(self, photo):
        made = provider(sandbox="127.0.0.1:9")
        assert type(error_of(ask(made, work(photo, LABELS)))) is ProviderUnavailable


class TestLimits:
    def refused(self, service, task: Task, width: int, height: int, size: int = 9) -> str:
        image = Rendering("s" * 64, b"x" * size, "image/jpeg", width, height)
        error = error_of(ask(provider(service), work(image, task)))
        assert type(error) is RefusedImage
        assert not service.asked, "a picture that is not taken was sent"
        return str(error)

    def test_sizes_are_checked_before_anything_is_sent(self, service):
        assert "80 to 10,000" in self.refused(service, LABELS, 79, 500)
        assert "79 x 500" in self.refused(service, LABELS, 79, 500)
        assert "64 to 4,096" in self.refused(service, Task.PEOPLE, 5000, 500)
        assert "63 x 500" in self.refused(service, Task.PEOPLE, 63, 500)
        assert "5,242,880" in self.refused(service, LABELS, 500, 500, 5 * 2**20 + 1)
        assert "4,194,304" in self.refused(service, Task.PEOPLE, 500, 500, 4 * 2**20 + 1)

    def test_people_are_found_in_smaller_pictures(self, service):
        (outcome,) = ask(provider(service), work(jpeg(70, 70), Task.PEOPLE))
        assert isinstance(outcome.result, Body)


class TestRehearsal:
    def test_a_rehearsal_is_another_question(self, service):
        assert provider(service).revision(LABELS, {}) == "rehearsal 2016-06-27 us-east-1"
        there = provider(region="eu-west-1")
        assert there.revision(LABELS, {}) == "2016-06-27 eu-west-1"

    def test_no_key_profile_or_proxy_of_the_user_is_needed(self, service, photo, monkeypatch):
        monkeypatch.setenv("AWS_PROFILE", "there-is-none")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-real-key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-real-secret")
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        made = provider(service)
        made.ready({LABELS: defaults(LABELS)}, print)
        assert isinstance(error_of(ask(made, work(photo, LABELS))), Body)
        assert "a-real-key" not in service.asked[0].headers["Authorization"]


class TestAccount:
    def test_the_region_is_found_where_aws_users_put_it(self, no_account, monkeypatch):
        made = provider(profile="lab")
        (no_account / "AWS_CONFIG_FILE").write_text("[profile lab]\nregion = eu-west-3\n")
        assert made.revision(LABELS, {}) == "2016-06-27 eu-west-3"
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
        assert made.revision(LABELS, {}) == "2016-06-27 eu-west-2"
        monkeypatch.setenv("AWS_REGION", "eu-west-1")
        assert made.revision(LABELS, {}) == "2016-06-27 eu-west-1"
        assert provider(region="eu-south-2").revision(LABELS, {}) == "2016-06-27 eu-south-2"

    def test_a_missing_region_says_what_to_set(self, monkeypatch):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
        with pytest.raises(AuthenticationError, match=r"AWS_REGION.*--set rekognition\.region"):
            provider().ready({}, print)

    def test_missing_keys_say_what_to_set(self):
        with pytest.raises(AuthenticationError, match="AWS_ACCESS_KEY_ID") as caught:
            provider(region="eu-west-1").ready({}, print)
        for word in ("AWS_PROFILE", "~/.aws/credentials", "instance_role"):
            assert word in str(caught.value)

    def test_the_machine_is_asked_for_credentials_only_when_told_to(self, service, monkeypatch):
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://{service.address}")
        with pytest.raises(AuthenticationError):
            provider(region="eu-west-1").ready({}, print)
        assert not service.connections
        with pytest.raises(AuthenticationError):
            provider(region="eu-west-1", instance_role="yes").ready({}, print)
        assert service.connections

    def test_half_a_key_says_what_is_missing(self, monkeypatch):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
        with pytest.raises(AuthenticationError, match="AWS_SECRET_ACCESS_KEY"):
            provider(region="eu-west-1").ready({}, print)

    def test_an_unknown_profile_says_which(self):
        with pytest.raises(AuthenticationError, match="nobody"):
            provider(region="eu-west-1", profile="nobody").ready({}, print)
        with pytest.raises(AuthenticationError, match="nobody"):
            provider(profile="nobody").ready({}, print)

    def test_a_region_that_the_sdk_does_not_know_is_doubted(self, no_account):
        keys = "[default]\naws_access_key_id = x\naws_secret_access_key = y\n"
        (no_account / "AWS_SHARED_CREDENTIALS_FILE").write_text(keys)
        said: list[str] = []
        provider(region="eu-west-1").ready({}, said.append)
        assert said == []
        provider(region="eu-cental-1").ready({}, said.append)
        assert len(said) == 1
        assert "eu-cental-1" in said[0]
        with pytest.raises(AuthenticationError, match="no region at all"):
            provider(region="no region at all").ready({}, said.append)

    def test_rates_depend_on_the_region_and_can_be_set(self):
        assert set(provider(region="us-east-1").rates().values()) == {50.0}
        assert set(provider(region="us-west-2").rates().values()) == {50.0}
        assert set(provider(region="eu-west-1").rates().values()) == {5.0}
        rates = provider(region="eu-west-1", rate="12.5").rates()
        assert rates["DetectLabels"] == 12.5
        batch = Batch((), "DetectLabels")
        assert set(provider().takes(batch)) <= set(rates)


class TestSettings:
    def test_concurrency_sets_threads_and_connections(self, service, photo):
        made = provider(service, concurrency="12")
        service.delay = 0.05
        works = [work(photo, LABELS)] * 48
        assert made.concurrency == 12
        with ThreadPoolExecutor(12) as pool:
            list(pool.map(lambda given: ask(made, given), works))
        assert len(service.asked) == 48
        assert service.connections <= 12, "connections were opened and dropped"

    def test_values_that_make_no_sense_are_refused(self):
        for name, value in (
            *(("concurrency", "0"), ("concurrency", "-1"), ("timeout", "0"), ("timeout", "soon")),
            *(("timeout", "nan"), ("timeout", "inf"), ("rate", "-1"), ("rate", "nan")),
            *(("rate", "inf"), ("endpoint", "vpce.example"), ("sandbox", "localhost")),
            ("sandbox", "localhost:99999"),
        ):
            with pytest.raises(UsageError, match=name):
                provider(**{name: value})

    @pytest.mark.parametrize(
        ("task", "name", "value"),
        [
            (LABELS, "min_confidence", 101.0),
            (LABELS, "max_results", 0),
            (LABELS, "max_results", 1001),
            (Task.COLORS, "max_results", 21),
            (Task.FACE_MATCHES, "min_similarity", -1.0),
            (Task.FACES, "attributes", ["race"]),
            (Task.FACE_MATCHES, "source", ""),
            (Task.FACE_MATCHES, "source", "there/is/none.jpg"),
        ],
    )
    def test_parameters_that_are_not_taken_are_refused_at_once(self, service, task, name, value):
        with pytest.raises(UsageError, match=f"{task}.{name}"):
            provider(service).ready({task: {**defaults(task), name: value}}, print)

    def test_a_source_that_is_no_picture_is_refused_at_once(self, service, tmp_path):
        for name, data in (("text.jpg", b"no picture"), ("tiny.jpg", jpeg(40, 40))):
            (tmp_path / name).write_bytes(data)
            options = {**defaults(Task.FACE_MATCHES), "source": str(tmp_path / name)}
            with pytest.raises(UsageError, match=name):
                provider(service).ready({Task.FACE_MATCHES: options}, print)

    def test_another_source_is_another_question(self, service, tmp_path):
        source = tmp_path / "source.jpg"
        options = {**defaults(Task.FACE_MATCHES), "source": str(source)}
        seen = set()
        for shift in (1, 2):
            source.write_bytes(jpeg(100, 100, shift))
            revision = provider(service).revision(Task.FACE_MATCHES, options)
            assert sha256_of(source.read_bytes()) in revision
            seen.add(revision)
        assert len(seen) == 2


def test_importing_the_package_loads_no_sdk():
    code = (
        "import sys, visionhub_rekognition as r; r.Rekognition().configure({}); "
        "print(sorted({'boto3', 'botocore', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_boto3_the_extra_is_named(monkeypatch, service):
    from visionhub.errors import MissingExtra

    for name in [n for n in sys.modules if n.partition(".")[0] in ("boto3", "botocore")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(MissingExtra, match=r"visionhub\[aws\]"):
        provider(service).ready({}, print)


def test_clients_are_made_once(service, photo):
    made = provider(service)
    start = threading.Barrier(6)

    def first(_):
        start.wait(20)
        return ask(made, work(photo, LABELS))

    with ThreadPoolExecutor(6) as pool:
        assert all(isinstance(error_of(x), Body) for x in pool.map(first, range(6)))
    assert len({id(made._connect(print)) for _ in range(3)}) == 1


def test_dates_of_answers_are_what_the_sdk_saves():
    """`adopt` reads the header that boto3 keeps: its format is that of RFC 9110."""
    from datetime import UTC, datetime

    when = datetime(2022, 10, 12, 12, 46, 53, tzinfo=UTC)
    header = format_datetime(when, usegmt=True)
    saved = {"FaceDetails": [], "ResponseMetadata": {"HTTPHeaders": {"date": header}}}
    (found,) = Rekognition().adopt(json.dumps(saved).encode())
    assert found.received_at == "2022-10-12T12:46:53Z"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("concurrency", "0", "give 1 or more"),
        ("timeout", "inf", "give more than 0"),
        ("rate", "-1", "give 0 or more"),
        ("sandbox", "host:99999", "write it as host:port"),
        ("endpoint", "host", "write it as https://host"),
        ("rate", "x", "expected a value of type float"),
    ],
)
def test_a_setting_that_cannot_be_is_named_as_it_was_given(monkeypatch, name, text, says):
    with pytest.raises(UsageError, match=f"^--set rekognition.{name}={text}: {says}"):
        Rekognition().configure({name: text})
    monkeypatch.setenv(f"VISIONHUB_REKOGNITION_{name.upper()}", text)
    with pytest.raises(UsageError, match=f"^VISIONHUB_REKOGNITION_{name.upper()}={text}: {says}"):
        Rekognition().configure({})
