"""Overview of a corpus of sound: amount per class, clip lengths, example spectrograms."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure, SubFigure

from zoo.plots.style import COLOURS, INK, QUIET, house_style, new_figure, require

_MAX_EXAMPLES = 12
_RANGE_DB = 80.0  # dynamic range of the example spectrograms [dB]

# power (frequency, time) [dB], highest frequency [Hz], length [s]
Example = tuple[np.ndarray, float, float]


@house_style
def corpus(
    title: str,
    minutes: Mapping[str, float],
    clips: Mapping[str, int],
    lengths_s: Sequence[float] | np.ndarray,
    examples: Mapping[str, Example],
) -> Figure:
    """Sound per class, histogram of clip lengths, and one spectrogram for up to twelve classes.

    Args:
        title: name of the corpus.
        minutes: class -> total length of its clips [min].
        clips: class -> number of clips.
        lengths_s: length of every clip [s].
        examples: class -> (power (frequency, time) [dB], highest frequency [Hz], length [s]) of one
            clip, drawn over the 80 dB below its largest value.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no classes.
    """
    require("minutes", minutes)
    shown = dict(list(examples.items())[:_MAX_EXAMPLES])
    rows = -(-len(shown) // 3)
    height_in = max(2.6, 0.9 + 0.15 * len(minutes), 0.4 + 0.95 * rows)
    figure = new_figure(height_in=height_in)
    figure.suptitle(title, x=0.01, ha="left", fontsize=9, color=INK)
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(2, 3))[0]
    _amounts(left, minutes, clips, lengths_s)
    if shown:
        _examples(right, shown, rows)
    return figure


def _amounts(
    figure: SubFigure,
    minutes: Mapping[str, float],
    clips: Mapping[str, int],
    lengths_s: Sequence[float] | np.ndarray,
) -> None:
    bars, lengths = figure.subplots(2, 1, height_ratios=(max(2.5, 0.25 * len(minutes)), 1))
    names = list(minutes)
    bars.barh(names, [minutes[name] for name in names], color=COLOURS[0], height=0.7)
    for row, name in enumerate(names):
        bars.annotate(
            f"{clips[name]:,}",
            (minutes[name], row),
            (3, 0),
            textcoords="offset points",
            va="center",
            color=QUIET,
            fontsize=6,
        )
    bars.invert_yaxis()
    bars.margins(x=0.15)
    bars.set(xlabel="sound [min]; grey: number of clips", ylim=(len(names) - 0.4, -0.6))
    bars.grid(axis="y", visible=False)
    durations_s = np.asarray(lengths_s, dtype=float)
    low, high = durations_s.min(), durations_s.max()
    edges = 30 if high > 1.001 * low else np.linspace(0, 2 * high, 31)
    lengths.hist(durations_s, bins=edges, color=COLOURS[0])
    lengths.set(xlabel="length of clip [s]", ylabel="clips", xlim=(0, None))


def _examples(figure: SubFigure, examples: Mapping[str, Example], rows: int) -> None:
    panels = figure.subplots(rows, min(3, len(examples)), squeeze=False).ravel()
    for panel in panels[len(examples) :]:
        panel.set_visible(False)
    for panel, (name, example) in zip(panels, examples.items(), strict=False):
        power_db, highest_hz, duration_s = example
        loudest = float(power_db.max())
        panel.imshow(
            power_db,
            origin="lower",
            aspect="auto",
            extent=(0, duration_s, 0, highest_hz / 1000),
            vmin=loudest - _RANGE_DB,
            vmax=loudest,
            cmap="magma",
            interpolation="bilinear",
        )
        panel.set_title(name, fontsize=7)
        panel.grid(visible=False)
        panel.locator_params(nbins=3)
        panel.tick_params(labelsize=6)
    figure.supxlabel("time [s]", fontsize=7)
    figure.supylabel("frequency [kHz]", fontsize=7)
