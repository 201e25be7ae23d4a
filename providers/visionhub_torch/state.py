"""State dicts: fetched, opened as bare tensors, and put into the network that they belong to.

A state dict is a pickle, which could run any code when opened; it is only ever opened by
`torch.load(weights_only=True)`, which builds tensors and refuses everything else.
"""

from __future__ import annotations

import hashlib
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias
from urllib.parse import urlsplit

from visionhub.archives import ensure
from visionhub.errors import MissingExtra, ModelError
from visionhub.places import offline_folder
from visionhub.provider import Announce, import_extra
from visionhub.schema import Task
from visionhub_torch.sources import EXTRA, Source

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

State: TypeAlias = "Mapping[str, Tensor]"
BROKEN = (pickle.UnpicklingError, RuntimeError, EOFError, LookupError, ValueError, TypeError)


def locate(source: Source, announce: Announce) -> Path:
    """Find the weight file, fetched when it is absent; ModelError says what to do."""
    if source.path:
        return source.path
    if source.card:
        return ensure(source.card, announce)[0]
    name = Path(urlsplit(source.url).path).name
    hub = import_extra("torch.hub", EXTRA)
    cached = Path(hub.get_dir()) / "checkpoints" / name
    folder = offline_folder()
    found = sorted(folder.rglob(name)) if folder else []
    if found or cached.is_file():
        return found[0] if found else cached
    if folder:
        raise ModelError(
            f"VISIONHUB_MODELS is set, so nothing is downloaded: put {name} into "
            f"{folder.absolute()}"
        )
    return _download(source, cached, announce)


def _download(source: Source, target: Path, announce: Announce) -> Path:
    hub = import_extra("torch.hub", EXTRA)
    announce(f"fetching {target.name}, torchvision's weights of {source.choice.model}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        hub.download_url_to_file(source.url, str(target), source.sha256, progress=False)
    except (OSError, RuntimeError) as error:  # no network, or a hash that differs
        raise ModelError(
            f"The weights of {source.choice.model} could not be fetched from {source.url} "
            f"({error}): put that file into {target.parent}, or name a file on this machine with "
            f"--param {source.choice.task}.weights=FILE"
        ) from error
    return target


def read_state(path: Path, sha256: str) -> State:
    """Read the tensors in a file by name, once its SHA-256 is known to begin with `sha256`.

    Raises ModelError when the file differs, is damaged, or holds more than bare tensors.
    """
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            if not found.startswith(sha256):
                raise ModelError(
                    f"{path} is not the file that was asked for: its SHA-256 should begin with "
                    f"{sha256} and is {found}; replace it or delete it"
                )
            file.seek(0)
            state = _tensors(file, path)
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror or error})") from error
    torch = import_extra("torch", EXTRA)
    if not isinstance(state, Mapping) or not all(map(torch.is_tensor, state.values())):
        raise ModelError(
            f"{path} holds no state dict: save one with torch.save(model.state_dict(), FILE)"
        )
    return state


def _tensors(file: BinaryIO, path: Path) -> object:
    torch = import_extra("torch", EXTRA)
    if path.suffix == ".safetensors":
        return _safetensors(file, path)
    try:
        with warnings.catch_warnings():  # meant for torch's developers: an odd pickle is refused
            warnings.simplefilter("ignore")
            state: object = torch.load(file, map_location="cpu", weights_only=True)
    except BROKEN as error:
        raise ModelError(
            f"{path} cannot be opened as bare tensors: it is damaged, or holds Python objects, "
            "which could run code and are refused; save it anew with "
            "torch.save(model.state_dict(), FILE)"
        ) from error
    return state


def _safetensors(file: BinaryIO, path: Path) -> object:
    try:
        damaged = import_extra("safetensors", EXTRA).SafetensorError
        load = import_extra("safetensors.torch", EXTRA).load
    except MissingExtra as error:
        raise ModelError(f"{path} needs one more package: run  pip install safetensors") from error
    try:
        state: object = load(file.read())
    except (damaged, *BROKEN) as error:
        raise ModelError(f"{path} is no safetensors file ({error})") from error
    return state


def fit(source: Source, state: State, count: int) -> tuple[Module, int]:
    """Give the network with these weights, and how many classes its head has.

    `count` is torchvision's own number of classes; a head of another size is recognised by its
    shape. Raises ModelError when the tensors are not those of the network.
    """
    network = build(source, count, state)
    heads = head_size(network.state_dict(), state, count)
    if heads != count:
        network = build(source, heads, state)
    try:
        network.load_state_dict(state, strict=True)
    except RuntimeError as error:
        what = _difference(network.state_dict(), state)
        raise ModelError(
            f"{source.path or source.url} does not hold the weights of {source.choice.model}: "
            f"{what}"
        ) from error
    return network, heads


def build(source: Source, count: int, state: State) -> Module:
    """Make an empty network, shaped as torchvision shapes it when it loads weights.

    GoogLeNet and Inception v3 shift their input when pre-trained; their auxiliary heads, used in
    training only, are there when the state dict has them. Everything else is the builder's own.
    """
    models = import_extra("torchvision.models", EXTRA)
    name = source.choice.model
    if source.choice.task is Task.OBJECTS:
        return models.get_model(name, weights=None, weights_backbone=None, num_classes=count)
    if name in ("googlenet", "inception_v3"):
        helped = any(key.lower().startswith("aux") for key in state)
        return models.get_model(
            name,
            weights=None,
            num_classes=count,
            transform_input=True,
            init_weights=False,
            aux_logits=helped,
        )
    return models.get_model(name, weights=None, num_classes=count)


def head_size(own: State, given: State, count: int) -> int:
    """How many classes `given` has, when `own` of the same network has `count`.

    A head's first dimension is a multiple of the number of classes (times anchors, times four
    sides), so the first tensor that differs in that dimension alone tells the number.
    """
    for key, tensor in own.items():
        other = given.get(key)
        if other is None or other.shape == tensor.shape:
            continue
        if other.dim() == 0 or other.shape[1:] != tensor.shape[1:]:
            return count
        classes, rest = divmod(other.shape[0] * count, tensor.shape[0])
        return int(classes) if classes and not rest else count
    return count


def _difference(own: State, given: State) -> str:
    shapes = [key for key in own if key in given and own[key].shape != given[key].shape]
    kinds = {
        "missing": [key for key in own if key not in given],
        "unknown": [key for key in given if key not in own],
        "of another shape": shapes,
    }
    parts = [f"{len(keys)} tensors {kind} ({keys[0]})" for kind, keys in kinds.items() if keys]
    return ", ".join(parts) or "its tensors cannot be copied"
