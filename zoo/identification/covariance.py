"""Asymptotic covariance of least-squares weights, and the directions that data leave open."""

from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter
from scipy.stats import t as student

MAX_CORRELATION = 0.3  # of neighbouring residuals, up to which noise is taken as independent
# Singular values of the Jacobian, in units of the RMS stress and per square root of the samples,
# that cannot be told from the error of its numerical derivatives (`zoo.identification.response`).
DERIVATIVE_ERROR = 1e-8
SINGULAR = 1e-6  # share of the largest singular value, with columns scaled to one, that counts as 0
# Standard deviation of a constant, a logarithm but for m, above which its data do not determine it:
# one standard deviation is then a factor of 20, and a linear approximation is meaningless.
MAX_DEVIATION = 3.0
MAX_OPEN_SHARE = 1e-3  # of the gradient of a constant along an open direction


class Spread(NamedTuple):
    """Covariance of the weights, what data leave open of them, and the noise assumed.

    Attributes:
        covariance: (weights, weights), with the ridge as data; of the determined directions.
        from_data: the same without the ridge.
        inverse: (JᵀJ)⁻¹ of the determined directions, (weights, weights).
        noise: variance s² of a residual.
        open: unit vectors of weights along which the residuals do not change, (directions,
            weights).
        quantile: of Student's t, for the interval.
        neighbours: correlation ρ of neighbouring residuals.
        effective: number of samples that count as independent, n (1 − ρ)/(1 + ρ).
        corrected: whether ρ was so strong that the covariance was corrected for it.
    """

    covariance: np.ndarray
    from_data: np.ndarray
    inverse: np.ndarray
    noise: float
    open: np.ndarray
    quantile: float
    neighbours: float
    effective: float
    corrected: bool

    def deviation(self, gradient: np.ndarray) -> np.ndarray:
        """Standard deviations of quantities by the delta method; NaN of those left open.

        A quantity is left open where it changes along an open direction, or where its deviation
        from the data alone, without the ridge, exceeds `MAX_DEVIATION`.

        Args:
            gradient: of each quantity with respect to the weights, (quantities, weights).

        Returns:
            (quantities,).
        """
        size = np.linalg.norm(gradient, axis=1)
        along = np.abs(gradient @ self.open.T).max(axis=1, initial=0.0)
        by_data = _root(np.einsum("ij,jk,ik->i", gradient, self.from_data, gradient))
        is_open = (along > MAX_OPEN_SHARE * size) | (by_data > MAX_DEVIATION) | (size == 0)
        own = _root(np.einsum("ij,jk,ik->i", gradient, self.covariance, gradient))
        return np.where(is_open, np.nan, own)

    def inflation(self, gradient: np.ndarray) -> np.ndarray:
        """Variances of quantities over those under independent noise, 1 or more, (quantities,).

        Args:
            gradient: as in `deviation`.
        """
        ratio = (1 + self.neighbours) / (1 - self.neighbours) if self.corrected else 1.0
        plain = self.noise * np.einsum("ij,jk,ik->i", gradient, self.inverse, gradient)
        own = np.einsum("ij,jk,ik->i", gradient, self.from_data, gradient)
        is_known = np.isfinite(self.deviation(gradient)) & (plain > 0)
        return np.maximum(np.where(is_known, own / np.where(plain > 0, plain, 1.0), ratio), 1.0)


def covariance_of(
    slope: np.ndarray,
    residual: np.ndarray,
    paths: np.ndarray,
    *,
    ridge: float = 0.0,
    confidence: float = 0.95,
) -> Spread:
    """Covariance of least-squares weights.

    Singular directions are found first, by the singular value decomposition of J with its columns
    scaled to one, and are left out of the inverse. Independent noise: s² (JᵀJ + ε²)⁻¹ with s² =
    Σr²/(n − p) and n − p degrees of freedom. Where residuals are autocorrelated, ρ > 0.3, noise is
    a first-order autoregression within each path: s² A⁻¹ JᵀRJ A⁻¹ with R_ij = ρ^|i−j| and
    A = JᵀJ + ε², the degrees of freedom n (1 − ρ²)/(1 + ρ²) − p, at least 2 (Bartlett 1935, J. R.
    Stat. Soc. 98, 536).

    Args:
        slope: J, (samples, weights), in units of the RMS stress.
        residual: r, (samples,), in the same.
        paths: number of the path of each sample, (samples,), sorted.
        ridge: ε, the strength that held the weights.
        confidence: of the interval, two-sided.
    """
    samples, weights = slope.shape
    power = float(residual @ residual)
    noise = power / max(samples - weights, 1)
    same_path = paths[1:] == paths[:-1]
    product = float((residual[1:] * residual[:-1])[same_path].sum())
    rho = float(np.clip(product / power, -0.99, 0.99)) if power > 0 else 0.0
    corrected = rho > MAX_CORRELATION
    freedom = samples - weights
    middle = slope.T @ slope
    if corrected:
        freedom = samples * (1 - rho**2) / (1 + rho**2) - weights
        middle = slope.T @ _correlate(slope, paths, rho)
    inverse, directions = _inverse_by_directions(slope)
    from_data = noise * inverse @ middle @ inverse
    covariance = from_data
    if ridge:
        held = ridge**2 * np.eye(weights)
        own = np.linalg.inv(slope.T @ slope + held)
        covariance = noise * own @ (middle + held) @ own
    return Spread(
        covariance=covariance,
        from_data=from_data,
        inverse=inverse,
        noise=noise,
        open=directions,
        quantile=float(student.ppf((1 + confidence) / 2, max(freedom, 2.0))),
        neighbours=rho,
        effective=samples * (1 - rho) / (1 + rho),
        corrected=corrected,
    )


def _inverse_by_directions(slope: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(JᵀJ)⁻¹ without the singular directions, (weights, weights); unit vectors along those."""
    error = DERIVATIVE_ERROR * np.sqrt(len(slope))
    size = np.linalg.norm(slope, axis=0)
    is_flat = size <= error
    columns = np.where(is_flat, 0.0, slope / np.where(is_flat, 1.0, size))
    _, values, vectors = np.linalg.svd(columns, full_matrices=False)
    along = vectors / np.where(is_flat, 1.0, size)  # steps of weights, one a row
    floor = np.maximum(error * np.linalg.norm(along, axis=1), SINGULAR * values.max(initial=0.0))
    is_open = values <= floor
    # a flat weight belongs to a row of its own, whose singular value is zero
    steps = along[~is_open] / values[~is_open, None]
    steps[:, is_flat] = 0.0
    directions = along[is_open]
    return steps.T @ steps, directions / np.linalg.norm(directions, axis=1, keepdims=True)


def _root(variance: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(variance, 0.0))


def _correlate(slope: np.ndarray, paths: np.ndarray, rho: float) -> np.ndarray:
    """R J, path by path, by one filter forward and one backward."""
    parts = np.split(slope, np.flatnonzero(np.diff(paths)) + 1)
    result = []
    for part in parts:
        forward = lfilter([1.0], [1.0, -rho], part, axis=0)
        backward = lfilter([1.0], [1.0, -rho], part[::-1], axis=0)[::-1]
        result.append(forward + backward - part)
    return np.concatenate(result)
