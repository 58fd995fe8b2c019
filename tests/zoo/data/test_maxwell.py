"""The exact simulator against closed forms and SciPy's implicit integrator."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp

from zoo.data import maxwell
from zoo.data.maxwell import Material, stress_response

EXPONENTS = (0.5, 2 / 3, 1.0, 1.0001, 1.29, 1.3, 2.0, 3.0, 5.0, 8.0)


def unit(exponent: float) -> Material:
    return Material(exponent=exponent)


def one_path(rate, dt, exponent, initial=0.0):
    rate = np.atleast_2d(np.asarray(rate, float))
    return stress_response(rate, np.broadcast_to(dt, rate.shape), unit(exponent), initial)[0]


@pytest.mark.parametrize("m", EXPONENTS)
@pytest.mark.parametrize("rate", (-5.0, 0.01, 0.7, 20.0))
def test_steady_flow(m, rate):
    dt = 60 * max(1, abs(rate) ** (1 / m - 1)) / 100
    stress = one_path(np.full(100, rate), dt, m)
    assert stress[-1] == pytest.approx(np.sign(rate) * abs(rate) ** (1 / m), rel=1e-10)


@pytest.mark.parametrize("m", EXPONENTS)
@pytest.mark.parametrize("initial", (-3.0, 1e-3, 0.5, 2.0))
def test_relaxation_at_rest(m, initial):
    t = 0.1 * np.arange(1, 41)
    size = abs(initial)
    if m == 1:
        expected = size * np.exp(-t)
    else:
        growth = 1 + (m - 1) * size ** (m - 1) * t
        expected = (
            size * np.maximum(growth, 0) ** (1 / (1 - m))
            if m < 1
            else size * growth ** (-1 / (m - 1))
        )
    stress = one_path(np.zeros(40), 0.1, m, initial)
    np.testing.assert_allclose(stress, np.sign(initial) * expected, rtol=1e-10, atol=1e-13)


def test_constant_rate_from_rest_with_m_2():
    t, rate = 0.05 * np.arange(1, 61), 1.7
    expected = np.sqrt(rate) * np.tanh(np.sqrt(rate) * t)
    np.testing.assert_allclose(one_path(np.full(60, rate), 0.05, 2.0), expected, rtol=1e-12)


def test_linear_solid_on_a_staircase_of_rates():
    rng = np.random.default_rng(0)
    rate, dt = rng.normal(size=200), rng.uniform(0.01, 0.5, 200)
    expected, now = [], 0.0
    for r, t in zip(rate, dt, strict=True):
        now = r + (now - r) * np.exp(-t)
        expected.append(now)
    np.testing.assert_allclose(one_path(rate, dt[None], 1.0), expected, atol=1e-12)


def test_linear_solid_under_a_finely_sampled_sine():
    amplitude, omega, steps = 1.3, 2.0, 4000
    t = np.linspace(0, 4, steps + 1)
    rate = np.diff(amplitude * np.sin(omega * t)) / np.diff(t)
    t = t[1:]
    expected = (
        amplitude
        * omega
        / (1 + omega**2)
        * (np.cos(omega * t) + omega * np.sin(omega * t) - np.exp(-t))
    )
    # A sine joined by straight lines differs from a sine by order dt².
    np.testing.assert_allclose(one_path(rate, 4 / steps, 1.0), expected, atol=1e-6)


@pytest.mark.parametrize("m", EXPONENTS)
def test_time_of_passage_is_the_integral_of_one_over_speed(m):
    """Loading through zero, from −1 to beyond: dt = ∫ ds / (r − s|s|^(m−1))."""
    rate, dt = 1.4, 0.9
    end = one_path([rate], dt, m, -1.0)[0]

    def slowness(s):
        return 1 / (rate - np.sign(s) * abs(s) ** m)

    passed = quad(slowness, -1, 0, epsabs=1e-13)[0] + quad(slowness, 0, end, epsabs=1e-13)[0]
    assert passed == pytest.approx(dt, abs=1e-10)


@pytest.mark.parametrize("m", EXPONENTS)
def test_follows_radau_on_random_paths(m):
    rng = np.random.default_rng(7)
    rate = rng.choice([-1, 0, 1], 12) * np.exp(rng.uniform(np.log(0.02), np.log(20), 12))
    dt = np.exp(rng.uniform(np.log(0.003), np.log(0.4), 12))
    expected, now = [], 0.3
    for r, t in zip(rate, dt, strict=True):
        step = solve_ivp(
            lambda _, s, r=r: r - np.sign(s) * np.abs(s) ** m,
            (0, t),
            [now],
            method="Radau",
            rtol=1e-11,
            atol=1e-13,
        )
        now = step.y[0, -1]
        expected.append(now)
    np.testing.assert_allclose(one_path(rate, dt[None], m, 0.3), expected, atol=1e-8)


@pytest.mark.parametrize("exponent", (0.5, 1.0))
@pytest.mark.parametrize("distance", (1e-15, 1e-12, 1e-9, 1e-6, 5e-4))
@pytest.mark.parametrize("start", (-1e4, -30.0, -1.0, 0.5))
def test_exponents_beside_those_where_the_closed_form_degenerates(exponent, distance, start):
    """SciPy's hyp2f1 loses digits there: 1.2 % at m = 1 + 1e-15. Checked against a quadrature."""
    m = exponent + distance
    middle = (1 + 1e-3) * start if start < 0 else 0.9

    def slowness(log_size):  # dτ/d ln|u| = |u|/(1 − u|u|^(m−1))
        size = np.exp(log_size)
        return size / (1 - np.sign(start) * size**m)

    expected, _ = quad(slowness, np.log(abs(start)), np.log(abs(middle)), epsabs=0, epsrel=1e-13)
    expected *= np.sign(start)
    ends = maxwell._passage_below(np.array([start, middle]), m)
    np.testing.assert_allclose(ends[1] - ends[0], expected, rtol=1e-8)


