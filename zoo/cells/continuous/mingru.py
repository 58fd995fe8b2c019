"""The minimal gated recurrent unit (Feng et al. 2024), with a time step."""

from typing import NamedTuple

import keras
from keras import KerasTensor, ops

from zoo.cells.continuous.base import ScannedCell
from zoo.cells.material.closed import decayed, softplus
from zoo.cells.scan import Parts


class MinGRUState(NamedTuple):
    """State after one step.

    Attributes:
        hidden: h, (batch, units).
    """

    hidden: KerasTensor


@keras.saving.register_keras_serializable("zoo")
class MinGRUCell(ScannedCell):
    """Minimal gated recurrent unit (Feng et al. 2024, arXiv:2410.01201), in continuous time.

    z = 1 − e^(−softplus(u W_z + b_z) Δt)                  share that is replaced
    h' = (1 − z) h + z g,   g = u W_g + b_g

    Gates and candidate depend on the input alone, so the recurrence is linear in h. At Δt = 1 it
    is the published one, since 1 − e^(−softplus(k)) = σ(k); a step of Δt is the exact solution of
    dh/dt = softplus(k)(g − h) with the input held.

    Guaranteed for any weights and inputs with Δt ≥ 0: steps with the same features agree with one
    step of their sum; Δt = 0 changes nothing; h stays within the range of its candidates.

    Quantities: hidden h', candidate g, gate z, (batch, units); with `pass_dt` output, h' and Δt.

    Args:
        units: width of the hidden state.
        dt_index: column of Δt in the input.
        pass_dt: append Δt to the output, see `ContinuousCell`.
        show: quantities to emit.
        **kwargs: as for `keras.layers.Layer`.
    """

    State = MinGRUState

    def widths(self) -> dict[str, int]:
        """Name -> width of every quantity."""
        return dict.fromkeys(("hidden", "candidate", "gate"), self.units)

    def make_weights(self, features: int) -> None:
        """Kernel and bias of gate and candidate, side by side."""
        self.kernel = self.kernel_weight("kernel", features, 2 * self.units)
        self.bias = self.bias_weight("bias", 2 * self.units)

    def project(self, x: KerasTensor) -> Parts:
        """k, candidate g and Δt of inputs (..., n)."""
        features, dt = self.split_dt(x)
        k, candidate = ops.split(ops.matmul(features, self.kernel) + self.bias, 2, axis=-1)
        return k, candidate, dt

    def recurrence(self, *projected: KerasTensor) -> tuple[Parts, Parts]:
        """1 − z and z g."""
        k, candidate, dt = projected
        fall = softplus(k) * dt
        return (ops.exp(-fall),), (decayed(fall) * candidate,)

    def read(self, x: KerasTensor, state: MinGRUState) -> dict[str, KerasTensor]:
        """Every quantity."""
        k, candidate, dt = self.project(x)
        gate = decayed(softplus(k) * dt)
        return self.with_dt({"hidden": state.hidden, "candidate": candidate, "gate": gate}, dt)
