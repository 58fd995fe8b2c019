"""What a classifier of sound goes by, over the sound it heard."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from zoo.plots.sound import SoundImage, draw_sound
from zoo.plots.style import INK, SIGNED, house_style, new_figure, note


@house_style
def evidence(
    level: np.ndarray,
    evidence: np.ndarray,
    times_s: np.ndarray,
    frequencies_hz: np.ndarray,
    *,
    label: str,
    place: tuple[slice, slice] | None = None,
) -> Figure:
    """A spectrogram, and below it what in it speaks for a class (red) and against it (blue).

    Args:
        level: (time, bands); the highest 70 of it are shown, which suits decibels.
        evidence: (time, bands) [nat].
        times_s: middle of each frame [s], (time,).
        frequencies_hz: of each band [Hz], (bands,).
        label: the class and how likely it is.
        place: frames and bands to be framed.
    """
    figure = new_figure(height_in=3.8)
    heard, spoke = figure.subplots(2, 1, sharex=True)
    loudest, most = float(np.max(level)), float(np.abs(evidence).max()) or 1.0
    where = {"times_s": times_s, "frequencies_hz": frequencies_hz, "counted": True}
    softest = max(float(np.min(level)), loudest - 70)
    draw_sound(heard, SoundImage(level, label="level", range=(softest, loudest), **where))
    draw_sound(
        spoke,
        SoundImage(
            evidence, label="log-odds lost [nat]", range=(-most, most), colours=SIGNED, **where
        ),
    )
    heard.set_title("what was heard")
    spoke.set_title("what counts for it")
    note(heard, label)
    spoke.set_xlabel("time [s]")
    if place is not None:
        frames, bands = place
        step_s = float(times_s[-1] - times_s[0]) / max(len(times_s) - 1, 1)
        corner = times_s[frames.start] - step_s / 2, bands.start - 0.5
        size = (frames.stop - frames.start) * step_s, bands.stop - bands.start
        heard.add_patch(Rectangle(corner, *size, fill=False, edgecolor="white", linewidth=1.0))
        spoke.add_patch(Rectangle(corner, *size, fill=False, edgecolor=INK, linewidth=0.8))
    return figure
