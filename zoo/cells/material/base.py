"""Base of material cells: the input, positive weights, checks of settings."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import keras
from keras import KerasTensor

from zoo.cells.visible import VisibleCell


class MaterialCell(VisibleCell, keras.layers.Layer):
    """Base of cells that read (strain [-], strain rate [1/s], time step [s]), unscaled.

    The rate is the slope of the strain during the step, so that Δε = ε̇ Δt exactly. A liquid, and
    whatever is counted in increments, does not use the strain itself; a solid does.

    Attributes:
        quantity_units: visible quantity -> its unit, in terms of {loading} and {response}, those
            of the first input and of the output; quantities that are not there are stresses by
            their name, or pure numbers.
    """

    quantity_units: Mapping[str, str] = MappingProxyType({})

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check the width of the input and make the weights (`make_weights`).

        Args:
            input_shape: (batch, 3).

        Raises:
            ValueError: if the input has another number of features.
        """
        if input_shape[-1] != 3:
            raise ValueError(
                f"{type(self).__name__} reads (strain, rate, dt): 3 features. "
                f"Received: {input_shape[-1]}."
            )
        self.make_weights()
        self.built = True

    def make_weights(self) -> None:
        """Create the weights; called once, by `build`.

        Raises:
            NotImplementedError: a cell must define it.
        """
        raise NotImplementedError

    def log_weight(self, name: str, initial: list[float] | float) -> Any:
        """Add a trainable weight: the logarithm of positive numbers.

        Args:
            name: of the weight.
            initial: the positive numbers before training; one number gives a scalar weight.
        """
        logs = [math.log(v) for v in initial] if isinstance(initial, list) else math.log(initial)
        return self.add_weight(
            shape=(len(logs),) if isinstance(logs, list) else (),
            initializer=lambda shape, dtype=None: keras.ops.convert_to_tensor(logs, dtype),
            name=name,
        )


def increments(x: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
    """Strain increment Δε [-] and time step Δt [s], each (batch, 1), of inputs (batch, 3)."""
    rate, dt = x[..., 1:2], x[..., 2:3]
    return rate * dt, dt


def require_positive(**values: float) -> None:
    """Check that every value is positive and finite.

    Raises:
        ValueError: names the first that is not.
    """
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"`{name}` must be positive. Received: {name}={value}.")


def require_count(**values: int) -> None:
    """Check that every value is a whole number of 1 or more.

    Raises:
        ValueError: names the first that is not.
    """
    for name, value in values.items():
        if not (isinstance(value, int) and value >= 1):
            raise ValueError(f"`{name}` must be a whole number, 1 or more. Received: {value}.")
