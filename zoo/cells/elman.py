"""The simple recurrent network (Elman 1990): one hidden state, no gates."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import KerasTensor, ops

from zoo.cells.base import NO_MASKS, Activation, InheritedCell, Masks, Weights, masked_product


class SimpleRNNState(NamedTuple):
    """State after one step.

    Attributes:
        hidden: h, (batch, units).
    """

    hidden: KerasTensor


def simple_rnn_step(
    x: KerasTensor,
    state: SimpleRNNState,
    weights: Weights,
    *,
    activation: Activation = ops.tanh,
    masks: Masks = NO_MASKS,
) -> SimpleRNNState:
    """One step of a simple recurrent network (Elman 1990, Cognitive Science 14, 179).

    h' = phi(x W + h U + b)

    Args:
        x: input, (batch, features).
        state: before the step.
        weights: W (features, units), U (units, units), b (units,).
        activation: phi.
        masks: dropout masks.

    Returns:
        The state after the step.
    """
    z = masked_product(x, weights.kernel, masks.x)
    z = z + masked_product(state.hidden, weights.recurrent, masks.h)
    return SimpleRNNState(hidden=activation(z if weights.bias is None else z + weights.bias))


@keras.saving.register_keras_serializable("zoo")
class SimpleRNNCell(InheritedCell, keras.layers.SimpleRNNCell):
    """`keras.layers.SimpleRNNCell` that emits its `hidden` state by name.

    Args:
        units: width of the hidden state.
        show: quantities to emit, of: hidden.
        **kwargs: as for `keras.layers.SimpleRNNCell`.
    """

    State = SimpleRNNState

    def __init__(self, units: int, show: Sequence[str] | None = None, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.set_visible({"hidden": units}, show)

    def step(
        self, x: KerasTensor, state: SimpleRNNState, masks: Masks = NO_MASKS
    ) -> tuple[SimpleRNNState, dict[str, KerasTensor]]:
        """`simple_rnn_step` with the cell's weights: the next state and all quantities."""
        state = simple_rnn_step(
            x, state, self.weights_of_step, activation=self.activation, masks=masks
        )
        return state, state._asdict()
