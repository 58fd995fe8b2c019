"""The closed-form continuous-time cell (Hasani et al. 2022)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import KerasTensor, ops

from zoo.cells.continuous.base import ContinuousCell
from zoo.cells.material.base import require_count


class CfCState(NamedTuple):
    """State after one step.

    Attributes:
        hidden: h, (batch, units), each in (−1, 1).
    """

    hidden: KerasTensor


@keras.saving.register_keras_serializable("zoo")
class CfCCell(ContinuousCell):
    """Closed-form continuous-time cell (Hasani et al. 2022, Nat. Mach. Intell. 4, 992).

    z = 1.7159 tanh(0.666 ([u, h] W + b))                     backbone, (width,)
    t = σ((z F + f) Δt + z G + g)                             how far the step has come
    h' = (1 − t) tanh(z P + p) + t tanh(z Q + q)

    The gated form of the paper, as its authors' code has it: the time constant F z and a shift G z.

    Guaranteed for any weights: h stays in (−1, 1). Not guaranteed: that two steps agree with one
    of their sum, or that a step of Δt = 0 changes nothing. The cell reads the time, but has to
    learn what follows from it.

    Quantities: hidden h', time t, (batch, units); with `pass_dt` output, h' and Δt.

    Args:
        units: width of the hidden state.
        width: of the backbone; None: as wide as the state.
        dt_index: column of Δt in the input.
        pass_dt: append Δt to the output, see `ContinuousCell`.
        show: quantities to emit.
        **kwargs: as for `keras.layers.Layer`.
    """

    State = CfCState

    def __init__(
        self,
        units: int,
        width: int | None = None,
        show: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, show=show, **kwargs)
        require_count(width=units if width is None else width)
        self.width = width

    def widths(self) -> dict[str, int]:
        """Name -> width of every quantity."""
        return {"hidden": self.units, "time": self.units}

    def make_weights(self, features: int) -> None:
        """Backbone, and four heads side by side: F, G, P, Q."""
        width = self.width or self.units
        self.backbone = self.kernel_weight("backbone", features + self.units, width)
        self.backbone_bias = self.bias_weight("backbone_bias", width)
        self.heads = self.kernel_weight("heads", width, 4 * self.units)
        self.heads_bias = self.bias_weight("heads_bias", 4 * self.units)

    def step(self, x: KerasTensor, state: CfCState) -> tuple[CfCState, dict[str, KerasTensor]]:
        """One step of (batch, n) inputs."""
        features, dt = self.split_dt(x)
        z = ops.matmul(ops.concatenate([features, state.hidden], axis=-1), self.backbone)
        z = 1.7159 * ops.tanh(0.666 * (z + self.backbone_bias))
        pace, shift, early, late = ops.split(
            ops.matmul(z, self.heads) + self.heads_bias, 4, axis=-1
        )
        time = ops.sigmoid(pace * dt + shift)
        hidden = (1.0 - time) * ops.tanh(early) + time * ops.tanh(late)
        return CfCState(hidden), self.with_dt({"hidden": hidden, "time": time}, dt)

    def get_config(self) -> dict[str, Any]:
        """Settings of the cell."""
        return {**super().get_config(), "width": self.width}
