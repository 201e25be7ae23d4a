"""How answers are recorded and replayed: what a recording holds, and which request it answers.

A recording is a file in vcrpy's YAML, `cassettes/<provider>/<task>_<picture>.yaml`, with one call.
Of a request only what is on the lists below stays, with "sha256:<hex>" in place of each picture;
a request is answered when it is the recorded one in method, host, path, operation and all of its
body, so that another picture or another parameter is refused.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import vcr
import yaml
from vcr.cassette import Cassette

from tests.conftest import ROOT
from tests.leaks import decoded, scrubbed
from visionhub import registry
from visionhub.images import render, sha256_of
from visionhub.provider import Provider, Request, Value, Work, canonical
from visionhub.schema import Task

FOLDER = ROOT / "cassettes"
BY_HAND = "# Written by hand from the documented shapes: no service gave this answer."
HASH = "sha256:"
SOURCE = "portrait"  # the picture that is looked for, where a task compares faces
IMAGES = ("Bytes", "content")  # members of a request that hold a picture
LONG = 256  # characters from which any text that is base64 counts as a picture, too

KEPT_OF_REQUESTS = frozenset({"content-type", "x-amz-target"})
KEPT_OF_ANSWERS = frozenset({"content-type", "date", "x-amzn-requestid"})
KEPT_OF_QUERIES = frozenset({"$alt"})
MATCHED = ("method", "host", "port", "path", "operation", "json")


@dataclass(frozen=True, slots=True)
class Way:
    """How a provider is reached where vcrpy sees it, and credentials that no service takes."""

    settings: Mapping[str, str]
    variables: Mapping[str, str]


WAYS: Mapping[str, Way] = {
    "google": Way({"transport": "rest"}, {"VISIONHUB_GOOGLE_API_KEY": "no-key"}),
    "rekognition": Way(
        {"region": "eu-central-1"},
        {
            "AWS_ACCESS_KEY_ID": "no-key",
            "AWS_SECRET_ACCESS_KEY": "no-secret",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        },
    ),
}


class NotPlayed(AssertionError):
    """A recording holds a call that nobody makes."""


@dataclass(frozen=True, slots=True)
class Tape:
    """One recording, by its name; `provider` and `task` may be of no provider at all."""

    provider: str
    task: str
    picture: str
    folder: Path = field(default=FOLDER)

    @classmethod
    def at(cls, path: Path) -> Tape:
        """The recording of a path; the task is empty where the name begins with none."""
        tasks = [task.value for task in Task if path.stem.startswith(f"{task}_")]
        task = max(tasks, key=len, default="")
        picture = path.stem.removeprefix(f"{task}_")
        return cls(path.parent.name, task, picture, path.parents[1])

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.folder / self.provider / f"{self.task}_{self.picture}.yaml"

    def image(self) -> bytes:
        """The picture that was sent."""
        return picture_file(self.folder, self.picture).read_bytes()


def tapes(folder: Path = FOLDER) -> list[Tape]:
    """All recordings of a folder."""
    return [Tape.at(path) for path in sorted(folder.glob("*/*.yaml"))]


def picture_file(folder: Path, name: str) -> Path:
    """The file of a picture; FileNotFoundError when there is none."""
    for path in sorted((folder / "pictures").glob(f"{name}.*")):
        return path
    raise FileNotFoundError(f"no picture {name} in {folder / 'pictures'}")


def flaws(folder: Path = FOLDER) -> list[str]:
    """Recordings that belong to nothing, and tasks of the providers that have none."""
    found = [f"{path}: no recording" for path in folder.glob("*.yaml")]
    kept = tapes(folder)
    for tape in kept:
        offered = registry.load(tape.provider).tasks if tape.provider in WAYS else {}
        if tape.task not in offered:
            found.append(f"{tape.path}: no such provider or task")
        elif not list((folder / "pictures").glob(f"{tape.picture}.*")):
            found.append(f"{tape.path}: no such picture")
    has = {(tape.provider, tape.task) for tape in kept}
    for name in WAYS:
        missing = [task for task in registry.load(name).tasks if (name, task) not in has]
        found += [f"{name}: no recording of {task}" for task in missing]
    return found


def options(provider: type[Provider], task: Task, folder: Path = FOLDER) -> dict[str, Value]:
    """What a recording asks: the defaults, with all that is asked for by name, and a source."""
    spec = provider.tasks[task]
    chosen = {name: parameter.default for name, parameter in spec.parameters.items()}
    if spec.sensitive:
        chosen["attributes"] = list(spec.sensitive)
    if "source" in chosen:
        chosen["source"] = str(picture_file(folder, SOURCE))
    return chosen


def work(provider: Provider, task: Task, image: bytes, asked: Mapping[str, Value]) -> Work:
    """One question about one picture, as the engine asks it."""
    _, sent = render(image, provider.limits)
    words = (provider.name, provider.revision(task, asked), canonical(asked))
    request = Request(sha256_of(image), sent.sha256, sent.width, sent.height, task, *words)
    return Work(sent, (request,))


@contextmanager
def replaying(path: Path, *, again: bool = False, whole: bool = True) -> Iterator[Cassette]:
    """Answer from a recording and from nowhere else; NotPlayed when a call of it was not made.

    again: a call may be made more than once. whole: all calls must be made.
    """
    tape = _recorder(clean_request)
    with tape.use_cassette(path, record_mode="none", allow_playback_repeats=again) as cassette:
        yield cassette
    if whole and not cassette.all_played:
        left = [i for i in range(len(cassette)) if not cassette.play_counts[i]]
        raise NotPlayed(f"{path}: calls {left} of {len(cassette)} were not made")


@contextmanager
def recording(path: Path) -> Iterator[Cassette]:
    """Write calls to a service, cleaned, to a new file; sign-in is let through and not written."""
    tape = _recorder(lambda request: clean_request(request) if _is_call(request) else None)
    with tape.use_cassette(path, record_mode="all") as cassette:
        yield cassette


def _recorder(clean: Any) -> vcr.VCR:
    recorder = vcr.VCR(
        before_record_request=clean,
        before_record_response=clean_answer,
        decode_compressed_response=True,
        match_on=MATCHED,
    )
    recorder.register_matcher("operation", _same_operation)
    recorder.register_matcher("json", _same_json)
    return recorder


def _is_call(request: Any) -> bool:
    return "X-Amz-Target" in request.headers or request.path.endswith("/images:annotate")


def _same_operation(one: Any, other: Any) -> None:
    assert _text(one.headers.get("X-Amz-Target")) == _text(other.headers.get("X-Amz-Target"))


def _same_json(one: Any, other: Any) -> None:
    asked, recorded = json.loads(one.body), json.loads(other.body)
    assert asked == recorded, f"asked: {asked}; recorded: {recorded}"


def clean_request(request: Any) -> Any:
    """A request without its pictures and without anything that is not on the lists.

    Raises ValueError for a body that is no JSON, or a picture that is no base64.
    """
    request = copy.deepcopy(request)
    kept = {n: v for n, v in request.headers.items() if n.lower() in KEPT_OF_REQUESTS}
    request.headers = {name: _text(value) for name, value in kept.items()}
    parts = urlsplit(request.uri)
    pairs = [p for p in parts.query.split("&") if unquote(p.partition("=")[0]) in KEPT_OF_QUERIES]
    request.uri = urlunsplit(parts._replace(query="&".join(pairs)))
    asked = _hashed(json.loads(request.body))
    request.body = scrubbed(json.dumps(asked, indent=2, sort_keys=True)).encode()
    return request


def _hashed(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _hashed(member, key) for key, member in value.items()}
    if isinstance(value, list):
        return [_hashed(member, name) for member in value]
    if not isinstance(value, str) or value.startswith(HASH):
        return value
    data = decoded(value) if name in IMAGES or len(value) >= LONG else None
    if data is None and name in IMAGES:
        raise ValueError(f"the member {name} holds no picture in base64")
    return value if data is None else HASH + sha256_of(data)


def clean_answer(answer: Any) -> Any:
    """An answer with the headers that are on the list, and without secrets in its body."""
    answer = copy.deepcopy(answer)
    kept = {n: v for n, v in answer["headers"].items() if n.lower() in KEPT_OF_ANSWERS}
    answer["headers"] = {name: [_text(value) for value in values] for name, values in kept.items()}
    body = answer["body"]["string"]
    answer["body"]["string"] = scrubbed(body.decode()).encode()
    return answer


def _text(value: Any) -> str:
    """A header's value: boto3 hands over bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as it is, so that a change of it can be read."""


def _as_it_is(dumper: yaml.SafeDumper, text: str) -> Any:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _as_it_is)


def rewrite(path: Path, header: str, target: Path) -> None:
    """Copy a recording that vcrpy wrote, as text that can be read, under a comment."""
    document = yaml.safe_load(path.read_text("utf-8"))
    text = yaml.dump(document, Dumper=_Dumper, allow_unicode=True, width=100)
    assert yaml.safe_load(text) == document, f"{path} does not survive YAML"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(f"{header}\n{text}", "utf-8")
