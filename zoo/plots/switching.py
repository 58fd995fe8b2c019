"""Delay of program decisions against their false switches."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zoo.plots.style import COLOURS, MARKERS, QUIET, house_style, name_lines, new_figure, require


@house_style
def delay_against_false_switches(
    curves: Mapping[str, tuple[Any, Any]],
    chosen: tuple[float, float] | None = None,
    *,
    max_false_per_min: float | None = None,
) -> Figure:
    """Delay over the rate of false switches, one line for each way to decide.

    Args:
        curves: name -> false switches a minute and delay [s], one each for every setting.
        chosen: of the settings that are used.
        max_false_per_min: limit of false switches, a vertical line.

    Raises:
        ValueError: no curves, or curves of unequal length.
    """
    require("curves", curves)
    figure = new_figure(height_in=2.8)
    axes = figure.subplots()
    ends = {}
    for place, (name, (false_per_min, delay_s)) in enumerate(curves.items()):
        x, y = np.asarray(false_per_min, float), np.asarray(delay_s, float)
        if x.shape != y.shape or x.ndim != 1 or not x.size:
            raise ValueError(
                f"{name!r}: expected as many delays as rates. Received: {y.shape} and {x.shape}."
            )
        order = np.argsort(x)
        colour = COLOURS[place % len(COLOURS)]
        axes.plot(x[order], y[order], color=colour, marker=MARKERS[place % len(MARKERS)])
        ends[name] = (x[order[-1]], y[order[-1]], colour)
    if chosen is not None:
        axes.plot(*chosen, "*", color="black", markersize=9)
        axes.annotate("used", chosen, xytext=(6, 6), textcoords="offset points")
    if max_false_per_min is not None:
        axes.axvline(max_false_per_min, color=QUIET, linewidth=0.8, linestyle="--")
    axes.set(xlabel="false switches a minute", ylabel="mean delay [s]", xlim=(0, None))
    axes.set_ylim(0, None)
    name_lines(axes, ends)
    return figure
