"""A section of the page: what the model to keep goes by, in hertz and seconds."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.progress import say

if TYPE_CHECKING:
    import keras

    from zoo.data.clips import Clips
    from zoo.report import Report

MOST = 10  # clips: a page is to be read


def add(
    report: "Report",
    model: "keras.Model",
    clips: "Clips",
    rows: np.ndarray,
    duration_s: float,
    which: str,
) -> None:
    """Explain some clips, each for the class that it is marked with.

    Args:
        report: to add to.
        model: waveform to probabilities.
        clips: waveforms, all.
        rows: which of them.
        duration_s: of a clip for the model [s].
        which: what clips these are, in words.
    """
    from zoo.explain.occlusion import explain
    from zoo.plots import evidence

    say("what it goes by")
    report.section(
        "What it goes by",
        "A patch of the spectrogram is filled with the mean of the training data and the model is "
        "asked again: red is where its class loses by that, blue where it gains. The frame is "
        f"around the strongest place. Asked is the model to keep, of {which}.",
    )
    chosen = clips[rows[:MOST]]
    (waveforms, labels), *_ = chosen.all_batches(MOST, duration_s=duration_s)
    paths = chosen.index["path"]
    for k, (waveform, label) in enumerate(zip(waveforms.numpy(), labels.numpy(), strict=True), 1):
        found = explain(model, waveform, clips.classes, label=clips.classes[label])
        report.figure(
            evidence(**found.picture()),
            name=f"reason_{k}",
            caption=f"{Path(str(paths.iloc[k - 1])).name}: {found.sentence()}.",
            alt="A spectrogram, and below it where it speaks for its class and where against.",
        )
