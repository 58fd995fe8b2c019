"""The exact simulator: seconds for many paths, and its distance from SciPy's Radau on a few.

python -m recipes.benchmarks.simulator [--paths 10000] [--steps 200] [--repeats 3] [--checked 4]

Paths are those of the training family, `walk`, and of `multirate`, whose rates span three decades.
The distance is the largest |σ − σ_Radau| over the path's largest |σ|; Radau runs at rtol 1e-10. On
a busy machine the processor's seconds say more than the clock's.
"""

import argparse
import statistics
import sys
import time

EXPONENTS = (0.5, 1.0, 2.0, 3.0, 8.0)
FAMILIES = ("walk", "multirate")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paths", type=int, default=10_000, help="timed paths (default 10000)")
    parser.add_argument("--steps", type=int, default=200, help="steps of a path (default 200)")
    parser.add_argument("--repeats", type=int, default=3, help="runs, the median counts")
    parser.add_argument("--checked", type=int, default=4, help="paths solved by Radau too")
    options = parser.parse_args()
    if min(vars(options).values()) < 1:
        print("error: every number must be 1 or more", file=sys.stderr)
        return 2
    print(f"{options.paths} paths x {options.steps} steps, median of {options.repeats}")
    print(f"{'family':<10} {'m':>4} {'clock s':>8} {'cpu s':>8} {'off Radau':>10}")
    for family in FAMILIES:
        for exponent in EXPONENTS:
            clock, cpu, worst = _measure(family, exponent, options)
            print(f"{family:<10} {exponent:>4g} {clock:>8.2f} {cpu:>8.2f} {worst:>10.1e}")
    return 0


def _measure(
    family: str, exponent: float, options: argparse.Namespace
) -> tuple[float, float, float]:
    """Median seconds by the clock and of the processor, and the worst distance from Radau."""
    from zoo.data import hysteresis
    from zoo.data.maxwell import Material, stress_response

    material = Material(exponent=exponent)
    loading = hysteresis.load(family, paths=options.paths, seed=0, steps=options.steps)
    clock, cpu = [], []
    for _ in range(options.repeats):
        start, busy = time.perf_counter(), time.process_time()
        stress = stress_response(loading.rate, loading.dt, material)
        clock.append(time.perf_counter() - start)
        cpu.append(time.process_time() - busy)
    worst = 0.0
    for path in range(min(options.checked, options.paths)):
        reference = _radau(loading.rate[path], loading.dt[path], exponent)
        distance = abs(stress[path] - reference).max() / abs(reference).max()
        worst = max(worst, distance)
    return statistics.median(clock), statistics.median(cpu), worst


def _radau(rate, dt, exponent: float):
    """Stress at the end of every step, E = ν0 = σ0 = 1, step by step because rates jump."""
    import numpy as np
    from scipy.integrate import solve_ivp

    stress = [0.0]
    for r, step in zip(rate, dt, strict=True):
        law = solve_ivp(
            # sgn(s)|s|^m is s|s|^(m−1), finite at s = 0 for m < 1 as well.
            lambda _, s, r=r: r - np.sign(s) * np.abs(s) ** exponent,
            (0, step),
            stress[-1:],
            method="Radau",
            rtol=1e-10,
            atol=1e-12,
        )
        stress.append(law.y[0, -1])
    return np.array(stress[1:])


if __name__ == "__main__":
    sys.exit(main())
