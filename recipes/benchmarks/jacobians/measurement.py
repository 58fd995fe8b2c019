"""Measurement of one method in the present process."""

import resource
import time
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from recipes.benchmarks.jacobians.settings import Settings
from zoo.cells import LSTMCell
from zoo.memory import LayerStates, StepJacobians, record_states
from zoo.recurrent import recurrent_model

METHODS = ("StepJacobians", "batch_jacobian per step", "jacobian per step")


class Measurement(NamedTuple):
    """Cost of all step Jacobians of all layers.

    Attributes:
        time_s: time [s].
        memory_mb: peak memory of the process above that before the computation [MB].
        remark: how the time was obtained.
    """

    time_s: float
    memory_mb: float
    remark: str


def measure_method(method: str, settings: Settings) -> Measurement:
    """Time and memory of one method.

    Args:
        method: one of `METHODS`.
        settings: size of the problem.

    Returns:
        The measurement.
    """
    keras.utils.set_random_seed(0)
    model = recurrent_model([LSTMCell(settings.units) for _ in range(settings.layers)])
    shape = (settings.batch, settings.time, 3)
    runs = record_states(model, np.random.default_rng(0).standard_normal(shape, np.float32))
    before_mb = _peak_memory_mb()
    if method == METHODS[0]:
        time_s, remark = _time_step_jacobians(runs)
    else:
        is_batched = method == METHODS[1]
        time_s, remark = _time_naive(runs, settings.naive_steps, is_batched=is_batched)
    return Measurement(time_s, _peak_memory_mb() - before_mb, remark)


def _time_step_jacobians(runs: list[LayerStates]) -> tuple[float, str]:
    began = time.perf_counter()
    paths = [StepJacobians(run) for run in runs]
    rounds = []
    for _ in range(2):
        for path in paths:
            for jacobian in path:
                assert jacobian.any()
        rounds.append(time.perf_counter() - began)
        began = time.perf_counter()
    return rounds[0], f"first round; the second takes {rounds[1]:.1f} s"


def _time_naive(runs: list[LayerStates], count: int, *, is_batched: bool) -> tuple[float, str]:
    def differentiate(run: LayerStates, step: int) -> np.ndarray:
        x = tf.constant(run.x[step])
        state = tf.constant(run.states[step])
        with tf.GradientTape() as tape:
            tape.watch(state)
            after, _ = run.cell.step(x, run.cell.State(*tf.split(state, 2, axis=-1)))
            after = tf.concat(after, axis=-1)
        return (tape.batch_jacobian if is_batched else tape.jacobian)(after, state).numpy()

    differentiate(runs[0], 0)
    began = time.perf_counter()
    for step in range(1, 1 + count):
        for run in runs:
            differentiate(run, step % len(run.x))
    time_s = (time.perf_counter() - began) / count * len(runs[0].x)
    return time_s, f"scaled from {count} of {len(runs[0].x)} steps"


def _peak_memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
