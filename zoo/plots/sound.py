"""Sound as an image: time across, frequency up."""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from zoo.plots.style import FAINT, QUIET


class SoundImage(NamedTuple):
    """A spectrogram and where it lies.

    Attributes:
        level: (time, frequency).
        times_s: middle of each frame [s], (time,).
        frequencies_hz: of each band [Hz], (frequency,).
        label: of the level, with unit.
        range: lowest and highest level drawn; None for all of it.
        counted: count bands upward instead of hertz: for bands that are not evenly spaced.
        colours: matplotlib's name of the colour map.
    """

    level: np.ndarray
    times_s: np.ndarray
    frequencies_hz: np.ndarray
    label: str
    range: tuple[float, float] | None = None
    counted: bool = False
    colours: str = "magma"


def draw_sound(panel: Axes, sound: SoundImage) -> None:
    """The spectrogram in a panel, with its axes and a bar of colours."""
    level = np.asarray(sound.level, np.float64)
    if level.shape != (len(sound.times_s), len(sound.frequencies_hz)):
        raise ValueError(
            "`level` must be (time, frequency), as `times_s` and `frequencies_hz` say. Received: "
            f"{level.shape}, {len(sound.times_s)} times, {len(sound.frequencies_hz)} frequencies."
        )
    low, high = sound.range or (level.min(), level.max())
    heights = (
        np.arange(level.shape[1]) if sound.counted else np.asarray(sound.frequencies_hz) / 1000
    )
    image = panel.imshow(
        level.T,
        origin="lower",
        aspect="auto",
        extent=(*_edges(sound.times_s), *_edges(heights)),
        vmin=low,
        vmax=high,
        cmap=sound.colours,
        interpolation="nearest",
    )
    panel.grid(visible=False)
    if sound.counted:
        ticks = np.linspace(0, level.shape[1] - 1, 5).round().astype(int)
        panel.set_yticks(ticks, labels=[f"{sound.frequencies_hz[k] / 1000:.2g}" for k in ticks])
    panel.set_ylabel("frequency [kHz]")
    bar = panel.figure.colorbar(image, ax=panel, pad=0.015, aspect=25)
    bar.set_label(sound.label, color=QUIET, fontsize=7)
    bar.outline.set_edgecolor(FAINT)
    bar.locator = MaxNLocator(4, steps=[1, 2, 2.5, 5, 10])
    bar.update_ticks()


def _edges(middles: np.ndarray) -> tuple[float, float]:
    """Outer edges of evenly spaced pixels from their middles."""
    half = (middles[-1] - middles[0]) / max(2 * (len(middles) - 1), 1)
    return float(middles[0] - half), float(middles[-1] + half)
