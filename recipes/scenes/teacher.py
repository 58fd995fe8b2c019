"""What a teacher hears: its embedding of every clip, of its altered copies and of mixtures."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from recipes.scenes.copies import FrontEnd
from zoo.data.clips import Clips
from zoo.files import writing
from zoo.progress import say
from zoo.spectrogram import ReferenceLevel
from zoo.teachers import EMBEDDING, load_yamnet
from zoo.teachers.runtime import PATCH, SAMPLE_RATE_HZ

LEVEL_DB = -14.0  # that a clip's loudest moments reach; the teacher learnt from loud sound
MAX_GAIN_DB = 60.0


class AveragedTeacher:
    """The teacher's embedding of a clip, the mean over its patches.

    Waveforms are resampled to 16 kHz by cutting their spectrum off and brought to one level, as
    the networks that learn from it bring them to one.

    Args:
        file: of the teacher, see `zoo.teachers.load_yamnet`.
        sample_rate_hz: of the clips [Hz].
        samples: of a clip; the teacher takes 0.975 s at least, so shorter ones are repeated.

    Raises:
        OSError: no such file.
        ValueError: not a file of this network.
    """

    def __init__(self, file: Path, sample_rate_hz: float, samples: int) -> None:
        self.samples = samples
        self.length = max(2, round(samples * SAMPLE_RATE_HZ / sample_rate_hz))
        self.repeats = -(-PATCH // self.length)
        self.level = ReferenceLevel(SAMPLE_RATE_HZ, LEVEL_DB, MAX_GAIN_DB)
        self.model = load_yamnet(file, self.repeats * self.length)
        self.key = hashlib.sha256(Path(file).read_bytes()).hexdigest()

    def __call__(self, waveform: tf.Tensor) -> tf.Tensor:
        """Embeddings (batch, 1024) of waveforms (batch, samples)."""
        bins = self.length // 2 + 1
        spectrum = tf.signal.rfft(waveform, [self.samples])[:, :bins]
        spectrum = tf.pad(spectrum, [(0, 0), (0, bins - spectrum.shape[1])])
        x = tf.signal.irfft(spectrum, [self.length]) * (self.length / self.samples)
        x = self.level(tf.ensure_shape(x, (None, self.length)))
        embedding = self.model(tf.tile(x, [1, self.repeats]), training=False)["embedding"]
        return tf.ensure_shape(embedding, (None, EMBEDDING))


def compute_embeddings(
    teacher: AveragedTeacher, compute: Callable[[FrontEnd], Clips], stem: Path
) -> np.ndarray:
    """The teacher's embedding of every clip, (clips, 1024); kept in a file for the next run.

    Args:
        teacher: of waveforms.
        compute: computes a front end for every clip, with a line of progress.
        stem: of the file, whose name tells the clips; the hash of the teacher is added.
    """
    file = stem.with_name(f"{stem.name}-{teacher.key[:8]}.npz")
    if file.exists():
        with np.load(file) as stored:
            return stored["embeddings"]
    say(f"the teacher hears them once; kept in {file}")
    clips = compute(teacher)
    embeddings = np.stack([clips.source[row] for row in clips.rows]).astype(np.float32)
    with writing(file) as path:
        np.savez(path, embeddings=embeddings)
    return embeddings
