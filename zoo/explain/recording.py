"""Explain the prediction for a clip of a recording on disk."""

from collections.abc import Sequence
from pathlib import Path

import keras

from zoo.convnets.model import front_end_of
from zoo.data import audio
from zoo.data.clips import cut
from zoo.explain.explanation import Explanation
from zoo.explain.methods import explain
from zoo.progress import say


def explain_recording(
    model: keras.Model,
    recording: Path,
    classes: Sequence[str],
    *,
    label: str | None = None,
    start_s: float = 0.0,
) -> Explanation:
    """Occlusion map of a sound classifier for one clip of a recording.

    Args:
        model: as for `explain`.
        recording: WAV, FLAC, Ogg or MP3, resampled to the model's rate; one that is shorter than
            the model's input is repeated, as in training.
        classes: names, in the order of the output.
        label: which class to explain; None: the likeliest.
        start_s: where the clip begins [s].

    Raises:
        ValueError: not a sound classifier, a recording that cannot be read, a start beyond its
            end, an unknown class.
    """
    rate_hz = front_end_of(model).sample_rate_hz
    try:
        waveform, _ = audio.read(recording, sample_rate_hz=round(rate_hz))
    except audio.DamagedRecording as error:
        raise ValueError(f"{recording}: {error}") from None
    if not 0 <= start_s * rate_hz < len(waveform):
        raise ValueError(
            f"`start_s` must lie within the recording's {len(waveform) / rate_hz:.2f} s. "
            f"Received: {start_s:g}."
        )
    clip = waveform[int(start_s * rate_hz) :]
    length = model.inputs[0].shape[1] or len(clip)
    if len(clip) < length:
        say(f"{len(clip) / rate_hz:.2f} s are repeated to the model's {length / rate_hz:.2f} s")
    return explain(model, cut(clip, length, at=0.0), classes, label=label, start_s=start_s)
