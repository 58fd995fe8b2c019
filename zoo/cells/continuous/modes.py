"""Complex exponentials of a linear system in real arithmetic, accurate for short steps."""

from typing import NamedTuple

from keras import KerasTensor, ops

from zoo.cells.material.closed import decayed
from zoo.cells.scan import Parts


class ModalState(NamedTuple):
    """State after one step, in modal coordinates.

    Attributes:
        real: Re h, (batch, modes).
        imaginary: Im h, (batch, modes).
    """

    real: KerasTensor
    imaginary: KerasTensor


def hold_modes(decay: KerasTensor, frequency: KerasTensor, dt: KerasTensor) -> tuple[Parts, Parts]:
    """Exact step of dh/dt = μ h + u with u held: e^(μΔt) and (e^(μΔt) − 1)/μ, as parts.

    e^(μΔt) − 1 is (e^(−δΔt) − 1) cos ωΔt − 2 sin²(ωΔt/2) + i e^(−δΔt) sin ωΔt, without the
    difference of nearly equal numbers.

    Args:
        decay: δ = −Re μ, positive, (modes,).
        frequency: ω = Im μ, (modes,).
        dt: Δt, not negative, (..., 1).

    Returns:
        (real, imaginary) of both, each (..., modes).
    """
    fall, angle = decay * dt, frequency * dt
    half = ops.sin(0.5 * angle)
    size, turn = ops.exp(-fall), 2.0 * ops.square(half)  # 1 − cos ωΔt
    real = -decayed(fall) * (1.0 - turn) - turn
    imaginary = size * 2.0 * half * ops.cos(0.5 * angle)
    square = ops.square(decay) + ops.square(frequency)
    # times the conjugate of μ, over |μ|²
    gain = (
        (frequency * imaginary - decay * real) / square,
        -(decay * imaginary + frequency * real) / square,
    )
    return (size * (1.0 - turn), imaginary), gain
