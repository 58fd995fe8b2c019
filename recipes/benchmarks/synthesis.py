"""Speed of sound synthesis on one core, in multiples of real time.

python -m recipes.benchmarks.synthesis [--clips 30] [--rate 16000]
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from zoo.cli import command
from zoo.cli.options import positive_int

if TYPE_CHECKING:
    from types import ModuleType

MIN_REAL_TIME_FACTOR = 100
SCENE_S, BREATH_S = 5.0, 15.0


class Case(NamedTuple):
    """Something to time.

    Attributes:
        kind: "source", "scene" or "breath".
        name: of it.
        make: seed -> the sound.
        duration_s: of the sound [s].
    """

    kind: str
    name: str
    make: Callable[[int], object]
    duration_s: float


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.synthesis",
        description="Speed of sound synthesis on one core, in multiples of real time.",
        formatter_class=command.Help,
    )
    parser.add_argument("--clips", type=positive_int, default=30, help="of each kind")
    parser.add_argument("--rate", type=positive_int, default=16_000, help="sample rate [Hz]")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Time every source, scene and condition; exit code 1 if one is too slow.

    Raises:
        ValueError: a sample rate out of range.
    """
    options = parser().parse_args(arguments)
    rate_hz, clips = options.rate, options.clips
    if not 8000 <= rate_hz <= 192_000:
        raise ValueError(f"--rate must lie between 8000 and 192000. Received: {rate_hz}.")
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = "1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    # Here, since NumPy reads the environment when it is imported.
    from zoo.data import synthesis

    print(f"multiples of real time at {rate_hz} Hz, {clips} clips each, processor time of one core")
    print(f"{'':8}{'':18}{'median':>8}{'slowest':>9}")
    slow = []
    for case in list_cases(synthesis, rate_hz, clips):
        seconds = time_clips(case.make, clips)
        median = case.duration_s / statistics.median(seconds)
        slowest = case.duration_s / max(seconds)
        print(f"{case.kind:8}{case.name:18}{median:8.0f}{slowest:9.0f}", flush=True)
        if median < MIN_REAL_TIME_FACTOR:
            slow.append(case.name)
    if slow:
        print(f"below {MIN_REAL_TIME_FACTOR} times real time: {', '.join(slow)}")
    return 1 if slow else 0


def list_cases(synthesis: "ModuleType", rate_hz: int, clips: int) -> list[Case]:
    """Every source, every scene and every condition.

    Args:
        synthesis: the package `zoo.data.synthesis`.
        rate_hz: sample rate [Hz].
        clips: patients of each condition.
    """
    generator = synthesis.seeds.stream

    def source(name: str) -> Callable[[int], object]:
        kind = synthesis.KINDS[name]

        def make(seed: int) -> object:
            rng = generator(seed)
            parameters = kind.draw(rng, SCENE_S)
            return kind.make(rng, round(SCENE_S * rate_hz), rate_hz, **parameters)

        return make

    def scene(name: str) -> Callable[[int], object]:
        return lambda seed: synthesis.scene(name, seed=seed, sample_rate_hz=rate_hz)

    def breath(condition: str) -> Callable[[int], object]:
        patients = [synthesis.draw_patient(seed, condition) for seed in range(clips)]
        return lambda seed: synthesis.breath(
            patients[seed % clips], seed=seed, sample_rate_hz=rate_hz, duration_s=BREATH_S
        )

    return [
        *(Case("source", name, source(name), SCENE_S) for name in synthesis.KINDS),
        *(Case("scene", name, scene(name), SCENE_S) for name in synthesis.SCENES),
        *(Case("breath", name, breath(name), BREATH_S) for name in synthesis.CONDITIONS),
    ]


def time_clips(make: Callable[[int], object], clips: int) -> list[float]:
    """Processor time of each clip [s]."""
    make(0)
    seconds = []
    for seed in range(clips):
        start = time.process_time()
        make(seed)
        seconds.append(time.process_time() - start)
    return seconds


if __name__ == "__main__":
    command.run(main)
