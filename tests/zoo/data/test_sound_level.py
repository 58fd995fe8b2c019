"""Levels against the tables of IEC 61672-1 and closed forms."""

import numpy as np
import pytest

from zoo.data.sound_level import a_weighted, a_weighting_db, decibels, running_mean_square


def test_a_weighting_is_that_of_the_standard():
    hz = np.array([31.623, 100.0, 251.19, 1000.0, 3981.1, 10_000.0])
    expected = [-39.4, -19.1, -8.6, 0.0, 1.0, -2.5]  # IEC 61672-1, table 3 at exact frequencies
    np.testing.assert_allclose(a_weighting_db(hz), expected, atol=0.06)


@pytest.mark.parametrize("hz", [100.0, 1000.0, 4000.0])
def test_a_tone_is_weighted_by_its_frequency(hz):
    time_s = np.arange(16_000) / 16_000
    tone = np.sin(2 * np.pi * hz * time_s)
    weighted = a_weighted(tone, 16_000)[4000:12_000]
    level_db = 10 * np.log10(np.mean(np.square(weighted)) / 0.5)
    assert level_db == pytest.approx(float(a_weighting_db(np.array(hz))), abs=0.05)


def test_the_running_mean_follows_a_step_with_its_time_constant():
    x = np.concatenate([np.zeros(16_000), np.ones(32_000)])
    power = running_mean_square(x, hop=160, sample_rate_hz=16_000, time_constant_s=0.5)
    # of constant power 1 from 1 s on: (1 - exp(-(t - 1) / tau)) / (1 - exp(-t / tau))
    t = np.array([1.5, 2.0, 3.0])
    expected = (1 - np.exp(-(t - 1) / 0.5)) / (1 - np.exp(-t / 0.5))
    np.testing.assert_allclose(power[(t * 100).astype(int) - 1], expected, rtol=1e-6)
    assert decibels(power[50]) == -120.0  # nothing is not minus infinity
