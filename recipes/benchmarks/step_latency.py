"""Microseconds a step and bytes of every TFLite step model of a folder, on one thread.

python -m recipes.benchmarks.step_latency saved_models/hysteresis-lstm
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np


def main() -> int:
    """Step every model in closed loop, its states fed back, and print a row for each."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument(
        "folders", type=Path, nargs="+", help="such as saved_models/hysteresis-lstm"
    )
    parser.add_argument("--steps", type=int, default=10_000)
    options = parser.parse_args()

    print("| model | file | bytes | median [µs] | 99 % [µs] | worst [µs] |")
    print("|---|---|---:|---:|---:|---:|")
    for folder in options.folders:
        files = sorted(folder.glob("step*.tflite"))
        if not files:
            print(f"error: {folder}: no step*.tflite there.", file=sys.stderr)
            return 2
        for file in files:
            took = np.sort(latencies(file.read_bytes(), options.steps)) * 1e6
            figures = " | ".join(f"{np.quantile(took, q):.0f}" for q in (0.5, 0.99, 1.0))
            print(f"| {folder.name} | {file.name} | {file.stat().st_size:,} | {figures} |")
    return 0


def latencies(model: bytes, steps: int) -> np.ndarray:
    """Seconds of every call from Python, arguments and answers included; (steps,)."""
    from ai_edge_litert.interpreter import Interpreter

    run = Interpreter(model_content=model, num_threads=1).get_signature_runner("step")
    shapes = {name: entry["shape"] for name, entry in run.get_input_details().items()}
    states = {name: np.zeros(shape, np.float32) for name, shape in shapes.items() if name != "x"}
    x = np.array([[0.0, 1.0, 0.05]], np.float32)
    took = np.empty(steps)
    for k in range(steps):
        began = time.perf_counter()
        outputs = run(x=x, **states)
        states = {name: outputs[f"{name}_next"].copy() for name in states}
        took[k] = time.perf_counter() - began
    return took


if __name__ == "__main__":
    sys.exit(main())
