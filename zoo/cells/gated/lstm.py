"""Long short-term memory (Hochreiter and Schmidhuber 1997), with states and gates by name."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import KerasTensor, ops

from zoo.cells.base import NO_MASKS, Activation, InheritedCell, Masks, Weights, masked_product
from zoo.cells.gated.compiled import lstm_sequence
from zoo.cells.gated.fused import MAX_FUSED_UNITS, block_lstm


class LSTMState(NamedTuple):
    """State after one step.

    Attributes:
        hidden: h, (batch, units).
        cell: c, (batch, units).
    """

    hidden: KerasTensor
    cell: KerasTensor


class LSTMGates(NamedTuple):
    """Gates and candidate of one step.

    Attributes:
        input: i in (0, 1), (batch, units).
        forget: f in (0, 1), (batch, units); the share of the cell state that is kept.
        candidate: g, (batch, units).
        output: o in (0, 1), (batch, units).
    """

    input: KerasTensor
    forget: KerasTensor
    candidate: KerasTensor
    output: KerasTensor


def lstm_step(
    x: KerasTensor,
    state: LSTMState,
    weights: Weights,
    *,
    activation: Activation = ops.tanh,
    recurrent_activation: Activation = ops.sigmoid,
    masks: Masks = NO_MASKS,
) -> tuple[LSTMState, LSTMGates]:
    """One step of long short-term memory (Hochreiter and Schmidhuber 1997, Gers et al. 2000).

    [i f g o] = x W + h U + b
    c' = sigma(f) c + sigma(i) phi(g)
    h' = sigma(o) phi(c')

    Args:
        x: input, (batch, features).
        state: before the step.
        weights: W (features, 4 units), U (units, 4 units), b (4 units,), with the gates in Keras'
            order: input, forget, candidate, output.
        activation: phi.
        recurrent_activation: sigma.
        masks: dropout masks.

    Returns:
        The state after the step, and its gates.
    """
    z = masked_product(x, weights.kernel, masks.x)
    z = z + masked_product(state.hidden, weights.recurrent, masks.h)
    i, f, g, o = ops.split(z if weights.bias is None else z + weights.bias, 4, axis=-1)
    gates = LSTMGates(
        input=recurrent_activation(i),
        forget=recurrent_activation(f),
        candidate=activation(g),
        output=recurrent_activation(o),
    )
    cell = gates.forget * state.cell + gates.input * gates.candidate
    return LSTMState(hidden=gates.output * activation(cell), cell=cell), gates


@keras.saving.register_keras_serializable("zoo")
class LSTMCell(InheritedCell, keras.layers.LSTMCell):
    """`keras.layers.LSTMCell` that emits its `hidden` and `cell` states and its gates by name.

    Args:
        units: width of each state.
        show: quantities to emit, of: hidden, cell, input, forget, candidate, output.
        **kwargs: as for `keras.layers.LSTMCell`.
    """

    State = LSTMState
    compiles = True  # `sequence` has a form for XLA

    def __init__(self, units: int, show: Sequence[str] | None = None, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.set_visible(dict.fromkeys(LSTMState._fields + LSTMGates._fields, units), show)

    def step(
        self, x: KerasTensor, state: LSTMState, masks: Masks = NO_MASKS
    ) -> tuple[LSTMState, dict[str, KerasTensor]]:
        """`lstm_step` with the cell's weights: the next state and all quantities."""
        state, gates = lstm_step(
            x,
            state,
            self.weights_of_step,
            activation=self.activation,
            recurrent_activation=self.recurrent_activation,
            masks=masks,
        )
        return state, state._asdict() | gates._asdict()

    def sequence(
        self, x: KerasTensor, state: LSTMState, training: Any = False, compiled: bool = False
    ) -> tuple[KerasTensor, LSTMState] | None:
        """All steps at once on TensorFlow; None where that is slower or has another formula.

        Args:
            x: (batch, time, features).
            state: before the first step.
            training: whether dropout acts.
            compiled: in a function that XLA compiles: as `lstm_sequence`; else in one op.

        Returns:
            `(emitted, state)`: (batch, time, output_size) and the state after the last step.
        """
        can_fuse = (
            keras.backend.backend() == "tensorflow"
            and (compiled or self.units <= MAX_FUSED_UNITS)
            and set(self.show) <= set(LSTMState._fields)
            and self.activation is keras.activations.tanh
            and self.recurrent_activation is keras.activations.sigmoid
            and self.compute_dtype == "float32"
            and not (training and (self.dropout or self.recurrent_dropout))
        )
        if not can_fuse:
            return None
        run = lstm_sequence if compiled else block_lstm
        hidden, cell = run(x, state, self.weights_of_step)
        emitted = self.emit({"hidden": hidden, "cell": cell})
        return emitted, LSTMState(hidden[:, -1], cell[:, -1])
