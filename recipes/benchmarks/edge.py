"""Benchmark of the runtime for devices: start time, damaged models, an hour of sound.

python -m recipes.benchmarks.edge saved_models/hearing-aid
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

import zoo.edge
from zoo.cli import command
from zoo.cli.options import positive_float, positive_int
from zoo.edge.manifest_entries import step_file_name
from zoo.manifest import NAME as MANIFEST
from zoo.manifest import read_manifest

START = """
import sys, time
start = time.perf_counter()
import zoo.edge
imported = time.perf_counter()
import numpy as np
model = zoo.edge.open(sys.argv[1], weights=sys.argv[2])
model.step(np.full(model.input_shape, 0.1, np.float32))
print(imported - start, time.perf_counter() - start, time.process_time())
"""
MAX_IMPORT_S, MAX_FIRST_STEP_S = 0.5, 1.0
MAX_GROWTH_KB = 1024  # of the memory during a stream
MAX_BLOCK = 4096  # samples
BEST_OF = 5


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.edge",
        description="Start time, damaged models and memory of the runtime for devices.",
        formatter_class=command.Help,
    )
    parser.add_argument("folder", type=Path, help="model folder, such as saved_models/hearing-aid")
    parser.add_argument("--weights", default="float32", help="of the step file")
    parser.add_argument("--mutations", type=positive_int, default=1000, help="damaged copies")
    parser.add_argument("--minutes", type=positive_float, default=60.0, help="of sound")
    parser.add_argument("--rate", type=positive_int, default=48_000, help="of the sound [Hz]")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Print a line for each measurement; exit code 1 if a limit is exceeded."""
    options = parser().parse_args(arguments)
    passed = [measure_start(options.folder, options.weights)]
    passed.append(open_damaged_copies(options.folder, options.weights, options.mutations))
    model = zoo.edge.open(options.folder, weights=options.weights)
    if model.input_name == "waveform":
        passed.append(measure_stream(model, options.rate, options.minutes))
    return 0 if all(passed) else 1


def measure_start(folder: Path, weights: str) -> bool:
    """Time from a new Python process to the import and to the first step, best of some runs.

    Args:
        folder: of the model.
        weights: of the step file.

    Returns:
        Whether both are within their limits.
    """
    times_s = []
    for _ in range(BEST_OF):
        process = subprocess.run(
            [sys.executable, "-c", START, str(folder), weights],
            capture_output=True,
            text=True,
            check=True,
        )
        times_s.append([float(word) for word in process.stdout.split()])
    import_s, first_step_s, processor_s = np.min(times_s, axis=0)
    print(
        f"import {import_s:.2f} s, import and first step {first_step_s:.2f} s, processor time "
        f"{processor_s:.2f} s, with the start of Python itself (best of {BEST_OF})"
    )
    return bool(import_s < MAX_IMPORT_S and first_step_s < MAX_FIRST_STEP_S)


def open_damaged_copies(folder: Path, weights: str, count: int) -> bool:
    """Open and step copies of a model, each with one of its two files damaged.

    Args:
        folder: of the model.
        weights: of the step file.
        count: copies.

    Returns:
        Whether every copy was refused with one line.
    """
    step_file = step_file_name(read_manifest(folder), weights)
    outcomes: dict[str, Counter[str]] = {name: Counter() for name in (step_file, MANIFEST)}
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as work:
        copy = Path(work, "model")
        copy.mkdir()
        for name in outcomes:
            shutil.copy(folder / name, copy / name)
        for number in range(count):
            name = step_file if number % 2 else MANIFEST
            content = (folder / name).read_bytes()
            (copy / name).write_bytes(mutate(content, number // 2, rng))
            outcomes[name][_outcome(copy, weights)] += 1
            (copy / name).write_bytes(content)
    for name, counts in outcomes.items():
        print(f"{counts.total()} damaged copies of {name}: {json.dumps(counts)}")
    return all(set(counts) == {"one line"} for counts in outcomes.values())


def _outcome(folder: Path, weights: str) -> str:
    """What opening and stepping a model ends in."""
    try:
        model = zoo.edge.open(folder, weights=weights)
        model.step(np.full(model.input_shape, 0.1, np.float32))
    except ValueError as error:
        return "many lines" if "\n" in str(error) else "one line"
    except Exception as error:  # any other kind is a defect, to be counted by its name
        return type(error).__name__
    return "output"


def mutate(content: bytes, number: int, rng: np.random.Generator) -> bytes:
    """Damage a file: cut short, one bit flipped, bytes overwritten, or bytes removed, in turn."""
    data, place = bytearray(content), int(rng.integers(len(content)))
    length = int(rng.integers(1, 64))
    match number % 4:
        case 0:
            return content[:place]
        case 1:
            data[place] ^= 1 << int(rng.integers(8))
        case 2:
            data[place : place + length] = rng.bytes(len(data[place : place + length]))
        case _:
            del data[place : place + length]
    return bytes(data)


def measure_stream(model: zoo.edge.StepModel, rate_hz: int, minutes: float) -> bool:
    """Memory and time of this process while it classifies noise in blocks of any size.

    Args:
        model: a sound model.
        rate_hz: of the stream [Hz].
        minutes: of sound [min].

    Returns:
        Whether the growth of memory is within its limit.
    """
    classifier = zoo.edge.StreamClassifier(model, rate_hz)
    rng = np.random.default_rng(0)
    noise = (0.1 * rng.standard_normal((rate_hz, 2)) * 32767).clip(-32000, 32000).astype(np.int16)
    total, samples, hops, at_start_kb = round(60 * minutes * rate_hz), 0, 0, 0
    start = time.monotonic()
    while samples < total:
        block = noise[: int(rng.integers(1, MAX_BLOCK))] // int(rng.integers(1, 50))
        hops += len(classifier.process(block))
        samples += len(block)
        if not at_start_kb and samples > total // 20:  # caches are full
            at_start_kb = memory_kb()
    elapsed_s = time.monotonic() - start
    growth_kb = memory_kb() - at_start_kb
    print(
        f"{minutes:g} minutes of stereo at {rate_hz} Hz: {hops} hops in {elapsed_s:.0f} s, "
        f"{100 * elapsed_s / (60 * minutes):.1f} % of real time; memory grew by {growth_kb} kB, "
        f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
    )
    return growth_kb <= MAX_GROWTH_KB


def memory_kb() -> int:
    """Resident memory of this process [kB]."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


if __name__ == "__main__":
    command.run(main)
