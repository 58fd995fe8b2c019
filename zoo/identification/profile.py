"""Profile-likelihood intervals of constants: ends beyond which the rest cannot make up for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from zoo.identification.constants import Constant
from zoo.identification.response import Response
from zoo.progress import track

MAX_REACH = float(np.log(1e12))  # of a logarithm; an end farther away counts as none
MAX_CHANGE = 2 * MAX_REACH  # of a weight from its best value, where nothing else holds it
MAX_EXPONENT = 20.0  # of m, likewise
FIRST_REACH = 0.5  # where the linear approximation gives none
STIFFNESS = 30.0  # of the constraint, so that a constant is held within 1e-3 of its reach
MAX_FITS = 14  # for one end
MAX_EVALUATIONS = 25  # of the response in one constrained fit
CLOSE = 0.02  # of the root of the increase of the cost, over its threshold
STEP = 1e-5  # of the weights, for the slope of a constant


@dataclass(frozen=True)
class Fit:
    """A least-squares fit around which constants are profiled.

    Attributes:
        response: of the model.
        stress: measured, (samples,), in units of `size`.
        size: RMS stress that each sample is divided by, (samples,).
        weights: best ones, (weights,).
        read: values of all constants, each on the scale of its interval, off `response.cell`.
    """

    response: Response
    stress: np.ndarray
    size: np.ndarray
    weights: np.ndarray
    read: Callable[[], np.ndarray]

    def residual(self, weights: np.ndarray) -> np.ndarray:
        """In units of the RMS stress, (samples,)."""
        return self.response(weights) / self.size - self.stress

    def constants(self, weights: np.ndarray) -> np.ndarray:
        """Values of all constants, (constants,)."""
        return self.response.read(weights, self.read)


def profile_intervals(
    fit: Fit, constants: Sequence[Constant], thresholds: np.ndarray, reaches: np.ndarray
) -> list[tuple[float, float]]:
    """Interval of every constant on its own scale; infinite where there is no end.

    For a value of one constant all weights are fitted anew with that constant held. The interval
    holds the values at which the sum of squares rises by less than the threshold (Venzon and
    Moolgavkar 1988, J. R. Stat. Soc. C 37, 87). For a law that is linear in its weights this is the
    asymptotic interval.

    Args:
        fit: the best one.
        constants: in the order of `fit.read`.
        thresholds: t² s² for each, widened for correlated noise, in units of the squared RMS.
        reaches: half widths of the asymptotic intervals; NaN where there is none.
    """
    values = fit.constants(fit.weights)
    lowest = float(np.sum(fit.residual(fit.weights) ** 2))
    intervals = []
    for k, constant in enumerate(track(constants, len(constants), "intervals of constants")):
        reach = reaches[k] if np.isfinite(reaches[k]) and reaches[k] > 0 else FIRST_REACH
        ends = []
        for sign in (-1.0, 1.0):
            limit = MAX_REACH
            if not constant.positive:
                limit = values[k] - constant.least if sign < 0 else MAX_EXPONENT - values[k]
            walk = _Walk(fit, k, values[k], float(thresholds[k]), lowest)
            distance = walk.find(sign, min(reach, MAX_REACH), max(float(limit), 0.0))
            ends.append(sign * np.inf if distance is None else values[k] + sign * distance)
        intervals.append((float(ends[0]), float(ends[1])))
    fit.response.set_cell_weights(fit.weights)
    return intervals


@dataclass
class _Walk:
    """Search for one end: the distance at which the cost has risen by the threshold."""

    fit: Fit
    index: int
    value: float
    threshold: float
    lowest: float

    def find(self, sign: float, first: float, limit: float) -> float | None:
        """The distance; None if the cost has not risen by the threshold at `limit`."""
        inside, outside, weights = 0.0, None, self.fit.weights
        low, high = 0.0, np.nan  # roots of the increase over the threshold
        distance = min(first, limit)
        for _ in range(MAX_FITS):
            root, result = self._rise(sign, distance, first, weights)
            if root < 1:
                inside, low, weights = distance, root, result
                if distance >= limit:
                    return None
            else:
                outside, high = distance, root
            if abs(root - 1) < CLOSE:
                return distance
            if outside is None:
                distance = min(2 * distance, limit)
                continue
            share = (1 - low) / (high - low) if np.isfinite(high) else 0.5
            distance = inside + float(np.clip(share, 0.1, 0.9)) * (outside - inside)
        return distance if outside is not None else None

    def _rise(
        self, sign: float, distance: float, scale: float, start: np.ndarray
    ) -> tuple[float, np.ndarray]:
        """Root of the increase of the cost over the threshold, and the weights found."""
        target = self.value + sign * distance
        stiffness = STIFFNESS * np.sqrt(self.threshold) / scale

        def held(weights: np.ndarray) -> float:
            return stiffness * (self.fit.constants(weights)[self.index] - target)

        def residual(weights: np.ndarray) -> np.ndarray:
            return np.append(self.fit.residual(weights), held(weights))

        def slope(weights: np.ndarray) -> np.ndarray:
            own = [
                (held(weights + h) - held(weights - h)) / (2 * STEP)
                for h in STEP * np.eye(len(weights))
            ]
            return np.vstack([self.fit.response.slope(weights) / self.fit.size[:, None], own])

        try:
            result = least_squares(
                residual,
                start,
                jac=slope,  # pyright: ignore[reportArgumentType]  a function, as SciPy documents
                x_scale="jac",
                bounds=(self.fit.weights - MAX_CHANGE, self.fit.weights + MAX_CHANGE),
                max_nfev=MAX_EVALUATIONS,
                ftol=1e-6,
                xtol=1e-6,
            )
        except (ValueError, np.linalg.LinAlgError):  # not finite there
            return np.inf, start
        rise = float(np.sum(result.fun[:-1] ** 2)) - self.lowest
        return float(np.sqrt(max(rise, 0.0) / self.threshold)), result.x
