"""One-dimensional elastoplasticity with isotropic and kinematic hardening, integrated exactly."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import KerasTensor, ops

from zoo.cells.material.base import MaterialCell, increments, require_count, require_positive
from zoo.cells.material.closed import expm1_quotient, linear_flow
from zoo.cells.material.constants import Meaning

_SPREAD = 10.0  # ratio of the initial rates of neighbouring back-stresses


class ChabocheState(NamedTuple):
    """State at the end of the step, zero in the virgin material.

    Attributes:
        stress: σ [stress], (batch, 1).
        back_stress: α_k [stress], (batch, back_stresses).
        plastic_path: accumulated plastic strain p [-], (batch, 1).
    """

    stress: KerasTensor
    back_stress: KerasTensor
    plastic_path: KerasTensor


class Hardening(NamedTuple):
    """Constants of the law.

    Attributes:
        modulus: E [stress].
        yield_stress: σ_y [stress].
        saturation: Q, how far the yield stress grows [stress].
        speed: b, by e^(−bp) [-].
        slopes: C_k [stress], (back_stresses,).
        rates: γ_k [-], (back_stresses,).
    """

    modulus: KerasTensor
    yield_stress: KerasTensor
    saturation: KerasTensor
    speed: KerasTensor
    slopes: KerasTensor
    rates: KerasTensor

    def radius(self, path: KerasTensor) -> KerasTensor:
        """R(p) = σ_y + Q (1 − e^(−bp)), half of the elastic range."""
        return self.yield_stress + self.saturation * (1.0 - ops.exp(-self.speed * path))


def return_mapping(
    trial: KerasTensor, state: ChabocheState, law: Hardening, iterations: int
) -> tuple[KerasTensor, KerasTensor]:
    """Plastic strain of a step by its size Δp and direction n, exact for one direction of strain.

    Within the step dα_k/dp = n C_k − γ_k α_k has the solution α_k e^(−γΔp) + n C_k φ Δp, φ =
    (1 − e^(−γΔp))/(γΔp), so that yield at its end is one equation,

        f(Δp) = n σ_trial − E Δp − Σ n α_k e^(−γ_k Δp) − Σ C_k φ_k Δp − R(p + Δp) = 0

    f falls and is convex, since |α_k| ≤ C_k/γ_k and Q ≥ 0, and f lies above its asymptote. Newton's
    method from where that is zero (or from 0) rises to the root without passing it. An elastic step
    has f(0) ≤ 0 and stays at 0: no decision is needed.

    Args:
        trial: σ + E Δε [stress], (batch, 1).
        state: before the step.
        law: constants.
        iterations: of Newton's method.

    Returns:
        Δp ≥ 0 and n = ±1 (0 where trial and back-stress agree), each (batch, 1).
    """
    gap = trial - ops.sum(state.back_stress, axis=-1, keepdims=True)
    direction = gap / ops.maximum(ops.abs(gap), 1e-30)
    forward = direction * state.back_stress
    pull = direction * trial
    limits = ops.sum(law.slopes / law.rates, axis=-1, keepdims=True)
    saturated = limits + law.yield_stress + law.saturation
    step = ops.relu(pull - saturated) / law.modulus
    for _ in range(iterations):
        decay = ops.exp(-law.rates * step)
        hardening = law.slopes * expm1_quotient(-law.rates * step) * step
        back = ops.sum(forward * decay + hardening, axis=-1, keepdims=True)
        value = pull - law.modulus * step - back - law.radius(state.plastic_path + step)
        growth = ops.relu(law.slopes - law.rates * forward) * decay
        isotropic = law.saturation * law.speed * ops.exp(-law.speed * (state.plastic_path + step))
        slope = law.modulus + ops.sum(growth, axis=-1, keepdims=True) + isotropic
        step = ops.relu(step + value / slope)
    return step, direction


@keras.saving.register_keras_serializable("zoo")
class ChabocheCell(MaterialCell):
    """Elastoplasticity after Chaboche: Voce isotropic hardening and several back-stresses.

        |σ − Σα_k| ≤ R(p),   R = σ_y + Q (1 − e^(−bp)),   dσ = E (dε − dε_p),
        dα_k = C_k dε_p − γ_k α_k dp,   dp = |dε_p|

    (Armstrong and Frederick 1966; Chaboche 1986, Int. J. Plast. 2, 149; Voce 1948). The return is
    exact, not backward Euler: see `return_mapping`.

    Guaranteed for any weights, states reached from zero, and inputs:
    - rate independence: only Δε = λ̇ Δt enters, so a test without a time column needs none;
    - a step in one direction equals any number of steps that add up to it (to the tolerance of
      Newton's method, 1e-6 of the stress);
    - dissipation ∫ R dp + Σ ∫ γ_k α_k²/C_k dp ≥ 0, in floating point a sum of non-negative terms;
    - within the elastic range dσ = E dε and nothing else changes; |α_k| ≤ C_k/γ_k; p never falls;
    - the response is odd in the loading; without strain nothing changes.
    Strain is counted in increments, so the zero of the strain does not matter.

    Quantities: stress σ, elastic and kinematic energy σ²/2E + Σ α_k²/2C_k and dissipation [stress],
    plastic_strain increment Δε_p, plastic_path p [-], each (batch, 1); back_stress α_k [stress],
    (batch, back_stresses).

    Args:
        back_stresses: number, 1 or more.
        modulus: initial E, in the unit of stress, positive.
        yield_stress: initial σ_y, in the unit of stress, positive; all else follows from it: Q is
            a quarter, C_k/γ_k add up to it.
        strain: typical plastic strain of a half cycle [-], positive; the largest 1/γ_k.
        isotropic: whether the yield stress grows; without, Q = 0.
        iterations: of Newton's method.
        show: quantities to emit.
        **kwargs: as for `keras.layers.Layer`.
    """

    State = ChabocheState

    def __init__(
        self,
        back_stresses: int = 2,
        modulus: float = 1.0,
        yield_stress: float = 1e-3,
        strain: float = 0.01,
        isotropic: bool = True,
        iterations: int = 8,
        show: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        require_count(back_stresses=back_stresses, iterations=iterations)
        require_positive(modulus=modulus, yield_stress=yield_stress, strain=strain)
        self.back_stresses, self.iterations = back_stresses, iterations
        self.modulus, self.yield_stress = float(modulus), float(yield_stress)
        self.strain, self.isotropic = float(strain), bool(isotropic)
        self.state_size = [1, back_stresses, 1]
        visible = dict.fromkeys(("stress", "energy", "dissipation"), 1)
        visible |= {"plastic_strain": 1, "plastic_path": 1, "back_stress": back_stresses}
        self.set_visible(visible, show)

    def make_weights(self) -> None:
        """Logarithms of E, σ_y, Q, b, C_k and γ_k."""
        rates = [_SPREAD**k / self.strain for k in range(self.back_stresses)]
        share = self.yield_stress / self.back_stresses
        self.log_modulus = self.log_weight("log_modulus", self.modulus)
        self.log_yield = self.log_weight("log_yield", self.yield_stress)
        if self.isotropic:
            self.log_saturation = self.log_weight("log_saturation", self.yield_stress / 4)
            self.log_speed = self.log_weight("log_speed", 0.05 / self.strain)
        self.log_slopes = self.log_weight("log_slopes", [share * rate for rate in rates])
        self.log_rates = self.log_weight("log_rates", rates)

    def law(self) -> Hardening:
        """Constants of the present weights."""
        modulus, size = ops.exp(self.log_modulus), ops.exp(self.log_yield)
        none = ops.zeros_like(size)
        return Hardening(
            modulus,
            size,
            ops.exp(self.log_saturation) if self.isotropic else none,
            ops.exp(self.log_speed) if self.isotropic else none,
            ops.exp(self.log_slopes),
            ops.exp(self.log_rates),
        )

    def constants(self) -> dict[str, Any]:
        """E, σ_y, Q, b, slopes C_k and rates γ_k."""
        values = {
            name: ops.convert_to_numpy(v).tolist() for name, v in self.law()._asdict().items()
        }
        return (
            values
            if self.isotropic
            else {k: v for k, v in values.items() if k not in ("saturation", "speed")}
        )

    def meanings(self, unit: str) -> list[Meaning]:
        """What each number of `constant_values` is."""
        rows = [
            Meaning("modulus", "E", unit, "modulus"),
            Meaning("yield_stress", "σy", unit, "initial yield stress"),
        ]
        if self.isotropic:
            rows += [
                Meaning("saturation", "Q", unit, "growth of the yield stress"),
                Meaning("speed", "b", "-", "rate of that growth, by plastic strain"),
            ]
        count = range(1, self.back_stresses + 1)
        rows += [Meaning(f"slopes_{k}", f"C{k}", unit, f"slope of back-stress {k}") for k in count]
        return rows + [
            Meaning(f"rates_{k}", f"γ{k}", "-", f"recall of back-stress {k}") for k in count
        ]

    def constant_values(self) -> np.ndarray:
        """The numbers that `meanings` names; back-stresses by γ, the fastest first."""
        values = self.constants()
        order = np.argsort(-np.asarray(values["rates"]))
        scalars = [v for k, v in values.items() if k not in ("slopes", "rates")]
        sorted_parts = [np.asarray(values[name])[order] for name in ("slopes", "rates")]
        return np.concatenate([scalars, *sorted_parts])

    def step(
        self, x: KerasTensor, state: ChabocheState
    ) -> tuple[ChabocheState, dict[str, KerasTensor]]:
        """One step of (batch, 3) inputs."""
        law = self.law()
        change, _ = increments(x)
        trial = state.stress + law.modulus * change
        plastic, direction = return_mapping(trial, state, law, self.iterations)
        strain = direction * plastic
        stress = trial - law.modulus * strain
        rise = law.slopes * strain
        back, recalled, _ = linear_flow(state.back_stress, rise, law.rates * plastic)
        # Mean of e^(−bp) over the step, so that ∫ R dp has no difference of near numbers.
        left = ops.exp(-law.speed * state.plastic_path) * expm1_quotient(-law.speed * plastic)
        friction = (law.yield_stress + law.saturation * (1.0 - left)) * plastic
        stored = ops.sum(ops.square(back) / law.slopes, axis=-1, keepdims=True)
        lost = ops.sum(recalled / law.slopes, axis=-1, keepdims=True)
        path = state.plastic_path + plastic
        return ChabocheState(stress, back, path), {
            "stress": stress,
            "energy": (ops.square(stress) / law.modulus + stored) / 2.0,
            "dissipation": friction + lost,
            "plastic_strain": strain,
            "plastic_path": path,
            "back_stress": back,
        }

    def get_config(self) -> dict[str, Any]:
        """Settings; initial values, not the trained ones."""
        settings = (
            *("back_stresses", "modulus", "yield_stress", "strain", "isotropic", "iterations"),
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in settings}}
