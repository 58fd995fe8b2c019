"""The Maxwell solid with power-law viscosity as a cell: three trainable constants."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import KerasTensor, ops

from zoo.cells.material.base import MaterialCell, increments, require_count, require_positive
from zoo.cells.material.closed import bounded_exp, expm1_quotient, log1p_quotient, log_size

MIN_EXPONENT = 0.5  # below, a hold would end at zero with a jump in the rate, see `Material`
_FORMER_MIN_EXPONENT = 1.0001  # of cells that were saved before theirs was a setting
_MAX_PACE = 1e30  # of Δt over the relaxation time; its product with m − 1 is still a float32
_MIN_REST = 1e-7  # of 1 + z, where m < 1 and the stress has relaxed to zero: log of it is finite


class MaxwellState(NamedTuple):
    """Stress at the end of the step [stress], shape (batch, 1)."""

    stress: KerasTensor


def power_law_decay(stress: KerasTensor, pace: KerasTensor, excess: KerasTensor) -> KerasTensor:
    """Logarithmic decrement L of relaxation at fixed strain, ds/dt = −|s|^(m−1) s/τ, exact.

    s* = s e^(−L),  L = log(1 + z)/(m − 1),  z = (m − 1)|s|^(m−1) Δt/τ;  L = |s|^(m−1) Δt/τ at m = 1

    With m < 1 the stress is zero from Δt = τ |s|^(1−m)/(1 − m) on, where z reaches −1. From there
    on L is 16/(1 − m) or more, so that s* is s/10¹⁴ at m = 0.5, and closer to zero above.

    Args:
        stress: s [-], in units of the stress at which τ is the relaxation time, (batch, 1).
        pace: Δt/τ [-], not negative, (batch, 1).
        excess: m − 1 [-], −0.5 or more.

    Returns:
        L, not negative, (batch, 1).
    """
    linear = ops.minimum(pace * bounded_exp(excess * log_size(stress)), _MAX_PACE)
    return linear * log1p_quotient(ops.maximum(excess * linear, _MIN_REST - 1.0))


@keras.saving.register_keras_serializable("zoo")
class MaxwellCell(MaterialCell):
    """Maxwell solid with power-law viscosity, dσ/dt = E dε/dt − |σ|^(m−1) σ/κ, by Strang splitting.

    Half the elastic step, relaxation in closed form, the other half (Strang 1968, SIAM J. Numer.
    Anal. 5, 506); `substeps` such steps of Δt/substeps make one step of the cell.

    Guaranteed for any weights, states and inputs with Δt ≥ 0 (without `richardson`):
    - dissipation ≥ 0, also in floating point: it is ψ(s⁻) − ψ(s*), and |s*| ≤ |s⁻|;
    - 0 < ∂σ'/∂σ ≤ 1, the product of e^(−mL) over the substeps (until it underflows);
    - a hold is exact, so one step of Δt equals any number of steps that add up to it (with m < 1
      until the stress is zero, and from there on within 1e-14 of it);
    - at rest (Δε = 0 with σ = 0, or Δt = 0) nothing changes; the response is odd in the loading.
    The error falls as Δt² (with m < 1 more slowly, as Δt^1.3 at m = 0.5, since the rate of
    relaxation is not bounded where the stress changes sign). With `richardson`, (4 S_2n − S_n)/3,
    it falls as Δt⁴; holds, rest and oddness stay, but dissipation and ∂σ'/∂σ are extrapolated and
    can leave their bounds.

    A test identifies E, m and κ only (Material's ν0 and σ0 not separately). The weights are
    log E, the inverse softplus of m − `min_exponent`, and the logarithm of the relaxation time
    κ/σ_r^(m−1) at the stress scale, which data fix far better than κ itself.

    Quantities, each (batch, 1): stress; energy ψ = σ²/2E at the end of the step and dissipation
    during it [stress]; relaxation_rate |σ|^(m−1)/κ at its end [1/s]; memory ∂σ'/∂σ [-].

    Args:
        modulus: initial E, in the unit of stress, positive.
        exponent: initial m [-], 0.5 to 20; 1 is the linear solid.
        kappa: initial κ = ν0 σ0^(m−1) [s stress^(m−1)], positive.
        stress_scale: σ_r, a typical stress; no more than a unit.
        substeps: 1 or more.
        richardson: extrapolate from n and 2n substeps to fourth order.
        min_exponent: m stays above it [-], 0.5 or more.
        show: quantities to emit.
        **kwargs: as for `keras.layers.Layer`.
    """

    State = MaxwellState

    def __init__(
        self,
        modulus: float = 1.0,
        exponent: float = 2.0,
        kappa: float = 1.0,
        stress_scale: float = 1.0,
        substeps: int = 8,
        richardson: bool = False,
        min_exponent: float = MIN_EXPONENT,
        show: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        require_positive(modulus=modulus, kappa=kappa, stress_scale=stress_scale)
        require_count(substeps=substeps)
        if not MIN_EXPONENT <= min_exponent < 20:
            raise ValueError(
                f"`min_exponent` must lie between {MIN_EXPONENT:g} and 20. Received: "
                f"{min_exponent}."
            )
        if not MIN_EXPONENT <= exponent <= 20:
            raise ValueError(
                f"`exponent` must lie between {MIN_EXPONENT:g} and 20. Received: {exponent}."
            )
        self.min_exponent = min_exponent
        self.initial = {"modulus": modulus, "exponent": exponent, "kappa": kappa}
        self.stress_scale, self.substeps, self.richardson = stress_scale, substeps, richardson
        self.state_size = 1
        names = ("stress", "energy", "dissipation", "relaxation_rate", "memory")
        self.set_visible(dict.fromkeys(names, 1), show)

    def make_weights(self) -> None:
        """Log E, log relaxation time at the stress scale, inverse softplus of m above its bound."""
        above = max(self.initial["exponent"] - self.min_exponent, 1e-6)
        time = self.initial["kappa"] * self.stress_scale ** (1.0 - self.initial["exponent"])
        self.log_modulus = self.log_weight("log_modulus", self.initial["modulus"])
        self.log_time = self.log_weight("log_time", time)
        # softplus(log(e^x − 1)) = x
        self.raw_exponent = self.log_weight("raw_exponent", math.expm1(above))

    def excess(self) -> KerasTensor:
        """Exponent above linear, m − 1, above `min_exponent` − 1."""
        return ops.softplus(self.raw_exponent) + (self.min_exponent - 1.0)

    def constants(self) -> dict[str, float]:
        """Modulus E, exponent m and κ of the present weights, in the units of the arguments."""
        exponent = 1.0 + float(ops.convert_to_numpy(self.excess()))
        time = math.exp(float(ops.convert_to_numpy(self.log_time)))
        return {
            "modulus": math.exp(float(ops.convert_to_numpy(self.log_modulus))),
            "exponent": exponent,
            "kappa": time * self.stress_scale ** (exponent - 1.0),
        }

    def step(
        self, x: KerasTensor, state: MaxwellState
    ) -> tuple[MaxwellState, dict[str, KerasTensor]]:
        """One step of (batch, 3) inputs."""
        modulus, time, excess = ops.exp(self.log_modulus), ops.exp(self.log_time), self.excess()
        strain, dt = increments(x)
        # From here to the result, stress is measured in units of its scale.
        start, stiffness = state.stress / self.stress_scale, modulus / self.stress_scale

        def strang(count: int) -> tuple[KerasTensor, KerasTensor, KerasTensor]:
            """Stress, lost squares of it, and memory after `count` substeps."""
            half, pace = stiffness * strain / (2 * count), dt / (count * time)
            stress, lost, decays = start, 0.0, 0.0
            for _ in range(count):
                before = stress + half
                decay = power_law_decay(before, pace, excess)
                stress = before * ops.exp(-decay) + half
                # s⁻² − s*², without the difference of two nearly equal numbers
                lost += ops.square(before) * 2.0 * decay * expm1_quotient(-2.0 * decay)
                decays += decay
            return stress, lost, ops.exp(-(1.0 + excess) * decays)

        result = strang(self.substeps)
        if self.richardson:
            finer = strang(2 * self.substeps)
            result = [(4.0 * b - a) / 3.0 for a, b in zip(result, finer, strict=True)]
        scaled, lost, memory = result
        stress = scaled * self.stress_scale
        return MaxwellState(stress), {
            "stress": stress,
            "energy": ops.square(stress) / (2.0 * modulus),
            "dissipation": lost * (self.stress_scale**2 / (2.0 * modulus)),
            "relaxation_rate": bounded_exp(excess * log_size(scaled)) / time,
            "memory": memory,
        }

    def get_config(self) -> dict[str, Any]:
        """Settings; the initial constants, not the trained ones."""
        settings = ("stress_scale", "substeps", "richardson", "min_exponent")
        return {
            **super().get_config(),
            **self.initial,
            **{name: getattr(self, name) for name in settings},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "MaxwellCell":
        """From `get_config`; a cell saved without `min_exponent` keeps the bound of its time."""
        return cls(**{"min_exponent": _FORMER_MIN_EXPONENT, **config})
