"""Activation functions and their derivatives."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle

import numpy as np
from matplotlib.figure import Figure

from zoo.plots.style import COLOURS, column, house_style, name_lines, new_figure, require


@dataclass(frozen=True)
class Activation:
    """An activation function over given arguments.

    Attributes:
        value: φ(a), (points,).
        slope: φ'(a), (points,).
    """

    value: np.ndarray
    slope: np.ndarray


@house_style
def activations(points: np.ndarray, curves: Mapping[str, Activation]) -> Figure:
    """Activation functions on the left, their derivatives on the right.

    Args:
        points: argument a, (points,).
        curves: name -> values and derivatives at the points.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no curves, or one does not have as many points.
    """
    require("curves", curves)
    points = column("points", points)
    figure = new_figure(height_in=2.4)
    left, right = figure.subplots(1, 2)
    for panel, kind, label in ((left, "value", "φ(a) [-]"), (right, "slope", "φ′(a) [-]")):
        ends = {}
        for (name, curve), colour in zip(curves.items(), cycle(COLOURS), strict=False):
            values = column(name, getattr(curve, kind), len(points))
            panel.plot(points, values, color=colour)
            ends[name] = (points[-1], values[-1], colour)
        panel.set(xlabel="a [-]", ylabel=label)
        panel.set_xticks(np.linspace(points[0], points[-1], 5))
        panel.set_xlim(points[0], points[-1] + 0.3 * np.ptp(points))
        name_lines(panel, ends)
    left.set_title("activation")
    right.set_title("derivative")
    return figure
