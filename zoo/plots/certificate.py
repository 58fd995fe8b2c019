"""Figures of a certificate: error inside and outside the trained range, step refinement."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from zoo.plots.style import (
    COLOURS,
    FAINT,
    column,
    house_style,
    key,
    new_figure,
    note,
    percent,
    plain_numbers,
    require,
)

MODEL = {"color": COLOURS[0], "marker": "o", "markersize": 3.5}
LIMIT = {"color": COLOURS[1], "linewidth": 0.9, "linestyle": (0, (4, 2))}
SHADE = {"color": FAINT, "alpha": 0.3, "linewidth": 0}
MIN_DRAWN = 1e-9  # errors below are drawn here


class ErrorCurve(NamedTuple):
    """Error over one quantity.

    Attributes:
        values: values of the quantity, positive, (points,).
        errors: nRMSE [-], (points,); NaN or infinity where the model gives no finite stress.
        trained: range of the quantity in training; a lower end of 0 means no lower limit.
        checked: range in which the threshold must hold.
        label: label of the quantity, with unit.
        worst: largest error in the checked range, which the panel states [-]; NaN if one is not
            finite.
    """

    values: np.ndarray
    errors: np.ndarray
    trained: tuple[float, float]
    checked: tuple[float, float]
    label: str
    worst: float


@house_style
def extrapolation(
    curves: Mapping[str, ErrorCurve],
    *,
    threshold: float,
    label: str = "nRMSE [-]",
) -> Figure:
    """Error over each quantity, one panel each, with the trained range shaded.

    Args:
        curves: title of the panel -> its curve.
        threshold: largest error allowed in the checked range [-].
        label: vertical label, with unit.

    Returns:
        The figure; all axes are logarithmic.

    Raises:
        ValueError: if there are no curves, or values and errors differ in length.
    """
    require("curves", curves)
    columns = min(2, len(curves))
    rows = math.ceil(len(curves) / columns)
    figure = new_figure(height_in=0.5 + 1.75 * rows)
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for panel in panels[len(curves) :]:
        panel.remove()
    for place, (name, curve) in enumerate(curves.items()):
        panel = panels[place]
        _draw_curve(panel, name, curve, threshold)
        panel.set_title(name)
        if place % columns == 0:
            panel.set_ylabel(label)
    key(
        figure,
        [
            Line2D([], [], label="model", **MODEL),
            Patch(label="trained range", **SHADE),
            Line2D([], [], label="threshold", **LIMIT),
        ],
    )
    return figure


@house_style
def refinement(
    differences: Mapping[int, float],
    *,
    threshold: float,
    label: str = "difference / RMS stress [-]",
) -> Figure:
    """Self-consistency: change of the predicted stress when every time step is divided.

    Args:
        differences: number of steps in place of one -> RMS difference over RMS stress [-].
        threshold: largest difference allowed [-].
        label: vertical label, with unit.

    Returns:
        The figure; both axes are logarithmic.

    Raises:
        ValueError: if there are no differences.
    """
    require("differences", differences)
    factors = np.asarray(list(differences))
    values = column("differences", list(differences.values()))
    shown = _drawable(values)
    figure = new_figure(height_in=2.3, width_in=3.4)
    axes = figure.subplots()
    axes.axhline(threshold, **LIMIT)
    axes.plot(factors, shown, **MODEL)
    axes.set(xscale="log", yscale="log", xlabel="steps per original step", ylabel=label)
    axes.set_xticks(factors, [str(factor) for factor in factors])
    axes.set_xticks([], minor=True)
    finite = [*shown[np.isfinite(shown)], threshold]
    axes.set_ylim(min(finite) / 3, max(finite) * 3)
    plain_numbers(axes.yaxis)
    note(axes, _worst_note(values))
    key(
        figure,
        [Line2D([], [], label="model", **MODEL), Line2D([], [], label="threshold", **LIMIT)],
    )
    return figure


def _draw_curve(axes: Axes, name: str, curve: ErrorCurve, threshold: float) -> None:
    values = column(f"values of {name}", curve.values)
    errors = column(f"errors of {name}", curve.errors, len(values))
    axes.set(xscale="log", yscale="log", xlabel=curve.label)
    left, right = values.min() / 1.25, values.max() * 1.25
    low, high = max(curve.trained[0], left), curve.trained[1]
    if low == high:  # make a range of one value visible
        low, high = low / 1.06, high * 1.06
    axes.axvspan(low, high, **SHADE)
    axes.plot([max(curve.checked[0], left), curve.checked[1]], [threshold, threshold], **LIMIT)
    axes.plot(values, _drawable(errors), **MODEL)
    axes.set_xlim(left, right)
    plain_numbers(axes.xaxis)
    plain_numbers(axes.yaxis)
    # the number of the certificate, which holds for the checked range and not for the whole axis
    if np.isfinite(curve.worst):
        note(axes, f"checked, worst {_share(curve.worst)}")
    else:
        note(axes, "checked, not finite")


def _drawable(errors: np.ndarray) -> np.ndarray:
    """Errors for a logarithmic axis: zero at the bottom, not finite as a gap."""
    return np.where(np.isfinite(errors), np.maximum(errors, MIN_DRAWN), np.nan)


def _worst_note(errors: np.ndarray) -> str:
    failed = int(np.sum(~np.isfinite(errors)))
    if failed:
        return f"not finite at {failed} of {len(errors)} points"
    return f"worst {_share(errors.max())}"


def _share(error: float) -> str:
    return percent(error) if error > 1e-5 else f"{error:.1g}"
