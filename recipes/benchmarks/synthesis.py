"""How many times faster than real time each synthetic sound is made, on one core.

python -m recipes.benchmarks.synthesis [--clips 30] [--rate 16000]
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # before NumPy reads them
    os.environ[_variable] = "1"
TARGET = 100


def main() -> int:
    """Measure every source, every scene and every condition; exit code 1 below the target."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=30, help="clips of each (default 30)")
    parser.add_argument("--rate", type=int, default=16_000, help="sample rate in Hz")
    arguments = parser.parse_args()
    if arguments.clips < 1 or not 8000 <= arguments.rate <= 192_000:
        print("error: --clips must be 1 or more, --rate 8000 to 192000", file=sys.stderr)
        return 2

    from zoo.data import synthesis

    rate, clips = arguments.rate, arguments.clips
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])

    def source(name: str) -> Callable[[int], object]:
        import numpy as np

        kind = synthesis.KINDS[name]

        def make(seed: int) -> object:
            rng = np.random.default_rng(seed)
            return kind.make(rng, 5 * rate, rate, **kind.draw(rng, 5.0))

        return make

    def scene(name: str) -> Callable[[int], object]:
        return lambda seed: synthesis.scene(name, seed=seed, sample_rate_hz=rate)

    def breath(condition: str) -> Callable[[int], object]:
        people = [synthesis.draw_patient(seed, condition) for seed in range(clips)]
        return lambda seed: synthesis.breath(
            people[seed % clips], seed=seed, sample_rate_hz=rate, duration_s=15.0
        )

    rows = [("source", name, source(name), 5.0) for name in synthesis.KINDS]
    rows += [("scene", name, scene(name), 5.0) for name in synthesis.SCENES]
    rows += [("breath", name, breath(name), 15.0) for name in synthesis.CONDITIONS]
    print(f"times real time at {rate} Hz, {clips} clips each, processor time of one core")
    print(f"{'':8}{'':18}{'median':>8}{'slowest':>9}")
    slow = []
    for kind, name, make, duration_s in rows:
        seconds = _seconds(make, clips)
        median = duration_s / statistics.median(seconds)
        print(f"{kind:8}{name:18}{median:8.0f}{duration_s / max(seconds):9.0f}", flush=True)
        if median < TARGET:
            slow.append(name)
    if slow:
        print(f"below {TARGET} times real time: {', '.join(slow)}")
    return 1 if slow else 0


def _seconds(make: Callable[[int], object], clips: int) -> list[float]:
    make(0)
    found = []
    for seed in range(clips):
        start = time.process_time()
        make(seed)
        found.append(time.process_time() - start)
    return found


if __name__ == "__main__":
    sys.exit(main())
