"""Training that shows where it is, keeps the best weights and survives an interruption."""

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

    The learning rate rises linearly over `warmup` of all steps and falls to zero on a cosine
    (Loshchilov and Hutter 2017).
    """

    epochs: int = 24
    steps_per_epoch: int = 250
    learning_rate: float = 5e-3
    warmup: float = 0.02
    clip_norm: float = 1.0
    patience: int | None = None  # epochs without a lower loss, see `fit`, before it stops
    # Share of a weight lost a step and unit of learning rate (Loshchilov and Hutter 2019).
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


@dataclass
class History:
    """What happened, one entry an epoch; `val_loss` is empty where there was no validation."""

    loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    ended: str = "complete"  # or "interrupted", "diverged", "no better for N epochs"

    @property
    def best_epoch(self) -> int:
        """Index of the epoch with the lowest loss; raises ValueError before the first."""
        return int(np.nanargmin(self.val_loss or self.loss))


def fit(
    model: keras.Model,
    batches: Callable[[int], "tf.data.Dataset"],
    validation: "tf.data.Dataset | None",
    budget: Budget,
    *,
    losses: "dict[str, str | keras.Loss] | str | keras.Loss" = "mse",
    loss_scale: float = 1.0,
    seed: int = 0,
    checkpoint: str | os.PathLike | None = None,
    compiled: bool = False,
    keep: Literal["best", "last"] = "best",
    callbacks: Sequence[keras.callbacks.Callback] = (),
    stream: TextIO | None = None,
) -> History:
    """Train `model` and leave the weights with the lowest validation loss, or the last, in it.

    Args:
        model: with one output, or a dict of outputs of which `losses` names those to train.
        batches: step -> endless dataset of training batches from that step on, so that a resumed
            run sees the batches that the interrupted one would have seen.
        validation: finite dataset; None: the training loss stands in for its loss.
        budget: epochs, steps and learning rate.
        losses: Keras loss, or output name -> Keras loss.
        loss_scale: divisor of every loss; the variance of the target makes it a squared nRMSE.
        seed: of dropout and of whatever else draws in training.
        checkpoint: file that holds the state after every epoch; an existing one is continued from.
        compiled: run through XLA. A loop of many small operations, such as a material cell, gets 5
            to 70 times faster; a loop of matrix products, such as a gated cell, gains little.
        keep: the weights with the lowest validation loss; or the last, which the falling learning
            rate has settled: better where a validation set is too small to choose by.
        callbacks: more of Keras' callbacks, such as TensorBoard's.
        stream: where progress goes; standard error by default. A bar on a terminal, else lines.

    Returns:
        The history. Ctrl-C ends training early and keeps the weights so far; `ended` tells.

    Raises:
        ValueError: if `checkpoint` belongs to another model or budget.
        KeyboardInterrupt: if interrupted before the first epoch was complete.
    """
    keras.utils.set_random_seed(seed)
    _compile(model, budget, losses, loss_scale, compiled)
    run = _Run(model, budget, checkpoint, keep)
    run.resume()
    progress = _Progress(budget, run.history, stream or sys.stderr, keep)
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


def _compile(model, budget: Budget, losses, loss_scale: float, compiled: bool) -> None:
    warmup = max(1, round(budget.warmup * budget.steps))
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(1, budget.steps - warmup),
        warmup_target=budget.learning_rate,
        warmup_steps=warmup,
    )
    weights = 1.0 / loss_scale
    if isinstance(losses, dict):
        losses = {**dict.fromkeys(model.output_names), **losses}
        weights = dict.fromkeys(losses, weights)
    optimizer = keras.optimizers.Adam(rate, clipnorm=budget.clip_norm)
    if budget.weight_decay:
        optimizer = keras.optimizers.AdamW(
            rate, weight_decay=budget.weight_decay, clipnorm=budget.clip_norm
        )
        # offsets and scales are not what makes a network too large
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(
        optimizer,
        loss=losses,
        loss_weights=weights,
        jit_compile=compiled,
    )


class _Run(keras.callbacks.Callback):
    """State of a run between epochs: weights to keep, history, checkpoint."""

    def __init__(self, model: keras.Model, budget: Budget, checkpoint, keep: str) -> None:
        super().__init__()
        self.trained, self.budget, self.keep = model, budget, keep
        self.path = None if checkpoint is None else Path(checkpoint)
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
        """Put the weights to keep into the model."""
        if self.kept is None:
            raise ValueError(
                "Training diverged in its first epoch: the loss is not finite. "
                f"Try a learning rate below {self.budget.learning_rate:g}."
            )
        self.trained.set_weights(self.kept)

    def resume(self) -> None:
        """Continue from the checkpoint, if there is one."""
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
        # Shapes, not names: Keras numbers layers by how many a process has made.
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
        self.done += 1
        if self.live and time.monotonic() - self.drawn > 0.1:
            self.drawn = time.monotonic()
            bar = ("=" * (20 * (batch + 1) // self.budget.steps_per_epoch)).ljust(20, ".")
            self._print(f"[{bar}] loss {logs['loss']:.2e}", batch + 1, end="\r")

    def on_epoch_end(self, epoch, logs=None):
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
