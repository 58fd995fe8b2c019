"""Parts of a cross-validation in which no recording is on both sides."""

from collections.abc import Iterator, Sequence

import numpy as np


def split_parts(
    labels: np.ndarray, groups: Sequence[str] | np.ndarray, parts: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Training and test clips of each part, masks; no recording is in both.

    Args:
        labels: (clips,) class index.
        groups: (clips,) recording of each.
        parts: number of parts; the recordings of every class are dealt out in turn, that of a
            class that has one only is in no test.
    """
    part = _parts(np.asarray(groups).astype(str), labels, parts)
    for k in np.unique(part[part >= 0]):
        yield part != k, part == k


def _parts(groups: np.ndarray, labels: np.ndarray, parts: int) -> np.ndarray:
    """Part of each clip: the recordings of every class are dealt out in turn; -1: always trained.

    The recording of a class that has one only is always trained on, so that it competes.
    """
    part, single = np.zeros(len(groups), int), []
    for label in np.unique(labels):
        names = sorted(set(groups[labels == label]))
        single += names if len(names) == 1 else []
        for number, group in enumerate(names):
            part[groups == group] = number % parts
    part[np.isin(groups, single)] = -1
    return part
