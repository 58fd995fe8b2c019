"""Run TFLite files in TensorFlow Lite Micro on this machine: the optional package tflite-micro.

Its interpreter is the one of microcontrollers, with its reference kernels and its arena.
"""

import os
import re
import sys
import tempfile
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.edge import graph
from zoo.edge.microcontroller import obstacles
from zoo.edge.runtime import quiet

PACKAGE = "tflite_micro"
_MAX_ARENA_BYTES = 1 << 24


def is_installed() -> bool:
    """Whether the package tflite-micro is there."""
    return find_spec(PACKAGE) is not None


class MicroModel:
    """A TFLite file in TensorFlow Lite Micro; tensors by their names in the signature.

    Args:
        content: bytes of the file.
        name: of the file, for messages.
        arena: memory of the interpreter [bytes].

    Raises:
        ValueError: the package is not installed, or the file does not run in it or in this memory.
    """

    def __init__(self, content: bytes, name: str, arena: int = _MAX_ARENA_BYTES) -> None:
        self._graph = graph.read(content, name)
        self._name = name
        try:
            runtime: Any = import_module(f"{PACKAGE}.python.tflite_micro.runtime")  # optional
        except ImportError as error:
            raise ValueError(
                f"TensorFlow Lite Micro needs the package tflite-micro ({error}). Install it: "
                "pip install --pre tflite-micro."
            ) from None
        try:
            with quiet():
                self._interpreter: Any = runtime.Interpreter.from_bytes(content, arena_size=arena)
        except (RuntimeError, ValueError) as error:
            raise ValueError(
                f"{name} does not run in TensorFlow Lite Micro in {arena} bytes: {error}."
            ) from None

    def run(self, inputs: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        """Outputs by name.

        Args:
            inputs: by name, with their batch of one.

        Raises:
            ValueError: other inputs, or an operation that fails.
        """
        if set(inputs) != set(self._graph.inputs):
            raise ValueError(
                f"{self._name}: expected the inputs {', '.join(self._graph.inputs)}. "
                f"Received: {', '.join(inputs)}."
            )
        try:
            for k, name in enumerate(self._graph.inputs):
                self._interpreter.set_input(np.ascontiguousarray(inputs[name]), k)
            with quiet():
                self._interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            raise ValueError(f"{self._name} fails in TensorFlow Lite Micro: {error}.") from None
        return {
            name: np.array(self._interpreter.get_output(k))
            for k, name in enumerate(self._graph.outputs)
        }

    def arena_bytes(self) -> int:
        """Memory that the interpreter took of its arena, its own records included [bytes].

        Pointers have 8 bytes here: on a microcontroller the records are smaller.

        Raises:
            ValueError: the package reports no number.
        """
        with tempfile.TemporaryFile() as report:
            sys.stderr.flush()
            stderr = os.dup(2)
            os.dup2(report.fileno(), 2)
            try:
                self._interpreter.print_allocations()
            finally:
                os.dup2(stderr, 2)
                os.close(stderr)
            report.seek(0)
            total = re.search(rb"Arena allocation total (\d+)", report.read())
        if total is None:
            raise ValueError("tflite-micro reports no allocations. Install a newer version.")
        return int(total[1])


def arena_of(content: bytes, name: str) -> int | None:
    """Memory that a file takes; None: it does not run, or the package is not installed [bytes].

    Args:
        content: bytes of the file.
        name: of the file, for messages.
    """
    if obstacles(graph.read(content, name)) or not is_installed():
        return None
    return MicroModel(content, name).arena_bytes()
