"""Streaming classification over time: waveform, spectrogram, probabilities and program."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zoo.plots.style import COLOURS, FAINT, INK, QUIET, column, house_style, new_figure, note

_WAVE_POINTS = 2000  # blocks of the waveform, each drawn from its lowest to its highest sample


@dataclass(frozen=True)
class Timeline:
    """A recording with the outputs of a streaming classifier.

    Attributes:
        samples: waveform in [-1, 1], (samples,).
        sample_rate_hz: sample rate [Hz].
        level_db: spectrogram [dB], (frames, bands).
        probabilities: class probabilities after each hop, (hops, classes).
        truth: index of the true class in each hop, (hops,); None: not known.
        programs: index of the selected program in each hop, (hops,); negative where none is.
        classes: names.
        frequencies_hz: of the bands, for the axis [Hz], (bands,); None: they are numbered.
    """

    samples: np.ndarray
    sample_rate_hz: float
    level_db: np.ndarray
    probabilities: np.ndarray
    truth: np.ndarray | None
    programs: np.ndarray
    classes: Sequence[str]
    frequencies_hz: np.ndarray | None = None


@house_style
def timeline(data: Timeline) -> Figure:
    """Waveform, spectrogram, class probabilities, and the selected program beside the true class.

    Args:
        data: recording and outputs.

    Returns:
        The figure.

    Raises:
        ValueError: if the arrays do not have the same number of hops and classes.
    """
    samples = column("samples", data.samples)
    hops, classes = np.shape(data.probabilities)
    column("programs", data.programs, hops)
    if classes != len(data.classes):
        raise ValueError(
            "`probabilities` must be (hops, classes). "
            f"Received: {classes} columns for {len(data.classes)} classes."
        )
    end_s = len(samples) / data.sample_rate_hz
    edges_s = np.linspace(0, end_s, hops + 1)
    figure = new_figure(height_in=2.9 + 0.34 * classes)
    wave, image, probabilities, programs = figure.subplots(
        4, 1, sharex=True, height_ratios=(0.7, 1.2, 0.16 * classes, 0.2 * classes)
    )
    _draw_wave(wave, samples, end_s)
    _draw_spectrogram(image, data.level_db, end_s, data.frequencies_hz)
    _draw_probabilities(probabilities, data.probabilities, end_s)
    if data.truth is not None:
        _draw_bars(programs, edges_s, column("truth", data.truth, hops), FAINT, 0.8)
    _draw_bars(programs, edges_s, np.asarray(data.programs), COLOURS[0], 0.35)
    programs.set_title("program" + ("; true class grey" if data.truth is not None else ""))
    programs.set(ylim=(classes - 0.4, -0.6), xlabel="time [s]", xlim=(0, end_s))
    names = [name.replace("_", " ") for name in data.classes]
    for panel in (probabilities, programs):
        panel.set_yticks(range(classes), names)
    return figure


def _draw_wave(panel: Axes, samples: np.ndarray, end_s: float) -> None:
    """Fill between the lowest and highest sample of every block, as a line through all would."""
    size = max(1, len(samples) // _WAVE_POINTS)
    count = len(samples) // size
    blocks = samples[: count * size].reshape(count, size)
    centres_s = (np.arange(count) + 0.5) * size * end_s / len(samples)
    panel.fill_between(centres_s, blocks.min(axis=1), blocks.max(axis=1), color=INK, linewidth=0.2)
    panel.set(ylabel="amplitude [-]", title="waveform")
    panel.axhline(0, color=QUIET, linewidth=0.3)


def _draw_spectrogram(
    panel: Axes, level_db: np.ndarray, end_s: float, frequencies_hz: np.ndarray | None
) -> None:
    mesh = panel.imshow(
        np.asarray(level_db).T,
        origin="lower",
        aspect="auto",
        extent=(0, end_s, 0, level_db.shape[1]),
        vmin=float(np.quantile(level_db, 0.02)),
        cmap="magma",
    )
    panel.set(ylabel="band [-]", title="spectrogram")
    if frequencies_hz is not None:
        ticks = np.linspace(0, level_db.shape[1] - 1, 4).round().astype(int)
        panel.set_yticks(ticks + 0.5, [f"{frequencies_hz[k] / 1000:.2g}" for k in ticks])
        panel.set_ylabel("frequency [kHz]")
    low, high = mesh.get_clim()
    note(panel, f"dark {low:.0f} dB, bright {high:.0f} dB")
    panel.grid(visible=False)


def _draw_probabilities(panel: Axes, probabilities: np.ndarray, end_s: float) -> None:
    panel.imshow(
        np.asarray(probabilities).T,
        aspect="auto",
        extent=(0, end_s, np.shape(probabilities)[1] - 0.5, -0.5),
        vmin=0,
        vmax=1,
        cmap="Blues",
        interpolation="nearest",
    )
    panel.set_title("class probabilities per hop")
    panel.grid(visible=False)
    note(panel, "white 0, dark 1")


def _draw_bars(
    panel: Axes, edges_s: np.ndarray, numbers: np.ndarray, colour: str, height: float
) -> None:
    """Draw a bar for every interval of one class; none where the index is negative."""
    starts = np.flatnonzero(np.concatenate([[True], numbers[1:] != numbers[:-1]]))
    ends = np.append(starts[1:], len(numbers))
    for start, end in zip(starts, ends, strict=True):
        if numbers[start] >= 0:
            left = edges_s[start]
            panel.barh(numbers[start], edges_s[end] - left, height, left, color=colour)
