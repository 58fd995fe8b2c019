"""Time the simulator on two families, and compare a few paths with an ODE solver."""

import statistics
import time
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from recipes.benchmarks.simulator.settings import Settings
from zoo.data import hysteresis
from zoo.data.maxwell import Material, stress_response

EXPONENTS = (0.5, 1.0, 2.0, 3.0, 8.0)
FAMILIES = ("walk", "multirate")


def run(settings: Settings) -> None:
    """Measure and print a row for each family and exponent."""
    print(f"{settings.paths} paths x {settings.steps} steps, median of {settings.repeats}")
    print(f"{'family':<10} {'m':>4} {'clock s':>8} {'cpu s':>8} {'off Radau':>10}")
    for family in FAMILIES:
        for exponent in EXPONENTS:
            clock_s, processor_s, distance = measure_family(family, exponent, settings)
            print(
                f"{family:<10} {exponent:>4g} {clock_s:>8.2f} {processor_s:>8.2f} {distance:>10.1e}"
            )


def measure_family(family: str, exponent: float, settings: Settings) -> tuple[float, float, float]:
    """Median seconds by the clock and of the processor [s], largest distance from Radau [-].

    Args:
        family: of the loading.
        exponent: m of the material.
        settings: number and length of paths.
    """
    material = Material(exponent=exponent)
    loading = hysteresis.load(family, paths=settings.paths, seed=0, steps=settings.steps)
    clock_s, processor_s, stress = [], [], np.empty(0)
    for _ in range(settings.repeats):
        clock, processor = time.perf_counter(), time.process_time()
        stress = stress_response(loading.rate, loading.dt, material)
        clock_s.append(time.perf_counter() - clock)
        processor_s.append(time.process_time() - processor)
    distance = 0.0
    for path in range(min(settings.checked, settings.paths)):
        reference = solve_radau(loading.rate[path], loading.dt[path], exponent)
        difference = np.abs(stress[path] - reference).max() / np.abs(reference).max()
        distance = max(distance, float(difference))
    return statistics.median(clock_s), statistics.median(processor_s), distance


def solve_radau(rate: np.ndarray, dt: np.ndarray, exponent: float) -> np.ndarray:
    """Stress at the end of every step for E = ν0 = σ0 = 1, step by step because rates jump.

    Args:
        rate: of each step [1/s], (time,).
        dt: length of each step [s], (time,).
        exponent: m of the material.

    Returns:
        (time,).
    """
    stress = [0.0]
    for r, step in zip(rate, dt, strict=True):

        def slope(_: float, s: Any, r: float = r) -> Any:
            # sgn(s)|s|^m is s|s|^(m−1), finite at s = 0 for m < 1 as well.
            return r - np.sign(s) * np.abs(s) ** exponent

        solution = solve_ivp(slope, (0, step), stress[-1:], method="Radau", rtol=1e-10, atol=1e-12)
        stress.append(solution.y[0, -1])
    return np.array(stress[1:])
