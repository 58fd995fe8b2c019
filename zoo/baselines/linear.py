"""Linear classifiers of spectral statistics: ridge regression and logistic regression."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize

Scorer = Callable[[np.ndarray], np.ndarray]


def band_statistics(spectrograms: np.ndarray, bands: int | None = None) -> np.ndarray:
    """Mean and standard deviation over time of the level in each band.

    Args:
        spectrograms: (clips, time, bins) [dB].
        bands: average the bins in this many bands of equal width first; None: every bin by itself.

    Returns:
        (clips, 2 bands) float64: means, then deviations [dB].
    """
    if bands is not None:
        parts = np.array_split(spectrograms, bands, axis=2)
        spectrograms = np.stack([part.mean(axis=2) for part in parts], axis=2)
    mean, deviation = spectrograms.mean(axis=1), spectrograms.std(axis=1)
    return np.concatenate([mean, deviation], axis=1).astype(np.float64)


def ridge_classifier(x: np.ndarray, labels: np.ndarray, classes: int, ridge: float = 0.1) -> Scorer:
    """Ridge regression of one-hot labels on standardized features.

    Args:
        x: (clips, features).
        labels: (clips,) class indices.
        classes: number of classes.
        ridge: times the number of clips is added to the diagonal of XᵀX.

    Returns:
        Features (clips, features) -> scores (clips, classes), the highest for the predicted class.
    """
    mean, deviation = x.mean(axis=0), x.std(axis=0) + 1e-9
    z = (x - mean) / deviation
    targets = np.eye(classes)[labels]
    prior = targets.mean(axis=0)
    penalty = ridge * len(z) * np.eye(z.shape[1])
    weights = np.linalg.solve(z.T @ z + penalty, z.T @ (targets - prior))
    return lambda other: (other - mean) / deviation @ weights + prior


def logistic_regression(x: np.ndarray, labels: np.ndarray, ridge: float = 0.01) -> Scorer:
    """Logistic regression on standardized features, both classes weighing alike.

    ln p / (1 - p) = w x + b, w and b of the least weighted log loss plus ridge |w|² / 2.

    Args:
        x: (clips, features).
        labels: (clips,) 0 or 1.
        ridge: weight of the penalty.

    Returns:
        Features (clips, features) -> logits (clips,).
    """
    mean, deviation = x.mean(axis=0), x.std(axis=0) + 1e-9
    z = (x - mean) / deviation
    positive = labels > 0
    sign = np.where(positive, 1.0, -1.0)
    share = np.where(positive, 0.5 / max(1, positive.sum()), 0.5 / max(1, (~positive).sum()))

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (z @ w[:-1] + w[-1])
        slope = -share * sign / (1 + np.exp(np.clip(margin, -500, 500)))
        value = share @ np.logaddexp(0, -margin) + ridge / 2 * w[:-1] @ w[:-1]
        return value, np.append(z.T @ slope + ridge * w[:-1], slope.sum())

    w = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B").x
    return lambda other: (other - mean) / deviation @ w[:-1] + w[-1]
