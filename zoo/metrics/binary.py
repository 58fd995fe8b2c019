"""Binary classification metrics: AUC, ROC curve, sensitivity, specificity, decision threshold.

Everywhere `labels` is (clips,), true for the positive class, and `scores` is (clips,), higher for
the positive class: probabilities, logits or any other number. Intervals come from
`zoo.metrics.bootstrap`, figures from `zoo.plots.binary`.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Rates:
    """Sensitivity and specificity of decisions; each 0 to 1, NaN where its class is missing.

    Attributes:
        sensitivity: true positive rate, TP / (TP + FN) [-].
        specificity: true negative rate, TN / (TN + FP) [-].
    """

    sensitivity: float
    specificity: float

    @property
    def balanced_accuracy(self) -> float:
        """(sensitivity + specificity) / 2; for respiratory sounds called the ICBHI score."""
        return (self.sensitivity + self.specificity) / 2


def auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Area under the receiver operating characteristic, ROC AUC (Hanley and McNeil 1982).

    P(score of a positive > score of a negative) + P(equal) / 2, over all pairs; 0 to 1, 0.5 for
    chance.

    Args:
        labels: (clips,) bool.
        scores: (clips,).

    Returns:
        The area; NaN where one class is missing, so that a bootstrap leaves such a resample out.

    Raises:
        ValueError: shapes differ, or scores are not finite.
    """
    labels, scores = _checked(labels, scores)
    positive, negative = np.sort(scores[labels]), np.sort(scores[~labels])
    if not len(positive) or not len(negative):
        return float("nan")
    below = np.searchsorted(negative, positive, side="left")
    up_to = np.searchsorted(negative, positive, side="right")
    return float((below + up_to).sum() / (2 * len(positive) * len(negative)))


def roc(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Receiver operating characteristic (ROC) curve.

    Args:
        labels: (clips,) bool.
        scores: (clips,).

    Returns:
        (thresholds,) each, the threshold falling from infinity over every score that occurs: false
        positive rate, 1 - specificity; true positive rate, sensitivity; the threshold, at or above
        which a score is decided positive.

    Raises:
        ValueError: one class is missing, shapes differ, or scores are not finite.
    """
    labels, scores = _checked(labels, scores)
    if labels.all() or not labels.any():
        raise ValueError("`labels` must hold both classes for a ROC curve. Received: one class.")
    order = np.argsort(-scores, kind="stable")
    last_of_score = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    true_positives = np.cumsum(labels[order])[last_of_score]
    false_positives = np.cumsum(~labels[order])[last_of_score]
    return (
        np.append(0.0, false_positives / false_positives[-1]),
        np.append(0.0, true_positives / true_positives[-1]),
        np.append(np.inf, scores[order][last_of_score]),
    )


def rates(labels: np.ndarray, decisions: np.ndarray) -> Rates:
    """Sensitivity and specificity of decisions.

    Args:
        labels: (clips,) bool.
        decisions: (clips,) bool, true where a clip was decided positive.
    """
    labels, decisions = np.asarray(labels, bool), np.asarray(decisions, bool)

    def share(correct: np.ndarray) -> float:
        return float(correct.mean()) if correct.size else float("nan")

    return Rates(share(decisions[labels]), share(~decisions[~labels]))


def youden_threshold(labels: np.ndarray, scores: np.ndarray) -> float:
    """Decision threshold of the greatest sensitivity + specificity - 1, Youden's J (Youden 1950).

    It lies halfway between the best score and the next lower one. Choose it on clips that are not
    used to measure sensitivity and specificity.

    Args:
        labels: (clips,) bool.
        scores: (clips,).

    Raises:
        ValueError: as in `roc`.
    """
    false_positive_rate, true_positive_rate, thresholds = roc(labels, scores)
    best = int(np.argmax(true_positive_rate - false_positive_rate))
    if best == 0:  # no threshold beats deciding every clip negative
        return float(np.nextafter(thresholds[1], np.inf))
    # at the last one every clip is positive, J is 0 as at the first, and argmax takes the first
    return float((thresholds[best] + thresholds[best + 1]) / 2)


def _checked(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    labels, scores = np.asarray(labels, bool), np.asarray(scores, np.float64)
    if labels.ndim != 1 or labels.shape != scores.shape:
        raise ValueError(
            "`labels` and `scores` must be (clips,) both. "
            f"Received: shapes {labels.shape} and {scores.shape}."
        )
    if not np.isfinite(scores).all():
        raise ValueError("`scores` must be finite. Received: infinity or not a number.")
    return labels, scores
