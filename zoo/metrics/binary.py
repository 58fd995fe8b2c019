"""How well a number tells what is there from what is not: two classes, one of them sought.

Everywhere labels are (clips,) true where it is there, scores (clips,), the higher the likelier.
All functions are pure; intervals come from `zoo.metrics.multiclass.bootstrap`.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Rates:
    """What a threshold makes of the clips.

    sensitivity: share found among those where it is there. specificity: share passed over among
    the others. Not a number where there are none.
    """

    sensitivity: float
    specificity: float

    @property
    def mean(self) -> float:
        """(sensitivity + specificity) / 2; of respiratory sounds, the ICBHI score."""
        return (self.sensitivity + self.specificity) / 2


def auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Area under the receiver operating characteristic (Hanley and McNeil 1982).

    P(score there > score not there) + P(equal) / 2, over all pairs. Not a number where one of the
    two kinds is missing, so that a bootstrap leaves such a draw out.
    """
    labels, scores = _checked(labels, scores)
    there, absent = np.sort(scores[labels]), np.sort(scores[~labels])
    if not len(there) or not len(absent):
        return float("nan")
    below = np.searchsorted(absent, there, side="left")
    up_to = np.searchsorted(absent, there, side="right")
    return float((below + up_to).sum() / (2 * len(there) * len(absent)))


def roc(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Receiver operating characteristic: what each threshold finds, and what it finds wrongly.

    Returns:
        (thresholds,) each, the threshold falling from infinity over every score that occurs: share
        of false alarms, 1 - specificity; share found, sensitivity; the threshold, where a clip is
        taken for it at this score or more.

    Raises:
        ValueError: one of the two kinds is missing.
    """
    labels, scores = _checked(labels, scores)
    if labels.all() or not labels.any():
        raise ValueError("`labels` must hold both kinds, or there is no curve. Received: one kind.")
    order = np.argsort(-scores, kind="stable")
    falls = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    found, false = np.cumsum(labels[order])[falls], np.cumsum(~labels[order])[falls]
    return (
        np.append(0.0, false / false[-1]),
        np.append(0.0, found / found[-1]),
        np.append(np.inf, scores[order][falls]),
    )


def rates(labels: np.ndarray, found: np.ndarray) -> Rates:
    """Sensitivity and specificity of decisions.

    Args:
        labels: see above.
        found: (clips,) true where it was said to be there.
    """
    labels, found = np.asarray(labels, bool), np.asarray(found, bool)

    def share(right: np.ndarray) -> float:
        return float(right.mean()) if right.size else float("nan")

    return Rates(share(found[labels]), share(~found[~labels]))


def best_threshold(labels: np.ndarray, scores: np.ndarray) -> float:
    """Where sensitivity + specificity is greatest (Youden 1950), halfway to the next lower score.

    Choose it on clips that the scores are not judged by.

    Raises:
        ValueError: as in `roc`.
    """
    false, found, thresholds = roc(labels, scores)
    best = int(np.argmax(found - false))
    if best == 0:  # no threshold is better than none: nothing is found
        return float(np.nextafter(thresholds[1], np.inf))
    if best == len(thresholds) - 1:
        return float(thresholds[best])
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
