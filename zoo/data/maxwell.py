"""The power-law Maxwell solid, solved exactly on every piecewise-linear path.

With s = σ/σ0, time in units of ν0 and r = E ν0 ε̇/σ0 the law reads ds/dt = r − s|s|^(m−1). While r
stands still, u = s/|r|^(1/m) against τ = t|r|^(1−1/m) obeys du/dτ = 1 − u|u|^(m−1) (for r > 0; the
law is odd), and the time of passage from one u to another is known in closed form:

    u < 1:  τ = F(u') − F(u),   F(u) = u ₂F₁(1, 1/m; 1 + 1/m; u|u|^(m−1))
    u > 1:  τ = G(u') − G(u),   G(u) = u^(1−m)/(m−1) ₂F₁(1, 1 − 1/m; 2 − 1/m; u^(−m))

So a step is the root of a smooth monotone function; steady flow, u = 1, is never crossed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.integrate import DOP853
from scipy.interpolate import krogh_interpolate
from scipy.special import hyp2f1

_FAINT = 1e-5  # |r|/|s|^m below which first order in r is exact to the square of it
_NOTHING = 1e-30  # |r| below which nothing has a size any more
_EXPONENT_STEP = 2e-3  # between the exponents that F is interpolated from, near 1/m whole
# |1 − u| below which the distance to steady flow simply decays. SciPy's ₂F₁ has no limit closer.
_STEADY = 1e-12


@dataclass(frozen=True)
class Material:
    """Maxwell solid with power-law viscosity, dσ/dt = E dε/dt − (σ/ν0)|σ/σ0|^(m−1).

    A test determines E, m and κ only.

    Attributes:
        modulus_mpa: E [MPa], positive.
        nu0_s: ν0 [s], positive.
        sigma0_mpa: σ0 [MPa], positive.
        exponent: m [-], 0.5 to 8.
    """

    modulus_mpa: float = 1.0
    nu0_s: float = 1.0
    sigma0_mpa: float = 1.0
    exponent: float = 3.0

    def __post_init__(self) -> None:
        for name in ("modulus_mpa", "nu0_s", "sigma0_mpa"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"`{name}` must be positive. Received: {name}={value}.")
        if not 0.5 <= self.exponent <= 8:
            raise ValueError(
                f"`exponent` must lie between 0.5 and 8. Received: exponent={self.exponent}."
            )

    @property
    def kappa(self) -> float:
        """κ = ν0 σ0^(m−1) [s MPa^(m−1)]: with E and m all that a test determines."""
        return self.nu0_s * self.sigma0_mpa ** (self.exponent - 1)


def stress_response(
    rate: np.ndarray,
    dt: np.ndarray,
    material: Material = Material(),
    initial_mpa: float | np.ndarray = 0.0,
) -> np.ndarray:
    """Stress at the end of every step of piecewise-linear paths.

    Args:
        rate: strain rate during each step [1/s], (paths, time).
        dt: length of each step [s], (paths, time).
        material: constants of the solid.
        initial_mpa: stress before the first step [MPa], one for all or (paths,).

    Returns:
        stress [MPa], (paths, time) float64, within 1e-8 σ0 of the closed forms.

    Raises:
        ValueError: arrays of another shape, not finite, or a negative dt.
    """
    rate, dt = np.broadcast_arrays(np.asarray(rate, float), np.asarray(dt, float))
    if rate.ndim != 2 or not np.isfinite(rate).all() or not (np.isfinite(dt) & (dt >= 0)).all():
        raise ValueError(
            "`rate` and `dt` must be finite, (paths, time), and `dt` not negative. "
            f"Received: shape {rate.shape}, smallest dt {np.min(dt):g}."
        )
    r = rate * (material.modulus_mpa * material.nu0_s / material.sigma0_mpa)
    t = dt / material.nu0_s
    s = np.broadcast_to(np.asarray(initial_mpa, float) / material.sigma0_mpa, len(rate)).copy()
    stress = np.empty(rate.shape)
    for step in range(rate.shape[1]):
        s = _advance(s, r[:, step], t[:, step], material.exponent)
        stress[:, step] = s
    return stress * material.sigma0_mpa


def _advance(s: np.ndarray, r: np.ndarray, t: np.ndarray, m: float) -> np.ndarray:
    """One step of every path: s after time t at constant r."""
    relaxed, gain = _relax(s, t, m)
    after = relaxed + r * gain
    if m == 1:
        return after
    faint = np.maximum(_FAINT * np.abs(relaxed) ** m, _NOTHING)
    forced = np.flatnonzero((np.abs(r) > faint) & (t > 0))
    r, t = r[forced], t[forced]
    steady = np.sign(r) * np.abs(r) ** (1 / m)
    u, tau = s[forced] / steady, t * np.abs(r) ** (1 - 1 / m)
    near, above = np.abs(1 - u) <= _STEADY, u > 1
    u[near] = 1 - (1 - u[near]) * np.exp(-m * tau[near])
    below, above = ~near & ~above, ~near & above
    u[below] = _arrive(u[below], tau[below], m, _passage_below)
    # G has a pole at m = 1, and is not needed near it: the clock of relaxation is smooth there.
    if m < 1.3:
        u[above] = _follow_clock(u[above], tau[above], m)
    else:
        u[above] = _arrive(u[above], tau[above], m, _passage_above)
    after[forced] = u * steady
    return after


def _relax(s: np.ndarray, t: np.ndarray, m: float) -> tuple[np.ndarray, np.ndarray]:
    """Relaxation at rest, and what a faint constant r adds to it, per r: exact for m = 1.

    s(t) = s e^(−L) with L = ln(b)/(m−1), b = 1 + (m−1)|s|^(m−1) t; m < 1: zero once b is.
    ∂s(t)/∂r = ∫ ∂s(t)/∂s(t') dt' = b (1 − e^(−(2m−1)L)) / ((2m−1)|s|^(m−1)), to first order in r.
    """
    if m == 1:
        return s * np.exp(-t), -np.expm1(-t)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        pace = np.abs(s) ** (m - 1)
        growth = np.maximum((m - 1) * pace * t, -1.0)
        log = np.log1p(growth) / (m - 1)
        share = log if m == 0.5 else -np.expm1(-(2 * m - 1) * log) / (2 * m - 1)
        gain = (1 + growth) * share / pace
    at_zero = (s == 0) | (growth <= -1)
    return np.where(at_zero, 0.0, s * np.exp(-log)), np.where(at_zero, t, gain)


def _passage_below(u: np.ndarray, m: float) -> np.ndarray:
    """F(u), u < 1.

    SciPy's hyp2f1 loses digits where 1/m is nearly a whole number, as a share of 1e-16 over the
    distance from it. F is smooth in m, so near there it is interpolated between exponents at a
    distance, a polynomial of degree 6 (error below 1e-12).
    """
    whole = 1 / max(1, round(1 / m))
    if not 0 < abs(m - whole) < 0.5 * _EXPONENT_STEP:
        return u * _log_singular(1 + 1 / m, _power(u, m))
    nodes = whole + _EXPONENT_STEP * np.array([-3, -2, -1, 0, 1, 2, 3])
    values = [u * _log_singular(1 + 1 / node, _power(u, node)) for node in nodes]
    return krogh_interpolate(nodes, values, m)


def _passage_above(u: np.ndarray, m: float) -> np.ndarray:
    """G(u), u > 1 and m > 1."""
    return u ** (1 - m) / (m - 1) * _log_singular(2 - 1 / m, u**-m)


def _log_singular(c: float, z: np.ndarray) -> np.ndarray:
    """₂F₁(1, c − 1; c; z), which goes to infinity like ln(1 − z) at z = 1.

    SciPy chooses its series near z = 1 by c − a − b. Where b is rounded for itself, that is 2e-16
    for 0, and ₂F₁ has a wrong sign; c − 1 of a rounded c is exact.
    """
    return hyp2f1(1, c - 1, c, z)


def _arrive(
    u: np.ndarray, tau: np.ndarray, m: float, passage: Callable[[np.ndarray, float], np.ndarray]
) -> np.ndarray:
    """Where u is after time tau: Newton's method on the time of passage, kept in a bracket.

    The unknown is y = ln((1 − u)/(1 − u')), in which the way to steady flow is straight.
    """
    if not len(u):
        return u

    def at(y: np.ndarray, live: np.ndarray | slice = slice(None)) -> np.ndarray:
        return u[live] * np.exp(-y) - np.expm1(-y)  # keeps the digits of a small u

    # First guess: one Runge-Kutta step of dy/dτ = q(u).
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        k1 = _speed(u, m)
        k2 = _speed(at(tau / 2 * k1), m)
        k3 = _speed(at(tau / 2 * k2), m)
        k4 = _speed(at(tau * k3), m)
        y = tau / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    y = np.where(np.isfinite(y), y, 0.0)
    furthest = np.log(np.abs(1 - u) / _STEADY)
    start, live = passage(u, m), np.arange(len(u))
    low, high, length = np.zeros_like(y), furthest.copy(), np.full_like(y, np.inf)
    while len(live):
        now = np.minimum(y[live], furthest[live])
        where = at(now, live)
        late = passage(where, m) - start[live] - tau[live]
        low[live] = np.where(late < 0, now, low[live])
        high[live] = np.where(late < 0, high[live], now)
        newton = now - late * _speed(where, m)
        middle = (low[live] + high[live]) / 2
        # A step that is not half the one before is bisected: Newton's method can swing for ever.
        shorter = np.abs(newton - now) <= length[live] / 2
        inside = shorter & (newton >= low[live]) & (newton <= high[live])
        y[live] = np.where(inside, newton, middle)
        length[live] = np.abs(y[live] - now)
        moved = np.abs(at(y[live], live) - where)
        live = live[moved > 1e-11 * np.maximum(np.abs(where), np.minimum(np.abs(u[live]), 1))]
    return at(y)


def _follow_clock(u: np.ndarray, tau: np.ndarray, m: float) -> np.ndarray:
    """Where u > 1 is after time tau, by the clock of relaxation, θ = (u^(1−m) − 1)/(m − 1).

    dθ/dτ = 1 − u^(−m) lies in (0, 1), its stiffness is m/u, and it is smooth on a scale of u^(1−m):
    an explicit Runge-Kutta method of order 8 (Dormand and Prince) with steps of a share of that is
    exact to rounding. Steps end where u is steady to rounding.
    """
    clock = -np.log(u) if m == 1 else np.expm1((1 - m) * np.log(u)) / (m - 1)

    def stress(clock: np.ndarray) -> np.ndarray:
        return np.exp(-clock) if m == 1 else np.exp(-np.log1p((m - 1) * clock) / (m - 1))

    u, left = u.copy(), tau.copy()
    live = np.flatnonzero(left > 0)
    while len(live):
        now, size = clock[live], u[live] ** (1 - m)
        step = np.minimum(left[live], np.maximum(0.3, 0.1 * size) / m)
        slopes = []
        for row in DOP853.A[: DOP853.n_stages]:
            shift = sum(a * k for a, k in zip(row, slopes, strict=False))
            slopes.append(1 - stress(now + step * shift) ** -m)
        clock[live] = now + step * sum(b * k for b, k in zip(DOP853.B, slopes, strict=True))
        u[live] = stress(clock[live])
        left[live] -= step
        live = live[(left[live] > 0) & (u[live] - 1 > 1e-15)]
    return u


def _power(u: np.ndarray, m: float) -> np.ndarray:
    """Signed power u|u|^(m−1)."""
    return np.sign(u) * np.abs(u) ** m


def _speed(u: np.ndarray, m: float) -> np.ndarray:
    """Speed q = dy/dτ = (1 − u|u|^(m−1))/(1 − u), positive and m at u = 1."""
    return (1 - _power(u, m)) / (1 - u)
