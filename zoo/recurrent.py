"""Cells over time: sequence models that name every state at every step, and one-step twins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, ops

from zoo.cells.visible import VisibleCell


@keras.saving.register_keras_serializable("zoo")
class VisibleRNN(keras.layers.RNN):
    """`keras.layers.RNN` over a visible cell, returning every shown quantity by name.

    (batch, time, features) -> {name: (batch, time, width)}; without `return_sequences`,
    {name: (batch, width)}. Masks, initial states, `go_backwards`, `stateful` and `unroll` behave as
    in `keras.layers.RNN`. `keras.layers.Bidirectional` joins tensors, not names: give it
    `keras.layers.RNN(cell)`.

    Args:
        cell: a `zoo.cells.VisibleCell`.
        return_sequences: all steps, or only the last.
        fused: evaluate all steps in one op where the cell has one (`cell.sequence`). Faster in
            training; turn it off for a model that will be converted to TFLite.
        **kwargs: as for `keras.layers.RNN`; `return_state` must stay False, states have names.
    """

    def __init__(
        self,
        cell: VisibleCell,
        return_sequences: bool = True,
        fused: bool = True,
        **kwargs: Any,
    ) -> None:
        if kwargs.pop("return_state", False):
            raise ValueError(
                "`return_state` must be False: a VisibleRNN returns states by name. "
                f"Received: return_state=True. Try show={cell.State._fields} on the cell."
            )
        super().__init__(cell, return_sequences=return_sequences, **kwargs)
        self.fused = fused and hasattr(cell, "sequence")
        self.supports_jit = not self.fused

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Keras' hook for the loop over time: one op where the cell has one, else step by step."""
        fused = None
        if self.fused and mask is None and not self.unroll:
            fused = self._fused_loop(sequences, initial_state, training)
        if fused is not None:
            return fused
        return super().inner_loop(sequences, initial_state, mask=mask, training=training)

    def _fused_loop(self, sequences, initial_state, training):
        if self.go_backwards:
            sequences = ops.flip(sequences, axis=1)
        state = self.cell.State(*initial_state)
        result = self.cell.sequence(sequences, state, training=training)
        if result is None:
            return None
        emitted, state = result
        return emitted[:, -1], emitted, list(state)

    def call(self, sequences, initial_state=None, mask=None, training=False):
        """Run the cell over time and take its emissions apart, by name."""
        emitted = super().call(sequences, initial_state=initial_state, mask=mask, training=training)
        return self.cell.split(emitted)

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        """Shape of every shown quantity, by name."""
        *lead, _ = super().compute_output_shape(sequences_shape, initial_state_shape)
        return {name: (*lead, self.cell.visible[name]) for name in self.cell.show}

    def compute_mask(self, inputs, mask):
        """Every shown quantity carries the mask of the sequence."""
        return dict.fromkeys(self.cell.show, super().compute_mask(inputs, mask))

    def get_config(self) -> dict[str, Any]:
        """Settings, without `return_state`, which is never on."""
        config = super().get_config()
        del config["return_state"]
        return {**config, "fused": self.fused}


@keras.saving.register_keras_serializable("zoo")
class Increments(keras.layers.Layer):
    """Append what a step in time means: the increment of stretch and the logarithm of the step.

    (stretch, rate, dt) -> (stretch, rate, dt, rate dt, log dt), on the last axis. Time steps span
    decades; a network that sees dt alone can hardly tell the small ones apart.
    """

    def call(self, x):
        """(..., 3) -> (..., 5)."""
        rate, dt = x[..., 1:2], x[..., 2:3]
        return ops.concatenate([x, rate * dt, ops.log(dt)], axis=-1)

    def compute_output_shape(self, shape):
        """Two features more."""
        return (*shape[:-1], shape[-1] + 2)


