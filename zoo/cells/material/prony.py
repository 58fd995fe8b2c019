"""The generalised linear Maxwell solid as a cell, exact on piecewise-linear loading."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import KerasTensor, ops

from zoo.cells.material.base import MaterialCell, increments, require_positive
from zoo.cells.material.closed import linear_flow
from zoo.cells.material.constants import Meaning


class PronyState(NamedTuple):
    """Stress of every branch at the end of the step [stress], shape (batch, branches)."""

    branch_stress: KerasTensor


@keras.saving.register_keras_serializable("zoo")
class PronyCell(MaterialCell):
    """Branches of springs and dashpots in parallel: σ = Σ h_i, dh_i/dt = E_i dε/dt − h_i/τ_i.

    h' = e^(−y) h + (1 − e^(−y))/y E Δε,  y = Δt/τ

    (Taylor, Pister and Goudreau 1970, Int. J. Numer. Methods Eng. 2, 45; Simo and Hughes 1998,
    Computational Inelasticity, chapter 10). A spring in parallel is a branch whose τ is long.

    Guaranteed for any weights, states and inputs with Δt ≥ 0: the step is exact while the strain
    rate is constant, so steps can be subdivided and joined; dissipation ≥ 0, exact too, and in
    floating point a sum of squares; 0 < ∂h'/∂h = e^(−y) ≤ 1; at rest nothing changes; the response
    is odd, and linear, in the loading.

    Quantities: stress (batch, 1); energy Σ h²/2E and dissipation ∫ Σ h²/(E τ) dt [stress], (batch,
    1); branch_stress h and memory e^(−y), (batch, branches).

    Args:
        moduli: initial E of every branch, in the unit of stress, positive.
        times: initial τ of every branch [s], positive, as many.
        show: quantities to emit.
        **kwargs: as for `keras.layers.Layer`.
    """

    State = PronyState

    def __init__(
        self,
        moduli: Sequence[float] = (1.0,),
        times: Sequence[float] = (1.0,),
        show: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if len(moduli) != len(times) or not len(moduli):
            raise ValueError(
                "`moduli` and `times` must hold one number for each branch. "
                f"Received: {len(moduli)} moduli and {len(times)} times."
            )
        for modulus, time in zip(moduli, times, strict=True):
            require_positive(moduli=modulus, times=time)
        self.moduli, self.times = [float(v) for v in moduli], [float(v) for v in times]
        self.state_size = len(self.moduli)
        visible: dict[str, int] = dict.fromkeys(("stress", "energy", "dissipation"), 1)
        self.set_visible(
            visible | dict.fromkeys(("branch_stress", "memory"), self.state_size), show
        )

    def make_weights(self) -> None:
        """Log E and log τ of every branch."""
        self.log_moduli = self.log_weight("log_moduli", self.moduli)
        self.log_times = self.log_weight("log_times", self.times)

    def shift_groups(self) -> dict[str, list[Any]]:
        """Weights that a change of temperature or the like shifts by one factor each."""
        return {"stiffness": [self.log_moduli], "time": [self.log_times]}

    def constants(self) -> dict[str, list[float]]:
        """Moduli E and times τ [s] of the present weights, one for each branch."""
        return {
            "moduli": ops.convert_to_numpy(ops.exp(self.log_moduli)).tolist(),
            "times": ops.convert_to_numpy(ops.exp(self.log_times)).tolist(),
        }

    def meanings(self, unit: str) -> list[Meaning]:
        """What each number of `constants` is, in the order of `constant_values`."""
        branches = range(1, self.state_size + 1)
        return [
            *(Meaning(f"moduli_{k}", f"E{k}", unit, f"modulus of branch {k}") for k in branches),
            *(
                Meaning(f"times_{k}", f"τ{k}", "s", f"relaxation time, branch {k}")
                for k in branches
            ),
        ]

    def constant_values(self) -> np.ndarray:
        """The numbers that `meanings` names; branches sorted by their times, the shortest first."""
        values = self.constants()
        order = np.argsort(values["times"])
        return np.concatenate([np.asarray(values[name])[order] for name in ("moduli", "times")])

    def step(self, x: KerasTensor, state: PronyState) -> tuple[PronyState, dict[str, KerasTensor]]:
        """One step of (batch, 3) inputs."""
        modulus = ops.exp(self.log_moduli)
        strain, dt = increments(x)
        y = dt * ops.exp(-self.log_times)  # (batch, branches)
        h, elastic = state.branch_stress, modulus * strain
        after, lost, memory = linear_flow(h, elastic, y)
        return PronyState(after), {
            "stress": ops.sum(after, axis=-1, keepdims=True),
            "energy": ops.sum(ops.square(after) / (2.0 * modulus), axis=-1, keepdims=True),
            "dissipation": ops.sum(lost / modulus, axis=-1, keepdims=True),
            "branch_stress": after,
            "memory": memory,
        }

    def get_config(self) -> dict[str, Any]:
        """Settings; the initial constants, not the trained ones."""
        return {**super().get_config(), "moduli": self.moduli, "times": self.times}
