"""What is unknown: sounds that are less familiar than known ones, and how well that tells them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo.metrics.familiarity import KEPT, unit_vectors
from zoo.teaching.parts import split_parts

# Familiarity that 95 % of known sounds reach with so many examples of each of five classes:
# sound-embedding on ESC-10's folds 1 to 3, other recordings, 200 draws.
PRIOR_SHOTS = (1.0, 2.0, 3.0, 5.0, 10.0)
PRIOR_FAMILIARITY = (0.249, 0.386, 0.433, 0.529, 0.621)
PRIOR_CLIPS = 20  # known clips that the prior counts as


def familiarity_of(
    embeddings: np.ndarray, labels: np.ndarray, groups: Sequence[str] | np.ndarray, parts: int = 5
) -> np.ndarray:
    """Cosine of every clip to the nearest of other recordings, (clips,); NaN: as `split_parts`.

    Args:
        embeddings: (clips, width).
        labels: (clips,) class index.
        groups: (clips,) recording of each.
        parts: number of parts.
    """
    familiarity = np.full(len(labels), np.nan)
    u = unit_vectors(embeddings)
    for train, test in split_parts(labels, groups, parts):
        familiarity[test] = (u[test] @ u[train].T).max(axis=1)
    return familiarity


def unknown_threshold(
    familiarity: np.ndarray, shots: float | None = None, kept: float = KEPT
) -> float:
    """Familiarity below which a sound is unknown: the quantile that lets `kept` of known ones pass.

    Of n known sounds and a prior p(shots) that counts as m = 20: (n q + m p) / (n + m), where q is
    their quantile. The prior is that of `PRIOR_FAMILIARITY`.

    Args:
        familiarity: of known sounds to clips of other recordings, NaN where there is none.
        shots: examples of a class, for the prior; None: without a prior, -1 where none is known.
        kept: share of known sounds that passes.
    """
    values = familiarity[np.isfinite(familiarity)]
    quantile = float(np.quantile(values, 1 - kept)) if values.size else -1.0
    if shots is None:
        return quantile
    prior = float(np.interp(np.log(shots), np.log(PRIOR_SHOTS), PRIOR_FAMILIARITY))
    return (len(values) * quantile + PRIOR_CLIPS * prior) / (len(values) + PRIOR_CLIPS)


@dataclass(frozen=True)
class StrangerTrial:
    """Each class as a stranger to the others: how well strangers are told from members.

    Attributes:
        auroc: probability that a member is more familiar than a stranger; None: no clip has
            another recording of its class.
        kept: share of members above the threshold; None likewise.
        passed: share of strangers above it.
    """

    auroc: float | None
    kept: float | None
    passed: float


def try_strangers(
    embeddings: np.ndarray, labels: np.ndarray, familiarity: np.ndarray, threshold: float
) -> StrangerTrial:
    """Familiarity of every clip to the other classes alone, against that to other recordings.

    Args:
        embeddings: (clips, width).
        labels: (clips,) class index, two classes or more.
        familiarity: (clips,) of `familiarity_of`.
        threshold: of the unknown.
    """
    u = unit_vectors(embeddings)
    outside = np.where(labels[:, None] != labels[None], u @ u.T, -1.0).max(axis=1)
    inside = familiarity[np.isfinite(familiarity)]
    passed = float(np.mean(outside >= threshold))
    if not inside.size:
        return StrangerTrial(None, None, passed)
    wins = np.mean(inside[:, None] > outside[None]) + 0.5 * np.mean(inside[:, None] == outside)
    return StrangerTrial(float(wins), float(np.mean(inside >= threshold)), passed)
