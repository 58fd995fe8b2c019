"""Least-squares fit of a material cell to a test; its constants with 95 % intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from scipy.optimize import OptimizeResult, least_squares

from zoo.identification import diagnostics
from zoo.identification.constants import Estimate, constants_of, log_rates
from zoo.identification.covariance import Spread, covariance_of
from zoo.identification.profile import Fit, profile_intervals
from zoo.identification.response import Response
from zoo.metrics.regression import rms

CONFIDENCE = 0.95
TOLERANCE = 1e-9  # relative change of cost or weights at which a fit has converged
RIDGE_TOLERANCE = 1e-5  # the same under a ridge, where the kinks of a curve slow a fit down
RIDGE_STAGES = (100.0, 10.0, 1.0)  # factors of the ridge: a curve bends only once its level fits
MAX_EVALUATIONS = 100  # of the response in one search
MIN_PROFILED = 1e-6  # residual over stress; below, it is the precision of the search
SAME_COST = 1e-3  # share of the cost within which two starts have found the same fit


@dataclass(frozen=True)
class Search:
    """How the least-squares fit is searched for.

    Attributes:
        starts: fits from different first guesses; the best counts. The first starts where the
            model is, the others around it, a factor e away.
        seed: of those guesses.
        ridge: ε; adds ε² Σ(w − w_0)² to Σ(residual/RMS stress)², which holds weights that the data
            leave free, as of a learnt curve, near the model's own w_0.
        each_path: residuals are in units of the RMS stress of their own path, so that a test at
            small stress counts as much as one at large stress; else of that of all.
        reach: how far weights, mostly logarithms, may go from the model's own; constants that
            the data do not determine otherwise run away and take the fit with them.
        profile: profile the constants of a law without ridge: intervals that hold where a linear
            approximation does not, with one end where data give one. Some hundred more fits.
        contained: weights at which the law responds as one that it contains, with what that one
            lacks small and absent (`zoo.identification.nesting`). The first are one more guess;
            from the second the search begins anew if it has ended above their cost.
    """

    starts: int = 5
    seed: int = 0
    ridge: float = 0.0
    each_path: bool = False
    reach: float = np.inf
    profile: bool = False
    contained: tuple[np.ndarray, np.ndarray] | None = None

    def __post_init__(self) -> None:
        if self.starts < 1:
            raise ValueError(f"`starts` must be 1 or more. Received: {self.starts}.")


@dataclass(frozen=True)
class LearntCurve:
    """Relaxation rate γ of one branch over the stress it visited, with a pointwise 95 % band.

    Attributes:
        stress: |s| [stress], (points,).
        rate: γ [1/s], (points,).
        low: lower end of the band; NaN where the data give none.
        high: upper end; NaN likewise.
    """

    stress: np.ndarray
    rate: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class InitialState:
    """States before the first row of each path, fitted with the constants.

    Attributes:
        names: of the states.
        values: in the units of the cell, (paths, states).
        half_widths: of their 95 % intervals, linearised; NaN where the data give none.
    """

    names: tuple[str, ...]
    values: np.ndarray
    half_widths: np.ndarray


@dataclass(frozen=True)
class Found:
    """Weights that a search found.

    Attributes:
        weights: best ones, in float64, (weights,).
        has_converged: whether that search did.
        starts: cost of the fit from each start, as share of the best; infinite where it failed.
    """

    weights: np.ndarray
    has_converged: bool
    starts: tuple[float, ...]


@dataclass(frozen=True)
class Identification:
    """Constants of a material as a test determines them.

    Attributes:
        estimates: of every constant, by name.
        curves: of a learnt relaxation, one a branch, fast ones first; else none.
        correlation: of the constants' errors, (constants, constants), in the order of `estimates`;
            NaN beside the diagonal for constants without an interval.
        fitted: stress of the fitted model, (paths, time).
        unit: of the stress.
        rmse: root mean square residual of the counted samples, in that unit.
        r2: share of the variance that is explained.
        samples: how many were compared.
        effective: how many of them count as independent, by the correlation of the residuals.
        intervals: of which kind they are, one sentence.
        warnings: what the data do not determine.
        found: weights, and how they were found.
        initial_state: where it was free; else None.
    """

    estimates: dict[str, Estimate]
    curves: tuple[LearntCurve, ...]
    correlation: np.ndarray
    fitted: np.ndarray
    unit: str
    rmse: float
    r2: float
    samples: int
    effective: float
    intervals: str
    warnings: tuple[str, ...]
    found: Found
    initial_state: InitialState | None = None

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
    search: Search | None = None,
    say: Callable[[str], None] | None = None,
) -> Identification:
    """Fit a model of one material cell to a test, and put the fitted weights into it.

    Args:
        model: from `zoo.presets.material`, of one cell whose weights are physical constants.
        x: (strain [-], rate [1/s], dt [s]), (paths, time, 3).
        y: stress, (paths, time, 1).
        weight: (paths, time), samples of weight 0 are not compared.
        unit: of the stress.
        search: starts, seed and ridge; None: the defaults.
        say: takes a line of progress.

    Raises:
        ValueError: a model of another kind, arrays that do not fit, or too few samples.
    """
    return fit_response(Response(model, x, weight), y, unit=unit, search=search, say=say)


def fit_response(
    response: Response,
    y: np.ndarray,
    *,
    unit: str = "MPa",
    search: Search | None = None,
    say: Callable[[str], None] | None = None,
) -> Identification:
    """As `identify`, through a response that was compiled before.

    Args:
        response: of the model to the loading.
        y: stress, (paths, time, 1).
        unit: of the stress.
        search: starts, seed and ridge; None: the defaults.
        say: takes a line of progress.

    Raises:
        ValueError: a cell without physical constants, stress that does not fit, or too few samples.
    """
    search, say = search or Search(), say or (lambda line: None)
    constants_of(response.cell, unit)  # refuses a cell that has none before minutes of fitting
    stress, size = _counted_stress(response, y, unit, search.each_path)
    fits = _fits(response, stress / size, size, search, say)
    best = min(fits, key=lambda each: each.cost)
    ratios = tuple(each.cost / best.cost if best.cost > 0 else 1.0 for each in fits)
    response.set_model_weights(best.x)
    found = Found(best.x, best.status > 0, ratios)
    return describe_fit(response, y, found, unit=unit, search=search)


def describe_fit(
    response: Response,
    y: np.ndarray,
    found: Found,
    *,
    unit: str = "MPa",
    search: Search | None = None,
) -> Identification:
    """Constants, intervals and warnings of a fit that was found before.

    Args:
        response: of the model to the loading.
        y: stress, (paths, time, 1).
        found: the fit.
        unit: of the stress.
        search: how it was found; with `profile` its intervals are profiled.

    Raises:
        ValueError: stress that does not fit, or too few samples.
    """
    search = search or Search()
    stress, size = _counted_stress(response, y, unit, search.each_path)
    stress, weights = stress / size, found.weights
    slope, residual = response.slope(weights) / size[:, None], response(weights) / size - stress
    paths = np.argwhere(response.counts)[:, 0]
    spread = covariance_of(
        slope,
        residual,
        paths,
        ridge=search.ridge,
        confidence=CONFIDENCE,
    )
    estimates, correlation = _estimates(response, weights, spread, unit)
    misfit = float(np.sqrt(np.mean(residual**2)))
    is_profiled = search.profile and not search.ridge and misfit > MIN_PROFILED
    if is_profiled:
        estimates = _profiled(response, stress, size, weights, spread, unit)
    history = response.history(weights)
    explained = 1.0 - np.sum(residual**2) / np.sum((stress - np.mean(stress)) ** 2)
    warnings = [
        *diagnostics.warn_of_test(response.x[response.counts], response.loading_unit),
        *diagnostics.warn_of_constants(estimates, correlation, response.x),
        *diagnostics.warn_of_fit(spread, misfit, len(stress), found.has_converged),
        *(diagnostics.warn_of_beginning(residual, paths) if misfit > MIN_PROFILED else ()),
        *diagnostics.warn_of_starts(
            sum(ratio < 1 + SAME_COST for ratio in found.starts), len(found.starts)
        ),
    ]
    return Identification(
        estimates=estimates,
        curves=_curves(response, weights, spread, history),
        correlation=correlation,
        fitted=history[..., 0],
        unit=unit,
        rmse=float(rms(size * residual)),
        r2=float(explained),
        samples=len(stress),
        effective=spread.effective,
        intervals=_interval_sentence(spread, search.ridge, is_profiled),
        warnings=tuple(warnings),
        found=found,
        initial_state=_initial_state(response, weights, spread),
    )


def _initial_state(response: Response, weights: np.ndarray, spread: Spread) -> InitialState | None:
    """Free initial states with their intervals; None where states begin at zero."""
    if not response.free_states:
        return None
    deviation = spread.deviation(np.eye(len(weights)))
    return InitialState(
        tuple(response.state_names),
        response.initial_states(weights),
        response.initial_states(spread.quantile * deviation),
    )


def refit(
    response: Response,
    y: np.ndarray,
    start: np.ndarray,
    centre: np.ndarray,
    ridge: float = 0.0,
    unit: str = "MPa",
    *,
    each_path: bool = False,
    tolerance: float = TOLERANCE,
) -> np.ndarray:
    """Weights of one more search, such as to a part of the samples; the model stays as it is.

    Args:
        response: whose counted samples are compared.
        y: stress, (paths, time, 1).
        start: weights that the search begins at, (weights,).
        centre: weights that the ridge pulls to, (weights,).
        ridge: ε, see `Search`.
        unit: of the stress.
        each_path: see `Search`.
        tolerance: relative change of cost or weights at which it has converged.

    Raises:
        ValueError: too few samples, or no finite response.
    """
    stress, size = _counted_stress(response, y, unit, each_path)
    held = (centre, ridge)
    return _search(response, stress / size, size, start, held, tolerance=tolerance).x


def _counted_stress(
    response: Response, y: np.ndarray, unit: str, each_path: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Measured stress of the counted samples and the RMS that it is divided by, (samples,)."""
    y = np.asarray(y, np.float64)
    if y.shape != (*response.counts.shape, 1) or not np.isfinite(y).all():
        raise ValueError(
            f"`y` must be finite, of shape {(*response.counts.shape, 1)}. Received: {y.shape}."
        )
    stress, weights = y[response.counts][:, 0], len(response.start())
    size = np.full(len(stress), rms(stress))
    if each_path:
        paths = np.argwhere(response.counts)[:, 0]
        size = np.sqrt(np.bincount(paths, stress**2) / np.maximum(np.bincount(paths), 1))[paths]
    if len(stress) <= weights or not size.all():
        raise ValueError(
            f"A fit of {weights} weights needs more samples than that, and stress in them. "
            f"Received: {len(stress)} samples of RMS {rms(stress):g} {unit}. Use a simpler law."
        )
    return stress, size


