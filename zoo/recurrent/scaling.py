"""Standardization of inputs and targets by the statistics of the training data."""

from dataclasses import dataclass

import keras
import numpy as np


@dataclass(frozen=True)
class Scaling:
    """Mean and standard deviation of the training data.

    Attributes:
        x_mean: of every input feature, behind the front end.
        x_std: of every input feature.
        y_mean: of every target, in its unit.
        y_std: of every target, in its unit.
    """

    x_mean: tuple[float, ...]
    x_std: tuple[float, ...]
    y_mean: tuple[float, ...]
    y_std: tuple[float, ...]

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> "Scaling":
        """Measure the training data; a constant feature gets a standard deviation of 1.

        Args:
            x: (paths, time, features), behind the front end.
            y: (paths, time, targets).
            weight: (paths, time), 0 where a step does not count; None where every step does.
        """
        counts = np.ones(x.shape[:2], bool) if weight is None else np.asarray(weight) > 0
        stats = []
        for values in (np.asarray(x, np.float64)[counts], np.asarray(y, np.float64)[counts]):
            mean, std = values.mean(axis=0), values.std(axis=0)
            std = np.where(std > 1e-6 * np.abs(mean), std, 1.0)
            stats += [tuple(mean.tolist()), tuple(std.tolist())]
        return cls(*stats)


def input_scaling(scaling: Scaling) -> keras.layers.Rescaling:
    """Layer that standardizes the input, (x - mean) / std on the last axis."""
    scale = 1.0 / np.asarray(scaling.x_std)
    return keras.layers.Rescaling(
        scale.tolist(), (-np.asarray(scaling.x_mean) * scale).tolist(), name="x_scaling"
    )


def output_scaling(scaling: Scaling) -> keras.layers.Rescaling:
    """Layer that turns a standardized prediction into physical units, y std + mean."""
    return keras.layers.Rescaling(list(scaling.y_std), list(scaling.y_mean), name="y_scaling")
