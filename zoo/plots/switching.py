"""Program decisions: delay against false switches, delay by class, shares by condition."""

from collections.abc import Mapping, Sequence
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


@house_style
def found_over_time(delays_s: Mapping[str, Any], *, until_s: float = 10.0) -> Figure:
    """Share of the scenes whose program came within some time, one line for each class.

    Args:
        delays_s: class -> delay of every scene [s], inf where its program never came.
        until_s: end of the axis [s].

    Raises:
        ValueError: no classes, or a class without scenes.
    """
    require("delays_s", delays_s)
    figure = new_figure(height_in=2.8)
    axes = figure.subplots()
    ends = {}
    for place, (name, delays) in enumerate(delays_s.items()):
        sorted_s = np.sort(np.asarray(delays, float))
        if not sorted_s.size:
            raise ValueError(f"{name!r}: expected the delays of some scenes. Received: none.")
        within = sorted_s[sorted_s <= until_s]
        # both ends of each step, as charts of a page join points with straight lines
        x = np.concatenate([[0.0], np.repeat(within, 2), [until_s]])
        y = 100 * np.repeat(np.arange(len(within) + 1), 2) / len(sorted_s)
        colour = COLOURS[place % len(COLOURS)]
        axes.plot(x, y, color=colour)
        ends[name] = (until_s, y[-1], colour)
    axes.set(xlabel="time since the scene changed [s]", ylabel="scenes found [%]")
    axes.set(xlim=(0, until_s), ylim=(0, 102))
    name_lines(axes, ends)
    return figure


@house_style
def shares_by_condition(
    panels: Mapping[str, Any], rows: Sequence[str], columns: Sequence[str], names: tuple[str, str]
) -> Figure:
    """Shares of the time over two conditions, a panel each; numbers are percent.

    Args:
        panels: title -> shares (rows, columns), 0 to 1.
        rows: their labels.
        columns: their labels.
        names: of what rows and columns are.

    Raises:
        ValueError: no panels, or one of another shape.
    """
    require("panels", panels)
    figure = new_figure(height_in=0.9 + 0.24 * len(rows) * len(panels) + 0.3 * len(panels))
    for number, (title, shares) in enumerate(panels.items()):
        shares = np.asarray(shares, float)
        if shares.shape != (len(rows), len(columns)):
            raise ValueError(
                f"{title!r}: expected shape {(len(rows), len(columns))}. Received: {shares.shape}."
            )
        axes = figure.add_subplot(len(panels), 1, number + 1)
        axes.grid(False)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for row, column in np.ndindex(shares.shape):
            colour = "white" if shares[row, column] > 0.6 else "black"
            text = f"{100 * shares[row, column]:.0f}"
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=7)
        axes.set_title(title, loc="left")
        axes.set_xticks(range(len(columns)), columns if number == len(panels) - 1 else [])
        axes.set_yticks(range(len(rows)), rows)
        axes.tick_params(length=0)
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.set_ylabel(names[0])
    axes.set_xlabel(names[1])
    return figure