def _fits(
    response: Response,
    stress: np.ndarray,
    size: np.ndarray,
    search: Search,
    say: Callable[[str], None],
) -> list[OptimizeResult]:
    """The fit from every start that has a finite response; stress in units of its RMS, `size`."""
    first, guesses = response.start(), _guesses(response, search)
    fits = []
    for k, weights in enumerate(guesses, 1):
        try:
            for stage in RIDGE_STAGES if search.ridge else (1.0,):
                ridge = (first, stage * search.ridge)
                fit = _search(response, stress, size, weights, ridge, search.reach)
                weights = fit.x
        except (ValueError, np.linalg.LinAlgError):  # not finite there
            say(f"start {k} of {len(guesses)}: the response is not finite")
            continue
        fits.append(fit)
        residual = rms(fit.fun[: len(stress)])
        say(f"start {k} of {len(guesses)}: residual {100 * residual:.4g} % of RMS")
    if search.contained is not None:
        fits += _fits_of_contained(response, stress, size, search, fits)
    if not fits:
        raise ValueError(
            "The response is not finite at any start. Check the units of time and stress, or give "
            "the cell better first values."
        )
    return fits


def _guesses(response: Response, search: Search) -> list[np.ndarray]:
    """Weights that searches begin at: the model's own, those of a contained law, random ones."""
    rng, first = np.random.default_rng(search.seed), response.start()
    is_weight = np.arange(len(first)) < len(first) - response.free_states  # states start at rest
    guesses = [first] if search.contained is None else [first, search.contained[0]]
    while len(guesses) < search.starts:
        guesses.append(first + rng.normal(size=len(first)) * is_weight)
    return guesses


