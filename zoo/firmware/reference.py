"""Inputs of a step model, and what it answers to them: what a port has to answer, too."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.edge import StepModel
from zoo.firmware.spelling import floats
from zoo.manifest import verified_bytes


class Reference(NamedTuple):
    """Steps from the first one on.

    Attributes:
        inputs: (steps, ...).
        outputs: name -> (steps, ...).
        first: state -> its value before the first step.
        last: state -> its value after the last step.
    """

    inputs: np.ndarray
    outputs: Mapping[str, np.ndarray]
    first: Mapping[str, np.ndarray]
    last: Mapping[str, np.ndarray]


def reference(folder: Path, model: StepModel, steps: int) -> Reference:
    """Run the first steps of the folder's first golden case; without one, of noise.

    Args:
        folder: of the model.
        model: its step model, which is reset before and after.
        steps: how many; fewer where the case is shorter.
    """
    x = _inputs(folder, model, steps)
    model.reset()
    first = model.states
    answers = [model.step(now) for now in x]
    last = model.states
    model.reset()
    outputs = {name: np.stack([each[name] for each in answers]) for name in model.output_names}
    return Reference(x, outputs, first, last)


def header(name: str, answers: Reference) -> str:
    """Declarations of `source`."""
    upper, steps = name.upper(), len(answers.inputs)
    lines = [
        f"extern const float {array}[{values.size}];" for array, values in _arrays(name, answers)
    ]
    return f"""
/* The answers of LiteRT on a computer to {steps} steps, one behind another, and the states before
   the first and after the last of them. Integer models may differ by a step of their scale. */
#define {upper}_REFERENCE_STEPS {steps}
{chr(10).join(lines)}
"""


def source(name: str, answers: Reference) -> str:
    """Inputs, outputs and states as arrays."""
    arrays = [floats(array, values) for array, values in _arrays(name, answers)]
    return "\n".join([f'#include "{name}.h"\n', *arrays])


def _arrays(name: str, answers: Reference) -> list[tuple[str, np.ndarray]]:
    return [
        (f"{name}_reference_input", answers.inputs),
        *((f"{name}_reference_{each}", values) for each, values in answers.outputs.items()),
        *((f"{name}_reference_{each}_first", values) for each, values in answers.first.items()),
        *((f"{name}_reference_{each}_last", values) for each, values in answers.last.items()),
    ]


def _inputs(folder: Path, model: StepModel, steps: int) -> np.ndarray:
    if "golden.npz" in model.manifest["files"]:
        content = verified_bytes(folder, model.manifest, "golden.npz")
        with np.load(io.BytesIO(content), allow_pickle=False) as golden:
            case = golden[model.input_name][0]
        size = int(np.prod(model.input_shape))
        whole = case.size // size * size
        return case.reshape(-1)[:whole].reshape(-1, *model.input_shape)[:steps].astype(np.float32)
    noise = np.random.default_rng(0).normal(scale=0.1, size=(steps, *model.input_shape))
    return np.abs(noise).astype(np.float32)  # a time step must be positive
