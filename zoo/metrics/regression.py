"""Regression metrics: RMS, nRMSE, and self-consistency under refinement of the time step."""

from collections.abc import Callable, Mapping

import numpy as np

Predictor = Callable[[np.ndarray], np.ndarray]


def rms(values: np.ndarray) -> float:
    """Root mean square (RMS) of all values, in float64; in the unit of `values`."""
    return np.sqrt(np.mean(np.square(values, dtype=np.float64)))  # of NumPy: may be divided by 0


def nrmse(truth: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Normalized root mean square error: RMS error over RMS truth [-], 0 to infinity.

    nRMSE = sqrt(sum (prediction - truth)² / sum truth²), over all paths, steps and targets; 1 for a
    prediction of zero.

    Args:
        truth: (paths, time, targets), or any shape if there is no weight.
        prediction: same shape.
        weight: (paths, time), 0 where a step does not count; None counts all.

    Raises:
        ValueError: `truth` and `prediction` differ in shape.
    """
    error, size = _squares(truth, prediction, weight)
    return float(np.sqrt(error.sum() / size.sum()))


def nrmse_quantile(
    truth: np.ndarray,
    prediction: np.ndarray,
    weight: np.ndarray | None = None,
    quantile: float = 0.95,
) -> float:
    """Quantile over paths of each path's RMS error, over the RMS truth of all paths [-].

    The common denominator keeps a path of small response from dominating the quantile.

    Args:
        truth: (paths, time, targets).
        prediction: same shape.
        weight: (paths, time), 0 where a step does not count; None counts all.
        quantile: 0 to 1.

    Raises:
        ValueError: `truth` and `prediction` differ in shape.
    """
    squares = _squares(truth, prediction, weight)
    error, size = (values.reshape(len(values), -1).sum(axis=1) for values in squares)
    counts = np.full(error.shape, truth.shape[1]) if weight is None else (weight > 0).sum(axis=1)
    per_path = np.sqrt(error / np.maximum(counts, 1))
    return float(np.quantile(per_path, quantile) / np.sqrt(size.sum() / counts.sum()))


def errors_by_split(
    predict: Predictor,
    splits: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray | None]],
) -> dict[str, dict[str, float]]:
    """NRMSE of every split, and its 95th percentile over paths.

    Args:
        predict: (paths, time, features) -> (paths, time, targets).
        splits: name -> (x, y, weight or None).

    Returns:
        Name of the split -> `nrmse`, `nrmse_p95`.

    Raises:
        ValueError: predictions differ in shape from the targets.
    """
    result = {}
    for name, (x, y, weight) in splits.items():
        prediction = predict(x)
        result[name] = {
            "nrmse": nrmse(y, prediction, weight),
            "nrmse_p95": nrmse_quantile(y, prediction, weight),
        }
    return result


def refinement_difference(coarse: np.ndarray, fine: np.ndarray, factor: int) -> float:
    """RMS difference of predictions at Δt and at Δt / factor, at the times that both have.

    Args:
        coarse: (paths, time, targets), prediction at Δt.
        fine: (paths, factor * time, targets), prediction of the same paths at Δt / factor.
        factor: refinement of the time step.

    Returns:
        In the unit of the predictions.
    """
    return rms(fine[:, factor - 1 :: factor] - coarse)


def self_consistency(
    predict: Predictor, coarse: np.ndarray, fine: np.ndarray, factor: int, truth: np.ndarray
) -> float:
    """Self-consistency under refinement of the time step: `refinement_difference` / RMS truth [-].

    Zero for a material: its response does not depend on how finely the same path is sampled.

    Args:
        predict: (paths, time, features) -> (paths, time, targets).
        coarse: (paths, time, features) at Δt.
        fine: (paths, factor * time, features) at Δt / factor.
        factor: refinement of the time step.
        truth: (paths, time, targets) at Δt.
    """
    return refinement_difference(predict(coarse), predict(fine), factor) / rms(truth)


def _squares(
    truth: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Squared error and squared truth where a step counts, in float64 and the shape of `truth`."""
    truth, prediction = np.asarray(truth, np.float64), np.asarray(prediction, np.float64)
    if truth.shape != prediction.shape:
        raise ValueError(
            "Truth and prediction must have one shape, (paths, time, targets). "
            f"Received: {truth.shape} and {prediction.shape}."
        )
    counts = 1.0 if weight is None else (np.asarray(weight) > 0)[..., None]
    return counts * (truth - prediction) ** 2, counts * truth**2
