"""Operating point of a binary classifier: threshold, and sensitivity and specificity at it."""

from dataclasses import dataclass

import numpy as np

from zoo.metrics.binary import rates, youden_threshold
from zoo.metrics.bootstrap import Interval, bootstrap_interval


@dataclass(frozen=True)
class OperatingPoint:
    """Threshold of a binary classifier, with what it gives on clips that did not choose it.

    Attributes:
        threshold: of the probability of the positive class, at or above which it is decided.
        prior: share of the positive class that the probabilities are calibrated for.
        sensitivity: with its interval over groups.
        specificity: with its interval over groups.
    """

    threshold: float
    prior: float
    sensitivity: Interval
    specificity: Interval


def choose_threshold(labels: np.ndarray, scores: np.ndarray) -> float:
    """Threshold of Youden's J; 0.5 where one class is missing.

    Args:
        labels: (clips,) bool, true for the positive class.
        scores: (clips,) probability of the positive class.

    Raises:
        ValueError: as in `zoo.metrics.binary.auc`.
    """
    labels = np.asarray(labels, bool)
    if labels.all() or not labels.any():
        return 0.5
    return youden_threshold(labels, scores)


def sensitivity_and_specificity(
    labels: np.ndarray, decisions: np.ndarray, groups: np.ndarray
) -> tuple[Interval, Interval]:
    """Sensitivity and specificity of decisions, with their bootstrap intervals over groups.

    Args:
        labels: (clips,) bool, true for the positive class.
        decisions: (clips,) bool, true where a clip was decided positive.
        groups: (clips,) group of each clip.

    Raises:
        ValueError: no clip.
    """
    sensitivity = bootstrap_interval(
        lambda draw: rates(labels[draw], decisions[draw]).sensitivity, groups
    )
    specificity = bootstrap_interval(
        lambda draw: rates(labels[draw], decisions[draw]).specificity, groups
    )
    return sensitivity, specificity
