"""Elementary functions of closed-form steps, accurate in float32, with finite gradients at zero.

They use exp, log and series alone: the converter to TFLite turns log1p(z) into log(1 + z), which
loses a small z to rounding (at z = 1e-4 the decay of a Maxwell element would be 4.6 % low), and the
same holds for expm1. No cell calls `ops.log1p` or `ops.expm1`. Nor does one call `ops.where`, which
becomes TFLite's SELECT, unknown to runtimes for microcontrollers: `choose` is arithmetic.
"""

from keras import KerasTensor, ops

_MIN_STRESS = 1e-30  # in units of the scale; below, a power of the stress is constant
_MAX_EXPONENT = 40.0  # the product of two exponentials of this is still a float32


def choose(condition: KerasTensor, yes: KerasTensor, no: KerasTensor | float) -> KerasTensor:
    """`yes` where the condition holds, else `no`, both finite: a product with 0 or 1 each."""
    mask = ops.cast(condition, yes.dtype)
    return mask * yes + (1.0 - mask) * no


def log1p_quotient(z: KerasTensor) -> KerasTensor:
    """log(1 + z)/z for z > −1, one at z = 0.

    Near zero, log(1 + z) = 2 artanh(u) with u = z/(2 + z), as a series in u².
    """
    near = ops.abs(z) < 0.25
    small, large = ops.clip(z, -0.25, 0.25), choose(near, ops.ones_like(z), z)
    square = ops.square(small / (2.0 + small))
    series = 1.0 + square * (1 / 3 + square * (1 / 5 + square * (1 / 7 + square / 9)))
    return choose(near, 2.0 / (2.0 + small) * series, _log(1.0 + large) / large)


def expm1_quotient(y: KerasTensor) -> KerasTensor:
    """(e^y − 1)/y, one at y = 0; y beyond 40 counts as 40."""
    y = ops.minimum(y, _MAX_EXPONENT)
    near = ops.abs(y) < 0.25
    small, large = ops.clip(y, -0.25, 0.25), choose(near, ops.ones_like(y), y)
    series = 1.0
    for k in (7, 6, 5, 4, 3, 2):
        series = 1.0 + small / k * series
    return choose(near, series, (ops.exp(large) - 1.0) / large)


def ramp_mean(y: KerasTensor) -> KerasTensor:
    """Mean over the step of a unit ramp from rest that decays, (y − 1 + e^(−y))/y², 1/2 at y = 0.

    Args:
        y: Δt/τ [-], not negative.
    """
    small, large = ops.minimum(y, 0.5), ops.maximum(y, 0.5)
    series = 1.0
    for k in (9, 8, 7, 6, 5, 4, 3):
        series = 1.0 - small / k * series
    return choose(y < 0.5, 0.5 * series, (1.0 - expm1_quotient(-large)) / large)


def decay_variance(y: KerasTensor) -> KerasTensor:
    """Variance of e^(−yθ) over 0 ≤ θ ≤ 1, by y²; 1/12 at y = 0.

    With φ(x) = (e^x − 1)/x it is φ(−2y) − φ(−y)² = e^(−y) Σ y^2n [1/(2n+1)! − 2/(2n+2)!], n ≥ 1.

    Args:
        y: Δt/τ [-], not negative.
    """
    small, large = ops.minimum(y, 1.0), ops.maximum(y, 1.0)
    square = ops.square(small)
    series = 1 / 12 + square * (1 / 180 + square * (1 / 6720 + square / 453600))
    mean = expm1_quotient(-large)
    direct = ops.maximum(expm1_quotient(-2.0 * large) - ops.square(mean), 0.0)
    # By large twice: the square of a long step overflows, and 0 times infinity is no number.
    return choose(y < 1.0, ops.exp(-small) * series, direct / large / large)


def linear_flow(
    h: KerasTensor, rise: KerasTensor, y: KerasTensor
) -> tuple[KerasTensor, KerasTensor, KerasTensor]:
    """One exact step of dh = rise dθ − y h dθ over 0 ≤ θ ≤ 1: what is driven and decays.

    Args:
        h: before the step.
        rise: what would be added without decay.
        y: decay over the step [-], not negative.

    Returns:
        h after the step; ∫ y h² dθ, not negative: y times the square of the mean and the variance
        of h along the step; e^(−y), the derivative of the first result by h.
    """
    memory, growth = ops.exp(-y), expm1_quotient(-y)
    mean = growth * h + ramp_mean(y) * rise
    variance = ops.square(y * h - rise) * decay_variance(y)
    return memory * h + growth * rise, y * (ops.square(mean) + variance), memory


def softplus(k: KerasTensor) -> KerasTensor:
    """log(1 + e^k), to 1e-7; for TFLite, which has no such operation."""
    return ops.relu(k) + ops.log(1.0 + ops.exp(-ops.abs(k)))


def decayed(y: KerasTensor) -> KerasTensor:
    """1 − e^(−y), without the difference of nearly equal numbers: tanh(y/2)(1 + e^(−y)).

    Args:
        y: Δt/τ [-], not negative.
    """
    return ops.tanh(0.5 * y) * (1.0 + ops.exp(-y))


def log_size(s: KerasTensor) -> KerasTensor:
    """log|s|, flat below 1e-30, so that neither it nor its gradient is infinite at zero."""
    return ops.log(ops.maximum(ops.abs(s), _MIN_STRESS))


def bounded_exp(x: KerasTensor) -> KerasTensor:
    """e^x, with x held between −40 and 40."""
    return ops.exp(ops.clip(x, -_MAX_EXPONENT, _MAX_EXPONENT))


def _log(x: KerasTensor) -> KerasTensor:
    return ops.log(ops.maximum(x, 1e-7))
