"""Time every front-end preset: one clip, a batch, librosa, torchaudio, one streamed hop."""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from importlib.util import find_spec
from multiprocessing import get_context
from typing import Any

import keras
import librosa
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from recipes.benchmarks.front_end.settings import Settings
from zoo.spectrogram import PRESETS, FrontEnd, Spectrogram, StreamingSpectrogram

DURATION_S = 10
BATCH_SIZE = 32
COLUMNS = (
    *("one clip", f"of {BATCH_SIZE}", "librosa", "its tables kept", "torchaudio", "stream a hop"),
)


def run(settings: Settings) -> int:
    """Measure every preset and print one line each; returns the exit code."""
    print(f"{DURATION_S} s of sound, {settings.cores} cores, median of {settings.repeats} runs")
    print(f"{'[ms]':12}" + "".join(f"{name:>17}" for name in COLUMNS))
    for name in PRESETS:
        cells = "".join(f"{cell:>17}" for cell in _row(name, settings.repeats))
        print(f"{name:12}{cells}", flush=True)
    return 0


def _row(name: str, repeats: int) -> list[str]:
    front_end = PRESETS[name]
    samples = int(DURATION_S * front_end.sample_rate_hz)
    waveform = np.random.default_rng(0).normal(0, 0.1, (BATCH_SIZE, samples)).astype("float32")
    layer = tf.function(Spectrogram(front_end))
    clip, batch = tf.constant(waveform[:1]), tf.constant(waveform)
    batch_ms = _median_ms(lambda: layer(batch).numpy(), max(repeats // 5, 3))
    return [
        f"{_median_ms(lambda: layer(clip).numpy(), repeats):.2f}",
        f"{batch_ms / BATCH_SIZE:.2f}",
        *(f"{_median_ms(call, repeats):.2f}" for call in _librosa(front_end, waveform[0])),
        _torchaudio(front_end, waveform[0], repeats),
        _streaming(name, waveform[0], repeats),
    ]


def _median_ms(call: Callable[[], Any], repeats: int) -> float:
    for _ in range(3):
        call()
    times_s = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times_s.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times_s)


def _librosa(
    front_end: FrontEnd, waveform: np.ndarray
) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """The usual call, and the same with the mel filter bank computed once."""
    stft = {
        "n_fft": front_end.fft_length,
        "hop_length": front_end.hop,
        "win_length": front_end.window,
        "center": front_end.padding == "centred",
    }
    mel = {
        "sr": front_end.sample_rate_hz,
        "n_fft": front_end.fft_length,
        "n_mels": front_end.mels,
        "fmin": front_end.fmin_hz,
        "fmax": front_end.highest_hz,
        "htk": front_end.scale == "htk",
        "norm": front_end.norm,
    }
    bank = librosa.filters.mel(**mel)

    def level(bands: np.ndarray) -> np.ndarray:
        if front_end.level == "log":
            return np.log(bands + front_end.floor)
        return librosa.power_to_db(bands, amin=front_end.floor, top_db=None)

    def usual() -> np.ndarray:
        return level(
            librosa.feature.melspectrogram(y=waveform, power=front_end.power, **{**stft, **mel})
        )

    def with_bank() -> np.ndarray:
        return level(bank @ np.abs(librosa.stft(waveform, **stft)) ** front_end.power)

    return usual, with_bank


def _torchaudio(front_end: FrontEnd, waveform: np.ndarray, repeats: int) -> str:
    if not find_spec("torchaudio"):
        return "not installed"
    import torch  # optional packages  # pyright: ignore[reportMissingImports]
    import torchaudio  # pyright: ignore[reportMissingImports]

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    transform = torchaudio.transforms.MelSpectrogram(
        sample_rate=int(front_end.sample_rate_hz),
        n_fft=front_end.fft_length,
        win_length=front_end.window,
        hop_length=front_end.hop,
        f_min=front_end.fmin_hz,
        f_max=front_end.highest_hz,
        n_mels=front_end.mels,
        power=float(front_end.power),
        center=front_end.padding == "centred",
        norm=front_end.norm,
        mel_scale=front_end.scale,
    )
    signal = torch.from_numpy(waveform)
    return f"{_median_ms(lambda: torch.log(transform(signal) + front_end.floor), repeats):.2f}"


def _streaming(name: str, waveform: np.ndarray, repeats: int) -> str:
    """A hop of the streaming twin in LiteRT, one thread, from Python."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        content = pool.submit(_convert_step, name).result()
    layer = StreamingSpectrogram(replace(PRESETS[name], padding="causal"))
    step = Interpreter(model_content=content, num_threads=1).get_signature_runner()
    inputs = {"hop": waveform[None, : layer.front_end.hop], **layer.initial_state()}
    return f"{_median_ms(lambda: step(**inputs), 10 * repeats):.4f}"


def _convert_step(name: str) -> bytes:
    """The streaming twin as TFLite, in a child process: a crash of the converter stays there."""
    layer = StreamingSpectrogram(replace(PRESETS[name], padding="causal"))
    shapes = {"hop": (layer.front_end.hop,), **layer.state_shapes}
    inputs = {key: keras.Input(shape, name=key) for key, shape in shapes.items()}
    signature = {key: tf.TensorSpec((1, *shape), name=key) for key, shape in shapes.items()}
    with tempfile.TemporaryDirectory() as folder:
        model = keras.Model(inputs, layer(inputs))
        model.export(folder, input_signature=[signature], verbose=False)
        return tf.lite.TFLiteConverter.from_saved_model(folder).convert()
