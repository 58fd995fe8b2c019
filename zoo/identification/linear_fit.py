"""Laws that are linear in their weights as candidates: closed form, with a ridge that predicts.

Sums of squares and products of each fold are made once; every fit to some of the folds, at every
ridge, is then the solution of one small system, so that the ridge is chosen within the folds that
are learnt and the held-out ones have no part in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from zoo.data.split import Split
from zoo.edge.past import PastStart, with_preload
from zoo.identification.fit import Found, Identification, Search, describe_fit
from zoo.identification.linear import LinearLaw, PastFit, set_linear_weights
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

    With a given past every path starts from its own: the preload that brings the response nearest
    to the measured past, and a share of the offset at its end; see `zoo.identification.linear`.

    Args:
        response: of its model to the loading of the test.
        data: the test.
        folds: samples of each fold, (paths, time) bool each; every counted one is in one.
        given: rows of the past of every path; 0: every path begins in the virgin state.
    """

    def __init__(
        self, response: Response, data: Split, folds: Sequence[np.ndarray], given: int = 0
    ) -> None:
        self.response, self.folds, self.given = response, folds, given
        self.y = np.asarray(data.y[..., 0], np.float64)
        self.law = LinearLaw(response.model, np.asarray(data.x, np.float32), self.y, given)
        counts = response.counts
        squares = np.where(counts, self.y**2, 0.0).sum(axis=1)
        sizes = np.sqrt(squares / np.maximum(counts.sum(axis=1), 1))
        self.sizes = np.where(sizes > 0, sizes, 1.0)
        self.parts = [] if given else [self._moments(fold) for fold in folds]

    def _moments(self, fold: np.ndarray) -> Moments:
        paths = np.argwhere(fold)[:, 0]
        rows = self.law.designs[0][fold].astype(np.float64) / self.sizes[paths, None]
        y = self.y[fold] / self.sizes[paths]
        return Moments(rows.T @ rows, rows.T @ y, float(y @ y), len(y))

    def weights(self, left_out: int | None = None) -> np.ndarray:
        """Weights fitted to all folds, or to all but one, with the ridge that predicts them best;
        with a given past with the usual one.

        Args:
            left_out: index of the fold that is not learnt.
        """
        return self.fit(left_out).weights

    def fit(self, left_out: int | None = None) -> PastFit:
        """The same with the start of every path, also of those that are not learnt.

        Args:
            left_out: index of the fold that is not learnt; of its samples the past alone is used.
        """
        learnt = [k for k in range(len(self.folds)) if k != left_out]
        if not self.given:
            parts = [self.parts[k] for k in learnt]
            weights = _sum(parts).solve(_best_ridge(parts))
            preload, none = self.law.preloads[0], np.zeros(len(self.y))
            return PastFit(weights, preload, 0.0, self.law.designs[0] @ weights, none)
        counts = np.any([self.folds[k] for k in learnt], axis=0)
        # Preloads follow the weights: a ridge chosen with them fixed was a small one that overfits.
        return self.law.fit(counts, USUAL_RIDGE)

    def predict_fold(self, left_out: int) -> np.ndarray:
        """Response of a fit without a fold, (paths, time).

        Args:
            left_out: its index.
        """
        return self.fit(left_out).fitted

    def start(self, fit: PastFit) -> PastStart | None:
        """How the model starts from a past; None if none is given.

        Args:
            fit: by `fit`.
        """
        if not self.given:
            return None
        steps = self.response.x[:, 1 : self.given + 1, 2]
        return self.law.start(fit, float(np.median(steps.sum(axis=1))))

    def describe(self, fit: PastFit, data: Split, search: Search) -> Identification:
        """The model with these weights, and what the test says of them.

        Args:
            fit: by `fit`.
            data: the test.
            search: of the intervals.
        """
        response, y = self.response, np.asarray(data.y, np.float64)
        set_linear_weights(response.model, fit.weights)
        if self.given:
            x = with_preload(response.x, fit.preload)
            response = Response(response.model, x, response.counts, response.loading_unit)
            y = y - fit.offset[:, None, None]
        found = Found(response.start(), True, (1.0,))
        unit, own = data.targets[0].unit, replace(search, profile=False)
        result = describe_fit(response, y, found, unit=unit, search=own)
        return replace(result, fitted=result.fitted + fit.offset[:, None])


def rows_of_past(data: Split) -> int:
    """How many rows at the beginning of every path are its given past: those that do not count.

    Args:
        data: after `zoo.data.measured.warm_up`.
    """
    return 0 if data.weight is None else int(np.argmax(data.weight > 0, axis=1).min())


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
