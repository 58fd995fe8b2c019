"""Training: learning-rate schedule, best weights, checkpoint and resume, progress."""

import hashlib
import json
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TextIO

import keras
import numpy as np

from zoo.files import writing

if TYPE_CHECKING:
    import tensorflow as tf


@dataclass(frozen=True)
class Budget:
    """How long and how fast to train.

    The learning rate rises linearly over the warm-up and falls to zero on a cosine (Loshchilov and
    Hutter 2017).

    Attributes:
        epochs: at most.
        steps_per_epoch: batches in an epoch.
        learning_rate: at its peak.
        warmup: share of all steps over which the learning rate rises.
        clip_norm: norm to which the gradient of each weight array is clipped.
        patience: epochs without a lower loss (that of validation, if there is one) before training
            stops; None: never.
        weight_decay: share of a weight lost a step and unit of learning rate (Loshchilov and Hutter
            2019).
    """

    epochs: int = 24
    steps_per_epoch: int = 250
    learning_rate: float = 5e-3
    warmup: float = 0.02
    clip_norm: float = 1.0
    patience: int | None = None
    weight_decay: float = field(default=0.0, repr=False)

    def __post_init__(self) -> None:
        for name in ("epochs", "steps_per_epoch", "learning_rate", "clip_norm"):
            value = getattr(self, name)
            if not value > 0:
                raise ValueError(f"`{name}` must be positive. Received: {name}={value}.")

    @property
    def steps(self) -> int:
        """Optimiser steps in all."""
        return self.epochs * self.steps_per_epoch


@dataclass(frozen=True)
class FitSettings:
    """What is minimized, and which weights are kept.

    Attributes:
        losses: Keras loss, or output name -> Keras loss for the outputs to train.
        loss_scale: divisor of every loss; the variance of the target makes it a squared nRMSE.
        seed: of dropout and of whatever else draws in training.
        checkpoint: file that holds the state after every epoch; an existing one is continued from.
        compiled: run through XLA. A loop of many small operations, such as a material cell, gets 5
            to 70 times faster; a loop of matrix products, such as a gated cell, gains little.
        keep: the weights with the lowest validation loss; or the last ones, at which the learning
            rate has fallen to zero: better where a validation set is too small to choose by.
    """

    losses: "dict[str, str | keras.Loss] | str | keras.Loss" = "mse"
    loss_scale: float = 1.0
    seed: int = 0
    checkpoint: str | os.PathLike[str] | None = None
    compiled: bool = False
    keep: Literal["best", "last"] = "best"


@dataclass
class History:
    """Course of a training, one entry an epoch.

    Attributes:
        loss: of training.
        val_loss: of validation; empty where there was none.
        learning_rate: at the end of the epoch.
        seconds: since training began [s].
        ended: "complete", "interrupted", "diverged" or "no better for N epochs".
    """

    loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    ended: str = "complete"

    @property
    def best_epoch(self) -> int:
        """Index of the epoch with the lowest loss, from 0.

        Raises:
            ValueError: before the end of the first epoch.
        """
        return int(np.nanargmin(self.val_loss or self.loss))


def fit(
    model: keras.Model,
    batches: Callable[[int], "tf.data.Dataset"],
    validation: "tf.data.Dataset | None",
    budget: Budget,
    settings: FitSettings | None = None,
    *,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    stream: TextIO | None = None,
) -> History:
    """Train `model` and leave the weights with the lowest validation loss, or the last, in it.

    Args:
        model: with one output, or a dict of outputs of which `settings.losses` names those to
            train.
        batches: step -> endless dataset of training batches from that step on, so that a resumed
            run gets the batches that the interrupted one would have got.
        validation: finite dataset; None: the training loss stands in for its loss.
        budget: epochs, steps and learning rate.
        settings: losses, seed, checkpoint, which weights are kept; None: the defaults.
        callbacks: more of Keras' callbacks, such as TensorBoard's.
        stream: where progress goes; standard error by default. A bar on a terminal, else lines.

    Returns:
        The history. Ctrl-C ends training early and keeps the weights so far; see `History.ended`.

    Raises:
        ValueError: `settings.checkpoint` belongs to another model or budget, or the loss was not
            finite in the first epoch.
        KeyboardInterrupt: interrupted before the first epoch was complete.
    """
    settings = settings or FitSettings()
    keras.utils.set_random_seed(settings.seed)
    _compile(model, budget, settings)
    run = _Run(model, budget, settings)
    run.resume()
    progress = _Progress(budget, run.history, stream or sys.stderr, settings.keep)
    try:
        if run.epoch < budget.epochs:
            model.fit(
                batches(run.epoch * budget.steps_per_epoch),
                steps_per_epoch=budget.steps_per_epoch,
                initial_epoch=run.epoch,
                epochs=budget.epochs,
                validation_data=validation,
                callbacks=[run, progress, *callbacks],
                verbose=0,
                shuffle=False,
            )
    except KeyboardInterrupt:
        if not run.history.loss:
            raise
        run.history.ended = "interrupted"
    run.finish()
    return run.history


