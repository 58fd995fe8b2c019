"""Plain estimators of the signal-to-noise ratio of speech, without training.

Both take the waveform of speech in noise, and return one number for the whole of it.
"""

from functools import lru_cache

import numpy as np
from scipy import special

FRAME_S = 0.02
NOISE_SHARE = 0.1  # of frames that are taken for pauses
SHAPE = 0.4  # of the gamma distribution of speech amplitudes (Kim and Stern 2008)
LOWEST_DB, HIGHEST_DB = -20.0, 100.0
_STEP_DB = 1.0  # of the table


def percentile_snr_db(samples: np.ndarray, sample_rate_hz: float) -> float:
    """Mean power of all frames of 20 ms over that of the quietest tenth, less one, in decibels.

    The frames of pauses give the power N of the noise, all frames that of speech and noise:
    10 log10((P - N) / N). Right for noise of constant power and speech with pauses.

    Args:
        samples: waveform (samples,).
        sample_rate_hz: [Hz].
    """
    size = max(1, round(FRAME_S * sample_rate_hz))
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    power = np.sort(np.mean(np.square(frames, dtype=np.float64), axis=1))
    noise = power[: max(1, round(NOISE_SHARE * len(power)))].mean() + 1e-12
    return float(10 * np.log10(max(power.mean() - noise, 1e-3 * noise) / noise))


def wada_snr_db(samples: np.ndarray) -> float:
    """Signal-to-noise ratio by the distribution of the amplitudes (WADA-SNR, Kim and Stern 2008).

    Speech amplitudes are taken for gamma-distributed of shape 0.4, noise for Gaussian. The
    statistic log E|x| - E log|x| then falls with the share of noise; a table gives the ratio.

    Args:
        samples: waveform (samples,).
    """
    size = np.abs(samples.astype(np.float64)) + 1e-10
    statistic = np.log(size.mean()) - np.log(size).mean()
    ratios_db, statistics = _wada_table()
    return float(np.interp(statistic, statistics, ratios_db))


@lru_cache(maxsize=1)
def _wada_table() -> tuple[np.ndarray, np.ndarray]:
    """Ratios [dB] and the statistic at each, both rising.

    Averages over 2,000 quantiles of the amplitude of speech and 401 of the noise, which is
    symmetric, so that the sign of speech does not matter.
    """
    quantile = (np.arange(2_000) + 0.5) / 2_000
    amplitude = special.gammaincinv(SHAPE, quantile)
    amplitude = amplitude / np.sqrt(np.mean(amplitude**2))
    normal = special.ndtri((np.arange(401) + 0.5) / 401)
    normal = normal / np.sqrt(np.mean(normal**2))
    ratios_db = np.arange(LOWEST_DB, HIGHEST_DB + _STEP_DB, _STEP_DB)
    statistics = []
    for ratio in ratios_db:
        noise = 10 ** (-ratio / 20) * normal
        size = np.abs(amplitude[:, None] + noise) + 1e-10
        statistics.append(np.log(size.mean()) - np.log(size).mean())
    return ratios_db, np.maximum.accumulate(np.array(statistics))
