"""What `make record` runs: asks a service with your own key, and keeps the answers as cassettes.

    python -m tests.record google --task labels --picture street.png

What is asked is what the cassettes' tests ask: one call a task and picture, with all that has to
be asked for by name. Read cassettes/README.md before you commit what it wrote.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from tests import cassettes
from tests.cassettes import BY_HAND, FOLDER, WAYS, Tape, tapes
from tests.leaks import leaks
from visionhub import registry
from visionhub.errors import ProviderError, ProviderUnavailable, UsageError, VisionHubError
from visionhub.provider import Body, Provider
from visionhub.schema import Task

NAME = re.compile(r"[a-z0-9]+")
REHEARSED = "# Recorded from the rehearsal server: no service's answer, do not commit it."


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be asked, and of whom."""

    provider: Provider
    tapes: tuple[Tape, ...]

    def __str__(self) -> str:
        name, tasks = self.provider.name, self.provider.tasks
        units = Counter(filter(None, (tasks[Task(tape.task)].sku for tape in self.tapes)))
        if self.provider.rehearsing:
            return f"{name}: calls of a rehearsal server: {len(self.tapes)}, free of charge"
        lines = ", ".join(f"{sku} {count}" for sku, count in units.items())
        return f"{name}: calls: {len(self.tapes)}, paid units: {units.total()} ({lines})"


def main(words: Sequence[str] | None = None) -> int:
    """Record; the exit code is 0 when every call was answered and kept."""
    given = _arguments().parse_args(words)
    try:
        found = plan(given)
        print(found)
        if not given.yes and not _agreed():
            print("Nothing was sent.")
            return 1
        return _record(found, given.picture, given.folder)
    except (VisionHubError, OSError) as error:
        print(error, file=sys.stderr)
        return getattr(error, "exit_code", 1)


def _record(found: Plan, picture: Path | None, folder: Path) -> int:
    """Make the calls; a new picture stays beside the others only if an answer about it was kept."""
    new = _keep(picture, folder) if picture else None
    kept = 0
    try:
        for tape in found.tapes:
            kept += _recorded(found.provider, tape)
    finally:
        if new and not kept:
            new.unlink()
        if kept:
            print(f"Before you commit: {FOLDER.name}/README.md says what to check.")
    return 0 if kept == len(found.tapes) else 1


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make record", description=__doc__)
    parser.add_argument("provider")
    parser.add_argument("--task", default="", help="only this one")
    parser.add_argument("--picture", type=Path, help="a picture that you may publish")
    parser.add_argument("--set", action="append", default=[], help="setting=value of the provider")
    parser.add_argument("--yes", action="store_true", help="send without asking")
    parser.add_argument("--force", action="store_true", help="replace real recordings, too")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where cassettes lie")
    return parser