@dataclass(frozen=True)
class Scaling:
    """Mean and standard deviation of training data: of every input feature and every target."""

    x_mean: tuple[float, ...]
    x_std: tuple[float, ...]
    y_mean: tuple[float, ...]
    y_std: tuple[float, ...]

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> "Scaling":
        """Measure the training data; steps of weight 0 do not count, constants keep their size.

        Args:
            x: (paths, time, features), as the front end gives them.
            y: (paths, time, targets).
            weight: (paths, time), or None where every step counts.
        """
        counts = np.ones(x.shape[:2], bool) if weight is None else np.asarray(weight) > 0
        stats = []
        for values in (np.asarray(x, np.float64)[counts], np.asarray(y, np.float64)[counts]):
            mean, std = values.mean(axis=0), values.std(axis=0)
            std = np.where(std > 1e-6 * np.abs(mean), std, 1.0)
            stats += [tuple(mean.tolist()), tuple(std.tolist())]
        return cls(*stats)


def recurrent_model(
    cells: Sequence[VisibleCell],
    *,
    features: int = 3,
    targets: int | None = 1,
    front: keras.layers.Layer | None = None,
    scaling: Scaling | None = None,
    fused: bool = True,
    name: str = "recurrent",
) -> keras.Model:
    """A stack of cells over time, from physical units to physical units.

    x -> front end -> scaling -> cells -> dense readout -> scaling -> prediction

    Args:
        cells: from the input up; every cell shows its states, and what its `show` asks for.
        features: width of the input.
        targets: width of the prediction; None if the last cell's first quantity is the prediction.
        front: layer between input and scaling that acts on the last axis.
        scaling: statistics of the training data, behind the front end; None for no scaling.
        fused: see `VisibleRNN`.
        name: name of the model.

    Returns:
        A model of `x` (batch, time, features) with the outputs `prediction` (batch, time, targets)
        and, for layer k, `hidden_k`, `cell_k` and whatever else cell k shows,
        (batch, time, width).
    """
    x = keras.Input((None, features), name="x")
    h = x if front is None else front(x)
    if scaling is not None:
        h = standardize(scaling.x_mean, scaling.x_std)(h)
    outputs = {}
    for k, cell in enumerate(cells):
        cell.set_visible(cell.visible, dict.fromkeys((*cell.show, *cell.State._fields)))
        shown = VisibleRNN(cell, fused=fused, name=f"layer_{k}")(h)
        outputs |= {f"{quantity}_{k}": values for quantity, values in shown.items()}
        h = shown[cell.show[0]]
    if targets is not None:
        h = keras.layers.Dense(targets, name="readout")(h)
    if scaling is not None:
        h = restore(scaling.y_mean, scaling.y_std)(h)
    return keras.Model(x, {"prediction": h, **outputs}, name=name)


def view(
    model: keras.Model,
    *,
    show: Callable[[VisibleCell], Sequence[str]] | None = None,
    fused: bool = True,
    batch_size: int | None = None,
    time: int | None = None,
) -> keras.Model:
    """The same weights, seen differently: other quantities, another shape, loop or fused op.

    Args:
        model: from `recurrent_model`.
        show: which quantities each cell shows, its output first; e.g. `lambda cell: cell.visible`
            for all of them. Default: as in `model`.
        fused: see `VisibleRNN`; False for TFLite.
        batch_size: fixed number of sequences, or None.
        time: fixed number of steps, or None.
    """
    x = keras.Input((time, model.input.shape[-1]), batch_size=batch_size, name="x")
    outputs = {}

    def over_time(k, layer, h):
        cell = layer.cell
        if show is not None:
            cell = type(cell).from_config({**cell.get_config(), "show": tuple(show(cell))})
        twin = VisibleRNN(cell, fused=fused, name=layer.name)
        shown = twin(h)
        twin.set_weights(layer.get_weights())
        outputs.update({f"{quantity}_{k}": values for quantity, values in shown.items()})
        return shown[cell.show[0]]

    prediction = _rebuild(model, x, over_time)
    return keras.Model(x, {"prediction": prediction, **outputs}, name=model.name)


