import numpy as np
import pytest
from scipy.integrate import solve_ivp

from zoo.baselines.laws import Elastic, LinearMaxwell


def paths(count=6, steps=40, seed=0):
    rng = np.random.default_rng(seed)
    rate = rng.normal(size=(count, steps))
    dt = np.repeat(rng.uniform(0.05, 0.2, size=(count, 1)), steps, axis=1)
    return np.stack([np.cumsum(rate * dt, axis=1), rate, dt], axis=-1).astype(np.float32)


def test_elastic_law_recovers_its_modulus():
    x = paths()
    assert Elastic.fit(x, 2.5 * x[..., :1]).modulus == pytest.approx(2.5, rel=1e-6)


def test_linear_maxwell_ramp_matches_closed_form():
    modulus, time_s, rate, dt = 2.0, 0.7, 1.5, 0.1
    t = dt * np.arange(1, 31)
    x = np.stack([rate * t, np.full(30, rate), np.full(30, dt)], axis=-1)[None]
    stress = LinearMaxwell(modulus, time_s).predict(x)[0, :, 0]
    expected = modulus * rate * time_s * (1 - np.exp(-t / time_s))
    np.testing.assert_allclose(stress, expected, rtol=1e-6)


def test_linear_maxwell_follows_scipy_on_a_random_path():
    x = paths(count=1).astype(np.float64)
    law, stress, now = LinearMaxwell(1.3, 0.4), [], 0.0
    for _, rate, dt in x[0]:
        step = solve_ivp(
            lambda t, s, rate=rate: 1.3 * rate - s / 0.4, (0, dt), [now], rtol=1e-10, atol=1e-12
        )
        now = step.y[0, -1]
        stress.append(now)
    np.testing.assert_allclose(law.predict(x)[0, :, 0], stress, rtol=1e-5, atol=1e-6)


def test_fit_recovers_modulus_and_time_and_ignores_padding():
    x = paths()
    truth = LinearMaxwell(1.7, 0.9)
    y, weight = truth.predict(x), np.ones(x.shape[:2])
    y[:, 30:], weight[:, 30:] = 99.0, 0.0
    fitted = LinearMaxwell.fit(x, y, weight)
    assert (fitted.modulus, fitted.time_s) == pytest.approx((1.7, 0.9), rel=1e-4)
