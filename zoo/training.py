"""Training: learning-rate schedule, best weights, checkpoint and resume, progress."""

import contextlib
import hashlib
import json
import math
import os
import sys
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TextIO

import keras
import numpy as np

from zoo.checkpoints import CheckpointFile, hash_arrays
from zoo.sharded_training import sharded_step
from zoo.tasks import Workers

if TYPE_CHECKING:
    import tensorflow as tf

DIVERGED_FACTOR = 1_000_000  # of the loss of the first batch: no training comes back from there
LOOK_EVERY = 10  # batches; reading the loss waits for the device
SILENCE_S = 20.0  # longest time without a line of progress where output is no terminal


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
        checkpoint: file that holds the state after every epoch, see `zoo.checkpoints`; an existing
            one is continued from, if it is of the same model, data, budget and settings.
        data: hash of the data, see `zoo.checkpoints.hash_arrays`; empty: of the first batch alone.
        compiled: run through XLA. A loop of many small operations, such as a material cell, gets 5
            to 70 times faster; an LSTM, whose gradient is written for it, takes two thirds of the
            time on one thread; other loops of matrix products gain little.
        keep: the weights with the lowest validation loss; or the last ones, at which the learning
            rate has fallen to zero: better where a validation set is too small to choose by.
        keep_interrupted: after Ctrl-C return the weights so far, with "interrupted" in the history;
            else Ctrl-C ends the program, so that no half trained model is taken for a result.
        shards: parts of every batch whose gradients are computed in `workers` and summed in fixed
            order, see `zoo.sharded_training`: a power of two. The result depends on `shards`, not
            on `workers`. None: the whole batch, here.
        workers: of the shards: 1, 2, 4, ... and at most `shards`.
    """

    losses: "dict[str, str | keras.Loss] | str | keras.Loss" = "mse"
    loss_scale: float = 1.0
    seed: int = 0
    checkpoint: str | os.PathLike[str] | None = None
    compiled: bool = False
    keep: Literal["best", "last"] = "best"
    data: str = ""
    keep_interrupted: bool = False
    shards: int | None = None
    workers: Workers = Workers()


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C during a training whose weights so far must not be used; says how to go on."""


class TrainingDiverged(ValueError):
    """The loss was not finite, or beyond all bounds; the message names the cure."""


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
        losses = self.val_loss or self.loss
        if not losses:
            raise ValueError("There is no best epoch before the end of the first one.")
        return int(np.argmin(losses))

    def require_whole(self, what: str, learning_rate: float) -> None:
        """Refuse a training that did not end as planned, whose result would not be comparable.

        Args:
            what: was trained, for the message.
            learning_rate: at its peak.

        Raises:
            TrainingDiverged: it diverged.
            TrainingInterrupted: it was interrupted.
        """
        errors = {"diverged": TrainingDiverged, "interrupted": TrainingInterrupted}
        if self.ended in errors:
            raise errors[self.ended](f"{what}: {describe_end(self, learning_rate)}")


