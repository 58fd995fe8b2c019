"""Training steps of LSTM stacks in three libraries, timed in turns."""

import statistics
import time
from collections.abc import Callable

import keras
import tensorflow as tf

from recipes.benchmarks.lstm_training.peers import Duration, Peers
from recipes.benchmarks.lstm_training.settings import Settings
from recipes.benchmarks.lstm_training.worker import random_batch
from zoo.cells import LSTMCell
from zoo.recurrent import fused_graphs, recurrent_model

WARM_UP_STEPS = 3
REFERENCE = "keras.layers.LSTM"

Step = Callable[[], Duration]  # trains once


def run(settings: Settings) -> None:
    """Measure every implementation that is installed and print a line for each."""
    plain, fused = (visible_model(settings, fused=fused) for fused in (False, True))
    steps: dict[str, Step] = {
        REFERENCE: tensorflow_step(keras_model(settings), settings),
        "visible LSTM, XLA": tensorflow_step(fused, settings, compiled=True),
        "visible LSTM, one op": tensorflow_step(fused, settings),
        "visible LSTM, loop": tensorflow_step(plain, settings),
    }
    with Peers(settings) as peers:
        steps |= peers.steps
        durations = time_in_turns(steps, settings.rounds)
    print_table(durations, settings)


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


def tensorflow_step(model: keras.Model, settings: Settings, compiled: bool = False) -> Step:
    """Training step of a Keras model, as a TensorFlow graph or compiled by XLA."""
    shape = (settings.batch, settings.time, settings.features)
    x, y = (tf.constant(values) for values in random_batch(*shape))
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)

    @tf.function(jit_compile=compiled)
    def step() -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        with tf.GradientTape() as tape, fused_graphs(compiled):
            outputs = model(x, training=True)
            loss = tf.reduce_mean(tf.square(outputs["prediction"] - y))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        # The states are returned, so that the graph cannot leave them out.
        return loss, {name: values for name, values in outputs.items() if name != "prediction"}

    def timed() -> Duration:
        start, processor = time.perf_counter(), time.process_time()
        float(step()[0])
        return Duration(time.perf_counter() - start, time.process_time() - processor)

    return timed


def time_in_turns(steps: dict[str, Step], rounds: int) -> dict[str, list[Duration]]:
    """Times of every step of each implementation, one after the other in each round."""
    for step in steps.values():
        for _ in range(WARM_UP_STEPS):
            step()
    durations: dict[str, list[Duration]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            durations[name].append(step())
    return durations


def print_table(durations: dict[str, list[Duration]], settings: Settings) -> None:
    """Print median and range of processor time, its ratio to Keras' LSTM, and the median time."""
    print(
        f"{settings.layers} x {settings.units} units, batch {settings.batch}, time "
        f"{settings.time}, {settings.features} features, {settings.threads} threads: median of "
        f"{settings.rounds} training steps in turns\n"
        f"| {'':22} | processor [ms] | range [ms]    | of Keras' | elapsed [ms] |\n"
        f"|{'-' * 24}|---------------:|---------------|----------:|-------------:|"
    )
    reference_s = statistics.median(each.processor_s for each in durations[REFERENCE])
    for name, values in durations.items():
        processor = sorted(1e3 * each.processor_s for each in values)
        elapsed = statistics.median(1e3 * each.elapsed_s for each in values)
        median = statistics.median(processor)
        print(
            f"| {name:22} | {median:14.1f} | {processor[0]:5.1f} to {processor[-1]:5.1f} "
            f"| {1e-3 * median / reference_s:9.2f} | {elapsed:12.1f} |"
        )
