"""Constants of a material from a test: least squares through the cell itself, with intervals."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
from scipy.optimize import OptimizeResult, least_squares

from zoo.identification import doubts
from zoo.identification.constants import Constant, constants_of, log_rates
from zoo.identification.covariance import Spread, spread
from zoo.identification.response import Response

CONFIDENCE = 0.95
_SETTLED = 1e-9  # relative change of cost or weights at which a fit has arrived
_NEARLY = 1e-5  # the same for a fit under a ridge, whose curves have kinks to creep along
_EASING = (100.0, 10.0, 1.0)  # a ridge is let go in stages: a curve bends only once its level fits
_LONGEST = 100  # runs of one search
_SAME = 1e-3  # share of the cost within which two starts have arrived at the same place


@dataclass(frozen=True)
class Estimate:
    """A constant, its value, and the 95 % interval from `low` to `high`."""

    constant: Constant
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class LearntCurve:
    """Relaxation rate γ of one branch over the stress it visited, with a pointwise 95 % band.

    Attributes:
        stress: |s| [stress], (points,).
        rate: γ [1/s], (points,).
        low: lower end of the band.
        high: upper end.
    """

    stress: np.ndarray
    rate: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class Identification:
    """What a test says of a material.

    Attributes:
        estimates: every constant by name, with interval.
        curves: of a learnt relaxation, one a branch, fast ones first; else none.
        correlation: of the constants' errors, (constants, constants), in the order of `estimates`.
        fitted: stress of the fitted model, (paths, time).
        rmse: root mean square residual of the counted samples [stress].
        r2: share of the variance that is explained.
        samples: how many were compared.
        effective: how many of them count as independent, judged by the residuals.
        intervals: which kind they are, one sentence.
        warnings: what the data cannot tell.
        starts: cost of the fit from each start, as share of the best; infinite where it failed.
    """

    estimates: dict[str, Estimate]
    curves: tuple[LearntCurve, ...]
    correlation: np.ndarray
    fitted: np.ndarray
    rmse: float
    r2: float
    samples: int
    effective: float
    intervals: str
    warnings: tuple[str, ...]
    starts: tuple[float, ...]

    @property
    def values(self) -> dict[str, float]:
        """Constants by name."""
        return {name: estimate.value for name, estimate in self.estimates.items()}


def identify(
    model: keras.Model,
    x: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray | None = None,
    *,
    unit: str = "MPa",
    starts: int = 5,
    seed: int = 0,
    ridge: float = 0.0,
    say: Callable[[str], None] | None = None,
) -> Identification:
    """Fit a model of one material cell to a test, and put the fitted weights into it.

    Args:
        model: from `zoo.presets.material`: maxwell, prony or relaxation.
        x: (stretch [-], rate [1/s], dt [s]), (paths, time, 3).
        y: stress, (paths, time, 1).
        weight: (paths, time), samples of weight 0 are not compared.
        unit: of the stress.
        starts: fits from different first guesses; the best counts. The first starts where the
            model is, the others around it, a factor e away.
        seed: of those.
        ridge: ε; adds ε² Σ(w − w_0)² to Σ(residual/RMS stress)², which holds weights that the data
            leave free, as of a learnt curve, near the model's own w_0.
        say: takes a line of progress.

    Raises:
        ValueError: a model of another kind, arrays that do not fit, or too few samples.
    """
    return fit(
        Response(model, x, weight), y, unit=unit, starts=starts, seed=seed, ridge=ridge, say=say
    )


def fit(
    response: Response,
    y: np.ndarray,
    *,
    unit: str = "MPa",
    starts: int = 5,
    seed: int = 0,
    ridge: float = 0.0,
    say: Callable[[str], None] | None = None,
) -> Identification:
    """As `identify`, through a response that was compiled before."""
    say = say or (lambda line: None)
    if starts < 1:
        raise ValueError(f"`starts` must be 1 or more. Received: {starts}.")
    y = np.asarray(y, np.float64)
    if y.shape != (*response.counts.shape, 1) or not np.isfinite(y).all():
        raise ValueError(
            f"`y` must be finite, of shape {(*response.counts.shape, 1)}. Received: {y.shape}."
        )
    stress, first = y[response.counts][:, 0], response.start()
    size = float(np.sqrt(np.mean(stress**2)))
    if len(stress) <= len(first) or size == 0:
        raise ValueError(
            f"A fit of {len(first)} weights needs more samples than that, and stress in them. "
            f"Received: {len(stress)} samples of RMS {size:g} {unit}. Use a simpler law."
        )

    found = _best(response, stress / size, size, first, starts, seed, ridge, say)
    best = min(found, key=lambda each: each.cost)
    slope, residual = response.slope(best.x) / size, response(best.x) / size - stress / size
    known = spread(
        slope, residual, np.argwhere(response.counts)[:, 0], ridge=ridge, confidence=CONFIDENCE
    )
    estimates, correlation = _estimates(response, best.x, known, unit)
    response.give_back(best.x)
    history = response.history(best.x)
    explained = 1.0 - np.sum(residual**2) / np.sum((stress / size - np.mean(stress / size)) ** 2)
    ratios = tuple(each.cost / best.cost if best.cost > 0 else 1.0 for each in found)
    result = Identification(
        estimates=estimates,
        curves=_curves(response, best.x, known, history),
        correlation=correlation,
        fitted=history[..., 0],
        rmse=size * float(np.sqrt(np.mean(residual**2))),
        r2=float(explained),
        samples=len(stress),
        effective=known.effective,
        intervals=_kind(known, ridge),
        warnings=(),
        starts=ratios,
    )
    agreed = sum(ratio < 1 + _SAME for ratio in ratios)
    lines = doubts.of_test(response.x[response.counts])
    lines += doubts.of_constants(
        {name: (e.constant, e.value, e.low, e.high) for name, e in estimates.items()},
        correlation,
        response.x,
        ridge > 0,
    )
    lines += doubts.of_fit(known, result.rmse / size, result.samples, best.status > 0)
    lines += doubts.of_starts(agreed, len(ratios))
    return Identification(**{**vars(result), "warnings": tuple(lines)})


def _best(response, stress, size, first, starts, seed, ridge, say) -> list[OptimizeResult]:
    """The fit from every start; stress in units of its RMS."""
    rng = np.random.default_rng(seed)

    def search(start: np.ndarray, ridge: float) -> OptimizeResult:
        def residual(weights):
            gap = response(weights) / size - stress
            return np.concatenate([gap, ridge * (weights - first)]) if ridge else gap

        def slope(weights):
            slopes = response.slope(weights) / size
            return np.concatenate([slopes, ridge * np.eye(len(first))]) if ridge else slopes

        settled = dict.fromkeys(("xtol", "ftol", "gtol"), _NEARLY if ridge else _SETTLED)
        return least_squares(
            residual, start, jac=slope, x_scale="jac", max_nfev=_LONGEST, **settled
        )

    found = []
    for k in range(starts):
        here = first + (rng.normal(size=len(first)) if k else 0.0)
        try:
            for easing in _EASING if ridge else (1.0,):
                fitted = search(here, easing * ridge)
                here = fitted.x
        except (ValueError, np.linalg.LinAlgError):  # not finite there
            say(f"start {k + 1} of {starts}: no finite answer")
            continue
        found.append(fitted)
        rms = np.sqrt(np.mean(fitted.fun[: len(stress)] ** 2))
        say(f"start {k + 1} of {starts}: residual {100 * rms:.4g} % of RMS")
    if not found:
        raise ValueError(
            "The response is not finite at any start. Check the units of time and stress, or give "
            "the cell better first values."
        )
    return found


def _estimates(
    response: Response, weights: np.ndarray, known: Spread, unit: str
) -> tuple[dict[str, Estimate], np.ndarray]:
    """Delta method: variance of u(w) is ∇u C ∇uᵀ, on each constant's own scale."""
    response.read(weights, lambda: None)  # the cell must be there before branches are sorted
    constants, read = constants_of(response.cell, unit)

    def free() -> np.ndarray:
        return np.array([c.free(v) for c, v in zip(constants, read(), strict=True)])

    here, slope = response.read(weights, free), _gradient(response, weights, free)
    covariance = slope @ known.covariance @ slope.T
    deviation = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    reach = known.quantile * deviation
    estimates = {
        c.name: Estimate(c, c.back(u), c.back(u - r), c.back(u + r))
        for c, u, r in zip(constants, here, reach, strict=True)
    }
    safe = np.where(deviation > 0, deviation, 1.0)
    return estimates, covariance / np.outer(safe, safe)


