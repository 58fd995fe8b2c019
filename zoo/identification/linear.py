"""Laws that are linear in their weights: least squares in closed form, and a start from the past.

A test that does not begin in the virgin state has a given past: rows whose response is known and
not scored. Two things are estimated from it, for each path: the preload, a slow monotone loading
from the virgin state to the first row, which sets every friction element; and the offset of the
response at the end of the past, of which a share stays.
"""

from dataclasses import dataclass

import keras
import numpy as np

from zoo.edge.past import PastStart, last_rows, with_preload
from zoo.recurrent import predictor, recurrent_layers, view

SHAPE_ROUNDS = 10  # of weights given factors and offsets, and the other way round
ROUNDS = 4  # of weights given preloads, and preloads given weights


def preload_candidates(amplitude: float, halvings: int = 6) -> np.ndarray:
    """Preloads to choose from: none, and ± the amplitude, its half, ..., (2 halvings + 3,).

    Args:
        amplitude: largest loading.
        halvings: how often it is halved.
    """
    sizes = amplitude * 0.5 ** np.arange(halvings, -1, -1)
    return np.concatenate([-sizes[::-1], [0.0], sizes])


def design_of(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """Derivatives of the response by all weights, in their order, (paths, time, weights).

    Args:
        model: of one cell with the quantity `terms`, with or without covariates.
        x: (paths, time, features).

    Raises:
        ValueError: a cell that is not linear in its weights.
    """
    cell = recurrent_layers(model)[0].cell
    if "terms" not in cell.visible:
        raise ValueError(
            f"Expected a cell with the quantity `terms`. Received: {type(cell).__name__}, which is "
            "not linear in its weights. Fit it by `zoo.identification.fit`."
        )
    shown = view(model, show=lambda cell: (cell.show[0], "terms"))
    terms = np.asarray(predictor(shown, output="terms_0")(x))
    names = getattr(cell, "names", ())
    means, scales = getattr(cell, "means", ()), getattr(cell, "scales", ())
    parts = [terms]
    for k in range(len(names)):
        parts.append(terms * (x[..., 3 + k : 4 + k] - means[k]) / scales[k])
    return np.concatenate(parts, axis=-1)


def set_linear_weights(model: keras.Model, weights: np.ndarray) -> None:
    """Put weights in the order of `design_of` into a model.

    Args:
        model: as there.
        weights: (weights,).
    """
    cell = recurrent_layers(model)[0].cell
    inner = getattr(cell, "cell", cell)
    sizes = [int(np.prod(each.shape)) for each in inner.trainable_variables]
    rows = np.split(weights.reshape(-1, sum(sizes)), np.cumsum(sizes)[:-1], axis=1)
    for k, (variable, part) in enumerate(zip(inner.trainable_variables, rows, strict=True)):
        variable.assign(part[0])
        if inner is not cell:
            cell.slopes[k].assign(part[1:])


def solve_weights(
    design: np.ndarray, y: np.ndarray, counts: np.ndarray, ridge: float
) -> np.ndarray:
    """Weights by least squares, each path in units of the RMS of its own response.

        min Σ_paths |D w − y|²/RMS(y)² + ridge N Σ (w_j RMS(D_j))²

    Args:
        design: (paths, time, weights).
        y: (paths, time).
        counts: which samples count, (paths, time) bool; a path without any does not.
        ridge: share of the mean square of each column.
    """
    number = design.shape[-1]
    normal, right, total = np.zeros((number, number)), np.zeros(number), 0
    for path in np.flatnonzero(counts.any(axis=1)):
        keep = counts[path]
        truth = y[path, keep].astype(np.float64)
        size = float(np.sqrt(np.mean(np.square(truth)))) or 1.0
        rows = design[path, keep].astype(np.float64) / size
        normal += rows.T @ rows
        right += rows.T @ (truth / size)
        total += len(truth)
    scale = np.sqrt(np.diag(normal) / total)
    scale[scale == 0] = 1.0
    scaled = normal / np.outer(scale, scale) + ridge * total * np.eye(number)
    return np.linalg.solve(scaled, right / scale) / scale


@dataclass(frozen=True)
class PastFit:
    """A linear law with the start of every path estimated from its past.

    Attributes:
        weights: in the order of `design_of`, (weights,).
        preload: of every path [unit of the loading], (paths,).
        kept: share of the offset at the end of the past that stays.
        fitted: response with that offset, (paths, time).
        offset: the part of it that stays, (paths,).
    """

    weights: np.ndarray
    preload: np.ndarray
    kept: float
    fitted: np.ndarray
    offset: np.ndarray


class LinearLaw:
    """The designs of a linear law for every path and preload, made once for many fits.

    Args:
        model: as for `design_of`.
        x: (paths, time, features).
        y: response, (paths, time).
        given: rows of the past of every path; 0: every path begins as its first row says.
        preloads: candidates, in the unit of the loading.
    """

    def __init__(
        self,
        model: keras.Model,
        x: np.ndarray,
        y: np.ndarray,
        given: int = 0,
        preloads: np.ndarray | None = None,
    ) -> None:
        self.y, self.given = np.asarray(y, np.float64), given
        if given < 0 or given >= x.shape[1]:
            raise ValueError(f"`given` must be 0 to {x.shape[1] - 1} rows. Received: {given}.")
        if not given:
            first = np.asarray(x[:, 0, 1] * x[:, 0, 2], np.float64)
            self.preloads, self.designs = first[None], design_of(model, x)[None]
            return
        sizes = preload_candidates(float(np.abs(x[..., 0]).max())) if preloads is None else preloads
        self.preloads = np.repeat(sizes[:, None], len(x), axis=1)  # (candidates, paths)
        started = np.concatenate([with_preload(x, size) for size in self.preloads])
        designs = design_of(model, started)  # (candidates · paths, time, weights)
        self.designs = designs.reshape(len(sizes), *x.shape[:2], -1)

    def fit(self, counts: np.ndarray, ridge: float = 1e-3) -> PastFit:
        """Fit the weights to some paths, with their past, and start all others from theirs.

        Args:
            counts: scored samples of the learnt paths, (paths, time) bool.
            ridge: see `solve_weights`.
        """
        paths = np.arange(len(self.y))
        learnt = counts.any(axis=1)
        if not self.given:
            weights = solve_weights(self.designs[0], self.y, counts, ridge)
            return self._from_virgin_state(weights)
        both = counts.copy()
        both[learnt, : self.given] = True
        chosen = np.abs(self.preloads).argmin(axis=0)
        past = self.designs[:, :, : self.given]
        for _ in range(ROUNDS):
            weights = solve_weights(self.designs[chosen, paths], self.y, both, ridge)
            gap = past @ weights.astype(past.dtype) - self.y[:, : self.given]
            chosen = np.square(gap).mean(axis=2).argmin(axis=0)
        design = self.designs[chosen, paths]
        weights = solve_weights(design, self.y, both, ridge)
        fitted = design @ weights
        residual = self.y - fitted
        end = residual[:, self.given - last_rows(self.given) : self.given].mean(axis=1)
        kept = self._kept_share(residual, end, counts)
        offset = kept * end
        preload = self.preloads[chosen, paths]
        return PastFit(weights, preload, kept, fitted + offset[:, None], offset)

    def _from_virgin_state(self, weights: np.ndarray) -> PastFit:
        """Weights where no past is used: every path begins as its first row says."""
        fitted = self.designs[0] @ weights
        return PastFit(weights, self.preloads[0], 0.0, fitted, np.zeros(len(self.y)))

    def start(self, fit: PastFit, seconds: float) -> PastStart:
        """How a model with fitted weights starts from a past.

        Args:
            fit: by `fit`, with a given past.
            seconds: length of that past [s].
        """
        return PastStart(seconds, tuple(self.preloads[:, 0].tolist()), fit.kept)

    def fit_shape(self, counts: np.ndarray, ridge: float = 1e-3) -> PastFit:
        """Weights that leave each path a factor and an offset of its own, learnt too.

        What differs from test to test beside the loading, such as the current of a damper or the
        area of a specimen, then does not blur the shape. Alternating least squares.

        Args:
            counts: scored samples of the learnt paths, (paths, time) bool.
            ridge: see `solve_weights`.

        Returns:
            The weights, and the response of a path of typical size.
        """
        response = np.array(self.y)
        weights = solve_weights(self.designs[0], response, counts, ridge)
        fitted = self.designs[0] @ weights
        for _ in range(SHAPE_ROUNDS):
            for path in np.flatnonzero(counts.any(axis=1)):
                keep = counts[path]
                terms = np.stack([fitted[path, keep], np.ones(keep.sum())], axis=1)
                factor, offset = np.linalg.lstsq(terms, self.y[path, keep], rcond=None)[0]
                response[path] = (self.y[path] - offset) / (factor or 1.0)
            weights = solve_weights(self.designs[0], response, counts, ridge)
            fitted = self.designs[0] @ weights
        return self._from_virgin_state(weights)

    def _kept_share(self, residual: np.ndarray, end: np.ndarray, counts: np.ndarray) -> float:
        """Share of the offset that is left over the scored rows of the learnt paths."""
        above = below = 0.0
        for path in np.flatnonzero(counts.any(axis=1)):
            keep = counts[path]
            power = float(np.mean(np.square(self.y[path, keep]))) or 1.0
            above += end[path] * residual[path, keep].mean() / power
            below += end[path] ** 2 / power
        return float(above / below) if below else 0.0
