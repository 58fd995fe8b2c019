"""A fluid damper beside a spring: force from displacement and a power of its rate."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import KerasTensor, ops

from zoo.cells.material.base import MaterialCell, increments, require_positive
from zoo.cells.material.closed import bounded_exp, choose
from zoo.cells.material.constants import Meaning

_SLOW = 1e-3  # of the typical rate, below which the force is linear in the rate


class DamperState(NamedTuple):
    """State at the end of the step, zero at rest; each (batch, 1).

    Attributes:
        position: sum of all increments, in the unit of the loading.
        rate: of the loading in the latest step, in its unit over s.
    """

    position: KerasTensor
    rate: KerasTensor


@keras.saving.register_keras_serializable("zoo")
class DamperCell(MaterialCell):
    """Fluid damper in parallel with a spring: force from displacement and a power of the rate v.

        F = k x + F_r u (u² + δ²)^((α−1)/2),  u = v/v_r, δ = 0.001

    which is k x + c |v|^α sgn v with c = F_r/v_r^α, but at rates below v_r/1000, where the power
    has no slope (Constantinou and Symans 1993, Struct. Des. Tall Build. 2, 93; α = 0.3 to 0.5 for
    dampers of buildings, 1 a dashpot, 2 an orifice).

    Input: the loading, its rate within the step and Δt. v is the rate at the end of the step, where
    the force is read, continued from the middles of this step and the one before, v + (v − v')/2:
    of second order for equal steps; the rate within the step would be half a step late.

    Guaranteed for any weights, states and inputs with Δt ≥ 0:
    - dissipation ≥ 0: F v less the spring's part, Δt times its value at the end of the step;
    - energy k x²/2 ≥ 0; the response is odd in the loading; at rest nothing changes, nor does it
      where Δt and the increment are zero;
    - at a constant rate a step equals any number of steps that make it up, from the second one on.

    Quantities: stress F, energy and dissipation; position x, rate of the step, each (batch, 1).

    Args:
        spring: initial k, in the unit of F over that of x, positive.
        force: initial F_r, in the unit of F, positive.
        exponent: initial α, positive.
        rate_scale: v_r, typical rate of the loading, positive; not trained.
        show: quantities to emit.
        **kwargs: as for `keras.layers.Layer`.
    """

    State = DamperState
    quantity_units = MappingProxyType({"position": "{loading}", "rate": "{loading}/s"})

    def __init__(
        self,
        spring: float = 1.0,
        force: float = 1.0,
        exponent: float = 0.5,
        rate_scale: float = 1.0,
        show: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        require_positive(spring=spring, force=force, exponent=exponent, rate_scale=rate_scale)
        self.spring, self.force = float(spring), float(force)
        self.exponent, self.rate_scale = float(exponent), float(rate_scale)
        self.state_size = [1, 1]
        names = ("stress", "energy", "dissipation", "position", "rate")
        self.set_visible(dict.fromkeys(names, 1), show)

    def make_weights(self) -> None:
        """Logarithms of k, F_r and α."""
        self.log_spring = self.log_weight("log_spring", self.spring)
        self.log_force = self.log_weight("log_force", self.force)
        self.log_exponent = self.log_weight("log_exponent", self.exponent)

    def constants(self) -> dict[str, float]:
        """k, F_r and α."""
        weights = (self.log_spring, self.log_force, self.log_exponent)
        names = ("spring", "force", "damping_exponent")
        return {name: float(ops.exp(w)) for name, w in zip(names, weights, strict=True)}

    def meanings(self, unit: str) -> list[Meaning]:
        """What each number of `constant_values` is."""
        at = f"force of the damper at the rate v_r = {self.rate_scale:.6g}, c = Fr/v_r^α"
        return [
            Meaning("spring", "k", unit, "stiffness of the spring"),
            Meaning("force", "Fr", unit, at),
            Meaning("damping_exponent", "α", "-", "exponent of the rate"),
        ]

    def constant_values(self) -> np.ndarray:
        """The numbers that `meanings` names."""
        return np.array(list(self.constants().values()))

    def step(
        self, x: KerasTensor, state: DamperState
    ) -> tuple[DamperState, dict[str, KerasTensor]]:
        """One step of (batch, 3) inputs."""
        change, dt = increments(x)
        rate = choose(dt > 0, x[..., 1:2], state.rate)
        now = (rate + (rate - state.rate) / 2.0) / self.rate_scale
        bend = (ops.exp(self.log_exponent) - 1.0) / 2.0
        size = bounded_exp(bend * ops.log(ops.square(now) + _SLOW**2))
        viscous = ops.exp(self.log_force) * now * size
        position = state.position + change
        spring = ops.exp(self.log_spring)
        return DamperState(position, rate), {
            "stress": spring * position + viscous,
            "energy": spring * ops.square(position) / 2.0,
            "dissipation": ops.exp(self.log_force)
            * ops.square(now)
            * size
            * (self.rate_scale * dt),
            "position": position,
            "rate": rate,
        }

    def get_config(self) -> dict[str, Any]:
        """Settings; initial values, not the trained ones."""
        settings = ("spring", "force", "exponent", "rate_scale")
        return {**super().get_config(), **{name: getattr(self, name) for name in settings}}