def _fits_of_contained(
    response: Response,
    stress: np.ndarray,
    size: np.ndarray,
    search: Search,
    fits: Sequence[OptimizeResult],
) -> list[OptimizeResult]:
    """The fit from the very response of a contained law, where all others are worse than that."""
    assert search.contained is not None
    weights, ridge = search.contained[1], (response.start(), search.ridge)
    cost = penalised_cost(response, stress, size, weights, ridge)
    if not np.isfinite(cost) or any(fit.cost <= cost for fit in fits):
        return []
    return [_search(response, stress, size, weights, ridge, search.reach)]


def penalised_cost(
    response: Response,
    stress: np.ndarray,
    size: np.ndarray,
    weights: np.ndarray,
    ridge: tuple[np.ndarray, float],
) -> float:
    """Half the sum of squares that a search makes small, as SciPy counts it.

    Args:
        response: whose counted samples are compared.
        stress: measured, in units of `size`, (samples,).
        size: RMS of each sample's test [stress], (samples,).
        weights: (weights,).
        ridge: weights that it pulls to, and its strength.
    """
    centre, strength = ridge
    gap = response(weights) / size - stress
    return 0.5 * float(gap @ gap + strength**2 * np.sum(np.square(weights - centre)))


def _search(
    response: Response,
    stress: np.ndarray,
    size: np.ndarray,
    start: np.ndarray,
    ridge: tuple[np.ndarray, float],
    reach: float = np.inf,
    tolerance: float = TOLERANCE,
) -> OptimizeResult:
    """One search; `ridge`: weights that it pulls to, and its strength; `reach`: from those."""
    centre, strength = ridge

    def residual(weights: np.ndarray) -> np.ndarray:
        gap = response(weights) / size - stress
        return np.concatenate([gap, strength * (weights - centre)]) if strength else gap

    def slope(weights: np.ndarray) -> np.ndarray:
        slopes = response.slope(weights) / size[:, None]
        return np.concatenate([slopes, strength * np.eye(len(centre))]) if strength else slopes

    tolerance = max(tolerance, RIDGE_TOLERANCE if strength else 0.0)
    with np.errstate(over="ignore"):  # of a step that hardly predicts a gain; SciPy takes it so
        return least_squares(
            residual,
            start,
            jac=slope,  # pyright: ignore[reportArgumentType]  a function, as SciPy documents
            x_scale="jac",
            bounds=(centre - reach, centre + reach),
            max_nfev=MAX_EVALUATIONS,
            **dict.fromkeys(("xtol", "ftol", "gtol"), tolerance),
        )


