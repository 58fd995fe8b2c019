"""Covariance and open directions, against linear regression."""

import numpy as np
import pytest
from scipy.stats import t as student

from zoo.identification import diagnostics
from zoo.identification.covariance import covariance_of

SAMPLES = 400


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(SAMPLES, 3)) * [1.0, 30.0, 0.02]
    return columns, 0.1 * rng.normal(size=SAMPLES)


def spread_of(slope, residual, **more):
    return covariance_of(slope, residual, np.zeros(len(slope), int), **more)


def regression(slope, residual, weights):
    """s² (JᵀJ)⁻¹ of ordinary least squares."""
    return residual @ residual / (SAMPLES - weights) * np.linalg.inv(slope.T @ slope)


def test_without_singular_directions_it_is_linear_regression(problem):
    slope, residual = problem
    spread = spread_of(slope, residual)
    np.testing.assert_allclose(spread.covariance, regression(slope, residual, 3), rtol=1e-9)
    assert spread.open.shape == (0, 3)
    expected = np.sqrt(np.diag(regression(slope, residual, 3)))
    np.testing.assert_allclose(spread.deviation(np.eye(3)), expected, rtol=1e-9)


@pytest.mark.parametrize("share", [1.0, 0.05, 250.0])
def test_two_weights_that_act_as_one_are_left_open_and_their_sum_is_not(problem, share):
    slope, residual = problem
    slope = np.column_stack([slope, share * slope[:, 0]])  # only w_0 + share w_3 matters
    spread = spread_of(slope, residual)
    (direction,) = spread.open
    np.testing.assert_allclose(slope @ direction, 0, atol=1e-9)
    deviations = spread.deviation(np.array([*np.eye(4), [1, 0, 0, share]], float))
    assert np.isnan(deviations[[0, 3]]).all()
    expected = np.sqrt(np.diag(regression(slope[:, :3], residual, 4)))
    np.testing.assert_allclose(deviations[[4, 1, 2]], expected, rtol=1e-6)


def test_a_weight_without_effect_is_left_open(problem):
    slope, residual = problem
    rng = np.random.default_rng(1)
    for flat in (np.zeros(SAMPLES), 1e-10 * rng.normal(size=SAMPLES)):  # the derivatives' error
        spread = spread_of(np.column_stack([slope, flat]), residual)
        np.testing.assert_allclose(np.abs(spread.open), [[0, 0, 0, 1]], atol=1e-6)
        deviations = spread.deviation(np.eye(4))
        assert np.isnan(deviations[3]) and np.isfinite(deviations[:3]).all()


def test_what_noise_moves_by_more_than_a_factor_of_twenty_is_left_open(problem):
    slope, residual = problem
    slope = slope * [1.0, 1.0, 0.05]
    expected = np.sqrt(np.diag(regression(slope, residual, 3)))
    assert expected[2] > 3 > expected[1]
    assert np.isnan(spread_of(slope, residual).deviation(np.eye(3))).tolist() == [
        *(False, False, True)
    ]


def test_a_ridge_is_no_evidence(problem):
    slope, residual = problem
    spread = spread_of(np.column_stack([slope, slope[:, 0]]), residual, ridge=0.1)
    assert np.isfinite(spread.covariance).all()
    assert np.isnan(spread.deviation(np.eye(4))).tolist() == [True, False, False, True]


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


def test_residuals_at_the_beginning_alone_are_named():
    rng = np.random.default_rng(0)
    residual, paths = rng.normal(size=200), np.repeat([0, 1], 100)
    assert diagnostics.warn_of_beginning(residual, paths) == []
    residual[[*range(10), *range(100, 110)]] *= 10
    (line,) = diagnostics.warn_of_beginning(residual, paths)
    assert "in the first 10 % of the rows" in line and "--free-initial-state" in line
    assert diagnostics.warn_of_beginning(residual[:20], paths[:20]) == []  # too few to tell
