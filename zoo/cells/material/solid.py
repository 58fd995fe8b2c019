"""A viscoelastic solid of nonlinear springs and dashpots, exact in its own strain measure."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import KerasTensor, ops

from zoo.cells.material.base import MaterialCell, increments, require_count, require_positive
from zoo.cells.material.closed import expm1_quotient, linear_flow
from zoo.cells.material.constants import Meaning
from zoo.cells.material.elastic import (
    Elastic,
    coefficient_names,
    elastic,
    initial_coefficients,
)
from zoo.cells.material.maxwell import power_law_decay

VISCOSITIES = ("linear", "power")
_FIRST_POWER = math.expm1(0.5)  # e^raw of an exponent of 1.5
_SPREAD = 10.0  # ratio of the initial relaxation times of neighbouring branches


class SolidState(NamedTuple):
    """Elastic strain h of every branch, in its own measure [√stress], (batch, branches)."""

    elastic_strain: KerasTensor


@keras.saving.register_keras_serializable("zoo")
class SolidCell(MaterialCell):
    """Viscoelastic solid: a nonlinear spring in parallel with branches of spring and dashpot.

    Every spring has an energy W(λ) = g(λ)²/2 of one kind (`zoo.cells.material.elastic`), whose root
    g is its strain measure. A branch divides g additively into an elastic part h and a viscous one:

        P = dW₀/dλ + Σ h_i dg_i/dλ,    dh_i/dt = dg_i/dt − (h_i/τ_i) |h_i/h_r|^(m−1)

    A sudden stretch meets the full nonlinear spring, P = dW/dλ, and a hold relaxes it. With the
    linear spring and m = 1 this is the generalised Maxwell (Prony) solid; with others a solid whose
    generalised strain splits additively (Green and Naghdi 1965, Arch. Ration. Mech. Anal. 18, 251).
    Viscosity `linear`, m = 1, has the exact step

        h' = e^(−y) h + (1 − e^(−y))/y Δg,  y = Δt/τ

    for a constant rate of g within the step; `power` is solved by Strang splitting in `substeps`.

    Guaranteed for any weights, states and inputs with Δt ≥ 0, λ > 0.001:
    - dissipation ≥ 0, ∫ Σ h²/τ |h/h_r|^(m−1) dt, in floating point a sum of non-negative terms;
    - energy ≥ 0, zero at λ = 1 and h = 0 only; the spring alone is convex in λ;
    - a hold is exact, so one step of Δt equals any number of steps that add up to it; with linear
      viscosity so is every step in which g changes at a constant rate;
    - the limits: Δt → 0 gives dW₀/dλ + Σ dW_i/dλ, Δt → ∞ gives dW₀/dλ;
    - 0 ≤ ∂h'/∂h ≤ 1; at rest (λ = 1, h = 0, Δλ = 0, or Δt = 0 = Δλ) nothing changes.
    The stretch must be counted from the unloaded solid, which the cell reads, unlike those of a
    liquid: strain 0 has no stress.

    Quantities: stress P, equilibrium_stress dW₀/dλ, energy W₀ + Σ h²/2 and dissipation [stress],
    each (batch, 1); elastic_strain h [√stress] and memory ∂h'/∂h [-], (batch, branches).

    Args:
        energy: of the springs: linear, neo-hooke, mooney-rivlin, yeoh, polynomial, or convex
            (learnt).
        branches: of spring and dashpot, 1 or more.
        modulus: initial E at λ = 1, of all springs together, in the unit of stress, positive.
        time: initial τ [s], positive; of several branches the middle one, and neighbours differ by
            a factor of 10.
        viscosity: linear or power.
        equilibrium: whether there is a spring W₀; without it, a liquid.
        substeps: of a power law, 1 or more.
        show: quantities to emit.
        **kwargs: as for `keras.layers.Layer`.
    """

    State = SolidState

    def __init__(
        self,
        energy: str = "mooney-rivlin",
        branches: int = 2,
        modulus: float = 1.0,
        time: float = 1.0,
        viscosity: str = "linear",
        equilibrium: bool = True,
        substeps: int = 2,
        show: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        coefficient_names(energy)
        require_count(branches=branches, substeps=substeps)
        require_positive(modulus=modulus, time=time)
        if viscosity not in VISCOSITIES:
            raise ValueError(
                f"`viscosity` must be one of {', '.join(VISCOSITIES)}. Received: {viscosity!r}."
            )
        self.energy, self.branches, self.viscosity = energy, branches, viscosity
        self.modulus, self.time = float(modulus), float(time)
        self.equilibrium, self.substeps = bool(equilibrium), substeps
        self.state_size = branches
        one = ("stress", "equilibrium_stress", "energy", "dissipation")
        visible: dict[str, int] = dict.fromkeys(one, 1)
        each = ("elastic_strain", "memory")
        self.set_visible(visible | dict.fromkeys(each, branches), show)

    def make_weights(self) -> None:
        """Log of every coefficient, springs in the order equilibrium, branches; log τ; m."""
        parts = self.branches + self.equilibrium
        initial = initial_coefficients(self.energy, self.modulus / parts)
        self.log_coefficients = {
            name: self.log_weight(f"log_{name}", [value] * parts) for name, value in initial.items()
        }
        order = np.arange(self.branches) - (self.branches - 1) / 2
        self.log_relaxation = self.log_weight(
            "log_relaxation", (self.time * _SPREAD**order).tolist()
        )
        if self.viscosity == "power":
            self.raw_power = self.log_weight("raw_power", _FIRST_POWER)

    def shift_groups(self) -> dict[str, list[Any]]:
        """Weights that a change of temperature or the like shifts by one factor each."""
        return {"stiffness": list(self.log_coefficients.values()), "time": [self.log_relaxation]}

    def exponent(self) -> KerasTensor | float:
        """Exponent m of the viscosity, above 1; 1 where it is linear."""
        return 1.0 + ops.softplus(self.raw_power) if self.viscosity == "power" else 1.0

    def constants(self) -> dict[str, Any]:
        """Coefficients of every spring, equilibrium first, times τ [s] and the exponent m."""
        values: dict[str, Any] = {
            name: ops.convert_to_numpy(ops.exp(weight)).tolist()
            for name, weight in self.log_coefficients.items()
        }
        values["times"] = ops.convert_to_numpy(ops.exp(self.log_relaxation)).tolist()
        if self.viscosity == "power":
            values["exponent"] = float(ops.convert_to_numpy(self.exponent()))
        return values

    def meanings(self, unit: str) -> list[Meaning]:
        """What each number of `constants` is, in the order of `constant_values`."""
        rows = []
        springs = [*(["of the equilibrium spring"] * self.equilibrium)]
        springs += [f"of branch {k + 1}" for k in range(self.branches)]
        for name in self.log_coefficients:
            first = 0 if self.equilibrium else 1
            rows += [
                Meaning(f"{name}_{k}", f"{_symbol(name)},{k}", unit, f"coefficient {name} {spring}")
                for k, spring in enumerate(springs, first)
            ]
        at = f" at |h| = {self._scale():.3g} √{unit}" if self.viscosity == "power" else ""
        rows += [
            Meaning(f"times_{k + 1}", f"τ{k + 1}", "s", f"relaxation time of branch {k + 1}{at}")
            for k in range(self.branches)
        ]
        if self.viscosity == "power":
            rows.append(Meaning("exponent", "m", "-", "exponent of the viscosity", False, 1.0))
        return rows

    def constant_values(self) -> np.ndarray:
        """The numbers that `meanings` names; branches sorted by their times, the shortest first."""
        values = self.constants()
        order = np.argsort(values["times"])
        places = np.concatenate([[0] * self.equilibrium, order + self.equilibrium]).astype(int)
        parts = [np.asarray(values[name])[places] for name in self.log_coefficients]
        parts.append(np.asarray(values["times"])[order])
        return np.concatenate([*parts, [values["exponent"]] if "exponent" in values else []])

    def springs(self, strain: KerasTensor) -> Elastic:
        """Response of every spring to a strain λ − 1, (batch, 1)."""
        coefficients = {name: ops.exp(weight) for name, weight in self.log_coefficients.items()}
        return elastic(self.energy, coefficients, strain)

    def step(self, x: KerasTensor, state: SolidState) -> tuple[SolidState, dict[str, KerasTensor]]:
        """One step of (batch, 3) inputs."""
        change, dt = increments(x)
        before, after = self.springs(x[..., :1] - change), self.springs(x[..., :1])
        first = int(self.equilibrium)
        rise = (after.measure - before.measure)[..., first:]
        y = dt * ops.exp(-self.log_relaxation)
        flow = linear_flow if self.viscosity == "linear" else self._power_flow
        h, lost, memory = flow(state.elastic_strain, rise, y)
        own = ops.zeros_like(dt)
        resting = after.stress[..., :1] if first else own
        stored = after.energy[..., :1] if first else own
        over = ops.sum(h * after.slope[..., first:], axis=-1, keepdims=True)
        return SolidState(h), {
            "stress": resting + over,
            "equilibrium_stress": resting,
            "energy": stored + ops.sum(ops.square(h), axis=-1, keepdims=True) / 2,
            "dissipation": ops.sum(lost, axis=-1, keepdims=True),
            "elastic_strain": h,
            "memory": memory,
        }

    def _scale(self) -> float:
        """Elastic strain h_r [√stress], that of |Δg| = E^½ in one spring."""
        return math.sqrt(self.modulus / (self.branches + self.equilibrium))

    def _power_flow(
        self, h: KerasTensor, rise: KerasTensor, y: KerasTensor
    ) -> tuple[KerasTensor, KerasTensor, KerasTensor]:
        """Elastic strain, dissipation and memory after a step, by Strang splitting."""
        scale = self._scale()
        excess = self.exponent() - 1.0
        lost, decays = 0.0, 0.0
        for _ in range(self.substeps):
            start = h + rise / (2 * self.substeps)
            size = start / scale
            decay = ops.maximum(power_law_decay(size, y / self.substeps, excess), 0.0)
            lost = lost + ops.square(start) * decay * expm1_quotient(-2.0 * decay)
            decays = decays + decay
            h = start * ops.exp(-decay) + rise / (2 * self.substeps)
        return h, lost, ops.exp(-(1.0 + excess) * decays)

    def get_config(self) -> dict[str, Any]:
        """Settings; initial values, not the trained ones."""
        settings = ("energy", "branches", "modulus", "time", "viscosity", "equilibrium", "substeps")
        return {**super().get_config(), **{name: getattr(self, name) for name in settings}}


def _symbol(name: str) -> str:
    return "E" if name == "modulus" else name