def _estimates(
    response: Response, weights: np.ndarray, spread: Spread, unit: str
) -> tuple[dict[str, Estimate], np.ndarray]:
    """Delta method: variance of u(w) is ∇u C ∇uᵀ, on each constant's own scale.

    No interval is given of a constant that the data leave open, see `Spread.deviation`.
    """
    response.set_cell_weights(weights)  # before branches are sorted
    constants, read = constants_of(response.cell, unit, response.loading_unit)

    def free() -> np.ndarray:
        return np.array([c.free(v) for c, v in zip(constants, read(), strict=True)])

    centre, slope = response.read(weights, free), _gradient(response, weights, free)
    deviation = spread.deviation(slope)
    estimates = {
        c.name: Estimate(c, c.back(u), *(c.back(v) if r == r else np.nan for v in (u - r, u + r)))
        for c, u, r in zip(constants, centre, spread.quantile * deviation, strict=True)
    }
    covariance = slope @ spread.covariance @ slope.T
    size = np.where(deviation > 0, deviation, np.nan)
    correlation = np.clip(covariance / np.outer(size, size), -1.0, 1.0)
    np.fill_diagonal(correlation, 1.0)
    return estimates, correlation


def _profiled(
    response: Response,
    stress: np.ndarray,
    size: np.ndarray,
    weights: np.ndarray,
    spread: Spread,
    unit: str,
) -> dict[str, Estimate]:
    """Profile-likelihood intervals; NaN where neither end is found."""
    response.set_cell_weights(weights)  # before branches are sorted
    constants, read = constants_of(response.cell, unit, response.loading_unit)

    def free() -> np.ndarray:
        return np.array([c.free(v) for c, v in zip(constants, read(), strict=True)])

    values, slope = response.read(weights, free), _gradient(response, weights, free)
    thresholds = spread.quantile**2 * spread.noise * spread.inflation(slope)
    intervals = profile_intervals(
        Fit(response, stress, size, weights, free),
        constants,
        thresholds,
        spread.quantile * spread.deviation(slope),
    )
    estimates = {}
    for c, value, (low, high) in zip(constants, values, intervals, strict=True):
        is_open = not (np.isfinite(low) or np.isfinite(high))
        ends = (np.nan, np.nan) if is_open else (c.back(low), c.back(high))
        estimates[c.name] = Estimate(c, c.back(value), *ends)
    return estimates


