"""Small matrices with their numbers, for instance an image, a kernel and its response."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from zoo.plots.style import COLOURS, house_style, new_figure, require

CELL_IN = 0.32  # side of a matrix element [in]


@dataclass(frozen=True)
class Matrix:
    """A matrix to draw.

    Attributes:
        values: (rows, columns).
        frames: square blocks to frame, as (row, column, side).
    """

    values: ArrayLike
    frames: Sequence[tuple[int, int, int]] = ()


@house_style
def matrices(grids: Mapping[str, Matrix], between: Sequence[str] = ()) -> Figure:
    """Matrices side by side; every element shows its number and is darker where it is larger.

    Args:
        grids: title -> matrix.
        between: symbols between neighbouring matrices, for instance ("∗", "="); empty: none.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no matrices, or `between` has another number of entries than there
            are gaps.
    """
    require("grids", grids)
    gaps = len(grids) - 1
    between = between or [""] * gaps
    if len(between) != gaps:
        raise ValueError(
            f"`between` must have {gaps} entries, one for each gap. Received: {len(between)}."
        )
    shapes = [np.shape(grid.values) for grid in grids.values()]
    tallest, widest = max(rows for rows, _ in shapes), sum(columns for _, columns in shapes)
    figure = new_figure(height_in=CELL_IN * (tallest + 1), width_in=CELL_IN * (widest + gaps + 0.5))
    panel = figure.add_subplot()
    left = 0.0
    for (title, grid), symbol in zip(grids.items(), (*between, ""), strict=True):
        values = np.asarray(grid.values, np.float64)
        rows, columns = values.shape
        top = (tallest - rows) / 2  # centred on the tallest
        _draw_grid(panel, left, top, values)
        for row, place, size in grid.frames:
            frame = {"edgecolor": COLOURS[1], "linewidth": 1.4, "zorder": 3}
            panel.add_patch(Rectangle((left + place, top + row), size, size, fill=False, **frame))
        panel.text(left, top - 0.15, title, va="bottom")
        left += columns + 1
        panel.text(left - 0.5, tallest / 2, symbol, ha="center", va="center", fontsize=11)
    panel.set(xlim=(-0.1, left - 0.9), ylim=(tallest + 0.1, -0.7), aspect="equal")
    panel.set_axis_off()
    return figure


def _draw_grid(panel: Axes, left: float, top: float, values: np.ndarray) -> None:
    rows, columns = values.shape
    panel.pcolormesh(
        left + np.arange(columns + 1),
        top + np.arange(rows + 1),
        0.55 * (values - values.min()) / max(float(np.ptp(values)), 1e-12),
        cmap="Blues",
        vmin=0,
        vmax=1,
        edgecolors="white",
        linewidth=1.0,
    )
    for (row, place), value in np.ndenumerate(values):
        panel.text(
            left + place + 0.5,
            top + row + 0.5,
            f"{value:g}",
            ha="center",
            va="center",
            fontsize=7.5,
        )
