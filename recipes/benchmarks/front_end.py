"""Milliseconds for 10 s of sound through each preset, beside librosa and torchaudio.

python -m recipes.benchmarks.front_end [--cores 2] [--repeats 30]
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context

SECONDS = 10
BATCH = 32


def main() -> int:
    """Measure every preset and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cores", type=int, default=2, help="processor cores to use (default 2)")
    parser.add_argument("--repeats", type=int, default=30, help="runs, the median counts")
    arguments = parser.parse_args()
    if arguments.cores < 1 or arguments.repeats < 1:
        print("error: --cores and --repeats must be 1 or more", file=sys.stderr)
        return 2
    _use_cores(arguments.cores)

    from zoo.spectrogram import PRESETS

    print(f"{SECONDS} s of sound, {arguments.cores} cores, median of {arguments.repeats} runs")
    columns = (
        "one clip",
        f"of {BATCH}",
        "librosa",
        "its tables kept",
        "torchaudio",
        "stream a hop",
    )
    print(f"{'[ms]':12}" + "".join(f"{name:>17}" for name in columns))
    for name in PRESETS:
        cells = "".join(f"{cell:>17}" for cell in _row(name, arguments.repeats))
        print(f"{name:12}{cells}", flush=True)
    return 0


def _use_cores(cores: int) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ[variable] = str(cores)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def _row(name: str, repeats: int) -> list[str]:
    import numpy as np
    import tensorflow as tf

    from zoo.spectrogram import PRESETS, Spectrogram

    front_end = PRESETS[name]
    samples = int(SECONDS * front_end.sample_rate_hz)
    waveform = np.random.default_rng(0).normal(0, 0.1, (BATCH, samples)).astype("float32")
    layer = tf.function(Spectrogram(front_end))
    one, many = tf.constant(waveform[:1]), tf.constant(waveform)
    return [
        f"{_median_ms(lambda: layer(one).numpy(), repeats):.2f}",
        f"{_median_ms(lambda: layer(many).numpy(), max(repeats // 5, 3)) / BATCH:.2f}",
        *(f"{_median_ms(run, repeats):.2f}" for run in _librosa(front_end, waveform[0])),
        _torchaudio(front_end, waveform[0], repeats),
        _streaming(name, waveform[0], repeats),
    ]


def _median_ms(run: Callable[[], object], repeats: int) -> float:
    for _ in range(3):
        run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def _librosa(front_end, waveform) -> tuple[Callable[[], object], Callable[[], object]]:
    """The call a user writes, and the same with the mel filter bank computed once."""
    import librosa
    import numpy as np

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

    def level(bands):
        if front_end.level == "log":
            return np.log(bands + front_end.floor)
        return librosa.power_to_db(bands, amin=front_end.floor, top_db=None)

    def plain():
        return level(
            librosa.feature.melspectrogram(y=waveform, power=front_end.power, **{**stft, **mel})
        )

    def kept():
        return level(bank @ np.abs(librosa.stft(waveform, **stft)) ** front_end.power)

    return plain, kept


def _torchaudio(front_end, waveform, repeats: int) -> str:
    if not find_spec("torchaudio"):
        return "not installed"
    import torch
    import torchaudio

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


def _streaming(name: str, waveform, repeats: int) -> str:
    """A hop of the streaming twin in LiteRT, one thread, from Python."""
    from dataclasses import replace

    from ai_edge_litert.interpreter import Interpreter

    from zoo.spectrogram import PRESETS, StreamingSpectrogram

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        content = pool.submit(_convert_step, name).result()
    layer = StreamingSpectrogram(replace(PRESETS[name], padding="causal"))
    step = Interpreter(model_content=content, num_threads=1).get_signature_runner()
    inputs = {"hop": waveform[None, : layer.front_end.hop], **layer.initial_state()}
    return f"{_median_ms(lambda: step(**inputs), 10 * repeats):.4f}"


def _convert_step(name: str) -> bytes:
    from dataclasses import replace

    import keras
    import tensorflow as tf

    from zoo.spectrogram import PRESETS, StreamingSpectrogram

    layer = StreamingSpectrogram(replace(PRESETS[name], padding="causal"))
    shapes = {"hop": (layer.front_end.hop,), **layer.state_shapes}
    inputs = {key: keras.Input(shape, name=key) for key, shape in shapes.items()}
    signature = {key: tf.TensorSpec((1, *shape), name=key) for key, shape in shapes.items()}
    with tempfile.TemporaryDirectory() as folder:
        model = keras.Model(inputs, layer(inputs))
        model.export(folder, input_signature=[signature], verbose=False)
        return tf.lite.TFLiteConverter.from_saved_model(folder).convert()


if __name__ == "__main__":
    sys.exit(main())
