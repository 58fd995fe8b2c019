"""Seconds per training step: Keras' LSTM, the visible LSTM with every state, torch's LSTM.

python -m recipes.benchmarks.lstm_training [--units 32] [--layers 2] [--batch 64] [--time 100]
    [--rounds 30]

All train on the same random batch with mean squared error and Adam, in one process and in turns, so
that a busy machine slows all of them alike; the ratio is of medians. TensorFlow's run as
`tf.function` graphs without XLA, which is slower here. The visible ones return every hidden and
cell state of every step: as a user gets it, which is one op for all steps up to the width in
`zoo/cells/gated/fused.py`, and always step by step.
"""

import argparse
import importlib.util
import os
import statistics
import sys
import time
from collections.abc import Callable

WARM_UP = 3


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=32, help="width of a layer (default 32)")
    parser.add_argument("--layers", type=int, default=2, help="layers (default 2)")
    parser.add_argument("--batch", type=int, default=64, help="sequences in a batch (default 64)")
    parser.add_argument("--time", type=int, default=100, help="steps of a sequence (default 100)")
    parser.add_argument("--features", type=int, default=3, help="width of the input (default 3)")
    parser.add_argument("--rounds", type=int, default=30, help="training steps each (default 30)")
    options = parser.parse_args()
    if min(vars(options).values()) < 1:
        print("error: every option must be 1 or more", file=sys.stderr)
        return 2
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    steps = _tensorflow_steps(options)
    if importlib.util.find_spec("torch") is not None:
        steps["torch.nn.LSTM"] = _torch_step(options)
    took = _in_turns(steps, options.rounds)
    _print(took, options)
    if "torch.nn.LSTM" not in steps:
        print("torch.nn.LSTM: not installed")
    return 0


def _batch(options: argparse.Namespace):
    """Random input (batch, time, features) and target (batch, time, 1)."""
    import numpy as np

    draw = np.random.default_rng(0)
    x = draw.standard_normal((options.batch, options.time, options.features), np.float32)
    return x, np.tanh(x.cumsum(axis=1)[..., :1] / 10)


def _tensorflow_steps(options: argparse.Namespace) -> dict[str, Callable[[], object]]:
    import keras

    from zoo.cells import LSTMCell
    from zoo.recurrent import recurrent_model

    def visible(fused):
        cells = [LSTMCell(options.units) for _ in range(options.layers)]
        return recurrent_model(cells, features=options.features, fused=fused)

    inputs = h = keras.Input((None, options.features))
    for _ in range(options.layers):
        h = keras.layers.LSTM(options.units, return_sequences=True)(h)
    by_keras = keras.Model(inputs, {"prediction": keras.layers.Dense(1)(h)})
    models = {
        "keras.layers.LSTM": by_keras,
        "visible LSTM": visible(fused=True),
        "visible LSTM, loop": visible(fused=False),
    }
    return {name: _tensorflow_step(model, options) for name, model in models.items()}


def _tensorflow_step(model, options: argparse.Namespace) -> Callable[[], object]:
    import keras
    import tensorflow as tf

    x, y = (tf.constant(values) for values in _batch(options))
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)

    @tf.function(jit_compile=False)
    def step():
        with tf.GradientTape() as tape:
            outputs = model(x, training=True)
            loss = tf.reduce_mean(tf.square(outputs["prediction"] - y))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        # The states are returned, so that the graph cannot leave them out.
        return loss, {name: values for name, values in outputs.items() if name != "prediction"}

    return lambda: float(step()[0])


def _torch_step(options: argparse.Namespace) -> Callable[[], object]:
    import torch

    x, y = (torch.from_numpy(values) for values in _batch(options))
    layer = torch.nn.LSTM(options.features, options.units, options.layers, batch_first=True)
    readout = torch.nn.Linear(options.units, 1)
    optimizer = torch.optim.Adam([*layer.parameters(), *readout.parameters()])

    def step():
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(readout(layer(x)[0]), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def _in_turns(steps: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of every step of each, one after the other, round after round."""
    for step in steps.values():
        for _ in range(WARM_UP):
            step()
    took = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            began = time.perf_counter()
            step()
            took[name].append(time.perf_counter() - began)
    return took


def _print(took: dict[str, list[float]], options: argparse.Namespace) -> None:
    print(
        f"{options.layers} x {options.units} units, batch {options.batch}, time {options.time}, "
        f"{options.features} features: median of {options.rounds} training steps"
    )
    reference = statistics.median(took["keras.layers.LSTM"])
    for name, seconds in took.items():
        middle = statistics.median(seconds)
        print(f"  {name:22} {1000 * middle:>8.1f} ms {middle / reference:>7.2f} x keras")


if __name__ == "__main__":
    sys.exit(main())
