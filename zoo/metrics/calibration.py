"""Calibration and selective prediction: reliability, ECE, temperature scaling, abstention.

Everywhere `labels` is (clips,) class indices and `probabilities` (clips, classes), rows summing to
one. The confidence of a prediction is the probability of its most probable class. Figures are drawn
by `zoo.plots.multiclass`.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np
from scipy.optimize import OptimizeResult, minimize, minimize_scalar, root_scalar
from scipy.special import expit, logit

from zoo.metrics.multiclass import check_classification, log_loss, log_probabilities

LOG_SCALE_DEVIATION = 1.0  # of the prior of a scale: two in three within a factor of e of 1
OFFSET_DEVIATION = 1.0  # of the prior of an offset, in logits
MAX_LOG_TEMPERATURE = float(np.log(20.0))  # either way; further on, all probabilities look alike


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

    T minimizes the summed log loss of softmax(ln p / T) plus (ln T / `LOG_SCALE_DEVIATION`)^2 / 2,
    the normal prior of ln T, which counts less the more clips there are. Above 1 the model was
    overconfident. T below 1 raises the mean confidence to (n + 1) / (n + 2) of n clips at most,
    Laplace's rule of succession: n clips, all of them right, are no
    evidence of more.

    Args:
        labels: (clips,) class indices.
        probabilities: (clips, classes).

    Raises:
        ValueError: as in `zoo.metrics.multiclass.accuracy`.
    """
    labels, probabilities = check_classification(labels, probabilities)
    clips = len(labels)

    def loss(log: float) -> float:
        scaled = apply_temperature(probabilities, float(np.exp(log)))
        return clips * log_loss(labels, scaled) + _scale_penalty(log)

    result = cast(
        OptimizeResult,
        minimize_scalar(
            loss,
            bounds=(_least_log_temperature(probabilities), MAX_LOG_TEMPERATURE),
            method="bounded",
            options={"xatol": 1e-6},
        ),
    )
    return float(np.exp(result.x))


def _least_log_temperature(probabilities: np.ndarray) -> float:
    """Lowest ln T: mean confidence (n + 1) / (n + 2) of n clips, 0 where T = 1 exceeds it."""
    most = (len(probabilities) + 1) / (len(probabilities) + 2)

    def excess(log: float) -> float:
        scaled = apply_temperature(probabilities, float(np.exp(log)))
        return float(scaled.max(axis=1).mean()) - most

    if excess(0.0) >= 0:
        return 0.0
    if excess(-MAX_LOG_TEMPERATURE) <= 0:
        return -MAX_LOG_TEMPERATURE
    return float(root_scalar(excess, bracket=(-MAX_LOG_TEMPERATURE, 0.0), xtol=1e-9).root)


def _scale_penalty(log: float) -> float:
    """Minus the logarithm of the prior of a scale, but for a constant [nat]."""
    return (log / LOG_SCALE_DEVIATION) ** 2 / 2


@dataclass(frozen=True)
class LogisticScaling:
    """Calibration of a binary classifier: logit p -> slope logit p + offset.

    Attributes:
        slope: positive, so that the ranking stays.
        offset: in logits.
    """

    slope: float
    offset: float

    def apply(self, scores: np.ndarray) -> np.ndarray:
        """Calibrated probabilities of the positive class.

        Args:
            scores: (clips,) probabilities of the positive class, as the model gives them.
        """
        return expit(self.slope * _logit(np.asarray(scores, np.float64)) + self.offset)


def fit_logistic_scaling(
    labels: np.ndarray, scores: np.ndarray, groups: np.ndarray | None = None
) -> LogisticScaling:
    """Logistic calibration of a binary classifier (Platt 1999), fitted to held-out labels.

    Minimizes the log loss against Platt's targets, (N+ + 1) / (N+ + 2) for a positive and
    1 / (N- + 2) for a negative, times the number of groups, plus the priors of ln slope and offset,
    both normal of mean 0. Clips of one group (patient, place) are alike: a hundred of them hold
    little more information than one. The probabilities then hold for the share of positives among
    these labels, their prior; for another prior q, add logit q - logit prior to the logit.

    Args:
        labels: (clips,) bool, true for the positive class.
        scores: (clips,) probabilities of the positive class.
        groups: (clips,) group of each clip; None: each is one of its own.

    Raises:
        ValueError: one class only, shapes that differ, or scores outside 0 to 1.
    """
    labels, scores = np.asarray(labels, bool), np.asarray(scores, np.float64)
    if labels.shape != scores.shape or labels.ndim != 1 or labels.all() or not labels.any():
        raise ValueError(
            "`labels` and `scores` must be (clips,) both, with clips of either class. "
            f"Received: shapes {labels.shape} and {scores.shape}, {labels.sum()} positive."
        )
    if not ((scores >= 0) & (scores <= 1)).all():
        raise ValueError("`scores` must lie from 0 to 1. Received: others, or not a number.")
    weight = 1.0 if groups is None else len(np.unique(groups)) / len(labels)
    positives, negatives = weight * labels.sum(), weight * (~labels).sum()
    targets = np.where(labels, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    x = _logit(scores)

    def loss(parameters: np.ndarray) -> float:
        z = np.exp(parameters[0]) * x + parameters[1]
        penalty = _scale_penalty(parameters[0]) + (parameters[1] / OFFSET_DEVIATION) ** 2 / 2
        return weight * float(np.sum(np.logaddexp(0, z) - targets * z)) + penalty

    bounds = [(-MAX_LOG_TEMPERATURE, MAX_LOG_TEMPERATURE), (None, None)]
    result = minimize(loss, [0.0, 0.0], bounds=bounds, method="L-BFGS-B")
    return LogisticScaling(float(np.exp(result.x[0])), float(result.x[1]))


def _logit(p: np.ndarray) -> np.ndarray:
    """Log odds, finite for probabilities of 0 and 1."""
    tiny = np.finfo(np.float32).eps
    return logit(np.clip(p, tiny, 1 - tiny))


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
