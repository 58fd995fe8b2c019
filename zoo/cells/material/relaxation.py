"""A nonlinear Maxwell solid whose relaxation rate is learnt from data, without a given law."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import KerasTensor, ops

from zoo.cells.material.base import MaterialCell, increments, require_count, require_positive
from zoo.cells.material.closed import expm1_quotient, log_size
from zoo.cells.material.curve import RateCurve

_FLAT = math.log(math.e - 1)  # softplus of it is 1
_SPREAD = 10.0  # ratio of the initial relaxation times of neighbouring branches


class RelaxationState(NamedTuple):
    """Stress of every branch at the end of the step [stress], shape (batch, branches)."""

    branch_stress: KerasTensor


@keras.saving.register_keras_serializable("zoo")
class RelaxationCell(MaterialCell):
    """Branches of a spring and a learnt dashpot in parallel: σ = Σ s_i, ds/dt = E dε/dt − γ(|s|) s.

    A generalised nonlinear Maxwell solid, by Strang splitting: half the elastic step, relaxation
    in closed form (`RateCurve.hold`), the other half; `substeps` such steps make one of the cell.
    γ > 0 is piecewise linear in log γ against log|s|, a network with one hidden layer of kinks
    at `knots`, so no law is assumed, and yet a hold is solved exactly. Below the first knot the
    solid is linear; above the last the last slope continues, which is an extrapolation.

    Guaranteed for any weights, states and inputs with Δt ≥ 0:
    - dissipation ≥ 0, also in floating point: every branch loses ψ(s⁻) − ψ(s*), and |s*| ≤ |s⁻|;
    - ∂s'/∂s > 0 in every branch; with `monotone`, where γ(s)s cannot decrease with s, also ≤ 1,
      so the stresses of two histories never move apart in a branch;
    - a hold is exact, so one step of Δt equals any number of steps that add up to it;
    - at rest (σ and Δε zero in every branch, or Δt and Δε zero) nothing changes; the response is
      odd in the loading.
    The error of the splitting falls as Δt². One branch has its own stress as its only
    memory: a material whose state is more than its stress needs more branches.

    Quantities: stress (batch, 1); energy Σ s²/2E at the end of the step and dissipation during it
    [stress], (batch, 1); branch_stress, relaxation_rate γ at the end of the step [1/s] and memory
    ∂s'/∂s [-], (batch, branches).

    Args:
        branches: number in parallel.
        modulus: initial E of all branches together, in the unit of stress, positive.
        time: initial relaxation time 1/γ [s], positive; of several branches the middle one, and
            neighbours differ by a factor of 10.
        stress_scale: σ_r, the root mean square stress of the training data.
        knots: |s|/σ_r at the kinks of log γ, increasing, positive.
        monotone: bound the slope of log γ by −1 from below.
        substeps: 1 or more.
        show: quantities to emit.
        **kwargs: as for `keras.layers.Layer`.
    """

    State = RelaxationState

    def __init__(
        self,
        branches: int = 1,
        modulus: float = 1.0,
        time: float = 1.0,
        stress_scale: float = 1.0,
        knots: Sequence[float] = tuple(np.geomspace(0.1, 2.0, 12).round(3).tolist()),
        monotone: bool = False,
        substeps: int = 3,
        show: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        require_count(branches=branches, substeps=substeps)
        require_positive(modulus=modulus, time=time, stress_scale=stress_scale)
        if not len(knots) or min(knots) <= 0 or (np.diff(knots) <= 0).any():
            raise ValueError(f"`knots` must be positive and increasing. Received: {tuple(knots)}.")
        self.branches, self.modulus, self.time = branches, modulus, time
        self.stress_scale, self.monotone, self.substeps = stress_scale, monotone, substeps
        self.knots = tuple(float(knot) for knot in knots)
        self.state_size = branches
        visible: dict[str, int] = dict.fromkeys(("stress", "energy", "dissipation"), 1)
        each = ("branch_stress", "relaxation_rate", "memory")
        self.set_visible(visible | dict.fromkeys(each, branches), show)

    def make_weights(self) -> None:
        """Log E, log γ at the stress scale and the parameters of its slopes, for every branch."""
        count = self.branches
        order = np.arange(count) - (count - 1) / 2
        self.log_moduli = self.log_weight("log_moduli", [self.modulus / count] * count)
        self.level = self.log_weight("level", (_SPREAD**-order / self.time).tolist())
        self.bends = self.add_weight(
            shape=(count, len(self.knots)),
            initializer=keras.initializers.Constant(_FLAT if self.monotone else 0.0),
            name="bends",
        )

    def curve(self) -> RateCurve:
        """Log γ of every branch against log|s/σ_r|, with γ in 1/s."""
        slopes = ops.softplus(self.bends) - 1.0 if self.monotone else self.bends
        knots = [math.log(knot) for knot in self.knots]
        return RateCurve.through(knots, ops.convert_to_tensor(self.level), slopes)

    def step(
        self, x: KerasTensor, state: RelaxationState
    ) -> tuple[RelaxationState, dict[str, KerasTensor]]:
        """One step of (batch, 3) inputs."""
        modulus, curve = ops.exp(self.log_moduli), self.curve()
        strain, dt = increments(x)
        half, dt = modulus * strain / (2 * self.substeps), dt / self.substeps
        stress, dissipation, log_memory = state.branch_stress, 0.0, 0.0
        for _ in range(self.substeps):
            before = stress + half
            size = log_size(before / self.stress_scale)
            fall = curve.hold(size, dt)
            # ψ(before) − ψ(after), without the difference of two nearly equal numbers
            lost = 2.0 * fall * expm1_quotient(-2.0 * fall)
            dissipation = dissipation + ops.square(before) * lost / (2.0 * modulus)
            log_memory += curve.log_rate(size - fall) - curve.log_rate(size) - fall
            stress = before * ops.exp(-fall) + half
        rate = ops.exp(curve.log_rate(log_size(stress / self.stress_scale)))
        return RelaxationState(stress), {
            "stress": ops.sum(stress, axis=-1, keepdims=True),
            "energy": ops.sum(ops.square(stress) / (2.0 * modulus), axis=-1, keepdims=True),
            "dissipation": ops.sum(dissipation, axis=-1, keepdims=True),
            "branch_stress": stress,
            "relaxation_rate": rate,
            "memory": ops.exp(log_memory),
        }

    def get_config(self) -> dict[str, Any]:
        """Settings; initial values, not the trained ones."""
        settings = ("branches", "modulus", "time", "stress_scale", "knots", "monotone", "substeps")
        return {**super().get_config(), **{name: getattr(self, name) for name in settings}}
