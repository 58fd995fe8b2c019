"""Latency of a step on this machine, on one thread, measured in a process of its own.

In a process of its own, because a file that was not verified may crash it.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from zoo.edge import graph
from zoo.processes import with_parent

_WARM_UP_STEPS = 100  # steps that are not counted: caches and clocks settle
_INPUT_SCALE = 0.1  # deviation of the noise at the input


def measure(content: bytes, name: str, steps: int = 10_000) -> npt.NDArray[np.float64]:
    """Time each step [s], inputs set, model run and outputs read: (steps, 2).

    The first column is processor time, the second elapsed time, which on a busy machine includes
    waiting.

    Args:
        content: bytes of a TFLite file.
        name: of the file, for messages.
        steps: how many.

    Raises:
        ValueError: the model cannot be run.
    """
    child = subprocess.run(
        with_parent([sys.executable, "-m", "zoo.edge.latency", str(steps)]),
        input=content,
        capture_output=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    if child.returncode:
        lines = child.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise ValueError(f"{name}: the model cannot be run here: {lines[-1]}")
    return np.array(json.loads(child.stdout))


def latencies(content: bytes, steps: int) -> npt.NDArray[np.float64]:
    """As `measure`, in this process."""
    model = graph.read(content, "the model")
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    details = {each["index"]: each for each in interpreter.get_input_details()}
    values: dict[int, npt.NDArray[Any]] = {
        place: np.zeros(each["shape"], each["dtype"]) for place, each in details.items()
    }
    states = {  # output -> input of the next step
        model.outputs[after]: model.inputs[name] for name, after in model.states.items()
    }
    outputs = [each["index"] for each in interpreter.get_output_details()]
    rng = np.random.default_rng(0)
    times_s = np.empty((steps, 2))
    for k in range(-_WARM_UP_STEPS, steps):
        for place in values.keys() - set(states.values()):
            if values[place].dtype == np.float32:
                noise = np.abs(rng.normal(scale=_INPUT_SCALE, size=values[place].shape))
                values[place] = noise.astype(np.float32)
        began = time.thread_time(), time.perf_counter()
        for place, value in values.items():
            interpreter.set_tensor(place, value)
        interpreter.invoke()
        results = {place: interpreter.get_tensor(place) for place in outputs}
        if k >= 0:
            times_s[k] = time.thread_time() - began[0], time.perf_counter() - began[1]
        values |= {states[place]: results[place] for place in states}
    return times_s


if __name__ == "__main__":
    print(json.dumps(latencies(sys.stdin.buffer.read(), int(sys.argv[1])).tolist()))
