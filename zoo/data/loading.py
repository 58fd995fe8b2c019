"""Loading families: piecewise-linear histories of strain, drawn from a random generator."""

from collections.abc import Callable
from typing import NamedTuple, Self

import numpy as np

DT_RANGE = (0.025, 0.1)  # of the training family [s]
RATES = (0.2, 8.0)  # of the training family [1/s]
MULTIRATE_RATES = (0.02, 20.0)  # of the split `multirate` [1/s]
STEPS = 200  # in a path
AMPLITUDE = 2.0  # turning points lie within ± this strain [-]

Span = tuple[float, float]


class Loading(NamedTuple):
    """Piecewise-linear paths from rest at zero.

    Sample j stands at the end of step j; rate and dt are those of the step.

    Attributes:
        strain: at the end of each step [-], (paths, time) float64.
        rate: slope during the step [1/s], (paths, time).
        dt: length of the step [s], (paths, time).
    """

    strain: np.ndarray
    rate: np.ndarray
    dt: np.ndarray

    @classmethod
    def from_x(cls, x: np.ndarray) -> Self:
        """From the input of a model, (paths, time, 3)."""
        return cls(*np.moveaxis(np.asarray(x, np.float64), -1, 0))

    @property
    def x(self) -> np.ndarray:
        """Input of a model, (paths, time, 3) float32."""
        return np.stack(self, axis=-1).astype(np.float32)


def walk(
    rng: np.random.Generator,
    paths: int,
    steps: int = STEPS,
    dt_range: Span = DT_RANGE,
    rates: Span = RATES,
    ends: Span = (-AMPLITUDE, AMPLITUDE),
) -> Loading:
    """Straight pieces between turning points uniform in ±2, at log-uniform rates, one dt a path.

    A piece takes a whole number of steps, so its rate is rounded to fit.

    Args:
        rng: source of random numbers.
        paths: how many.
        steps: in a path.
        dt_range: of the time steps, log-uniform [s].
        rates: of the pieces, log-uniform [1/s].
        ends: between which the turning points lie [-].
    """
    dt = log_uniform(rng, dt_range, paths)
    rate = np.empty((paths, steps))
    strain, slope, left = np.zeros(paths), np.zeros(paths), np.zeros(paths, int)
    for step in range(steps):
        turning = left == 0
        change, speed = _next_piece(rng, strain[turning], rates, ends)
        whole = np.maximum(1, np.round(np.abs(change) / (speed * dt[turning]))).astype(int)
        slope[turning], left[turning] = change / (whole * dt[turning]), whole
        rate[:, step] = slope
        strain += slope * dt
        left -= 1
    return integrate(rate, np.repeat(dt[:, None], steps, axis=1))


def varied(
    rng: np.random.Generator,
    paths: int,
    steps: int = STEPS,
    dt_range: Span = DT_RANGE,
    rates: Span = RATES,
) -> Loading:
    """As `walk`, with a time step that changes within a path: log-uniform for 1 to 60 steps each.

    In every fourth path the step stays as it is. Short steps then start from every state that long
    steps lead to, which they hardly would in a path of 200 short steps.

    Args:
        rng: source of random numbers.
        paths: how many.
        steps: in a path.
        dt_range: of the time steps, log-uniform [s].
        rates: of the pieces, log-uniform [1/s].
    """
    dt, rate = np.empty((paths, steps)), np.empty((paths, steps))
    strain, slope, rest = np.zeros(paths), np.zeros(paths), np.zeros(paths)
    size, remaining = np.zeros(paths), np.zeros(paths, int)
    steady = np.arange(paths) % 4 == 0
    for step in range(steps):
        changing = remaining == 0
        size[changing] = log_uniform(rng, dt_range, changing.sum())
        remaining[changing] = rng.integers(1, 61, changing.sum())
        remaining[changing & steady] = steps
        turning = rest <= 1e-9
        change, speed = _next_piece(rng, strain[turning], rates)
        slope[turning], rest[turning] = np.sign(change) * speed, np.abs(change) / speed
        # A piece ends on a sample: its last step is cut to what is left, but not below the range.
        dt[:, step] = np.clip(np.minimum(size, rest), dt_range[0], None)
        rate[:, step] = slope
        strain += slope * dt[:, step]
        rest -= dt[:, step]
        remaining -= 1
    return integrate(rate, dt)


