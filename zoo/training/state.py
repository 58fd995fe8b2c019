"""State of a training between epochs: weights to keep, history, checkpoint."""

import json
import math
import time
from dataclasses import asdict
from typing import Any

import keras
import numpy as np

from zoo.checkpoints import CheckpointFile
from zoo.training.history import DIVERGED_FACTOR, History, TrainingDiverged, describe_end
from zoo.training.settings import Budget, FitSettings

LOOK_EVERY = 10  # batches; reading the loss waits for the device


class RunState(keras.callbacks.Callback):
    """State of a run between epochs: weights to keep, history, checkpoint."""

    def __init__(
        self,
        model: keras.Model,
        budget: Budget,
        settings: FitSettings,
        checkpoint: CheckpointFile | None,
    ) -> None:
        super().__init__()
        self.trained, self.budget, self.keep = model, budget, settings.keep
        self.checkpoint = checkpoint
        self.history = History()
        self.kept: list[np.ndarray] | None = None
        self.epoch = 0
        self.is_over = False  # stopped early by `patience`, before this process began
        self.started = time.monotonic()
        self.first_loss: float | None = None  # of the first batch of this process

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Stop where the loss diverges within an epoch."""
        if self.first_loss is None or batch % LOOK_EVERY == 0:
            loss = float((logs or {})["loss"])
            self.first_loss = loss if self.first_loss is None else self.first_loss
            if self._is_diverged(loss):
                self.trained.stop_training = True  # Keras ends the epoch here

    def _is_diverged(self, loss: float) -> bool:
        first = math.inf if self.first_loss is None else self.first_loss
        return not math.isfinite(loss) or loss > DIVERGED_FACTOR * first

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note losses, keep the weights, decide whether to stop, save the checkpoint."""
        history, logs = self.history, logs or {}
        if self._is_diverged(logs["loss"]) or not math.isfinite(logs.get("val_loss", 0.0)):
            history.ended = "diverged"
            self.trained.stop_training = True
            return
        history.loss.append(float(logs["loss"]))
        if "val_loss" in logs:
            history.val_loss.append(float(logs["val_loss"]))
        history.learning_rate.append(float(self.trained.optimizer.learning_rate))
        history.seconds.append(time.monotonic() - self.started)
        self.epoch = epoch + 1
        if history.best_epoch == epoch or self.keep == "last":
            self.kept = self.trained.get_weights()
        if self.budget.patience and epoch - history.best_epoch >= self.budget.patience:
            history.ended = f"no better for {self.budget.patience} epochs"
            self.trained.stop_training = True
        if self.checkpoint:
            self._save(self.checkpoint)

    def finish(self) -> None:
        """Set the weights to keep in the model.

        Raises:
            TrainingDiverged: there are none, because training diverged in its first epoch.
        """
        if self.kept is None:
            raise TrainingDiverged(describe_end(self.history, self.budget.learning_rate))
        self.trained.set_weights(self.kept)

    def resume(self) -> None:
        """Continue from the checkpoint, if there is one.

        Raises:
            ValueError: it belongs to another run, or is damaged.
        """
        saved = self.checkpoint and self.checkpoint.read()
        if not saved:
            return
        self.trained.optimizer.build(self.trained.trainable_variables)
        try:
            for k, variable in enumerate(self._variables()):
                variable.assign(saved[f"variable_{k}"])
            self.kept = [saved[f"best_{k}"] for k in range(len(self.trained.get_weights()))]
            self.history = History(**json.loads(str(saved["history"])))
        except (KeyError, TypeError, ValueError) as error:
            # the checksum holds: written by something else than `_save`
            raise ValueError(
                f"{self.checkpoint and self.checkpoint.path}: no checkpoint of this model "
                f"({type(error).__name__}). Remove it to start anew."
            ) from None
        self.is_over = self.history.ended.startswith("no better")
        if not self.is_over:
            self.history.ended = "complete"
        self.epoch = len(self.history.loss)
        self.started -= self.history.seconds[-1]

    def _save(self, checkpoint: CheckpointFile) -> None:
        assert self.kept is not None  # after an epoch, by on_epoch_end
        arrays = {f"variable_{k}": np.asarray(v) for k, v in enumerate(self._variables())}
        arrays |= {f"best_{k}": v for k, v in enumerate(self.kept)}
        checkpoint.write({**arrays, "history": np.array(json.dumps(asdict(self.history)))})

    def _variables(self) -> list:
        # `variables` covers dropout's seed state, which `get_weights` leaves out.
        return [*self.trained.variables, *self.trained.optimizer.variables]
