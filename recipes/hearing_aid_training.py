"""Train a network that answers every hop, on scenes that change while it listens.

The front end is fixed, so it runs once over all clips. A training example is a stretch of frames in
which one scene may give way to another; every frame has its label, so the network learns to follow.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recipes.hysteresis import say
from zoo.data.synthesis.seeds import stream

if TYPE_CHECKING:
    import keras

    from recipes.hearing_aid_sounds import Pool
    from zoo.training import History

BATCH_SIZE = 24
FRAMES = 224  # of an example, 3.6 s of 16 ms hops
CHANGING = 0.6  # share of examples in which the scene changes
GAIN_DB = 2.5  # deviation of a scene's level: it stays evidence
TILT_DB = 4.0  # deviation of the highest over the lowest band: microphones differ
NARROW = 0.2  # share of scenes without their upper bands, as over a telephone


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
    from zoo.convnets import behind

    say("front end over all clips")
    seen = spectrograms(model, pool)
    model.get_layer("normalise").adapt(
        [frames[None, ..., None] for clips in seen for frames in clips]
    )
    network = behind(model, "spectrogram")
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

    layer = model.get_layer("spectrogram")
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
        changed: vary level, tilt and band width, as in training.
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
                x[row, part, :, 0] = _stretch(frames[kind], length, rng, changed)
                y[row, part, kind] = 1
    return x, y


def _stretch(
    clips: list[np.ndarray], length: int, rng: np.random.Generator, changed: bool
) -> np.ndarray:
    clip = clips[int(rng.integers(len(clips)))]
    start = int(rng.integers(max(1, len(clip) - length + 1)))
    taken = np.take(clip, np.arange(start, start + length), axis=0, mode="wrap")
    if changed:
        line = np.linspace(-0.5, 0.5, taken.shape[1])
        taken = taken + GAIN_DB * rng.standard_normal() + TILT_DB * rng.standard_normal() * line
        if rng.uniform() < NARROW:
            top = int(rng.integers(taken.shape[1] // 2, taken.shape[1]))
            taken[:, top:] -= 30.0
    return taken
