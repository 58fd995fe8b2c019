"""Runs each method in a process of its own and prints its time and memory."""

import multiprocessing

from recipes.benchmarks.jacobians.measurement import METHODS, measure_method
from recipes.benchmarks.jacobians.settings import Settings


def run(settings: Settings) -> None:
    """Measure every method and print one line for each.

    Args:
        settings: size of the problem.
    """
    width = 2 * settings.units
    print(
        f"{settings.layers} x LSTM({settings.units}), {settings.time} steps, batch "
        f"{settings.batch}: Jacobians of {width} x {width}"
    )
    spawn = multiprocessing.get_context("spawn")
    reference_s = None
    for method in METHODS:
        with spawn.Pool(1) as pool:
            result = pool.apply(measure_method, (method, settings))
        reference_s = reference_s or result.time_s
        print(
            f"{method:24} {result.time_s:9.1f} s  {result.time_s / reference_s:7.1f} x  "
            f"peak +{result.memory_mb:6.0f} MB  {result.remark}",
            flush=True,
        )
