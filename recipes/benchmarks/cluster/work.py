"""Trainings of a second, resumable after every epoch: what the faults happen to."""

import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.checkpoints import CheckpointFile, hash_arrays
from zoo.files import write_text

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

EPOCHS = 8
PAUSE_S = 0.25  # behind every epoch, in which a fault can happen


def progress_file(result: Path) -> Path:
    """File in which a training says what process it is and how many epochs are done."""
    return result.with_suffix(".progress")


def checkpoint_file(result: Path) -> Path:
    """Checkpoint of a training."""
    return result.with_suffix(".npz")


def _tell(result: Path, epoch: int) -> None:
    write_text(progress_file(result), f"{os.getpid()} {epoch}")
    time.sleep(PAUSE_S)


def train_numpy(result: Path, seed: int) -> None:
    """Gradient descent on two layers in NumPy, with a checkpoint after every epoch.

    Args:
        result: file of the hash of the weights and of the losses.
        seed: of data and weights.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(256, 8))
    y = np.sin(x.sum(axis=1, keepdims=True))
    weights = [rng.normal(size=(8, 16)), rng.normal(size=(16, 1))]
    checkpoint = CheckpointFile(checkpoint_file(result), {"seed": seed})
    saved = checkpoint.read()
    losses = list(saved.pop("losses")) if saved else []
    if saved:
        weights = [saved["0"], saved["1"]]
    for epoch in range(len(losses), EPOCHS):
        hidden = np.tanh(x @ weights[0])
        error = hidden @ weights[1] - y
        losses.append(float((error**2).mean()))
        back = (error @ weights[1].T) * (1 - hidden**2)
        weights = [weights[0] - 1e-3 * x.T @ back, weights[1] - 1e-3 * hidden.T @ error]
        arrays = {str(k): each for k, each in enumerate(weights)}
        checkpoint.write({**arrays, "losses": np.array(losses)})
        _tell(result, epoch + 1)
    _write_result(result, hash_arrays(*weights), [float(each) for each in losses])


def train_keras(result: Path, seed: int) -> None:
    """A small LSTM trained as every recipe does it, by `zoo.training.fit` with its checkpoint.

    Args:
        result: file of the hash of the weights and of the losses.
        seed: of data and weights.
    """
    import keras  # not for those who train in NumPy

    from zoo.training import Budget, FitSettings, fit

    class Tell(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            _tell(result, epoch + 1)

    model, batches = small_lstm(seed)
    history = fit(
        model,
        batches,
        None,
        Budget(EPOCHS, 5, 1e-2),
        FitSettings(seed=seed, checkpoint=checkpoint_file(result)),
        callbacks=[Tell()],
    )
    _write_result(result, hash_arrays(*model.get_weights()), history.loss)


def small_lstm(
    seed: int, units: int = 8, batch: int = 16, length: int = 20
) -> "tuple[keras.Model, Callable[[int], tf.data.Dataset]]":
    """A network with dropout that sums its input, and its batches, addressed by step.

    Args:
        seed: of data and weights.
        units: width of the LSTM.
        batch: sequences in a batch.
        length: time steps of a sequence.
    """
    import keras  # not for those who train in NumPy
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    inputs = keras.Input((length, 3))
    hidden = keras.layers.LSTM(units, return_sequences=True)(inputs)
    hidden = keras.layers.Dropout(0.1)(hidden)
    model = keras.Model(inputs, keras.layers.Dense(1)(hidden))

    def make(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x = tf.random.stateless_normal((batch, length, 3), [seed, tf.cast(step, tf.int32)])
        return x, tf.cumsum(x[..., :1], axis=1)

    return model, lambda start: tf.data.Dataset.range(start, tf.int64.max).map(make)


def _write_result(result: Path, weights: str, losses: list[float]) -> None:
    text = json.dumps({"weights": weights, "losses": losses})
    write_text(result, json.dumps({"text": text, "sha256": _hash(text)}))


def read_result(result: Path) -> str | None:
    """What a training left; None where there is nothing, or not all of it."""
    try:
        entries = json.loads(result.read_text())
        return entries["text"] if _hash(entries["text"]) == entries["sha256"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
