"""Base class of augmentation layers, chains of them, and random draws for each clip."""

from collections.abc import Callable
from typing import Any, Protocol

import keras
import tensorflow as tf


class Transform(Protocol):
    """An augmentation of batches that `chain` takes."""

    def apply(
        self, x: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Augment a batch and its labels; every random number follows from `seed` (2,) int32."""
        ...


class Augmentation(keras.layers.Layer):
    """A layer that augments its input in training and is the identity otherwise.

    Subclasses implement `augment`, and list the names of their settings in `settings`.

    Args:
        share: of the clips that are augmented, drawn for each clip; 0 to 1.
        seed: of the layer. As a map, the seed passed to `apply` is used instead.
        **kwargs: as for `keras.layers.Layer`.

    Raises:
        ValueError: a share out of range.
    """

    settings: tuple[str, ...] = ()

    def __init__(self, *, share: float = 1.0, seed: int = 0, **kwargs: Any) -> None:
        # float16 loses quiet sound
        super().__init__(**{**kwargs, "dtype": "float32"})
        if not 0 <= share <= 1:
            raise ValueError(f"`share` must lie between 0 and 1. Received: {share}.")
        self.share = share
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)
        self.built = True
        self.supports_jit = False  # XLA has no shuffling and no Fourier transform of any length

    def augment(self, x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Augment every clip of x (batch, ...); seed (2,) int32.

        Raises:
            NotImplementedError: in this base class.
        """
        raise NotImplementedError

    def apply(
        self, x: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Augment a share of a batch; the labels are returned as they are."""
        return self._augment_share(x, seed), labels

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The augmented batch in training, else `x` itself."""
        if not training:
            return x
        return self._augment_share(
            x, tf.bitcast(tf.cast(self.generator.next(), tf.uint32), tf.int32)
        )

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """As the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Settings as plain values."""
        own = {name: getattr(self, name) for name in (*self.settings, "share", "seed")}
        return {**super().get_config(), **own}

    def _augment_share(self, x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        augmented = self.augment(x, split_seed(seed, 1))
        if self.share == 1:
            return augmented
        chosen = clip_uniform(x, split_seed(seed, 0), 0.0, 1.0) < self.share
        return tf.where(chosen, augmented, x)


def chain(
    *steps: Transform,
) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """Apply augmentations one after another, each with a seed of its own.

    Args:
        steps: layers of this package, `Mixup`, `BetweenClass`, `SameClass`; the last before the
            other two, which turn labels into shares.

    Returns:
        augment(clips, labels, seed (2,) int32) -> (clips, labels), as `Clips.dataset` takes it.
    """

    def augment(x: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        for place, step in enumerate(steps):
            x, labels = step.apply(x, labels, split_seed(seed, place))
        return x, labels

    return augment


def split_seed(seed: tf.Tensor, number: int) -> tf.Tensor:
    """An independent seed (2,) int32 for each number."""
    return tf.random.experimental.stateless_fold_in(seed, number)


def clip_uniform(x: tf.Tensor, seed: tf.Tensor, low: float, high: float) -> tf.Tensor:
    """Uniform random number for each clip of x (batch, ...), as (batch, 1, ...)."""
    shape = tf.concat([tf.shape(x)[:1], tf.ones([len(x.shape) - 1], tf.int32)], 0)
    return tf.random.stateless_uniform(shape, seed, low, high)


def beta_draws(count: tf.Tensor, seed: tf.Tensor, alpha: float) -> tf.Tensor:
    """(count,) draws from Beta(alpha, alpha): G / (G + H) of two gamma draws."""
    g, h = (
        tf.random.stateless_gamma([count], split_seed(seed, k), alpha, dtype=tf.float64)
        for k in (0, 1)
    )
    # both draws underflow for a small alpha: 0.5 then
    return tf.cast(tf.where(g + h > 0, g / tf.maximum(g + h, 1e-300), 0.5), tf.float32)


def check_range(name: str, low: float, high: float, minimum: float, maximum: float) -> None:
    """Check a setting that is a range.

    Raises:
        ValueError: not minimum <= low <= high <= maximum.
    """
    if not minimum <= low <= high <= maximum:
        raise ValueError(
            f"`{name}` must be (lowest, highest) within {minimum:g} and {maximum:g}. "
            f"Received: ({low}, {high})."
        )
