"""What augmentations share: a layer in training, nothing otherwise, and a map with its own seed."""

from collections.abc import Callable
from typing import Any, Protocol

import keras
import tensorflow as tf


class Step(Protocol):
    """What can be chained."""

    def apply(
        self, x: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """A batch and its labels -> the same, changed; all that is drawn follows from `seed`."""


class Augmentation(keras.layers.Layer):
    """A layer that changes its input in training and is the identity otherwise.

    Subclasses write `augment`, and name their settings in `settings`.

    Args:
        share: of the clips, each drawn by itself, that are changed; 0 to 1.
        seed: of the layer. As a map, the seed handed to `apply` counts and this one does not.
        kwargs: of a Keras layer.
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
        """Every clip of x (batch, ...), changed; seed (2,) int32."""
        raise NotImplementedError

    def apply(
        self, x: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Augment a batch; its labels stay."""
        return self._of_some(x, seed), labels

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The augmented batch in training, else `x` itself."""
        if not training:
            return x
        return self._of_some(x, tf.bitcast(tf.cast(self.generator.next(), tf.uint32), tf.int32))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """As the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Settings as plain values."""
        own = {name: getattr(self, name) for name in (*self.settings, "share", "seed")}
        return {**super().get_config(), **own}

    def _of_some(self, x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        changed = self.augment(x, split(seed, 1))
        if self.share == 1:
            return changed
        chosen = uniform(x, split(seed, 0), 0.0, 1.0) < self.share
        return tf.where(chosen, changed, x)


def chain(
    *steps: Step,
) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """One after another, each with a seed of its own.

    Args:
        steps: layers of this package, or what mixes clips (`SameClass` before the others).

    Returns:
        augment(clips, labels, seed (2,) int32) -> (clips, labels), as `Clips.dataset` takes it.
    """

    def augment(x: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        for place, step in enumerate(steps):
            x, labels = step.apply(x, labels, split(seed, place))
        return x, labels

    return augment


def split(seed: tf.Tensor, number: int) -> tf.Tensor:
    """An independent seed (2,) for each number."""
    return tf.random.experimental.stateless_fold_in(seed, number)


def uniform(x: tf.Tensor, seed: tf.Tensor, low: float, high: float) -> tf.Tensor:
    """A number for each clip of x (batch, ...), as (batch, 1, ...)."""
    shape = tf.concat([tf.shape(x)[:1], tf.ones([len(x.shape) - 1], tf.int32)], 0)
    return tf.random.stateless_uniform(shape, seed, low, high)


def beta(count: tf.Tensor, seed: tf.Tensor, alpha: float) -> tf.Tensor:
    """(count,) draws from Beta(alpha, alpha): G / (G + H) of two gamma draws."""
    g, h = (
        tf.random.stateless_gamma([count], split(seed, k), alpha, dtype=tf.float64) for k in (0, 1)
    )
    # both draws underflow for a small alpha: then either end is as likely
    return tf.cast(tf.where(g + h > 0, g / tf.maximum(g + h, 1e-300), 0.5), tf.float32)


def between(name: str, low: float, high: float, least: float, most: float) -> None:
    """Raise a `ValueError` unless least <= low <= high <= most."""
    if not least <= low <= high <= most:
        raise ValueError(
            f"`{name}` must be (lowest, highest) within {least:g} and {most:g}. "
            f"Received: ({low}, {high})."
        )
