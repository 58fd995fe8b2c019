"""Section "Explanations" of a report page: occlusion maps of some clips."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from zoo.data import audio
from zoo.data.clips import Clips
from zoo.data.corpora.index import display_name
from zoo.explain.explanation import Explanation
from zoo.explain.methods import explain
from zoo.progress import say
from zoo.report import Report, Sound

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


def explanation_page(
    model: str, recording: Path, explanations: Sequence[Explanation], command: str
) -> Report:
    """Page of the explained windows of a recording, each with its sentence, picture and sound.

    Args:
        model: its name.
        recording: that was explained.
        explanations: of its windows.
        command: that repeats it.

    Raises:
        ValueError: a recording that cannot be read.
    """
    try:
        waveform, rate_hz = audio.read(recording)
    except audio.DamagedRecording as error:
        raise ValueError(f"{recording}: {error}") from None
    report = Report(
        f"{display_name(recording.name)} explained by {model}",
        "Red: the log-odds of the class fall without the patch; blue: they rise. The frame is "
        "around the strongest evidence.",
        provenance={"command": command},
    )
    for number, each in enumerate(explanations, 1):
        start_s, end_s = each.window_s or (0.0, len(waveform) / rate_hz)
        heading = f"{start_s:.2f} to {end_s:.2f} s"
        report.section(heading).figure(
            each.figure(),
            name=f"window_{number}",
            caption=f"{each.sentence()}.",
            alt="Spectrogram of a window, and its evidence for and against the class.",
        )
        part = waveform[int(start_s * rate_hz) : int(end_s * rate_hz)]
        report.sounds(
            [Sound(f"The window, {end_s - start_s:.2f} s", audio.wav_content(part, rate_hz))]
        )
    return report
