"""Elementary functions of the cells in double precision, against NumPy and quadrature."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.integrate import quad, solve_ivp

from zoo.cells.continuous.modes import hold_modes
from zoo.cells.material import closed
from zoo.cells.material.base import increments, require_count, require_positive
from zoo.cells.material.curve import RateCurve

POINTS = np.array([1e-9, 1e-3, 0.1, 0.2499, 0.2501, 0.4999, 0.5001, 0.9, 0.999, 1.001, 3.0, 30.0])


def both(function, *arrays):
    return np.asarray(function(*(tf.constant(each, tf.float64) for each in arrays)))


def test_quotients_of_logarithm_and_exponential():
    z = np.concatenate([POINTS, -POINTS[:9]])
    np.testing.assert_allclose(both(closed.log1p_quotient, z), np.log1p(z) / z, rtol=2e-8)
    y = np.concatenate([POINTS, -POINTS])
    np.testing.assert_allclose(both(closed.expm1_quotient, y), np.expm1(y) / y, rtol=3e-9)
    assert both(closed.log1p_quotient, [0.0]) == both(closed.expm1_quotient, [0.0]) == 1.0
    np.testing.assert_array_equal(both(closed.expm1_quotient, [41.0, 40.0])[0], np.expm1(40) / 40)
    # log is bounded where 1 + z rounds to nothing
    assert both(closed.log1p_quotient, [-1.0])[0] == pytest.approx(-np.log(1e-7))


def test_means_and_variances_along_a_step():
    """A ramp that decays, ∫ e^(−y(θ−s)) ds, and e^(−yθ), over 0 ≤ θ ≤ 1."""
    mean = [quad(lambda t, y=y: -np.expm1(-y * t) / y, 0, 1)[0] for y in POINTS[1:]]
    np.testing.assert_allclose(both(closed.ramp_mean, POINTS[1:]), mean, rtol=5e-9)
    assert both(closed.ramp_mean, [0.0])[0] == 0.5

    def variance(y):
        of_y = quad(lambda t: (np.exp(-y * t) + np.expm1(-y) / y) ** 2, 0, 1, epsabs=1e-16)[0]
        return of_y / y**2

    points = np.array([0.3, 0.6, 0.999, 1.001, 2.0, 9.0])
    expected = [variance(y) for y in points]
    np.testing.assert_allclose(both(closed.decay_variance, points), expected, rtol=3e-7)
    assert both(closed.decay_variance, [0.0])[0] == pytest.approx(1 / 12, rel=1e-12)
    assert both(closed.decay_variance, [1e200])[0] == 0.0


@pytest.mark.parametrize("y", [1e-3, 0.4, 2.0, 20.0])
def test_a_linear_flow_is_the_solution_of_its_equation(y):
    h, rise = 0.7, -1.3
    after, lost, memory = (
        float(each)
        for each in closed.linear_flow(*(tf.constant(v, tf.float64) for v in (h, rise, y)))
    )

    def state(t):
        return h * np.exp(-y * t) - rise * np.expm1(-y * t) / y

    assert after == pytest.approx(state(1.0), rel=1e-8)
    assert memory == pytest.approx(np.exp(-y))
    assert lost == pytest.approx(quad(lambda t: y * state(t) ** 2, 0, 1)[0], rel=1e-7)


def test_the_other_functions():
    k = np.array([-50.0, -3.0, -0.1, 0.0, 0.1, 3.0, 50.0])
    np.testing.assert_allclose(both(closed.softplus, k), np.logaddexp(0, k), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(both(closed.decayed, POINTS), -np.expm1(-POINTS), rtol=1e-12)
    s = np.array([-2.0, 2.0, 1e-31, 0.0, -1e-29])
    expected = np.log([2.0, 2.0, 1e-30, 1e-30, 1e-29])
    np.testing.assert_allclose(both(closed.log_size, s), expected)
    x = np.array([-41.0, -40.0, -1.0, 39.0, 41.0])
    np.testing.assert_allclose(both(closed.bounded_exp, x), np.exp(np.clip(x, -40, 40)))
    chosen = closed.choose(tf.constant([True, False]), tf.constant([2.0, 3.0]), 5.0)
    np.testing.assert_array_equal(chosen, [2.0, 5.0])


def test_increments_are_rate_times_step():
    change, dt = increments(tf.constant([[9.0, 3.0, 0.5]]))
    assert (change.numpy().tolist(), dt.numpy().tolist()) == ([[1.5]], [[0.5]])


def test_settings_are_positive_finite_or_whole_numbers():
    require_positive(a=1e-300, b=1)
    require_count(a=1, b=7)
    for value in (0, -1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="`b` must be positive"):
            require_positive(a=1.0, b=value)
    for value in (0, -1, 1.0):
        with pytest.raises(ValueError, match="`b` must be a whole number, 1 or more"):
            require_count(a=1, b=value)


def test_a_rate_curve_is_straight_between_its_knots_and_level_below():
    knots, slopes = (-2.0, -0.5, 1.0), np.array([[0.5, 2.0, -1.0], [1.0, 0.3, 4.0]])
    levels = np.array([0.2, -1.0])  # at x = 0, on the middle piece
    curve = RateCurve.through(knots, tf.constant(levels), tf.constant(slopes))
    places = np.array([-9.0, *knots, 9.0])

    def log_rate(x, branch):
        low, middle, high = slopes[branch]
        at = levels[branch] + middle * np.array([-0.5, 1.0])  # at the second and third knot
        first = at[0] - 1.5 * low
        return np.interp(x, places, [first, first, *at, at[1] + 8 * high])

    x = np.array([[-3.0, -3.0], [-1.0, -1.0], [0.0, 0.0], [0.7, 0.7], [3.0, 2.0]])
    expected = [[log_rate(a, 0), log_rate(b, 1)] for a, b in x]
    np.testing.assert_allclose(curve.log_rate(tf.constant(x)), expected, atol=1e-12)
    falls = np.asarray(curve.hold(tf.constant(x), tf.constant([[0.4]] * 5, tf.float64)))
    for (row, branch), start in np.ndenumerate(x):
        solved = solve_ivp(
            lambda _, y, b=branch: -np.exp(log_rate(y, b)), (0, 0.4), [start], rtol=1e-8, atol=1e-9
        )
        assert falls[row, branch] == pytest.approx(start - solved.y[0, -1], rel=1e-5, abs=1e-7)


def test_modes_are_held_as_complex_exponentials():
    decay, frequency = np.array([0.3, 2.0, 1e-3]), np.array([0.0, 5.0, 1e-3])
    dt = np.array([[0.0], [1e-6], [0.7], [30.0]])
    (real, imaginary), (gain, turned) = hold_modes(
        *(tf.constant(each, tf.float64) for each in (decay, frequency, dt))
    )
    mu = -decay + 1j * frequency
    np.testing.assert_allclose(np.asarray(real) + 1j * np.asarray(imaginary), np.exp(mu * dt))
    held = np.asarray(gain) + 1j * np.asarray(turned)
    np.testing.assert_allclose(held, np.expm1(mu * dt) / mu, rtol=1e-9, atol=1e-15)
