"""Multiclass classification metrics: accuracy, confusion matrix, F1, macro F1, log loss.

Everywhere `labels` is (clips,) class indices and `probabilities` (clips, classes), rows summing to
one. Calibration and selective prediction are in `zoo.metrics.calibration`, intervals in
`zoo.metrics.bootstrap`, figures in `zoo.plots.multiclass`.
"""

import numpy as np


def accuracy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Top-1 accuracy: share of clips whose most probable class is the true one; 0 to 1.

    Args:
        labels: (clips,) class indices.
        probabilities: (clips, classes).

    Raises:
        ValueError: no clip, shapes that do not fit, or rows that are no probabilities.
    """
    labels, probabilities = check_classification(labels, probabilities)
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def confusion_matrix(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Confusion matrix, (classes, classes) counts: row, the true class; column, the predicted one.

    Args:
        labels: (clips,) class indices.
        probabilities: (clips, classes).

    Raises:
        ValueError: as in `accuracy`.
    """
    labels, probabilities = check_classification(labels, probabilities)
    matrix = np.zeros((probabilities.shape[1],) * 2, np.int64)
    np.add.at(matrix, (labels, probabilities.argmax(axis=1)), 1)
    return matrix


def f1_scores(matrix: np.ndarray) -> np.ndarray:
    """F1 score of each class, the harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN).

    Args:
        matrix: (classes, classes), from `confusion_matrix`.

    Returns:
        (classes,), 0 to 1; NaN for a class that neither occurs nor is predicted.
    """
    both = matrix.sum(axis=0) + matrix.sum(axis=1)
    return np.divide(2.0 * np.diag(matrix), both, out=np.full(len(matrix), np.nan), where=both > 0)


def macro_f1(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Macro F1: unweighted mean of the F1 scores of all classes that occur or are predicted.

    Args:
        labels: (clips,) class indices.
        probabilities: (clips, classes).

    Raises:
        ValueError: as in `accuracy`.
    """
    return float(np.nanmean(f1_scores(confusion_matrix(labels, probabilities))))


def log_loss(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Log loss (cross-entropy): mean of -ln p of the true class [nat].

    Args:
        labels: (clips,) class indices.
        probabilities: (clips, classes).

    Raises:
        ValueError: as in `accuracy`.
    """
    labels, probabilities = check_classification(labels, probabilities)
    return float(-np.mean(log_probabilities(probabilities)[np.arange(len(labels)), labels]))


def log_probabilities(probabilities: np.ndarray) -> np.ndarray:
    """Natural logarithm of probabilities [nat], finite for a probability of zero."""
    return np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))


def check_classification(
    labels: np.ndarray, probabilities: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities as arrays, checked to belong together.

    Args:
        labels: (clips,) class indices.
        probabilities: (clips, classes).

    Returns:
        The labels; the probabilities in float64.

    Raises:
        ValueError: no clip, shapes that do not fit, a label out of range, or a row of
            `probabilities` that is negative or does not sum to one.
    """
    labels, probabilities = np.asarray(labels), np.asarray(probabilities, np.float64)
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1] or not len(labels):
        raise ValueError(
            "`labels` (clips,) and `probabilities` (clips, classes) must belong together. "
            f"Received: shapes {labels.shape} and {probabilities.shape}."
        )
    if labels.min() < 0 or labels.max() >= probabilities.shape[1]:
        raise ValueError(
            f"`labels` must lie from 0 to {probabilities.shape[1] - 1}. "
            f"Received: {labels.min()} to {labels.max()}."
        )
    sums = probabilities.sum(axis=1)
    if probabilities.min() < 0 or not np.allclose(sums, 1, atol=1e-3):
        raise ValueError(
            "Rows of `probabilities` must be 0 or more and sum to one. "
            f"Received: sums from {sums.min():.3g} to {sums.max():.3g}."
        )
    return labels, probabilities
