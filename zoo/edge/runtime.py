"""A step model on a device: one time step in, an answer out, the states kept inside."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.edge.folder import step_file
from zoo.manifest import read_manifest, verified_bytes

Arrays = dict[str, np.ndarray]


class StepModel:
    """A TFLite model that takes one step at a time, of stress or of sound.

    Its signature `step` has one input that is new at every step, such as `x` or `waveform`, and
    states: inputs NAME whose successors are the outputs NAME_next. `open` makes one from a folder.

    Attributes:
        manifest: what the folder says of the model.
        file: name of the file in it.
        input_name: of the input that is not a state.
        input_shape: its shape without the batch, such as (3,) or (hop,).
        output_names: of the outputs that are not states.

    Args:
        content: bytes of the file, verified.
        manifest: of its folder.
        file: its name.
        threads: that the interpreter may use; recurrent models gain nothing from more than one.

    Raises:
        ValueError: not a TFLite file, or not a step model.
    """

    def __init__(
        self, content: bytes, manifest: Mapping[str, Any], file: str, threads: int = 1
    ) -> None:
        self.manifest, self.file = manifest, file
        self._interpreter, self._run = _loaded(content, file, threads)
        inputs = {name: each["shape"] for name, each in self._run.get_input_details().items()}
        outputs = self._run.get_output_details()
        states = [name for name in inputs if f"{name}_next" in outputs]
        others = [name for name in inputs if name not in states]
        if len(others) != 1 or any(shape[0] != 1 for shape in inputs.values()):
            raise ValueError(
                f"{file}: expected one input of batch 1 besides the states, got "
                f"{', '.join(others) or 'none'}. Is it a step model?"
            )
        self.input_name = others[0]
        self.input_shape = tuple(int(n) for n in inputs[self.input_name][1:])
        self.output_names = tuple(n for n in outputs if n.removesuffix("_next") not in states)
        self._initial = {
            name: np.full(inputs[name], _initial_value(manifest, name), np.float32)
            for name in states
        }
        self.reset()

    @property
    def states(self) -> Arrays:
        """Copies of the states by name, each with its batch of one."""
        return {name: value.copy() for name, value in self._states.items()}

    def reset(self) -> None:
        """Forget everything: the states as before the first step."""
        self._states = {name: value.copy() for name, value in self._initial.items()}

    def step(self, x: np.ndarray) -> Arrays:
        """Take one step; the states go on to the next.

        Args:
            x: new input, of `input_shape`, with or without a batch of one.

        Returns:
            Output name -> array without its batch, such as `prediction` (1,) or `probabilities`
            (classes,).

        Raises:
            ValueError: another shape; an input or an answer that is not finite. The states are
                then as they were.
        """
        now = np.asarray(x, np.float32)
        if now.shape not in (self.input_shape, (1, *self.input_shape)):
            raise ValueError(
                f"`{self.input_name}` must have shape {self.input_shape}. Received: {now.shape}."
            )
        if not np.isfinite(now).all():
            raise ValueError(f"`{self.input_name}` must be finite. Received: NaN or infinity.")
        outputs = self._run(**{self.input_name: now.reshape(1, *self.input_shape)}, **self._states)
        if not all(np.isfinite(value).all() for value in outputs.values()):
            raise ValueError(
                "The answer is not finite: the input lies far outside what the model was made for."
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
    folder = Path(path)
    manifest = read_manifest(folder)
    file = step_file(manifest, weights)
    return StepModel(verified_bytes(folder, manifest, file), manifest, file, threads)


def _loaded(content: bytes, file: str, threads: int) -> tuple:
    """Interpreter and signature runner. From bytes: a damaged file given by name can crash."""
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_content=content, num_threads=threads)
        run = interpreter.get_signature_runner("step")
    except (ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{file}: not a TFLite step model ({reason}).") from None
    return interpreter, run


def _initial_value(manifest: Mapping[str, Any], state: str) -> float:
    """What every entry of a state is before the first step: zero unless the manifest says else."""
    try:
        return float(manifest["signatures"]["step"]["inputs"][state].get("initial", 0.0))
    except (KeyError, AttributeError, TypeError, ValueError):
        raise ValueError(
            f"The manifest does not describe the state {state!r}. Export the model again."
        ) from None
