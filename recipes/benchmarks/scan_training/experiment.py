"""Training steps of cells with a linear recurrence, by a scan and step by step, timed in turns."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from recipes.benchmarks.scan_training.settings import Settings
from zoo.cells import LMUCell, LRUCell, MinGRUCell, VisibleCell
from zoo.files import write_text
from zoo.recurrent import recurrent_model
from zoo.report import Column, Table

WARM_UP_STEPS = 2
PUBLISHED = Path(__file__).parents[1] / "scan_training.md"
SCAN, LOOP, COMPILED_LOOP = "scan", "loop", "loop, XLA"
CELLS: dict[str, Callable[[int], VisibleCell]] = {
    "lru": LRUCell,
    "mingru": MinGRUCell,
    "lmu": lambda units: LMUCell(units, recurrent=False),
}

Step = Callable[[], float]  # trains once, returns the loss


def run(settings: Settings) -> None:
    """Measure every cell, print the table after each, and publish it."""
    rows: list[list[str | float]] = []
    for name, cell in CELLS.items():
        steps = {
            SCAN: training_step(cell, settings, fused=True, compiled=False),
            LOOP: training_step(cell, settings, fused=False, compiled=False),
            COMPILED_LOOP: training_step(cell, settings, fused=False, compiled=True),
        }
        medians_s = time_in_turns(steps, settings.rounds)
        for kind, median_s in medians_s.items():
            rows.append([name, kind, 1000 * median_s, median_s / medians_s[SCAN]])
        table = timing_table(rows, settings)
        print(table.text(), flush=True)
        if settings.publish:
            command = (
                f"python -m recipes.benchmarks.scan_training --units {settings.units} --batch "
                f"{settings.batch} --time {settings.time} --rounds {settings.rounds}"
            )
            text = f"{table.markdown()}\n{table.caption}\n\nMade by\n\n    {command}\n"
            write_text(PUBLISHED, text)


def timing_table(rows: list[list[str | float]], settings: Settings) -> Table:
    """A row for each cell and implementation.

    Args:
        rows: cell, implementation, median processor time [ms], its ratio to the scan's.
        settings: of the run.
    """
    return Table(
        [
            Column("cell"),
            Column("implementation"),
            Column("ms", number=".1f"),
            Column("times the scan", number=".2f"),
        ],
        rows,
        f"Processor time of a training step, median of {settings.rounds}: {settings.units} units, "
        f"batch {settings.batch}, {settings.time:,} time steps.",
    )


def random_batch(settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Features and Δt around 1, (batch, time, 3), and a target (batch, time, 1), float32."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((settings.batch, settings.time, 3), np.float32)
    x[..., 2] = rng.uniform(0.5, 1.5, x.shape[:2])
    return x, np.tanh(x.cumsum(axis=1)[..., :1] / 10)


def training_step(
    cell: Callable[[int], VisibleCell], settings: Settings, *, fused: bool, compiled: bool
) -> Step:
    """One step of Adam on a model of one cell, as a TensorFlow graph."""
    model = recurrent_model([cell(settings.units)], fused=fused)
    x, y = (tf.constant(values) for values in random_batch(settings))
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)

    @tf.function(jit_compile=compiled)
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            outputs = model(x, training=True)
            loss = tf.reduce_mean(tf.square(outputs["prediction"] - y))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    return lambda: float(step())


def time_in_turns(steps: dict[str, Step], rounds: int) -> dict[str, float]:
    """Median processor time [s] of a step of each implementation, in turns."""
    for step in steps.values():
        for _ in range(WARM_UP_STEPS):
            step()
    durations_s: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            start = time.process_time()
            step()
            durations_s[name].append(time.process_time() - start)
    return {name: statistics.median(values) for name, values in durations_s.items()}
