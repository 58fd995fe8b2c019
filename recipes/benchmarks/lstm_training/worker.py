"""One peer in a process of its own: trains a step for every line that it reads.

    python worker.py LIBRARY UNITS LAYERS BATCH TIME FEATURES THREADS

LIBRARY is torch or jax (Keras on JAX); it need not be installed beside TensorFlow. For every line
of standard input it trains once and prints elapsed and processor time [s].
"""

import importlib
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np


def random_batch(batch: int, steps: int, features: int) -> tuple[np.ndarray, np.ndarray]:
    """Random input (batch, time, features) and target (batch, time, 1), float32."""
    x = np.random.default_rng(0).standard_normal((batch, steps, features), np.float32)
    return x, np.tanh(x.cumsum(axis=1)[..., :1] / 10)


def torch_step(units: int, layers: int, shape: tuple[int, int, int], threads: int) -> Any:
    """Training step of `torch.nn.LSTM` with a linear readout."""
    torch = importlib.import_module("torch")  # optional
    torch.set_num_threads(threads)
    x, y = (torch.from_numpy(values) for values in random_batch(*shape))
    layer = torch.nn.LSTM(shape[-1], units, layers, batch_first=True)
    readout = torch.nn.Linear(units, 1)
    optimizer = torch.optim.Adam([*layer.parameters(), *readout.parameters()])

    def step() -> float:
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(readout(layer(x)[0]), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def jax_step(units: int, layers: int, shape: tuple[int, int, int], threads: int) -> Any:
    """Training step of `keras.layers.LSTM` on JAX, as `train_on_batch` runs it."""
    os.environ["KERAS_BACKEND"] = "jax"
    if threads == 1:
        flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        os.environ["XLA_FLAGS"] = flags
    keras = importlib.import_module("keras")  # with that backend, in this process only
    x, y = random_batch(*shape)
    inputs = h = keras.Input(shape[1:])
    for _ in range(layers):
        h = keras.layers.LSTM(units, return_sequences=True)(h)
    model = keras.Model(inputs, keras.layers.Dense(1)(h))
    model.compile("adam", "mse")
    return lambda: float(model.train_on_batch(x, y))


LIBRARIES: dict[str, Callable[..., Any]] = {"torch": torch_step, "jax": jax_step}


def main(arguments: list[str]) -> None:
    """Train for every line of standard input."""
    library, (units, layers, *shape, threads) = arguments[0], map(int, arguments[1:])
    step = LIBRARIES[library](units, layers, tuple(shape), threads)
    for _ in sys.stdin:
        start, processor = time.perf_counter(), time.process_time()
        step()
        elapsed = time.perf_counter() - start, time.process_time() - processor
        print(*elapsed, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
