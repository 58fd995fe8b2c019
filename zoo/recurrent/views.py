"""Other models on the weights of a recurrent model: other outputs, one step, Keras' own layers."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, ops

from zoo.cells.visible import VisibleCell
from zoo.full_precision import without_tf32
from zoo.recurrent.layers import VisibleRNN, fused_graphs
from zoo.recurrent.model import RecurrentModel, rebuild


def view(
    model: keras.Model,
    *,
    show: Callable[[VisibleCell], Sequence[str]] | None = None,
    fused: bool = True,
    batch_size: int | None = None,
    time: int | None = None,
) -> RecurrentModel:
    """A model on the same weights with other outputs, another shape, or another loop over time.

    The weights are shared, not copied: training one trains the other.

    Args:
        model: from `recurrent_model`.
        show: quantities that each cell emits, its output first; e.g. `lambda cell: cell.visible`
            for all of them. Default: as in `model`.
        fused: see `VisibleRNN`; False for the loop in every case.
        batch_size: fixed number of sequences, or None.
        time: fixed number of steps, or None.

    Raises:
        ValueError: a model of another kind, or a quantity that a cell does not have.
    """
    x = keras.Input((time, model.input.shape[-1]), batch_size=batch_size, name="x")
    outputs = {}

    def over_time(k: int, layer: VisibleRNN, h: KerasTensor) -> KerasTensor:
        cell = layer.cell if show is None else layer.cell.showing(show(layer.cell))
        shown = VisibleRNN(cell, fused=fused, name=layer.name)(h)
        outputs.update({f"{quantity}_{k}": values for quantity, values in shown.items()})
        return shown[cell.show[0]]

    prediction = rebuild(model, x, over_time)
    return RecurrentModel(x, {"prediction": prediction, **outputs}, name=model.name)


def step_model(model: keras.Model) -> keras.Model:
    """The one-step twin, on the same variables.

    Inputs `x` (batch, features) and every state before the step, `hidden_0`, `cell_0`, ...
    (batch, width); outputs `prediction` (batch, targets) and every state after it,
    `hidden_0_next`, .... All states are zero before the first step.

    Args:
        model: from `recurrent_model`.

    Raises:
        ValueError: a model of another kind.
    """
    x = keras.Input((model.input.shape[-1],), name="x")
    inputs, outputs = {"x": x}, {}

    def one_step(k: int, layer: VisibleRNN, h: KerasTensor) -> KerasTensor:
        cell = layer.cell
        states = {
            f"{field}_{k}": keras.Input((cell.visible[field],), name=f"{field}_{k}")
            for field in cell.State._fields
        }
        inputs.update(states)
        emitted, state = cell(h, list(states.values()))
        outputs.update({f"{name}_next": value for name, value in zip(states, state, strict=True)})
        return cell.split(emitted)[cell.show[0]]

    prediction = rebuild(model, x, one_step)
    return keras.Model(inputs, {"prediction": prediction, **outputs}, name=f"{model.name}_step")


def plain_model(model: keras.Model) -> keras.Model:
    """A copy of a recurrent model out of Keras' own layers, which opens without this package.

    Outputs `prediction` and, for layer k, `hidden_k`. Weights are copied.

    Args:
        model: from `recurrent_model`, with SimpleRNN, GRU or LSTM cells.

    Raises:
        TypeError: a cell is not one of Keras' own.
        ValueError: a model of another kind.
    """
    x = keras.Input((None, model.input.shape[-1]), name="x")
    outputs = {}

    def plain_layer(k: int, layer: VisibleRNN, h: KerasTensor) -> KerasTensor:
        plain = _keras_layer(layer)
        h = plain(h)
        plain.set_weights(layer.get_weights())
        outputs[f"hidden_{k}"] = h
        return h

    prediction = rebuild(model, x, plain_layer, inline=True)
    return keras.Model(x, {"prediction": prediction, **outputs}, name=model.name)


def _keras_layer(layer: VisibleRNN) -> Any:
    """The Keras layer with the settings of a gated or simple recurrent layer of ours."""
    kinds = (keras.layers.SimpleRNN, keras.layers.GRU, keras.layers.LSTM)
    cells = (keras.layers.SimpleRNNCell, keras.layers.GRUCell, keras.layers.LSTMCell)
    for kind, cell in zip(kinds, cells, strict=True):
        if isinstance(layer.cell, cell):
            config = layer.cell.get_config()
            del config["show"]
            return kind(**{**config, "name": layer.name}, return_sequences=True)
    raise TypeError(
        "A plain model needs SimpleRNN, GRU or LSTM cells. "
        f"Received: {type(layer.cell).__name__}. Save the model itself instead."
    )


def predictor(
    model: keras.Model, batch_size: int = 128, output: str = "prediction"
) -> Callable[[np.ndarray], np.ndarray]:
    """One output of a model as a function of arrays: (paths, time, features) -> (paths, time, n).

    For any number of paths and steps. `Model.predict` would gather every state of every step as
    well and, on TensorFlow, compile loops with XLA, which is slower on a CPU.

    Args:
        model: with outputs by name.
        batch_size: most paths at a time.
        output: name of the output.
    """
    run = _graph(model, output) if keras.backend.backend() == "tensorflow" else None

    def predict(x: np.ndarray) -> np.ndarray:
        parts = [x[start : start + batch_size] for start in range(0, len(x), batch_size)]
        if run is not None:
            return np.concatenate([np.asarray(run(part)) for part in parts])
        return np.concatenate(
            [ops.convert_to_numpy(model(part, training=False)[output]) for part in parts]
        )

    return predict


def _graph(model: keras.Model, output: str) -> Callable[[np.ndarray], Any]:
    """TensorFlow graph of one output, for any number of paths and steps."""
    import tensorflow as tf  # not on the other backends

    def predict(x: Any) -> Any:
        with fused_graphs():
            return model(x, training=False)[output]

    signature = [tf.TensorSpec((None, None, model.input.shape[-1]), model.input.dtype)]
    # Traced here: called through tf.function, the sixth model of a process draws a warning.
    graph = tf.function(predict, input_signature=signature).get_concrete_function()

    def run(x: Any) -> Any:
        with without_tf32():  # errors of a model are smaller than those of TF32
            return graph(tf.cast(x, signature[0].dtype))

    return run
