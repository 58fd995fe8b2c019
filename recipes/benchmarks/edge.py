"""The runtime for devices: start, damaged models, an hour of sound.

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

_START = """
import sys, time
began = time.perf_counter()
import zoo.edge
imported = time.perf_counter()
import numpy as np
model = zoo.edge.open(sys.argv[1], weights=sys.argv[2])
model.step(np.full(model.input_shape, 0.1, np.float32))
print(imported - began, time.perf_counter() - began, time.process_time())
"""
_BLOCK = 4096


def main() -> int:
    """Print what was measured, a line each; exit code 1 if a promise is broken."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path, help="model folder, such as saved_models/hearing-aid")
    parser.add_argument("--weights", default="float32", help="of the step file (%(default)s)")
    parser.add_argument("--mutations", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=60.0, help="of sound (%(default)s)")
    parser.add_argument("--rate", type=int, default=48_000, help="of the sound [Hz]")
    options = parser.parse_args()

    import zoo.edge

    kept = [start(options.folder, options.weights)]
    kept.append(damaged(options.folder, options.weights, options.mutations))
    model = zoo.edge.open(options.folder, weights=options.weights)
    if model.input_name == "waveform":
        kept.append(hours(model, options.rate, options.minutes))
    return 0 if all(kept) else 1


def start(folder: Path, weights: str, runs: int = 5) -> bool:
    """Seconds from a bare Python to the package and to the first answer, best of some runs."""
    took = []
    for _ in range(runs):
        done = subprocess.run(
            [sys.executable, "-c", _START, str(folder), weights],
            capture_output=True,
            text=True,
            check=True,
        )
        took.append([float(word) for word in done.stdout.split()])
    imported, answered, busy = np.min(took, axis=0)
    print(
        f"import {imported:.2f} s, import and first answer {answered:.2f} s, of which a processor "
        f"was busy {busy:.2f} s, Python's own start included (best of {runs})"
    )
    return imported < 0.5 and answered < 1.0


def damaged(folder: Path, weights: str, count: int) -> bool:
    """Open and step copies of a model, each with one of its two files damaged."""
    import zoo.edge
    from zoo.edge.folder import step_file
    from zoo.manifest import read_manifest

    step = step_file(read_manifest(folder), weights)
    outcomes = {name: Counter() for name in (step, "manifest.json")}
    with tempfile.TemporaryDirectory() as work:
        copy = Path(work, "model")
        copy.mkdir()
        for name in outcomes:
            shutil.copy(folder / name, copy / name)
        rng = np.random.default_rng(0)
        for k in range(count):
            name = step if k % 2 else "manifest.json"
            content = (folder / name).read_bytes()
            (copy / name).write_bytes(mutated(content, k // 2, rng))
            try:
                model = zoo.edge.open(copy, weights=weights)
                model.step(np.full(model.input_shape, 0.1, np.float32))
                outcomes[name]["answer"] += 1
            except ValueError as error:
                outcomes[name]["one line" if "\n" not in str(error) else "many lines"] += 1
            except Exception as error:
                outcomes[name][type(error).__name__] += 1
            (copy / name).write_bytes(content)
    for name, found in outcomes.items():
        print(f"{found.total()} damaged copies of {name}: {json.dumps(found)}")
    return all(set(found) == {"one line"} for found in outcomes.values())


def mutated(content: bytes, k: int, rng: np.random.Generator) -> bytes:
    """Cut short as by a kill, one bit flipped, a stretch overwritten, or a stretch left out."""
    data, place = bytearray(content), int(rng.integers(len(content)))
    length = int(rng.integers(1, 64))
    if k % 4 == 0:
        return content[:place]
    if k % 4 == 1:
        data[place] ^= 1 << int(rng.integers(8))
    elif k % 4 == 2:
        data[place : place + length] = rng.bytes(len(data[place : place + length]))
    else:
        del data[place : place + length]
    return bytes(data)


def hours(model, rate_hz: int, minutes: float) -> bool:
    """Memory of this process while it hears noise that comes and goes, in blocks of any size."""
    import zoo.edge

    listener = zoo.edge.Listener(model, rate_hz)
    rng = np.random.default_rng(0)
    noise = (0.1 * rng.standard_normal((rate_hz, 2)) * 32767).clip(-32000, 32000).astype(np.int16)
    total, heard, hops, at_start = round(60 * minutes * rate_hz), 0, 0, 0
    began, took = time.monotonic(), 0.0
    while heard < total:
        block = noise[: int(rng.integers(1, _BLOCK))] // int(rng.integers(1, 50))
        hops += len(listener.hear(block))
        heard += len(block)
        if not at_start and heard > total // 20:  # caches are full
            at_start = memory_kb()
    took = time.monotonic() - began
    grown = memory_kb() - at_start
    print(
        f"{minutes:g} minutes of stereo at {rate_hz} Hz: {hops} hops in {took:.0f} s, "
        f"{100 * took / (60 * minutes):.1f} % of real time; memory grew by {grown} kB, peak "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
    )
    return grown <= 1024


def memory_kb() -> int:
    """Resident memory of this process [kB]."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


if __name__ == "__main__":
    sys.exit(main())
