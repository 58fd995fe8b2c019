"""Loading histories by family, and the power-law Maxwell solid's exact answer to them."""

import zlib
from collections.abc import Callable
from typing import NamedTuple, Self

import numpy as np

from zoo.data.maxwell import Material, stress_response
from zoo.data.split import Quantity, Split

DT_RANGE = (0.025, 0.1)  # [s]
STEPS = 200
AMPLITUDE = 2.0
INPUTS = (
    Quantity("stretch", "-", "stretch at the end of the step, zero where the path begins"),
    Quantity("rate", "1/s", "slope of the stretch during the step"),
    Quantity("dt", "s", "length of the step"),
)
TARGETS = (Quantity("stress", "MPa", "stress at the end of the step"),)


class Loading(NamedTuple):
    """Piecewise-linear paths from rest at zero; each (paths, time) float64.

    Sample j stands at the end of step j; rate and dt are those of the step.
    """

    stretch: np.ndarray
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
    dt_range: tuple[float, float] = DT_RANGE,
    rates: tuple[float, float] = (0.2, 8.0),
) -> Loading:
    """Straight pieces between turning points uniform in ±2, at log-uniform rates, one dt a path.

    A piece takes a whole number of steps, so its rate is rounded to fit.
    """
    dt = _log_uniform(rng, dt_range, paths)
    rate = np.empty((paths, steps))
    here, slope, left = np.zeros(paths), np.zeros(paths), np.zeros(paths, int)
    for step in range(steps):
        turning = left == 0
        way, speed = _next_piece(rng, here[turning], rates)
        whole = np.maximum(1, np.round(np.abs(way) / (speed * dt[turning]))).astype(int)
        slope[turning], left[turning] = way / (whole * dt[turning]), whole
        rate[:, step] = slope
        here += slope * dt
        left -= 1
    return _loading(rate, np.repeat(dt[:, None], steps, axis=1))


def varied(
    rng: np.random.Generator,
    paths: int,
    steps: int = STEPS,
    dt_range: tuple[float, float] = DT_RANGE,
    rates: tuple[float, float] = (0.2, 8.0),
) -> Loading:
    """As `walk`, with a time step that changes within a path: log-uniform for 1 to 60 steps each.

    In every fourth path the step stays as it is. Short steps then meet every state that long ones
    lead to, which they hardly would in a path of 200 short steps.
    """
    dt, rate = np.empty((paths, steps)), np.empty((paths, steps))
    here, slope, rest = np.zeros(paths), np.zeros(paths), np.zeros(paths)
    size, lasts = np.zeros(paths), np.zeros(paths, int)
    steady = np.arange(paths) % 4 == 0
    for step in range(steps):
        changing = lasts == 0
        size[changing] = _log_uniform(rng, dt_range, changing.sum())
        lasts[changing] = rng.integers(1, 61, changing.sum())
        lasts[changing & steady] = steps
        turning = rest <= 1e-9
        way, speed = _next_piece(rng, here[turning], rates)
        slope[turning], rest[turning] = np.sign(way) * speed, np.abs(way) / speed
        # A piece ends on a sample: its last step is cut to what is left, but not below the range.
        dt[:, step] = np.clip(np.minimum(size, rest), dt_range[0], None)
        rate[:, step] = slope
        here += slope * dt[:, step]
        rest -= dt[:, step]
        lasts -= 1
    return _loading(rate, dt)


def triangle(rng, paths, steps=STEPS, dt_range=DT_RANGE) -> Loading:
    """Triangular waves from zero, amplitude 0.5 to 2, period log-uniform 1 to 8 s."""
    return _wave(
        rng, paths, steps, dt_range, lambda t: 2 / np.pi * np.arcsin(np.sin(2 * np.pi * t))
    )


def sine(rng, paths, steps=STEPS, dt_range=DT_RANGE) -> Loading:
    """Sine waves from zero through the samples, amplitude 0.5 to 2, period log-uniform 1 to 8 s."""
    return _wave(rng, paths, steps, dt_range, lambda t: np.sin(2 * np.pi * t))


def relaxation(rng, paths, steps=STEPS, dt_range=DT_RANGE) -> Loading:
    """A ramp to 0.5 to 2 at a log-uniform rate of 0.5 to 8 /s, either way, then a hold."""
    dt = _log_uniform(rng, dt_range, paths)
    end = rng.uniform(0.5, AMPLITUDE, paths) * rng.choice([-1.0, 1.0], paths)
    ramp = np.maximum(1, np.round(np.abs(end) / _log_uniform(rng, (0.5, 8.0), paths) / dt))
    rising = np.arange(steps) < ramp[:, None]
    rate = np.where(rising, (end / (ramp * dt))[:, None], 0.0)
    return _loading(rate, np.repeat(dt[:, None], steps, axis=1))


def multirate(rng, paths, steps=STEPS, dt_range=DT_RANGE) -> Loading:
    """As `walk`, with rates log-uniform 0.02 to 20 /s."""
    return walk(rng, paths, steps, dt_range, rates=(0.02, 20.0))


def refine(loading: Loading, factor: int) -> Loading:
    """The same paths with every step cut into `factor` equal ones, (paths, factor * time)."""
    stretch, rate, dt = (np.repeat(values, factor, axis=1) for values in loading)
    left = np.tile(np.arange(factor - 1, -1, -1) / factor, loading.dt.shape[1])  # of the step
    return Loading(stretch - rate * dt * left, rate, dt / factor)


FAMILIES: dict[str, Callable[..., Loading]] = {
    function.__name__: function
    for function in (walk, varied, triangle, sine, relaxation, multirate)
}
PROTOCOL = (*(name for name in FAMILIES if name != "varied"), "long", "fine", "coarse", "noise")


