"""Memory of the power-law Maxwell solid in closed form, and the same quantity of a network.

The quantity: the strain gets one more increment in step t, all later increments are unchanged; how
much of the resulting stress is left at the last step T?
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf


def material_log_memory(
    stress: np.ndarray, dt: np.ndarray, *, exponent: float, kappa: float = 1.0
) -> np.ndarray:
    """Logarithm of ∂σ_T/∂σ_t of the power-law Maxwell solid, at most 0.

    dσ/dt = E dε/dt − |σ|^(m−1) σ/κ gives ∂σ_T/∂σ_t = exp(−(m/κ) ∫ |σ|^(m−1) dt) over [t, T]: memory
    fades fast at high stress, and not at all in the unloaded material. In units of s = σ/σ0 and
    time over ν0 it is exp(−m ∫ |s|^(m−1) dt).

    Args:
        stress: σ after every step, (time,), from rest.
        dt: Δt of every step [s], (time,).
        exponent: m [-].
        kappa: κ = ν0 σ0^(m−1) [s stress^(m−1)].

    Returns:
        (time,): entry t belongs to a change of the stress after step t; the last one is 0. The
        integral is computed by the trapezoidal rule; with m < 1, where |σ|^(m−1) is not bounded at
        zero stress, as if the stress went straight within a step.
    """
    if exponent < 1.0:
        mean = _mean_of_power(stress, exponent) / kappa
    else:
        rate = np.abs(stress) ** (exponent - 1.0) * exponent / kappa
        mean = 0.5 * (rate[1:] + rate[:-1])
    decay = np.append(mean * dt[1:], 0.0)
    return -np.cumsum(decay[::-1])[::-1]


def _mean_of_power(stress: np.ndarray, exponent: float) -> np.ndarray:
    """Mean of m |σ|^(m−1) over each step of a stress that goes straight in it, (time − 1,)."""
    stress = np.asarray(stress, np.float64)
    change, power = np.diff(stress), np.sign(stress) * np.abs(stress) ** exponent
    middle = np.abs(stress[1:] + stress[:-1]) / 2.0
    flat = np.abs(change) <= 1e-6 * middle
    # A stress that stays at zero: what is added relaxes there at once, but the mean stays finite.
    held = exponent * np.maximum(middle, 1e-30) ** (exponent - 1.0)
    return np.where(flat, held, np.diff(power) / np.where(flat, 1.0, change))


def network_memory(predict: Callable[[Any], Any], x: np.ndarray) -> np.ndarray:
    """Derivative ∂σ_T/∂ε_t of a network with inputs (ε, dε/dt, Δt), by automatic differentiation.

    One more increment δ in step t raises the rate r_t in that step by δ/Δt_t and the strain from
    step t on by δ, so the derivative by δ is  ∂σ_T/∂r_t / Δt_t + Σ_{u ≥ t} ∂σ_T/∂ε_u. For the
    material it is E ∂σ_T/∂σ_t, see `material_log_memory`.

    Args:
        predict: differentiable function (1, time, 3) -> (1, time, 1), for instance the `prediction`
            of a Keras model; or -> (1, 1), the last stress alone.
        x: one path, (time, 3).

    Returns:
        (time,), in the unit of stress.
    """

    @tf.function(autograph=False)
    def differentiate(path: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(path)
            stress = predict(path)[0]
            last = tf.reshape(stress, (-1, stress.shape[-1]))[-1, 0]
        return tape.gradient(last, path)[0]

    path = tf.convert_to_tensor(x[None])
    slope = differentiate.get_concrete_function(path)(path).numpy().astype(np.float64)
    return slope[:, 1] / x[:, 2] + np.cumsum(slope[::-1, 0])[::-1]
