"""Explain the predictions for windows of a recording on disk."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from zoo.convnets.model import front_end_of
from zoo.data import audio
from zoo.edge.condition import Condition
from zoo.edge.labels import clip_condition
from zoo.edge.windows import sliding_windows
from zoo.explain.clip import open_clip
from zoo.explain.explanation import Explanation
from zoo.explain.listen import evidence_sound
from zoo.explain.methods import explain, explain_clip
from zoo.names import DEFAULT_EXPLANATION
from zoo.progress import say

MIN_REPEATED_S = 0.01  # less is rounding of the length of a recording


def explain_recording(
    model: keras.Model,
    recording: Path,
    classes: Sequence[str],
    *,
    label: str | None = None,
    start_s: float = 0.0,
    at_s: float | None = None,
    method: str = DEFAULT_EXPLANATION,
) -> Explanation:
    """Evidence for a class in one window of a recording.

    Args:
        model: as for `explain`.
        recording: WAV, FLAC, Ogg or MP3, resampled to the model's rate; what is shorter than the
            model's input is repeated, as in training.
        classes: names, in the order of the output.
        label: which class to explain; None: the likeliest.
        start_s: where the window begins [s].
        at_s: of a model with an output over time, the time in the recording whose prediction is
            explained [s]; None: the mean over the window.
        method: one of `zoo.explain.EXPLANATIONS`.

    Raises:
        ValueError: not a sound classifier, a recording that cannot be read, a start beyond its
            end, a window without sound, an unknown class.
    """
    waveform, rate_hz = read_recording(model, recording)
    if not 0 <= start_s * rate_hz < len(waveform):
        raise ValueError(
            f"`start_s` must lie within the recording's {len(waveform) / rate_hz:.2f} s. "
            f"Received: {start_s:g}."
        )
    start = int(start_s * rate_hz)
    length = model.inputs[0].shape[1] or len(waveform) - start
    rest = waveform[start : start + length]
    if len(rest) < length - MIN_REPEATED_S * rate_hz:
        say(f"{len(rest) / rate_hz:.2f} s are repeated to the model's {length / rate_hz:.2f} s")
    condition = clip_condition(rest)
    if condition is not Condition.SOUND:
        end_s = (start + len(rest)) / rate_hz
        raise ValueError(f"{recording}: {start_s:.2f} to {end_s:.2f} s is {condition}.")
    explanation = explain_clip(
        open_clip(model, np.resize(rest, length), at_s=at_s, start_s=start / rate_hz),
        classes,
        label=label,
        start_s=start / rate_hz,
        method=method,
    )
    return replace(
        explanation,
        window_s=(start / rate_hz, (start + len(rest)) / rate_hz),
        recording_s=len(waveform) / rate_hz,
    )


def evidence_of_recording(
    model: keras.Model, recording: Path, explanation: Explanation
) -> tuple[np.ndarray, int]:
    """Sound of an explained window behind its evidence, see `zoo.explain.listen`, and its rate.

    Args:
        model: that was explained.
        recording: that was explained.
        explanation: from `explain_recording` or `explain_windows`.

    Returns:
        (samples,) float32, and the sample rate [Hz].

    Raises:
        ValueError: a recording that cannot be read, or another one.
    """
    waveform, rate_hz = read_recording(model, recording)
    return evidence_of_window(model, waveform, explanation), rate_hz


def evidence_of_window(
    model: keras.Model, waveform: np.ndarray, explanation: Explanation
) -> np.ndarray:
    """Sound of an explained window behind its evidence, (samples,) float32.

    Args:
        model: that was explained.
        waveform: the whole recording at the rate of the model, from `read_recording`.
        explanation: of one of its windows.

    Raises:
        ValueError: another recording.
    """
    rate_hz = front_end_of(model).sample_rate_hz
    start, end = (round(each * rate_hz) for each in explanation.window_s or (0.0, 0.0))
    window = waveform[start : end or None]
    clip = np.resize(window, model.inputs[0].shape[1] or len(window))
    return evidence_sound(explanation, clip, front_end_of(model))[: len(window)]


def explain_windows(
    model: keras.Model,
    recording: Path,
    classes: Sequence[str],
    *,
    label: str | None = None,
    hop_s: float | None = None,
    method: str = DEFAULT_EXPLANATION,
) -> Iterator[Explanation]:
    """Evidence for a class in all windows of a recording that hold sound; a line names the others.

    Args:
        model: as for `explain`.
        recording: as for `explain_recording`.
        classes: names, in the order of the output.
        label: which class to explain; None: the likeliest of each window.
        hop_s: from the start of one window to that of the next [s]; None: the length of a window.
        method: one of `zoo.explain.EXPLANATIONS`.

    Raises:
        ValueError: as `explain_recording`.
    """
    waveform, rate_hz = read_recording(model, recording)
    length = model.inputs[0].shape[1] or len(waveform)
    hop = length if hop_s is None else max(1, round(hop_s * rate_hz))
    for start, end, samples in sliding_windows([waveform], length, hop):
        window_s = start / rate_hz, end / rate_hz
        condition = clip_condition(samples)
        if condition is not Condition.SOUND:
            say(f"{window_s[0]:.2f} to {window_s[1]:.2f} s is {condition}: not explained")
            continue
        explanation = explain(
            model, samples, classes, label=label, start_s=window_s[0], method=method
        )
        yield replace(explanation, window_s=window_s, recording_s=len(waveform) / rate_hz)


def read_recording(model: keras.Model, recording: Path) -> tuple[np.ndarray, int]:
    """The whole recording (samples,) at the rate of a model, and that rate [Hz].

    Args:
        model: of sound.
        recording: WAV, FLAC, Ogg or MP3.

    Raises:
        ValueError: a recording that cannot be read.
    """
    rate_hz = round(front_end_of(model).sample_rate_hz)
    try:
        blocks = audio.stream_live(
            recording, sample_rate_hz=rate_hz, note=lambda text: say(f"{recording.name}: {text}")
        )
        return np.concatenate(list(blocks)), rate_hz
    except audio.DamagedRecording as error:
        raise ValueError(f"{recording}: {error}") from None
