"""How far predictions are from the truth, in plain numbers."""

from collections.abc import Callable, Mapping

import numpy as np

Predict = Callable[[np.ndarray], np.ndarray]


def nrmse(truth: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Root mean square error over root mean square truth [-].

    Args:
        truth: (paths, time, targets).
        prediction: same shape.
        weight: (paths, time), 0 where a step does not count; None counts all.
    """
    error, size = _squares(truth, prediction, weight)
    return float(np.sqrt(error.sum() / size.sum()))


def nrmse_quantile(
    truth: np.ndarray,
    prediction: np.ndarray,
    weight: np.ndarray | None = None,
    quantile: float = 0.95,
) -> float:
    """Quantile over paths of each path's RMS error, over the RMS truth of the whole split [-].

    The common denominator keeps a path that hardly moves from deciding the figure.
    """
    error, size = _squares(truth, prediction, weight)
    counts = np.full(error.shape, truth.shape[1]) if weight is None else (weight > 0).sum(axis=1)
    per_path = np.sqrt(error / np.maximum(counts, 1))
    return float(np.quantile(per_path, quantile) / np.sqrt(size.sum() / counts.sum()))


def score(
    predict: Predict,
    splits: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray | None]],
) -> dict[str, dict[str, float]]:
    """Error of every split: nRMSE and its 95th percentile over paths.

    Args:
        predict: (paths, time, features) -> (paths, time, targets).
        splits: name -> (x, y, weight or None).
    """
    result = {}
    for name, (x, y, weight) in splits.items():
        prediction = predict(x)
        result[name] = {
            "nrmse": nrmse(y, prediction, weight),
            "nrmse_p95": nrmse_quantile(y, prediction, weight),
        }
    return result


def self_consistency(
    predict: Predict, coarse: np.ndarray, fine: np.ndarray, factor: int, truth: np.ndarray
) -> float:
    """How much a model contradicts itself when the time step shrinks [-].

    RMS difference of the two answers for one path, sampled at dt and at dt / factor, at the times
    that both have, over the RMS of the true response. Zero for a material.

    Args:
        predict: (paths, time, features) -> (paths, time, targets).
        coarse: (paths, time, features) at dt.
        fine: (paths, factor * time, features) at dt / factor.
        factor: refinement.
        truth: (paths, time, targets) at dt.
    """
    shared = predict(fine)[:, factor - 1 :: factor]
    return float(np.sqrt(np.mean((predict(coarse) - shared) ** 2) / np.mean(np.square(truth))))


def _squares(truth, prediction, weight) -> tuple[np.ndarray, np.ndarray]:
    """Squared error and squared truth, summed over each path, in float64."""
    truth, prediction = np.asarray(truth, np.float64), np.asarray(prediction, np.float64)
    if truth.shape != prediction.shape:
        raise ValueError(
            "Truth and prediction must have one shape, (paths, time, targets). "
            f"Received: {truth.shape} and {prediction.shape}."
        )
    counts = 1.0 if weight is None else (np.asarray(weight) > 0)[..., None]
    return (
        np.sum(counts * (truth - prediction) ** 2, axis=(1, 2)),
        np.sum(counts * truth**2, axis=(1, 2)),
    )
