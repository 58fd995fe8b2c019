"""Base of the cells that inherit weights and dropout from a Keras cell."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from keras import KerasTensor, ops

from zoo.cells.visible import VisibleCell

Activation = Callable[[KerasTensor], KerasTensor]
# Dropout masks of one array: none, one for all gates, or one for each gate.
Mask = KerasTensor | Sequence[KerasTensor] | None


class Weights(NamedTuple):
    """Weights of a cell, its gates side by side on the last axis.

    Attributes:
        kernel: W, (features, gates * units).
        recurrent: U, (units, gates * units).
        bias: b, (gates * units,), or None.
    """

    kernel: KerasTensor
    recurrent: KerasTensor
    bias: KerasTensor | None = None


class Masks(NamedTuple):
    """Dropout masks of one step; None where nothing is dropped.

    Attributes:
        x: of the input, (batch, features), one or one for each gate.
        h: of the hidden state, (batch, units), one or one for each gate.
    """

    x: Mask = None
    h: Mask = None


NO_MASKS = Masks()


class InheritedCell(VisibleCell):
    """Base of visible cells that inherit from a Keras cell: its weights and its dropout.

    A mask is drawn once for a whole sequence, as in Keras. `step` takes the masks.
    """

    def call(
        self,
        inputs: KerasTensor,
        states: Sequence[KerasTensor] | KerasTensor,
        training: Any = False,
    ) -> tuple[KerasTensor, list[KerasTensor]]:
        """One step, with dropout in training.

        Args:
            inputs: (batch, features).
            states: before the step, each (batch, units).
            training: whether dropout acts.

        Returns:
            Emitted quantities (batch, output_size) and the states after the step.
        """
        state, masks = self.state_of(states), NO_MASKS
        if training:
            masks = Masks(
                self.get_dropout_mask(inputs), self.get_recurrent_dropout_mask(state.hidden)
            )
        state, quantities = self.step(inputs, state, masks)
        return self.emit(quantities), list(state)

    @property
    def weights_of_step(self) -> Weights:
        """The cell's weights, as `step` takes them."""
        return Weights(self.kernel, self.recurrent_kernel, self.bias)


def masked_product(x: KerasTensor, kernel: KerasTensor, mask: Mask) -> KerasTensor:
    """Product x W, with x under dropout.

    Args:
        x: (batch, n).
        kernel: W, (n, gates * units).
        mask: of x, (batch, n): None, one for all gates, or one for each gate.

    Returns:
        (batch, gates * units).
    """
    if mask is None:
        return ops.matmul(x, kernel)
    if not isinstance(mask, list | tuple):
        return ops.matmul(x * mask, kernel)
    kernels = ops.split(kernel, len(mask), axis=-1)
    return ops.concatenate(
        [ops.matmul(x * each, part) for each, part in zip(mask, kernels, strict=True)], axis=-1
    )
