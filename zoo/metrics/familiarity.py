"""How familiar a sound is to a classifier, and how well that tells strangers from members.

Members are sounds of the classes, strangers those of none. The familiarity is the cosine between
what the last layer sees of a sound and the nearest prototype of a class.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo.metrics.binary import auc

KEPT = 0.95  # share of members that the threshold of the unknown lets pass


def unit_vectors(x: np.ndarray) -> np.ndarray:
    """Rows (clips, width) scaled to length 1, float64; a row of zeros stays one."""
    x = np.asarray(x, np.float64)
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)


def prototypes_of(embeddings: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """The mean direction of each class, unit vectors (classes present, width).

    Args:
        embeddings: (clips, width).
        labels: (clips,) class index.
        classes: number of them; one without a clip has no prototype.
    """
    u = unit_vectors(embeddings)
    means = [u[labels == k].mean(axis=0) for k in range(classes) if (labels == k).any()]
    return unit_vectors(np.stack(means))


def familiarity_to(embeddings: np.ndarray, prototypes: np.ndarray) -> np.ndarray:
    """Cosine to the nearest prototype, (clips,), -1 to 1.

    Args:
        embeddings: (clips, width).
        prototypes: unit vectors (prototypes, width).
    """
    return (unit_vectors(embeddings) @ prototypes.T).max(axis=1)


def threshold_of(scores: np.ndarray, kept: float = KEPT) -> float:
    """Score that the share `kept` of members reaches.

    Args:
        scores: of members, (clips,), higher for members.
        kept: share of them.
    """
    return float(np.quantile(scores, 1 - kept))


@dataclass(frozen=True)
class StrangerScores:
    """How well a score tells strangers from members, over folds.

    Attributes:
        kept: share of members that pass.
        passed: share of strangers that pass, false acceptance; None: no strangers.
        auroc: probability that a member has a higher score than a stranger, the mean over folds;
            None likewise.
    """

    kept: float
    passed: float | None
    auroc: float | None


def score_strangers(
    members: Sequence[np.ndarray],
    strangers: Sequence[np.ndarray] | None,
    kept: float = KEPT,
    further: Sequence[np.ndarray] = (),
) -> StrangerScores:
    """Members and strangers at thresholds that other folds' members set.

    Args:
        members: of each fold, scores of its test clips, (clips,).
        strangers: of each fold, scores that its network gives strangers, (clips,); None: there are
            none.
        kept: share of the other folds' members that passes; of a single fold, of its own.
        further: scores of members of folds that are not scored, for every threshold.
    """
    thresholds = [
        threshold_of(
            np.concatenate(
                [*further, *(m for j, m in enumerate(members) if j != k)] or [members[k]]
            ),
            kept,
        )
        for k in range(len(members))
    ]
    passing = np.concatenate([m >= t for m, t in zip(members, thresholds, strict=True)])
    if strangers is None:
        return StrangerScores(float(passing.mean()), None, None)
    passed = np.concatenate([s >= t for s, t in zip(strangers, thresholds, strict=True)])
    areas = [
        auc(np.repeat([True, False], [len(m), len(s)]), np.concatenate([m, s]))
        for m, s in zip(members, strangers, strict=True)
    ]
    return StrangerScores(float(passing.mean()), float(passed.mean()), float(np.mean(areas)))
