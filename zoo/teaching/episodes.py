"""How well an embedding serves: few-shot episodes, and strangers told from members."""

from dataclasses import dataclass

import numpy as np

from zoo.metrics.bootstrap import Interval
from zoo.metrics.familiarity import StrangerScores, score_strangers, unit_vectors
from zoo.teaching.heads import HeadKind, fit_head


@dataclass(frozen=True)
class Episodes:
    """Settings of few-shot episodes.

    Attributes:
        ways: classes of an episode.
        shots: clips of each class to learn from.
        count: episodes.
        seed: of the draws.
    """

    ways: int = 5
    shots: int = 5
    count: int = 200
    seed: int = 0


def few_shot_accuracy(
    embeddings: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
    episodes: Episodes = Episodes(),
    kind: HeadKind = "linear",
    penalty: float = 1e-2,
) -> Interval:
    """Mean accuracy over episodes, with the interval of the mean.

    In each, `shots` clips of each of `ways` classes are learnt; all clips of these classes from
    other recordings are asked for.

    Args:
        embeddings: (clips, width).
        labels: (clips,) class.
        groups: (clips,) recording.
        episodes: settings.
        kind: of the head.
        penalty: of a linear head.
    """
    rng = np.random.default_rng(episodes.seed)
    classes = np.unique(labels)
    accuracies = []
    while len(accuracies) < episodes.count:
        support, query = [], []
        for label in rng.choice(classes, episodes.ways, replace=False):
            rows = rng.permutation(np.flatnonzero(labels == label))
            learnt = rows[: episodes.shots]
            support.append(learnt)
            query.append([row for row in rows if groups[row] not in groups[learnt]])
        if not all(query):  # a class of too few recordings
            continue
        of_support = np.repeat(np.arange(episodes.ways), episodes.shots)
        head = fit_head(embeddings[np.concatenate(support)], of_support, kind, penalty)
        of_query = np.repeat(np.arange(episodes.ways), [len(rows) for rows in query])
        asked = np.concatenate([np.array(rows, int) for rows in query])
        accuracies.append(np.mean(head.scores(embeddings[asked]).argmax(axis=1) == of_query))
    mean, spread = float(np.mean(accuracies)), float(np.std(accuracies))
    half = 1.96 * spread / np.sqrt(len(accuracies))
    return Interval(mean, mean - half, mean + half)


def stranger_scores(
    known: np.ndarray, members: np.ndarray, strangers: np.ndarray
) -> StrangerScores:
    """Familiarity of members and of strangers to known clips, their embeddings (clips, width)."""
    inside, outside = (
        (unit_vectors(each) @ unit_vectors(known).T).max(axis=1) for each in (members, strangers)
    )
    return score_strangers([inside], [outside])
