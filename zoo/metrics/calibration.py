"""Calibration and selective prediction: reliability, ECE, temperature scaling, abstention.

Everywhere `labels` is (clips,) class indices and `probabilities` (clips, classes), rows summing to
one. The confidence of a prediction is the probability of its most probable class. Figures are drawn
by `zoo.plots.multiclass`.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from zoo.metrics.multiclass import check_classification, log_loss, log_probabilities


@dataclass(frozen=True)
class Reliability:
    """Reliability diagram: accuracy against confidence, in bins of equal width over confidence.

    Attributes:
        confidence: (bins,) mean confidence in each bin, NaN where it is empty.
        accuracy: (bins,) accuracy in each bin, NaN where it is empty.
        count: (bins,) clips in each bin.
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    count: np.ndarray

    @property
    def ece(self) -> float:
        """Expected calibration error, ECE (Naeini, Cooper and Hauskrecht 2015); 0 to 1.

        sum_b n_b / n |accuracy_b - confidence_b|
        """
        filled = self.count > 0
        gap = np.abs(self.accuracy[filled] - self.confidence[filled])
        return float(np.sum(gap * self.count[filled]) / np.sum(self.count))


@dataclass(frozen=True)
class AbstentionThreshold:
    """Confidence below which a classifier abstains, and what selective prediction then gives.

    Attributes:
        confidence: lowest confidence at which a clip is predicted; 0 to 1.
        coverage: share of the clips that are predicted.
        accuracy: among these.
    """

    confidence: float
    coverage: float
    accuracy: float


def reliability(labels: np.ndarray, probabilities: np.ndarray, *, bins: int = 15) -> Reliability:
    """Reliability diagram of a classifier: is it right in 80 % of clips of confidence 0.8?

    Args:
        labels: (clips,) class indices.
        probabilities: (clips, classes).
        bins: of equal width over 0 to 1; the lower end belongs to the bin below.

    Raises:
        ValueError: as in `zoo.metrics.multiclass.accuracy`.
    """
    labels, probabilities = check_classification(labels, probabilities)
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bin_of_clip = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    count = np.bincount(bin_of_clip, minlength=bins)
    empty_is_nan = np.where(count > 0, 1.0, np.nan)

    def mean(values: np.ndarray) -> np.ndarray:
        return (
            empty_is_nan * np.bincount(bin_of_clip, values, minlength=bins) / np.maximum(count, 1)
        )

    return Reliability(mean(confidence), mean(correct), count)


def fit_temperature(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Temperature T of temperature scaling, fitted to held-out labels (Guo et al. 2017).

    T minimizes the log loss of softmax(ln p / T), searched from 0.05 to 20. Above 1 the model was
    overconfident.

    Args:
        labels: (clips,) class indices.
        probabilities: (clips, classes).

    Raises:
        ValueError: as in `zoo.metrics.multiclass.accuracy`.
    """
    labels, probabilities = check_classification(labels, probabilities)
    result = minimize_scalar(
        lambda log: log_loss(labels, apply_temperature(probabilities, float(np.exp(log)))),
        bounds=(np.log(0.05), np.log(20.0)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(result.x))


def apply_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Temperature scaling, softmax(ln p / T): flatter for T above 1, with the same ranking.

    Args:
        probabilities: (clips, classes).
        temperature: T, positive.

    Returns:
        (clips, classes), rows summing to one.

    Raises:
        ValueError: `temperature` is not positive.
    """
    if not temperature > 0:
        raise ValueError(f"`temperature` must be positive. Received: {temperature}.")
    logits = log_probabilities(np.asarray(probabilities, np.float64)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def risk_coverage(
    labels: np.ndarray, probabilities: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Risk-coverage curve: confidence, coverage and accuracy (1 - risk) as the threshold falls.

    Args:
        labels: (clips,) class indices.
        probabilities: (clips, classes).

    Returns:
        (thresholds,) each, one for every confidence that occurs, the highest first.

    Raises:
        ValueError: as in `zoo.metrics.multiclass.accuracy`.
    """
    labels, probabilities = check_classification(labels, probabilities)
    confidence = probabilities.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    correct = np.cumsum((probabilities.argmax(axis=1) == labels)[order])
    last_of_confidence = np.append(np.flatnonzero(np.diff(confidence[order])), len(order) - 1)
    predicted = last_of_confidence + 1
    accuracy = correct[last_of_confidence] / predicted
    return confidence[order][last_of_confidence], predicted / len(order), accuracy


def abstention_threshold(
    labels: np.ndarray,
    probabilities: np.ndarray,
    *,
    min_accuracy: float = 0.95,
    min_clips: int = 1,
) -> AbstentionThreshold | None:
    """Lowest confidence threshold at which the predicted clips reach an accuracy.

    Args:
        labels: (clips,) class indices.
        probabilities: (clips, classes); calibrated, if the threshold is to hold for other clips.
        min_accuracy: accuracy among the clips at or above the threshold; 0 to 1.
        min_clips: clips at or above the threshold, at least.

    Returns:
        The threshold, None where no confidence suffices.

    Raises:
        ValueError: as in `zoo.metrics.multiclass.accuracy`.
    """
    confidence, coverage, accuracy = risk_coverage(labels, probabilities)
    enough = coverage * len(labels) >= min_clips - 0.5  # coverage is a rounded share
    suitable = np.flatnonzero((accuracy >= min_accuracy) & enough)
    if not len(suitable):
        return None
    k = suitable[-1]
    return AbstentionThreshold(float(confidence[k]), float(coverage[k]), float(accuracy[k]))
