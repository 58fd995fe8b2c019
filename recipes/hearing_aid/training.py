"""Train a network with an output at every hop on excerpts in which the scene may change.

The front end is fixed, so it runs once over all clips. A training example is a sequence of frames
in which one scene may follow another; every frame has its own label.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from recipes.hearing_aid.classes import CLASSES, SNR_DB
from recipes.hearing_aid.synthetic import ClipPool
from zoo import training
from zoo.checkpoints import hash_arrays
from zoo.convnets import spectrogram_of, split_model, standardize_of
from zoo.data.synthesis.seeds import stream
from zoo.progress import say
from zoo.training import History

Frames = list[list[np.ndarray]]  # spectrograms (time, bands) [dB] of clips, by class

BATCH_SIZE = 24
FRAMES = 224  # of an example, 3.6 s of 16 ms hops
CHANGE_SHARE = 0.6  # of examples in which the scene changes
# Augmentation of scenes: level, by little, since it is evidence; frequency response of the
# microphone; band limit, as of a telephone; noise of the room; new mixtures of speech in noise.
GAIN_DB = 2.5  # deviation
RESPONSE_DB = 3.0  # deviation at five bands, linear between them
BAND_LIMIT_SHARE = 0.25  # of scenes without their upper bands
FLOOR_DB = (-100.0, -70.0)  # level of the missing bands
ROOM_SHARE = 0.5  # of scenes with the noise of another quiet room added
REMIX_SHARE = 0.7  # of speech in noise that is mixed anew


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of training; see `zoo.training.Budget`.

    Attributes:
        epochs: number of them.
        steps: batches of an epoch.
        learning_rate: at its peak.
        seed: of batches.
        checkpoint: file of the training state; None: none is kept.
    """

    epochs: int
    steps: int
    learning_rate: float = 4e-3
    seed: int = 0
    checkpoint: Path | None = None


def train(
    model: keras.Model, pool: ClipPool, validation: ClipPool, settings: TrainingSettings
) -> History:
    """Train `model` behind its front end, whose `Standardize` is adapted to the pool.

    Args:
        model: sound model with the output `probabilities` at every frame.
        pool: training clips by class.
        validation: validation clips by class.
        settings: of training.

    Raises:
        ValueError: a checkpoint of another run or a damaged one, or training diverged.
        TrainingInterrupted: by Ctrl-C.
    """
    say("front end over all clips")
    frames = spectrograms(model, pool)
    standardize_of(model).adapt([clip[None, ..., None] for clips in frames for clip in clips])
    _, network = split_model(model)
    x, y = draw_examples(
        spectrograms(model, validation), stream(settings.seed, "validation"), 4 * len(pool)
    )
    held_out = tf.data.Dataset.from_tensor_slices((x, {"probabilities": y}))
    history = training.fit(
        network,
        lambda step: train_batches(frames, settings.seed, step),
        held_out.batch(BATCH_SIZE),
        training.Budget(
            epochs=settings.epochs,
            steps_per_epoch=settings.steps,
            learning_rate=settings.learning_rate,
            weight_decay=0.02,
        ),
        training.FitSettings(
            losses={"probabilities": keras.losses.CategoricalCrossentropy(label_smoothing=0.05)},
            seed=settings.seed,
            checkpoint=settings.checkpoint,
            data=hash_arrays(
                *(clip for part in (pool, validation) for clips in part for clip in clips)
            ),
        ),
        stream=sys.stderr,
    )
    history.require_whole("the network", settings.learning_rate)
    return history


def train_batches(frames: Frames, seed: int, step: int) -> tf.data.Dataset:
    """Endless training batches from a step on; each batch depends on seed and step alone.

    Args:
        frames: spectrograms of clips, by class.
        seed: of all batches.
        step: number of the first batch.

    Returns:
        Dataset of (batch, FRAMES, bands, 1) and {"probabilities": (batch, FRAMES, classes)}.
    """

    def generate() -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
        for number in count(step):
            x, y = draw_examples(frames, stream(seed, "batch", number), BATCH_SIZE, augment=True)
            yield x, {"probabilities": y}

    signature = (
        tf.TensorSpec((BATCH_SIZE, FRAMES, frames[0][0].shape[1], 1)),
        {"probabilities": tf.TensorSpec((BATCH_SIZE, FRAMES, len(frames)))},
    )
    return tf.data.Dataset.from_generator(generate, output_signature=signature).prefetch(2)


