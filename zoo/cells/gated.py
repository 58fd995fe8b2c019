"""SimpleRNN, GRU and LSTM: the cells of Keras, made visible.

Each cell is the Keras cell of the same name: its arguments, weights, initialisers, regularisers
and dropout are inherited, so weights travel both ways by `set_weights(layer.get_weights())`. What
is ours is the step, a pure function of input, state and weights, and what the cell can show.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
from keras import KerasTensor, ops

from zoo.cells.fused import WIDEST, block_lstm
from zoo.cells.visible import VisibleCell

Activation = Callable[[KerasTensor], KerasTensor]
# What dropout multiplies a vector with: nothing, one mask for all gates, or one mask for each gate.
Masks = KerasTensor | Sequence[KerasTensor] | None


class SimpleRNNState(NamedTuple):
    """State after one step, shape (batch, units)."""

    hidden: KerasTensor


class GRUState(NamedTuple):
    """State after one step, shape (batch, units)."""

    hidden: KerasTensor


class GRUGates(NamedTuple):
    """Gates and candidate of one step; each field has shape (batch, units)."""

    update: KerasTensor
    reset: KerasTensor
    candidate: KerasTensor


class LSTMState(NamedTuple):
    """State after one step; each field has shape (batch, units)."""

    hidden: KerasTensor
    cell: KerasTensor


class LSTMGates(NamedTuple):
    """Gates and candidate of one step; each field has shape (batch, units)."""

    input: KerasTensor
    forget: KerasTensor
    candidate: KerasTensor
    output: KerasTensor


def simple_rnn_step(
    x: KerasTensor,
    state: SimpleRNNState,
    kernel: KerasTensor,
    recurrent: KerasTensor,
    bias: KerasTensor | None = None,
    *,
    activation: Activation = ops.tanh,
    x_masks: Masks = None,
    h_masks: Masks = None,
) -> SimpleRNNState:
    """One step of a simple recurrent network (Elman 1990).

    h' = phi(x W + h U + b)

    Args:
        x: input, (batch, features).
        state: previous state, (batch, units).
        kernel: W, (features, units).
        recurrent: U, (units, units).
        bias: b, (units,), or None.
        activation: phi.
        x_masks: dropout mask of the input.
        h_masks: dropout mask of the state.
    """
    z = _project(x, kernel, x_masks) + _project(state.hidden, recurrent, h_masks)
    return SimpleRNNState(hidden=activation(z if bias is None else z + bias))


def gru_step(
    x: KerasTensor,
    state: GRUState,
    kernel: KerasTensor,
    recurrent: KerasTensor,
    bias: KerasTensor | None = None,
    *,
    reset_after: bool = True,
    activation: Activation = ops.tanh,
    recurrent_activation: Activation = ops.sigmoid,
    x_masks: Masks = None,
    h_masks: Masks = None,
) -> tuple[GRUState, GRUGates]:
    """One step of a gated recurrent unit (Cho et al. 2014).

    u = sigma(x W_u + h U_u + b_u)                     update
    r = sigma(x W_r + h U_r + b_r)                     reset
    g = phi(x W_g + (r h) U_g + b_g)                   candidate, reset before the product
    g = phi(x W_g + b_g + r (h U_g + d_g))             candidate, reset after it
    h' = u h + (1 - u) g

    Args:
        x: input, (batch, features).
        state: previous state, (batch, units).
        kernel: [W_u W_r W_g], (features, 3 units).
        recurrent: [U_u U_r U_g], (units, 3 units).
        bias: (3 units,), or with `reset_after` (2, 3 units) for input and state; or None.
        reset_after: where the reset gate acts. True is Keras' default and cuDNN's form.
        activation: phi.
        recurrent_activation: sigma.
        x_masks: dropout masks of the input, one or one for each gate.
        h_masks: dropout masks of the state, one for each gate.
    """
    h, units = state.hidden, recurrent.shape[0]
    x_bias, h_bias = (bias[0], bias[1]) if reset_after and bias is not None else (bias, None)

    z = _project(x, kernel, x_masks)
    if x_bias is not None:
        z = z + x_bias
    z_u, z_r, z_g = ops.split(z, 3, axis=-1)

    if reset_after:
        a = _project(h, recurrent, h_masks)
        if h_bias is not None:
            a = a + h_bias
        a_u, a_r, a_g = ops.split(a, 3, axis=-1)
        update, reset = recurrent_activation(z_u + a_u), recurrent_activation(z_r + a_r)
        candidate = activation(z_g + reset * a_g)
    else:
        gate_masks, candidate_mask = (None, None) if h_masks is None else (h_masks[:2], h_masks[2])
        a_u, a_r = ops.split(_project(h, recurrent[:, : 2 * units], gate_masks), 2, axis=-1)
        update, reset = recurrent_activation(z_u + a_u), recurrent_activation(z_r + a_r)
        candidate = activation(z_g + _project(reset * h, recurrent[:, 2 * units :], candidate_mask))

    hidden = update * h + (1.0 - update) * candidate
    return GRUState(hidden), GRUGates(update, reset, candidate)


def lstm_step(
    x: KerasTensor,
    state: LSTMState,
    kernel: KerasTensor,
    recurrent: KerasTensor,
    bias: KerasTensor | None = None,
    *,
    activation: Activation = ops.tanh,
    recurrent_activation: Activation = ops.sigmoid,
    x_masks: Masks = None,
    h_masks: Masks = None,
) -> tuple[LSTMState, LSTMGates]:
    """One step of long short-term memory (Hochreiter and Schmidhuber 1997, Gers et al. 2000).

    [i f g o] = x W + h U + b
    c' = sigma(f) c + sigma(i) phi(g)
    h' = sigma(o) phi(c')

    Args:
        x: input, (batch, features).
        state: previous state, each field (batch, units).
        kernel: W, (features, 4 units), gates in Keras' order: input, forget, candidate, output.
        recurrent: U, (units, 4 units).
        bias: b, (4 units,), or None.
        activation: phi.
        recurrent_activation: sigma.
        x_masks: dropout masks of the input, one or one for each gate.
        h_masks: dropout masks of the hidden state, one for each gate.
    """
    z = _project(x, kernel, x_masks) + _project(state.hidden, recurrent, h_masks)
    i, f, g, o = ops.split(z if bias is None else z + bias, 4, axis=-1)
    gates = LSTMGates(
        input=recurrent_activation(i),
        forget=recurrent_activation(f),
        candidate=activation(g),
        output=recurrent_activation(o),
    )
    cell = gates.forget * state.cell + gates.input * gates.candidate
    return LSTMState(hidden=gates.output * activation(cell), cell=cell), gates


class _GatedCell(VisibleCell):
    """Dropout around the step: the masks of the Keras cell, made once for a whole sequence."""

    def call(self, inputs, states, training=False):
        state = self.state_of(states)
        masks = {}
        if training:
            masks["x_masks"] = self.get_dropout_mask(inputs)
            masks["h_masks"] = self.get_recurrent_dropout_mask(state.hidden)
        state, quantities = self.step(inputs, state, **masks)
        return self.emit(quantities), state


@keras.saving.register_keras_serializable("zoo")
class SimpleRNNCell(_GatedCell, keras.layers.SimpleRNNCell):
    """`keras.layers.SimpleRNNCell` that shows its `hidden` state.

    Args:
        units: width of the hidden state.
        show: quantities to emit, of: hidden.
        **kwargs: as for `keras.layers.SimpleRNNCell`.
    """

    State = SimpleRNNState

    def __init__(self, units: int, show: Sequence[str] | None = None, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.set_visible({"hidden": units}, show)

    def step(self, x, state, x_masks=None, h_masks=None):
        """`simple_rnn_step` with the cell's weights."""
        state = simple_rnn_step(
            x,
            state,
            self.kernel,
            self.recurrent_kernel,
            self.bias,
            activation=self.activation,
            x_masks=x_masks,
            h_masks=h_masks,
        )
        return state, state._asdict()


