"""Layers of recurrent models: cells over time with named outputs, features of a time step."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import keras
from keras import KerasTensor, ops

from zoo.cells.checkpointed import can_checkpoint, checkpointed_sequence
from zoo.cells.gated.by_device import has_gpu, has_keras_layer, keras_layer_sequence
from zoo.cells.visible import VisibleCell

Shape = tuple[int | None, ...]

_fuses_graphs: ContextVar[bool] = ContextVar("fuses_graphs", default=False)
_is_compiled: ContextVar[bool] = ContextVar("is_compiled", default=False)


@contextmanager
def fused_graphs(compiled: bool = False) -> Iterator[None]:
    """While it lasts, all steps are evaluated at once in graphs too: they run in this process.

    Args:
        compiled: whether XLA compiles them.
    """
    tokens = _fuses_graphs.set(True), _is_compiled.set(compiled)
    try:
        yield
    finally:
        _fuses_graphs.reset(tokens[0])
        _is_compiled.reset(tokens[1])


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
        fused: evaluate all steps at once where the cell can (`cell.sequence`), an LSTM in one op
            of TensorFlow, or through XLA in loops with their gradient by hand, linear recurrences
            in a scan; any other cell through XLA in loops whose gradient keeps the states alone:
            in `fit`, `evaluate` and `predict` of a `RecurrentModel` and when it is called eagerly.
            On a GPU an LSTM or GRU that shows its output alone goes through Keras' layer (cuDNN):
            `view(model, show=lambda cell: cell.show[:1])` is such a model. A graph that is exported
            or converted has the plain loop, as TFLite has no such op.
        **kwargs: as for `keras.layers.RNN`; `return_state` must stay False, states have names.

    Raises:
        ValueError: `return_state` is on.
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
        self.fused = fused
        # XLA does not compile the fused op, which only TensorFlow has. Where XLA is asked for, a
        # `RecurrentModel` tells the cell so, which may have another form for it (`compiles`).
        has_op = fused and hasattr(cell, "sequence")
        self.supports_jit = not (has_op and keras.backend.backend() == "tensorflow")
        self.compiles = self.supports_jit or getattr(cell, "compiles", False)

    def inner_loop(
        self, sequences: KerasTensor, initial_state: Any, mask: Any, training: Any = False
    ) -> tuple[KerasTensor, KerasTensor, list[KerasTensor]]:
        """Keras' hook for the loop over time: all steps at once where it can, else one by one.

        Args:
            sequences: (batch, time, features).
            initial_state: states before the first step.
            mask: (batch, time), or None; a mask excludes the fused op.
            training: whether dropout acts.

        Returns:
            Emissions of the last step, of all steps, and the states after the last.
        """
        fused = None
        if self.fused and mask is None and not self.unroll and _is_run_here(training):
            fused = self._fused_loop(sequences, initial_state, training)
        if fused is not None:
            return fused
        return super().inner_loop(sequences, initial_state, mask=mask, training=training)

    def _fused_loop(self, sequences: KerasTensor, initial_state: Any, training: Any) -> Any:
        if self.go_backwards:
            sequences = ops.flip(sequences, axis=1)
        state, is_compiled, result = self.cell.State(*initial_state), _is_compiled.get(), None
        if not is_compiled and has_keras_layer(self.cell, training) and has_gpu():
            result = keras_layer_sequence(self.cell, sequences, state)
        elif hasattr(self.cell, "sequence"):
            result = self.cell.sequence(sequences, state, training=training, compiled=is_compiled)
        elif is_compiled and can_checkpoint(self.cell):
            result = checkpointed_sequence(self.cell, sequences, state)
        if result is None:
            return None
        emitted, state = result
        return emitted[:, -1], emitted, list(state)

    def call(
        self,
        sequences: KerasTensor,
        initial_state: Any = None,
        mask: Any = None,
        training: Any = False,
    ) -> dict[str, KerasTensor]:
        """Run the cell over time and split what it emits by name.

        Args:
            sequences: (batch, time, features).
            initial_state: states before the first step; None: zero.
            mask: (batch, time), False where the state keeps its value; or None.
            training: whether dropout acts.
        """
        emitted = super().call(sequences, initial_state=initial_state, mask=mask, training=training)
        return self.cell.split(emitted)

    def compute_output_shape(
        self, sequences_shape: Shape, initial_state_shape: Any = None
    ) -> dict[str, Shape]:
        """Shape of every shown quantity, by name."""
        *lead, _ = super().compute_output_shape(sequences_shape, initial_state_shape)
        return {name: (*lead, self.cell.visible[name]) for name in self.cell.show}

    def compute_mask(self, inputs: Any, mask: Any) -> dict[str, Any]:
        """Every shown quantity carries the mask of the sequence."""
        return dict.fromkeys(self.cell.show, super().compute_mask(inputs, mask))

    def get_config(self) -> dict[str, Any]:
        """Settings, without `return_state`, which is never on."""
        config = super().get_config()
        del config["return_state"]
        return {**config, "fused": self.fused}


def _is_run_here(training: Any) -> bool:
    """Whether what is traced is run in this process, and not a graph to be exported."""
    if training is True or _fuses_graphs.get() or keras.backend.backend() != "tensorflow":
        return True
    import tensorflow as tf  # not on the other backends

    return tf.executing_eagerly()


@keras.saving.register_keras_serializable("zoo")
class Increments(keras.layers.Layer):
    """Append the increment of strain and the logarithm of the time step to the input.

    (strain, rate, dt) -> (strain, rate, dt, rate dt, log dt), on the last axis; dt > 0. Time
    steps span decades, and on a linear scale a network cannot distinguish the small ones.
    """

    def call(self, x: KerasTensor) -> KerasTensor:
        """(..., 3) -> (..., 5)."""
        rate, dt = x[..., 1:2], x[..., 2:3]
        return ops.concatenate([x, rate * dt, ops.log(dt)], axis=-1)

    def compute_output_shape(self, shape: Shape) -> Shape:
        """Two features more."""
        return (*shape[:-1], (shape[-1] or 3) + 2)
