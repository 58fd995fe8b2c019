"""Warnings on what a test does not determine, one line each."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from zoo.identification.constants import Estimate
from zoo.identification.covariance import Spread

MIN_RATE_RATIO = 3.0  # of the fastest to the slowest rate; below, it is about one rate
MAX_HALF_WIDTH = 0.5  # of an interval, over its value
MAX_LINES = 3  # constants that are named with their intervals; more are listed in one line
MAX_CORRELATION = 0.99  # of the errors of two constants
NEGLIGIBLE = 1e-4  # of all moduli: what a branch carries that is not needed
COINCIDENT = 0.02  # of log τ: times of two branches that no test tells apart
NEAR = 0.7  # of log τ: the same where neither modulus has an interval
LINEAR = 0.02  # of |m − 1|
AT_BOUND = 5e-3  # of m above the lower end of its range
MIN_HOLD_SHARE = 0.1  # of samples in holds, which determine relaxation as a second rate does
BEGINNING, MIN_BEGINNING = 0.1, 5  # share of the rows of a path; samples in it, at least
LARGE_BEGINNING = 3.0  # of residuals there over those of the rest
EXACT_RESIDUAL = 1e-3  # over stress; below, its pattern is the integrator's, not the noise's


def warn_of_test(x: np.ndarray, loading_unit: str = "-") -> list[str]:
    """A test of about one rate and without holds.

    Args:
        x: (samples, 3).
        loading_unit: of the first feature, "-" for strain.
    """
    rate = np.abs(x[:, 1])
    moving = rate[rate > 1e-6 * rate.max()]
    if not len(moving):
        return ["the loading never changes: this test determines nothing"]
    slow, fast = np.quantile(moving, (0.05, 0.95))
    if fast > MIN_RATE_RATIO * slow or len(moving) < (1 - MIN_HOLD_SHARE) * len(rate):
        return []
    unit = "/s" if loading_unit == "-" else f"{loading_unit}/s"
    return [
        f"only about one rate was tested ({slow:.3g} to {fast:.3g} {unit}, no holds): how "
        "viscosity depends on stress (m, or the curve) rests on the shape of the loop alone; add a "
        "test ten times faster or slower, or a hold"
    ]


def warn_of_constants(
    estimates: Mapping[str, Estimate], correlation: np.ndarray, x: np.ndarray
) -> list[str]:
    """Constants that the data leave open, or that are uncertain, correlated or out of range.

    Args:
        estimates: of the constants, by name.
        correlation: of their errors, (constants, constants).
        x: of the test, (paths, time, 3).
    """
    lines = []
    if "kappa" in estimates:
        lines.append("no test determines ν0 and σ0 one by one: only κ = ν0 σ0^(m−1) is given")
    branches, explained = _warn_of_branches(estimates, x)
    lines += branches + _warn_of_exponent(estimates)
    for e in estimates.values():
        if e.is_bounded and not e.is_determined:
            end = f"at most {e.high:.3g}" if np.isfinite(e.high) else f"at least {e.low:.3g}"
            lines.append(f"{e.constant.symbol} has one end only: {end} {e.constant.unit}")
    left = [e for name, e in estimates.items() if not (e.is_bounded or name in explained)]
    if left:
        symbols = _listed([e.constant.symbol for e in left])
        lines.append(f"these data do not determine {symbols}: no interval is given")
    wide = [
        e
        for name, e in estimates.items()
        if name not in explained
        and e.is_determined
        and not e.high - e.low <= 2 * MAX_HALF_WIDTH * abs(e.value)
    ]
    if len(wide) > MAX_LINES:
        symbols = _listed([e.constant.symbol for e in wide])
        lines.append(
            f"{symbols} are uncertain: their intervals are wider than "
            f"±{100 * MAX_HALF_WIDTH:.0f} %; the data hardly determine them"
        )
        wide = []
    near_zero = [e for e in wide if not e.constant.positive and e.low < 0 < e.high]
    lines += [
        f"{e.constant.symbol} cannot be told from 0: {e.value:.3g} with an interval from "
        f"{e.low:.3g} to {e.high:.3g} {e.constant.unit}"
        for e in near_zero
    ]
    lines += [
        f"{e.constant.symbol} is uncertain: {e.value:.3g} with an interval from "
        f"{e.low:.3g} to {e.high:.3g} {e.constant.unit}; the data hardly determine it"
        for e in wide
        if e not in near_zero
    ]
    return lines + _warn_of_correlation(estimates, correlation)


def _warn_of_branches(
    estimates: Mapping[str, Estimate], x: np.ndarray
) -> tuple[list[str], set[str]]:
    """Branches that coincide, are negligible, or act as a dashpot or a spring.

    Returns:
        Lines; names of the constants that they explain.
    """
    count = 0  # of branches that have a modulus and a relaxation time
    while {f"moduli_{count + 1}", f"times_{count + 1}"} <= estimates.keys():
        count += 1
    dt = x[..., 2]
    shortest, longest = dt[dt > 0].min(), dt.sum(axis=1).max()
    moduli = [estimates[f"moduli_{k}"] for k in range(1, count + 1)]
    times = [estimates[f"times_{k}"] for k in range(1, count + 1)]
    total = sum(e.value for e in moduli)
    lines, explained = [], set()
    for k, (modulus, time) in enumerate(zip(moduli, times, strict=True), 1):
        own = {f"moduli_{k}", f"times_{k}"}
        E, tau = modulus.value, time.value
        unit = modulus.constant.unit
        if E * min(1.0, tau / shortest) < NEGLIGIBLE * total:
            lines.append(
                f"branch {k} is negligible (E{k} = {E:.3g} {unit}, τ{k} = {tau:.3g} s): fewer "
                "branches would do"
            )
        elif tau < shortest / 3:
            lines.append(
                f"branch {k} relaxes within a time step (τ{k} = {tau:.3g} s, steps from "
                f"{shortest:.3g} s): it acts as a viscous dashpot, of which data determine the "
                f"product E{k} τ{k} = {E * tau:.3g} {unit} s only"
            )
        elif tau > 10 * longest:
            own.remove(f"moduli_{k}")
            lines.append(
                f"branch {k} does not relax in the {longest:.3g} s of the test: it acts as an "
                f"elastic spring, and τ{k} is not determined"
            )
        else:
            continue
        explained |= own
    for i, j in combinations(range(1, count + 1), 2):
        first, second = times[i - 1], times[j - 1]
        names = {f"moduli_{i}", f"moduli_{j}", f"times_{i}", f"times_{j}"}
        is_open = not any(moduli[k - 1].is_determined for k in (i, j))
        if names & explained:  # as of a time that is 0 or infinite
            continue
        if abs(np.log(first.value / second.value)) > (NEAR if is_open else COINCIDENT):
            continue
        both = moduli[i - 1].value + moduli[j - 1].value
        lines.append(
            f"branches {i} and {j} coincide (τ{i} = {first.value:.4g} s, τ{j} = "
            f"{second.value:.4g} s): data determine the sum E{i} + E{j} = {both:.4g} "
            f"{moduli[0].constant.unit} only; one branch fewer would do"
        )
        explained |= {name for name in names if not estimates[name].is_determined}
    return lines, explained


def _warn_of_exponent(estimates: Mapping[str, Estimate]) -> list[str]:
    """An exponent that is one, or at the end of its range."""
    if "exponent" not in estimates:
        return []
    e = estimates["exponent"]
    if e.value < e.constant.least + AT_BOUND:
        return [
            f"m = {e.value:.3g} lies at the lower end of its range, {e.constant.least:g}: this law "
            "cannot follow the data any further; try `relaxation`"
        ]
    is_one = abs(e.value - 1) < LINEAR
    if is_one or e.low <= 1 <= e.high:
        what = "the data are linear" if is_one else "the data may be linear"
        return [f"m = {e.value:.3g} cannot be told from 1: {what}; `prony` is the simpler law"]
    return []


def _warn_of_correlation(estimates: Mapping[str, Estimate], correlation: np.ndarray) -> list[str]:
    lines, names = [], list(estimates)
    for i, j in combinations(range(len(names)), 2):
        # κ and τ are one and the same at another stress.
        if not abs(correlation[i, j]) > MAX_CORRELATION or {names[i], names[j]} == {
            "kappa",
            "time",
        }:
            continue
        pair = [estimates[names[k]].constant.symbol for k in (i, j)]
        line = f"the errors of {pair[0]} and {pair[1]} are correlated ({correlation[i, j]:.3f})"
        if {names[i], names[j]} == {"exponent", "kappa"}:
            line += ": the unit of κ depends on m; that of τ does not, so compare τ"
        else:
            line += ": their single values mean little"
        lines.append(line)
    return lines


def _listed(names: list[str]) -> str:
    return " and ".join(", ".join(names).rsplit(", ", 1))


def warn_of_fit(spread: Spread, misfit: float, samples: int, has_converged: bool) -> list[str]:
    """Autocorrelated residuals, and a search that did not converge.

    Args:
        spread: covariance, and the correlation of the residuals.
        misfit: RMS residual over RMS stress [-].
        samples: compared.
        has_converged: whether the search did.
    """
    lines = []
    if spread.corrected and misfit > EXACT_RESIDUAL:
        lines.append(
            f"neighbouring residuals are correlated ({spread.neighbours:.2f}): {samples} samples "
            f"count as {spread.effective:.0f}; intervals are widened for it, but if the law itself "
            "is wrong they are still too narrow"
        )
    if not has_converged:
        lines.append("the search stopped before it converged: use fewer branches, or more starts")
    return lines


def warn_of_beginning(residual: np.ndarray, paths: np.ndarray) -> list[str]:
    """Residuals that are large at the beginning alone, as of a test that does not begin at rest.

    Args:
        residual: of every counted sample, (samples,).
        paths: index of its path, ascending, (samples,).
    """
    places = np.arange(len(paths)) - np.searchsorted(paths, paths)  # in the own path
    early = places < BEGINNING * np.bincount(paths)[paths]
    if early.sum() < MIN_BEGINNING:
        return []
    first, rest = (float(np.sqrt(np.mean(residual[each] ** 2))) for each in (early, ~early))
    if first <= LARGE_BEGINNING * rest:
        return []
    return [
        f"residuals are {first / rest:.2g} times as large in the first {100 * BEGINNING:.0f} % of "
        "the rows as in the rest: if the test does not begin at rest, give --cycles, --warm-up, or "
        "--free-initial-state with --law"
    ]


def warn_of_starts(agreed: int, starts: int) -> list[str]:
    """A best fit that one start alone found.

    Args:
        agreed: starts that found the best fit.
        starts: in all.
    """
    if starts > 1 and agreed == 1:
        return [
            f"only one of {starts} starts found this fit: a better one may exist; try more starts"
        ]
    return []
