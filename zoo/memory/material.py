"""How long a material remembers, in closed form, and how long a network that stands in for it does.

The question is the same for both, in the same unit: an increment of stretch more in step t, and
everything after it as before. How much of it is in the last stress?
"""

from collections.abc import Callable

import numpy as np


def material_log_memory(
    stress: np.ndarray, dt: np.ndarray, *, exponent: float, kappa: float = 1.0
) -> np.ndarray:
    """Logarithm of ∂σ_T/∂σ_t of the power-law Maxwell solid, never above 0.

    dσ/dt = E dλ/dt − |σ|^(m−1) σ/κ gives ∂σ_T/∂σ_t = exp(−(m/κ) ∫ |σ|^(m−1) dt) over [t, T]: large
    stress forgets fast, and the unloaded material never does. In units of s = σ/σ0 and time over ν0
    it is exp(−m ∫ |s|^(m−1) dt).

    Args:
        stress: σ after every step, (time,), from rest.
        dt: Δt of every step [s], (time,).
        exponent: m [-].
        kappa: κ = ν0 σ0^(m−1) [s stress^(m−1)].

    Returns:
        (time,): entry t is for a change in the stress after step t; the last is 0. By the
        trapezoidal rule.
    """
    rate = np.abs(stress) ** (exponent - 1.0) * exponent / kappa
    lost = np.append(0.5 * (rate[1:] + rate[:-1]) * dt[1:], 0.0)
    return -np.cumsum(lost[::-1])[::-1]


def network_memory(predict: Callable, x: np.ndarray) -> np.ndarray:
    """∂σ_T/∂λ_t of a network that reads (λ, dλ/dt, Δt): what of a step in stretch is left at T.

    One more increment δ in step t raises the rate r in that step by δ/Δt_t, and the stretch from
    step t on by δ; the derivative by δ is  ∂σ_T/∂r_t / Δt_t + Σ_{u ≥ t} ∂σ_T/∂λ_u. The material's
    answer is E ∂σ_T/∂σ_t, see `material_log_memory`.

    Args:
        predict: differentiable, (1, time, 3) -> (1, time, 1), for instance a Keras model's
            `prediction`; or -> (1, 1), the last stress alone.
        x: one path (time, 3).

    Returns:
        (time,), in stress.
    """
    import tensorflow as tf

    @tf.function(autograph=False)
    def slopes(path):
        with tf.GradientTape() as tape:
            tape.watch(path)
            answer = predict(path)[0]
            last = tf.reshape(answer, (-1, answer.shape[-1]))[-1, 0]
        return tape.gradient(last, path)[0]

    path = tf.convert_to_tensor(x[None])
    slope = slopes.get_concrete_function(path)(path).numpy().astype(np.float64)
    return slope[:, 1] / x[:, 2] + np.cumsum(slope[::-1, 0])[::-1]
