"""Ablation on the adding problem: activation, initialization, forget bias, clipping, optimizer."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np

from recipes.memory.settings import Settings
from recipes.memory.training import (
    ADAM_RATE,
    CLIP_NORM,
    SGD_RATE,
    Task,
    TrainingResult,
    make_adam,
    make_sgd,
    train_cell,
)
from zoo.cells import LSTMCell, SimpleRNNCell
from zoo.report import Column, Report, Table

SEEDS = 3
QUICK_STEPS = 24


@dataclass(frozen=True)
class Variant:
    """One row of the table.

    Attributes:
        make_cell: number of units -> cell.
        make_optimizer: largest gradient norm, or None -> optimizer.
        clip_norm: largest norm of the gradient; None: not clipped.
    """

    make_cell: Callable[[int], keras.layers.Layer]
    make_optimizer: Callable[[float | None], keras.Optimizer] = make_adam
    clip_norm: float | None = CLIP_NORM


def _simple(**options: Any) -> Callable[[int], keras.layers.Layer]:
    return lambda units: SimpleRNNCell(units, **options)


_GLOROT = {"recurrent_initializer": "glorot_uniform"}
VARIANTS = {
    "tanh, orthogonal": Variant(_simple()),
    "tanh, Glorot": Variant(_simple(**_GLOROT)),
    "ReLU, orthogonal": Variant(_simple(activation="relu")),
    "ReLU, Glorot": Variant(_simple(activation="relu", **_GLOROT)),
    "logistic, orthogonal": Variant(_simple(activation="sigmoid")),
    "logistic, Glorot": Variant(_simple(activation="sigmoid", **_GLOROT)),
    "LSTM, forget bias 1": Variant(LSTMCell),
    "LSTM, forget bias 0": Variant(lambda units: LSTMCell(units, unit_forget_bias=False)),
    "tanh, not clipped": Variant(_simple(), clip_norm=None),
    "ReLU, not clipped": Variant(_simple(activation="relu"), clip_norm=None),
    "LSTM, not clipped": Variant(LSTMCell, clip_norm=None),
    "tanh, gradient descent": Variant(_simple(), make_sgd),
    "tanh, gradient descent, not clipped": Variant(_simple(), make_sgd, None),
}


def run_ablation(report: Report, settings: Settings) -> None:
    """Train every variant with several seeds on a shorter task; print the table, add the section.

    Args:
        report: page that the section is appended to.
        settings: settings of the run.
    """
    steps = QUICK_STEPS if settings.quick else max(1, settings.steps // 3)
    length = max(4, settings.task_length // 2)
    seeds = [settings.seed + k for k in range(1 if settings.quick else SEEDS)]
    variants = dict(list(VARIANTS.items())[::4]) if settings.quick else VARIANTS
    rows = []
    for name, variant in variants.items():
        results = [
            train_cell(
                partial(variant.make_cell, settings.units),
                Task(length, steps, seed),
                variant.make_optimizer(variant.clip_norm),
                f"{name}, seed {seed}",
            )
            for seed in seeds
        ]
        rows.append((name, *_summarize(results, is_clipped=variant.clip_norm is not None)))
    table = Table(
        [
            "network",
            Column("log10 ‖∂s_T/∂s_0‖ before training", number=".1f"),
            Column("after", number=".1f"),
            Column("median ‖gradient‖", number=".2g"),
            Column("largest", number=".2g"),
            Column("steps clipped", number=".0%"),
            Column("last test error", number=".2g"),
            Column("best seed", number=".2g"),
            Column("worst seed", number=".2g"),
            Column("diverged", number="d"),
        ],
        rows,
        f"Adding problem with {length} steps, at most {steps} training steps; geometric means "
        f"over {len(seeds)} seed{'s' if len(seeds) > 1 else ''}.",
    )
    print(table.text())
    report.section(
        "Ablation",
        "Activation, initialization of the recurrent matrix, forget bias and gradient clipping, "
        "one change at a time. Clipping cannot restore a vanished gradient; it is there for "
        f"exploding ones. Adam (learning rate {ADAM_RATE:g}) divides each gradient by a running "
        "estimate of its size, so it survives a step with a very large gradient, but the following "
        "steps are then small: compare the rows with and without clipping, and the spread over "
        f"seeds. Plain gradient descent (learning rate {SGD_RATE:g}) moves in proportion to the "
        "gradient, and a single very large one can end the training.",
    ).table(table)


def _summarize(results: list[TrainingResult], *, is_clipped: bool) -> tuple[Any, ...]:
    """Cells of one row of the table."""
    errors = np.array([result.errors[-1] for result in results])
    errors[np.isnan(errors)] = np.inf
    before = [result.before[-1] for result in results]
    after = [result.after[-1] for result in results]
    norms = np.concatenate([result.gradient_norms for result in results])
    clipped = np.concatenate([result.gradients.clipped for result in results])
    return (
        np.mean(before) / np.log(10),
        None if np.isinf(errors).any() else np.mean(after) / np.log(10),
        float(np.nanmedian(norms)),
        float(np.nanmax(norms)),
        float((clipped > 0).mean()) if is_clipped else None,
        float(np.exp(np.log(errors).mean())),
        float(errors.min()),
        float(errors.max()),
        int(np.isinf(errors).sum()) or None,
    )
