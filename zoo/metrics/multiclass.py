"""How good probabilities of classes are: right, sure of it for good reason, and where to abstain.

Everywhere labels are (clips,) numbers of classes, probabilities (clips, classes), rows summing to
one. All functions are pure; figures are drawn by `zoo.plots.multiclass`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Interval:
    """A figure with its doubt.

    value: of the data as they are. low, high: percentiles of its bootstrap distribution.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3g} ({self.low:.3g} to {self.high:.3g})"


@dataclass(frozen=True)
class Reliability:
    """Confidence against accuracy, in bins of equal width over confidence; (bins,) each.

    confidence, accuracy: means in each bin, NaN where it is empty. count: clips in each.
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    count: np.ndarray

    @property
    def error(self) -> float:
        """Expected calibration error (Naeini, Cooper and Hauskrecht 2015).

        sum_b n_b / n |accuracy_b - confidence_b|
        """
        held = self.count > 0
        gap = np.abs(self.accuracy[held] - self.confidence[held])
        return float(np.sum(gap * self.count[held]) / np.sum(self.count))


@dataclass(frozen=True)
class Threshold:
    """Where to abstain: answer only at a confidence of `confidence` or more.

    coverage: share of the clips that are then answered. accuracy: among these.
    """

    confidence: float
    coverage: float
    accuracy: float


def accuracy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Share of the clips whose likeliest class is theirs."""
    labels, probabilities = _checked(labels, probabilities)
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def confusion(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(classes, classes) counts: row, the true class; column, the likeliest one."""
    labels, probabilities = _checked(labels, probabilities)
    matrix = np.zeros((probabilities.shape[1],) * 2, np.int64)
    np.add.at(matrix, (labels, probabilities.argmax(axis=1)), 1)
    return matrix


def f1(matrix: np.ndarray) -> np.ndarray:
    """(classes,) 2 hits / (true + told) of each class; NaN for one that is neither.

    Args:
        matrix: from `confusion`.
    """
    both = matrix.sum(axis=0) + matrix.sum(axis=1)
    return np.divide(2.0 * np.diag(matrix), both, out=np.full(len(matrix), np.nan), where=both > 0)


def macro_f1(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean of `f1` over the classes that occur or are told: rare classes count as much."""
    return float(np.nanmean(f1(confusion(labels, probabilities))))


def log_loss(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean of -ln p of the true class [nat]."""
    labels, probabilities = _checked(labels, probabilities)
    return float(-np.mean(_logarithms(probabilities)[np.arange(len(labels)), labels]))


def reliability(labels: np.ndarray, probabilities: np.ndarray, *, bins: int = 15) -> Reliability:
    """Is a model that says 80 % right in 80 %? Confidence is the likeliest class's probability.

    Args:
        labels: see above.
        probabilities: see above.
        bins: of equal width over 0 to 1; the lower end belongs to the bin below.
    """
    labels, probabilities = _checked(labels, probabilities)
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    empty = np.where(count > 0, 1.0, np.nan)

    def mean(values: np.ndarray) -> np.ndarray:
        return empty * np.bincount(place, values, minlength=bins) / np.maximum(count, 1)

    return Reliability(mean(confidence), mean(right), count)


def temperature(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """T that makes softmax(ln p / T) likeliest for held-out labels (Guo et al. 2017).

    Above 1 the model was too sure of itself. Searched from 0.05 to 20.
    """
    from scipy.optimize import minimize_scalar

    labels, probabilities = _checked(labels, probabilities)
    found = minimize_scalar(
        lambda log: log_loss(labels, tempered(probabilities, float(np.exp(log)))),
        bounds=(np.log(0.05), np.log(20.0)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(found.x))


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """softmax(ln p / T): flatter for T above 1; the likeliest class stays the likeliest."""
    if not temperature > 0:
        raise ValueError(f"`temperature` must be positive. Received: {temperature}.")
    logits = _logarithms(np.asarray(probabilities, np.float64)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def abstention(
    labels: np.ndarray, probabilities: np.ndarray, *, wanted: float = 0.95, least: int = 1
) -> Threshold | None:
    """Lowest confidence at and above which the answers are right as often as wanted.

    Args:
        labels: see above.
        probabilities: see above; calibrated ones, if the threshold is to mean something elsewhere.
        wanted: accuracy among the answered clips.
        least: answered clips that a threshold must rest on.

    Returns:
        The threshold, None where no confidence suffices.
    """
    confidence, coverage, right = risk_coverage(labels, probabilities)
    good = np.flatnonzero((right >= wanted) & (coverage * len(labels) >= least - 0.5))
    if not len(good):
        return None
    most = good[-1]
    return Threshold(float(confidence[most]), float(coverage[most]), float(right[most]))


def risk_coverage(
    labels: np.ndarray, probabilities: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Confidence, coverage and accuracy as the threshold falls from clip to clip.

    Returns:
        (thresholds,) each, one for every confidence that occurs, the highest first.
    """
    labels, probabilities = _checked(labels, probabilities)
    confidence = probabilities.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    right = np.cumsum((probabilities.argmax(axis=1) == labels)[order])
    falls = np.append(np.flatnonzero(np.diff(confidence[order])), len(order) - 1)
    answered = falls + 1
    return confidence[order][falls], answered / len(order), right[falls] / answered


def bootstrap(
    statistic: Callable[[np.ndarray], float],
    groups: np.ndarray,
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """Percentile interval of a figure, whole groups drawn with replacement (Efron 1979).

    Clips of one group (place, speaker, patient) resemble each other: drawing clips by themselves
    would promise too much.

    Args:
        statistic: row numbers (rows,), some of them several times -> figure; NaN is left out.
        groups: (clips,) what each clip belongs to.
        level: of the interval.
        resamples: how many.
        seed: of the draws.

    Raises:
        ValueError: no clip.
    """
    names, of_row = np.unique(np.asarray(groups), return_inverse=True)
    if not len(names):
        raise ValueError("`groups` must hold at least one clip. Received: none.")
    members = np.split(np.argsort(of_row, kind="stable"), np.cumsum(np.bincount(of_row))[:-1])
    rng = np.random.default_rng(seed)
    drawn = [
        statistic(np.concatenate([members[k] for k in rng.integers(len(names), size=len(names))]))
        for _ in range(resamples)
    ]
    tail = (1 - level) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    return Interval(float(statistic(np.arange(len(of_row)))), float(low), float(high))


def _logarithms(probabilities: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))


def _checked(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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
