"""How long a step takes here, on one thread, measured in a process of its own.

A process of its own, because a file that nobody vouches for may end it.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from zoo.edge import graph

_WARM_UP = 100  # steps that are not counted: caches and clocks settle
_SPAN = 0.1  # amplitude of the noise that is fed in


def measure(content: bytes, name: str, steps: int = 10_000) -> np.ndarray:
    """Seconds of every step: inputs and states handed in, run, outputs read; (steps,).

    Args:
        content: bytes of a TFLite file.
        name: of the file, for messages.
        steps: how many.

    Raises:
        ValueError: the model cannot be run.
    """
    child = subprocess.run(
        [sys.executable, "-m", "zoo.edge.latency", str(steps)],
        input=content,
        capture_output=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    if child.returncode:
        lines = child.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise ValueError(f"{name}: the model cannot be run here: {lines[-1]}")
    return np.array(json.loads(child.stdout))


def latencies(content: bytes, steps: int) -> np.ndarray:
    """As `measure`, in this process."""
    from ai_edge_litert.interpreter import Interpreter

    model = graph.read(content, "the model")
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    details = {each["index"]: each for each in interpreter.get_input_details()}
    values = {place: np.zeros(each["shape"], each["dtype"]) for place, each in details.items()}
    returning = {model.outputs[after]: model.inputs[name] for name, after in model.states.items()}
    outputs = [each["index"] for each in interpreter.get_output_details()]
    rng = np.random.default_rng(0)
    took = np.empty(steps)
    for k in range(-_WARM_UP, steps):
        for place in values.keys() - set(returning.values()):
            if values[place].dtype == np.float32:
                noise = np.abs(rng.normal(scale=_SPAN, size=values[place].shape))
                values[place] = noise.astype(np.float32)
        began = time.perf_counter()
        for place, value in values.items():
            interpreter.set_tensor(place, value)
        interpreter.invoke()
        answers = {place: interpreter.get_tensor(place) for place in outputs}
        if k >= 0:
            took[k] = time.perf_counter() - began
        values |= {returning[place]: answers[place] for place in returning}
    return took


if __name__ == "__main__":
    print(json.dumps(latencies(sys.stdin.buffer.read(), int(sys.argv[1])).tolist()))
