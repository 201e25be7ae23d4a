"""Networks that are loaded and ready: pictures in, answers out.

The published recipe of the weights is followed: their own preset transforms, batch statistics
frozen, softmax over classes; detectors resize and suppress duplicates themselves.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from visionhub.errors import ModelError, ProviderError, UsageError
from visionhub.provider import Announce, import_extra
from visionhub.schema import Task
from visionhub_torch.answers import Answer
from visionhub_torch.sources import EXTRA, RECIPE, Source, default_member, hash_in, members
from visionhub_torch.state import fit, locate, read_state

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor
    from torch.nn import Module

LABEL_FLOOR = 0.001  # of 1,000 classes that no evidence told apart, each would get this much
OBJECT_FLOOR = 0.01
STRIP = 16  # times longer than wide; see `Classifier.prepare`
# The checkpoints that torchvision trained with a batch normalisation that had no epsilon.
NO_EPSILON = frozenset(
    f"{model}_resnet50_fpn" for model in ("fasterrcnn", "keypointrcnn", "maskrcnn", "retinanet")
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A network on its device with what is known about it; `about` opens every answer."""

    module: Module
    transforms: Any
    names: tuple[str, ...]
    device: str
    about: Answer


class Network(ABC):
    """A loaded network, which several threads may call.

    The forward pass takes turns, because torch spreads one pass over all processors by itself.
    """

    def __init__(self, loaded: Loaded) -> None:
        self._net = loaded
        self._turn = Lock()
        self._torch = import_extra("torch", EXTRA)

    def predict(self, images: Iterable[Image]) -> list[Answer]:
        """One answer for each upright RGB picture. ProviderError when the device fails."""
        inputs = [self.prepare(image) for image in images]
        try:
            with self._turn, self._torch.inference_mode():
                return [self._net.about | answer for answer in self.run(inputs)]
        except self._torch.OutOfMemoryError as error:
            raise ProviderError(
                f"The GPU has too little memory for {len(inputs)} pictures at once: use device=cpu"
            ) from error

    @abstractmethod
    def prepare(self, image: Image) -> Tensor:
        """Make the tensor (3, height, width) that the network takes."""

    @abstractmethod
    def run(self, inputs: Sequence[Tensor]) -> list[Answer]:
        """Run the forward pass and read what it found."""

    def _entry(self, index: int, score: float) -> Answer:
        return {"id": index, "name": self._net.names[index], "score": round(score, 6)}


