"""Which weights a request means, and their hash: read from the options, without loading a network.

In this order: a local file that the options name; the archive of a model card; torchvision's own
server, through torch's cache. Only the last needs torchvision to be installed, which alone knows
what it offers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from visionhub.errors import UsageError
from visionhub.provider import Value, import_extra
from visionhub.schema import Task
from visionhub.weights import ModelCard
from visionhub_torch.cards import card_for

if TYPE_CHECKING:
    from torchvision.models import WeightsEnum

EXTRA = "torch"
RECIPE = 1  # counts changes of our own processing that change answers
SUFFIXES = (".pt", ".pth", ".safetensors")
MODULES = {Task.LABELS: "torchvision.models", Task.OBJECTS: "torchvision.models.detection"}


class Choice(NamedTuple):
    """The options that choose a network; equal choices share one."""

    task: Task
    model: str
    weights: str
    classes: str

    @classmethod
    def of(cls, task: Task, options: Mapping[str, Value]) -> Choice:
        """Read complete options."""
        return cls(task, str(options["model"]), str(options["weights"]), str(options["classes"]))


@dataclass(frozen=True, slots=True)
class Source:
    """Weights, before they are fetched or opened.

    weights: the member of torchvision's weights enum, or `file`.
    sha256: of the weight file; of torchvision's downloads only the digits that their address has.
    path: the local file; `card`: the archive that holds it; neither: torchvision's `url`.
    names: the class names that the user gave, in the network's order.
    """

    choice: Choice
    weights: str
    sha256: str
    path: Path | None = None
    card: ModelCard | None = None
    url: str = ""
    names: tuple[str, ...] = ()

    @property
    def revision(self) -> str:
        """Network, weights, class names and recipe in one word."""
        names = hashlib.sha256("\n".join(self.names).encode()).hexdigest()[:8] if self.names else ""
        named = f"+{names}" if names else ""
        weights = f"{self.choice.model}.{self.weights}@{self.sha256[:12]}"
        return f"{weights}{named}.r{RECIPE}"


def resolve(choice: Choice) -> Source:
    """Find what the options mean. UsageError for a network, weights or file that is not there."""
    names = _read_names(choice) if choice.classes else ()
    path = Path(choice.weights).expanduser()
    if path.suffix in SUFFIXES or len(path.parts) > 1 or path.is_file():
        return Source(choice, "file", _file_sha256(choice, path), path, names=names)
    card = card_for(choice.model, choice.weights)
    if card and choice.task.value in card.tasks:
        official = choice.weights or "IMAGENET1K_V1"
        return Source(choice, official, card.files[0].sha256, card=card, names=names)
    member = _member(choice)
    prefix = hash_in(member.url)
    return Source(choice, str(member.name), prefix, url=str(member.url), names=names)


def members(choice: Choice) -> type[WeightsEnum]:
    """Give torchvision's weights enum of a network; UsageError when the task has none such."""
    models = import_extra("torchvision.models", EXTRA)
    known = {
        task: models.list_models(module=import_extra(module, EXTRA))
        for task, module in MODULES.items()
    }
    if choice.model in known[choice.task]:
        found: type[WeightsEnum] = models.get_model_weights(choice.model)
        return found
    for task, names in known.items():
        if choice.model in names:
            raise UsageError(f"--param {_said(choice, 'model')}: that network does {task} instead")
    near = get_close_matches(choice.model, known[choice.task], n=3, cutoff=0.4)
    hint = f"; near are {', '.join(near)}" if near else ""
    raise UsageError(
        f"--param {_said(choice, 'model')}: torchvision has no such network for {choice.task}{hint}"
    )


def default_member(choice: Choice) -> WeightsEnum:
    """Give the weights that a network has when none are named: those of its card, else DEFAULT."""
    enum = members(choice)
    return enum.IMAGENET1K_V1 if card_for(choice.model, "") else enum.DEFAULT


def hash_in(url: str) -> str:
    """Read the leading digits of the file's SHA-256, which torchvision puts into file names."""
    found = re.search(r"-([0-9a-f]{8,64})\.\w+$", url)
    if found is None:
        raise UsageError(f"torchvision names no hash for {url}: load it as a local file instead")
    return found.group(1)


def _member(choice: Choice) -> WeightsEnum:
    enum = members(choice)
    if choice.weights in enum.__members__ or choice.weights == "":
        return enum[choice.weights] if choice.weights else default_member(choice)
    raise UsageError(
        f"--param {_said(choice, 'weights')}: no such file, and {choice.model} has only the "
        f"weights {', '.join(enum.__members__)}"
    )


def _said(choice: Choice, option: str) -> str:
    return f"{choice.task}.{option}={getattr(choice, option)}"


def _file_sha256(choice: Choice, path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"--param {_said(choice, 'weights')}: {reason}") from error


def _read_names(choice: Choice) -> tuple[str, ...]:
    try:
        text = Path(choice.classes).expanduser().read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise UsageError(f"--param {_said(choice, 'classes')}: {reason}") from error
    names = tuple(line.strip() for line in text.rstrip().splitlines())
    if not names or not all(names):
        raise UsageError(f"--param {_said(choice, 'classes')}: expected one class name a line")
    return names
