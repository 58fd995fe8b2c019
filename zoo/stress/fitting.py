"""Fitting of a stress-history model to a training split."""

import os
from typing import Any

import keras

from zoo import training
from zoo.checkpoints import hash_arrays
from zoo.data.split import Split
from zoo.training import Budget, FitSettings, History

BATCH_SIZE = 32
VALIDATION_BATCH_SIZE = 256


def fit_model(
    model: keras.Model,
    train: Split,
    validation: Split,
    budget: Budget,
    *,
    seed: int = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    compiled: bool = False,
    keep_interrupted: bool = False,
) -> History:
    """Minimize the mean squared error of the stress over the variance of the training stress.

    Args:
        model: with an output `prediction`.
        train: paths to train on.
        validation: paths that choose the weights.
        budget: epochs, steps and learning rate.
        seed: of the order of the paths and of whatever is drawn in training.
        checkpoint: see `zoo.training.FitSettings`.
        compiled: see `zoo.training.FitSettings`.
        keep_interrupted: see `zoo.training.FitSettings`.

    Returns:
        The history; the model holds the weights with the lowest validation loss.

    Raises:
        ValueError: the checkpoint is of another run or damaged, or training diverged at once.
        TrainingInterrupted: by Ctrl-C, unless `keep_interrupted`.
    """
    batch_size = min(BATCH_SIZE, len(train.x))
    return training.fit(
        model,
        lambda step: train.dataset(batch_size, seed=seed, start_step=step),
        validation.all_batches(VALIDATION_BATCH_SIZE),
        budget,
        FitSettings(
            losses={"prediction": "mse"},
            loss_scale=float(train.y.var()),
            seed=seed,
            checkpoint=checkpoint,
            compiled=compiled,
            data=hash_arrays(*(each for s in (train, validation) for each in (s.x, s.y, s.weight))),
            keep_interrupted=keep_interrupted,
        ),
    )


def training_entry(train: Split, history: History, budget: Budget, seed: int) -> dict[str, Any]:
    """Entry `training` of a manifest.

    Args:
        train: paths that the model was trained on.
        history: of the training.
        budget: of the training.
        seed: of the training.
    """
    return {
        "seed": seed,
        "paths": len(train.x),
        "steps": train.x.shape[1],
        "epochs": len(history.loss),
        "best_epoch": history.best_epoch + 1,
        "batch_size": min(BATCH_SIZE, len(train.x)),
        "batches_per_epoch": budget.steps_per_epoch,
        "learning_rate": budget.learning_rate,
        "validation_loss": history.val_loss[history.best_epoch],
        "ended": history.ended,
        "seconds": round(history.seconds[-1], 1),
    }
