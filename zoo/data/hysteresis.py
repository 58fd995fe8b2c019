"""Splits of simulated data: loading histories with the exact stress of the power-law Maxwell solid.

`protocol` gives every split that a stress-history model is tested on.
"""

import zlib
from dataclasses import replace

import numpy as np

from zoo.data.broad import broad, broad_and_staircase, relative_weight, staircase
from zoo.data.loading import DT_RANGE, FAMILIES, STEPS, Loading, Span, integrate, refine, walk
from zoo.data.maxwell import Material, stress_response
from zoo.data.quantities import loading_inputs, response_target
from zoo.data.split import Split

NOISE = 0.01  # of the split `noise`, share of each input's RMS
FINE_FACTOR = 8  # the split `fine` cuts each step into so many
COARSE_FACTOR = 4  # the split `coarse` has steps so many times as long
LONG_FACTOR = 10  # the split `long` has so many times as many steps
INPUTS = loading_inputs()
TARGETS = (response_target(),)
WITH_STAIRCASE = "broad+staircase"
WEIGHTED = {"broad": broad, WITH_STAIRCASE: broad_and_staircase}  # each path by its relative error
OTHER_FAMILIES = {**WEIGHTED, "staircase": staircase}  # beyond the protocol
PROTOCOL = (*(name for name in FAMILIES if name != "varied"), "long", "fine", "coarse", "noise")


def load(
    name: str,
    *,
    paths: int,
    seed: int,
    steps: int = STEPS,
    dt_range: Span = DT_RANGE,
) -> Loading:
    """Paths of one family or of one split of the protocol; every name draws from its own stream.

    Args:
        name: a family of `zoo.data.loading` or `zoo.data.broad`, or one of
            - `long`: walk, 10 times the steps;
            - `fine`: walk, every step cut into 8, so dt / 8 and the same duration;
            - `coarse`: walk with dt * 4 and a quarter of the steps;
            - `noise`: walk.
        paths: how many.
        seed: of the paths; different names are independent under one seed.
        steps: how many in each path, for a duration of steps * dt.
        dt_range: time steps [s] are log-uniform in it.

    Raises:
        ValueError: an unknown name.
    """
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    families = {**FAMILIES, **OTHER_FAMILIES}
    if name in families:
        return families[name](rng, paths, steps, dt_range)
    if name == "long":
        return walk(rng, paths, LONG_FACTOR * steps, dt_range)
    if name == "fine":
        return refine(walk(rng, paths, steps, dt_range), FINE_FACTOR)
    if name == "coarse":
        low, high = dt_range
        coarse = (COARSE_FACTOR * low, COARSE_FACTOR * high)
        return walk(rng, paths, max(1, steps // COARSE_FACTOR), coarse)
    if name == "noise":
        return walk(rng, paths, steps, dt_range)
    raise ValueError(
        f"`name` must be one of {', '.join(dict.fromkeys((*families, *PROTOCOL)))}. "
        f"Received: {name!r}."
    )


def split(
    name: str,
    *,
    paths: int,
    seed: int,
    steps: int = STEPS,
    dt_range: Span = DT_RANGE,
    material: Material = Material(),
) -> Split:
    """Paths of `load` with their stress; `noise` adds 1 % of each input's RMS to the inputs.

    Paths of `broad` and `broad+staircase` have weights, so that each counts by its relative error.

    Args:
        name: as for `load`.
        paths: how many.
        seed: of the paths.
        steps: in a path.
        dt_range: of the time steps, log-uniform [s].
        material: constants of the solid.

    Raises:
        ValueError: an unknown name.
    """
    result = simulate(
        name, load(name, paths=paths, seed=seed, steps=steps, dt_range=dt_range), material
    )
    if name in WEIGHTED:
        weight = relative_weight(result.y[..., 0], material.sigma0_mpa)
        return replace(result, weight=weight)
    if name == "noise":
        rng = np.random.default_rng([seed, zlib.crc32(b"noise on the inputs")])
        size = NOISE * np.sqrt(np.mean(np.square(result.x), axis=(0, 1)))
        noisy = result.x + rng.normal(size=result.x.shape) * size
        # A time step is never negative.
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
    dt_range: Span = DT_RANGE,
    steps: int = STEPS,
) -> dict[str, Split]:
    """Every test split: the training family, other loading, other rates, lengths and time steps.

    Args:
        paths: of each split.
        seed: of the paths.
        material: constants of the solid.
        dt_range: of the time steps, log-uniform [s].
        steps: in a path.

    Returns:
        Name of `PROTOCOL` -> split.
    """
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
    dt_range: Span = DT_RANGE,
    steps: int = STEPS,
) -> tuple[Split, Split]:
    """The same walks at dt and at dt / `factor`; they share the samples [factor − 1 :: factor].

    Args:
        paths: how many.
        seed: of the paths.
        factor: steps in place of one.
        material: constants of the solid.
        dt_range: of the time steps, log-uniform [s].
        steps: in a path, at dt.
    """
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
    """One triangular loading from zero, for figures.

    Args:
        amplitude: largest strain [-].
        period_s: of a cycle [s].
        cycles: how many.
        dt_s: time step [s].
        material: constants of the solid.
    """
    quarter = max(1, round(period_s / 4 / dt_s))
    signs = np.repeat([1.0, -1.0, -1.0, 1.0] * cycles, quarter)[None]
    rate = signs * amplitude / (quarter * dt_s)
    return simulate("cycle", integrate(rate, np.full_like(rate, dt_s)), material)


def simulate(name: str, loading: Loading, material: Material) -> Split:
    """A split of `loading` and the stress of the material; every path is its own group."""
    stress = stress_response(loading.rate, loading.dt, material)
    return Split(
        name,
        x=loading.x,
        y=stress[..., None].astype(np.float32),
        inputs=INPUTS,
        targets=TARGETS,
        groups=np.arange(len(stress)),
    )
