"""Standardize spectrograms by mean and standard deviation of the training data."""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
from keras import KerasTensor

from zoo.spectrogram.base import Float32Layer


@keras.saving.register_keras_serializable("zoo")
class Standardize(Float32Layer):
    """Standardize a spectrogram: zero mean and unit variance over the training data.

    y = (x - mean) / deviation, (batch, time, bands, channels) in and out. One deviation for all
    bands of a channel keeps the contrast between bands. Both are constants of the training data,
    not of each clip, so the absolute level of a clip is kept. Until `adapt` has run, y = x.

    Args:
        per_band: a mean for every band; otherwise one for all.
        **kwargs: as for `keras.layers.Layer`.
    """

    def __init__(self, per_band: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.per_band = per_band

    def build(self, x_shape: tuple) -> None:
        """Make the weights mean (bands or 1, channels) and deviation (channels,), not trainable.

        Raises:
            ValueError: not a spectrogram.
        """
        if len(x_shape) != 4:
            raise ValueError(
                "A spectrogram must have shape (batch, time, bands, channels). "
                f"Received: {tuple(x_shape)}."
            )
        bands, channels = x_shape[-2:]
        self.mean = self.add_weight(
            name="mean",
            shape=(bands if self.per_band else 1, channels),
            initializer="zeros",
            trainable=False,
        )
        self.deviation = self.add_weight(
            name="deviation", shape=(channels,), initializer="ones", trainable=False
        )

    def adapt(self, spectrograms: Any) -> None:
        """Set mean and deviation to those of training data, in float64.

        Args:
            spectrograms: (batch, time, bands, channels), or an iterable of such batches (a
                tf.data.Dataset, say); of batches that are tuples the first element counts.

        Raises:
            ValueError: no data, data that are not finite, or a channel that never changes.
        """
        is_array = hasattr(spectrograms, "shape")
        count = 0
        mean = scatter = np.zeros(1)
        for x in _batches([spectrograms] if is_array else spectrograms):
            # Chan, Golub and LeVeque (1979): moments of two sets from the moments of each.
            new_count = x.shape[0] * x.shape[1]
            new_mean = x.mean(axis=(0, 1))
            shift = new_mean - mean
            total = count + new_count
            scatter = scatter + np.square(x - new_mean).sum(axis=(0, 1))
            scatter = scatter + shift**2 * (count * new_count / total)
            mean = mean + shift * (new_count / total)
            count = total
        if not count:
            raise ValueError("`adapt` needs at least one frame. Received: none.")
        variance = scatter / count  # (bands, channels)
        if not self.per_band:
            overall = mean.mean(axis=0, keepdims=True)
            variance = variance + np.square(mean - overall)
            mean = overall
        deviation = np.sqrt(variance.mean(axis=0))
        if not (np.isfinite(deviation).all() and (deviation > 0).all()):
            raise ValueError(
                "`adapt` needs finite spectrograms that vary. "
                f"Received: standard deviation {deviation}. Look for silent or damaged clips."
            )
        if not self.built:
            self.build((None, None, *variance.shape))
        self.mean.assign(mean)
        self.deviation.assign(deviation)

    def call(self, x: KerasTensor) -> KerasTensor:
        """Standardized spectrograms, of the shape of x."""
        return (x - self.mean) / self.deviation

    def compute_output_shape(self, x_shape: tuple) -> tuple:
        """The shape of x."""
        return tuple(x_shape)

    def get_config(self) -> dict[str, Any]:
        """Settings as plain values."""
        return {**super().get_config(), "per_band": self.per_band}


def _batches(spectrograms: Iterable[Any]) -> Iterable[np.ndarray]:
    for x in spectrograms:
        x = np.asarray(x[0] if isinstance(x, tuple | list) else x, np.float64)
        if x.ndim != 4:
            raise ValueError(
                f"`adapt` needs batches (batch, time, bands, channels). Received: shape {x.shape}."
            )
        if x.shape[0] and x.shape[1]:
            yield x
