"""Simple ways to tell wheeze from normal breath, on the same folds as the network."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from zoo.data.clips import Clips

BANDS = 16  # of the spectral statistics
SURROUNDINGS = 33  # bins over which the spectrum is smoothed, 250 Hz
Scores = dict[str, np.ndarray]


def baselines(
    decibels: "Clips", lasts_s: np.ndarray, parts: list[tuple[np.ndarray, np.ndarray]]
) -> list[Scores]:
    """What each baseline says of the test part of each fold.

    Args:
        decibels: spectrograms of all breaths.
        lasts_s: (clips,) duration of each breath [s].
        parts: (rows to learn from, rows to test on) of each fold.

    Returns:
        For each fold, name -> (test rows,) score, the higher the likelier a wheeze. The tones learn
        nothing; the other two are logistic regressions.
    """
    x = np.stack([decibels.source[row] for row in decibels.rows])[..., 0]
    learnt = {
        "spectral statistics": spectral_statistics(x),
        "metadata only": metadata(decibels.index, lasts_s),
    }
    peak, changing = tonality(x)
    results = []
    for train, test in parts:
        scores = {"tone": peak[test], "tone that comes and goes": changing[test]}
        for name, features in learnt.items():
            model = logistic_regression(features[train], decibels.labels[train])
            scores[name] = model(features[test])
        results.append(scores)
    return results


def tonality(decibels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Height of the highest peak above the smoothed spectrum, 90th percentile over time [dB].

    Args:
        decibels: (clips, time, bands).

    Returns:
        (clips,) of the spectrogram; and of one from whose height above the smoothed spectrum its
        mean over time was taken away, in which hum is no peak.
    """
    from scipy.ndimage import uniform_filter1d

    above = decibels - uniform_filter1d(decibels, SURROUNDINGS, axis=2, mode="nearest")
    changing = above - above.mean(axis=1, keepdims=True)
    return tuple(np.quantile(x.max(axis=2), 0.9, axis=1) for x in (above, changing))


def spectral_statistics(decibels: np.ndarray) -> np.ndarray:
    """Mean and deviation over time of the level in bands of equal width, (clips, 2 bands)."""
    parts = np.array_split(decibels, BANDS, axis=2)
    level = np.stack([part.mean(axis=2) for part in parts], axis=2)
    return np.concatenate([level.mean(axis=1), level.std(axis=1)], axis=1)


def metadata(index: pd.DataFrame, lasts_s: np.ndarray) -> np.ndarray:
    """What is known without listening: how long, where, with which device; (clips, features)."""
    names = [name for name in ("place", "device") if name in index and index[name].notna().any()]
    known = pd.get_dummies(index[names].astype(str)).to_numpy(np.float64) if names else None
    parts = [np.log(lasts_s)[:, None]] + ([] if known is None else [known])
    return np.concatenate(parts, axis=1)


def logistic_regression(
    x: np.ndarray, labels: np.ndarray, ridge: float = 0.01
) -> Callable[[np.ndarray], np.ndarray]:
    """Fit ln p / (1 - p) = w x + b to standardised features, both kinds weighing alike.

    Args:
        x: (clips, features).
        labels: (clips,) 0 or 1.
        ridge: times |w|^2 / 2 is added to the mean log loss.

    Returns:
        Features -> (clips,) ln p / (1 - p).
    """
    from scipy.optimize import minimize

    middle, size = x.mean(axis=0), x.std(axis=0) + 1e-9
    z = (x - middle) / size
    sign = np.where(labels > 0, 1.0, -1.0)
    share = np.where(
        labels > 0, 0.5 / max(1, (labels > 0).sum()), 0.5 / max(1, (labels == 0).sum())
    )

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (z @ w[:-1] + w[-1])
        slope = -share * sign / (1 + np.exp(np.clip(margin, -500, 500)))
        value = share @ np.logaddexp(0, -margin) + ridge / 2 * w[:-1] @ w[:-1]
        return value, np.append(z.T @ slope + ridge * w[:-1], slope.sum())

    w = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B").x
    return lambda other: (other - middle) / size @ w[:-1] + w[-1]