@pytest.mark.parametrize("distance", (2.4e-3, 1e-4, 1e-7))
@pytest.mark.parametrize("m", (153 / 256, 0.6239572664639682, 0.7220266673087992, 1.7, 5.3, 7.9))
def test_passage_beside_steady_flow(m, distance):
    """1 + 1/m − 1 − 1/m is not 0 in floating point for the first three: hyp2f1 was wrong there."""
    for passage, sides in (
        (maxwell._passage_below, (0.5, 1 - distance)),
        (maxwell._passage_above, (2.0, 1 + distance)),
    ):
        if passage is maxwell._passage_above and m < 1:
            continue
        start, end = sides
        # dτ/d ln|1 − u| = −(1 − u)/(1 − u^m), smooth up to steady flow
        sign = np.sign(1 - start)
        expected, _ = quad(
            lambda log, sign=sign: np.exp(log) / abs(np.expm1(m * np.log1p(-sign * np.exp(log)))),
            np.log(abs(1 - end)),
            np.log(abs(1 - start)),
            epsabs=0,
            epsrel=1e-12,
        )
        times = passage(np.array(sides), m)
        np.testing.assert_allclose(times[1] - times[0], expected, rtol=1e-8)


paths = st.lists(
    st.tuples(st.sampled_from((-1.0, 0.0, 1.0)), st.floats(-8, 4), st.floats(-7, 1)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(m=st.floats(0.5, 8), initial=st.floats(-5, 5), pieces=paths)
@example(m=0.5, initial=1.0, pieces=[(1.0, -2.0, 0.0)])
@example(m=0.9, initial=4.0, pieces=[(1.0, -6.0, 1.0)])
@example(m=0.59765625, initial=0.0, pieces=[(-1.0, 0.0, 0.0), (1.0, -0.875, 0.5)])
@example(m=0.5, initial=0.0, pieces=[(-1.0, 0.0, 0.0), (-1.0, 0.0, 0.0), (1.0, 4.0, -5.0)])
@example(m=2.0608637032379638, initial=4.080830888733027, pieces=[(-1.0, -2.0, 0.8089265090565751)])
@example(m=0.5625, initial=2.0, pieces=[(-1.0, -1.0, 1.0)])
@example(m=0.5000000000000001, initial=0.0, pieces=[(-1.0, -1.0, 1.0)])
@example(m=0.5000000000000001, initial=1.0, pieces=[(-1.0, -3.0, 0.0)])
def test_cutting_a_step_changes_nothing(m, initial, pieces):
    """The flow is a semigroup, for jumps (huge rates in tiny steps), holds and tiny rates too."""
    rate = np.array([sign * 10**size for sign, size, _ in pieces])
    dt = np.array([10**size for *_, size in pieces])
    rate = np.where(np.abs(rate * dt) > 10, np.sign(rate) * 10 / dt, rate)
    whole = one_path(rate, dt[None], m, initial)
    cut = one_path(np.repeat(rate, 3), np.repeat(dt / 3, 3)[None], m, initial)[2::3]
    np.testing.assert_allclose(cut, whole, rtol=1e-8, atol=1e-8)


@settings(max_examples=50, deadline=None)
@given(m=st.floats(0.5, 8), initial=st.floats(-5, 5), rate=st.floats(-100, 100))
def test_odd_in_the_loading(m, initial, rate):
    forth = one_path([rate, -rate, 0.0], 0.1, m, initial)
    back = one_path([-rate, rate, 0.0], 0.1, m, -initial)
    np.testing.assert_allclose(forth, -back, rtol=1e-12, atol=1e-14)


def test_only_modulus_exponent_and_kappa_matter():
    rate = np.random.default_rng(1).normal(size=(3, 50))
    dt = np.full_like(rate, 0.05)
    first, second = Material(200.0, 4.0, 1.0, 3.0), Material(200.0, 1.0, 2.0, 3.0)
    assert first.kappa == second.kappa == 4.0
    np.testing.assert_allclose(
        stress_response(rate, dt, first), stress_response(rate, dt, second), rtol=1e-9
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    (
        ({"modulus_mpa": 0.0}, "`modulus_mpa` must be positive"),
        ({"nu0_s": float("nan")}, "`nu0_s` must be positive"),
        ({"exponent": 9.0}, "between 0.5 and 8. Received: exponent=9.0"),
    ),
)
def test_impossible_materials_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Material(**settings)


def test_time_must_not_run_backwards():
    with pytest.raises(ValueError, match="smallest dt -1"):
        stress_response(np.ones((1, 2)), -np.ones((1, 2)))