def _curves(response: Response, weights: np.ndarray, known: Spread, history) -> tuple:
    """Log γ(|s|) ± t σ of every branch, where its stress was in the middle 90 % or above."""
    if not hasattr(response.cell, "curve"):
        return ()
    visited = np.abs(history[response.counts][:, 1:])
    low = np.maximum(np.quantile(visited, 0.05, axis=0), 1e-6 * visited.max())
    stress = np.geomspace(low, np.maximum(visited.max(axis=0), 2 * low), 60)  # (points, branches)

    def read() -> np.ndarray:
        return log_rates(response.cell, stress).ravel()

    here, slope = response.read(weights, read), _gradient(response, weights, read)
    variance = np.einsum("ij,jk,ik->i", slope, known.covariance, slope)
    reach = known.quantile * np.sqrt(np.maximum(variance, 0.0))
    with np.errstate(over="ignore"):
        rate, below, above = (
            np.exp(values).reshape(stress.shape) for values in (here, here - reach, here + reach)
        )
    order = np.argsort(-response.read(weights, lambda: np.asarray(response.cell.level)))
    return tuple(LearntCurve(stress[:, k], rate[:, k], below[:, k], above[:, k]) for k in order)


def _gradient(response: Response, weights: np.ndarray, what: Callable) -> np.ndarray:
    """Central differences of what can be read off the cell, (values, weights)."""
    step = 1e-5
    columns = [
        (response.read(weights + h, what) - response.read(weights - h, what)) / (2 * step)
        for h in step * np.eye(len(weights))
    ]
    response.read(weights, what)
    return np.stack(columns, axis=1)


def _kind(known: Spread, ridge: float) -> str:
    noise = (
        f"noise taken for a first-order autoregression, neighbours correlated by "
        f"{known.neighbours:.2f}"
        if known.corrected
        else "noise taken for independent and of one size"
    )
    held = ", with the weights held near their first values by a ridge" if ridge else ""
    return (
        f"{100 * CONFIDENCE:.0f} % intervals, asymptotic: Gauss-Newton covariance and Student's t, "
        f"carried to each constant by the delta method (logarithms; m itself); {noise}{held}. "
        "They say how far noise moves the constants of this law, not whether the law is right."
    )
