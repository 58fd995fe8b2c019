"""Figures of regressed quantities: estimate against truth, and both over time."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from zoo.plots.style import COLOURS, FAINT, house_style, new_figure, note


class Estimated(NamedTuple):
    """A quantity with its truth and its estimates.

    Attributes:
        label: axis label with unit, such as "level [dB(A)]".
        truth: (values,); None: not known.
        estimate: (values,).
    """

    label: str
    truth: np.ndarray | None
    estimate: np.ndarray


@house_style
def estimate_against_truth(quantities: Sequence[Estimated]) -> Figure:
    """A panel a quantity: quantiles of the estimate in bins of the truth, beside the diagonal.

    Args:
        quantities: one or more, with their truth.

    Raises:
        ValueError: none, or one without truth.
    """
    if not quantities:
        raise ValueError("Expected one quantity or more, got none.")
    figure = new_figure(height_in=3.0)
    panels = figure.subplots(1, len(quantities), squeeze=False)[0]
    for panel, each in zip(panels, quantities, strict=True):
        if each.truth is None:
            raise ValueError(f"Expected the truth of {each.label}, got None.")
        first, last = np.quantile(each.truth, [0.005, 0.995])
        edges = np.linspace(first, last, 25)
        number = np.digitize(each.truth, edges)
        centres, low, middle, high = [], [], [], []
        for k in range(1, len(edges)):
            inside = each.estimate[number == k]
            if len(inside) >= 5:
                centres.append((edges[k - 1] + edges[k]) / 2)
                quantiles = np.quantile(inside, [0.1, 0.5, 0.9])
                for values, value in zip((low, middle, high), quantiles, strict=True):
                    values.append(float(value))
        panel.plot(edges[[0, -1]], edges[[0, -1]], color=FAINT, linewidth=2.5, label="equal")
        panel.fill_between(centres, low, high, color=COLOURS[0], alpha=0.25, linewidth=0)
        panel.plot(centres, middle, color=COLOURS[0], label="median, and eight in ten")
        panel.set(xlabel=f"true {each.label}", ylabel=f"estimated {each.label}")
        note(panel, f"mean absolute error {np.abs(each.estimate - each.truth).mean():.2f}")
    panels[0].legend(loc="lower right")
    return figure


@house_style
def estimates_over_time(time_s: np.ndarray, quantities: Sequence[Estimated]) -> Figure:
    """A panel a quantity, truth and estimate over time.

    Args:
        time_s: [s], (values,).
        quantities: one or more.

    Raises:
        ValueError: none.
    """
    if not quantities:
        raise ValueError("Expected one quantity or more, got none.")
    figure = new_figure(height_in=0.7 + 1.4 * len(quantities))
    panels = figure.subplots(len(quantities), 1, squeeze=False, sharex=True)[:, 0]
    for panel, each in zip(panels, quantities, strict=True):
        if each.truth is not None:
            panel.plot(time_s, each.truth, color=FAINT, linewidth=2.5, label="truth")
        panel.plot(time_s, each.estimate, color=COLOURS[0], label="estimate")
        panel.set(ylabel=each.label)
    if quantities[0].truth is not None:
        panels[0].legend(loc="upper right", ncols=2)
    panels[-1].set(xlabel="time [s]")
    figure.align_ylabels(panels)
    return figure
