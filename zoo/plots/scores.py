"""Learning curves, error by split, and error against number of parameters."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

from zoo.plots.style import (
    COLOURS,
    FAINT,
    MARKERS,
    QUIET,
    column,
    house_style,
    key,
    name_lines,
    new_figure,
    note,
    plain_numbers,
    require,
    settle_layout,
)

# Offsets of a name from its point (right, up) [pt], in order of preference.
PLACES = ((7, 0), (-7, 0), (0, 7), (0, -7))
PLACES += tuple((right, up) for up in (12, -12, 22, -22, 32, -32) for right in (7, -7))
LEADER = {"arrowstyle": "-", "color": QUIET, "linewidth": 0.5, "shrinkB": 3}


@house_style
def learning_curves(
    history: Mapping[str, Sequence[float]],
    *,
    loss_label: str = "loss [-]",
    held_out: str | None = None,
) -> Figure:
    """Training and validation loss over epochs, and the learning rate below when it is known.

    Args:
        history: `loss` and optionally `val_loss` and `learning_rate`, each with one number per
            epoch, as `keras.callbacks.History.history`.
        loss_label: vertical label, with unit.
        held_out: name of `val_loss` in the figure where the weights were not selected by it; its
            minimum is then not marked. None: "validation", with its minimum marked.

    Returns:
        The figure.

    Raises:
        ValueError: if there is no `loss`, or the curves differ in length.
    """
    loss = column("loss", history.get("loss", ()))
    epochs = np.arange(1, len(loss) + 1)
    rate = history.get("learning_rate")
    figure = new_figure(height_in=2.6 if rate is None else 3.4)
    panels = figure.subplots(
        1 if rate is None else 2,
        1,
        sharex=True,
        squeeze=False,
        height_ratios=(1,) if rate is None else (3, 1),
    ).ravel()
    top = panels[0]
    lines = {"training": (loss, COLOURS[1])}
    if "val_loss" in history:
        validation = column("val_loss", history["val_loss"], len(loss))
        lines[held_out or "validation"] = (validation, COLOURS[0])
        if held_out is None:
            best = int(np.nanargmin(validation))
            top.plot(epochs[best], validation[best], "o", color=COLOURS[0], markersize=4.5)
            note(top, f"best: {validation[best]:.3g} after epoch {epochs[best]}")
    marker = "o" if len(loss) == 1 else ""  # a line through one point is nothing
    for line, colour in lines.values():
        top.plot(epochs, line, color=colour, marker=marker, markersize=4.5)
    top.set(yscale="log", ylabel=loss_label)
    plain_numbers(top.yaxis)
    if rate is not None:
        panels[1].plot(epochs, column("learning_rate", rate, len(loss)), color=QUIET, marker=marker)
        panels[1].set(ylabel="learning\nrate [-]", ylim=(0, None))
    panels[-1].set_xlabel("epoch")
    panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    if len(loss) == 1:
        panels[-1].set(xlim=(0.5, 1.5), xticks=[1])
    figure.align_ylabels(panels)
    name_lines(top, {k: (epochs[-1], line[-1], c) for k, (line, c) in lines.items()})
    return figure


@house_style
def error_by_split(
    errors: Mapping[str, Mapping[str, float | Sequence[float]]],
    *,
    label: str = "nRMSE [-]",
    number: str = ".2g",
) -> Figure:
    """Errors of several models on a logarithmic axis, one row per split.

    The numbers of the first model are printed at the right.

    Args:
        errors: model -> split -> error, or several errors, for instance one per seed: a dot is
            their mean, a line their range. The first model is the subject of the figure. A model
            may lack a split.
        label: horizontal label, with unit.
        number: Python format specification of the numbers.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no errors.
    """
    require("errors", errors)
    splits = list(dict.fromkeys(name for values in errors.values() for name in values))
    require("errors", splits)
    figure = new_figure(height_in=0.9 + 0.24 * len(splits))
    axes = figure.subplots()
    handles = []
    for place, (model, by_split) in enumerate(errors.items()):
        style = _marker_style(place)
        colour = style["color"]
        for split, values in by_split.items():
            row, values = splits.index(split), np.atleast_1d(np.asarray(values, dtype=float))
            axes.plot([values.min(), values.max()], [row, row], color=colour, linewidth=1.2)
            axes.plot(values.mean(), row, **style)
            if place == 0:
                axes.annotate(
                    f"{values.mean():{number}}",
                    (1.02, row),
                    xycoords=("axes fraction", "data"),
                    va="center",
                    color=colour,
                )
        handles.append(Line2D([], [], label=model, **style))
    axes.set(xscale="log", xlabel=label, ylim=(len(splits) - 0.5, -0.5))
    axes.set_yticks(range(len(splits)), splits)
    plain_numbers(axes.xaxis)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    key(figure, handles)
    return figure


def _marker_style(place: int) -> dict[str, Any]:
    """Style of the dots of one model; the first is larger and filled."""
    colour = COLOURS[place % len(COLOURS)]
    return {
        "color": colour,
        "marker": MARKERS[place % len(MARKERS)],
        "markersize": 6 if place == 0 else 4.5,
        "markerfacecolor": colour if place == 0 else "none",
        "linestyle": "none",
    }


@house_style
def error_against_parameters(
    points: Mapping[str, tuple[float, float]], *, label: str = "nRMSE [-]"
) -> Figure:
    """Error against number of parameters, both logarithmic, with the name of each model.

    A thin line joins the Pareto-optimal models: no model with fewer parameters has a smaller error.

    Args:
        points: model -> (number of parameters, error), both positive.
        label: vertical label, with unit.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no points, or a number is not positive.
    """
    require("points", points)
    sizes, errors = np.asarray(list(points.values()), dtype=float).T
    if not (np.all(sizes > 0) and np.all(errors > 0)):
        raise ValueError(
            "`points` must have positive parameters and errors: both axes are logarithmic. "
            f"Received: smallest {sizes.min():g} and {errors.min():g}."
        )
    by_size = np.lexsort((errors, sizes))
    best = by_size[errors[by_size] <= np.minimum.accumulate(errors[by_size])]

    figure = new_figure(height_in=3.6)
    axes = figure.subplots()
    axes.plot(sizes[best], errors[best], color=FAINT, drawstyle="steps-post")
    axes.plot(sizes, errors, "o", color=COLOURS[0], markersize=5)
    axes.set(xscale="log", yscale="log", xlabel="parameters", ylabel=label)
    axes.margins(0.08)
    plain_numbers(axes.xaxis)
    plain_numbers(axes.yaxis)
    _name_points(axes, sizes, errors, list(points))
    return figure


def _name_points(axes: Axes, x: np.ndarray, y: np.ndarray, names: list[str]) -> None:
    """Write each name near its point so that it covers neither a point nor another name."""
    settle_layout(axes)
    dots = axes.transData.transform(np.column_stack([x, y]))
    pixels = axes.figure.dpi / 72
    placed: list[Bbox] = []
    for point in np.lexsort((x, y)):
        text = axes.text(0, 0, names[point], fontsize=7)
        size = np.array(text.get_window_extent().size)
        text.remove()
        boxes = {place: _name_box(dots[point], place, size, pixels) for place in PLACES}
        covered = {place: _count_covered(axes, boxes[place], dots, placed) for place in PLACES}
        right, up = best = min(PLACES, key=covered.__getitem__)
        placed.append(boxes[best])
        axes.annotate(
            names[point],
            (x[point], y[point]),
            best,
            textcoords="offset points",
            ha=("right", "center", "left")[np.sign(right) + 1],
            va=("top", "center", "bottom")[np.sign(up) + 1],
            fontsize=7,
            path_effects=[withStroke(linewidth=2, foreground="white")],
            arrowprops=LEADER if abs(up) > 8 else None,
        )


def _name_box(dot: np.ndarray, place: tuple[int, int], size: np.ndarray, pixels: float) -> Bbox:
    """Rectangle of a name of this size at an offset from its point [pixels]."""
    middle = dot + np.multiply(place, pixels) + np.sign(place) * size / 2
    return Bbox([middle - size / 2, middle + size / 2])


def _count_covered(axes: Axes, box: Bbox, dots: np.ndarray, placed: list[Bbox]) -> int:
    """Points and names that a name would cover, and one more outside the panel."""
    area = box.padded(2 * axes.figure.dpi / 72)
    outside = not (axes.bbox.x0 <= area.x0 and area.x1 <= axes.bbox.x1)
    return sum(map(area.overlaps, placed)) + area.count_contains(dots) + outside
