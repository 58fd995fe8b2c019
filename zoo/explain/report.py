"""Sections of report pages: explanations of clips and recordings, first filters and motifs."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from zoo import plots
from zoo.data.clips import Clips
from zoo.data.corpora.index import display_name
from zoo.data.page_sound import wav_content
from zoo.explain.explanation import Explanation
from zoo.explain.filters import first_filters
from zoo.explain.methods import explain
from zoo.explain.motifs import motif_atlas
from zoo.explain.recording import evidence_of_window, read_recording
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
        label = clips.classes[label]
        explanation = explain(model, waveform, clips.classes, label=label, method="occlusion")
        report.figure(
            explanation.figure(),
            name=f"explanation_{k + 1}",
            caption=f"{Path(str(paths.iloc[k])).name}: {explanation.sentence()}.",
            alt="Spectrogram of a clip, and its evidence for and against the class.",
        )


def explanation_page(
    name: str,
    model: keras.Model,
    recording: Path,
    explanations: Sequence[Explanation],
    command: str,
) -> Report:
    """Page of the explained windows of a recording: sentence, picture, sound, evidence as sound.

    Args:
        name: of the model.
        model: that was explained.
        recording: that was explained.
        explanations: of its windows.
        command: that repeats it.

    Raises:
        ValueError: a recording that cannot be read.
    """
    waveform, rate_hz = read_recording(model, recording)
    methods = ", ".join(sorted({each.method for each in explanations}))
    report = Report(
        f"{display_name(recording.name)} explained by {name}",
        "Red: the log-odds of the class fall without the patch; blue: they rise. The frame is "
        "around the strongest evidence. The evidence can be heard: the sound behind a mask of what "
        f"speaks for the class, scaled to the same peak. Method: {methods}.",
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
        part = waveform[round(start_s * rate_hz) : round(end_s * rate_hz)]
        evidence = evidence_of_window(model, waveform, each)
        sounds = [Sound(f"The window, {end_s - start_s:.2f} s", wav_content(part, rate_hz))]
        if evidence.any():
            text = f"Its evidence for {each.label}"
            sounds.append(Sound(text, wav_content(evidence, rate_hz)))
        report.sounds(sounds)
    return report


def add_filters(report: Report, name: str, model: keras.Model, *, seed: int = 0) -> None:
    """Append the first filters of a network in hertz and milliseconds, and its motif atlas.

    Args:
        report: to add to.
        name: of the model.
        model: of sound, with rectified convolutions.
        seed: of the probes and of the untrained networks.

    Raises:
        ValueError: another kind of model.
    """
    say(f"filters of {name}")
    filters, atlas = first_filters(model), motif_atlas(model, seed=seed)
    layer = next(iter(atlas.selectivity))  # the first rectified map, behind the first convolution
    kinds = [atlas.kind_of(layer, k) for k in range(len(filters.weights))]
    low, middle, high = filters.spans_hz
    report.figure(
        plots.first_filters(
            filters.weights,
            filters.times_ms,
            filters.edges_hz,
            [f"{k} {kind}" if kind else f"{k}" for k, kind in enumerate(kinds)],
        ),
        name=f"filters_{name}".replace("-", "_"),
        caption=f"First filters of {name}, drawn where they stand at {middle[0]:,.0f} to "
        f"{middle[1]:,.0f} Hz; the bands have their true width. The same weights stand at every "
        f"place: at the lowest they cover {low[0]:,.0f} to {low[1]:,.0f} Hz, at the highest "
        f"{high[0]:,.0f} to {high[1]:,.0f} Hz. A column is a frame; each frame is computed from a "
        f"window of {filters.window_ms:g} ms. Red raises the response where the level is above its "
        "mean, blue where it is below. A filter that passes the threshold below is named by what "
        "it detects.",
        alt="Small pictures of kernels, frequency over time, red and blue.",
    ).table(atlas.table())
