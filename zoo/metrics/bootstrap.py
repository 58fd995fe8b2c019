"""Bootstrap confidence intervals of any metric, resampling whole groups (cluster bootstrap)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

RESAMPLES = 1000


@dataclass(frozen=True)
class Interval:
    """A metric with its confidence interval.

    Attributes:
        value: of the data as they are.
        low: lower percentile of the bootstrap distribution.
        high: upper percentile of the bootstrap distribution.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3g} ({self.low:.3g} to {self.high:.3g})"


def bootstrap_interval(
    statistic: Callable[[np.ndarray], float],
    groups: np.ndarray,
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Percentile bootstrap interval, whole groups drawn with replacement (Efron 1979).

    Clips of one group (place, speaker, patient) are correlated: resampling single clips would give
    an interval that is too narrow.

    Args:
        statistic: row numbers (rows,), some of them several times -> metric; a NaN is left out.
        groups: (clips,) group of each clip.
        level: of the interval; 0 to 1.
        resamples: number of bootstrap samples.
        seed: of the draws.

    Raises:
        ValueError: no clip.
    """
    draws = [statistic(rows) for rows in resample_groups(groups, resamples=resamples, seed=seed)]
    tail = (1 - level) / 2
    low, high = np.nanquantile(draws, [tail, 1 - tail])
    return Interval(float(statistic(np.arange(len(groups)))), float(low), float(high))


def resample_groups(
    groups: np.ndarray, *, resamples: int = RESAMPLES, seed: int = 0
) -> Iterator[np.ndarray]:
    """Bootstrap samples of rows: as many groups as there are, drawn with replacement.

    Args:
        groups: (clips,) group of each clip.
        resamples: number of bootstrap samples.
        seed: of the draws.

    Yields:
        (rows,) row numbers, those of a group together, as often as it was drawn.

    Raises:
        ValueError: no clip.
    """
    names, group_of_row = np.unique(np.asarray(groups), return_inverse=True)
    if not len(names):
        raise ValueError("`groups` must hold at least one clip. Received: none.")
    ends = np.cumsum(np.bincount(group_of_row))[:-1]
    members = np.split(np.argsort(group_of_row, kind="stable"), ends)
    rng = np.random.default_rng(seed)
    for _ in range(resamples):
        yield np.concatenate([members[k] for k in rng.integers(len(names), size=len(names))])
