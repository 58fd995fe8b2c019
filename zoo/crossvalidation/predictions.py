"""Predicted probabilities of clips, beside their true classes."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np

from zoo.data.clips import Clips

BATCH_SIZE = 32


@dataclass(frozen=True)
class Predictions:
    """Predicted probabilities of some clips.

    Attributes:
        labels: (clips,) true class indices.
        probabilities: (clips, classes) float64.
        rows: (clips,) row of each clip in the index.
    """

    labels: np.ndarray
    probabilities: np.ndarray
    rows: np.ndarray


def predict(network: keras.Model, features: Clips, rows: np.ndarray) -> Predictions:
    """Predict the probabilities of some clips.

    Args:
        network: (batch, time, bands, 1) to `probabilities` (batch, classes).
        features: front end output of all clips, from `Clips.with_features`.
        rows: (clips,) which of them.
    """
    parts = [
        network(x, training=False)["probabilities"].numpy()
        for x, _ in features[rows].all_batches(BATCH_SIZE)
    ]
    return Predictions(features.labels[rows], np.concatenate(parts).astype(np.float64), rows)


def pool_predictions(parts: Sequence[Predictions]) -> Predictions:
    """Predictions of several parts, such as the test parts of all folds, as one."""
    return Predictions(
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.rows for part in parts]),
    )