def load(
    name: str,
    *,
    paths: int,
    seed: int,
    steps: int = STEPS,
    dt_range: tuple[float, float] = DT_RANGE,
) -> Loading:
    """Paths of one family or of one split of the protocol; every name draws from its own stream.

    Args:
        name: a family, or one of
            - `long`: walk, 10 times the steps;
            - `fine`: walk, every step cut into 8, so dt / 8 and the same duration;
            - `coarse`: walk with dt * 4 and a quarter of the steps;
            - `noise`: walk.
        paths: how many.
        seed: of the paths; different names are independent under one seed.
        steps: how many in each path, for a duration of steps * dt.
        dt_range: time steps [s] are log-uniform in it.
    """
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    if name in FAMILIES:
        return FAMILIES[name](rng, paths, steps, dt_range)
    if name == "long":
        return walk(rng, paths, 10 * steps, dt_range)
    if name == "fine":
        return refine(walk(rng, paths, steps, dt_range), 8)
    if name == "coarse":
        return walk(rng, paths, max(1, steps // 4), (4 * dt_range[0], 4 * dt_range[1]))
    if name == "noise":
        return walk(rng, paths, steps, dt_range)
    raise ValueError(
        f"`name` must be one of {', '.join(dict.fromkeys((*FAMILIES, *PROTOCOL)))}. "
        f"Received: {name!r}."
    )


def split(
    name: str,
    *,
    paths: int,
    seed: int,
    steps: int = STEPS,
    dt_range: tuple[float, float] = DT_RANGE,
    material: Material = Material(),
) -> Split:
    """Paths of `load` with their stress; `noise` adds 1 % of each input's RMS to the inputs."""
    result = simulate(
        name, load(name, paths=paths, seed=seed, steps=steps, dt_range=dt_range), material
    )
    if name == "noise":
        rng = np.random.default_rng([seed, zlib.crc32(b"noise on the inputs")])
        size = 0.01 * np.sqrt(np.mean(np.square(result.x), axis=(0, 1)))
        noisy = result.x + rng.normal(size=result.x.shape) * size
        # Time never runs backwards, not even by a bad clock.
        noisy[..., 2] = np.maximum(noisy[..., 2], 0.1 * result.x[..., 2])
        result = Split(
            name, noisy.astype(np.float32), result.y, INPUTS, TARGETS, groups=result.groups
        )
    return result


def protocol(
    *,
    paths: int = 300,
    seed: int,
    material: Material = Material(),
    dt_range: tuple[float, float] = DT_RANGE,
    steps: int = STEPS,
) -> dict[str, Split]:
    """Every test split: the training family, other loading, other rates, lengths and time steps."""
    return {
        name: split(name, paths=paths, seed=seed, steps=steps, dt_range=dt_range, material=material)
        for name in PROTOCOL
    }


def refinement(
    *,
    paths: int = 300,
    seed: int,
    factor: int = 8,
    material: Material = Material(),
    dt_range: tuple[float, float] = DT_RANGE,
    steps: int = STEPS,
) -> tuple[Split, Split]:
    """The same walks at dt and at dt / `factor`; they share the samples [factor − 1 :: factor]."""
    coarse = load("walk", paths=paths, seed=seed, steps=steps, dt_range=dt_range)
    return (
        simulate("at dt", coarse, material),
        simulate(f"at dt / {factor}", refine(coarse, factor), material),
    )


def cycle(
    *,
    amplitude: float = 1.5,
    period_s: float = 4.0,
    cycles: int = 2,
    dt_s: float = 0.05,
    material: Material = Material(),
) -> Split:
    """One triangular loading from zero, for figures."""
    quarter = max(1, round(period_s / 4 / dt_s))
    signs = np.repeat([1.0, -1.0, -1.0, 1.0] * cycles, quarter)[None]
    rate = signs * amplitude / (quarter * dt_s)
    return simulate("cycle", _loading(rate, np.full_like(rate, dt_s)), material)


def simulate(name: str, loading: Loading, material: Material) -> Split:
    """A split of `loading` and the material's stress; every path is its own group."""
    stress = stress_response(loading.rate, loading.dt, material)
    return Split(
        name,
        x=loading.x,
        y=stress[..., None].astype(np.float32),
        inputs=INPUTS,
        targets=TARGETS,
        groups=np.arange(len(stress)),
    )


def _loading(rate: np.ndarray, dt: np.ndarray) -> Loading:
    return Loading(np.cumsum(rate * dt, axis=1), rate, dt)


def _wave(rng, paths, steps, dt_range, shape) -> Loading:
    """Amplitude times shape(t / period), sampled and joined by straight lines."""
    dt = _log_uniform(rng, dt_range, paths)[:, None]
    amplitude = rng.uniform(0.5, AMPLITUDE, (paths, 1))
    period = _log_uniform(rng, (1.0, 8.0), paths)[:, None]
    stretch = amplitude * shape(np.arange(steps + 1) * dt / period)
    return _loading(np.diff(stretch, axis=1) / dt, np.repeat(dt, steps, axis=1))


def _next_piece(rng, here, rates) -> tuple[np.ndarray, np.ndarray]:
    """Way to a new turning point and the speed to go there."""
    way = rng.uniform(-AMPLITUDE, AMPLITUDE, len(here)) - here
    return way, _log_uniform(rng, rates, len(here))


def _log_uniform(rng, bounds, size) -> np.ndarray:
    return np.exp(rng.uniform(*np.log(bounds), size))
