"""Step model on a device: one time step in, outputs back, recurrent states kept inside."""

import contextlib
import os
import sys
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter, SignatureRunner

from zoo.edge.manifest_entries import step_file_name
from zoo.manifest import read_manifest, verified_bytes

Arrays = dict[str, npt.NDArray[np.float32]]


class StepModel:
    """A TFLite model that takes one step at a time, of stress or of sound.

    Its signature `step` has one input that is new at every step, such as `x` or `waveform`, and
    states: inputs NAME whose successors are the outputs NAME_next. `open` makes one from a folder.

    Attributes:
        manifest: of the folder.
        file: name of the file in it.
        input_name: of the input that is not a state.
        input_shape: its shape without the batch, such as (3,) or (hop,).
        output_names: of the outputs that are not states.

    Args:
        content: bytes of the file, verified.
        manifest: of its folder.
        file: its name.
        threads: that the interpreter may use; recurrent models gain nothing from more than one.
        signature: that takes a step.

    Raises:
        ValueError: not a TFLite file, or not a step model.
    """

    def __init__(
        self,
        content: bytes,
        manifest: Mapping[str, Any],
        file: str,
        threads: int = 1,
        signature: str = "step",
    ) -> None:
        self.manifest, self.file = manifest, file
        self._interpreter, self._run = _load(content, file, threads, signature)
        shapes: dict[str, tuple[int, ...]] = {
            name: tuple(int(size) for size in each["shape"])
            for name, each in self._run.get_input_details().items()
        }
        outputs = list(self._run.get_output_details())
        states = [name for name in shapes if f"{name}_next" in outputs]
        others = [name for name in shapes if name not in states]
        if len(others) != 1 or any(shape[0] != 1 for shape in shapes.values()):
            raise ValueError(
                f"{file}: expected one input of batch 1 besides the states, got "
                f"{', '.join(others) or 'none'}. Is it a step model?"
            )
        self.input_name = others[0]
        self.input_shape = shapes[self.input_name][1:]
        self.output_names = tuple(n for n in outputs if n.removesuffix("_next") not in states)
        self._initial: Arrays = {
            name: np.full(shapes[name], _initial_value(manifest, name), np.float32)
            for name in states
        }
        self.reset()

    @property
    def states(self) -> Arrays:
        """Copies of the states by name, each with its batch of one."""
        return {name: value.copy() for name, value in self._states.items()}

    def reset(self) -> None:
        """Set the states to their values before the first step."""
        self._states = {name: value.copy() for name, value in self._initial.items()}

    def warm_up(self) -> None:
        """Take one step of zeros and reset: the first step allocates memory and is slow."""
        with contextlib.suppress(ValueError):  # zeros may lie outside the range of a model
            self.step(np.zeros(self.input_shape, np.float32))
        self.reset()

    def step(self, x: npt.ArrayLike) -> Arrays:
        """Take one step and keep the next states.

        Args:
            x: new input, of `input_shape`, with or without a batch of one.

        Returns:
            Output name -> array without its batch, such as `prediction` (1,) or `probabilities`
            (classes,).

        Raises:
            ValueError: another shape; an input or an output that is not finite. The states are
                then as they were.
        """
        array = np.asarray(x, np.float32)
        if array.shape not in (self.input_shape, (1, *self.input_shape)):
            raise ValueError(
                f"`{self.input_name}` must have shape {self.input_shape}. Received: {array.shape}."
            )
        if not np.isfinite(array).all():
            raise ValueError(f"`{self.input_name}` must be finite. Received: NaN or infinity.")
        inputs = {self.input_name: array.reshape(1, *self.input_shape), **self._states}
        outputs = self._run(**inputs)
        if not all(np.isfinite(value).all() for value in outputs.values()):
            raise ValueError(
                "The output is not finite: the input lies far outside the range of the model."
            )
        self._states = {name: outputs[f"{name}_next"] for name in self._states}
        return {name: outputs[name][0] for name in self.output_names}


def open(path: str | Path, *, weights: str = "float32", threads: int = 1) -> StepModel:
    """Open a model folder, such as saved_models/hysteresis-lstm.

    The manifest is read, the file's SHA-256 is compared with the one in it, and only then is the
    file parsed.

    Args:
        path: folder with a manifest.json.
        weights: precision of the step file: "float32", "float16", "dynamic", "int8".
        threads: as for `StepModel`.

    Raises:
        ValueError: in one line: not a model folder, no such file, a file that was changed.
    """
    manifest = read_manifest(path)
    file = step_file_name(manifest, weights)
    return StepModel(verified_bytes(path, manifest, file), manifest, file, threads)


@contextlib.contextmanager
def quiet() -> Generator[None, None, None]:
    """Discard standard error, where the interpreter's C++ part logs."""
    sys.stderr.flush()
    stderr, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(null)


def _load(
    content: bytes, file: str, threads: int, signature: str
) -> tuple[Interpreter, SignatureRunner]:
    """Interpreter and signature runner. From bytes: a damaged file given by name can crash."""
    try:
        interpreter = Interpreter(model_content=content, num_threads=threads)
        return interpreter, interpreter.get_signature_runner(signature)
    except (ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{file}: not a TFLite step model ({reason}).") from None


def _initial_value(manifest: Mapping[str, Any], state: str) -> float:
    """Value of every entry of a state before the first step: `initial` in the manifest, or 0."""
    try:
        return float(manifest["signatures"]["step"]["inputs"][state].get("initial", 0.0))
    except (KeyError, AttributeError, TypeError, ValueError):
        raise ValueError(
            f"The manifest does not describe the state {state!r}. Export the model again."
        ) from None
