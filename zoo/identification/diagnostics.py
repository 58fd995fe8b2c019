"""Warnings on what a test does not determine, one line each."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from zoo.identification.constants import Estimate
from zoo.identification.covariance import Spread

MIN_RATE_RATIO = 3.0  # of the fastest to the slowest rate; below, it is about one rate
MAX_HALF_WIDTH = 0.5  # of an interval, over its value
MAX_CORRELATION = 0.99  # of the errors of two constants
MIN_HOLD_SHARE = 0.1  # of samples in holds, which determine relaxation as a second rate does
EXACT_RESIDUAL = 1e-3  # over stress; below, its pattern is the integrator's, not the noise's


def warn_of_test(x: np.ndarray) -> list[str]:
    """A test of about one rate and without holds.

    Args:
        x: (samples, 3).
    """
    rate = np.abs(x[:, 1])
    moving = rate[rate > 1e-6 * rate.max()]
    if not len(moving):
        return ["the stretch never changes: this test determines nothing"]
    slow, fast = np.quantile(moving, (0.05, 0.95))
    if fast > MIN_RATE_RATIO * slow or len(moving) < (1 - MIN_HOLD_SHARE) * len(rate):
        return []
    return [
        f"only about one rate was tested ({slow:.3g} to {fast:.3g} /s, no holds): how viscosity "
        "depends on stress (m, or the curve) rests on the shape of the loop alone; add a test ten "
        "times faster or slower, or a hold"
    ]


def warn_of_constants(
    estimates: Mapping[str, Estimate], correlation: np.ndarray, x: np.ndarray
) -> list[str]:
    """Constants that are uncertain, correlated with one another, or at the end of their range.

    Args:
        estimates: of the constants, by name.
        correlation: of their errors, (constants, constants).
        x: of the test, (paths, time, 3).
    """
    lines = []
    if "kappa" in estimates:
        lines.append("no test determines ν0 and σ0 one by one: only κ = ν0 σ0^(m−1) is given")
    for e in estimates.values():
        if not e.high - e.low <= 2 * MAX_HALF_WIDTH * abs(e.value):
            lines.append(
                f"{e.constant.symbol} is uncertain: {e.value:.3g} with an interval from "
                f"{e.low:.3g} to {e.high:.3g} {e.constant.unit}; the data hardly determine it"
            )
    names = list(estimates)
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
    return lines + _warn_of_range(estimates, x)


def _warn_of_range(estimates: Mapping[str, Estimate], x: np.ndarray) -> list[str]:
    lines = []
    if "exponent" in estimates and estimates["exponent"].value < 1.02:
        lines.append("m is 1 or nearly: the data are linear; `prony` is the simpler law")
    dt = x[..., 2]
    shortest, longest = dt[dt > 0].min(), dt.sum(axis=1).max()
    total = sum(e.value for name, e in estimates.items() if name.startswith("moduli"))
    for name, estimate in estimates.items():
        constant, value = estimate.constant, estimate.value
        if name.startswith("time") and not shortest / 3 < value < 10 * longest:
            kind = "a viscous dashpot" if value < shortest else "an elastic spring"
            lines.append(
                f"{constant.symbol} = {value:.3g} s lies outside what the test resolves, "
                f"{shortest:.3g} to {longest:.3g} s: it acts as {kind}"
            )
        if name.startswith("moduli") and value < 1e-4 * total:
            lines.append(
                f"{constant.symbol} = {value:.3g} {constant.unit} is negligible: "
                "fewer branches would do"
            )
    return lines


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
