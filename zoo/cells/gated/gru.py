"""The gated recurrent unit (Cho et al. 2014), with its state and gates by name."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import KerasTensor, ops

from zoo.cells.base import NO_MASKS, Activation, InheritedCell, Masks, Weights, masked_product


class GRUState(NamedTuple):
    """State after one step.

    Attributes:
        hidden: h, (batch, units).
    """

    hidden: KerasTensor


class GRUGates(NamedTuple):
    """Gates and candidate of one step.

    Attributes:
        update: u in (0, 1), (batch, units); the share of the old state that is kept.
        reset: r in (0, 1), (batch, units).
        candidate: g, (batch, units).
    """

    update: KerasTensor
    reset: KerasTensor
    candidate: KerasTensor


def gru_step(
    x: KerasTensor,
    state: GRUState,
    weights: Weights,
    *,
    reset_after: bool = True,
    activation: Activation = ops.tanh,
    recurrent_activation: Activation = ops.sigmoid,
    masks: Masks = NO_MASKS,
) -> tuple[GRUState, GRUGates]:
    """One step of a gated recurrent unit (Cho et al. 2014, arXiv:1406.1078).

    u = sigma(x W_u + h U_u + b_u)                     update
    r = sigma(x W_r + h U_r + b_r)                     reset
    g = phi(x W_g + (r h) U_g + b_g)                   candidate, reset before the product
    g = phi(x W_g + b_g + r (h U_g + d_g))             candidate, reset after it
    h' = u h + (1 - u) g

    Args:
        x: input, (batch, features).
        state: before the step.
        weights: [W_u W_r W_g] (features, 3 units), [U_u U_r U_g] (units, 3 units), and a bias
            (3 units,), or with `reset_after` (2, 3 units) for input and state.
        reset_after: where the reset gate acts. True is Keras' default and cuDNN's form.
        activation: phi.
        recurrent_activation: sigma.
        masks: dropout masks.

    Returns:
        The state after the step, and its gates.
    """
    _, recurrent, bias = weights
    h, units = state.hidden, recurrent.shape[0]
    x_bias, h_bias = (bias[0], bias[1]) if reset_after and bias is not None else (bias, None)

    z = masked_product(x, weights.kernel, masks.x)
    if x_bias is not None:
        z = z + x_bias
    z_u, z_r, z_g = ops.split(z, 3, axis=-1)

    if reset_after:
        a = masked_product(h, recurrent, masks.h)
        if h_bias is not None:
            a = a + h_bias
        a_u, a_r, a_g = ops.split(a, 3, axis=-1)
        update, reset = recurrent_activation(z_u + a_u), recurrent_activation(z_r + a_r)
        candidate = activation(z_g + reset * a_g)
    else:
        gate_masks, candidate_mask = (None, None) if masks.h is None else (masks.h[:2], masks.h[2])
        a_u, a_r = ops.split(masked_product(h, recurrent[:, : 2 * units], gate_masks), 2, axis=-1)
        update, reset = recurrent_activation(z_u + a_u), recurrent_activation(z_r + a_r)
        a_g = masked_product(reset * h, recurrent[:, 2 * units :], candidate_mask)
        candidate = activation(z_g + a_g)

    hidden = update * h + (1.0 - update) * candidate
    return GRUState(hidden), GRUGates(update, reset, candidate)


@keras.saving.register_keras_serializable("zoo")
class GRUCell(InheritedCell, keras.layers.GRUCell):
    """`keras.layers.GRUCell` that emits its `hidden` state and its gates by name.

    Args:
        units: width of the hidden state.
        show: quantities to emit, of: hidden, update, reset, candidate.
        **kwargs: as for `keras.layers.GRUCell`.
    """

    State = GRUState

    def __init__(self, units: int, show: Sequence[str] | None = None, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.set_visible(dict.fromkeys(GRUState._fields + GRUGates._fields, units), show)

    def step(
        self, x: KerasTensor, state: GRUState, masks: Masks = NO_MASKS
    ) -> tuple[GRUState, dict[str, KerasTensor]]:
        """`gru_step` with the cell's weights: the next state and all quantities."""
        state, gates = gru_step(
            x,
            state,
            self.weights_of_step,
            reset_after=self.reset_after,
            activation=self.activation,
            recurrent_activation=self.recurrent_activation,
            masks=masks,
        )
        return state, state._asdict() | gates._asdict()
