"""Asymptotic covariance of least-squares weights, for independent and for autocorrelated noise."""

from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter
from scipy.stats import t as student

MAX_CORRELATION = 0.3  # of neighbouring residuals, up to which noise is taken as independent
MIN_EIGENVALUE = 1e-12  # of a matrix with ones on its diagonal


class Spread(NamedTuple):
    """Covariance of the weights, and the noise that it is computed for.

    Attributes:
        covariance: (weights, weights).
        quantile: of Student's t, for the interval.
        neighbours: correlation ρ of neighbouring residuals.
        effective: number of samples that count as independent, n (1 − ρ)/(1 + ρ).
        corrected: whether ρ was so strong that the covariance was corrected for it.
    """

    covariance: np.ndarray
    quantile: float
    neighbours: float
    effective: float
    corrected: bool


def covariance_of(
    slope: np.ndarray,
    residual: np.ndarray,
    paths: np.ndarray,
    *,
    ridge: float = 0.0,
    confidence: float = 0.95,
) -> Spread:
    """Covariance of least-squares weights.

    Independent noise: s² (JᵀJ + ε²)⁻¹ with s² = Σr²/(n − p) and n − p degrees of freedom. Where
    residuals are autocorrelated, ρ > 0.3, noise is a first-order autoregression within each path:
    s² A⁻¹ JᵀRJ A⁻¹ with R_ij = ρ^|i−j| and A = JᵀJ + ε², the degrees of freedom
    n (1 − ρ²)/(1 + ρ²) − p, at least 2 (Bartlett 1935, J. R. Stat. Soc. 98, 536).

    Args:
        slope: J, (samples, weights).
        residual: r, (samples,).
        paths: number of the path of each sample, (samples,), sorted.
        ridge: ε, the strength that held the weights.
        confidence: of the interval, two-sided.
    """
    samples, weights = slope.shape
    inverse = _inverse(slope.T @ slope + ridge**2 * np.eye(weights))
    noise = float(residual @ residual) / max(samples - weights, 1)
    same_path = paths[1:] == paths[:-1]
    power = float(residual @ residual)
    product = float((residual[1:] * residual[:-1])[same_path].sum())
    rho = float(np.clip(product / power, -0.99, 0.99)) if power > 0 else 0.0
    corrected = rho > MAX_CORRELATION
    freedom = samples - weights
    middle = slope.T @ slope + ridge**2 * np.eye(weights)
    if corrected:
        freedom = samples * (1 - rho**2) / (1 + rho**2) - weights
        middle = slope.T @ _correlate(slope, paths, rho) + ridge**2 * np.eye(weights)
    return Spread(
        covariance=noise * inverse @ middle @ inverse,
        quantile=float(student.ppf((1 + confidence) / 2, max(freedom, 2.0))),
        neighbours=rho,
        effective=samples * (1 - rho) / (1 + rho),
        corrected=corrected,
    )


def _inverse(matrix: np.ndarray) -> np.ndarray:
    """Of a symmetric matrix; directions that nothing determines get a large variance."""
    size = np.sqrt(np.diag(matrix))
    size = np.where(size > 0, size, 1.0)
    values, vectors = np.linalg.eigh(matrix / np.outer(size, size))
    return (vectors / np.maximum(values, MIN_EIGENVALUE)) @ vectors.T / np.outer(size, size)


def _correlate(slope: np.ndarray, paths: np.ndarray, rho: float) -> np.ndarray:
    """R J, path by path, by one filter forward and one backward."""
    parts = np.split(slope, np.flatnonzero(np.diff(paths)) + 1)
    result = []
    for part in parts:
        forward = lfilter([1.0], [1.0, -rho], part, axis=0)
        backward = lfilter([1.0], [1.0, -rho], part[::-1], axis=0)[::-1]
        result.append(forward + backward - part)
    return np.concatenate(result)
