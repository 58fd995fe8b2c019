"""What a test cannot tell, in words."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from zoo.identification.constants import Constant
from zoo.identification.covariance import Spread

_ONE_RATE = 3.0  # ratio of the fastest to the slowest rate below which it is about one
_WIDE = 0.5  # half width of an interval over its value
_TIED = 0.99  # correlation of two constants
_STILL = 0.1  # share of samples in holds that tells of relaxation as well as a second rate
_EXACT = 1e-3  # residual over stress below which its pattern is the integrator's, not the noise's


def of_test(x: np.ndarray) -> list[str]:
    """About one rate, and no holds? x: (samples, 3)."""
    rate = np.abs(x[:, 1])
    moving = rate[rate > 1e-6 * rate.max()]
    if not len(moving):
        return ["the stretch never changes: nothing can be told from this test"]
    slow, fast = np.quantile(moving, (0.05, 0.95))
    if fast > _ONE_RATE * slow or len(moving) < (1 - _STILL) * len(rate):
        return []
    return [
        f"only about one rate was tested ({slow:.3g} to {fast:.3g} /s, no holds): how viscosity "
        "depends on stress (m, or the curve) rests on the shape of the loop alone; add a test ten "
        "times faster or slower, or a hold"
    ]


def of_constants(
    estimates: Mapping[str, tuple[Constant, float, float, float]],
    correlation: np.ndarray,
    x: np.ndarray,
    held: bool,
) -> list[str]:
    """Constants that are wide, tied to one another, or at the end of what they can be.

    Args:
        estimates: name -> constant, value, low, high.
        correlation: of their errors.
        x: of the test, (paths, time, 3).
        held: whether a ridge holds them.
    """
    lines = []
    if "kappa" in estimates:
        lines.append("ν0 and σ0 cannot be told apart by any test: only κ = ν0 σ0^(m−1) is given")
    for constant, value, low, high in estimates.values():
        if not high - low <= 2 * _WIDE * abs(value):
            lines.append(
                f"{constant.symbol} is uncertain: {value:.3g} with an interval from {low:.3g} to "
                f"{high:.3g} {constant.unit}; the data hardly tell it"
            )
    names = list(estimates)
    for i, j in combinations(range(len(names)), 2):
        # κ and τ are one and the same at another stress.
        if not abs(correlation[i, j]) > _TIED or {names[i], names[j]} == {"kappa", "time"}:
            continue
        pair = [estimates[names[k]][0].symbol for k in (i, j)]
        line = f"{pair[0]} and {pair[1]} are tied together (correlation {correlation[i, j]:.3f})"
        if {names[i], names[j]} == {"exponent", "kappa"}:
            line += ": κ counts in a unit that depends on m; τ does not, compare that"
        else:
            line += ": their single values mean little"
        lines.append(line)
    return lines + _at_the_end(estimates, x)


def _at_the_end(estimates, x) -> list[str]:
    lines = []
    if "exponent" in estimates and estimates["exponent"][1] < 1.02:
        lines.append("m has gone to 1: the data are linear, or nearly; `prony` is the simpler law")
    dt = x[..., 2]
    shortest, longest = dt[dt > 0].min(), dt.sum(axis=1).max()
    total = sum(value for name, (_, value, *_) in estimates.items() if name.startswith("moduli"))
    for name, (constant, value, *_) in estimates.items():
        if name.startswith("time") and not shortest / 3 < value < 10 * longest:
            kind = "a viscous dashpot" if value < shortest else "an elastic spring"
            lines.append(
                f"{constant.symbol} = {value:.3g} s lies outside what the test resolves, "
                f"{shortest:.3g} to {longest:.3g} s: it acts as {kind}"
            )
        if name.startswith("moduli") and value < 1e-4 * total:
            lines.append(
                f"{constant.symbol} = {value:.3g} {constant.unit} is next to nothing: "
                "fewer branches would do"
            )
    return lines


def of_fit(known: Spread, misfit: float, samples: int, settled: bool) -> list[str]:
    """Residuals that drag on, and a search that was cut short; misfit: RMS residual over stress."""
    lines = []
    if known.corrected and misfit > _EXACT:
        lines.append(
            f"neighbouring residuals are correlated ({known.neighbours:.2f}): {samples} samples "
            f"count as {known.effective:.0f}; intervals are widened for it, but if the law itself "
            "is wrong they are still too narrow"
        )
    if not settled:
        lines.append("the search was stopped before it settled: fewer branches, or more starts")
    return lines


def of_starts(agreed: int, starts: int) -> list[str]:
    """How many starts found the best fit."""
    if starts > 1 and agreed == 1:
        return [f"one of {starts} starts alone found this fit: a better one may exist; try more"]
    return []
