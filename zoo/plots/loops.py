"""Hysteresis loops, stress against strain: several loading families, and the fit to a test."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from zoo.metrics import regression
from zoo.plots.style import (
    COLOURS,
    FAINT,
    QUIET,
    column,
    house_style,
    key,
    new_figure,
    note,
    percent,
    require,
)

STRAIN = "strain ε [-]"
STRESS = "stress σ [MPa]"
TIME = "time [s]"
TRUTH = {"color": FAINT, "linewidth": 3.2}
MODEL = {"color": COLOURS[0], "linewidth": 1.0}


class Loop(NamedTuple):
    """One loading path.

    Attributes:
        strain: ε [-], (time,).
        stress: true or measured stress, (time,).
        predicted: predicted stress, (time,).
    """

    strain: np.ndarray
    stress: np.ndarray
    predicted: np.ndarray


@house_style
def loops(
    families: Mapping[str, Loop],
    *,
    nrmse: Mapping[str, float] | None = None,
    truth: str = "exact",
    model: str = "predicted",
    strain_label: str = STRAIN,
    stress_label: str = STRESS,
) -> Figure:
    """True and predicted hysteresis loops, one panel per loading family, on common axes.

    Args:
        families: name of the family -> one of its paths, from rest.
        nrmse: name of the family -> nRMSE [-] to print in its panel; None: nRMSE of the path drawn.
        truth: name of the true stress in the legend.
        model: name of the predicted stress in the legend.
        strain_label: horizontal label, with unit.
        stress_label: vertical label, with unit.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no families, or the arrays of one differ in shape.
    """
    require("families", families)
    columns = 2 if len(families) == 4 else min(3, len(families))
    rows = math.ceil(len(families) / columns)
    figure = new_figure(height_in=0.5 + 2.05 * rows)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for panel, (name, loop) in zip(panels, families.items(), strict=False):
        strain, stress, predicted = _checked(name, loop)
        _draw_loop(panel, strain, stress, predicted)
        error = regression.nrmse(stress, predicted) if nrmse is None else nrmse[name]
        panel.set_title(name)
        note(panel, f"nRMSE {percent(error)}")
    for panel in panels[len(families) :]:
        panel.remove()
    for place in range(len(families)):
        if place + columns >= len(families):
            panels[place].set_xlabel(strain_label)
            panels[place].tick_params(labelbottom=True)
        if place % columns == 0:
            panels[place].set_ylabel(stress_label)
    key(figure, [Line2D([], [], label=truth, **TRUTH), Line2D([], [], label=model, **MODEL)])
    return figure


@house_style
def identified_fit(
    time_s: np.ndarray,
    strain: np.ndarray,
    measured: np.ndarray,
    fitted: np.ndarray,
    *,
    title: str = "",
    model: str = "fitted",
    strain_label: str = STRAIN,
    stress_label: str = STRESS,
) -> Figure:
    """Measured and fitted stress over time with the residual below, and as a loop.

    Args:
        time_s: time of each sample [s], (time,).
        strain: loading ε [-], (time,).
        measured: measured stress, (time,).
        fitted: stress of the identified model, (time,).
        title: title, for instance the constants, 'E = 1.02 MPa, m = 2.9'.
        model: name of the fit in the legend.
        strain_label: label of the loading, with unit.
        stress_label: label of the stress, with unit.

    Returns:
        The figure.

    Raises:
        ValueError: if the arrays differ in shape.
    """
    time_s = column("time_s", time_s)
    strain, measured, fitted = _checked("the fit", Loop(strain, measured, fitted))
    column("strain", strain, len(time_s))
    figure = new_figure(height_in=3.1)
    panels = figure.subplot_mosaic(
        [["time", "loop"], ["residual", "loop"]], height_ratios=(2.2, 1), width_ratios=(1.35, 1)
    )
    over_time, rest, loop = panels["time"], panels["residual"], panels["loop"]
    markers = {"marker": "o", "markersize": 3.5, "linestyle": "none"} if len(time_s) < 80 else {}
    over_time.plot(time_s, measured, **TRUTH | markers)
    over_time.plot(time_s, fitted, **MODEL)
    over_time.set(ylabel=stress_label)
    over_time.sharex(rest)
    over_time.tick_params(labelbottom=False)
    over_time.set_title(title)

    _draw_residual(rest, time_s, fitted - measured, MODEL | markers)
    rest.set_ylabel(f"residual {_unit(stress_label)}")
    loop.plot(strain, measured, **TRUTH | markers)
    loop.plot(strain, fitted, **MODEL)
    loop.set(xlabel=strain_label, ylabel=stress_label)
    note(loop, f"nRMSE {percent(regression.nrmse(measured, fitted))}")
    figure.align_ylabels([over_time, rest])
    key(
        figure,
        [Line2D([], [], label="measured", **TRUTH | markers), Line2D([], [], label=model, **MODEL)],
    )
    return figure


def number_rows(figure: Figure) -> Figure:
    """The same figure where a test has no times: its axis of time counts rows.

    Args:
        figure: such as from `identified_fit`.
    """
    for axes in figure.axes:
        if axes.get_xlabel() == TIME:
            axes.set_xlabel("row")
    return figure


@house_style
def predicted_loops(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]],
    *,
    strain_label: str = STRAIN,
    stress_label: str = STRESS,
) -> Figure:
    """Predicted loops in one panel.

    Args:
        curves: name, such as the rate -> strain (rows,), stress (rows,).
        strain_label: horizontal label, with unit.
        stress_label: vertical label, with unit.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no curves, or strain and stress differ in length.
    """
    require("curves", curves)
    figure = new_figure(height_in=2.8, width_in=4.0)
    axes = figure.subplots()
    handles = []
    for k, (name, (strain, stress)) in enumerate(curves.items()):
        strain = column(f"strain of {name}", strain)
        colour = COLOURS[k % len(COLOURS)]
        axes.plot(strain, column(f"stress of {name}", stress, len(strain)), color=colour)
        handles.append(Line2D([], [], color=colour, label=name))
    axes.set(xlabel=strain_label, ylabel=stress_label)
    key(figure, handles)
    return figure


def _draw_residual(
    axes: Axes, time_s: np.ndarray, residual: np.ndarray, style: dict[str, Any]
) -> None:
    rms = float(np.sqrt(np.mean(residual**2)))
    axes.axhspan(-rms, rms, color=FAINT, alpha=0.35, linewidth=0)
    axes.axhline(0, color=QUIET, linewidth=0.6)
    axes.plot(time_s, residual, **style)
    limit = 1.15 * max(float(np.max(np.abs(residual))), rms, np.finfo(float).tiny)
    axes.set(xlabel=TIME, ylim=(-limit, limit))
    note(axes, f"band: ± RMS = {rms:.2g}")


def _draw_loop(axes: Axes, strain: np.ndarray, stress: np.ndarray, predicted: np.ndarray) -> None:
    axes.plot(strain, stress, **TRUTH)
    axes.plot(strain, predicted, **MODEL)


def _checked(name: str, loop: Loop) -> Loop:
    strain = column(f"strain of {name}", loop[0])
    stress = column(f"stress of {name}", loop[1], len(strain))
    return Loop(strain, stress, column(f"predicted of {name}", loop[2], len(strain)))


def _unit(label: str) -> str:
    """'stress σ [MPa]' -> '[MPa]'."""
    return label[label.rfind("[") :] if "[" in label else ""
