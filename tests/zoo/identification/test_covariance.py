"""Covariance of least squares: the textbook's formula, n − p degrees of freedom."""

import numpy as np
import pytest
from scipy.stats import t as student

from zoo.identification.covariance import covariance_of


@pytest.mark.parametrize(("samples", "weights"), [(8, 3), (12, 5), (40, 2)])
def test_independent_noise_gives_the_covariance_of_linear_regression(samples, weights):
    rng = np.random.default_rng(samples)
    slope = rng.normal(size=(samples, weights))
    y = slope @ np.arange(1.0, weights + 1) + 0.1 * rng.normal(size=samples)
    solution, squares, *_ = np.linalg.lstsq(slope, y, rcond=None)
    residual = y - slope @ solution
    spread = covariance_of(slope, residual, np.arange(samples))  # each sample a path of its own
    expected = squares[0] / (samples - weights) * np.linalg.inv(slope.T @ slope)
    np.testing.assert_allclose(spread.covariance, expected, rtol=1e-6)
    assert spread.quantile == pytest.approx(student.ppf(0.975, samples - weights))
