"""Variants of the pipeline: librosa in a loop and in tf.data, decoding alone, and the zoo."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import librosa
import numpy as np
import soundfile
import tensorflow as tf

from recipes.benchmarks.audio_pipeline.corpora import DURATION_S
from zoo.data import corpora
from zoo.data.clips import Clips
from zoo.data.cutting import cut
from zoo.data.pipeline import load
from zoo.spectrogram import PRESETS, Spectrogram

RATE_HZ = 22_050
BATCH_SIZE = 32


def librosa_in_loop(paths: Sequence[str]) -> np.ndarray:
    """Log-mel of all clips with librosa, one by one: (clips, frames, bands)."""
    return np.stack([_librosa_log_mel(path) for path in paths])


def librosa_in_tf_data(paths: Sequence[str], cores: int) -> np.ndarray:
    """Log-mel of all clips with librosa in `tf.py_function`: (clips, frames, bands)."""

    def compute(path: tf.Tensor) -> tf.Tensor:
        return tf.py_function(lambda p: _librosa_log_mel(p.numpy().decode()), [path], tf.float32)

    dataset = tf.data.Dataset.from_tensor_slices(list(paths))
    dataset = dataset.map(compute, num_parallel_calls=cores)
    return np.concatenate([batch.numpy() for batch in dataset.batch(BATCH_SIZE).prefetch(2)])


def _librosa_log_mel(path: str) -> np.ndarray:
    """(frames, bands) of a clip, cut or repeated to the length of all."""
    sound, rate_hz = librosa.load(path, sr=RATE_HZ)
    sound = cut(sound, round(DURATION_S * rate_hz))
    mel = librosa.feature.melspectrogram(y=sound, sr=rate_hz, pad_mode="constant")
    return librosa.power_to_db(mel, top_db=None).T


def decode_in_threads(paths: Sequence[str], cores: int) -> None:
    """Decode all files with soundfile."""
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(lambda path: len(soundfile.read(path, dtype="float32")[0]), paths))


def zoo_from_files(root: Path) -> np.ndarray:
    """Log-mel of all clips with the zoo: (clips, frames, bands)."""
    features = _load_clips(root).with_features(_front_end(), duration_s=DURATION_S)
    return np.concatenate([x.numpy() for x, _ in features.all_batches(BATCH_SIZE)])[..., 0]


def zoo_epochs(root: Path) -> tuple[Callable[[], None], Callable[[], None]]:
    """Functions that run an epoch of training batches, of kept waveforms and of kept log-mel."""
    clips, front_end = _load_clips(root), _front_end()
    features = clips.with_features(front_end, duration_s=DURATION_S).dataset(BATCH_SIZE, seed=0)
    waveforms = clips.dataset(BATCH_SIZE, seed=0, duration_s=DURATION_S)
    computed = waveforms.map(lambda x, y: (front_end(x), y), num_parallel_calls=2).prefetch(2)
    steps = len(clips) // BATCH_SIZE
    return _epoch(computed, steps), _epoch(features, steps)


def _epoch(dataset: tf.data.Dataset, steps: int) -> Callable[[], None]:
    batches = iter(dataset)

    def run() -> None:
        for _ in range(steps):
            next(batches)

    return run


def _load_clips(root: Path) -> Clips:
    return load(corpora.read(root).index, sample_rate_hz=RATE_HZ)


def _front_end() -> Spectrogram:
    return Spectrogram(PRESETS["librosa"])
