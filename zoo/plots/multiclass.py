"""Multiclass figures: confusion matrix, reliability diagram, selective prediction, intervals."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from zoo.plots.style import COLOURS, FAINT, QUIET, house_style, new_figure, note, require


@house_style
def confusion_matrix(matrix: np.ndarray, classes: Sequence[str]) -> Figure:
    """Confusion matrix: rows are true classes, columns predicted ones, numbers count clips.

    The shade of a cell is its share of the row.

    Args:
        matrix: counts, (classes, classes).
        classes: names.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no classes, or `matrix` is not square with one row per class.
    """
    require("classes", classes)
    matrix = np.asarray(matrix)
    if matrix.shape != (len(classes),) * 2:
        raise ValueError(
            f"`matrix` must have shape {(len(classes),) * 2}, one row and one column per class. "
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
    axes.set(xlabel="predicted class", ylabel="true class")
    return figure


@house_style
def reliability_diagram(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]],
    errors: Mapping[str, float] | None = None,
) -> Figure:
    """Reliability diagram: accuracy over confidence; a calibrated model lies on the diagonal.

    Args:
        curves: name -> (confidence [-], accuracy [-], number of clips), each (bins,); empty bins
            are NaN. The area of a dot grows with its number of clips.
        errors: name -> expected calibration error (ECE) [-], written beside the name.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no curves.
    """
    require("curves", curves)
    figure = new_figure(height_in=3.9, width_in=3.8)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=2.5, solid_capstyle="butt")
    for k, (name, (confidence, accuracy, count)) in enumerate(curves.items()):
        filled, colour = np.asarray(count) > 0, COLOURS[k % len(COLOURS)]
        label = name if errors is None else f"{name}, ECE {100 * errors[name]:.1f} %"
        axes.plot(confidence[filled], accuracy[filled], color=colour, label=label)
        size = 60 * np.sqrt(count[filled] / np.max(count))
        axes.scatter(
            confidence[filled],
            accuracy[filled],
            s=size,
            color=colour,
            linewidths=0,
            clip_on=False,
        )
    axes.set(
        xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="confidence [-]", ylabel="accuracy [-]"
    )
    figure.legend(loc="outside upper left")
    return figure


@house_style
def accuracy_coverage(
    coverage: np.ndarray,
    accuracy: np.ndarray,
    *,
    chosen: tuple[float, float] | None = None,
) -> Figure:
    """Accuracy–coverage curve of selective prediction, as the confidence threshold falls.

    Args:
        coverage: share of clips whose confidence reaches the threshold [-], (thresholds,).
        accuracy: accuracy among these clips [-], (thresholds,).
        chosen: (coverage, accuracy) at the threshold of the shipped model.

    Returns:
        The figure.
    """
    figure = new_figure(height_in=2.6, width_in=4.6)
    axes = figure.subplots()
    axes.plot(coverage, accuracy, color=COLOURS[0], drawstyle="steps-post")
    if chosen is not None:
        axes.plot(*chosen, "o", color=COLOURS[1], markersize=6)
        note(axes, f"threshold: {100 * chosen[0]:.3g} % covered, {100 * chosen[1]:.3g} % correct")
    axes.axhline(accuracy[-1], color=QUIET, linewidth=0.6, linestyle=":")
    axes.set(
        xlim=(0, 1),
        ylim=(None, 1.01),
        xlabel="coverage (share of clips classified)",
        ylabel="accuracy among these",
    )
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0))  # as many digits as the ticks need
    return figure


@house_style
def intervals(
    figures: Mapping[str, tuple[float, float, float]], *, label: str = "accuracy [-]"
) -> Figure:
    """Values with their confidence intervals, one row each: folds, devices or classes.

    Args:
        figures: name -> (value, low, high).
        label: horizontal label, with unit.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no values.
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
