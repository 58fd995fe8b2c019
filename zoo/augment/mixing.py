"""Mixing two clips of a batch: mixup, between-class and same-class mixing. These are maps only."""

import math
from dataclasses import dataclass

import tensorflow as tf

from zoo.augment.base import beta_draws, split_seed


@dataclass(frozen=True)
class Mixup:
    """Mixup: y = l x + (1 - l) x', labels likewise; l ~ Beta(alpha, alpha) (Zhang et al. 2018).

    Attributes:
        classes: number of classes.
        alpha: the smaller, the closer most mixtures are to one of the two clips.

    Raises:
        ValueError: fewer than two classes, or alpha not positive.
    """

    classes: int
    alpha: float = 0.2

    def __post_init__(self) -> None:
        _check_classes(self.classes)
        if not self.alpha > 0:
            raise ValueError(f"`alpha` must be positive. Received: {self.alpha}.")

    def apply(
        self, x: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Mix each clip with another of the batch.

        Args:
            x: (batch, ...).
            labels: (batch,) numbers of classes, or (batch, classes) shares.
            seed: (2,) int32.

        Returns:
            (batch, ...) and shares (batch, classes) float32.
        """
        batch = tf.shape(x)[0]
        other = tf.random.experimental.stateless_shuffle(tf.range(batch), split_seed(seed, 0))
        weight = beta_draws(batch, split_seed(seed, 1), self.alpha)
        labels = class_shares(labels, self.classes)
        mixed = _weighted(x, weight) + _weighted(tf.gather(x, other), 1 - weight)
        return mixed, _weighted(labels, weight) + _weighted(tf.gather(labels, other), 1 - weight)


@dataclass(frozen=True)
class BetweenClass:
    """Between-class mixing of waveforms by their sound level (Tokozume et al. 2018).

    With r uniform between 0 and 1, levels G and G' [dB] of x and x',

        p = 1 / (1 + 10^((G - G') / 20) (1 - r) / r)
        y = (p x + (1 - p) x') / sqrt(p^2 + (1 - p)^2)

    and labels r, 1 - r. G is the level of the root mean square. A clip is unchanged where its batch
    holds no other class.

    Attributes:
        classes: number of classes.

    Raises:
        ValueError: fewer than two classes.
    """

    classes: int

    def __post_init__(self) -> None:
        _check_classes(self.classes)

    def apply(
        self, x: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Mix each clip with one of another class.

        Args:
            x: (batch, samples).
            labels: (batch,) numbers of classes, or (batch, classes) shares.
            seed: (2,) int32.

        Returns:
            (batch, samples) and shares (batch, classes) float32.
        """
        batch = tf.shape(x)[0]
        labels = class_shares(labels, self.classes)
        number = tf.argmax(labels, axis=1)
        differs = tf.cast(number[:, None] != number[None, :], tf.float32)
        draws = tf.random.stateless_uniform([batch, batch], split_seed(seed, 0))
        # draws are below 1: any clip of another class comes first, then the clip itself
        other = tf.argmax(differs * (1 + draws) + tf.eye(batch) * 0.5, axis=1)
        r = tf.random.stateless_uniform([batch], split_seed(seed, 1), 1e-6, 1 - 1e-6)
        rms = tf.sqrt(tf.reduce_mean(tf.square(x), axis=1)) + 1e-12
        p = 1 / (1 + rms / tf.gather(rms, other) * (1 - r) / r)
        unmixed = tf.reduce_max(differs, axis=1) == 0
        p, r = tf.where(unmixed, 1.0, p), tf.where(unmixed, 1.0, r)
        mixed = _weighted(x, p) + _weighted(tf.gather(x, other), 1 - p)
        mixed = _weighted(mixed, tf.math.rsqrt(p**2 + (1 - p) ** 2))
        return mixed, _weighted(labels, r) + _weighted(tf.gather(labels, other), 1 - r)


@dataclass(frozen=True)
class SameClass:
    """Add another clip of the same class to a spectrogram, as powers add; the label is unchanged.

    y = 10 log10(10^(x / 10) + 10^((x' + g) / 10)), g uniform between -range_db and range_db. A
    clip is unchanged where its batch holds no other of its class.

    Attributes:
        share: of the clips that are mixed; 0 to 1.
        range_db: largest gain of the added clip, up or down [dB].

    Raises:
        ValueError: a share out of range, or a negative range.
    """

    share: float = 0.5
    range_db: float = 10.0

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1 or self.range_db < 0:
            raise ValueError(
                "`share` must lie between 0 and 1 and `range_db` must not be negative. "
                f"Received: {self.share}, {self.range_db}."
            )

    def apply(
        self, x: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Mix some clips with another of their class.

        Args:
            x: (batch, time, bands, channels) [dB].
            labels: (batch,) numbers of classes.
            seed: (2,) int32.

        Returns:
            x mixed (batch, time, bands, channels) [dB], and the labels as they are.

        Raises:
            ValueError: shares of classes in place of numbers.
        """
        if len(labels.shape) != 1:
            raise ValueError(
                "`labels` must be numbers of classes, (batch,): put SameClass before Mixup and "
                f"BetweenClass. Received: shape {tuple(labels.shape)}."
            )
        batch = tf.shape(x)[0]
        same = tf.cast(labels[:, None] == labels[None, :], tf.float32) - tf.eye(batch)
        draws = tf.random.stateless_uniform([batch, batch], split_seed(seed, 0))
        other = tf.gather(x, tf.argmax(same * (1 + draws), axis=1))
        gain_db = tf.random.stateless_uniform(
            [batch], split_seed(seed, 1), -self.range_db, self.range_db
        )
        # relative to the louder of the two, so that no power overflows
        other += _weighted(tf.ones_like(x), gain_db)
        high, low = tf.maximum(x, other), tf.minimum(x, other)
        mixed = high + 10 / math.log(10) * tf.math.log1p(10 ** ((low - high) / 10))
        chosen = tf.random.stateless_uniform([batch], split_seed(seed, 2)) < self.share
        chosen &= tf.reduce_max(same, axis=1) > 0
        return tf.where(chosen[:, None, None, None], mixed, x), labels


def class_shares(labels: tf.Tensor, classes: int) -> tf.Tensor:
    """Labels as shares of classes (batch, classes) float32; numbers (batch,) become one-hot."""
    if len(labels.shape) == 2:
        return tf.cast(labels, tf.float32)
    return tf.one_hot(labels, classes)


def _weighted(x: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    """Each clip of x (batch, ...) times its weight (batch,)."""
    return x * tf.reshape(weight, tf.concat([tf.shape(weight), tf.ones_like(tf.shape(x)[1:])], 0))


def _check_classes(classes: int) -> None:
    if classes < 2:
        raise ValueError(f"`classes` must be 2 or more. Received: {classes}.")
