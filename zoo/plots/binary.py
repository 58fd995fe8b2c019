"""Binary classification figures: ROC curves and scores by group."""

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
    """ROC curves: true positive rate over false positive rate; the diagonal is chance (AUC 0.5).

    Args:
        curves: name -> (false positive rate [-], true positive rate [-]), each (thresholds,); the
            first one is the model.
        band: (false positive rate, lowest, highest true positive rate) of the model's confidence
            band.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no curves.
    """
    require("curves", curves)
    figure = new_figure(height_in=4.3, width_in=4.0)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, linestyle=":")
    if band is not None:
        axes.fill_between(*band, color=COLOURS[0], alpha=0.15, linewidth=0)
    for k, (name, (false_positives, true_positives)) in enumerate(curves.items()):
        colour, width = COLOURS[k % len(COLOURS)], 1.6 if k == 0 else 0.9
        axes.plot(false_positives, true_positives, color=colour, linewidth=width, label=name)
    axes.set(
        xlim=(0, 1),
        ylim=(0, 1),
        aspect="equal",
        xlabel="false positive rate, 1 − specificity [-]",
        ylabel="true positive rate, sensitivity [-]",
    )
    figure.legend(loc="outside upper left")
    return figure


@house_style
def scores_by_group(
    groups: Mapping[str, tuple[np.ndarray, np.ndarray]],
    *,
    classes: tuple[str, str] = ("normal", "wheeze"),
    label: str = "probability [-]",
) -> Figure:
    """Scores of clips, one column per group: dots coloured by label, and a line at their mean.

    Args:
        groups: name -> (labels, scores), each (clips,); labels are 0 or 1.
        classes: names of label 0 and label 1.
        label: vertical label, with unit.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no groups.
    """
    require("groups", groups)
    figure = new_figure(height_in=2.8)
    axes = figure.subplots()
    rng = np.random.default_rng(0)  # horizontal jitter only, so that dots do not cover each other
    in_legend = set()
    for column, (labels, scores) in enumerate(groups.values()):
        labels, scores = np.asarray(labels), np.asarray(scores)
        for number, name in enumerate(classes):
            chosen = scores[labels == number]
            axes.plot(
                column + rng.uniform(-0.25, 0.25, chosen.size),
                chosen,
                ".",
                color=COLOURS[number],
                markersize=3,
                alpha=0.7,
                markeredgewidth=0,
                label=name if chosen.size and name not in in_legend else None,
            )
            if chosen.size:
                in_legend.add(name)
        axes.plot([column - 0.4, column + 0.4], [scores.mean()] * 2, color=QUIET, linewidth=1)
    axes.set(xlim=(-0.7, len(groups) - 0.3), ylim=(0, 1), ylabel=label)
    axes.grid(axis="x", visible=False)
    axes.set_xticks(range(len(groups)), list(groups), rotation=90, fontsize=5.5)
    axes.tick_params(axis="x", length=0)
    figure.legend(loc="outside upper left", ncols=2, markerscale=3)
    return figure