def describe_end(history: History, learning_rate: float) -> str:
    """A sentence on a training that did not end as planned, with the cure; empty for another.

    Args:
        history: of the training.
        learning_rate: at its peak.
    """
    epoch = len(history.loss)
    if history.ended == "interrupted":
        return f"Training was interrupted after epoch {epoch}: this is no finished result."
    if history.ended == "diverged":
        return (
            f"Training diverged in epoch {epoch + 1}: the loss is no longer finite, or more than "
            f"{DIVERGED_FACTOR:,} times that of the first batch. "
            f"Lower --learning-rate (now {learning_rate:g})."
        )
    return ""


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
        The history; see `History.ended`.

    Raises:
        ValueError: `settings.checkpoint` belongs to another run or is damaged.
        TrainingDiverged: the loss was not finite in the first epoch.
        OSError: the checkpoint cannot be read or written.
        TrainingInterrupted: by Ctrl-C, unless `settings.keep_interrupted` and an epoch is complete.
    """
    settings = settings or FitSettings()
    output: TextIO = stream or sys.stderr
    keras.utils.set_random_seed(settings.seed)
    _compile(model, budget, settings)
    checkpoint = None
    if settings.checkpoint is not None:
        description = describe_run(model, batches, budget, settings)
        checkpoint = CheckpointFile(settings.checkpoint, description)
    run = _Run(model, budget, settings, checkpoint)
    run.resume()
    progress = _Progress(budget, run.history, output, settings.keep)
    try:
        if run.epoch < budget.epochs and not run.is_over:
            with _train_function(model, settings):
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
        if not run.history.loss or not settings.keep_interrupted:
            raise TrainingInterrupted(_how_to_go_on(run, budget, settings)) from None
        run.history.ended = "interrupted"
    run.finish()
    if run.history.ended == "diverged":
        print(describe_end(run.history, budget.learning_rate), file=output, flush=True)
    return run.history


@contextlib.contextmanager
def _train_function(model: keras.Model, settings: FitSettings) -> Generator[None, None, None]:
    """Let Keras call a step with shards, where they are asked for; its own one afterwards."""
    if settings.shards is None:
        yield
        return
    with sharded_step(model, settings.shards, settings.workers) as step:
        model.train_function = step
        try:
            yield
        finally:
            model.train_function = None


def _how_to_go_on(run: "_Run", budget: Budget, settings: FitSettings) -> str:
    """Line for someone who pressed Ctrl-C."""
    if not run.history.loss:
        return "training stopped in its first epoch; nothing is kept of it"
    line = f"training stopped after epoch {run.epoch} of {budget.epochs}; "
    if settings.checkpoint is None:
        return f"{line}nothing is kept of it, as no checkpoint was asked for"
    return f"{line}the same command goes on from {os.fspath(settings.checkpoint)}"


def describe_run(
    model: keras.Model,
    batches: Callable[[int], "tf.data.Dataset"],
    budget: Budget,
    settings: FitSettings,
) -> dict[str, Any]:
    """What a training depends on, for its checkpoint: JSON values and hashes.

    Args:
        model: compiled.
        batches: see `fit`.
        budget: epochs, steps and learning rate.
        settings: the rest; places of files do not count.
    """
    data = settings.data
    if not data:
        first = next(iter(batches(0)))
        data = hash_arrays(*(np.asarray(part) for part in keras.tree.flatten(first)))
    return {
        "budget": asdict(budget),
        "losses": _describe_losses(settings.losses),
        "loss_scale": settings.loss_scale,
        "seed": settings.seed,
        "compiled": settings.compiled,
        "keep": settings.keep,
        "model": hash_model(model),
        "data": data,
        **({} if settings.shards is None else {"shards": settings.shards}),
    }


def hash_model(model: keras.Model) -> str:
    """Hash of the layers of a model with their settings and shapes, 16 hexadecimal digits.

    Names do not count: Keras numbers layers by how many a process has made.
    """
    layers = [
        [type(layer).__name__, _config_of(layer)]
        for layer in model._flatten_layers(include_self=False)
    ]
    shapes = [[list(v.shape), str(v.dtype)] for v in model.variables]
    text = json.dumps([_without_names(layers), shapes], default=lambda value: type(value).__name__)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _config_of(layer: keras.layers.Layer) -> dict[str, Any]:
    if isinstance(layer, keras.Model):
        return {}  # its layers are listed themselves
    try:
        return layer.get_config()
    except NotImplementedError:  # of one's own, and not made to be saved
        return {}


def _without_names(values: Any) -> Any:
    if isinstance(values, dict):
        return {str(k): _without_names(v) for k, v in values.items() if k != "name"}
    if isinstance(values, list | tuple):
        return [_without_names(each) for each in values]
    return values


def _describe_losses(losses: Any) -> Any:
    if isinstance(losses, dict):
        return {name: _describe_losses(loss) for name, loss in losses.items()}
    if isinstance(losses, keras.Loss):
        return [type(losses).__name__, json.dumps(losses.get_config(), default=str)]
    return str(losses)


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
        if self.first_loss is None or batch % LOOK_EVERY == 0:
            loss = float((logs or {})["loss"])
            self.first_loss = loss if self.first_loss is None else self.first_loss
            if self._is_diverged(loss):
                self.trained.stop_training = True  # Keras ends the epoch here

    def _is_diverged(self, loss: float) -> bool:
        first = math.inf if self.first_loss is None else self.first_loss
        return not math.isfinite(loss) or loss > DIVERGED_FACTOR * first

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
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


class _Progress(keras.callbacks.Callback):
    """One line that moves on a terminal; one line an epoch elsewhere, and more in long epochs."""

    def __init__(self, budget: Budget, history: History, stream: TextIO, keep: str) -> None:
        super().__init__()
        self.budget, self.history, self.stream, self.keep = budget, history, stream, keep
        self.live = stream.isatty()
        self.drawn = 0.0
        self.done = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.began = self.drawn = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        self.done += 1
        if self.live and time.monotonic() - self.drawn > 0.1:
            self.drawn = time.monotonic()
            bar = ("=" * (20 * (batch + 1) // self.budget.steps_per_epoch)).ljust(20, ".")
            self._print(f"[{bar}] loss {logs['loss']:.2e}", batch + 1, end="\r")
        elif not self.live and time.monotonic() - self.drawn > SILENCE_S:
            of = f"batch {batch + 1} of {self.budget.steps_per_epoch}"
            self._print(f"{of}  loss {logs['loss']:.2e}", batch + 1, end="\n")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        if len(self.history.loss) <= epoch:  # it diverged in this one
            return
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
        self.drawn = time.monotonic()