class Classifier(Network):
    """Answers `labels`: all classes of a probability of .001 or more."""

    def prepare(self, image: Image) -> Tensor:
        """Resize, centre crop, normalise, as the weights' preset says.

        The preset scales the short side and keeps the middle square. A strip is cut to its middle
        first: the square is the same, and a scaled picture of gigabytes is avoided.
        """
        width, height = image.size
        longest = STRIP * min(width, height)
        left, top = max(0, (width - longest) // 2), max(0, (height - longest) // 2)
        if left or top:
            image = image.crop((left, top, width - left, height - top))
        return self._net.transforms(image)

    def run(self, inputs: Sequence[Tensor]) -> list[Answer]:
        """Run one batch: (n, 3, height, width) in, (n, classes) out."""
        batch = self._torch.stack(list(inputs)).to(
            self._net.device, memory_format=self._torch.channels_last
        )
        table = self._net.module(batch).float().softmax(1).cpu()
        if not bool(table.isfinite().all()):
            raise ProviderError("The network gave no numbers: its weights are damaged")
        return [{"floor": LABEL_FLOOR, "labels": self._ranked(row)} for row in table]

    def _ranked(self, row: Tensor) -> list[Answer]:
        scores, order = row.sort(descending=True, stable=True)
        kept = int((scores >= LABEL_FLOOR).sum())
        pairs = zip(order[:kept].tolist(), scores[:kept].tolist(), strict=True)
        return [self._entry(index, score) for index, score in pairs]


class Detector(Network):
    """Answers `objects`: all detections of .01 or more that the network itself reports.

    Several networks of torchvision have a higher threshold of their own (Faster R-CNN .05, FCOS
    .2), which is kept.
    """

    def prepare(self, image: Image) -> Tensor:
        """Scale the values to 0..1; the network itself resizes."""
        return self._net.transforms(image)

    def run(self, inputs: Sequence[Tensor]) -> list[Answer]:
        """Run one batch where every picture is resized to one shape (SSD), else one by one.

        The others pad a batch to its largest picture, and what a photograph shows must not depend
        on which photographs happened to be beside it.
        """
        tensors = [tensor.to(self._net.device) for tensor in inputs]
        if self._net.module.transform.fixed_size is not None:
            found = self._net.module(tensors)
        else:
            found = [one for tensor in tensors for one in self._net.module([tensor])]
        return [self._read(one, tensor.shape) for one, tensor in zip(found, inputs, strict=True)]

    def _read(self, found: Mapping[str, Tensor], shape: Sequence[int]) -> Answer:
        head = getattr(self._net.module, "roi_heads", self._net.module)
        sides = self._torch.tensor([shape[2], shape[1], shape[2], shape[1]])
        boxes = (found["boxes"].cpu() / sides).tolist()
        scores = found["scores"].tolist()
        rows = zip(scores, found["labels"].tolist(), boxes, strict=True)  # best first already
        objects = [
            self._entry(index, score) | {"box": [round(side, 6) for side in box]}
            for score, index, box in rows
            if score >= OBJECT_FLOOR
        ]
        floor = max(OBJECT_FLOOR, float(head.score_thresh))
        return {"floor": floor, "limit": int(head.detections_per_img), "objects": objects}


def load(source: Source, device: str, announce: Announce) -> Network:
    """Fetch, open and place a network. Raises MissingExtra, UsageError or ModelError."""
    place = _device(source, device)
    enum = members(source.choice)
    known = next((one for one in enum if source.sha256.startswith(hash_in(one.url))), None)
    recipe = known or default_member(source.choice)
    state = read_state(locate(source, announce), source.sha256)
    module, count = fit(source, state, len(default_member(source.choice).meta["categories"]))
    if known is not None and known.name == "COCO_V1" and source.choice.model in NO_EPSILON:
        _drop_epsilon(module)
    names = class_names(source, recipe.meta["categories"], count)
    loaded = Loaded(module, recipe.transforms(), names, place, _about(source, place))
    if source.choice.task is Task.OBJECTS:
        module.to(place).eval()
        return Detector(loaded)
    module.to(place, memory_format=import_extra("torch", EXTRA).channels_last).eval()
    return Classifier(loaded)


def class_names(source: Source, official: Sequence[str], count: int) -> tuple[str, ...]:
    """Give a name to each of the head's classes; ModelError when they cannot be told.

    Detectors count the background as class 0, which a list of names may leave out.
    """
    names = source.names or tuple(official)
    if source.choice.task is Task.OBJECTS and source.names and len(names) == count - 1:
        names = ("__background__", *names)
    if len(names) == count:
        return names
    option = f"--param {source.choice.task}.classes="
    if source.names:
        raise ModelError(
            f"{option}{source.choice.classes} names {len(source.names)} classes, but the weights "
            f"are for {count}: one name a line, in the order of training"
        )
    raise ModelError(
        f"{source.path} is trained for {count} classes, not torchvision's {len(names)}: name them "
        f"with {option}FILE, a text file with one name a line, in the order of training"
    )


def _device(source: Source, device: str) -> str:
    torch = import_extra("torch", EXTRA)
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError(
            f"--param {source.choice.task}.device=cuda: torch sees no CUDA GPU on this machine; "
            "use auto or cpu"
        )
    return "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"


def _drop_epsilon(module: Module) -> None:
    norm = import_extra("torch.nn", EXTRA).BatchNorm2d
    for layer in module.modules():
        if isinstance(layer, norm):
            layer.eps = 0.0


def _about(source: Source, device: str) -> Answer:
    torch, vision = import_extra("torch", EXTRA), import_extra("torchvision", EXTRA)
    where = torch.cuda.get_device_name() if device == "cuda" else device
    return {
        "task": source.choice.task.value,
        "model": source.choice.model,
        "weights": source.weights,
        "sha256": source.sha256[:12],
        "recipe": RECIPE,
        "runtime": f"torch {torch.__version__}, torchvision {vision.__version__}, {where}",
    }
