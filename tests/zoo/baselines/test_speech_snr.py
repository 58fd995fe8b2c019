"""Plain estimators of the signal-to-noise ratio on signals that fit their assumptions."""

import numpy as np
import pytest

from zoo.baselines.speech_snr import percentile_snr_db, wada_snr_db


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 20.0])
def test_pauses_give_the_power_of_steady_noise(snr_db):
    rng = np.random.default_rng(0)
    burst = np.repeat([1.0, 0.0], 16_000)  # half a tone, half a pause
    tone = np.sqrt(2) * np.sin(2 * np.pi * 500 * np.arange(32_000) / 16_000) * burst
    noise = rng.standard_normal(32_000) * np.sqrt(np.mean(tone**2) * 10 ** (-snr_db / 10))
    assert percentile_snr_db(tone + noise, 16_000) == pytest.approx(snr_db, abs=1.0)


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 20.0])
def test_amplitudes_of_gamma_speech_in_gaussian_noise_give_the_ratio(snr_db):
    rng = np.random.default_rng(1)
    speech = rng.gamma(0.4, size=200_000) * rng.choice([-1, 1], 200_000)
    noise = rng.standard_normal(200_000)
    noise *= np.sqrt(np.mean(speech**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)
    assert wada_snr_db(speech + noise) == pytest.approx(snr_db, abs=1.0)
