"""Time of every call of TFLite step models, their states fed back."""

import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from recipes.benchmarks.step_latency.settings import Settings

QUANTILES = (0.5, 0.99, 1.0)


def run(settings: Settings) -> None:
    """Print a Markdown table with a row for every step model.

    Raises:
        FileNotFoundError: a folder has no step model.
    """
    print("| model | file | bytes | median [µs] | 99 % [µs] | worst [µs] |")
    print("|---|---|---:|---:|---:|---:|")
    for folder in settings.folders:
        files = sorted(folder.glob("step*.tflite"))
        if not files:
            raise FileNotFoundError(f"{folder}: expected step*.tflite there, found none.")
        for file in files:
            latencies_us = measure_latencies(file.read_bytes(), settings.steps) * 1e6
            columns = " | ".join(f"{np.quantile(latencies_us, q):.0f}" for q in QUANTILES)
            print(f"| {folder.name} | {file.name} | {file.stat().st_size:,} | {columns} |")


def measure_latencies(model: bytes, steps: int) -> np.ndarray:
    """Duration [s] of every call from Python, conversion of arguments and results included.

    Args:
        model: contents of a TFLite file with the signature `step`.
        steps: number of calls.

    Returns:
        (steps,).
    """
    call = Interpreter(model_content=model, num_threads=1).get_signature_runner("step")
    shapes = {name: entry["shape"] for name, entry in call.get_input_details().items()}
    states = {name: np.zeros(shape, np.float32) for name, shape in shapes.items() if name != "x"}
    x = np.array([[0.0, 1.0, 0.05]], np.float32)
    durations_s = np.empty(steps)
    for k in range(steps):
        start = time.perf_counter()
        outputs = call(x=x, **states)
        states = {name: outputs[f"{name}_next"].copy() for name in states}
        durations_s[k] = time.perf_counter() - start
    return durations_s
