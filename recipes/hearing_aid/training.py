"""Train a network that answers every hop, on scenes that change while it listens.

The front end is fixed, so it runs once over all clips. A training example is a stretch of frames in
which one scene may give way to another; every frame has its label, so the network learns to follow.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recipes.hearing_aid.sounds import CLASSES, SNR_DB
from zoo.data.synthesis.seeds import stream
from zoo.progress import say

if TYPE_CHECKING:
    import keras

    from recipes.hearing_aid.sounds import Pool
    from zoo.training import History

BATCH_SIZE = 24
FRAMES = 224  # of an example, 3.6 s of 16 ms hops
CHANGING = 0.6  # share of examples in which the scene changes
# Training varies every scene: its level, which stays evidence; the colour of the microphone; the
# width of its band, as over a telephone; the room behind it; and what speech is mixed with.
GAIN_DB = 2.5  # deviation
COLOUR_DB = 3.0  # deviation at five bands, straight between
NARROW = 0.25  # share of scenes without their upper bands
FLOOR_DB = (-100.0, -70.0)  # what is there instead
ROOM = 0.5  # share of scenes with another quiet room behind them
MIXED = 0.7  # share of speech in noise that is mixed anew


@dataclass(frozen=True)
class Plan:
    """How long and how fast to train; see `zoo.training.Budget`."""

    epochs: int
    steps: int
    learning_rate: float = 4e-3
    seed: int = 0
    checkpoint: Path | None = None


def train(model: "keras.Model", pool: "Pool", validation: "Pool", plan: Plan) -> "History":
    """Train `model` behind its front end, which learns its mean from the pool."""
    import keras
    import tensorflow as tf

    from zoo import training
    from zoo.convnets import split_model, standardize_of

    say("front end over all clips")
    seen = spectrograms(model, pool)
    standardize_of(model).adapt([frames[None, ..., None] for clips in seen for frames in clips])
    _, network = split_model(model)
    held = examples(spectrograms(model, validation), stream(plan.seed, "validation"), 4 * len(pool))
    bands, classes = seen[0][0].shape[1], len(pool)

    def batches(step: int) -> tf.data.Dataset:
        def drawn():
            k = step
            while True:
                x, y = examples(seen, stream(plan.seed, "batch", k), BATCH_SIZE, changed=True)
                yield x, {"probabilities": y}
                k += 1

        signature = (
            tf.TensorSpec((BATCH_SIZE, FRAMES, bands, 1)),
            {"probabilities": tf.TensorSpec((BATCH_SIZE, FRAMES, classes))},
        )
        return tf.data.Dataset.from_generator(drawn, output_signature=signature).prefetch(2)

    checked = tf.data.Dataset.from_tensor_slices((held[0], {"probabilities": held[1]}))
    return training.fit(
        network,
        batches,
        checked.batch(BATCH_SIZE),
        training.Budget(
            epochs=plan.epochs,
            steps_per_epoch=plan.steps,
            learning_rate=plan.learning_rate,
            weight_decay=0.02,
        ),
        losses={"probabilities": keras.losses.CategoricalCrossentropy(label_smoothing=0.05)},
        seed=plan.seed,
        checkpoint=plan.checkpoint,
        stream=sys.stderr,
    )


def spectrograms(model: "keras.Model", pool: "Pool") -> list[list[np.ndarray]]:
    """Frames (time, bands) of every clip, by class."""
    import tensorflow as tf

    from zoo.convnets import spectrogram_of

    layer = spectrogram_of(model)
    run = tf.function(layer, input_signature=[tf.TensorSpec((1, None))])
    return [[run(clip[None]).numpy()[0, ..., 0] for clip in clips] for clips in pool]


def examples(
    frames: list[list[np.ndarray]], rng: np.random.Generator, count: int, changed: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Stretches (count, FRAMES, bands, 1) [dB] and the class of each frame, one-hot.

    Args:
        frames: of clips, by class.
        rng: where it is drawn from.
        count: how many.
        changed: vary the scenes, as in training.
    """
    bands, classes = frames[0][0].shape[1], len(frames)
    x = np.empty((count, FRAMES, bands, 1), np.float32)
    y = np.zeros((count, FRAMES, classes), np.float32)
    for row in range(count):
        cut = int(rng.integers(1, FRAMES)) if rng.uniform() < CHANGING else FRAMES
        first, second = rng.choice(classes, size=2, replace=False)
        for kind, part in ((first, slice(0, cut)), (second, slice(cut, FRAMES))):
            length = part.stop - part.start
            if length:
                make = _varied if changed else _stretch_of
                x[row, part, :, 0] = make(frames, int(kind), length, rng)
                y[row, part, kind] = 1
    return x, y


def _stretch_of(
    frames: list[list[np.ndarray]], kind: int, length: int, rng: np.random.Generator
) -> np.ndarray:
    """Some frames of some clip of this class, (length, bands)."""
    clips = frames[kind]
    clip = clips[int(rng.integers(len(clips)))]
    start = int(rng.integers(max(1, len(clip) - length + 1)))
    return np.take(clip, np.arange(start, start + length), axis=0, mode="wrap")


def _varied(
    frames: list[list[np.ndarray]], kind: int, length: int, rng: np.random.Generator
) -> np.ndarray:
    """The same, with what may differ from place to place."""
    quiet, speech, noise = (CLASSES.index(name) for name in ("quiet", "speech", "noise"))
    if CLASSES[kind] == "speech_in_noise" and rng.uniform() < MIXED:
        talk = _coloured(_stretch_of(frames, speech, length, rng), rng)
        behind = _coloured(_stretch_of(frames, noise, length, rng), rng)
        snr_db = _level(talk) - _level(behind)
        sound = _sum(talk, behind + snr_db - rng.uniform(*SNR_DB))
    else:
        sound = _coloured(_stretch_of(frames, kind, length, rng), rng)
    sound = sound + GAIN_DB * rng.standard_normal()
    if kind != quiet and rng.uniform() < ROOM:
        sound = _sum(sound, _stretch_of(frames, quiet, length, rng))
    return sound


def _coloured(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Through another microphone; some without their upper bands."""
    bands = np.arange(sound.shape[1])
    knots = np.linspace(0, bands[-1], 5)
    sound = sound + np.interp(bands, knots, COLOUR_DB * rng.standard_normal(5))
    if rng.uniform() < NARROW:
        top = int(rng.integers(len(bands) // 2, len(bands)))
        sound[:, top:] = np.minimum(sound[:, top:], rng.uniform(*FLOOR_DB))
    return sound


def _level(sound: np.ndarray) -> float:
    """Mean power over frames and bands [dB]."""
    return float(10 * np.log10(np.mean(10 ** (sound / 10))))


def _sum(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Both at once: powers add [dB]."""
    return 10 * np.log10(10 ** (first / 10) + 10 ** (second / 10))
