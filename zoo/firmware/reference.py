"""Reference inputs and outputs of a step model, which a port must reproduce."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.edge import StepModel, golden
from zoo.firmware.c_syntax import float_array, identifier

RESERVED = ("features",)  # of the front end's own arrays


class Reference(NamedTuple):
    """Inputs, outputs and states of the first steps.

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


def compute_reference(folder: Path, model: StepModel, steps: int) -> Reference:
    """Run the first steps of the first golden case of the folder; without one, of noise.

    Args:
        folder: of the model.
        model: its step model, which is reset before and after.
        steps: number of them; fewer where the case is shorter.

    Raises:
        ValueError: a golden file that was changed.
    """
    x = _inputs(folder, model, steps)
    model.reset()
    first = model.states
    results = [model.step(each) for each in x]
    last = model.states
    model.reset()
    outputs = {name: np.stack([each[name] for each in results]) for name in model.output_names}
    return Reference(x, outputs, first, last)


def header(name: str, reference: Reference) -> str:
    """C declarations of what `source` defines."""
    upper, steps = name.upper(), len(reference.inputs)
    lines = [
        f"extern const float {array}[{values.size}];" for array, values in _arrays(name, reference)
    ]
    return f"""
/* Outputs of LiteRT on a computer for {steps} steps, one after another, and the states before the
   first and after the last of them. Integer models may differ by a step of their scale. */
#define {upper}_REFERENCE_STEPS {steps}
{chr(10).join(lines)}
"""


def source(name: str, reference: Reference) -> str:
    """C source: inputs, outputs and states as arrays."""
    arrays = [float_array(array, values) for array, values in _arrays(name, reference)]
    return "\n".join([f'#include "{name}.h"\n', *arrays])


def _arrays(name: str, reference: Reference) -> list[tuple[str, np.ndarray]]:
    """C name -> values; names of tensors come from the file and must be identifiers.

    Raises:
        ValueError: a name that is none, or two that become one.
    """
    parts = [("input", reference.inputs)]
    parts += [(identifier(each), values) for each, values in reference.outputs.items()]
    parts += [(f"{identifier(each)}_first", values) for each, values in reference.first.items()]
    parts += [(f"{identifier(each)}_last", values) for each, values in reference.last.items()]
    names = [each for each, _ in parts]
    for each in names:
        if names.count(each) > 1 or each in RESERVED:
            raise ValueError(f"Expected another name than {each!r} of an output: C has it already.")
    return [(f"{name}_reference_{each}", values) for each, values in parts]


def _inputs(folder: Path, model: StepModel, steps: int) -> np.ndarray:
    if golden.FILE in model.manifest["files"]:
        case = golden.read_golden(folder, model.manifest)[model.input_name][0]
        size = int(np.prod(model.input_shape))
        whole = case.size // size * size
        return case.reshape(-1)[:whole].reshape(-1, *model.input_shape)[:steps].astype(np.float32)
    noise = np.random.default_rng(0).normal(scale=0.1, size=(steps, *model.input_shape))
    return np.abs(noise).astype(np.float32)  # a time step must be positive