def spectrograms(model: keras.Model, pool: ClipPool) -> Frames:
    """Spectrograms (time, bands) of every clip, by class."""
    layer = spectrogram_of(model)
    run = tf.function(layer, input_signature=[tf.TensorSpec((1, None))])
    return [[run(clip[None]).numpy()[0, ..., 0] for clip in clips] for clips in pool]


def draw_examples(
    frames: Frames, rng: np.random.Generator, size: int, augment: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Excerpts (size, FRAMES, bands, 1) [dB] and the class of each frame, one-hot.

    Args:
        frames: spectrograms of clips, by class.
        rng: random stream.
        size: number of examples.
        augment: vary the scenes, as in training.
    """
    bands, classes = frames[0][0].shape[1], len(frames)
    x = np.empty((size, FRAMES, bands, 1), np.float32)
    y = np.zeros((size, FRAMES, classes), np.float32)
    for row in range(size):
        cut = int(rng.integers(1, FRAMES)) if rng.uniform() < CHANGE_SHARE else FRAMES
        first, second = rng.choice(classes, size=2, replace=False)
        for kind, part in ((first, slice(0, cut)), (second, slice(cut, FRAMES))):
            length = part.stop - part.start
            if length:
                draw = _draw_augmented if augment else _draw_excerpt
                x[row, part, :, 0] = draw(frames, int(kind), length, rng)
                y[row, part, kind] = 1
    return x, y


def _draw_excerpt(frames: Frames, kind: int, length: int, rng: np.random.Generator) -> np.ndarray:
    """Random excerpt of a random clip of this class, (length, bands)."""
    clips = frames[kind]
    clip = clips[int(rng.integers(len(clips)))]
    start = int(rng.integers(max(1, len(clip) - length + 1)))
    return np.take(clip, np.arange(start, start + length), axis=0, mode="wrap")


def _draw_augmented(frames: Frames, kind: int, length: int, rng: np.random.Generator) -> np.ndarray:
    """Augmented excerpt of a clip of this class, (length, bands)."""
    quiet, speech, noise = (CLASSES.index(name) for name in ("quiet", "speech", "noise"))
    if CLASSES[kind] == "speech_in_noise" and rng.uniform() < REMIX_SHARE:
        talk = _filter(_draw_excerpt(frames, speech, length, rng), rng)
        background = _filter(_draw_excerpt(frames, noise, length, rng), rng)
        snr_db = _level(talk) - _level(background)
        sound = _sum(talk, background + snr_db - rng.uniform(*SNR_DB))
    else:
        sound = _filter(_draw_excerpt(frames, kind, length, rng), rng)
    sound = sound + GAIN_DB * rng.standard_normal()
    if kind != quiet and rng.uniform() < ROOM_SHARE:
        sound = _sum(sound, _draw_excerpt(frames, quiet, length, rng))
    return sound


def _filter(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random frequency response of a microphone; some excerpts without their upper bands."""
    bands = np.arange(sound.shape[1])
    knots = np.linspace(0, bands[-1], 5)
    sound = sound + np.interp(bands, knots, RESPONSE_DB * rng.standard_normal(5))
    if rng.uniform() < BAND_LIMIT_SHARE:
        top = int(rng.integers(len(bands) // 2, len(bands)))
        sound[:, top:] = np.minimum(sound[:, top:], rng.uniform(*FLOOR_DB))
    return sound


def _level(sound: np.ndarray) -> float:
    """Mean power over frames and bands [dB]."""
    return float(10 * np.log10(np.mean(10 ** (sound / 10))))


def _sum(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Sum of the powers of two levels [dB]."""
    return 10 * np.log10(10 ** (first / 10) + 10 ** (second / 10))