def triangle(
    rng: np.random.Generator, paths: int, steps: int = STEPS, dt_range: Span = DT_RANGE
) -> Loading:
    """Triangular waves from zero, amplitude 0.5 to 2, period log-uniform 1 to 8 s."""
    return _wave(
        rng, paths, steps, dt_range, lambda t: 2 / np.pi * np.arcsin(np.sin(2 * np.pi * t))
    )


def sine(
    rng: np.random.Generator, paths: int, steps: int = STEPS, dt_range: Span = DT_RANGE
) -> Loading:
    """Sine waves from zero through the samples, amplitude 0.5 to 2, period log-uniform 1 to 8 s."""
    return _wave(rng, paths, steps, dt_range, lambda t: np.sin(2 * np.pi * t))


def relaxation(
    rng: np.random.Generator, paths: int, steps: int = STEPS, dt_range: Span = DT_RANGE
) -> Loading:
    """A ramp to 0.5 to 2 at a log-uniform rate of 0.5 to 8 /s, up or down, then a hold."""
    dt = log_uniform(rng, dt_range, paths)
    end = rng.uniform(0.5, AMPLITUDE, paths) * rng.choice([-1.0, 1.0], paths)
    ramp = np.maximum(1, np.round(np.abs(end) / log_uniform(rng, (0.5, 8.0), paths) / dt))
    rising = np.arange(steps) < ramp[:, None]
    rate = np.where(rising, (end / (ramp * dt))[:, None], 0.0)
    return integrate(rate, np.repeat(dt[:, None], steps, axis=1))


def multirate(
    rng: np.random.Generator, paths: int, steps: int = STEPS, dt_range: Span = DT_RANGE
) -> Loading:
    """As `walk`, with rates log-uniform 0.02 to 20 /s."""
    return walk(rng, paths, steps, dt_range, MULTIRATE_RATES)


def integrate(rate: np.ndarray, dt: np.ndarray) -> Loading:
    """Loading from rest with these rates [1/s] and time steps [s], both (paths, time)."""
    return Loading(np.cumsum(rate * dt, axis=1), rate, dt)


def refine(loading: Loading, factor: int) -> Loading:
    """The same paths with every step cut into `factor` equal ones, (paths, factor * time)."""
    strain, rate, dt = (np.repeat(values, factor, axis=1) for values in loading)
    left = np.tile(np.arange(factor - 1, -1, -1) / factor, loading.dt.shape[1])  # of the step
    return Loading(strain - rate * dt * left, rate, dt / factor)


FAMILIES: dict[str, Callable[..., Loading]] = {
    function.__name__: function
    for function in (walk, varied, triangle, sine, relaxation, multirate)
}


def _wave(
    rng: np.random.Generator,
    paths: int,
    steps: int,
    dt_range: Span,
    shape: Callable[[np.ndarray], np.ndarray],
) -> Loading:
    """Amplitude times shape(t / period), sampled and joined by straight lines."""
    dt = log_uniform(rng, dt_range, paths)[:, None]
    amplitude = rng.uniform(0.5, AMPLITUDE, (paths, 1))
    period = log_uniform(rng, (1.0, 8.0), paths)[:, None]
    strain = amplitude * shape(np.arange(steps + 1) * dt / period)
    return integrate(np.diff(strain, axis=1) / dt, np.repeat(dt, steps, axis=1))


def _next_piece(
    rng: np.random.Generator,
    strain: np.ndarray,
    rates: Span,
    ends: Span = (-AMPLITUDE, AMPLITUDE),
) -> tuple[np.ndarray, np.ndarray]:
    """Change of strain to a new turning point, and the rate of it."""
    change = rng.uniform(*ends, len(strain)) - strain
    return change, log_uniform(rng, rates, len(strain))


def log_uniform(rng: np.random.Generator, bounds: Span, size: int) -> np.ndarray:
    """`size` numbers whose logarithm is uniform between those of `bounds`."""
    low, high = np.log(bounds)
    return np.exp(rng.uniform(low, high, size))
