"""Gradient norms by layer during training, and how often gradients were clipped."""

import csv
import importlib.util
import io
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo import files
from zoo.progress import say


class GradientNorms(keras.callbacks.Callback):
    """Callback that records ‖∂L/∂W‖₂ of every layer at every training step, before clipping.

    model.fit(..., callbacks=[GradientNorms("gradients.csv")])

    The gradients are read where the optimizer receives them, so nothing is computed twice. With
    `steps_per_execution` above 1, only the last step of each execution is recorded.

    Args:
        path: CSV file to write at the end of training: step, loss, clipped, all, and one column
            per layer; None: none.
        tensorboard: folder for TensorBoard's events; None: none. If the package tensorboard is
            missing, nothing is written there, with one line on standard error.

    Attributes:
        layers: names of the layers, the columns of `norms`.
        norms: gradient norms, (steps, layers), after training.
        clipped: share of the optimizer's clipping decisions that changed a gradient, (steps,): of
            the variables with `clipnorm` and `clipvalue`, 0 or 1 with `global_clipnorm`.
        losses: loss as Keras reports it, the mean since the epoch began, (steps,).
    """

    def __init__(
        self, path: str | os.PathLike | None = None, tensorboard: str | os.PathLike | None = None
    ) -> None:
        super().__init__()
        self.path = None if path is None else Path(path)
        self.tensorboard = tensorboard
        self.writer: Any = None
        if tensorboard is not None and not importlib.util.find_spec("tensorboard"):
            self.tensorboard = None
            say(
                f"gradient norms are not written to {tensorboard}: TensorBoard is not installed "
                "(pip install tensorboard); the CSV has them all"
            )

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Wrap the optimizer's `apply`."""
        variables = self.model.trainable_variables
        owner = {id(v): layer.name for layer in self.model.layers for v in layer.variables}
        owners = [owner.get(id(variable), self.model.name) for variable in variables]
        self.layers = tuple(dict.fromkeys(owners))
        self._owner = np.array([self.layers.index(owner) for owner in owners])
        # per variable: norm, largest absolute value
        self._last = tf.Variable(tf.zeros((len(variables), 2)), trainable=False)
        self._rows: list[tuple[np.ndarray, float, float]] = []
        if self.tensorboard is not None:
            self.writer = tf.summary.create_file_writer(str(self.tensorboard))
        apply = self.model.optimizer.apply

        def apply_and_record(grads: Any, trainable_variables: Any = None) -> Any:
            dense = [
                tf.zeros(()) if g is None else tf.cast(tf.convert_to_tensor(g), tf.float32)
                for g in grads
            ]
            self._last.assign([(tf.norm(g), tf.reduce_max(tf.abs(g))) for g in dense])
            return apply(grads, trainable_variables)

        self.model.optimizer.apply = apply_and_record
        self.model.make_train_function(force=True)  # one traced earlier calls the plain `apply`

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Record the step."""
        norms, largest = self._last.numpy().T
        by_layer = np.sqrt(np.bincount(self._owner, norms.astype(np.float64) ** 2))
        loss = float((logs or {})["loss"])
        self._rows.append((by_layer, self._clipped_share(norms, largest), loss))
        if self.writer is not None:
            self._write_event()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Restore the optimizer, and write the files."""
        del self.model.optimizer.apply
        self.model.make_train_function(force=True)
        columns = list(zip(*self._rows, strict=True)) or [np.zeros((0, len(self.layers))), [], []]
        self.norms, self.clipped, self.losses = (np.array(column) for column in columns)
        if self.writer is not None:
            self.writer.close()
        if self.path is not None:
            self.write(self.path)

    def _clipped_share(self, norms: np.ndarray, largest: np.ndarray) -> float:
        optimizer = self.model.optimizer
        if optimizer.clipnorm:
            return float(np.mean(norms > optimizer.clipnorm))
        if optimizer.global_clipnorm:
            return float(np.linalg.norm(norms) > optimizer.global_clipnorm)
        if optimizer.clipvalue:
            return float(np.mean(largest > optimizer.clipvalue))
        return 0.0

    def _write_event(self) -> None:
        norms, clipped, _ = self._rows[-1]
        with self.writer.as_default(step=len(self._rows)):
            for layer, norm in zip(self.layers, norms, strict=True):
                tf.summary.scalar(f"gradient norm/{layer}", norm)
            tf.summary.scalar("gradient clipped", clipped)

    def write(self, path: str | os.PathLike) -> None:
        """Write the records as CSV: step, loss, clipped, all, and one column per layer.

        Args:
            path: file to write, replaced atomically.
        """
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(["step", "loss", "clipped", "all", *self.layers])
        for step, (norms, clipped, loss) in enumerate(self._rows, 1):
            writer.writerow([step, loss, clipped, np.linalg.norm(norms), *norms])
        files.write_text(Path(path), text.getvalue())
