"""Generalised standard material: a learnt free energy and a learnt dissipation potential."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import KerasTensor, ops

from zoo.cells.material.base import MaterialCell, increments, require_count, require_positive
from zoo.cells.material.closed import choose

RATES = 6  # units of the potential in each rate, a decade apart
_DECADES_BELOW = 2  # of the typical rate, where the first one saturates
# Shares of a rate that are tried when the whole one runs past the minimum.
_SHARES = (0.5, 0.99, 1.0 - 1e-5, 1.0)
_MIN_PIVOT = 1e-20


class StandardState(NamedTuple):
    """Internal variables α [-], in units of strain, (batch, branches)."""

    internal: KerasTensor


class _Slopes(NamedTuple):
    """Derivatives of the free energy, by its unit E·strain².

    Attributes:
        stress: by the scaled strain, (batch, 1).
        internal: by every scaled internal variable, (batch, branches).
        curvature: second ones by internal variables i ≥ j, each (batch, 1).
    """

    stress: KerasTensor
    internal: KerasTensor
    curvature: list[list[KerasTensor]]


@keras.saving.register_keras_serializable("zoo")
class StandardCell(MaterialCell):
    """Generalised standard material (Halphen and Nguyen 1975): σ = ∂ψ/∂ε, −∂ψ/∂α = ∂Φ/∂α̇.

    Free energy and dissipation potential are input-convex networks (Amos, Xu and Kolter 2017) of
    one hidden layer with output weights a, c ≥ 0; in units of E, a strain and a time,

        ψ = E₀ε²/2 + Σ_i [E_i (ε − α_i)² + H_i α_i²]/2 + Σ_k a_k s(w_k·(ε, α); b_k)
        s(z; b) = log(1 + e^(z+b)) − log(1 + e^b) − z/(1 + e^(−b)), the tangent at 0 taken away
        Φ = Σ_i [η_i α̇_i²/2 + Σ_k c_ik r_k² (√(1 + (α̇_i/r_k)²) − 1)], r_k a decade apart

    convex for any w and b, ψ ≥ 0 and 0 at rest, Φ ≥ 0 and 0 at α̇ = 0. Each
    unit of Φ is a dashpot below its rate r_k and friction above. The step is implicit, in the rate
    v = (α' − α)/Δt, from v = 0 by a fixed number of Newton's steps on

        R(v) = ∂ψ/∂α(ε', α + Δt v) + ∂Φ/∂v(v) = 0,

    the slope of the convex function ψ/Δt + Φ. If at the end R·v > 0, past the minimum along v, the
    largest of the shares 1 − 1e-5, 0.99, 1/2 and 0 of v is taken for which R·v ≤ 0.

    Guaranteed for any weights, states and inputs with Δt ≥ 0, and whatever R is left, up to
    rounding:
    - dissipation D = Δt v·∂Φ/∂v ≥ Δt Φ(v) ≥ 0, a sum of non-negative terms;
    - no energy is created: σ'Δε ≥ ψ' − ψ + D, since ψ is convex and R·v ≤ 0;
    - energy ψ ≥ 0; at rest nothing changes, nor where Δt = 0 = Δε.
    With R = 0 the step is the backward Euler step, whose minimum is unique, since η, E and H are
    positive: of first order in Δt, stable for any Δt. Not guaranteed: that R is small (emitted as
    `residual`, |R| by E·strain), independence of the time step.

    Quantities: stress, energy ψ and dissipation D [stress], residual [-], each (batch, 1); internal
    [-], (batch, branches).

    Args:
        branches: internal variables, 1 or more.
        hidden: units of ψ.
        modulus: initial E [stress], positive.
        strain: typical strain, unit of ε and α [-], positive.
        time: typical relaxation time, unit of time [s], positive.
        steps: of Newton's method, 1 or more.
        show: quantities to emit.
        **kwargs: as for `keras.layers.Layer`.
    """

    State = StandardState

    def __init__(
        self,
        branches: int = 2,
        hidden: int = 8,
        modulus: float = 1.0,
        strain: float = 1.0,
        time: float = 1.0,
        steps: int = 8,
        show: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        require_count(branches=branches, hidden=hidden, steps=steps)
        require_positive(modulus=modulus, strain=strain, time=time)
        self.branches, self.hidden, self.steps = branches, hidden, steps
        self.modulus, self.strain, self.time = float(modulus), float(strain), float(time)
        self.state_size = branches
        one = dict.fromkeys(("stress", "energy", "dissipation", "residual"), 1)
        self.set_visible(one | {"internal": branches}, show)

    def make_weights(self) -> None:
        """Branches of equal moduli and of times a decade apart, and small hidden units."""
        n, count = self.branches, self.hidden
        share = 1.0 / (n + 1)
        self.log_spring = self.log_weight("log_spring", share)
        self.log_branches = self.log_weight("log_branches", [share] * n)
        self.log_hardening = self.log_weight("log_hardening", [0.01] * n)
        self.log_heights = self.log_weight("log_heights", [0.1] * count)
        self.directions = self.add_weight(
            shape=(n + 1, count),
            initializer=keras.initializers.Orthogonal(seed=1),
            name="directions",
        )
        self.offsets = self.add_weight(shape=(count,), initializer="zeros", name="offsets")
        times = 10.0 ** (np.arange(n) - (n - 1) / 2)
        friction = share * times[:, None] * np.full(RATES, 1.0 / RATES)
        self.log_friction = self.add_weight(
            shape=(n, RATES),
            initializer=lambda shape, dtype=None: ops.convert_to_tensor(np.log(friction), dtype),
            name="log_friction",
        )
        self.log_viscosity = self.log_weight("log_viscosity", (0.01 * share * times).tolist())

    def potentials(
        self, strain: KerasTensor, internal: KerasTensor, rate: KerasTensor
    ) -> tuple[KerasTensor, KerasTensor]:
        """ψ [stress] and Φ [stress/s].

        Args:
            strain: ε [-], (batch, 1).
            internal: α [-], (batch, branches).
            rate: α̇ [1/s], (batch, branches).
        """
        unit = self.modulus * self.strain**2
        scaled = rate * (self.time / self.strain)
        roots = ops.sqrt(1.0 + ops.square(ops.expand_dims(scaled, -1) / self._rates(scaled)))
        square = ops.square(self._rates(scaled))
        friction = ops.sum(ops.exp(self.log_friction) * square * (roots - 1.0), axis=-1)
        viscous = ops.exp(self.log_viscosity) * ops.square(scaled) / 2
        total = ops.sum(friction + viscous, axis=-1, keepdims=True)
        energy = self._energy(strain / self.strain, internal / self.strain)
        return unit * energy, unit / self.time * total

    def _energy(self, strain: KerasTensor, internal: KerasTensor) -> KerasTensor:
        z = self._inputs(strain, internal)
        units = ops.softplus(z + self.offsets) - ops.softplus(self.offsets)
        units = units - ops.sigmoid(self.offsets) * z
        squares = ops.exp(self.log_branches) * ops.square(strain - internal)
        squares = squares + ops.exp(self.log_hardening) * ops.square(internal)
        total = ops.sum(squares, axis=-1, keepdims=True) / 2
        total = total + ops.exp(self.log_spring) * ops.square(strain) / 2
        # A difference of nearly equal numbers near rest, where rounding could make it negative.
        learnt = ops.sum(ops.exp(self.log_heights) * units, axis=-1, keepdims=True)
        return total + ops.maximum(learnt, 0.0)

    def _inputs(self, strain: KerasTensor, internal: KerasTensor) -> KerasTensor:
        """Inputs of the hidden units without their offsets, (batch, hidden)."""
        return ops.matmul(ops.concatenate([strain, internal], axis=-1), self.directions)

    def _slopes(self, strain: KerasTensor, internal: KerasTensor, curved: bool) -> _Slopes:
        """Derivatives of ψ at scaled places; second ones if `curved`."""
        heights = ops.exp(self.log_heights)
        branches, hardening = ops.exp(self.log_branches), ops.exp(self.log_hardening)
        z = self._inputs(strain, internal)
        level = ops.sigmoid(z + self.offsets)
        force = heights * self._rise(z, level)  # (batch, hidden)
        elastic = branches * (strain - internal)
        back = hardening * internal - elastic
        learnt = ops.matmul(force, ops.transpose(self.directions))  # (batch, 1 + branches)
        stress = ops.exp(self.log_spring) * strain + ops.sum(elastic, axis=-1, keepdims=True)
        bend = heights * level * (1.0 - level)
        rows = []
        for i in range(self.branches if curved else 0):
            row = [
                ops.sum(bend * self.directions[1 + i] * self.directions[1 + j], -1, keepdims=True)
                for j in range(i + 1)
            ]
            row[i] = row[i] + branches[i] + hardening[i]
            rows.append(row)
        return _Slopes(stress + learnt[..., :1], back + learnt[..., 1:], rows)

    def _rise(self, z: KerasTensor, level: KerasTensor) -> KerasTensor:
        """σ(z + b) − σ(b) of the logistic function σ, exactly 0 at z = 0 on any runtime.

        Near it as σ(z + b) (1 − σ(b)) (1 − e^(−z)).
        """
        base = ops.sigmoid(self.offsets)
        small = ops.clip(z, -1.0, 1.0)
        near = ops.sigmoid(small + self.offsets) * (1.0 - base) * (1.0 - ops.exp(-small))
        return choose(ops.abs(z) < 1.0, near, level - base)

    def _rates(self, like: KerasTensor) -> KerasTensor:
        decades = np.arange(RATES) - _DECADES_BELOW
        return ops.convert_to_tensor(10.0**decades, like.dtype)

    def _drag(self, rate: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
        """∂Φ/∂v and its derivative, of scaled rates; each (batch, branches)."""
        friction, viscosity = ops.exp(self.log_friction), ops.exp(self.log_viscosity)
        rates = self._rates(rate)
        root = ops.rsqrt(1.0 + ops.square(ops.expand_dims(rate, -1) / rates))
        pull = ops.sum(friction * root, axis=-1)
        slope = ops.sum(friction * root * root * root, axis=-1)
        return rate * (pull + viscosity), slope + viscosity

    def step(
        self, x: KerasTensor, state: StandardState
    ) -> tuple[StandardState, dict[str, KerasTensor]]:
        """One step of (batch, 3) inputs."""
        _, dt = increments(x)
        strain, old, time = x[..., :1] / self.strain, state.internal / self.strain, dt / self.time

        def residual(rate: KerasTensor) -> KerasTensor:
            return self._slopes(strain, old + time * rate, False).internal + self._drag(rate)[0]

        rate = self._admissible(self._newton(strain, old, time), residual)
        internal = old + time * rate
        drag, _ = self._drag(rate)
        unit = self.modulus * self.strain
        left = residual(rate)
        return StandardState(internal * self.strain), {
            "stress": unit * self._slopes(strain, internal, False).stress,
            "energy": unit * self.strain * self._energy(strain, internal),
            "dissipation": unit * self.strain * ops.sum(time * rate * drag, axis=-1, keepdims=True),
            "residual": ops.sqrt(ops.sum(ops.square(left), axis=-1, keepdims=True) + 1e-30),
            "internal": internal * self.strain,
        }

    def _newton(self, strain: KerasTensor, old: KerasTensor, time: KerasTensor) -> KerasTensor:
        """Rate after `steps` of Newton's method, (batch, branches)."""
        rate = ops.zeros_like(old)
        for _ in range(self.steps):
            slopes = self._slopes(strain, old + time * rate, True)
            drag, slope = self._drag(rate)
            matrix = [[time * entry for entry in row] for row in slopes.curvature]
            for i, row in enumerate(matrix):
                row[i] = row[i] + slope[..., i : i + 1]
            rate = rate - solve(matrix, slopes.internal + drag)
        return rate

    def _admissible(self, rate: KerasTensor, residual: Any) -> KerasTensor:
        """The largest share of a rate at which R·v ≤ 0; 0 if none is tried."""
        share = ops.zeros_like(rate[..., :1])
        for each in _SHARES:
            power = ops.sum(residual(each * rate) * rate, axis=-1, keepdims=True)
            share = choose(power <= 0.0, ops.zeros_like(share) + each, share)
        return share * rate

    def get_config(self) -> dict[str, Any]:
        """Settings; initial values, not the trained ones."""
        settings = ("branches", "hidden", "modulus", "strain", "time", "steps")
        return {**super().get_config(), **{name: getattr(self, name) for name in settings}}


def solve(matrix: list[list[KerasTensor]], right: KerasTensor) -> KerasTensor:
    """Solution of a symmetric positive definite system, by L D Lᵀ written out.

    Args:
        matrix: lower triangle, row i of i + 1 entries (batch, 1).
        right: (batch, n).

    Returns:
        (batch, n).
    """
    count = len(matrix)
    lower: list[list[KerasTensor]] = []
    pivots: list[KerasTensor] = []
    for i in range(count):
        row: list[KerasTensor] = []
        for j in range(i):
            entry = matrix[i][j]
            for k in range(j):
                entry = entry - row[k] * lower[j][k] * pivots[k]
            row.append(entry / pivots[j])
        pivot = matrix[i][i]
        for k in range(i):
            pivot = pivot - ops.square(row[k]) * pivots[k]
        lower.append(row)
        pivots.append(ops.maximum(pivot, _MIN_PIVOT))
    solution = [right[..., i : i + 1] for i in range(count)]
    for i in range(count):
        for k in range(i):
            solution[i] = solution[i] - lower[i][k] * solution[k]
    solution = [each / pivot for each, pivot in zip(solution, pivots, strict=True)]
    for i in reversed(range(count)):
        for k in range(i + 1, count):
            solution[i] = solution[i] - lower[k][i] * solution[k]
    return ops.concatenate(solution, axis=-1)
