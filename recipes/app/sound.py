"""A classifier of sound: clips of a WAV file, labelled by the rule of the manifest."""

import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .manifest import read_verified

CANCELLED = 1e-4  # power of the mean of channels over that of one: their poles differ
SILENT_RMS = 1e-5  # -100 dBFS about the mean: no microphone carries so little
PCM = {2: np.int16, 4: np.int32}  # bytes of a sample -> type


def open_clips(
    folder: Path, manifest: dict[str, Any], file: str
) -> tuple[Callable[[np.ndarray], np.ndarray], int]:
    """Function from a clip (samples,) to probabilities (classes,), and the samples of a clip.

    Raises:
        ValueError: if the folder has no such model.
    """
    from ai_edge_litert.interpreter import Interpreter  # imported here: see open_tflite

    if file not in manifest["files"] or not file.endswith(".tflite"):
        names = [each for each in manifest["files"] if each.endswith(".tflite")]
        raise ValueError(f"{folder}: no TFLite file {file}. There are: {', '.join(names)}.")
    interpreter = Interpreter(model_content=read_verified(folder, manifest, file))
    signature = interpreter.get_signature_runner("serving_default")

    def run(clip: np.ndarray, interpreter: Any = interpreter) -> np.ndarray:  # keeps it alive
        return signature(waveform=clip[None].astype(np.float32))["probabilities"][0]

    return run, int(signature.get_input_details()["waveform"]["shape"][1])


def label_clip(
    manifest: dict[str, Any], clip: np.ndarray, run: Callable[[np.ndarray], np.ndarray]
) -> str:
    """Label of a clip by the rule of the manifest, with its probability.

    Args:
        manifest: of the model: `classes`, `abstain_below`, `operating_point`.
        clip: (samples,).
        run: clip -> probabilities (classes,); never called with NaN or silence, for which the
            output of no format has a meaning.
    """
    if not np.isfinite(clip).all():
        return "- (not finite)"
    if np.std(clip) < SILENT_RMS:
        return "- (silent)"
    p, classes = run(clip), manifest["classes"]
    if not np.isfinite(p).all():
        return "- (the model gives no number)"
    if p.max() < (manifest.get("abstain_below") or 0.0):
        return f"- (abstains: {classes[p.argmax()]} {p.max():.2f})"
    best, point = int(p.argmax()), manifest.get("operating_point")
    if point:
        positive = classes.index(point["class"])
        best = positive if p[positive] >= point["threshold"] else 1 - positive
    return f"{classes[best]} ({p[best]:.2f})"


def read_wav(path: Path, rate_hz: int) -> np.ndarray:
    """Mean of the channels of a WAV file, the strongest if they cancel, full scale 1, (samples,).

    Args:
        path: of the file, 16 or 32 bits.
        rate_hz: sample rate that it must have [Hz].

    Raises:
        ValueError: cut short, or another file or rate, with a command that converts it.
    """
    try:
        with wave.open(str(path)) as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            frames = file.getnframes()
            content = file.readframes(frames)
        is_fit = width in PCM and rate == rate_hz
    except (OSError, EOFError, RuntimeError, wave.Error) as error:
        raise ValueError(
            f"{path}: cannot be read as WAV: {str(error) or 'it is cut short'}. "
            "If it is there, convert it: "
            f"ffmpeg -i IN -ar {rate_hz} -c:a pcm_s16le OUT.wav"
        ) from None
    if not is_fit:
        raise ValueError(
            f"{path}: expected WAV of 16 or 32 bits at {rate_hz} Hz, got {8 * width} bits at "
            f"{rate} Hz. Convert it: ffmpeg -i IN -ar {rate_hz} -c:a pcm_s16le OUT.wav"
        )
    if not frames:
        raise ValueError(f"{path}: no samples: its length is zero. Record or convert it again.")
    if len(content) != frames * width * channels:
        raise ValueError(
            f"{path}: cut short, {len(content) // (width * channels)} samples of {frames} are "
            "there. Copy it again."
        )
    samples = np.frombuffer(content, np.dtype(PCM[width]).newbyteorder("<"))
    sound = samples.reshape(-1, channels) / 2.0 ** (8 * width - 1)
    mean, power = sound.mean(axis=1), np.square(sound).mean(axis=0)
    if np.square(mean).mean() >= CANCELLED * power.mean():
        return mean
    strongest = int(power.argmax())
    print(f"channels cancel each other, channel {strongest + 1} is used alone", file=sys.stderr)
    return sound[:, strongest]
