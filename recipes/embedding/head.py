"""A linear head on the blocks of an embedding: what it looks at, fitted, and what it predicts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo import augment
from zoo.baselines.linear import band_statistics
from zoo.convnets import front_end_of, spectrogram_of
from zoo.crossvalidation.robustness import robustness_conditions
from zoo.data.clips import Clips
from zoo.teaching.heads import fit_softmax

BATCH_SIZE = 16
NOISY_COPIES = 2  # of every training clip, beside itself
# Weight of a copy beside its clip, and penalty of the head: of 18 pairs the one with the highest
# mean accuracy on clips as recorded and on noisy copies of ESC-10's folds 1 to 3.
COPY_WEIGHT, PENALTY = 0.05, 3e-3

Head = tuple[np.ndarray, np.ndarray]  # weights (width, classes), bias (classes,)


@dataclass(frozen=True)
class Features:
    """What head and baseline look at.

    Attributes:
        averages: (clips, width), of the last block over time and frequency.
        copies: the same of noisy copies, (copies, clips, width).
        statistics: (clips, 2 bands) of the spectrogram.
    """

    averages: np.ndarray
    copies: np.ndarray
    statistics: np.ndarray


def embed(model: keras.Model, clips: Clips) -> np.ndarray:
    """What the head sees of clips, (clips, width)."""
    run, duration_s = make_runner(model), model.input.shape[1] / front_end_of(model).sample_rate_hz
    return np.concatenate(
        [run(x)[0] for x, _ in clips.all_batches(BATCH_SIZE, duration_s=duration_s)]
    )


def make_runner(model: keras.Model) -> Callable[[Any], tuple[np.ndarray, np.ndarray]]:
    """Function from waveforms (batch, samples) to features and spectrogram."""
    outputs = [model.get_layer("average").output, spectrogram_of(model).output]
    both = keras.Model(model.input, outputs)
    # one graph for all batches: called layer by layer it takes twice the time
    graph = tf.function(lambda x: both(x, training=False), reduce_retracing=True)

    def run(x: Any) -> tuple[np.ndarray, np.ndarray]:
        features, spectrogram = graph(tf.convert_to_tensor(x))
        return features.numpy(), spectrogram.numpy()

    return run


def compute_features(model: keras.Model, clips: Clips) -> Features:
    """Features of clips as recorded, and of noisy copies in rooms."""
    rate_hz, run = front_end_of(model).sample_rate_hz, make_runner(model)
    noisy = augment.chain(
        augment.Room(rate_hz, share=0.5),
        augment.AddNoise((5.0, 30.0), (0.0, 2.0), share=0.7),
        augment.Gain((-20.0, 20.0)),
    )
    averages, copies, statistics = [], [], []
    batches = clips.all_batches(BATCH_SIZE, duration_s=model.input.shape[1] / rate_hz)
    for number, (x, labels) in enumerate(batches):
        features, spectrogram = run(x)
        averages.append(features)
        statistics.append(band_statistics(spectrogram[..., 0]))
        seeds = [np.array([k, number], np.int32) for k in range(NOISY_COPIES)]
        copies.append(np.stack([run(noisy(x, labels, seed)[0])[0] for seed in seeds]))
    return Features(
        np.concatenate(averages), np.concatenate(copies, axis=1), np.concatenate(statistics)
    )


def changed_features(model: keras.Model, clips: Clips) -> dict[str, np.ndarray]:
    """Features of clips under each condition of the robustness table, (clips, width)."""
    rate_hz, run = front_end_of(model).sample_rate_hz, make_runner(model)
    conditions = robustness_conditions(rate_hz)
    parts: dict[str, list[np.ndarray]] = {name: [] for name in conditions}
    batches = clips.all_batches(BATCH_SIZE, duration_s=model.input.shape[1] / rate_hz)
    for number, (x, _) in enumerate(batches):
        for name, change in conditions.items():
            parts[name].append(run(change(x.numpy(), number))[0])
    return {name: np.concatenate(part) for name, part in parts.items()}


def fit_to(features: Features, labels: np.ndarray, train: np.ndarray) -> Head:
    """Head fitted to training clips, a mask, and to their noisy copies."""
    x = np.concatenate([features.averages[train], *features.copies[:, train]])
    weights = np.repeat([1.0, *[COPY_WEIGHT] * NOISY_COPIES], train.sum())
    return fit_softmax(x, np.tile(labels[train], 1 + NOISY_COPIES), PENALTY, weights)


def probabilities_of(x: np.ndarray, head: Head) -> np.ndarray:
    """Softmax of a head, (clips, classes)."""
    z = x @ head[0] + head[1]
    z = np.exp(z - z.max(axis=1, keepdims=True))
    return z / z.sum(axis=1, keepdims=True)
