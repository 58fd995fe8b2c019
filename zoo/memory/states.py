"""States of every recurrent layer of a model, recorded over one batch."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops


@dataclass(frozen=True)
class LayerStates:
    """Inputs and states of one recurrent layer over one batch; time is the first axis.

    Steps are in the order in which the layer processed them. The parts of a state (hidden, cell,
    ...) are concatenated on the last axis, `width` units in all.

    Attributes:
        name: name of the layer.
        cell: cell of the layer, any Keras RNN cell or `zoo.cells.VisibleCell`.
        parts: name of each part of the state -> its slice of the last axis.
        x: inputs of the layer, (time, batch, features).
        states: states before the first step and after every step, (time + 1, batch, width).
        mask: True where a step is processed, False where it is masked and the state stays as it
            was, (time, batch).
    """

    name: str
    cell: Any
    parts: dict[str, slice]
    x: np.ndarray
    states: np.ndarray
    mask: np.ndarray

    @property
    def width(self) -> int:
        """Number of units of the whole state."""
        return self.states.shape[-1]

    def part(self, name: str) -> np.ndarray:
        """One part of the state after every step, (time, batch, units)."""
        return self.states[1:, :, self.parts[name]]


def record_states(model: keras.Model, x: Any) -> list[LayerStates]:
    """Run a model in inference mode and record the states of its recurrent layers.

    Layers inside wrappers (`Bidirectional`) and nested models are included; a shared layer gives
    one entry per call. Masks, initial states and `go_backwards` are respected.

    Args:
        model: a model with keras.layers.SimpleRNN, GRU, LSTM, RNN, or layers of `zoo.recurrent`.
        x: one batch, as the model takes it.

    Returns:
        One entry per recurrent layer, in the order of the calls.

    Raises:
        ValueError: if the model has no recurrent layer.
    """
    calls: list[dict[str, Any]] = []
    with ExitStack() as stack:
        for layer in model._flatten_layers():
            if isinstance(layer, keras.layers.RNN):
                stack.enter_context(_recording(layer, calls))
        if isinstance(x, np.ndarray):
            x = ops.convert_to_tensor(x)
        model(x, training=False)
    if not calls:
        raise ValueError(
            "A model with a recurrent layer (SimpleRNN, GRU, LSTM, RNN) was expected. Received: "
            f"{model.name}, which has none, so there is no state to analyse. Use another model."
        )
    return [run_cell(**call) for call in calls]


def run_cell(
    cell: Any,
    x: Any,
    *,
    initial: Any = None,
    mask: Any = None,
    name: str = "cell",
) -> LayerStates:
    """Run one cell over time and keep every state.

    Args:
        cell: any Keras RNN cell; it is built here if necessary.
        x: inputs, (batch, time, features).
        initial: initial state, one (batch, units) per part; None: the cell's own.
        mask: (batch, time), False where the state stays as it was; None: every step counts.
        name: name of the result.

    Returns:
        Inputs and states.

    Raises:
        ValueError: if `x` has no time steps.
    """
    if not cell.built:
        cell.build((x.shape[0], x.shape[-1]))
    dtype = cell.compute_dtype
    x = tf.transpose(tf.convert_to_tensor(ops.cast(x, dtype)), (1, 0, 2))  # (time, batch, features)
    steps, batch = x.shape[:2]
    if not steps:
        raise ValueError("`x` must have at least one time step. Received: none.")
    if initial is None:
        initial = _initial_state(cell, batch)
    # A part may have batch size 1; tf.scan needs the shape that it has after a step.
    parts = [
        tf.broadcast_to(tf.cast(part, dtype), (batch, part.shape[-1]))
        for part in (initial if isinstance(initial, list | tuple) else [initial])
    ]
    widths = [part.shape[-1] for part in parts]
    processed = tf.constant(
        np.ones((steps, batch), bool) if mask is None else np.asarray(mask, bool).T
    )

    @tf.function(autograph=False, jit_compile=False)
    def run(x: Any, processed: Any, start: Any) -> Any:
        def step(state: Any, inputs: Any) -> Any:
            after = step_cell(cell, inputs[0], state, widths)
            return tf.where(inputs[1][:, None], after, state)

        return tf.scan(step, (x, processed), start)

    start = tf.concat(parts, axis=-1)
    run = run.get_concrete_function(x, processed, start)
    states = np.concatenate([start[None], run(x, processed, start)])
    return LayerStates(name, cell, _name_parts(cell, widths), x.numpy(), states, processed.numpy())


def step_cell(cell: Any, x: Any, state: Any, widths: Sequence[int]) -> Any:
    """One step of any Keras RNN cell on a concatenated state.

    Args:
        cell: the cell.
        x: input of the step, (batch, features).
        state: concatenated state, (batch, width).
        widths: units of each part of the state.

    Returns:
        The next concatenated state, (batch, width).
    """
    ends = np.cumsum(widths).tolist()
    state = [state[:, end - width : end] for end, width in zip(ends, widths, strict=True)]
    if hasattr(cell, "step"):
        after, _ = cell.step(x, cell.state_of(state))
    else:
        _, after = cell.call(x, state)
    return ops.concatenate(list(after), axis=-1)


def _initial_state(cell: Any, batch: int) -> Any:
    """Initial state as in `keras.layers.RNN`: the cell's own, else zeros."""
    if hasattr(cell, "get_initial_state"):
        return cell.get_initial_state(batch)
    sizes = cell.state_size if isinstance(cell.state_size, list | tuple) else [cell.state_size]
    return [ops.zeros((batch, size)) for size in sizes]


def _name_parts(cell: Any, widths: Sequence[int]) -> dict[str, slice]:
    if hasattr(cell, "State"):
        names = cell.State._fields
    elif len(widths) <= 2:
        names = ("hidden", "cell")[: len(widths)]
    else:
        names = [f"state_{k}" for k in range(len(widths))]
    ends = np.cumsum(widths).tolist()
    return {
        name: slice(end - width, end) for name, end, width in zip(names, ends, widths, strict=True)
    }


@contextmanager
def _recording(layer: keras.layers.RNN, calls: list[dict[str, Any]]) -> Iterator[None]:
    """Append the arguments of every call of `layer` to `calls`."""
    call = layer.call

    def record(
        sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        state = initial_state
        if state is None and layer.stateful:
            state = [ops.convert_to_tensor(np.array(part)) for part in layer.states]
        reverse = (lambda v: ops.flip(v, axis=1)) if layer.go_backwards else (lambda v: v)
        calls.append(
            {
                "cell": layer.cell,
                "x": reverse(sequences),
                "initial": state,
                "mask": None if mask is None else reverse(mask),
                "name": layer.name,
            }
        )
        return call(sequences, initial_state=initial_state, mask=mask, training=training)

    layer.call = record
    try:
        yield
    finally:
        del layer.call
