"""Budget of a training, and what is minimized and kept."""

import os
from dataclasses import dataclass, field
from typing import Literal

import keras

from zoo.tasks import Workers


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
