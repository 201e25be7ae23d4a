"""Sessions of the two model runtimes, one thread each, on weights whose SHA-256 was checked.

The provider runs one image per thread, so that a session with threads of its own would only make
them wait for each other.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from visionhub import archives, places
from visionhub.weights import ModelCard
from visionhub_embedded.base import package

Array = NDArray[Any]


def load(card: ModelCard) -> list[bytes]:
    """Read the card's files, in its order, each checked; absent ones are pulled.

    Raises ModelError.
    """
    paths: list[Path | None] = [places.locate(file) for file in card.files]
    if None in paths:
        paths = [*archives.ensure(card, lambda _line: None)]
    return [places.read(file, path) for file, path in zip(card.files, paths, strict=True) if path]


class OnnxModel:
    """An ONNX graph in onnxruntime on the CPU.

    inputs: name -> shape, where a size that is free is 0. metadata: what the file says of itself.
    """

    def __init__(self, weights: bytes | Path) -> None:
        ort = package("onnxruntime")
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only: exported graphs often warn of leftovers
        source = weights if isinstance(weights, bytes) else str(weights)
        self._session = ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        self._outputs = [node.name for node in self._session.get_outputs()]
        self.inputs: dict[str, tuple[int, ...]] = {
            node.name: tuple(size if isinstance(size, int) else 0 for size in node.shape)
            for node in self._session.get_inputs()
        }
        self.metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map

    def run(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """Compute the outputs by name."""
        found = self._session.run(self._outputs, dict(feed))
        return dict(zip(self._outputs, found, strict=True))


class LiteRtModel:
    """A LiteRT (TensorFlow Lite) graph with one input.

    dtype: of the input; scale, zero: real value = scale * (stored - zero), for integer inputs.
    """

    def __init__(self, weights: bytes) -> None:
        runtime = package("ai_edge_litert.interpreter")
        with _Stderr.without(b"INFO: Created TensorFlow Lite"):
            self._graph = runtime.Interpreter(model_content=weights, num_threads=1)
            self._graph.allocate_tensors()
        [entry] = self._graph.get_input_details()
        self._input: int = entry["index"]
        self.dtype = np.dtype(entry["dtype"])
        self.shape: tuple[int, ...] = tuple(int(size) for size in entry["shape"])
        self.scale, self.zero = (float(value) for value in entry["quantization"])
        self._outputs = [
            (int(node["index"]), float(node["quantization"][0]), float(node["quantization"][1]))
            for node in self._graph.get_output_details()
        ]

    def run(self, batch: Array) -> list[Array]:
        """Compute the outputs in the graph's order, as real numbers; copies, safe to keep."""
        self._graph.set_tensor(self._input, batch)
        self._graph.invoke()
        return [self._real(*output) for output in self._outputs]

    def _real(self, index: int, scale: float, zero: float) -> Array:
        found: Array = self._graph.get_tensor(index)
        if not scale:
            return found
        return (found.astype(np.float32) - np.float32(zero)) * np.float32(scale)


class _Stderr:
    """The process's own standard error, which the runtime writes a notice to from C++."""

    alone: ClassVar[threading.Lock] = threading.Lock()  # the descriptor belongs to all threads

    @classmethod
    @contextmanager
    def without(cls, notice: bytes) -> Iterator[None]:
        """Hold back lines that begin with `notice`; every other line is written afterwards."""
        with cls.alone, tempfile.TemporaryFile() as held:
            sys.stderr.flush()
            real = os.dup(2)
            try:
                os.dup2(held.fileno(), 2)
                yield
            finally:
                os.dup2(real, 2)
                held.seek(0)
                kept = [line for line in held if not line.startswith(notice)]
                os.write(2, b"".join(kept))
                os.close(real)