@keras.saving.register_keras_serializable("zoo")
class GRUCell(_GatedCell, keras.layers.GRUCell):
    """`keras.layers.GRUCell` that shows its `hidden` state and its gates.

    Args:
        units: width of the hidden state.
        show: quantities to emit, of: hidden, update, reset, candidate.
        **kwargs: as for `keras.layers.GRUCell`.
    """

    State = GRUState

    def __init__(self, units: int, show: Sequence[str] | None = None, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.set_visible(dict.fromkeys(GRUState._fields + GRUGates._fields, units), show)

    def step(self, x, state, x_masks=None, h_masks=None):
        """`gru_step` with the cell's weights."""
        state, gates = gru_step(
            x,
            state,
            self.kernel,
            self.recurrent_kernel,
            self.bias,
            reset_after=self.reset_after,
            activation=self.activation,
            recurrent_activation=self.recurrent_activation,
            x_masks=x_masks,
            h_masks=h_masks,
        )
        return state, state._asdict() | gates._asdict()


@keras.saving.register_keras_serializable("zoo")
class LSTMCell(_GatedCell, keras.layers.LSTMCell):
    """`keras.layers.LSTMCell` that shows its `hidden` and `cell` states and its gates.

    Args:
        units: width of each state.
        show: quantities to emit, of: hidden, cell, input, forget, candidate, output.
        **kwargs: as for `keras.layers.LSTMCell`.
    """

    State = LSTMState

    def __init__(self, units: int, show: Sequence[str] | None = None, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.set_visible(dict.fromkeys(LSTMState._fields + LSTMGates._fields, units), show)

    def step(self, x, state, x_masks=None, h_masks=None):
        """`lstm_step` with the cell's weights."""
        state, gates = lstm_step(
            x,
            state,
            self.kernel,
            self.recurrent_kernel,
            self.bias,
            activation=self.activation,
            recurrent_activation=self.recurrent_activation,
            x_masks=x_masks,
            h_masks=h_masks,
        )
        return state, state._asdict() | gates._asdict()

    def sequence(self, x, state, training=False):
        """All steps in one op, or None where it is slower or not what this cell computes.

        Args:
            x: (batch, time, features).
            state: LSTMState before the first step.
            training: whether dropout acts.

        Returns:
            `(emitted, state)`: (batch, time, output_size) and the state after the last step.
        """
        plain = (
            keras.backend.backend() == "tensorflow"
            and self.units <= WIDEST
            and set(self.show) <= set(LSTMState._fields)
            and self.activation is keras.activations.tanh
            and self.recurrent_activation is keras.activations.sigmoid
            and self.compute_dtype == "float32"
            and not (training and (self.dropout or self.recurrent_dropout))
        )
        if not plain:
            return None
        hidden, cell = block_lstm(
            x, *state, kernel=self.kernel, recurrent=self.recurrent_kernel, bias=self.bias
        )
        emitted = self.emit({"hidden": hidden, "cell": cell})
        return emitted, LSTMState(hidden[:, -1], cell[:, -1])


def _project(x: KerasTensor, kernel: KerasTensor, masks: Masks) -> KerasTensor:
    """Product x W under dropout: (batch, n) by (n, gates * units); masks for all or each gate."""
    if masks is None:
        return ops.matmul(x, kernel)
    if not isinstance(masks, list | tuple):
        return ops.matmul(x * masks, kernel)
    kernels = ops.split(kernel, len(masks), axis=-1)
    return ops.concatenate(
        [ops.matmul(x * mask, part) for mask, part in zip(masks, kernels, strict=True)], axis=-1
    )
