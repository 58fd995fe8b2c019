"""Two clips in one, with the labels of both, or of one class. These are maps only."""

import math
from dataclasses import dataclass

import tensorflow as tf

from zoo.augment.base import beta, split


@dataclass(frozen=True)
class Mixup:
    """y = l x + (1 - l) x', and so the labels; l from Beta(alpha, alpha) (Zhang et al. 2018).

    Attributes:
        classes: how many there are.
        alpha: the smaller, the nearer most are to one of the two.

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
        other = tf.random.experimental.stateless_shuffle(tf.range(batch), split(seed, 0))
        share = beta(batch, split(seed, 1), self.alpha)
        labels = shares(labels, self.classes)
        mixed = _weighted(x, share) + _weighted(tf.gather(x, other), 1 - share)
        return mixed, _weighted(labels, share) + _weighted(tf.gather(labels, other), 1 - share)


@dataclass(frozen=True)
class BetweenClass:
    """Waveforms of different classes mixed as loud as their labels say (Tokozume et al. 2018).

    With r even between 0 and 1, levels G and G' [dB] of x and x',

        p = 1 / (1 + 10^((G - G') / 20) (1 - r) / r)
        y = (p x + (1 - p) x') / sqrt(p^2 + (1 - p)^2)

    and labels r, 1 - r. G is the level of the root mean square. A clip that finds no other class in
    its batch stays as it is.

    Attributes:
        classes: how many there are.

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
        labels = shares(labels, self.classes)
        kind = tf.argmax(labels, axis=1)
        differs = tf.cast(kind[:, None] != kind[None, :], tf.float32)
        lots = tf.random.stateless_uniform([batch, batch], split(seed, 0))
        # a lot is below 1: any of another class comes first, then the clip itself
        other = tf.argmax(differs * (1 + lots) + tf.eye(batch) * 0.5, axis=1)
        r = tf.random.stateless_uniform([batch], split(seed, 1), 1e-6, 1 - 1e-6)
        loud = tf.sqrt(tf.reduce_mean(tf.square(x), axis=1)) + 1e-12
        p = 1 / (1 + loud / tf.gather(loud, other) * (1 - r) / r)
        alone = tf.reduce_max(differs, axis=1) == 0
        p, r = tf.where(alone, 1.0, p), tf.where(alone, 1.0, r)
        mixed = _weighted(x, p) + _weighted(tf.gather(x, other), 1 - p)
        mixed = _weighted(mixed, tf.math.rsqrt(p**2 + (1 - p) ** 2))
        return mixed, _weighted(labels, r) + _weighted(tf.gather(labels, other), 1 - r)


@dataclass(frozen=True)
class SameClass:
    """Another clip of the same class sounds along, as powers add: the label stays what it was.

    y = 10 log10(10^(x / 10) + 10^((x' + g) / 10)), g even between -range_db and range_db. A clip
    that finds no other of its class in the batch stays as it is.

    Attributes:
        share: of the clips that get company; 0 to 1.
        range_db: by how much the other is louder or softer at most [dB].

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
            The same shapes; the labels are those that came.

        Raises:
            ValueError: shares of classes in place of numbers.
        """
        if len(labels.shape) != 1:
            raise ValueError(
                "`labels` must be numbers of classes, (batch,): put SameClass before what mixes "
                f"them. Received: shape {tuple(labels.shape)}."
            )
        batch = tf.shape(x)[0]
        alike = tf.cast(labels[:, None] == labels[None, :], tf.float32) - tf.eye(batch)
        lots = tf.random.stateless_uniform([batch, batch], split(seed, 0))
        other = tf.gather(x, tf.argmax(alike * (1 + lots), axis=1))
        louder = tf.random.stateless_uniform([batch], split(seed, 1), -self.range_db, self.range_db)
        # relative to the louder of the two, so that no power overflows
        other += _weighted(tf.ones_like(x), louder)
        most, least = tf.maximum(x, other), tf.minimum(x, other)
        mixed = most + 10 / math.log(10) * tf.math.log1p(10 ** ((least - most) / 10))
        chosen = tf.random.stateless_uniform([batch], split(seed, 2)) < self.share
        chosen &= tf.reduce_max(alike, axis=1) > 0
        return tf.where(chosen[:, None, None, None], mixed, x), labels


def shares(labels: tf.Tensor, classes: int) -> tf.Tensor:
    """(batch,) numbers of classes as (batch, classes) float32; shares stay."""
    if len(labels.shape) == 2:
        return tf.cast(labels, tf.float32)
    return tf.one_hot(labels, classes)


def _weighted(x: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    """Each clip of x (batch, ...) times its weight (batch,)."""
    return x * tf.reshape(weight, tf.concat([tf.shape(weight), tf.ones_like(tf.shape(x)[1:])], 0))


def _check_classes(classes: int) -> None:
    if classes < 2:
        raise ValueError(f"`classes` must be 2 or more. Received: {classes}.")
