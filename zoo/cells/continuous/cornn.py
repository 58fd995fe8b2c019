"""The coupled oscillatory recurrent network (Rusch and Mishra 2021), with a time step."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import KerasTensor, ops

from zoo.cells.continuous.base import ContinuousCell
from zoo.cells.material.base import require_positive


class CoRNNState(NamedTuple):
    """State after one step.

    Attributes:
        position: y, (batch, units).
        velocity: z = dy/dt, (batch, units).
    """

    position: KerasTensor
    velocity: KerasTensor


@keras.saving.register_keras_serializable("zoo")
class CoRNNCell(ContinuousCell):
    """Coupled oscillatory recurrent network (Rusch and Mishra 2021, arXiv:2010.00951).

    d²y/dt² = tanh(y W + z V + u U + b) − γ y − ε z,   z = dy/dt

    z' = (z + Δt (tanh(y W + z V + u U + b) − γ y)) / (1 + ε Δt + γ Δt²)
    y' = y + Δt z'

    The force of the network is taken at the start of the step, the linear terms at its end; the
    paper takes γ y at the start as well, which is unstable for Δt beyond about 2/√γ. Stiffness γ
    and damping ε are positive and learnt, one of each a unit; the paper sets them by hand.

    Guaranteed for any weights and inputs with Δt ≥ 0: Δt = 0 changes nothing; the state is bounded
    however long the steps are. Subdivided steps agree to first order in Δt.

    Quantities: position y' and velocity z', (batch, units); with `pass_dt` output, y' and Δt.

    Args:
        units: number of oscillators.
        stiffness: γ before training, in units of 1/Δt².
        damping: ε before training, in units of 1/Δt.
        dt_index: column of Δt in the input.
        pass_dt: append Δt to the output, see `ContinuousCell`.
        show: quantities to emit.
        **kwargs: as for `keras.layers.Layer`.
    """

    State = CoRNNState

    def __init__(
        self,
        units: int,
        stiffness: float = 0.1,
        damping: float = 0.6,
        show: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, show=show, **kwargs)
        require_positive(stiffness=stiffness, damping=damping)
        self.stiffness, self.damping = stiffness, damping

    def widths(self) -> dict[str, int]:
        """Name -> width of every quantity."""
        return {"position": self.units, "velocity": self.units}

    def make_weights(self, features: int) -> None:
        """Force of features and state; log γ and log ε."""
        self.kernel = self.kernel_weight("kernel", features + 2 * self.units, self.units)
        self.bias = self.bias_weight("bias", self.units)
        for name, value in (("log_stiffness", self.stiffness), ("log_damping", self.damping)):
            initializer = keras.initializers.Constant(math.log(value))
            weight = self.add_weight(shape=(self.units,), initializer=initializer, name=name)
            setattr(self, name, weight)

    def step(self, x: KerasTensor, state: CoRNNState) -> tuple[CoRNNState, dict[str, KerasTensor]]:
        """One step of (batch, n) inputs."""
        features, dt = self.split_dt(x)
        stiffness, damping = ops.exp(self.log_stiffness), ops.exp(self.log_damping)
        joined = ops.concatenate([features, *state], axis=-1)
        force = ops.tanh(ops.matmul(joined, self.kernel) + self.bias)
        velocity = state.velocity + dt * (force - stiffness * state.position)
        velocity = velocity / (1.0 + damping * dt + stiffness * ops.square(dt))
        after = CoRNNState(state.position + dt * velocity, velocity)
        return after, self.with_dt(after._asdict(), dt)

    def get_config(self) -> dict[str, Any]:
        """Settings; initial values, not the trained ones."""
        settings = {"stiffness": self.stiffness, "damping": self.damping}
        return {**super().get_config(), **settings}
