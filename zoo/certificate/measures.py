"""Measures of a certificate: pure functions of a model or of its predictions."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from zoo.certificate.limits import ROUND_OFF
from zoo.data import loading
from zoo.metrics.regression import Predictor, rms

CLOSED = 1e-2  # change from one cycle to the next, over RMS stress, below which a cycle is steady


@dataclass(frozen=True)
class Hold:
    """Ramps from rest, each followed by a hold; once in steps, once in fewer and longer ones.

    Attributes:
        x: (paths, time, 3), hold in short steps.
        longer: (paths, fewer, 3), the same with every `factor` steps of the hold made one.
        ramp: (paths,) steps of each ramp.
        factor: short steps in a long one.
    """

    x: np.ndarray
    longer: np.ndarray
    ramp: np.ndarray
    factor: int


@dataclass(frozen=True)
class Cycles:
    """Triangular cycles between ±amplitude, or between 0 and it, at least three of each.

    Attributes:
        x: (paths, time, 3).
        period: (paths,) steps of a cycle.
    """

    x: np.ndarray
    period: np.ndarray


def worst(values: Iterable[float]) -> float:
    """Largest value; NaN if any is."""
    return float(np.max(list(values)))


def refine(x: np.ndarray, factor: int) -> np.ndarray:
    """The same paths with every step cut into `factor` equal ones, in the precision of `x`.

    Args:
        x: (paths, time, 3).
        factor: steps in place of one.

    Returns:
        (paths, factor * time, 3).
    """
    return np.stack(loading.refine(loading.Loading.from_x(x), factor), axis=-1).astype(x.dtype)


def hold_growth(stress: np.ndarray, ramp: np.ndarray) -> float:
    """Largest rise of |σ| above an earlier value in its hold, over RMS σ at the holds' starts.

    Args:
        stress: (paths, time, 1).
        ramp: (paths,) steps before the hold.
    """
    size = np.abs(np.asarray(stress[..., 0], np.float64))
    rises = []
    for path, start in zip(size, ramp, strict=True):
        hold = path[start - 1 :]
        rises.append(np.max(hold - np.minimum.accumulate(hold)))
    return float(np.max(rises) / rms(_at(size, ramp - 1)))


def hold_change(stress: np.ndarray, longer: np.ndarray, holds: Hold) -> float:
    """RMS difference of the stress in short and in long steps, over RMS σ at the holds' starts.

    Args:
        stress: prediction on `holds.x`, (paths, time, 1).
        longer: prediction on `holds.longer`, (paths, fewer, 1).
        holds: the loading.
    """
    count = longer.shape[1] - holds.ramp.max()
    steps = np.arange(1, count + 1)
    ramp = holds.ramp[:, None]
    short = np.take_along_axis(stress[..., 0], ramp + holds.factor * steps - 1, axis=1)
    long = np.take_along_axis(longer[..., 0], ramp + steps - 1, axis=1)
    return float(np.divide(rms(long - short), rms(_at(stress[..., 0], holds.ramp - 1))))


def step_work(x: np.ndarray, stress: np.ndarray) -> np.ndarray:
    """∫σ dε over each step by the trapezium, (paths, time) [unit of stress], from σ = 0."""
    stress = np.asarray(stress[..., 0], np.float64)
    before = np.pad(stress, ((0, 0), (1, 0)))[:, :-1]
    return (stress + before) / 2 * np.prod(x[..., 1:], axis=-1, dtype=np.float64)


def cycle_work(cycles: Cycles, stress: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Work of each path's last whole cycle [unit of stress], each (paths,).

    Returns:
        ∮σ dε; ∮|σ dε|; RMS change of stress from the cycle before, over the last one's RMS.
    """
    work = step_work(cycles.x, stress)
    result = []
    for own, response, period in zip(work, stress[..., 0], cycles.period, strict=True):
        end = len(own) // period * period
        last = slice(end - period, end)
        change = rms(response[last] - response[end - 2 * period : end - period])
        result.append((own[last].sum(), np.abs(own[last]).sum(), change / rms(response[last])))
    net, exchanged, change = np.array(result).T
    return net, exchanged, change


def work_given_back(cycles: Cycles, stress: np.ndarray) -> float | str:
    """Largest −∮σ dε / ∮|σ dε| of the steady cycles [-], or why there is no steady cycle.

    NaN where a stress is not finite.

    Polygons through the samples enclose the loop of a passive material the right way round, so the
    trapezium does not blur the sign; one through an elastic material's encloses nothing.
    """
    if not np.isfinite(stress).all():
        return math.nan
    net, exchanged, change = cycle_work(cycles, stress)
    steady = change <= CLOSED
    if not np.isfinite(change).any():
        return math.nan  # no stress at all
    if not steady.any():
        count = stress.shape[1] // cycles.period.max()
        return (
            f"skipped: no cycle is steady; in {count} cycles or more, stress still changes by "
            f"{np.nanmin(change):.2g} of its RMS from one to the next, above {CLOSED:g}"
        )
    return float(max(0.0, np.max(-net[steady] / exchanged[steady])))


def area_error(cycles: Cycles, stress: np.ndarray, truth: np.ndarray) -> float | str:
    """RMS error of the work per cycle over its true RMS [-], or why there is none."""
    net, _, _ = cycle_work(cycles, stress)
    true_net, exchanged, _ = cycle_work(cycles, truth)
    if rms(true_net) <= ROUND_OFF * rms(exchanged):
        return "skipped: the true loops enclose no area"
    return rms(net - true_net) / rms(true_net)


def negative_dissipation(x: np.ndarray, stress: np.ndarray, modulus: float) -> float:
    """Share of steps in which more energy is stored than was put in, beyond round-off [-].

    D = ∫σ dε − Δ(σ²/2E) = σ̄ (Δε − Δσ/E), mean stress times viscous strain. Where σ does not change
    sign within a step, neither does viscous strain, so D has its true sign; steps in which it
    does change are left out.

    Args:
        x: (paths, time, 3), from rest.
        stress: (paths, time, 1).
        modulus: E [unit of stress].
    """
    after = np.asarray(stress[..., 0], np.float64)
    if not np.isfinite(after).all():
        return math.nan
    before = np.pad(after, ((0, 0), (1, 0)))[:, :-1]
    dissipated = step_work(x, stress) - (after**2 - before**2) / (2 * modulus)
    counted = after * before >= 0
    lost = dissipated < -ROUND_OFF * np.mean(after**2) / modulus
    return float(np.sum(lost & counted) / max(1, counted.sum()))


def sudden_modulus(predict: Predictor, x: np.ndarray) -> float:
    """σ/ε of a sudden step from rest [unit of stress], a hundredth of the largest strain in x."""
    largest = float(x[..., 0].flat[np.abs(x[..., 0]).argmax()])  # with its sign
    strain, dt = 1e-2 * largest, 1e-6 * float(x[..., 2].min())
    step = np.array([[[strain, strain / dt, dt]]], x.dtype)
    return float(predict(step)[0, 0, 0]) / float(step[0, 0, 0])


def _at(values: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """One value of each path."""
    return np.take_along_axis(values, steps[:, None], axis=1)