def _curves(
    response: Response, weights: np.ndarray, spread: Spread, history: np.ndarray
) -> tuple[LearntCurve, ...]:
    """Log γ(|s|) ± t σ of every branch, where its stress was in the middle 90 % or above."""
    if not hasattr(response.cell, "curve"):
        return ()
    visited = np.abs(history[response.counts][:, 1:])
    low = np.maximum(np.quantile(visited, 0.05, axis=0), 1e-6 * visited.max())
    stress = np.geomspace(low, np.maximum(visited.max(axis=0), 2 * low), 60)  # (points, branches)

    def read() -> np.ndarray:
        return log_rates(response.cell, stress).ravel()

    centre, slope = response.read(weights, read), _gradient(response, weights, read)
    reach = spread.quantile * spread.deviation(slope)
    with np.errstate(over="ignore"):
        rate, below, above = (
            np.exp(values).reshape(stress.shape)
            for values in (centre, centre - reach, centre + reach)
        )
    order = np.argsort(-response.read(weights, lambda: np.asarray(response.cell.level)))
    return tuple(LearntCurve(stress[:, k], rate[:, k], below[:, k], above[:, k]) for k in order)


def _gradient(
    response: Response, weights: np.ndarray, read: Callable[[], np.ndarray]
) -> np.ndarray:
    """Central differences of values read off the cell, (values, weights)."""
    step = 1e-5
    with np.errstate(invalid="ignore"):  # −∞ − −∞, of a constant that is 0
        columns = [
            (response.read(weights + h, read) - response.read(weights - h, read)) / (2 * step)
            for h in step * np.eye(len(weights))
        ]
    response.read(weights, read)
    return np.stack(columns, axis=1)


def _interval_sentence(spread: Spread, ridge: float, is_profiled: bool) -> str:
    noise = (
        f"noise taken as a first-order autoregression, neighbours correlated by "
        f"{spread.neighbours:.2f}"
        if spread.corrected
        else "noise taken as independent and of one size"
    )
    held = ", with the weights held by a ridge" if ridge else ""
    how = (
        "by profile likelihood: the others are fitted anew for every value of a constant, and its "
        "interval holds the values at which the sum of squares rises by less than t² s² "
        "(Student's t); an end that is 0 or inf is not given by the data"
        if is_profiled
        else "asymptotic: Gauss-Newton covariance and Student's t, carried to each constant by the "
        "delta method (logarithms; m itself)"
    )
    return (
        f"{100 * CONFIDENCE:.0f} % intervals, {how}; {noise}{held}. "
        "They show how far noise moves the constants of this law, not whether the law is right."
    )
