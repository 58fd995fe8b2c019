"""What a product of Jacobians does: how memory fades or explodes. Arrays only.

`jacobians` is everywhere a sequence over time of (batch, width, width): `StepJacobians`, or an
array (time, batch, width, width). J[i, j] is the derivative of the i-th output by the j-th input.
"""

from collections.abc import Sequence

import numpy as np

# Largest slope of an activation.
STEEPEST = {"tanh": 1.0, "relu": 1.0, "sigmoid": 0.25, "linear": 1.0}
EVERYTHING = slice(None)


def log_norms(
    jacobians: Sequence[np.ndarray], rows: slice = EVERYTHING, columns: slice = EVERYTHING
) -> np.ndarray:
    """Natural logarithm of ‖∂s_T/∂s_t‖₂ against the lag T − t; T is the last step.

    ∂s_T/∂s_t = J_T J_{T−1} ... J_{t+1}, rescaled on the way, so that neither 1e-400 nor 1e400 is
    lost.

    Args:
        jacobians: over time, each (batch, width, width).
        rows: which part of s_T, for instance the hidden state.
        columns: which part of s_t.

    Returns:
        (time + 1, batch); the first row, lag 0, is the norm of the identity's block; −inf where
        nothing is left.
    """
    product, scale = None, 0.0
    logs = []
    for jacobian in reversed(jacobians):
        if product is None:
            product = np.broadcast_to(np.eye(jacobian.shape[-1]), jacobian.shape)[:, rows]
            logs.append(_log(norms(product[..., columns])))
        product = product @ jacobian
        size = np.linalg.norm(product, axis=(-2, -1))
        logs.append(_log(norms(product[..., columns])) + scale)
        size = np.where(size > 0, size, 1.0)
        product = product / size[:, None, None]
        scale = scale + np.log(size)
    return np.array(logs)


def singular_values(jacobians: Sequence[np.ndarray]) -> np.ndarray:
    """Of every J_t, largest first, (time, batch, width)."""
    return np.array([np.linalg.svd(jacobian, compute_uv=False) for jacobian in jacobians])


def spectral_radius(jacobians: Sequence[np.ndarray]) -> np.ndarray:
    """Largest |eigenvalue| of every J_t, (time, batch)."""
    return np.array([np.abs(np.linalg.eigvals(j)).max(axis=-1) for j in jacobians])


def lyapunov(
    jacobians: Sequence[np.ndarray], *, count: int | None = None, transient: int = 0
) -> np.ndarray:
    """Lyapunov exponents [1/step] along a path, by repeated QR (Benettin et al. 1980).

    J_t Q_{t−1} = Q_t R_t,  exponent_i = mean over t of log |R_t[i, i]|

    The mean is over a finite path: exponents of the path, not yet of the system.

    Args:
        jacobians: over time, each (batch, width, width).
        count: how many, from the largest; all by default.
        transient: steps at the start that turn Q but are not counted.

    Returns:
        (batch, count), largest first; −inf where a direction is lost altogether.
    """
    if not 0 <= transient < len(jacobians):
        raise ValueError(
            f"`transient` must leave steps to measure, of {len(jacobians)}. "
            f"Received: transient={transient}."
        )
    frame, total = None, 0.0
    for step, jacobian in enumerate(jacobians):
        if frame is None:
            batch, width, _ = jacobian.shape
            # a random frame: the unit vectors may be invariant, and would then stay out of order
            draw = np.random.default_rng(0).standard_normal((width, count or width))
            frame = np.broadcast_to(np.linalg.qr(draw)[0], (batch, width, count or width))
        frame, upper = np.linalg.qr(jacobian @ frame)
        if step >= transient:
            total = total + _log(np.abs(np.diagonal(upper, axis1=-2, axis2=-1)))
    return -np.sort(-total / (len(jacobians) - transient), axis=-1)


def log_bound(recurrent: np.ndarray, activation: str, lags: int) -> np.ndarray:
    """Logarithm of (‖U‖₂ max φ')^k, k = 0 to `lags`: a SimpleRNN's ‖∂h_T/∂h_t‖ cannot exceed it.

    Args:
        recurrent: U, (units, units).
        activation: name of φ, of tanh, relu, sigmoid, linear.
        lags: largest k.

    Raises:
        ValueError: for an activation whose largest slope is not known.
    """
    if activation not in STEEPEST:
        raise ValueError(
            f"`activation` must be one of {', '.join(STEEPEST)}. Received: {activation!r}."
        )
    return np.arange(lags + 1) * _log(np.linalg.norm(recurrent, 2) * STEEPEST[activation])


def norms(matrices: np.ndarray) -> np.ndarray:
    """‖.‖₂ of matrices on the last two axes, from the smaller Gram matrix: faster than an SVD."""
    size = np.abs(matrices).max(axis=(-2, -1))
    scaled = matrices / np.where(size > 0, size, 1.0)[..., None, None]
    turned = np.swapaxes(scaled, -2, -1)
    wide = scaled.shape[-2] < scaled.shape[-1]
    gram = scaled @ turned if wide else turned @ scaled
    return size * np.sqrt(np.maximum(np.linalg.eigvalsh(gram)[..., -1], 0.0))


def _log(values: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(values)
