"""A relaxation rate γ(|s|) of any shape whose holds have a closed form."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from keras import KerasTensor, ops

from zoo.cells.material.closed import bounded_exp, expm1_quotient, log1p_quotient

_LAST_WIDTH = 1e6  # width of the last piece, in logarithms of stress


class RateCurve(NamedTuple):
    """log γ over x = log|s/σ_r|: constant below the first knot, then straight from knot to knot.

    The last piece has no end. This is a network of one hidden layer, Σ w_i relu(x − x_i),
    with its kinks x_i fixed, and approximates any continuous γ as the knots become dense.

    Attributes:
        knots: x at the lower end of every piece, (pieces,), increasing.
        log_rates: log γ there, (branches, pieces), γ in 1/s.
        slopes: d log γ/dx on the piece, (branches, pieces).
    """

    knots: Sequence[float]
    log_rates: KerasTensor
    slopes: KerasTensor

    @classmethod
    def through(
        cls, knots: Sequence[float], level: KerasTensor, slopes: KerasTensor
    ) -> "RateCurve":
        """The curve with a given log γ at x = 0.

        Args:
            knots: x at the lower end of every piece, (pieces,), increasing.
            level: log γ at x = 0, (branches,).
            slopes: of log γ on every piece, (branches, pieces).
        """
        at = np.concatenate([[0.0], knots])[:, None]
        widths = np.clip(at - knots, 0.0, _spans(knots))
        rise = ops.matmul(slopes, ops.convert_to_tensor((widths[1:] - widths[0]).T, slopes.dtype))
        return cls(knots, ops.expand_dims(level, -1) + rise, slopes)

    def log_rate(self, x: KerasTensor) -> KerasTensor:
        """Log γ at x, both (batch, branches)."""
        return self.log_rates[:, 0] + ops.sum(self.slopes * self._part_on_pieces(x), axis=-1)

    def hold(self, x: KerasTensor, dt: KerasTensor) -> KerasTensor:
        """Decrease of x during a hold, dx/dt = −γ(x): the exact flow.

        On a piece of slope k, entered where the rate is g, x falls in time t, or takes the time d
        to fall by w:

            δ(t) = log(1 + k g t)/k,    d = (e^(kw) − 1)/(k g)

        Each piece takes what is left of Δt when x reaches it. So the decrease is a sum over pieces,
        without search or inversion, never negative, and without cancellation.

        Args:
            x: log|s/σ_r| before, (batch, branches).
            dt: Δt [s], (batch, 1), not negative.

        Returns:
            The decrease, (batch, branches), not negative.
        """
        dt = ops.expand_dims(dt, -1)  # (batch, 1, 1)
        widths = self._part_on_pieces(x)  # (batch, branches, pieces)
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

    def _part_on_pieces(self, x: KerasTensor) -> KerasTensor:
        """Length of each piece that lies below x, (..., pieces)."""
        knots = ops.convert_to_tensor(self.knots, x.dtype)
        spans = ops.convert_to_tensor(_spans(self.knots), x.dtype)
        return ops.minimum(ops.maximum(ops.expand_dims(x, -1) - knots, 0.0), spans)


def _spans(knots: Sequence[float]) -> np.ndarray:
    """Width of every piece, (pieces,)."""
    return np.append(np.diff(knots), _LAST_WIDTH)
