"""Training steps of LSTM stacks in three libraries, timed in turns."""

import importlib
import importlib.util
import statistics
import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from recipes.benchmarks.lstm_training.settings import Settings
from zoo.cells import LSTMCell
from zoo.recurrent import recurrent_model

WARM_UP_STEPS = 3
REFERENCE = "keras.layers.LSTM"
TORCH = "torch.nn.LSTM"

Step = Callable[[], float]  # trains once, returns the loss


def run(settings: Settings) -> None:
    """Measure every implementation that is installed and print a line for each."""
    steps = {
        REFERENCE: tensorflow_step(keras_model(settings), settings),
        "visible LSTM": tensorflow_step(visible_model(settings, fused=True), settings),
        "visible LSTM, loop": tensorflow_step(visible_model(settings, fused=False), settings),
    }
    if importlib.util.find_spec("torch") is not None:
        steps[TORCH] = torch_step(settings)
    print_table(time_in_turns(steps, settings.rounds), settings)
    if TORCH not in steps:
        print(f"{TORCH}: not installed")


def random_batch(settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Random input (batch, time, features) and target (batch, time, 1), float32."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((settings.batch, settings.time, settings.features), np.float32)
    return x, np.tanh(x.cumsum(axis=1)[..., :1] / 10)


def keras_model(settings: Settings) -> keras.Model:
    """Stack of `keras.layers.LSTM` with a dense readout."""
    inputs = h = keras.Input((None, settings.features))
    for _ in range(settings.layers):
        h = keras.layers.LSTM(settings.units, return_sequences=True)(h)
    return keras.Model(inputs, {"prediction": keras.layers.Dense(1)(h)})


def visible_model(settings: Settings, fused: bool) -> keras.Model:
    """Stack of `zoo.cells.LSTMCell` with every state as an output."""
    cells = [LSTMCell(settings.units) for _ in range(settings.layers)]
    return recurrent_model(cells, features=settings.features, fused=fused)


def tensorflow_step(model: keras.Model, settings: Settings) -> Step:
    """Training step of a Keras model, as a TensorFlow graph."""
    x, y = (tf.constant(values) for values in random_batch(settings))
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)

    @tf.function(jit_compile=False)
    def step() -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        with tf.GradientTape() as tape:
            outputs = model(x, training=True)
            loss = tf.reduce_mean(tf.square(outputs["prediction"] - y))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        # The states are returned, so that the graph cannot leave them out.
        return loss, {name: values for name, values in outputs.items() if name != "prediction"}

    return lambda: float(step()[0])


def torch_step(settings: Settings) -> Step:
    """Training step of `torch.nn.LSTM` with a linear readout."""
    torch = importlib.import_module("torch")  # optional
    x, y = (torch.from_numpy(values) for values in random_batch(settings))
    layer = torch.nn.LSTM(settings.features, settings.units, settings.layers, batch_first=True)
    readout = torch.nn.Linear(settings.units, 1)
    optimizer = torch.optim.Adam([*layer.parameters(), *readout.parameters()])

    def step() -> float:
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(readout(layer(x)[0]), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def time_in_turns(steps: dict[str, Step], rounds: int) -> dict[str, list[float]]:
    """Duration [s] of every step of each implementation, one after the other in each round."""
    for step in steps.values():
        for _ in range(WARM_UP_STEPS):
            step()
    durations_s: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            durations_s[name].append(time.perf_counter() - start)
    return durations_s


def print_table(durations_s: dict[str, list[float]], settings: Settings) -> None:
    """Print the median of each implementation and its ratio to Keras'."""
    print(
        f"{settings.layers} x {settings.units} units, batch {settings.batch}, time "
        f"{settings.time}, {settings.features} features: median of {settings.rounds} training steps"
    )
    reference_s = statistics.median(durations_s[REFERENCE])
    for name, values in durations_s.items():
        median_s = statistics.median(values)
        print(f"  {name:22} {1000 * median_s:>8.1f} ms {median_s / reference_s:>7.2f} x keras")
