"""Rubber that softens by its first loading (Mullins effect), over a viscoelastic solid."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import KerasTensor, ops

from zoo.cells.material.base import require_positive
from zoo.cells.material.constants import Meaning
from zoo.cells.material.solid import SolidCell, SolidState


class MullinsState(NamedTuple):
    """State at the end of the step, zero in the virgin rubber.

    Attributes:
        elastic_strain: as of `SolidState`, (batch, branches).
        peak: largest energy W₀ of the equilibrium spring so far [stress], (batch, 1).
    """

    elastic_strain: KerasTensor
    peak: KerasTensor


@keras.saving.register_keras_serializable("zoo")
class MullinsCell(SolidCell):
    """Viscoelastic solid whose equilibrium spring is softened by the largest energy it has had.

        P = η dW₀/dλ + branches,   η = 1 − s tanh((W_max − W₀)/w),   w = w₀ + β W_max

    The pseudo-elastic model of the Mullins effect (Ogden and Roxburgh 1999, Proc. R. Soc. A 455,
    2861; with tanh Dorfmann and Ogden 2003, Int. J. Solids Struct. 40, 2699): on the first loading
    η = 1, below the largest stretch so far the rubber is softer, by s at most, on the way back and
    forth alike. Branches are those of `SolidCell`.

    Guaranteed for any weights, states reached from zero and inputs with Δt ≥ 0, as there, and:
    - 1 − s < η ≤ 1 with 0 < s < 1, so the stress keeps the sign of the spring's;
    - dissipation of the softening, the increment of s w ln cosh(W_max/w), and energy
      W₀ − s w [ln cosh(W_max/w) − ln cosh((W_max − W₀)/w)] are never negative;
    - the softening does not depend on rate, and W_max never falls.
    A permanent set is not described.

    Quantities: those of `SolidCell`, peak W_max [stress] and softness 1 − η [-], (batch, 1).

    Args:
        energy: of the springs, see `SolidCell`.
        branches: of spring and dashpot, 1 or more.
        modulus: initial E at λ = 1, of all springs together, in the unit of stress, positive.
        time: initial τ [s], positive.
        softening: initial s [-], between 0 and 1.
        scale: initial w₀, in the unit of stress, positive; β begins at 0.1.
        show: quantities to emit.
        **kwargs: as for `keras.layers.Layer`.
    """

    State = MullinsState

    def __init__(
        self,
        energy: str = "polynomial",
        branches: int = 1,
        modulus: float = 1.0,
        time: float = 1.0,
        softening: float = 0.3,
        scale: float = 1.0,
        show: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(energy, branches, modulus, time, **kwargs)
        require_positive(scale=scale)
        if not self.equilibrium:
            raise ValueError(
                "The equilibrium spring is what softens. Received: equilibrium=False. Leave it out."
            )
        if not 0 < softening < 1:
            raise ValueError(f"`softening` must lie between 0 and 1. Received: {softening}.")
        self.softening, self.scale = float(softening), float(scale)
        self.state_size = [branches, 1]
        self.set_visible({**self.visible, "peak": 1, "softness": 1}, show)

    def make_weights(self) -> None:
        """Those of the solid; logit of s, log w₀ and log β."""
        super().make_weights()
        odds = math.log(self.softening / (1.0 - self.softening))
        self.raw_softening = self.add_weight(
            shape=(),
            initializer=lambda shape, dtype=None: ops.convert_to_tensor(odds, dtype),
            name="raw_softening",
        )
        self.log_scale = self.log_weight("log_scale", self.scale)
        self.log_growth = self.log_weight("log_growth", 0.1)

    def shift_groups(self) -> dict[str, list[Any]]:
        """As of the solid; the scale of the energy is shifted with the stiffnesses."""
        groups = super().shift_groups()
        return {**groups, "stiffness": [*groups["stiffness"], self.log_scale]}

    def constants(self) -> dict[str, Any]:
        """Those of the solid, s, w₀ and β."""
        own = {
            "softening": ops.sigmoid(self.raw_softening),
            "scale": ops.exp(self.log_scale),
            "growth": ops.exp(self.log_growth),
        }
        values = {name: float(ops.convert_to_numpy(each)) for name, each in own.items()}
        return {**super().constants(), **values}

    def meanings(self, unit: str) -> list[Meaning]:
        """What each number of `constant_values` is."""
        what = "energy below the largest one at which three quarters of the softening are reached"
        grows = "growth of that with the largest energy"
        return [
            *super().meanings(unit),
            Meaning("softening", "s", "-", "largest softening of the equilibrium spring"),
            Meaning("scale", "w0", unit, what),
            Meaning("growth", "β", "-", grows),
        ]

    def constant_values(self) -> np.ndarray:
        """The numbers that `meanings` names."""
        values = self.constants()
        own = [values[name] for name in ("softening", "scale", "growth")]
        return np.concatenate([super().constant_values(), own])

    def step(
        self, x: KerasTensor, state: MullinsState
    ) -> tuple[MullinsState, dict[str, KerasTensor]]:
        """One step of (batch, 3) inputs."""
        solid, quantities = SolidCell.step(self, x, SolidState(state.elastic_strain))
        share = ops.sigmoid(self.raw_softening)
        energy = self.springs(x[..., :1]).energy[..., :1]
        peak = ops.maximum(state.peak, energy)
        first, growth = ops.exp(self.log_scale), ops.exp(self.log_growth)
        before, scale = first + growth * state.peak, first + growth * peak
        softness = share * ops.tanh((peak - energy) / scale)
        resting = quantities["equilibrium_stress"]
        full = _log_cosh(peak, scale)
        lost = share * ops.relu(full - _log_cosh(state.peak, before))
        taken = share * (full - _log_cosh(peak - energy, scale))
        return MullinsState(solid.elastic_strain, peak), {
            **quantities,
            "stress": quantities["stress"] - softness * resting,
            "equilibrium_stress": resting - softness * resting,
            "energy": ops.relu(quantities["energy"] - taken),
            "dissipation": quantities["dissipation"] + lost,
            "peak": peak,
            "softness": softness,
        }

    def get_config(self) -> dict[str, Any]:
        """Settings; initial values, not the trained ones."""
        return {**super().get_config(), "softening": self.softening, "scale": self.scale}


def _log_cosh(size: KerasTensor, scale: KerasTensor) -> KerasTensor:
    """Scale w times ln cosh(x/w) of x ≥ 0, without overflow."""
    return size + scale * (ops.log(1.0 + ops.exp(-2.0 * size / scale)) - math.log(2.0))
