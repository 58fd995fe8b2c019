"""Training of one cell on the adding problem, with its Jacobians before and after."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from recipes.memory.adding import make_sequences
from zoo.cells import SimpleRNNCell
from zoo.memory import StepJacobians, fading, record_states
from zoo.memory.gradients import GradientNorms
from zoo.progress import say
from zoo.recurrent import VisibleRNN

BATCH_SIZE = 64
SOLVED_ERROR = 1e-3  # mean squared error, 1/170 of that of a constant prediction
EVALUATIONS = 48  # of the test error, in a full run
TEST_SEED, TEST_SEQUENCES = 10_000, 512
PROBE_SEQUENCES = 16  # whose Jacobians are averaged
ADAM_RATE, SGD_RATE = 5e-3, 0.1
CLIP_NORM = 1.0  # largest norm of the gradient of all weights


@dataclass(frozen=True)
class Task:
    """Adding problem and length of the training.

    Attributes:
        length: time steps of a sequence.
        steps: training steps at most.
        seed: seed of the weights and of the training sequences.
    """

    length: int
    steps: int
    seed: int


@dataclass(frozen=True)
class TrainingResult:
    """One network before and after training.

    Attributes:
        errors: mean squared error on the test sequences at each evaluation, (evaluations,).
        every: training steps between evaluations.
        gradients: gradient norms of every step.
        before: ln ‖∂s_T/∂s_t‖ against the lag before training, mean over sequences, (time + 1,).
        after: the same after training; NaN if training diverged.
        exponent: largest Lyapunov exponent before training [1/step].
        bound: upper bound of `before` for a SimpleRNN, (time + 1,); None for other cells.
    """

    errors: np.ndarray
    every: int
    gradients: GradientNorms
    before: np.ndarray
    after: np.ndarray
    exponent: float
    bound: np.ndarray | None

    @property
    def gradient_norms(self) -> np.ndarray:
        """Norm of the gradient of all weights at every step, (steps,)."""
        return np.linalg.norm(self.gradients.norms, axis=1)


def make_adam(clip_norm: float | None) -> keras.Optimizer:
    """Adam, with the gradient of all weights clipped to a norm; None: not clipped."""
    return keras.optimizers.Adam(ADAM_RATE, global_clipnorm=clip_norm)


def make_sgd(clip_norm: float | None) -> keras.Optimizer:
    """Gradient descent, with the gradient of all weights clipped to a norm; None: not clipped."""
    return keras.optimizers.SGD(SGD_RATE, global_clipnorm=clip_norm)


def train_cell(
    make_cell: Callable[[], keras.layers.Layer],
    task: Task,
    optimizer: keras.Optimizer,
    name: str,
) -> TrainingResult:
    """Train one cell on the adding problem until it is solved, diverges, or the steps are over.

    Args:
        make_cell: makes a cell of `zoo.cells`; its initializers draw from the seed of the task.
        task: sequences and length of the training.
        optimizer: optimizer of all weights.
        name: name for the line of progress.

    Returns:
        Test errors, gradient norms, and Jacobian norms before and after.
    """
    began = time.monotonic()
    keras.utils.set_random_seed(task.seed)
    cell = make_cell()
    inputs = keras.Input((None, 2))
    h = VisibleRNN(cell, return_sequences=False, name="recurrent")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1, name="readout")(h[cell.show[0]]))
    model.compile(optimizer, "mse", jit_compile=False)

    x, y = make_sequences(task.steps * BATCH_SIZE, task.length, task.seed)
    test = make_sequences(TEST_SEQUENCES, task.length, TEST_SEED)
    probe = test[0][:PROBE_SEQUENCES]
    before, exponent = measure_decay(model, probe)
    bound = None
    if isinstance(cell, SimpleRNNCell):
        recurrent = np.asarray(cell.recurrent_kernel, np.float64)
        bound = fading.log_bound(recurrent, cell.activation.__name__, task.length)
    evaluation = _TestError(*test, every=max(1, task.steps // EVALUATIONS))
    gradients = GradientNorms()
    model.fit(
        x, y, batch_size=BATCH_SIZE, shuffle=False, verbose=0, callbacks=[evaluation, gradients]
    )
    is_finite = np.isfinite(evaluation.errors[-1])
    after = measure_decay(model, probe)[0] if is_finite else np.full_like(before, np.nan)
    say(
        f"  {name}: error {evaluation.errors[-1]:.2g} after {len(gradients.losses)} steps, "
        f"{time.monotonic() - began:.0f} s"
    )
    errors = np.array(evaluation.errors)
    return TrainingResult(errors, evaluation.every, gradients, before, after, exponent, bound)


def measure_decay(model: keras.Model, x: np.ndarray) -> tuple[np.ndarray, float]:
    """Mean of ln ‖∂s_T/∂s_t‖ against the lag, and the largest Lyapunov exponent.

    Args:
        model: a model with one recurrent layer.
        x: sequences, (batch, time, features).

    Returns:
        (time + 1,) and the exponent [1/step], both averaged over the batch.
    """
    (states,) = record_states(model, x)
    jacobians = StepJacobians(states).array()
    exponent = fading.lyapunov_exponents(jacobians, count=1).mean()
    return fading.log_norms(jacobians).mean(axis=1), float(exponent)


class _TestError(keras.callbacks.Callback):
    """Evaluates the test error every few steps; stops training when it is solved or not finite."""

    def __init__(self, x: np.ndarray, y: np.ndarray, every: int) -> None:
        super().__init__()
        self.x, self.y, self.every = x, y, every
        self.errors: list[float] = []

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if (batch + 1) % self.every == 0:
            error = float(np.mean((np.asarray(self.model(self.x)) - self.y) ** 2))
            self.errors.append(error)
            if error < SOLVED_ERROR or not np.isfinite(error):
                self.model.stop_training = True
