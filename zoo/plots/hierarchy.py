"""Feature hierarchy: rows of spectrogram patches that excite a unit most."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from matplotlib.figure import Figure

from zoo.plots.style import FAINT, QUIET, house_style, new_figure, require


class PatchLike(Protocol):
    """A piece of a spectrogram; see `zoo.explain.hierarchy.Patch`."""

    @property
    def level(self) -> np.ndarray:
        """(frames, bands)."""
        ...

    @property
    def frequencies_hz(self) -> np.ndarray:
        """(bands,)."""
        ...


class UnitLike(Protocol):
    """A filter and its patches; see `zoo.explain.hierarchy.Unit`."""

    @property
    def layer(self) -> str:
        """Name of its layer."""
        ...

    @property
    def number(self) -> int:
        """Of the filter."""
        ...

    @property
    def patches(self) -> Sequence[PatchLike]:
        """The strongest first."""
        ...


@house_style
def feature_hierarchy(units: Sequence[UnitLike], hop_s: float) -> Figure:
    """A row for each unit, its patches from the strongest to the left; frequency upward.

    Args:
        units: of one layer or several.
        hop_s: of the spectrogram [s].

    Returns:
        The figure.

    Raises:
        ValueError: if there are no units.
    """
    require("units", units)
    columns = max(len(unit.patches) for unit in units)
    figure = new_figure(height_in=0.25 + 0.95 * len(units))
    image = None
    panels = figure.subplots(len(units), columns, squeeze=False)
    for row, unit in zip(panels, units, strict=True):
        for panel in row:
            panel.set_axis_off()
        for k, (panel, patch) in enumerate(zip(row, unit.patches, strict=False)):
            panel.set_axis_on()
            panel.set(xticks=[], yticks=[])
            image = panel.imshow(
                patch.level.T,
                origin="lower",
                aspect="auto",
                cmap="magma",
                vmin=-2,
                vmax=3,
                interpolation="nearest",
            )
            low, high = patch.frequencies_hz[[0, -1]]
            panel.set_title(f"{low / 1000:.2g}–{high / 1000:.2g} kHz", fontsize=5, pad=2)
            if k == 0:
                panel.set_ylabel(f"{unit.layer}\nfilter {unit.number}", fontsize=6)
                panel.set_xlabel(f"{1000 * hop_s * len(patch.level):.0f} ms", fontsize=5)
    if image is not None:
        bar = figure.colorbar(image, ax=panels, pad=0.01, aspect=40, shrink=0.6, extend="both")
        bar.set_label("level [standard deviations from the mean]", color=QUIET, fontsize=6)
        bar.outline.set_edgecolor(FAINT)
        bar.ax.tick_params(labelsize=6)
    return figure
