"""A state-space model with a layer of tanh: a black box for sampled responses."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import KerasTensor, ops

from zoo.cells.material.base import MaterialCell, increments, require_count, require_positive

START = 1e-3  # size of the nonlinear part before training


class StateSpaceState(NamedTuple):
    """State at the end of the step, zero at the start.

    Attributes:
        hidden: s, (batch, order), without a unit.
    """

    hidden: KerasTensor


@keras.saving.register_keras_serializable("zoo")
class StateSpaceCell(MaterialCell):
    """Nonlinear state-space model of a sampled response (Suykens, Vandewalle and De Moor 1996).

        s_k = A s_{k−1} + B (u_{k−1}, u_k) + E tanh(W (s_{k−1}, u_{k−1}) + b)
        y_k = C s_k + D u_k

    u and y are loading and response in units of `loading_size` and `response_size`. Input:
    (loading, its rate, Δt), of which Δt is only used to find u_{k−1} = u_k − u̇ Δt: the model holds
    at the time step that it was fitted at.

    Guaranteed: with a spectral radius of A below one the state is bounded for bounded loading,
    since tanh is. No physics is: the response may create energy, and need not be odd or zero at
    rest once it is fitted.

    Quantities: response y in its own unit (batch, 1); hidden (batch, order); activation, tanh(…),
    (batch, units).

    Args:
        order: number of hidden states, 1 or more.
        units: of the layer of tanh, 1 or more.
        loading_size: typical loading, in its unit, positive.
        response_size: typical response, in its unit, positive.
        seed: of W and b before training.
        show: quantities to emit.
        **kwargs: as for `keras.layers.Layer`.
    """

    State = StateSpaceState
    quantity_units = MappingProxyType({"response": "{response}", "hidden": "-", "activation": "-"})

    def __init__(
        self,
        order: int = 3,
        units: int = 12,
        loading_size: float = 1.0,
        response_size: float = 1.0,
        seed: int = 0,
        show: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        require_count(order=order, units=units)
        require_positive(loading_size=loading_size, response_size=response_size)
        self.order, self.units, self.seed = order, units, int(seed)
        self.loading_size, self.response_size = float(loading_size), float(response_size)
        self.state_size = [order]
        self.set_visible({"response": 1, "hidden": order, "activation": units}, show)

    def make_weights(self) -> None:
        """A, B, C, D of a slow linear system, E near zero, W and b drawn."""
        order, units, rng = self.order, self.units, np.random.default_rng(self.seed)
        first = {
            "transition": 0.9 * np.eye(order),
            "input_matrix": np.full((2, order), 0.05),
            "output_matrix": np.full((order, 1), 1.0 / order),
            "feedthrough": np.zeros((1, 1)),
            "amplitudes": START * rng.normal(size=(units, order)),
            "directions": rng.normal(size=(order + 1, units)) / np.sqrt(order + 1),
            "offsets": 0.5 * rng.normal(size=units),
        }
        for name, value in first.items():
            weight = self.add_weight(
                shape=value.shape,
                initializer=lambda shape, dtype=None, v=value: ops.convert_to_tensor(v, dtype),
                name=name,
            )
            setattr(self, name, weight)

    def set_linear(
        self, transition: np.ndarray, inputs: np.ndarray, outputs: np.ndarray, feedthrough: float
    ) -> None:
        """Set the linear part, as for loading and response in units of their sizes.

        Args:
            transition: A, (order, order).
            inputs: B, (order, 2), for u_{k−1} and u_k.
            outputs: C, (order,).
            feedthrough: D.
        """
        self.transition.assign(np.transpose(transition))
        self.input_matrix.assign(np.transpose(inputs))
        self.output_matrix.assign(np.reshape(outputs, (-1, 1)))
        self.feedthrough.assign([[feedthrough]])

    def step(
        self, x: KerasTensor, state: StateSpaceState
    ) -> tuple[StateSpaceState, dict[str, KerasTensor]]:
        """One step of (batch, 3) inputs."""
        change, _ = increments(x)
        now = x[..., :1] / self.loading_size
        before = now - change / self.loading_size
        joined = ops.concatenate([state.hidden, before], axis=-1)
        activation = ops.tanh(ops.matmul(joined, self.directions) + self.offsets)
        hidden = (
            ops.matmul(state.hidden, self.transition)
            + ops.matmul(ops.concatenate([before, now], axis=-1), self.input_matrix)
            + ops.matmul(activation, self.amplitudes)
        )
        response = ops.matmul(hidden, self.output_matrix) + ops.matmul(now, self.feedthrough)
        return StateSpaceState(hidden), {
            "response": self.response_size * response,
            "hidden": hidden,
            "activation": activation,
        }

    def get_config(self) -> dict[str, Any]:
        """Settings; initial values, not the trained ones."""
        settings = ("order", "units", "loading_size", "response_size", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in settings}}
