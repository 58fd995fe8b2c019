"""Spectrograms: time to the right, frequency upward, with or without the waveform above."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zoo.plots.style import (
    COLOURS,
    FAINT,
    QUIET,
    column,
    house_style,
    new_figure,
    note,
    require,
)


@dataclass(frozen=True)
class SpectrogramImage:
    """A spectrogram, or another quantity over time and frequency, with its axes.

    Attributes:
        level: values, (time, frequency).
        times_s: centre of each frame [s], (time,).
        frequencies_hz: centre of each band [Hz], (frequency,).
        label: label of the values, with unit.
        range: lowest and highest value of the colour scale; None: those of `level`.
        is_banded: whether the bands are not evenly spaced (mel): they are then drawn with equal
            height and labelled by their frequency.
        colours: matplotlib's name of the colour map.
    """

    level: np.ndarray
    times_s: np.ndarray
    frequencies_hz: np.ndarray
    label: str
    range: tuple[float, float] | None = None
    is_banded: bool = False
    colours: str = "magma"


@house_style
def waveform_and_spectrogram(
    samples: np.ndarray, sample_rate_hz: float, image: SpectrogramImage
) -> Figure:
    """A waveform above its spectrogram, on one time axis.

    Args:
        samples: waveform in [-1, 1], (samples,).
        sample_rate_hz: sample rate [Hz].
        image: its spectrogram.

    Returns:
        The figure.

    Raises:
        ValueError: if the waveform is not one-dimensional, or the axes do not fit the spectrogram.
    """
    samples = column("samples", samples)
    figure = new_figure(height_in=3.4)
    wave, panel = figure.subplots(2, 1, sharex=True, height_ratios=(1, 2.2))
    wave.plot(np.arange(len(samples)) / sample_rate_hz, samples, linewidth=0.35, color=COLOURS[0])
    wave.set(ylabel="amplitude [-]", xlim=(0, len(samples) / sample_rate_hz))
    wave.set_title("waveform")
    note(wave, f"{len(samples):,} samples")
    draw_spectrogram(panel, image)
    panel.set_title("spectrogram")
    note(panel, " × ".join(f"{n:,}" for n in image.level.shape) + " pixels")
    panel.set(xlabel="time [s]", xlim=(0, len(samples) / sample_rate_hz))
    return figure


@house_style
def spectrograms(images: Mapping[str, SpectrogramImage]) -> Figure:
    """Spectrograms of one sound with different settings, two per row on one time axis.

    Args:
        images: title -> spectrogram.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no spectrograms, or the axes of one do not fit.
    """
    require("images", images)
    rows = -(-len(images) // 2)
    figure = new_figure(height_in=0.2 + 1.75 * rows)
    panels = figure.subplots(rows, 2, squeeze=False).ravel()
    for panel in panels[len(images) :]:
        panel.remove()
    for panel, (title, image) in zip(panels, images.items(), strict=False):
        draw_spectrogram(panel, image)
        panel.set_title(title)
        note(panel, " × ".join(f"{n:,}" for n in image.level.shape))
    for first in range(0, len(images), 2):
        row = panels[first : min(first + 2, len(images))]
        limits = np.array([panel.get_xlim() for panel in row])
        for panel in row:
            panel.set_xlim(limits[:, 0].min(), limits[:, 1].max())
            panel.locator_params(axis="x", nbins=6)
    for panel in panels[: len(images)][-2:]:
        panel.set_xlabel("time [s]")
    return figure


def draw_spectrogram(panel: Axes, image: SpectrogramImage) -> None:
    """Draw a spectrogram with its axes and a colour bar.

    Args:
        panel: where to draw.
        image: the spectrogram.

    Raises:
        ValueError: if `times_s` and `frequencies_hz` do not fit the shape of `level`.
    """
    level = np.asarray(image.level, np.float64)
    if level.shape != (len(image.times_s), len(image.frequencies_hz)):
        raise ValueError(
            "`level` must have shape (time, frequency) with as many rows as `times_s` and columns "
            f"as `frequencies_hz` has entries. Received: {level.shape}, {len(image.times_s)} "
            f"times, {len(image.frequencies_hz)} frequencies."
        )
    low, high = image.range or (level.min(), level.max())
    heights = (
        np.arange(level.shape[1]) if image.is_banded else np.asarray(image.frequencies_hz) / 1000
    )
    mesh = panel.imshow(
        level.T,
        origin="lower",
        aspect="auto",
        extent=(*_outer_edges(image.times_s), *_outer_edges(heights)),
        vmin=low,
        vmax=high,
        cmap=image.colours,
        interpolation="nearest",
    )
    panel.grid(visible=False)
    if image.is_banded:
        ticks = np.linspace(0, level.shape[1] - 1, 5).round().astype(int)
        panel.set_yticks(ticks, labels=[f"{image.frequencies_hz[k] / 1000:.2g}" for k in ticks])
    panel.set_ylabel("frequency [kHz]")
    bar = panel.figure.colorbar(mesh, ax=panel, pad=0.015, aspect=25)
    bar.set_label(image.label, color=QUIET, fontsize=7)
    bar.outline.set_edgecolor(FAINT)
    bar.locator = MaxNLocator(4, steps=[1, 2, 2.5, 5, 10])
    bar.update_ticks()


def _outer_edges(centres: np.ndarray) -> tuple[float, float]:
    """Outer edges of evenly spaced pixels, from their centres."""
    half = (centres[-1] - centres[0]) / max(2 * (len(centres) - 1), 1)
    return float(centres[0] - half), float(centres[-1] + half)
