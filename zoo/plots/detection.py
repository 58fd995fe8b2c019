"""Detectors: what a threshold finds and what it finds wrongly, and how each group was judged."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from zoo.plots.style import COLOURS, FAINT, QUIET, house_style, new_figure, require


@house_style
def roc_curves(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]],
    *,
    band: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
) -> Figure:
    """Share found over share of false alarms; on the diagonal a coin would do as well.

    Args:
        curves: name -> (false alarms, found), (thresholds,) each; the first is the model.
        band: (false alarms, lowest, highest share found) of the model.
    """
    require("curves", curves)
    figure = new_figure(height_in=4.3, width_in=4.0)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, linestyle=":")
    if band is not None:
        axes.fill_between(*band, color=COLOURS[0], alpha=0.15, linewidth=0)
    for k, (name, (false, found)) in enumerate(curves.items()):
        axes.plot(false, found, color=COLOURS[k], linewidth=1.6 if k == 0 else 0.9, label=name)
    axes.set(
        xlim=(0, 1),
        ylim=(0, 1),
        aspect="equal",
        xlabel="false alarms, 1 - specificity [-]",
        ylabel="found, sensitivity [-]",
    )
    figure.legend(loc="outside upper left")
    return figure


@house_style
def by_group(
    groups: Mapping[str, tuple[np.ndarray, np.ndarray]],
    *,
    kinds: tuple[str, str] = ("normal", "wheeze"),
    label: str = "probability [-]",
) -> Figure:
    """A column a group: each clip a dot, coloured by what it is, and a line at their mean.

    Args:
        groups: name -> (labels, scores), (clips,) each; labels 0 or 1.
        kinds: names of the two.
        label: of the score.
    """
    require("groups", groups)
    figure = new_figure(height_in=2.8)
    axes = figure.subplots()
    rng = np.random.default_rng(0)  # sideways only, so that dots do not hide each other
    drawn = set()
    for column, (labels, scores) in enumerate(groups.values()):
        labels, scores = np.asarray(labels), np.asarray(scores)
        for kind, name in enumerate(kinds):
            chosen = scores[labels == kind]
            axes.plot(
                column + rng.uniform(-0.25, 0.25, chosen.size),
                chosen,
                ".",
                color=COLOURS[kind],
                markersize=3,
                alpha=0.7,
                markeredgewidth=0,
                label=name if chosen.size and name not in drawn else None,
            )
            if chosen.size:
                drawn.add(name)
        axes.plot([column - 0.4, column + 0.4], [scores.mean()] * 2, color=QUIET, linewidth=1)
    axes.set(xlim=(-0.7, len(groups) - 0.3), ylim=(0, 1), ylabel=label)
    axes.grid(axis="x", visible=False)
    axes.set_xticks(range(len(groups)), list(groups), rotation=90, fontsize=5.5)
    axes.tick_params(axis="x", length=0)
    figure.legend(loc="outside upper left", ncols=2, markerscale=3)
    return figure
