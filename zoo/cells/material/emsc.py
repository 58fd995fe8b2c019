"""The extended minimal state cell: self-consistent in strain and time to second order."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import KerasTensor, ops

from zoo.cells.material.base import require_count
from zoo.cells.material.closed import decayed
from zoo.cells.material.lmsc import LMSCCell, LMSCState


@keras.saving.register_keras_serializable("zoo")
class EMSCCell(LMSCCell):
    """Extended minimal state cell of strain and time (after Heidenreich and Mohr).

    Along a step of constant direction x̂ = (Δε/ε_r, Δt/t_r)/‖·‖ the state follows

        dχ/dθ = r(χ, x̂) (target(χ, x̂) − χ),   0 ≤ θ ≤ 1,   σ = σ_r w·χ
        r = exp(A z + a)|Δε|/ε_r + exp(B z + b) Δt/t_r,   target = tanh(C z + c)

    with the features z(χ, x̂) of `LMSCCell`. Strain and time have rates of their own, so a step of
    either alone is one, and every increment of the same direction follows the same curve: that is
    the condition of self-consistency. Name and idea are those of Heidenreich and Mohr, Extended
    minimal state cells (EMSC): self-consistent recurrent neural networks for rate- and
    temperature-dependent materials, DTE AICOMAS 2025. Of that talk only the title and what its
    abstract says were at hand, not a text with equations, so these are not a reproduction: they are
    `LMSCCell` (Bonatti and Mohr 2022) with biases, under that condition, without the temperature.
    Code that others published under the name takes increments of strain, time and temperature, as
    here but for the last. `LMSCCell` follows the curve
    with the coefficients of its start, to first order in the length of the step; this cell by the
    exponential midpoint rule,

        χ½ = χ + (1 − e^(−r/2)) (target − χ)               coefficients at χ
        χ' = χ + (1 − e^(−r)) (target − χ)                 coefficients at χ½

    `substeps` times a step, which is of second order. The rule is ours, not the paper's.

    Guaranteed for any weights and inputs with Δt ≥ 0: when nothing moves, Δε = 0 and Δt = 0,
    nothing changes; χ stays in (−1, 1), so |σ| ≤ σ_r Σ|w|. A step and its halves differ by
    O(length³). Not guaranteed: dissipation ≥ 0, exact holds, oddness.

    Quantities: stress (batch, 1); hidden χ', target and rate r, (batch, units), and features z,
    (batch, width), the last three at the last midpoint, with r of the whole step.

    Args:
        units: number of state variables.
        width: of the features.
        substeps: of each step, 1 or more.
        stretch_scale: ε_r [-], a typical |Δε| of the training data.
        time_scale: t_r [s], a typical Δt.
        stress_scale: σ_r, a typical stress.
        show: quantities to emit.
        **kwargs: as for `keras.layers.Layer`.
    """

    def __init__(
        self,
        units: int = 12,
        width: int = 12,
        substeps: int = 1,
        show: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, width, show=show, **kwargs)
        require_count(substeps=substeps)
        self.substeps = substeps

    def make_weights(self) -> None:
        """Those of `LMSCCell`, and biases of the three maps."""
        super().make_weights()
        self.map_biases = {
            name: self.add_weight(shape=(self.units,), initializer="zeros", name=f"{name}_bias")
            for name in self.maps
        }

    def coefficients(
        self, hidden: KerasTensor, direction: KerasTensor
    ) -> tuple[KerasTensor, KerasTensor, KerasTensor, KerasTensor]:
        """Features, both rates and target at a state χ (batch, units) and a direction x̂."""
        features = self.features_of(hidden, direction)
        by_strain, by_time, target = (
            ops.matmul(features, self.maps[name]) + self.map_biases[name]
            for name in ("stretch_rate", "time_rate", "target")
        )
        return features, ops.exp(by_strain), ops.exp(by_time), ops.tanh(target)

    def step(self, x: KerasTensor, state: LMSCState) -> tuple[LMSCState, dict[str, KerasTensor]]:
        """One step of (batch, 3) inputs."""
        direction, strain, dt = self.direction_of(x)
        strain, dt = strain / self.substeps, dt / self.substeps
        hidden = state.hidden
        for _ in range(self.substeps):
            _, by_strain, by_time, target = self.coefficients(hidden, direction)
            half = 0.5 * (by_strain * strain + by_time * dt)
            middle = hidden + decayed(half) * (target - hidden)
            features, by_strain, by_time, target = self.coefficients(middle, direction)
            rate = by_strain * strain + by_time * dt
            hidden = hidden + decayed(rate) * (target - hidden)
        return LMSCState(hidden), {
            "stress": self.stress_scale * ops.matmul(hidden, self.readout),
            "hidden": hidden,
            "target": target,
            "rate": self.substeps * rate,
            "features": features,
        }

    def get_config(self) -> dict[str, Any]:
        """Settings of the cell."""
        return {**super().get_config(), "substeps": self.substeps}
