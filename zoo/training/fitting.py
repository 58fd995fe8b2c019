"""`fit`: learning-rate schedule, best weights, checkpoint and resume."""

import contextlib
import os
import sys
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, TextIO

import keras

from zoo.checkpoints import CheckpointFile
from zoo.sharded_training import sharded_step
from zoo.training.history import History, TrainingInterrupted, describe_end
from zoo.training.identity import describe_run
from zoo.training.progress import Progress
from zoo.training.settings import Budget, FitSettings
from zoo.training.state import RunState

if TYPE_CHECKING:
    import tensorflow as tf


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
    run = RunState(model, budget, settings, checkpoint)
    run.resume()
    progress = Progress(budget, run.history, output, settings.keep)
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


def _how_to_go_on(run: RunState, budget: Budget, settings: FitSettings) -> str:
    """Line for someone who pressed Ctrl-C."""
    if not run.history.loss:
        return "training stopped in its first epoch; nothing is kept of it"
    line = f"training stopped after epoch {run.epoch} of {budget.epochs}; "
    if settings.checkpoint is None:
        return f"{line}nothing is kept of it, as no checkpoint was asked for"
    return f"{line}the same command goes on from {os.fspath(settings.checkpoint)}"


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