def _compile(model: keras.Model, budget: Budget, settings: FitSettings) -> None:
    warmup = max(1, round(budget.warmup * budget.steps))
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(1, budget.steps - warmup),
        warmup_target=budget.learning_rate,
        warmup_steps=warmup,
    )
    losses, weights = settings.losses, 1.0 / settings.loss_scale
    if isinstance(losses, dict):
        losses = {**dict.fromkeys(model.output_names), **losses}
        weights = dict.fromkeys(losses, weights)
    optimizer = keras.optimizers.Adam(rate, clipnorm=budget.clip_norm)
    if budget.weight_decay:
        optimizer = keras.optimizers.AdamW(
            rate, weight_decay=budget.weight_decay, clipnorm=budget.clip_norm
        )
        # biases and scales do not make a network too large
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(
        optimizer,
        loss=losses,
        loss_weights=weights,
        jit_compile=settings.compiled,
    )


class _Run(keras.callbacks.Callback):
    """State of a run between epochs: weights to keep, history, checkpoint."""

    def __init__(self, model: keras.Model, budget: Budget, settings: FitSettings) -> None:
        super().__init__()
        self.trained, self.budget, self.keep = model, budget, settings.keep
        self.path = None if settings.checkpoint is None else Path(settings.checkpoint)
        self.history = History()
        self.kept: list[np.ndarray] | None = None
        self.epoch = 0
        self.started = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        history, logs = self.history, logs or {}
        if not math.isfinite(logs["loss"]) or not math.isfinite(logs.get("val_loss", 0.0)):
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
        if self.path:
            self._save()

    def finish(self) -> None:
        """Set the weights to keep in the model.

        Raises:
            ValueError: there are none, because training diverged in its first epoch.
        """
        if self.kept is None:
            raise ValueError(
                "Training diverged in its first epoch: the loss is not finite. "
                f"Try a learning rate below {self.budget.learning_rate:g}."
            )
        self.trained.set_weights(self.kept)

    def resume(self) -> None:
        """Continue from the checkpoint, if there is one.

        Raises:
            ValueError: it belongs to another model or budget.
        """
        if not self.path or not self.path.exists():
            return
        self.trained.optimizer.build(self.trained.trainable_variables)
        with np.load(self.path) as saved:
            if str(saved["fingerprint"]) != self._fingerprint():
                raise ValueError(
                    f"The checkpoint {self.path} belongs to another model or budget. "
                    "Remove it to start anew, or give the options that it was made with."
                )
            for k, variable in enumerate(self._variables()):
                variable.assign(saved[f"variable_{k}"])
            self.kept = [saved[f"best_{k}"] for k in range(len(self.trained.get_weights()))]
            self.history = History(**json.loads(str(saved["history"])))
        self.history.ended = "complete"
        self.epoch = len(self.history.loss)
        self.started -= self.history.seconds[-1]

    def _save(self) -> None:
        assert self.path is not None and self.kept is not None  # after an epoch, by on_epoch_end
        arrays = {f"variable_{k}": np.asarray(v) for k, v in enumerate(self._variables())}
        arrays |= {f"best_{k}": v for k, v in enumerate(self.kept)}
        with writing(self.path) as temporary, open(temporary, "wb") as file:
            np.savez(
                file,
                fingerprint=self._fingerprint(),
                history=json.dumps(asdict(self.history)),
                **arrays,
            )

    def _variables(self) -> list:
        # `variables` covers dropout's seed state, which `get_weights` leaves out.
        return [*self.trained.variables, *self.trained.optimizer.variables]

    def _fingerprint(self) -> str:
        # Shapes, not names: Keras numbers layers by how many a process has created.
        shapes = [tuple(v.shape) for v in self._variables()]
        # Without weight decay it is what it was before there was any: older checkpoints stay valid.
        decay = self.budget.weight_decay or ""
        return hashlib.sha256(f"{(self.budget, shapes)!r}{decay}".encode()).hexdigest()


class _Progress(keras.callbacks.Callback):
    """One line that moves on a terminal; one line an epoch elsewhere."""

    def __init__(self, budget: Budget, history: History, stream: TextIO, keep: str) -> None:
        super().__init__()
        self.budget, self.history, self.stream, self.keep = budget, history, stream, keep
        self.live = stream.isatty()
        self.drawn = 0.0
        self.done = 0

    def on_train_begin(self, logs=None):
        self.began = time.monotonic()

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        logs = logs or {}
        self.done += 1
        if self.live and time.monotonic() - self.drawn > 0.1:
            self.drawn = time.monotonic()
            bar = ("=" * (20 * (batch + 1) // self.budget.steps_per_epoch)).ljust(20, ".")
            self._print(f"[{bar}] loss {logs['loss']:.2e}", batch + 1, end="\r")

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        marked = self.keep == "best" and epoch == self.history.best_epoch
        best = "  best" if marked else ""
        text = f"loss {logs['loss']:.2e}"
        if "val_loss" in logs:
            name = "validation" if self.keep == "best" else "held out"
            text += f"  {name} {logs['val_loss']:.2e}"
        self._print(text + best, self.budget.steps_per_epoch, end="\n")

    def _print(self, text: str, batches: int, end: str) -> None:
        to_do = self.budget.steps - self.epoch * self.budget.steps_per_epoch - batches
        left = round(to_do / self.done * (time.monotonic() - self.began))
        line = f"epoch {self.epoch + 1:>3}/{self.budget.epochs}  {text}"
        if to_do:
            line += f"  {left // 60}:{left % 60:02d} left"
        print(f"\x1b[2K{line}" if self.live else line, end=end, file=self.stream, flush=True)
