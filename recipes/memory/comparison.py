"""Five networks on the adding problem: test error, Jacobians before and after, gradients."""

from collections.abc import Callable
from functools import partial

import keras
import numpy as np

from recipes.memory.adding import CONSTANT_ERROR
from recipes.memory.settings import Settings
from recipes.memory.training import (
    ADAM_RATE,
    CLIP_NORM,
    SOLVED_ERROR,
    Task,
    TrainingResult,
    make_adam,
    train_cell,
)
from zoo import plots
from zoo.cells import GRUCell, LSTMCell, SimpleRNNCell
from zoo.report import Column, Report, Table

QUICK_STEPS = 48
# name -> function of the number of units
CELLS: dict[str, Callable[[int], keras.layers.Layer]] = {
    "tanh": lambda units: SimpleRNNCell(units),
    "logistic": lambda units: SimpleRNNCell(units, activation="sigmoid"),
    "ReLU": lambda units: SimpleRNNCell(units, activation="relu"),
    "GRU": lambda units: GRUCell(units),
    "LSTM": lambda units: LSTMCell(units),
}


def compare_cells(report: Report, settings: Settings) -> dict[str, TrainingResult]:
    """Train every cell of `CELLS`, print the table and add the section to the report.

    Args:
        report: page that the section is appended to.
        settings: settings of the run.

    Returns:
        name -> result.
    """
    task = Task(
        settings.task_length, QUICK_STEPS if settings.quick else settings.steps, settings.seed
    )
    results = {
        name: train_cell(partial(make_cell, settings.units), task, make_adam(CLIP_NORM), name)
        for name, make_cell in CELLS.items()
    }
    table = comparison_table(results, task.length)
    print(table.text())
    report.section(
        "The adding problem: which cells learn it?",
        f"Each network has {settings.units} units and gets the same batches; Adam with learning "
        f"rate {ADAM_RATE:g}, gradients clipped to norm {CLIP_NORM:g}. Before training, the "
        "Jacobian products of gated networks fade as well, and a small norm does not prevent "
        "success: sequences whose numbers are near the end train the gates first, and the range "
        "grows from there. So compare the norms after training. A network with logistic "
        "activation cannot learn it: its Jacobian is bounded by a quarter of its recurrent matrix.",
    ).table(table)
    _add_figures(report, results)
    for name, result in results.items():
        result.gradients.write(settings.paths.root / f"gradients-{name.lower()}.csv")
    return results


def comparison_table(results: dict[str, TrainingResult], length: int) -> Table:
    """Table with one row per cell: test error, training steps, Jacobian norms, Lyapunov exponent.

    Args:
        results: name -> result.
        length: time steps of a sequence.
    """
    rows = []
    for name, result in results.items():
        solved = np.flatnonzero(result.errors < SOLVED_ERROR)
        rows.append(
            (
                name,
                float(result.errors[-1]),
                int((solved[0] + 1) * result.every) if len(solved) else "not solved",
                result.before[-1] / np.log(10),
                result.after[-1] / np.log(10),
                result.exponent,
            )
        )
    return Table(
        [
            "network",
            Column("last test error", number=".2g"),
            Column("solved after", "steps", "d"),
            Column("log10 ‖∂s_T/∂s_0‖ before training", number=".1f"),
            Column("after training", number=".1f"),
            Column("largest Lyapunov exponent before training", "1/step", ".3f"),
        ],
        rows,
        f"Adding problem with {length} steps. The best constant prediction has a mean squared "
        f"error of {CONSTANT_ERROR:.3f}; solved means below {SOLVED_ERROR:g}.",
    )


def _add_figures(report: Report, results: dict[str, TrainingResult]) -> None:
    every = next(iter(results.values())).every
    report.figure(
        plots.task_errors(
            {name: r.errors for name, r in results.items()}, baseline=CONSTANT_ERROR, every=every
        ),
        name="errors",
        caption="Mean squared error on test sequences. A curve ends where the task is solved.",
        alt="Mean squared error against training steps of " + ", ".join(results),
    )
    report.figure(
        plots.fading(
            {
                "before training": {n: plots.Decay(r.before) for n, r in results.items()},
                "after training": {n: plots.Decay(r.after) for n, r in results.items()},
            }
        ),
        name="fading",
        caption="Geometric mean over sequences of ‖∂s_T/∂s_t‖ of the whole state, (h, C) for the "
        "LSTM.",
        alt="Norms of Jacobian products against the lag, before and after training.",
    )
    report.figure(
        plots.fading(
            {
                name: {
                    "actual": plots.Decay(result.before),
                    "bound": plots.Decay(result.bound, is_bound=True),
                }
                for name, result in results.items()
                if result.bound is not None
            }
        ),
        name="bounds",
        caption="Simple recurrent networks before training, and the upper bound (‖U‖ max φ')ᵏ. U "
        "is orthogonal, ‖U‖ = 1: tanh and ReLU lose norm only where their slope is below 1; the "
        "logistic function, whose slope is at most 1/4, loses at least a factor of 4 per step.",
        alt="Jacobian products of three activations beside their bounds.",
    )
    report.figure(
        plots.gradients(
            {name: result.gradient_norms for name, result in results.items()},
            {name: result.gradients.clipped for name, result in results.items()},
        ),
        name="gradients",
        caption="Norm of the gradient of all weights at every training step; orange where it was "
        f"above {CLIP_NORM:g} and was clipped.",
        alt="Gradient norms over training, one panel for each network.",
    )
