"""Section "Explanations" of a report page: occlusion maps of some clips."""

from pathlib import Path

import keras
import numpy as np

from zoo.data.clips import Clips
from zoo.explain.methods import explain
from zoo.progress import say
from zoo.report import Report

MAX_CLIPS = 10  # more make a page too long to read


def add_explanations(
    report: Report,
    model: keras.Model,
    clips: Clips,
    rows: np.ndarray,
    *,
    duration_s: float,
    source: str,
) -> None:
    """Add occlusion maps of some clips, each for its true class.

    Args:
        report: to add to.
        model: waveform to probabilities.
        clips: waveforms and labels of a corpus.
        rows: which clips, at most `MAX_CLIPS` of them.
        duration_s: of a clip for the model [s].
        source: where the clips come from, for the caption: "the first clip of each class".

    Raises:
        ValueError: as `explain`.
    """
    say("explanations")
    report.section(
        "Explanations",
        "Occlusion maps: patches of the spectrogram are filled with the mean of the training data. "
        "Red: the log-odds of the true class fall without the patch; blue: they rise. The frame is "
        f"around the strongest evidence. The exported model, on {source}.",
    )
    chosen = clips[rows[:MAX_CLIPS]]
    (waveforms, labels), *_ = chosen.all_batches(MAX_CLIPS, duration_s=duration_s)
    paths = chosen.index["path"]
    for k, (waveform, label) in enumerate(zip(waveforms.numpy(), labels.numpy(), strict=True)):
        explanation = explain(model, waveform, clips.classes, label=clips.classes[label])
        report.figure(
            explanation.figure(),
            name=f"explanation_{k + 1}",
            caption=f"{Path(str(paths.iloc[k])).name}: {explanation.sentence()}.",
            alt="Spectrogram of a clip, and its evidence for and against the class.",
        )
