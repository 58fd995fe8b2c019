"""Baselines of wheeze detection on the folds of the network: tonality, spectrum, metadata."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.ndimage import uniform_filter1d

from zoo.baselines.linear import band_statistics, logistic_regression
from zoo.data.clips import Clips

BANDS = 16  # of the spectral statistics
SMOOTHING_BINS = 33  # of the spectrum that peaks are measured above, 250 Hz


def score_baselines(
    spectrograms: Clips, durations_s: np.ndarray, parts: Sequence[tuple[np.ndarray, np.ndarray]]
) -> list[dict[str, np.ndarray]]:
    """Scores of each baseline for the test part of each fold.

    Args:
        spectrograms: of all breaths, (time, bins, 1) each [dB].
        durations_s: (clips,) duration of each breath [s].
        parts: (training rows, test rows) of each fold.

    Returns:
        For each fold, name -> (test rows,) score, higher for wheeze. The two of a tone are not
        trained; the other two are logistic regressions.
    """
    x = np.stack([spectrograms.source[row] for row in spectrograms.rows])[..., 0]
    features = {
        "spectral statistics": band_statistics(x, BANDS),
        "metadata only": metadata_features(spectrograms.index, durations_s),
    }
    tone, changing_tone = tonality(x)
    results = []
    for train, test in parts:
        scores = {"tone": tone[test], "tone that comes and goes": changing_tone[test]}
        for name, values in features.items():
            score = logistic_regression(values[train], spectrograms.labels[train])
            scores[name] = score(values[test])
        results.append(scores)
    return results


def tonality(spectrograms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Height of the highest peak above the smoothed spectrum, 90th percentile over time [dB].

    Args:
        spectrograms: (clips, time, bins) [dB].

    Returns:
        (clips,) of the spectrogram; (clips,) after the mean over time of each bin's height was
        subtracted, which removes constant tones such as hum.
    """
    smoothed = uniform_filter1d(spectrograms, SMOOTHING_BINS, axis=2, mode="nearest")
    height = spectrograms - smoothed
    changing = height - height.mean(axis=1, keepdims=True)
    first, second = (np.quantile(x.max(axis=2), 0.9, axis=1) for x in (height, changing))
    return first, second


def metadata_features(index: pd.DataFrame, durations_s: np.ndarray) -> np.ndarray:
    """Features without sound: ln duration, place and device one-hot; (clips, features)."""
    names = [name for name in ("place", "device") if name in index and np.any(index[name].notna())]
    parts = [np.log(durations_s)[:, None]]
    if names:
        parts.append(pd.get_dummies(index[names].astype(str)).to_numpy(np.float64))
    return np.concatenate(parts, axis=1)
