"""Evidence of a sound classifier below its spectrogram; how it changes with the weights."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from zoo.plots.spectrograms import SpectrogramImage, draw_spectrogram
from zoo.plots.style import (
    COLOURS,
    FAINT,
    INK,
    MARKERS,
    QUIET,
    SIGNED,
    column,
    house_style,
    name_lines,
    new_figure,
    note,
    require,
)


@house_style
def evidence(
    level: np.ndarray,
    evidence: np.ndarray,
    times_s: np.ndarray,
    frequencies_hz: np.ndarray,
    *,
    label: str,
    window_s: tuple[float, float] | None = None,
    region: tuple[slice, slice] | None = None,
    level_label: str = "level [dB]",
) -> Figure:
    """A spectrogram, and below it the evidence for a class (red) and against it (blue).

    Args:
        level: (time, bands); the highest 70 of it are shown, which suits decibels.
        evidence: (time, bands) fall of the log-odds without a point [nat].
        times_s: middle of each frame [s], (time,).
        frequencies_hz: of each band [Hz], (bands,).
        label: the class and its probability.
        window_s: start and end of the clip in its recording [s], for the title.
        region: frames and bands to be framed.
        level_label: of the spectrogram's colours, with unit.
    """
    figure = new_figure(height_in=3.8)
    upper, lower = figure.subplots(2, 1, sharex=True)
    loudest, limit = float(np.max(level)), float(np.abs(evidence).max()) or 1.0
    axes = {"times_s": times_s, "frequencies_hz": frequencies_hz, "is_banded": True}
    softest = max(float(np.min(level)), loudest - 70)
    draw_spectrogram(
        upper, SpectrogramImage(level, label=level_label, range=(softest, loudest), **axes)
    )
    draw_spectrogram(
        lower,
        SpectrogramImage(
            evidence, label="fall of log-odds [nat]", range=(-limit, limit), colours=SIGNED, **axes
        ),
    )
    span = "" if window_s is None else f", {window_s[0]:.2f} to {window_s[1]:.2f} s"
    upper.set_title(f"spectrogram{span}")
    lower.set_title("evidence for the class")
    note(upper, label)
    lower.set_xlabel("time [s]")
    if region is not None:
        frames, bands = region
        step_s = float(times_s[-1] - times_s[0]) / max(len(times_s) - 1, 1)
        corner = times_s[frames.start] - step_s / 2, bands.start - 0.5
        size = (frames.stop - frames.start) * step_s, bands.stop - bands.start
        upper.add_patch(Rectangle(corner, *size, fill=False, edgecolor="white", linewidth=1.0))
        lower.add_patch(Rectangle(corner, *size, fill=False, edgecolor=INK, linewidth=0.8))
    return figure


@house_style
def random_weights(
    layers: Sequence[str], curves: Mapping[str, np.ndarray], *, limit: float = 0.2
) -> Figure:
    """Correlation of evidence with that of random weights, from the output layer to the input.

    Args:
        layers: names, the output first.
        curves: method -> mean absolute rank correlation, (layers,).
        limit: drawn as a dashed line.

    Raises:
        ValueError: no curve, or one that has not as many points as there are layers.
    """
    require("curves", curves)
    figure = new_figure(height_in=3.0)
    panel = figure.subplots()
    places, ends = np.arange(len(layers)), {}
    for k, (name, curve) in enumerate(curves.items()):
        values = column(name, curve, len(layers))
        colour = (*COLOURS, QUIET)[k % (len(COLOURS) + 1)]
        panel.plot(places, values, color=colour, marker=MARKERS[k % len(MARKERS)], markersize=3)
        ends[name] = (places[-1], values[-1], colour)
    panel.axhline(limit, color=FAINT, linestyle="--", linewidth=0.8)
    panel.set_xticks(places, labels=layers, rotation=30, ha="right")
    panel.set(
        xlabel="weights permuted from the output down to this layer",
        ylabel="absolute rank correlation [-]",
        ylim=(0, 1),
        xlim=(-0.2, 1.35 * max(len(layers) - 1, 1)),
    )
    name_lines(panel, ends)
    return figure
