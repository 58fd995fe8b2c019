"""Elementary functions of closed-form steps, accurate in float32, with finite gradients at zero.

They use exp, log and series alone: the converter to TFLite turns log1p(z) into log(1 + z), which
loses a small z to rounding (at z = 1e-4 the decay of a Maxwell element would be 4.6 % low), and the
same holds for expm1. No cell calls `ops.log1p` or `ops.expm1`.
"""

from keras import KerasTensor, ops

_MIN_STRESS = 1e-30  # in units of the scale; below, a power of the stress is constant
_MAX_EXPONENT = 40.0  # the product of two exponentials of this is still a float32


def log1p_quotient(z: KerasTensor) -> KerasTensor:
    """log(1 + z)/z for z > −1, one at z = 0.

    Near zero, log(1 + z) = 2 artanh(u) with u = z/(2 + z), as a series in u².
    """
    near = ops.abs(z) < 0.25
    small, large = ops.where(near, z, 0.0), ops.where(near, 1.0, z)
    square = ops.square(small / (2.0 + small))
    series = 1.0 + square * (1 / 3 + square * (1 / 5 + square * (1 / 7 + square / 9)))
    return ops.where(near, 2.0 / (2.0 + small) * series, _log(1.0 + large) / large)


def expm1_quotient(y: KerasTensor) -> KerasTensor:
    """(e^y − 1)/y, one at y = 0; y beyond 40 counts as 40."""
    y = ops.minimum(y, _MAX_EXPONENT)
    near = ops.abs(y) < 0.25
    small, large = ops.where(near, y, 0.0), ops.where(near, 1.0, y)
    series = 1.0
    for k in (7, 6, 5, 4, 3, 2):
        series = 1.0 + small / k * series
    return ops.where(near, series, (ops.exp(large) - 1.0) / large)


def log_size(s: KerasTensor) -> KerasTensor:
    """log|s|, flat below 1e-30, so that neither it nor its gradient is infinite at zero."""
    return ops.log(ops.maximum(ops.abs(s), _MIN_STRESS))


def bounded_exp(x: KerasTensor) -> KerasTensor:
    """e^x, with x held between −40 and 40."""
    return ops.exp(ops.clip(x, -_MAX_EXPONENT, _MAX_EXPONENT))


def _log(x: KerasTensor) -> KerasTensor:
    return ops.log(ops.maximum(x, 1e-7))
