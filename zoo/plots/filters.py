"""First-layer filters over milliseconds and hertz."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from zoo.plots.style import FAINT, QUIET, SIGNED, house_style, new_figure, require

COLUMNS = 8


@house_style
def first_filters(
    weights: np.ndarray, times_ms: np.ndarray, edges_hz: np.ndarray, titles: Sequence[str]
) -> Figure:
    """Kernels on one colour scale, time to the right, frequency upward, bands of their true width.

    Args:
        weights: (filters, frames, bands) response a standard deviation of the level.
        times_ms: edges of the frames [ms], (frames + 1,).
        edges_hz: edges of the bands [Hz], (bands + 1,).
        titles: of each filter.

    Raises:
        ValueError: no filter, or edges that do not fit.
    """
    require("titles", titles)
    if weights.shape != (len(titles), len(times_ms) - 1, len(edges_hz) - 1):
        raise ValueError(
            "`weights` must have shape (titles, times - 1, edges - 1). Received: "
            f"{weights.shape}, {len(titles)} titles, {len(times_ms)} times, {len(edges_hz)} edges."
        )
    rows = -(-len(titles) // COLUMNS)
    figure = new_figure(height_in=0.5 + 0.95 * rows)
    panels = figure.subplots(rows, COLUMNS, squeeze=False, sharex=True, sharey=True).ravel()
    limit = float(np.abs(weights).max()) or 1.0
    mesh = None
    for panel in panels[len(titles) :]:
        panel.set_axis_off()
    for number, (panel, title) in enumerate(zip(panels, titles, strict=False)):
        mesh = panel.pcolormesh(
            times_ms, edges_hz, weights[number].T, cmap=SIGNED, vmin=-limit, vmax=limit
        )
        panel.grid(visible=False)
        panel.set_title(title, fontsize=6, pad=2)
        panel.tick_params(labelsize=6)
        panel.set(xticks=[times_ms[0], times_ms[-1]], yticks=edges_hz[[0, -1]].round())
    for row in range(rows):
        panels[row * COLUMNS].set_ylabel("frequency [Hz]", fontsize=6)
    for column in range(min(COLUMNS, len(titles))):
        below = panels[column + COLUMNS * ((len(titles) - 1 - column) // COLUMNS)]
        below.set_xlabel("time [ms]", fontsize=6)
        below.tick_params(labelbottom=True)
    assert mesh is not None  # there is a title
    bar = figure.colorbar(mesh, ax=list(panels), pad=0.01, aspect=30)
    bar.set_label("response per standard deviation of level [-]", color=QUIET, fontsize=6)
    bar.outline.set_edgecolor(FAINT)
    bar.ax.tick_params(labelsize=6)
    return figure
