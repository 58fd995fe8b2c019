"""Pictures of a lecture: functions and slopes, matrices with their numbers, sound as an image."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from zoo.plots.sound import SoundImage, draw_sound
from zoo.plots.style import (
    COLOURS,
    column,
    house_style,
    name_lines,
    new_figure,
    note,
    require,
)

CELL_IN = 0.32  # side of a matrix's cell


class Activation(NamedTuple):
    """A function and its derivative over the same points, each (points,)."""

    value: np.ndarray
    slope: np.ndarray


class Matrix(NamedTuple):
    """A matrix to be read, (rows, columns), and the cells to be framed as (row, column, size)."""

    values: np.ndarray
    frames: Sequence[tuple[int, int, int]] = ()


@house_style
def activations(points: np.ndarray, curves: Mapping[str, Activation]) -> Figure:
    """Activation functions on the left, their derivatives on the right.

    Args:
        points: argument a, (points,).
        curves: name -> values and slopes at the points.
    """
    require("curves", curves)
    points = column("points", points)
    figure = new_figure(height_in=2.4)
    panels = figure.subplots(1, 2)
    for panel, kind, label in zip(
        panels, Activation._fields, ("φ(a) [-]", "φ′(a) [-]"), strict=True
    ):
        ends = {}
        for (name, curve), colour in zip(curves.items(), COLOURS, strict=False):
            values = column(name, getattr(curve, kind), len(points))
            panel.plot(points, values, color=colour)
            ends[name] = (points[-1], values[-1], colour)
        panel.set(xlabel="a [-]", ylabel=label)
        panel.set_xticks(np.linspace(points[0], points[-1], 5))
        panel.set_xlim(points[0], points[-1] + 0.3 * np.ptp(points))
        name_lines(panel, ends)
    panels[0].set_title("activation")
    panels[1].set_title("derivative")
    return figure


@house_style
def matrices(grids: Mapping[str, Matrix], between: Sequence[str] = ()) -> Figure:
    """Matrices side by side, every number written in its cell, darker where larger.

    Args:
        grids: title -> matrix.
        between: what stands between one matrix and the next, for instance ("∗", "="); nothing by
            default.
    """
    require("grids", grids)
    gaps = len(grids) - 1
    between = between or [""] * gaps
    if len(between) != gaps:
        raise ValueError(
            f"`between` must have {gaps} entries, one for each gap. Received: {len(between)}."
        )
    shapes = [np.shape(grid.values) for grid in grids.values()]
    tallest, widest = max(rows for rows, _ in shapes), sum(columns for _, columns in shapes)
    figure = new_figure(height_in=CELL_IN * (tallest + 1), width_in=CELL_IN * (widest + gaps + 0.5))
    panel = figure.add_subplot()
    left = 0.0
    for (title, grid), symbol in zip(grids.items(), (*between, ""), strict=True):
        values = np.asarray(grid.values, np.float64)
        rows, columns = values.shape
        top = (tallest - rows) / 2  # centred on the tallest
        _draw_grid(panel, left, top, values)
        for row, place, size in grid.frames:
            frame = {"edgecolor": COLOURS[1], "linewidth": 1.4, "zorder": 3}
            panel.add_patch(Rectangle((left + place, top + row), size, size, fill=False, **frame))
        panel.text(left, top - 0.15, title, va="bottom")
        left += columns + 1
        panel.text(left - 0.5, tallest / 2, symbol, ha="center", va="center", fontsize=11)
    panel.set(xlim=(-0.1, left - 0.9), ylim=(tallest + 0.1, -0.7), aspect="equal")
    panel.set_axis_off()
    return figure


def _draw_grid(panel: Axes, left: float, top: float, values: np.ndarray) -> None:
    rows, columns = values.shape
    panel.pcolormesh(
        left + np.arange(columns + 1),
        top + np.arange(rows + 1),
        0.55 * (values - values.min()) / max(float(np.ptp(values)), 1e-12),
        cmap="Blues",
        vmin=0,
        vmax=1,
        edgecolors="white",
        linewidth=1.0,
    )
    for (row, place), value in np.ndenumerate(values):
        panel.text(
            left + place + 0.5,
            top + row + 0.5,
            f"{value:g}",
            ha="center",
            va="center",
            fontsize=7.5,
        )


@house_style
def waveform_and_spectrogram(
    samples: np.ndarray, sample_rate_hz: float, sound: SoundImage
) -> Figure:
    """A waveform above its spectrogram, on one time axis.

    Args:
        samples: (samples,) in [-1, 1].
        sample_rate_hz: [Hz].
        sound: its spectrogram.
    """
    samples = column("samples", samples)
    figure = new_figure(height_in=3.4)
    wave, image = figure.subplots(2, 1, sharex=True, height_ratios=(1, 2.2))
    wave.plot(np.arange(len(samples)) / sample_rate_hz, samples, linewidth=0.35, color=COLOURS[0])
    wave.set(ylabel="pressure [-]", xlim=(0, len(samples) / sample_rate_hz))
    wave.set_title("waveform")
    note(wave, f"{len(samples):,} samples")
    draw_sound(image, sound)
    image.set_title("spectrogram")
    note(image, " × ".join(f"{n:,}" for n in sound.level.shape) + " pixels")
    image.set(xlabel="time [s]", xlim=(0, len(samples) / sample_rate_hz))
    return figure


@house_style
def spectrograms(sounds: Mapping[str, SoundImage]) -> Figure:
    """Spectrograms of one sound under other settings, two in a row on one time axis.

    Args:
        sounds: what is different -> spectrogram.
    """
    require("sounds", sounds)
    rows = -(-len(sounds) // 2)
    figure = new_figure(height_in=0.2 + 1.75 * rows)
    panels = figure.subplots(rows, 2, squeeze=False).ravel()
    for panel in panels[len(sounds) :]:
        panel.remove()
    for panel, (title, sound) in zip(panels, sounds.items(), strict=False):
        draw_sound(panel, sound)
        panel.set_title(title)
        note(panel, " × ".join(f"{n:,}" for n in sound.level.shape))
    for first in range(0, len(sounds), 2):
        row = panels[first : min(first + 2, len(sounds))]
        limits = np.array([panel.get_xlim() for panel in row])
        for panel in row:
            panel.set_xlim(limits[:, 0].min(), limits[:, 1].max())
            panel.locator_params(axis="x", nbins=6)
    for panel in panels[: len(sounds)][-2:]:
        panel.set_xlabel("time [s]")
    return figure
