"""Gradients while a model trains: their norms by layer and step, and when they were clipped."""

import csv
import importlib.util
import os
import sys
from pathlib import Path

import keras
import numpy as np


class GradientNorms(keras.callbacks.Callback):
    """Note ‖∂L/∂W‖₂ of every layer at every training step, before clipping, and what was clipped.

    model.fit(..., callbacks=[GradientNorms("gradients.csv")])

    The gradients are seen on their way into the optimizer, so nothing is computed twice. With
    `steps_per_execution` above 1, only the last step of each execution is noted.

    Args:
        path: CSV to write at the end of training: step, loss, clipped, all, and one column a layer.
        tensorboard: folder for TensorBoard. Without the package tensorboard nothing is written
            there, and one line on standard error says so.

    Attributes:
        layers: names, the columns of `norms`.
        norms: (steps, layers) after training.
        clipped: (steps,) share of the optimizer's clipping decisions that cut something: with
            `clipnorm` and `clipvalue` of variables, with `global_clipnorm` 0 or 1.
        losses: (steps,) as Keras reports them: the mean since the epoch began.
    """

    def __init__(
        self, path: str | os.PathLike | None = None, tensorboard: str | os.PathLike | None = None
    ) -> None:
        super().__init__()
        self.path = None if path is None else Path(path)
        self.tensorboard = tensorboard
        self.writer = None
        if tensorboard is not None and not importlib.util.find_spec("tensorboard"):
            self.tensorboard = None
            print(
                f"gradient norms are not written to {tensorboard}: TensorBoard is not installed "
                "(pip install tensorboard); the CSV has them all",
                file=sys.stderr,
            )

    def on_train_begin(self, logs=None):
        """Stand in front of the optimizer."""
        import tensorflow as tf

        variables = self.model.trainable_variables
        owner = {id(v): layer.name for layer in self.model.layers for v in layer.variables}
        owners = [owner.get(id(variable), self.model.name) for variable in variables]
        self.layers = tuple(dict.fromkeys(owners))
        self._owner = np.array([self.layers.index(owner) for owner in owners])
        # of every variable: norm, largest absolute value
        self._seen = tf.Variable(tf.zeros((len(variables), 2)), trainable=False)
        self._rows: list[tuple[np.ndarray, float, float]] = []
        if self.tensorboard is not None:
            self.writer = tf.summary.create_file_writer(str(self.tensorboard))
        apply = self.model.optimizer.apply

        def noting(grads, trainable_variables=None):
            dense = [
                tf.zeros(()) if g is None else tf.cast(tf.convert_to_tensor(g), tf.float32)
                for g in grads
            ]
            self._seen.assign([(tf.norm(g), tf.reduce_max(tf.abs(g))) for g in dense])
            return apply(grads, trainable_variables)

        self.model.optimizer.apply = noting
        self.model.make_train_function(force=True)  # one that was traced before knows no better

    def on_train_batch_end(self, batch, logs=None):
        """Note the step."""
        norms, largest = self._seen.numpy().T
        of_layers = np.sqrt(np.bincount(self._owner, norms.astype(np.float64) ** 2))
        self._rows.append((of_layers, self._clipped(norms, largest), float(logs["loss"])))
        if self.writer is not None:
            self._to_tensorboard()

    def on_train_end(self, logs=None):
        """Step aside, and write."""
        del self.model.optimizer.apply
        self.model.make_train_function(force=True)
        columns = list(zip(*self._rows, strict=True)) or [np.zeros((0, len(self.layers))), [], []]
        self.norms, self.clipped, self.losses = (np.array(column) for column in columns)
        if self.writer is not None:
            self.writer.close()
        if self.path is not None:
            self.write(self.path)

    def _clipped(self, norms: np.ndarray, largest: np.ndarray) -> float:
        optimizer = self.model.optimizer
        if optimizer.clipnorm:
            return float(np.mean(norms > optimizer.clipnorm))
        if optimizer.global_clipnorm:
            return float(np.linalg.norm(norms) > optimizer.global_clipnorm)
        if optimizer.clipvalue:
            return float(np.mean(largest > optimizer.clipvalue))
        return 0.0

    def _to_tensorboard(self) -> None:
        import tensorflow as tf

        norms, clipped, _ = self._rows[-1]
        with self.writer.as_default(step=len(self._rows)):
            for layer, norm in zip(self.layers, norms, strict=True):
                tf.summary.scalar(f"gradient norm/{layer}", norm)
            tf.summary.scalar("gradient clipped", clipped)

    def write(self, path: str | os.PathLike) -> None:
        """Write what was noted as CSV: step, loss, clipped, all, and one column a layer."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["step", "loss", "clipped", "all", *self.layers])
            for step, (norms, clipped, loss) in enumerate(self._rows, 1):
                writer.writerow([step, loss, clipped, np.linalg.norm(norms), *norms])
