"""The two tasks whose truth is known, and the networks that learn them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from recipes.explain.settings import Settings
from zoo import presets, training
from zoo.convnets import standardize_of
from zoo.convnets.model import split_model
from zoo.data.shuffling import shuffled_rows
from zoo.data.synthesis.events import (
    CHANGE_KINDS,
    DURATION_S,
    EVENT_KINDS,
    RATE_HZ,
    change_clip,
    event_clip,
)
from zoo.data.synthesis.truth import Clip
from zoo.progress import say
from zoo.spectrogram import FrontEnd

FRONT = FrontEnd(sample_rate_hz=RATE_HZ, window_s=0.032, hop_s=0.016, mels=64, fmin_hz=50.0)
BATCH_SIZE, BATCHES = 32, 40
FRONT_BATCH = 64  # clips through the front end at a time
# First seeds of clips, far apart: none of one part is in another.
EXPLAINED, TESTED = 1_000_000, 2_000_000


@dataclass(frozen=True)
class Task:
    """Kinds of synthetic clips that a network tells apart.

    Attributes:
        name: of the task.
        classes: kinds of clips.
        explained: those that are explained.
        make: kind and seed to a clip.
        effort: training clips and epochs, as a share of the settings'.
    """

    name: str
    classes: tuple[str, ...]
    explained: tuple[str, ...]
    make: Callable[[str, int], Clip]
    effort: float = 1.0

    def clips(self, count: int, seed: int, kinds: Sequence[str] = ()) -> list[Clip]:
        """`count` clips of each kind, the kinds in turn; none: all classes."""
        kinds = kinds or self.classes
        return [self.make(kind, seed + k) for k in range(count) for kind in kinds]

    def labels(self, clips: Sequence[Clip]) -> np.ndarray:
        """Numbers of the classes, (clips,)."""
        return np.array([self.classes.index(clip.label) for clip in clips])


EVENTS = Task("events", tuple(EVENT_KINDS), tuple(EVENT_KINDS), event_clip)
ONSETS = Task("onsets", CHANGE_KINDS, ("onset",), change_clip, effort=0.3)


def stack(clips: Sequence[Clip]) -> np.ndarray:
    """Waveforms (clips, samples)."""
    return np.stack([clip.samples for clip in clips])


def train_network(task: Task, settings: Settings) -> tuple[keras.Model, float]:
    """A small residual network of a task, and its accuracy on clips of no other part."""
    keras.utils.set_random_seed(settings.seed)
    classes = len(task.classes)
    count = round(task.effort * settings.training_clips)
    say(f"{task.name}: {classes * count} training clips of {classes} kinds")
    model = presets.sound("residual_tiny", classes, duration_s=DURATION_S, front_end=FRONT)
    clips = task.clips(count, seed=settings.seed)
    front, network = split_model(model)
    parts = np.array_split(stack(clips), max(1, len(clips) // FRONT_BATCH))
    features = np.concatenate([np.asarray(front(part)) for part in parts])
    labels = task.labels(clips)
    standardize_of(model).adapt(features)

    def batches(step: int) -> tf.data.Dataset:
        x, y = tf.constant(features), tf.constant(labels)

        def batch(k: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            rows = shuffled_rows(k, BATCH_SIZE, len(labels), settings.seed)
            return tf.gather(x, rows), tf.gather(y, rows)

        return tf.data.Dataset.counter(step).map(batch)

    epochs = max(1, round(task.effort * settings.epochs))
    training.fit(
        network,
        batches,
        None,
        training.Budget(epochs, 2 if settings.quick else BATCHES, 3e-3),
        training.FitSettings(
            losses={"probabilities": keras.losses.SparseCategoricalCrossentropy()},
            seed=settings.seed,
            checkpoint=settings.checkpoint(f"{task.name}-network"),
            keep="last",
        ),
    )
    others = task.clips(max(8, settings.clips // 4), seed=TESTED + settings.seed)
    probabilities = np.concatenate(
        [
            np.asarray(model(part, training=False)["probabilities"])
            for part in np.array_split(stack(others), max(1, len(others) // FRONT_BATCH))
        ]
    )
    accuracy = float((probabilities.argmax(axis=1) == task.labels(others)).mean())
    say(f"{task.name}: accuracy on {len(others)} other clips {accuracy:.3f}")
    return model, accuracy
