"""What each recurrent layer of a model went through on one batch: its inputs and all its states."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops


@dataclass(frozen=True)
class Pass:
    """One recurrent layer on one batch, in the order in which the layer read it; time comes first.

    The parts of a state (hidden, cell, ...) stand side by side on the last axis, `width` in all.

    Attributes:
        name: of the layer.
        cell: the layer's cell, any Keras RNN cell or `zoo.cells.VisibleCell`.
        parts: name -> place of each part of the state on the last axis.
        x: inputs of the layer, (time, batch, features).
        states: before the first step and after every step, (time + 1, batch, width).
        counts: False where a step is masked and the state stands still, (time, batch).
    """

    name: str
    cell: Any
    parts: dict[str, slice]
    x: np.ndarray
    states: np.ndarray
    counts: np.ndarray

    @property
    def width(self) -> int:
        """Of the whole state."""
        return self.states.shape[-1]

    def part(self, name: str) -> np.ndarray:
        """One part of the state after every step, (time, batch, units)."""
        return self.states[1:, :, self.parts[name]]


def passes(model: keras.Model, x: Any) -> list[Pass]:
    """Run `model` on `x` without training and note every recurrent layer, in the order of calls.

    Layers inside of wrappers (`Bidirectional`) and inside of models are found; a shared layer gives
    one pass for each call. Masks, initial states and `go_backwards` are respected.

    Args:
        model: with keras.layers.SimpleRNN, GRU, LSTM, RNN, or zoo's own layers, anywhere in it.
        x: one batch, as the model takes it.

    Raises:
        ValueError: if the model has no recurrent layer.
    """
    calls = []
    with ExitStack() as stack:
        for layer in model._flatten_layers():
            if isinstance(layer, keras.layers.RNN):
                stack.enter_context(_noted(layer, calls))
        if isinstance(x, np.ndarray):
            x = ops.convert_to_tensor(x)
        model(x, training=False)
    if not calls:
        raise ValueError(
            "A model with a recurrent layer (SimpleRNN, GRU, LSTM, RNN) was expected, whose states "
            f"can be followed. Received: {model.name}, which has none. Give another model."
        )
    return [follow(**call) for call in calls]


def follow(
    cell: Any,
    x: Any,
    *,
    initial: Sequence[Any] | None = None,
    mask: Any = None,
    name: str = "cell",
) -> Pass:
    """Run one cell over time and keep every state.

    Args:
        cell: any Keras RNN cell; built here if need be.
        x: inputs, (batch, time, features).
        initial: state before the first step, one (batch, units) each part; by default the cell's.
        mask: (batch, time), False where the state stands still; None where every step counts.
        name: of the pass.
    """
    import tensorflow as tf

    if not cell.built:
        cell.build((x.shape[0], x.shape[-1]))
    dtype = cell.compute_dtype
    x = tf.transpose(tf.convert_to_tensor(ops.cast(x, dtype)), (1, 0, 2))
    steps, batch = x.shape[:2]
    if not steps:
        raise ValueError("At least one step is needed to follow a state. Received: none.")
    if initial is None:
        initial = _first_state(cell, batch)
    # a part may be shared between sequences; scan wants the shape that it will have after a step
    initial = [
        tf.broadcast_to(tf.cast(part, dtype), (batch, part.shape[-1]))
        for part in (initial if isinstance(initial, list | tuple) else [initial])
    ]
    widths = [part.shape[-1] for part in initial]
    counts = np.ones((steps, batch), bool) if mask is None else np.asarray(mask, bool).T
    counts = tf.constant(counts)

    @tf.function(autograph=False, jit_compile=False)
    def run(x, counts, start):
        def step(state, now):
            after = advance(cell, now[0], state, widths)
            return tf.where(now[1][:, None], after, state)

        return tf.scan(step, (x, counts), start)

    start = tf.concat(initial, axis=-1)
    run = run.get_concrete_function(x, counts, start)
    states = np.concatenate([start[None], run(x, counts, start)])
    return Pass(name, cell, _parts(cell, widths), x.numpy(), states, counts.numpy())


def advance(cell: Any, x: Any, state: Any, widths: Sequence[int]) -> Any:
    """One step of any cell, from joined state to joined state, (batch, width)."""
    ends = np.cumsum(widths).tolist()
    state = [state[:, end - width : end] for end, width in zip(ends, widths, strict=True)]
    if hasattr(cell, "step"):
        after, _ = cell.step(x, cell.state_of(state))
    else:
        _, after = cell.call(x, state)
    return ops.concatenate(list(after), axis=-1)


def _first_state(cell: Any, batch: int) -> Any:
    """As `keras.layers.RNN` begins: what the cell says, else zeros."""
    if hasattr(cell, "get_initial_state"):
        return cell.get_initial_state(batch)
    sizes = cell.state_size if isinstance(cell.state_size, list | tuple) else [cell.state_size]
    return [ops.zeros((batch, size)) for size in sizes]


def _parts(cell: Any, widths: Sequence[int]) -> dict[str, slice]:
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
def _noted(layer: keras.layers.RNN, calls: list[dict]) -> Iterator[None]:
    """Note what `layer` is called with, whatever model or wrapper calls it."""
    call = layer.call

    def noting(sequences, initial_state=None, mask=None, training=False):
        state = initial_state
        if state is None and layer.stateful:
            state = [ops.convert_to_tensor(np.array(part)) for part in layer.states]
        backwards = (lambda v: ops.flip(v, axis=1)) if layer.go_backwards else (lambda v: v)
        calls.append(
            {
                "cell": layer.cell,
                "x": backwards(sequences),
                "initial": state,
                "mask": None if mask is None else backwards(mask),
                "name": layer.name,
            }
        )
        return call(sequences, initial_state=initial_state, mask=mask, training=training)

    layer.call = noting
    try:
        yield
    finally:
        del layer.call