def step_model(model: keras.Model) -> keras.Model:
    """The one-step twin, on the same variables.

    Inputs `x` (batch, features) and every state before the step, `hidden_0`, `cell_0`, ...
    (batch, width); outputs `prediction` (batch, targets) and every state after it,
    `hidden_0_next`, .... All states are zero before the first step.

    Args:
        model: from `recurrent_model`.
    """
    x = keras.Input((model.input.shape[-1],), name="x")
    inputs, outputs = {"x": x}, {}

    def one_step(k, layer, h):
        cell = layer.cell
        states = {
            f"{field}_{k}": keras.Input((cell.visible[field],), name=f"{field}_{k}")
            for field in cell.State._fields
        }
        inputs.update(states)
        emitted, state = cell(h, list(states.values()))
        outputs.update({f"{name}_next": value for name, value in zip(states, state, strict=True)})
        return cell.split(emitted)[cell.show[0]]

    prediction = _rebuild(model, x, one_step)
    return keras.Model(inputs, {"prediction": prediction, **outputs}, name=f"{model.name}_step")


def plain_model(model: keras.Model) -> keras.Model:
    """A gated model out of Keras' own layers, to be opened without this package.

    Outputs `prediction` and, for layer k, `hidden_k`. Weights are copied.

    Args:
        model: from `recurrent_model`, with SimpleRNN, GRU or LSTM cells.

    Raises:
        TypeError: if a cell is not one of Keras' own.
    """
    x = keras.Input((None, model.input.shape[-1]), name="x")
    outputs = {}

    def plain_layer(k, layer, h):
        kinds = (keras.layers.SimpleRNN, keras.layers.GRU, keras.layers.LSTM)
        kind = next((k for k in kinds if type(layer.cell).__name__ == f"{k.__name__}Cell"), None)
        if kind is None:
            raise TypeError(
                "A plain model needs SimpleRNN, GRU or LSTM cells. "
                f"Received: {type(layer.cell).__name__}. Save the model itself instead."
            )
        config = layer.cell.get_config()
        del config["show"]
        twin = kind(**{**config, "name": layer.name}, return_sequences=True)
        h = twin(h)
        twin.set_weights(layer.get_weights())
        outputs[f"hidden_{k}"] = h
        return h

    prediction = _rebuild(model, x, plain_layer, inline=True)
    return keras.Model(x, {"prediction": prediction, **outputs}, name=model.name)


def predictor(
    model: keras.Model, batch_size: int = 128, output: str = "prediction"
) -> Callable[[np.ndarray], np.ndarray]:
    """One output of a model as a function of arrays: (paths, time, features) -> (paths, time, n).

    Plain graph execution for any number of paths and steps: `Model.predict` would gather every
    state of every step as well, and compile loops with XLA, which is slower on a CPU.
    """
    import tensorflow as tf

    features = model.input.shape[-1]
    signature = [tf.TensorSpec((None, None, features), model.input.dtype)]
    run = tf.function(lambda x: model(x, training=False)[output], input_signature=signature)

    def predict(x: np.ndarray) -> np.ndarray:
        parts = [run(x[start : start + batch_size]) for start in range(0, len(x), batch_size)]
        return np.concatenate([np.asarray(part) for part in parts])

    return predict


def _rebuild(
    model: keras.Model,
    x: KerasTensor,
    recur: Callable[[int, VisibleRNN, KerasTensor], KerasTensor],
    inline: bool = False,
) -> KerasTensor:
    """Send `x` through the chain of layers, with `recur(k, layer, h)` in place of layer k in time.

    `inline` unfolds the weightless layers of this package into Keras operations.
    """
    k, h = 0, x
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        if isinstance(layer, VisibleRNN):
            h = recur(k, layer, h)
            k += 1
        elif inline and keras.saving.get_registered_name(type(layer)).startswith("zoo>"):
            h = layer.call(h)
        else:
            h = layer(h)
    return h


def standardize(mean: Sequence[float], std: Sequence[float]) -> keras.layers.Rescaling:
    """Units -> numbers of size one, on the last axis: (x - mean) / std."""
    scale = 1.0 / np.asarray(std)
    return keras.layers.Rescaling(
        scale.tolist(), (-np.asarray(mean) * scale).tolist(), name="x_scaling"
    )


def restore(mean: Sequence[float], std: Sequence[float]) -> keras.layers.Rescaling:
    """Numbers of size one -> units, on the last axis: y std + mean."""
    return keras.layers.Rescaling(list(std), list(mean), name="y_scaling")
