"""Products of state Jacobians: norms against the lag, spectra, Lyapunov exponents, bounds.

`jacobians` is everywhere a sequence over time of (batch, width, width): a `StepJacobians`, or an
array (time, batch, width, width), with J[i, j] = ∂s_t[i]/∂s_{t−1}[j].
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.memory.jacobians import StepJacobians

Jacobians = StepJacobians | np.ndarray | Sequence[np.ndarray]
MAX_SLOPES = {"tanh": 1.0, "relu": 1.0, "sigmoid": 0.25, "linear": 1.0}  # max |φ'|
ALL = slice(None)


def log_norms(jacobians: Jacobians, rows: slice = ALL, columns: slice = ALL) -> np.ndarray:
    """Natural logarithm of ‖∂s_T/∂s_t‖₂ against the lag T − t, where T is the last step.

    ∂s_T/∂s_t = J_T J_{T−1} ... J_{t+1}. The product is rescaled after every step, so that neither
    1e-400 nor 1e400 leaves the range of float64.

    Args:
        jacobians: over time, each (batch, width, width).
        rows: part of s_T, for instance the hidden state.
        columns: part of s_t.

    Returns:
        (time + 1, batch). Row 0 (lag 0) is the norm of that block of the identity; −inf where the
        product is zero.
    """
    product, log_scale = None, 0.0
    logs = []
    for jacobian in reversed(jacobians):
        if product is None:
            product = np.broadcast_to(np.eye(jacobian.shape[-1]), jacobian.shape)[:, rows]
            logs.append(_log(spectral_norms(product[..., columns])))
        product = product @ jacobian
        size = np.linalg.norm(product, axis=(-2, -1))
        logs.append(_log(spectral_norms(product[..., columns])) + log_scale)
        size = np.where(size > 0, size, 1.0)
        product = product / size[:, None, None]
        log_scale = log_scale + np.log(size)
    return np.array(logs)


def singular_values(jacobians: Jacobians) -> np.ndarray:
    """Singular values of every J_t in falling order, (time, batch, width)."""
    return np.array([np.linalg.svd(jacobian, compute_uv=False) for jacobian in jacobians])


def spectral_radius(jacobians: Jacobians) -> np.ndarray:
    """Spectral radius max |eigenvalue| of every J_t, (time, batch)."""
    return np.array([np.abs(np.linalg.eigvals(j)).max(axis=-1) for j in jacobians])


def lyapunov_exponents(
    jacobians: Jacobians, *, count: int | None = None, transient: int = 0
) -> np.ndarray:
    """Finite-time Lyapunov exponents [1/step] along a path, by repeated QR (Benettin et al. 1980).

    J_t Q_{t−1} = Q_t R_t,  exponent_i = mean over t of log |R_t[i, i]|

    Args:
        jacobians: over time, each (batch, width, width).
        count: number of exponents, from the largest; None: all.
        transient: number of first steps that only align Q and are left out of the mean.

    Returns:
        (batch, count), in falling order; −inf where a direction is lost completely.

    Raises:
        ValueError: if `transient` leaves no step.
    """
    if not 0 <= transient < len(jacobians):
        raise ValueError(
            f"`transient` must be 0 or more and below the number of steps, {len(jacobians)}. "
            f"Received: transient={transient}."
        )
    frame, total = None, 0.0
    for step, jacobian in enumerate(jacobians):
        if frame is None:
            batch, width, _ = jacobian.shape
            # A random frame: unit vectors may be invariant and would then stay out of order.
            draw = np.random.default_rng(0).standard_normal((width, count or width))
            frame = np.broadcast_to(np.linalg.qr(draw)[0], (batch, width, count or width))
        frame, upper = np.linalg.qr(jacobian @ frame)
        if step >= transient:
            total = total + _log(np.abs(np.diagonal(upper, axis1=-2, axis2=-1)))
    return -np.sort(-total / (len(jacobians) - transient), axis=-1)


def log_bound(recurrent: np.ndarray, activation: str, lags: int) -> np.ndarray:
    """Logarithm of the bound (‖U‖₂ max |φ'|)^k on ‖∂h_T/∂h_{T−k}‖₂ of a SimpleRNN.

    Args:
        recurrent: U, (units, units).
        activation: name of φ: tanh, relu, sigmoid or linear.
        lags: largest k.

    Returns:
        (lags + 1,), for k = 0 to `lags`.

    Raises:
        ValueError: if the largest slope of the activation is not known.
    """
    if activation not in MAX_SLOPES:
        raise ValueError(
            f"`activation` must be one of {', '.join(MAX_SLOPES)}. Received: {activation!r}."
        )
    return np.arange(lags + 1) * _log(np.linalg.norm(recurrent, 2) * MAX_SLOPES[activation])


def spectral_norms(matrices: np.ndarray) -> np.ndarray:
    """‖.‖₂ of matrices on the last two axes, from the smaller Gram matrix: faster than an SVD."""
    size = np.abs(matrices).max(axis=(-2, -1))
    scaled = matrices / np.where(size > 0, size, 1.0)[..., None, None]
    transposed = np.swapaxes(scaled, -2, -1)
    is_wide = scaled.shape[-2] < scaled.shape[-1]
    gram = scaled @ transposed if is_wide else transposed @ scaled
    return size * np.sqrt(np.maximum(np.linalg.eigvalsh(gram)[..., -1], 0.0))


def _log(values: Any) -> Any:
    with np.errstate(divide="ignore"):
        return np.log(values)
