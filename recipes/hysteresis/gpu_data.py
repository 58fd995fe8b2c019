"""Simulated paths for a training on a GPU: features, stress, weights."""

import math
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from recipes.hysteresis.gpu_settings import GpuSettings
from zoo.data.broad import broad, relative_weight
from zoo.data.maxwell import stress_response
from zoo.processes import end_with_parent


@dataclass(frozen=True)
class Data:
    """Arrays of one split: features (paths, time, 5), stress and weight (paths, time)."""

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray


def simulate(
    paths: int, steps: int, dt_range: tuple[float, float], small_rms: float, seed: int, k: int
) -> Data:
    """One part of a split: broad loading, its exact stress, the features of `Increments`."""
    rng = np.random.default_rng([seed, steps, k])
    loading = broad(rng, paths, steps, dt_range)
    stress = stress_response(loading.rate, loading.dt)
    x = loading.x
    features = np.concatenate([x, x[..., 1:2] * x[..., 2:3], np.log(x[..., 2:3])], axis=-1)
    return Data(features, stress.astype(np.float32), relative_weight(stress, small_rms=small_rms))


def make_data(
    paths: int, steps: int, dt_range: tuple[float, float], settings: GpuSettings, seed: int
) -> Data:
    """A split, simulated in parts by several processes."""
    part = min(paths, 2000)
    count = math.ceil(paths / part)
    jobs = [
        (min(part, paths - k * part), steps, dt_range, settings.small_rms, seed, k)
        for k in range(count)
    ]
    pool = ProcessPoolExecutor(
        settings.workers, initializer=end_with_parent, initargs=(os.getpid(),)
    )
    with pool:
        parts = list(pool.map(simulate, *zip(*jobs, strict=True)))
    return Data(*(np.concatenate([getattr(p, f) for p in parts]) for f in ("x", "y", "weight")))
