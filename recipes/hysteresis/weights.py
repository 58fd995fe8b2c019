"""Networks whose weights were trained elsewhere, by `recipes.hysteresis.train_on_gpu`."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.cells import GRUCell, LSTMCell, SimpleRNNCell
from zoo.models.loading import load_keras_model
from zoo.recurrent import (
    Increments,
    Scaling,
    is_plain,
    predictor,
    recurrent_layers,
    recurrent_model,
    visible_model,
)
from zoo.training import History

TOLERANCE = 1e-4  # of the largest stress, between a network there and its copy here [-]
CELLS = {"lstm": LSTMCell, "gru": GRUCell, "rnn": SimpleRNNCell}


@dataclass(frozen=True)
class TrainedElsewhere:
    """A network and how it was trained.

    Attributes:
        model: with the weights of the file.
        history: thirty points in the course of the training.
        entry: entry `training` of a manifest.
        budget: one clause, for the name of a baseline.
    """

    model: keras.Model
    history: History
    entry: dict[str, Any]
    budget: str


def read_weights(path: Path, cell: str, layers: int, units: int) -> TrainedElsewhere:
    """Build the network of a weights file.

    Args:
        path: `.npz` from `recipes.hysteresis.train_on_gpu`.
        cell: "lstm", "gru" or "rnn".
        layers: expected.
        units: expected.

    Raises:
        ValueError: no such file, another network, values that are not finite, or another stress
            than that of the file's own examples.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            values = {name: file[name] for name in file.files}
        entry = json.loads(values.pop("training").tobytes())
        example_x, example_stress = values.pop("example_x"), values.pop("example_stress")
        stated = entry["cell"], int(entry["settings"]["units"])
        scaling = Scaling(
            *(tuple(values.pop(f"{v}_{s}").tolist()) for v in "xy" for s in ("mean", "std"))
        )
        history = entry["history"]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} must be a file of `python -m recipes.hysteresis.train_on_gpu`. "
            f"Received: {type(error).__name__}: {str(error).splitlines()[0]}."
        ) from None
    if stated != (cell, units) or f"kernel_{layers - 1}" not in values:
        raise ValueError(
            f"{path} holds a {stated[0].upper()} of {stated[1]} units. Expected {layers} layers of "
            f"{cell.upper()} with {units}: give --cell and --units to fit."
        )
    if not all(np.isfinite(each).all() for each in values.values()):
        raise ValueError(f"{path} holds weights that are not finite.")
    model = recurrent_model(
        [CELLS[cell](units) for _ in range(layers)], front=Increments(), scaling=scaling, name=cell
    )
    for k, layer in enumerate(recurrent_layers(model)):
        layer.cell.set_weights([values[f"{name}_{k}"] for name in ("kernel", "recurrent", "bias")])
    model.get_layer("readout").set_weights([values["readout_kernel"], values["readout_bias"]])
    off = np.abs(predictor(model)(example_x)[..., 0] - example_stress).max()
    if not off < TOLERANCE * np.abs(example_stress).max():
        raise ValueError(
            f"{path}: this network's stress is off by {off:.2g} on the file's own examples."
        )
    settings = entry["settings"]
    seconds = [float(point["seconds"]) for point in history]
    return TrainedElsewhere(
        model,
        History(
            loss=[float(point[f"{cell}_loss"]) for point in history],
            val_loss=[float(point[cell]) for point in history],
            learning_rate=[float(point["learning_rate"]) for point in history],
            seconds=seconds,
        ),
        {
            "seed": settings["seed"],
            "paths": settings["paths"] + settings["long_paths"],
            "steps": 200,
            "batch_size": settings["batch"],
            "optimizer_steps": entry["optimizer_steps"],
            "learning_rate": settings["learning_rate"],
            "validation_loss": float(history[-1][cell]),
            "ended": "complete",
            "seconds": round(60 * float(settings["minutes"]), 1),
            "device": entry["device"],
            "framework": entry["framework"],
        },
        f"{entry['optimizer_steps']} steps of {settings['batch']}",
    )


def read_start(
    path: Path, cell: str, layers: int, units: int
) -> tuple[keras.Model, dict[str, Any]]:
    """A network to go on training from, and how it was trained.

    Args:
        path: `.npz` from `recipes.hysteresis.train_on_gpu`, or the folder or name of a saved model.
        cell: "lstm", "gru" or "rnn".
        layers: expected.
        units: expected.

    Returns:
        The model; entry `training` of its manifest, for `before` of the next one.

    Raises:
        ValueError: as `read_weights`; a saved model of another kind.
    """
    if path.suffix == ".npz":
        given = read_weights(path, cell, layers, units)
        return given.model, dict(given.entry)
    plain, manifest = load_keras_model(path)
    model = visible_model(plain) if is_plain(plain) else plain
    kinds_and_widths = [(type(layer.cell), layer.cell.units) for layer in recurrent_layers(model)]
    if kinds_and_widths != [(CELLS[cell], units)] * layers:
        listed = (
            ", ".join(f"{kind.__name__} of {width}" for kind, width in kinds_and_widths) or "none"
        )
        raise ValueError(
            f"{path} has the recurrent layers {listed}. Expected {layers} layers of "
            f"{cell.upper()} with {units}: give --cell, --layers and --units to fit."
        )
    return model, {**manifest.get("training", {}), "made_by": manifest.get("provenance", "")}
