"""Animation of a model's states and gates in a terminal while a sequence runs through it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.memory import lstm
from zoo.memory.inspection import call_prediction
from zoo.memory.sample import make_sample, material_from_manifest
from zoo.memory.states import record_states
from zoo.memory.terminal import play_frames


def play_model(
    model: keras.Model,
    *,
    manifest: Mapping[str, Any] | None = None,
    csv: Path | None = None,
    seed: int = 0,
    steps_per_second: float = 20.0,
) -> None:
    """Draw every state and gate of the first path, step by step, on standard output.

    Args:
        model: a Keras model with one input (batch, time, features) and recurrent layers.
        manifest: its manifest if it is a saved model.
        csv: inputs, see `zoo.memory.sample.make_sample`; None: a loading cycle, or noise.
        seed: seed of the noise.
        steps_per_second: frame rate on a terminal [1/s].

    Raises:
        ValueError: if the model has other inputs or no recurrent layer, or the file does not fit.
        OSError: if the file cannot be read.
    """
    sample = make_sample(model, material_from_manifest(manifest or {}), csv, seed)
    rows: dict[str, np.ndarray] = {}
    predictions = np.asarray(call_prediction(model, sample.x))
    time_s = np.cumsum(sample.dt[:, 0])
    for number, run in enumerate(record_states(model, sample.x)):
        shown = {name: run.part(name) for name in run.parts}
        if isinstance(run.cell, keras.layers.LSTMCell):
            gates = lstm.compute_gates(run)._asdict()
            shown |= {name: gates[name] for name in ("input", "forget", "output")}
        # behind a stride a layer has fewer steps: it holds each for as many of the input's
        held = np.arange(len(time_s)) * len(run.x) // len(time_s)
        rows |= {f"{name}_{number}": values[held, 0] for name, values in shown.items()}
    has_steps = predictions.ndim == 3 and predictions.shape[1] == len(time_s)

    def head(step: int) -> str:
        text = f"step {step + 1}/{len(time_s)}"
        if sample.is_loading:
            text += f"  time {time_s[step]:.2f} s  strain {sample.x[0, step, 0]:+.3f}"
        return text + (f"  prediction {predictions[0, step, 0]:+.3f}" if has_steps else "")

    play_frames(head, rows, steps_per_second=steps_per_second)
