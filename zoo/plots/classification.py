"""Classifiers: who is taken for whom, how sure they are, and what abstaining buys."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from zoo.plots.style import COLOURS, FAINT, QUIET, house_style, new_figure, note, require


@house_style
def confusion_matrix(matrix: np.ndarray, classes: Sequence[str]) -> Figure:
    """A row a true class, a column a told one; shade is the share of the row, numbers are clips.

    Args:
        matrix: (classes, classes) counts.
        classes: names.
    """
    require("classes", classes)
    matrix = np.asarray(matrix)
    if matrix.shape != (len(classes),) * 2:
        raise ValueError(
            f"`matrix` must have shape {(len(classes),) * 2}, a row and a column a class. "
            f"Received: {matrix.shape}."
        )
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = 1.6 + 0.3 * len(classes)
    figure = new_figure(height_in=side, width_in=min(side + 0.6, 7.0))
    axes = figure.subplots()
    axes.grid(False)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row, column in zip(*np.nonzero(matrix), strict=True):
        colour = "white" if share[row, column] > 0.6 else "black"
        axes.text(
            column,
            row,
            f"{matrix[row, column]}",
            ha="center",
            va="center",
            color=colour,
            fontsize=7,
        )
    axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(classes)), classes)
    axes.tick_params(length=0)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set(xlabel="told", ylabel="true")
    return figure


@house_style
def reliability_diagram(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]],
    errors: Mapping[str, float] | None = None,
) -> Figure:
    """Accuracy over confidence: on the diagonal a model is as right as it says.

    Args:
        curves: name -> (confidence, accuracy, count), (bins,) each; empty bins are NaN. The size
            of a dot goes with its clips.
        errors: name -> expected calibration error, written beside the name.
    """
    require("curves", curves)
    figure = new_figure(height_in=3.9, width_in=3.8)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=2.5, solid_capstyle="butt")
    for k, (name, (confidence, accuracy, count)) in enumerate(curves.items()):
        held = np.asarray(count) > 0
        label = name if errors is None else f"{name}, error {100 * errors[name]:.1f} %"
        axes.plot(confidence[held], accuracy[held], color=COLOURS[k], label=label)
        size = 60 * np.sqrt(count[held] / np.max(count))
        axes.scatter(
            confidence[held], accuracy[held], s=size, color=COLOURS[k], linewidths=0, clip_on=False
        )
    axes.set(
        xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="confidence [-]", ylabel="accuracy [-]"
    )
    figure.legend(loc="outside upper left")
    return figure


@house_style
def abstaining(
    coverage: np.ndarray,
    accuracy: np.ndarray,
    *,
    chosen: tuple[float, float] | None = None,
) -> Figure:
    """Accuracy among the answered clips over their share, as the threshold falls.

    Args:
        coverage: (thresholds,) share of answered clips.
        accuracy: (thresholds,) share of these that are right.
        chosen: (coverage, accuracy) at the threshold that the model is shipped with.
    """
    figure = new_figure(height_in=2.6, width_in=4.6)
    axes = figure.subplots()
    axes.plot(coverage, accuracy, color=COLOURS[0], drawstyle="steps-post")
    if chosen is not None:
        axes.plot(*chosen, "o", color=COLOURS[1], markersize=6)
        note(axes, f"answers {100 * chosen[0]:.0f} %, of these right {100 * chosen[1]:.0f} %")
    axes.axhline(accuracy[-1], color=QUIET, linewidth=0.6, linestyle=":")
    axes.set(xlim=(0, 1), ylim=(None, 1.01), xlabel="answered clips", ylabel="right among these")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    return figure


@house_style
def intervals(
    figures: Mapping[str, tuple[float, float, float]], *, label: str = "accuracy [-]"
) -> Figure:
    """Dots with their intervals, a row each: folds, devices, classes.

    Args:
        figures: name -> (value, low, high).
        label: of the value, with unit.
    """
    require("figures", figures)
    figure = new_figure(height_in=0.8 + 0.24 * len(figures), width_in=5.0)
    axes = figure.subplots()
    for row, (value, low, high) in enumerate(figures.values()):
        axes.plot([low, high], [row, row], color=COLOURS[0], linewidth=1.2)
        axes.plot(value, row, "o", color=COLOURS[0], markersize=5)
    axes.set(xlabel=label, ylim=(len(figures) - 0.5, -0.5))
    axes.set_yticks(range(len(figures)), list(figures))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    return figure
