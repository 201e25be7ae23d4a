"""Accuracy of one provider on photographs with ground truth, through the product: `make evaluate`.

Photographs are annotated into a study, the study is read back, and the figures are printed as
Markdown (with --json as JSON). With --study FOLDER the answers are kept, and the next run asks
only what is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks import persons, reading, scenes, truth, upright
from benchmarks.asked import Asked
from benchmarks.figures import Figure, markdown, table
from visionhub import __version__
from visionhub.errors import UsageError, VisionHubError
from visionhub.schema import Task

Section: TypeAlias = Callable[[Asked, Path], Iterator[Figure]]
NOTES = """\
Labels and objects are measured on photographs that the usual models have mostly, or probably, been
trained on (imagenet: a published sample, probably of the training set), and AP rests on categories
with few boxes each, which raises it. These figures show that recipes work and let versions be
compared; they do not say how accurate a model is on new photographs, and its published accuracy,
which is lower, is the better guess.
Intervals of shares are Wilson's and take cases as independent, which faces and persons in one
photograph are not; those of AP are percentiles of 300 bootstrap draws of photographs.
The ordinary photographs of safe_search are those of imagenet, coco, faces, exif, dated, protest
and cloud. The scenes of exif are not quite one picture each: some bear a numeral, and all are
JPEG files compressed anew, so that a share below 1 need not be a fault; turned without loss it is.
CPU seconds are of all threads, from the file to the stored answer, loading the models included."""


def sections(asked: Asked) -> dict[str, tuple[bool, Section]]:
    """Every section with whether this provider can be measured in it."""
    return {
        "labels": (asked.offers_words(Task.LABELS, "imagenet-1k"), scenes.labels),
        "objects": (asked.offers_words(Task.OBJECTS, "coco-80"), scenes.objects),
        "people": (asked.offers(Task.PEOPLE), scenes.people),
        "faces": (asked.offers(Task.FACES), persons.faces),
        "text": (asked.offers(Task.TEXT), reading.text),
        "safe_search": (asked.offers(Task.SAFE_SEARCH), scenes.safe_search),
        "orientation": (
            asked.offers(Task.LABELS) or asked.offers(Task.OBJECTS),
            upright.orientation,
        ),
        "facts": (True, upright.facts),
        persons.APART: (asked.offers_sensitive(*persons.SENSITIVE), persons.sensitive),
    }


def evaluate(asked: Asked, images: Path, only: Sequence[str] = ()) -> list[Figure]:
    """All figures of the wanted sections; a section that is not offered is one figure saying so."""
    figures: list[Figure] = []
    for name, (offered, section) in sections(asked).items():
        if only and name not in only:
            continue
        asked.announce(f"{name} ...")
        not_offered = Figure(name, "", f"not offered by {asked.provider}", None, 0)
        figures += section(asked, images) if offered else [not_offered]
    return figures


def report(asked: Asked, figures: Sequence[Figure]) -> str:
    """The figures as Markdown: sensitive ones apart, then cost, what answered, and what did not."""
    apart = [figure for figure in figures if figure.task == persons.APART]
    parts = [table(figure for figure in figures if figure not in apart)]
    if apart:
        parts += ["Sensitive, asked for by name only:", table(apart)]
    times = [
        [
            task,
            f"{spent.seconds / spent.answers:.3f}" if spent.answers else "held",
            str(spent.answers),
        ]
        for task, spent in asked.spent.items()
    ]
    parts.append(markdown(["task", "CPU seconds per photograph", "photographs asked"], times))
    parts.append(NOTES)
    parts.append(f"visionhub {__version__}, Python {platform.python_version()}, {_machine()}.")
    models = [[task, f"`{model}`"] for model, task in asked.revisions.items()]
    parts.append(markdown(["task", "what answered"], models))
    parts += [f"No answer: {what}: {why}" for what, why in asked.unanswered.items()]
    return "\n\n".join(parts)


def as_json(asked: Asked, figures: Sequence[Figure]) -> dict[str, Any]:
    """The same, for programs."""
    return {
        "visionhub": __version__,
        "provider": asked.provider,
        "machine": _machine(),
        "figures": [figure.as_json() for figure in figures],
        "cpu_seconds": {t: s.seconds / s.answers for t, s in asked.spent.items() if s.answers},
        "revisions": asked.revisions,
        "unanswered": asked.unanswered,
    }


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.evaluate", description=__doc__)
    parser.add_argument("--provider", default="embedded", help="who is asked  [embedded]")
    parser.add_argument("--only", default="", help="sections, comma-separated  [all]")
    parser.add_argument("--param", action="append", default=[], help="task.name=value; repeat it")
    parser.add_argument("--limit", type=int, help="at most so many photographs of each set")
    parser.add_argument("--study", type=Path, help="the folder that keeps the answers")
    parser.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 2 when the photographs are not there or an option makes no sense."""
    chosen = options(arguments)
    images = truth.shared_folder()
    only = [name for name in chosen.only.split(",") if name]
    with tempfile.TemporaryDirectory() as passing:
        folder = chosen.study or Path(passing)
        folder.mkdir(parents=True, exist_ok=True)
        parameters = dict(text.partition("=")[::2] for text in chosen.param)
        asked = Asked(folder, chosen.provider, parameters, chosen.limit, _say)
        try:
            _check(asked, images, only)
            figures = evaluate(asked, images, only)
        except VisionHubError as error:
            _say(str(error))
            return error.exit_code
    printed = (
        json.dumps(as_json(asked, figures), indent=1) if chosen.json else report(asked, figures)
    )
    print(printed)
    return 0


def _check(asked: Asked, images: Path, only: Sequence[str]) -> None:
    if not images.is_dir():
        raise UsageError(f"{images}: no such folder; the photographs with ground truth lie there")
    known = sections(asked)
    for name in only:
        if name not in known:
            raise UsageError(f"--only {name}: choose from {', '.join(known)}")


def _say(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
