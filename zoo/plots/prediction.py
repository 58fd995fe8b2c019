"""Predictions over time: stress of a loading history, class probabilities of a recording."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from zoo.plots.loops import MODEL, STRAIN, STRESS
from zoo.plots.style import COLOURS, column, house_style, new_figure, note


@house_style
def stress_prediction(
    time_s: np.ndarray,
    strain: np.ndarray,
    stress: np.ndarray,
    *,
    title: str = "",
    strain_label: str = STRAIN,
    stress_label: str = STRESS,
) -> Figure:
    """Strain and predicted stress over time, and stress over strain.

    Args:
        time_s: time of each sample [s], (time,).
        strain: loading [-], (time,).
        stress: predicted, (time,).
        title: for instance the name of the model.
        strain_label: label of the loading, with unit.
        stress_label: label of the stress, with unit.
    """
    time_s = column("time_s", time_s)
    strain = column("strain", strain, len(time_s))
    stress = column("stress", stress, len(time_s))
    figure = new_figure(height_in=2.9)
    panels = figure.subplot_mosaic(
        [["loading", "loop"], ["response", "loop"]], height_ratios=(1, 1.6), width_ratios=(1.35, 1)
    )
    loading, response, loop = panels["loading"], panels["response"], panels["loop"]
    loading.plot(time_s, strain, color=COLOURS[1], linewidth=1.0)
    loading.set(ylabel=strain_label, title=title)
    loading.sharex(response)
    loading.tick_params(labelbottom=False)
    response.plot(time_s, stress, **MODEL)
    response.set(xlabel="time [s]", ylabel=stress_label)
    loop.plot(strain, stress, **MODEL)
    loop.set(xlabel=strain_label, ylabel=stress_label)
    figure.align_ylabels([loading, response])
    return figure


@house_style
def class_probabilities(
    starts_s: np.ndarray,
    ends_s: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
    *,
    title: str = "",
    events: Sequence[tuple[int, float, float]] = (),
) -> Figure:
    """A heat map of probabilities: time across, a row a class.

    Args:
        starts_s: start of each clip or hop [s], (clips,), rising.
        ends_s: end of each [s], (clips,); a clip is drawn up to the start of the next one.
        probabilities: (clips, classes); NaN where a hop was not classified.
        classes: names.
        title: for instance the name of the recording.
        events: (number of the class, onset, offset [s]) of bars to draw below the row.

    Raises:
        ValueError: arrays that do not fit together.
    """
    starts_s = column("starts_s", starts_s)
    ends_s = column("ends_s", ends_s, len(starts_s))
    if np.shape(probabilities) != (len(starts_s), len(classes)):
        raise ValueError(
            f"`probabilities` must be ({len(starts_s)}, {len(classes)}). "
            f"Received: {np.shape(probabilities)}."
        )
    figure = new_figure(height_in=0.9 + 0.2 * len(classes))
    axes = figure.subplots()
    axes.pcolormesh(
        np.append(starts_s, ends_s[-1]),
        np.arange(len(classes) + 1) - 0.5,
        np.ma.masked_invalid(np.asarray(probabilities, np.float64).T),
        vmin=0,
        vmax=1,
        cmap="Blues",
    )
    for row, onset_s, offset_s in events:
        axes.plot([onset_s, offset_s], [row + 0.4] * 2, color=COLOURS[1], linewidth=2.5)
    axes.set_yticks(range(len(classes)), [name.replace("_", " ") for name in classes])
    axes.invert_yaxis()
    axes.set(xlabel="time [s]", title=title)
    axes.grid(visible=False)
    note(axes, "white 0, dark 1" + ("; bars: events" if events else ""))
    return figure