def _agreed() -> bool:
    try:
        return input("Send them? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        print("\nNobody answers: YES=1 sends without asking.")
        return False


def plan(given: argparse.Namespace) -> Plan:
    """What to record, with a provider that is ready; UsageError when that cannot be."""
    if given.provider not in WAYS:
        raise UsageError(f"PROVIDER={given.provider}: choose one of {', '.join(WAYS)}.")
    provider = registry.get(given.provider)
    wanted = _wanted(provider, given)
    kept = [tape for tape in wanted if is_real(tape.path)]
    if kept and not given.force:
        raise UsageError(f"{kept[0].path} is a real recording: FORCE=1 replaces it.")
    provider.configure({**WAYS[provider.name].settings, **_settings(given.set)})
    tasks = [Task(tape.task) for tape in wanted]
    asked = {task: cassettes.options(type(provider), task, given.folder) for task in tasks}
    provider.ready(asked, print)
    return Plan(provider, tuple(wanted))


def is_real(path: Path) -> bool:
    """Whether a file is a recording of a service's answer: not by hand, nor of a rehearsal."""
    return path.exists() and not path.read_text("utf-8").startswith((BY_HAND, REHEARSED))


def _settings(pairs: Sequence[str]) -> Mapping[str, str]:
    found = [pair.partition("=") for pair in pairs]
    return {name: value for name, _, value in found}


def _wanted(provider: Provider, given: argparse.Namespace) -> list[Tape]:
    """One for each task and picture: of the picture that is given, else those that there are."""
    if given.task and given.task not in provider.tasks:
        tasks = ", ".join(provider.tasks)
        raise UsageError(f"TASK={given.task}: {provider.name} has {tasks}.")
    if given.picture:
        name = _named(given.picture, given.folder)
        tasks = [given.task] if given.task else [task.value for task in provider.tasks]
        return [Tape(provider.name, task, name, given.folder) for task in tasks]
    there = [tape for tape in tapes(given.folder) if tape.provider == provider.name]
    found = [tape for tape in there if given.task in ("", tape.task)]
    if not found:
        raise UsageError("There is no cassette to record anew: name a picture with PICTURE=path.")
    return found


def _named(path: Path, folder: Path) -> str:
    """The name of a picture, which no other picture may have."""
    if not NAME.fullmatch(path.stem):
        raise UsageError(f"PICTURE={path}: give it a name of small letters and digits.")
    if not path.is_file():
        raise UsageError(f"PICTURE={path}: there is no such file.")
    data, home = path.read_bytes(), folder / "pictures"
    if any(other.read_bytes() != data for other in home.glob(f"{path.stem}.*")):
        raise UsageError(f"PICTURE={path}: {home} has another picture of that name.")
    return path.stem


def _keep(path: Path, folder: Path) -> Path | None:
    """Copy a new picture beside the others; None for one that is there."""
    home = folder / "pictures"
    home.mkdir(parents=True, exist_ok=True)
    return None if list(home.glob(f"{path.stem}.*")) else Path(shutil.copy(path, home))


def _recorded(provider: Provider, tape: Tape) -> bool:
    """Make one call and keep what was answered; say why when nothing is kept.

    Raises ProviderUnavailable when no answer came at all: the other calls would fare no better.
    """
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "cassette.yaml"
        try:
            note = _ask(provider, tape, fresh)
        except ProviderError as error:
            note = _unkept(provider, error, fresh)
        found = leaks(fresh) if fresh.exists() and not note else []
        if note or found:
            print(f"{tape.path.name}: not kept: {note or '; '.join(found)}", file=sys.stderr)
            return False
        cassettes.rewrite(fresh, REHEARSED if provider.rehearsing else header(fresh), tape.path)
    print(tape.path)
    return True


def _ask(provider: Provider, tape: Tape, fresh: Path) -> str:
    """Why the answer to one call is not worth keeping; empty when it is."""
    task = Task(tape.task)
    asked = cassettes.options(type(provider), task, tape.folder)
    question = cassettes.work(provider, task, tape.image(), asked)
    with cassettes.recording(fresh) as cassette:
        outcomes = [o for batch in provider.batches([question]) for o in provider.fetch(batch)]
    result = outcomes[0].result
    if not isinstance(result, Body):
        return _unkept(provider, result, fresh)
    if len(cassette) != 1 or len(outcomes) != 1:
        return f"{len(cassette)} calls were made"
    unknown = provider.parse(result.data, question.requests[0]).unknown
    if unknown:
        print(f"{tape.path.name}: members that the parser does not know: {', '.join(unknown)}")
    return ""


def _unkept(provider: Provider, error: ProviderError, fresh: Path) -> str:
    """Why an error is not kept; raises ProviderUnavailable when it is none of the service's."""
    if isinstance(error, ProviderUnavailable) and not fresh.exists():
        raise ProviderUnavailable(f"{provider.name} was not reached: is the network up?")
    return str(error)


def header(fresh: Path) -> str:
    """The comment above a real recording."""
    uri = next(line for line in fresh.read_text("utf-8").splitlines() if "uri: " in line)
    host = urlsplit(uri.partition("uri: ")[2].strip()).netloc
    return f"# Recorded from {host} on {datetime.now(UTC):%Y-%m-%d} with make record."


if __name__ == "__main__":
    sys.exit(main())
