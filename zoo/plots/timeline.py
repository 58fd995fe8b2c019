"""A classifier that listens: what sounded, what it heard, what it decided, on one time axis."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from zoo.plots.style import COLOURS, FAINT, INK, QUIET, column, house_style, new_figure, note

_WAVE_POINTS = 2000  # lowest and highest sample of so many stretches


@dataclass(frozen=True)
class Timeline:
    """One stretch of listening.

    Attributes:
        samples: (samples,) in [-1, 1].
        sample_rate_hz: [Hz].
        level_db: spectrogram (frames, bands) [dB].
        probabilities: of each class after each hop, (hops, classes).
        truth: number of the class that sounds in each hop, (hops,); None: not known.
        programs: number of the class decided for, (hops,), negative where it abstains.
        classes: names.
    """

    samples: np.ndarray
    sample_rate_hz: float
    level_db: np.ndarray
    probabilities: np.ndarray
    truth: np.ndarray | None
    programs: np.ndarray
    classes: Sequence[str]


@house_style
def timeline(heard: Timeline) -> Figure:
    """Waveform, spectrogram, probabilities, and the program over the truth.

    Args:
        heard: what is drawn.

    Raises:
        ValueError: arrays that do not fit together.
    """
    samples = column("samples", heard.samples)
    hops, classes = np.shape(heard.probabilities)
    column("programs", heard.programs, hops)
    if classes != len(heard.classes):
        raise ValueError(
            "`probabilities` must be (hops, classes). "
            f"Received: {classes} columns for {len(heard.classes)} classes."
        )
    end_s = len(samples) / heard.sample_rate_hz
    edges_s = np.linspace(0, end_s, hops + 1)
    figure = new_figure(height_in=2.9 + 0.34 * classes)
    wave, image, chances, programs = figure.subplots(
        4, 1, sharex=True, height_ratios=(0.7, 1.2, 0.16 * classes, 0.2 * classes)
    )
    _draw_wave(wave, samples, end_s)
    low = np.quantile(heard.level_db, 0.02)
    image.imshow(
        np.asarray(heard.level_db).T,
        origin="lower",
        aspect="auto",
        extent=(0, end_s, 0, heard.level_db.shape[1]),
        vmin=low,
        cmap="magma",
    )
    image.set(ylabel="band", title="spectrogram")
    chances.imshow(
        np.asarray(heard.probabilities).T,
        aspect="auto",
        extent=(0, end_s, classes - 0.5, -0.5),
        vmin=0,
        vmax=1,
        cmap="Blues",
        interpolation="nearest",
    )
    chances.set_title("probabilities, hop by hop")
    note(chances, "white 0, dark 1")
    if heard.truth is not None:
        _draw_bars(programs, edges_s, column("truth", heard.truth, hops), FAINT, 0.8)
    _draw_bars(programs, edges_s, np.asarray(heard.programs), COLOURS[0], 0.35)
    programs.set_title("program" + (", over what sounds (grey)" if heard.truth is not None else ""))
    programs.set(ylim=(classes - 0.4, -0.6), xlabel="time [s]", xlim=(0, end_s))
    for panel in (image, chances):
        panel.grid(visible=False)
    names = [name.replace("_", " ") for name in heard.classes]
    for panel in (chances, programs):
        panel.set_yticks(range(classes), names)
    return figure


def _draw_wave(panel, samples: np.ndarray, end_s: float) -> None:
    """The lowest and highest sample of every stretch: what a line through all would show."""
    size = max(1, len(samples) // _WAVE_POINTS)
    count = len(samples) // size
    stretches = samples[: count * size].reshape(count, size)
    middles_s = (np.arange(count) + 0.5) * size * end_s / len(samples)
    panel.fill_between(
        middles_s, stretches.min(axis=1), stretches.max(axis=1), color=INK, linewidth=0.2
    )
    panel.set(ylabel="pressure [-]", title="waveform")
    panel.axhline(0, color=QUIET, linewidth=0.3)


def _draw_bars(panel, edges_s: np.ndarray, numbers: np.ndarray, colour: str, height: float) -> None:
    """A bar for every stretch of one class; none where the number is negative."""
    starts = np.flatnonzero(np.concatenate([[True], numbers[1:] != numbers[:-1]]))
    ends = np.append(starts[1:], len(numbers))
    for start, end in zip(starts, ends, strict=True):
        if numbers[start] >= 0:
            left = edges_s[start]
            panel.barh(numbers[start], edges_s[end] - left, height, left, color=colour)
