"""Laws that are linear in their weights as candidates: closed form, with a ridge that predicts.

Sums of squares and products of each fold are made once; every fit to some of the folds, at every
ridge, is then the solution of one small system, so that the ridge is chosen within the folds that
are learnt and the held-out ones have no part in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from zoo.data.split import Split
from zoo.identification.fit import Found, Identification, Search, describe_fit
from zoo.identification.linear import design_of, set_linear_weights
from zoo.identification.response import Response

RIDGES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)  # of the mean square of each term
USUAL_RIDGE = 1e-2  # where there is one part only, and nothing to choose by
LINEAR_LAWS = ("dynamic-prandtl",)


@dataclass(frozen=True)
class Moments:
    """Sums over samples, each in units of the RMS response of its path.

    Attributes:
        normal: Σ dᵀd over rows d of the design, (weights, weights).
        right: Σ dᵀy, (weights,).
        square: Σ y².
        count: of samples.
    """

    normal: np.ndarray
    right: np.ndarray
    square: float
    count: int

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(
            self.normal + other.normal,
            self.right + other.right,
            self.square + other.square,
            self.count + other.count,
        )

    def solve(self, ridge: float) -> np.ndarray:
        """Min Σ |d w − y|² + ridge N Σ (w_j RMS(d_j))², (weights,).

        Args:
            ridge: share of the mean square of each term.
        """
        scale = np.sqrt(np.diag(self.normal) / max(self.count, 1))
        scale[scale == 0] = 1.0
        system = self.normal / np.outer(scale, scale) + ridge * self.count * np.eye(len(scale))
        return np.linalg.solve(system, self.right / scale) / scale

    def squares_left(self, weights: np.ndarray) -> float:
        """Σ |d w − y|² of these weights.

        Args:
            weights: (weights,).
        """
        return float(weights @ self.normal @ weights - 2 * weights @ self.right + self.square)


class LinearFolds:
    """A linear law on a test whose samples are in folds.

    Args:
        response: of its model to the loading of the test.
        data: the test.
        folds: samples of each fold, (paths, time) bool each; every counted one is in one.
    """

    def __init__(self, response: Response, data: Split, folds: Sequence[np.ndarray]) -> None:
        self.response = response
        self.design = design_of(response.model, np.asarray(data.x, np.float32))
        self.y = np.asarray(data.y[..., 0], np.float64)
        counts = response.counts
        squares = np.where(counts, self.y**2, 0.0).sum(axis=1)
        sizes = np.sqrt(squares / np.maximum(counts.sum(axis=1), 1))
        self.sizes = np.where(sizes > 0, sizes, 1.0)
        self.parts = [self._moments(fold) for fold in folds]

    def _moments(self, fold: np.ndarray) -> Moments:
        paths = np.argwhere(fold)[:, 0]
        rows = self.design[fold].astype(np.float64) / self.sizes[paths, None]
        y = self.y[fold] / self.sizes[paths]
        return Moments(rows.T @ rows, rows.T @ y, float(y @ y), len(y))

    def weights(self, left_out: int | None = None) -> np.ndarray:
        """Weights fitted to all folds, or to all but one, with the ridge that predicts them best.

        Args:
            left_out: index of the fold that is not learnt.
        """
        parts = [part for k, part in enumerate(self.parts) if k != left_out]
        return _sum(parts).solve(_best_ridge(parts))

    def predict(self, weights: np.ndarray) -> np.ndarray:
        """Response to the loading of the test, (paths, time).

        Args:
            weights: (weights,).
        """
        return self.design @ weights

    def describe(self, weights: np.ndarray, data: Split, search: Search) -> Identification:
        """The model with these weights, and what the test says of them.

        Args:
            weights: (weights,).
            data: the test.
            search: of the intervals.
        """
        set_linear_weights(self.response.model, weights)
        found = Found(self.response.start(), True, (1.0,))
        unit, own = data.targets[0].unit, replace(search, profile=False)
        return describe_fit(self.response, data.y, found, unit=unit, search=own)


def _sum(parts: Sequence[Moments]) -> Moments:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _best_ridge(parts: Sequence[Moments]) -> float:
    """The ridge whose fits to all parts but one leave least of that one, over all of them."""
    if len(parts) < 2:
        return USUAL_RIDGE
    rests = [_sum([part for j, part in enumerate(parts) if j != k]) for k in range(len(parts))]
    errors = [
        sum(part.squares_left(rest.solve(ridge)) for part, rest in zip(parts, rests, strict=True))
        for ridge in RIDGES
    ]
    return RIDGES[int(np.argmin(errors))]
