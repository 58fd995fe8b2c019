"""Identified relaxation rates over stress, with confidence bands."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from zoo.plots.style import COLOURS, column, house_style, key, new_figure, plain_numbers, require


@house_style
def relaxation_rates(
    curves: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]],
    *,
    stress_label: str = "stress of the branch |s| [MPa]",
    band: str = "95 % band",
) -> Figure:
    """Relaxation rate γ [1/s] against stress, one curve per branch, on logarithmic axes.

    Args:
        curves: (stress, rate, low, high) of each branch, each (points,), all positive. A band more
            than six decades from its curve is cut off.
        stress_label: horizontal label, with unit.
        band: name of the shaded area in the legend.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no curves.
    """
    require("curves", curves)
    figure = new_figure(height_in=2.8, width_in=4.6)
    axes = figure.subplots()
    handles = []
    for k, curve in enumerate(curves):
        colour = COLOURS[k % len(COLOURS)]
        stress, rate, low, high = (column("curve", values) for values in curve)
        axes.fill_between(
            stress,
            np.clip(low, rate / 1e6, None),
            np.clip(high, None, rate * 1e6),
            color=colour,
            alpha=0.2,
            linewidth=0,
        )
        axes.plot(stress, rate, color=colour)
        handles.append(Line2D([], [], color=colour, label=f"branch {k + 1}, {band}"))
    rates = np.concatenate([np.asarray(curve[1]) for curve in curves])
    axes.set(
        xscale="log",
        yscale="log",
        xlabel=stress_label,
        ylabel="relaxation rate γ [1/s]",
        ylim=(rates.min() / 5, rates.max() * 5),
    )
    for axis in (axes.xaxis, axes.yaxis):
        plain_numbers(axis)
    key(figure, handles)
    return figure
