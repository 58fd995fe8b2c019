"""Augmentation of spectrograms (batch, time, bands, 1): masks, equaliser, mixed band statistics."""

from collections.abc import Sequence
from typing import Any, Literal

import keras
import tensorflow as tf

from zoo.augment.base import Augmentation, beta_draws, check_range, clip_uniform, split_seed


@keras.saving.register_keras_serializable("zoo")
class SpecAugment(Augmentation):
    """SpecAugment: masks over time and over frequency (Park et al. 2019).

    Each mask is w wide, w drawn uniformly from the integers 0 to `width` - 1, and starts at a place
    drawn uniformly from 0 to size - w - 1: as in tensorflow-io's time_mask and freq_mask, but drawn
    for each clip.

    Args:
        time_masks: number of masks over time.
        time_width: of these [frames]; a mask is narrower than that, and than the clip.
        band_masks: number of masks over frequency.
        band_width: of these [bands].
        fill: value under a mask; one for each band; or "mean", the mean of the clip.
        **kwargs: of `Augmentation`.
    """

    settings = ("time_masks", "time_width", "band_masks", "band_width", "fill")

    def __init__(
        self,
        time_masks: int = 2,
        time_width: int = 24,
        band_masks: int = 2,
        band_width: int = 12,
        fill: float | Literal["mean"] | Sequence[float] = "mean",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        counts = (time_masks, time_width, band_masks, band_width)
        if min(time_masks, band_masks) < 0 or min(time_width, band_width) < 1:
            raise ValueError(
                f"Counts of masks must be 0 or more and widths 1 or more. Received: {counts}."
            )
        if isinstance(fill, str) and fill != "mean":
            raise ValueError(f"`fill` must be numbers or 'mean'. Received: {fill!r}.")
        self.time_masks, self.time_width = time_masks, time_width
        self.band_masks, self.band_width = band_masks, band_width
        self.fill = fill if isinstance(fill, str | float | int) else tuple(map(float, fill))

    def augment(self, x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """(batch, time, bands, 1) -> the same."""
        batch, time, bands = (tf.shape(x)[axis] for axis in (0, 1, 2))
        masked = tf.logical_or(
            _masks(batch, time, self.time_masks, self.time_width, split_seed(seed, 0))[:, :, None],
            _masks(batch, bands, self.band_masks, self.band_width, split_seed(seed, 1))[:, None, :],
        )[..., None]
        fill = (
            tf.reshape(tf.constant(self.fill, x.dtype), (-1, 1))  # (bands or 1, channels)
            if self.fill != "mean"
            else tf.reduce_mean(x, axis=(1, 2, 3), keepdims=True)
        )
        return tf.where(masked, fill, x)


def _masks(batch: tf.Tensor, size: tf.Tensor, count: int, width: int, seed: tf.Tensor) -> tf.Tensor:
    """(batch, size), true under a mask."""
    u, v = (tf.random.stateless_uniform([batch, count, 1], split_seed(seed, k)) for k in (0, 1))
    wide = tf.floor(u * tf.cast(tf.minimum(width, size), tf.float32))
    start = tf.floor(v * (tf.cast(size, tf.float32) - wide))
    place = tf.cast(tf.range(size), tf.float32)
    return tf.reduce_any((place >= start) & (place < start + wide), axis=1)


@keras.saving.register_keras_serializable("zoo")
class Equaliser(Augmentation):
    """Random gain and frequency response, as of another microphone: y = x + g + c(band) [dB].

    For spectrograms in decibels. g is drawn uniformly for each clip; c runs straight from point to
    point, `points` of them spread evenly over the bands, each drawn uniformly.

    Args:
        decibels: c lies between minus and plus this [dB].
        gain_db: and g between minus and plus this [dB].
        points: 2 or more.
        **kwargs: of `Augmentation`.
    """

    settings = ("decibels", "gain_db", "points")

    def __init__(
        self, decibels: float = 6.0, gain_db: float = 6.0, points: int = 5, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        check_range("decibels", 0, decibels, 0, 60)
        check_range("gain_db", 0, gain_db, 0, 60)
        if points < 2:
            raise ValueError(f"`points` must be 2 or more. Received: {points}.")
        self.decibels, self.gain_db, self.points = decibels, gain_db, points

    def augment(self, x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """(batch, time, bands, channels) -> the same."""
        batch, bands = tf.shape(x)[0], tf.shape(x)[2]
        drawn = tf.random.stateless_uniform(
            [batch, self.points], split_seed(seed, 0), -self.decibels, self.decibels
        )
        place = tf.linspace(0.0, self.points - 1.0, bands)
        # hat functions: linear interpolation between the points
        hats = tf.maximum(0.0, 1 - tf.abs(place - tf.range(float(self.points))[:, None]))
        curve = tf.matmul(drawn, hats)[:, None, :, None]
        return x + curve + clip_uniform(x, split_seed(seed, 1), -self.gain_db, self.gain_db)


@keras.saving.register_keras_serializable("zoo")
class FreqMixStyle(Augmentation):
    """Freq-MixStyle: mix the band statistics of two clips (Kim et al. 2022; Schmid et al. 2022).

    y = (l s + (1 - l) s') (x - m) / s + l m + (1 - l) m', with m and s mean and deviation of each
    band over time, m' and s' those of another clip of the batch, and l from Beta(alpha, alpha).
    Recording devices differ in these statistics.

    Args:
        alpha: below 1, most weights l are near 0 or 1.
        **kwargs: of `Augmentation`.
    """

    settings = ("alpha",)

    def __init__(self, alpha: float = 0.4, **kwargs: Any) -> None:
        super().__init__(**{"share": 0.7, **kwargs})
        if not alpha > 0:
            raise ValueError(f"`alpha` must be positive. Received: {alpha}.")
        self.alpha = alpha

    def augment(self, x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """(batch, time, bands, channels) -> the same."""
        batch = tf.shape(x)[0]
        mean, variance = tf.nn.moments(x, axes=(1, 3), keepdims=True)
        deviation = tf.sqrt(variance + 1e-6)
        other = tf.random.experimental.stateless_shuffle(tf.range(batch), split_seed(seed, 0))
        mix = tf.reshape(beta_draws(batch, split_seed(seed, 1), self.alpha), (-1, 1, 1, 1))
        new_mean = mix * mean + (1 - mix) * tf.gather(mean, other)
        new_deviation = mix * deviation + (1 - mix) * tf.gather(deviation, other)
        return new_deviation * (x - mean) / deviation + new_mean
