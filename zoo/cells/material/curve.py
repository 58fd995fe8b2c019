"""A relaxation rate γ(|s|) of any shape whose holds have a closed form."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from keras import KerasTensor, ops

from zoo.cells.material.closed import bounded_exp, expm1_quotient, log1p_quotient

_ENDLESS = 1e6  # width of the last piece, in logarithms of stress


class RateCurve(NamedTuple):
    """log γ over x = log|s/σ_r|: constant below the first knot, then straight from knot to knot.

    The last piece goes on for ever. This is a network of one hidden layer, Σ w_i relu(x − x_i),
    with its kinks x_i in place, and comes as near to any continuous γ as its knots are dense.
    """

    knots: Sequence[float]  # x at the foot of every piece, (pieces,), rising
    log_rates: KerasTensor  # log γ there, (branches, pieces), γ in 1/s
    slopes: KerasTensor  # d log γ/dx on the piece, (branches, pieces)

    @classmethod
    def through(
        cls, knots: Sequence[float], level: KerasTensor, slopes: KerasTensor
    ) -> "RateCurve":
        """The curve with log γ = `level` (branches,) at x = 0 and the slopes (branches, pieces)."""
        at = np.concatenate([[0.0], knots])[:, None]
        widths = np.clip(at - knots, 0.0, _spans(knots))
        rise = ops.matmul(slopes, ops.convert_to_tensor((widths[1:] - widths[0]).T, slopes.dtype))
        return cls(knots, ops.expand_dims(level, -1) + rise, slopes)

    def log_rate(self, x: KerasTensor) -> KerasTensor:
        """Log γ at x, both (batch, branches)."""
        return self.log_rates[:, 0] + ops.sum(self.slopes * self._ways_down(x), axis=-1)

    def hold(self, x: KerasTensor, dt: KerasTensor) -> KerasTensor:
        """How far x falls in a hold, dx/dt = −γ(x): the exact flow.

        On a piece of slope k, entered where the rate is g, x falls in time t, or takes the time d
        to fall by w:

            δ(t) = log(1 + k g t)/k,    d = (e^(kw) − 1)/(k g)

        Each piece gets what is left of Δt when x comes to it. So the fall is a sum over pieces,
        without search or inversion, never negative, and nothing of it is lost to cancellation.

        Args:
            x: log|s/σ_r| before, (batch, branches).
            dt: Δt [s], (batch, 1), not negative.

        Returns:
            The fall, (batch, branches), not negative.
        """
        dt = ops.expand_dims(dt, -1)  # (batch, 1, 1)
        widths = self._ways_down(x)  # (batch, branches, pieces)
        growth = self.slopes * widths
        rates = bounded_exp(self.log_rates + growth)  # where x enters the piece
        durations = widths / rates * expm1_quotient(growth)
        # A piece is entered when all above it are done.
        pieces = len(self.knots)
        # Of rank 3, because XLA cannot compile a product of rank 3 by 2 for a batch of any size.
        above = ops.convert_to_tensor(np.tril(np.ones((1, pieces, pieces)), -1), durations.dtype)
        spent = ops.maximum(dt - ops.matmul(durations, above), 0.0)
        paces = rates * ops.minimum(spent, durations)
        falls = ops.minimum(paces * log1p_quotient(self.slopes * paces), widths)
        left = ops.maximum(dt[..., 0] - ops.sum(durations, axis=-1), 0.0)
        return ops.sum(falls, axis=-1) + bounded_exp(self.log_rates[:, 0]) * left

    def _ways_down(self, x: KerasTensor) -> KerasTensor:
        """Way from x to the foot of each piece, as far as it lies on it, (..., pieces)."""
        knots = ops.convert_to_tensor(self.knots, x.dtype)
        spans = ops.convert_to_tensor(_spans(self.knots), x.dtype)
        return ops.minimum(ops.maximum(ops.expand_dims(x, -1) - knots, 0.0), spans)


def _spans(knots: Sequence[float]) -> np.ndarray:
    """Width of every piece, (pieces,)."""
    return np.append(np.diff(knots), _ENDLESS)
