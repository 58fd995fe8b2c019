"""A stress model, run step by step: its states are outputs of one step and inputs of the next."""

import math
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .histories import Loading
from .manifest import read_verified
from .outputs import writing

Arrays = dict[str, np.ndarray]
Step = Callable[[Arrays], Arrays]  # inputs and states -> prediction and next states


def open_saved_model(folder: Path, manifest: dict[str, Any]) -> tuple[Step, str]:
    """The endpoint `step` of the SavedModel, and the name of the runtime.

    It is opened from a private copy of the bytes that were verified.

    Raises:
        ValueError: if a file was changed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # not all memory of a GPU at once
    import tensorflow as tf  # imported here: --tflite runs without it

    with tempfile.TemporaryDirectory() as private:
        for name in manifest["files"]:
            if name.startswith("serving/") and ".." not in Path(name).parts:
                copy = Path(private, name)
                copy.parent.mkdir(parents=True, exist_ok=True)
                content = read_verified(folder, manifest, name)
                with writing(copy) as temporary:
                    temporary.write_bytes(content)
        loaded = tf.saved_model.load(str(Path(private, "serving")))
    run = loaded.signatures["step"]

    def step(inputs: Arrays, loaded: Any = loaded) -> Arrays:  # keeps the variables alive
        outputs = run(**{name: tf.constant(value) for name, value in inputs.items()})
        return {name: value.numpy() for name, value in outputs.items()}

    return step, "SavedModel"


def open_tflite(folder: Path, manifest: dict[str, Any], file: str) -> tuple[Step, str]:
    """A TFLite step model, and the name of the runtime.

    Raises:
        ValueError: if the folder has no such step model.
    """
    from ai_edge_litert.interpreter import Interpreter  # imported here: a SavedModel needs it not

    if file not in manifest["files"] or not file.startswith("step"):
        steps = [each for each in manifest["files"] if each.startswith("step")]
        raise ValueError(f"{folder}: no step model {file}. There are: {', '.join(steps)}.")
    # From bytes: a damaged file given by name can end the process.
    interpreter = Interpreter(model_content=read_verified(folder, manifest, file))
    run = interpreter.get_signature_runner("step")

    def step(inputs: Arrays) -> Arrays:
        return {name: value.copy() for name, value in run(**inputs).items()}

    return step, f"LiteRT, {file}"


def initial_states(manifest: dict[str, Any]) -> Arrays:
    """The states before the first step, all zero: name -> (1, width)."""
    tensors = manifest["signatures"]["step"]["inputs"]
    return {
        name: np.zeros((1, *tensor["shape"][1:]), np.float32)
        for name, tensor in tensors.items()
        if name != "x"
    }


def warn_outside(manifest: dict[str, Any], loading: Loading) -> None:
    """Say on standard error what of a history lies outside the range that the model was trained on.

    The model answers there too, only less well.
    """
    trained = manifest.get("trained_range")
    if not trained:
        return
    largest, rate = trained["amplitude"], trained["rates"][1]
    for name, values, (low, high), unit in (
        ("strain", loading.strain, trained.get("strain") or (-largest, largest), ""),
        ("rate", loading.rate, (-rate, rate), " 1/s"),
        ("time step", loading.dt, (0, trained["dt_s"][1]), " s"),
    ):
        # a range that ends at 0 leaves room for offset and noise on the other side
        least, most = min(1.01 * low, -0.05 * high), max(1.01 * high, -0.05 * low)
        lowest, highest = float(np.min(values)), float(np.max(values))
        for reached, is_outside in ((lowest, lowest < least), (highest, highest > most)):
            if is_outside:
                print(
                    f"warning: {name} to {reached:.3g}{unit}, trained from {low:.3g} to "
                    f"{high:.3g}{unit}",
                    file=sys.stderr,
                )


def predict(step: Step, states: Arrays, loading: Loading) -> np.ndarray:
    """Stress after every step, (steps,); the states of each step are inputs of the next one.

    Raises:
        ValueError: if the stress is NaN or infinite.
    """
    stress = []
    for now in zip(loading.strain, loading.rate, loading.dt, strict=True):
        outputs = step({"x": np.array([now], np.float32), **states})
        states = {name: outputs[f"{name}_next"] for name in states}
        stress.append(float(outputs["prediction"][0, 0]))
        if not math.isfinite(stress[-1]):
            raise ValueError(
                f"step {len(stress)}: the stress is {stress[-1]}. The history lies far outside the "
                f"range of the model: strain {now[0]:g}, rate {now[1]:g} 1/s, step {now[2]:g} s."
            )
    return np.array(stress)
