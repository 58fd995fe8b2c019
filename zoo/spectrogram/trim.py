"""Trim leading and trailing silence, and repeat the rest to the old length."""

from typing import Any

import keras
from keras import KerasTensor, ops

from zoo.spectrogram.base import Float32Layer

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf  # whose gather converts to one operation of TFLite


@keras.saving.register_keras_serializable("zoo")
class Trim(Float32Layer):
    """Cut leading and trailing silence off, and repeat the sound to the old length.

    y[t] = x[first + t mod (last - first + 1)]

    with first and last the outermost frames whose loudest band is at most `range_db` below the
    loudest of the clip: `librosa.effects.trim`, on a spectrogram. Corpora pad short recordings with
    zeros, and an average over all frames would then depend on their length. Pauses are kept, and
    so is all of a clip that is nowhere `range_db` above the floor of its spectrogram.
    (batch, time, bands, channels) in and out [dB]; it needs the whole clip, so it does not stream.

    Args:
        range_db: below the loudest frame [dB]; librosa's default is 60.
        **kwargs: as for `keras.layers.Layer`.

    Raises:
        ValueError: a range that is not positive.
    """

    def __init__(self, range_db: float = 60.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not range_db > 0:
            raise ValueError(f"`range_db` must be positive. Received: {range_db}.")
        self.range_db = range_db
        self.built = True

    def frames(self, x: KerasTensor) -> KerasTensor:
        """(batch, time) int32: the frame of x that each frame of y is a copy of."""
        if keras.backend.backend() != "tensorflow":
            return self._frames_by_keras(x)
        loudest = tf.reduce_max(x, axis=(2, 3))
        # NaN compares as false: it counts as sound, and no index leaves the clip
        silent = loudest < tf.reduce_max(loudest, axis=1, keepdims=True) - self.range_db
        place = tf.range(tf.shape(x)[1])[None]
        first = tf.reduce_min(tf.where(silent, tf.shape(x)[1], place), axis=1, keepdims=True)
        last = tf.reduce_max(tf.where(silent, -1, place), axis=1, keepdims=True)
        return first + place % (last - first + 1)

    def _frames_by_keras(self, x: KerasTensor) -> KerasTensor:
        """`frames` in operations of every backend."""
        loudest = ops.max(x, axis=(2, 3))
        silent = loudest < ops.max(loudest, axis=1, keepdims=True) - self.range_db
        time = x.shape[1]
        place = ops.arange(time, dtype="int32")[None]
        first = ops.min(ops.where(silent, time, place), axis=1, keepdims=True)
        last = ops.max(ops.where(silent, -1, place), axis=1, keepdims=True)
        return first + place % (last - first + 1)

    def call(self, x: KerasTensor) -> KerasTensor:
        """Spectrogram without silence at its ends [dB], of the shape of x."""
        if keras.backend.backend() != "tensorflow":
            return ops.take_along_axis(x, self.frames(x)[:, :, None, None], axis=1)
        return tf.gather(x, self.frames(x), axis=1, batch_dims=1)

    def compute_output_shape(self, x_shape: tuple) -> tuple:
        """The shape of x."""
        return tuple(x_shape)

    def get_config(self) -> dict[str, Any]:
        """Settings as plain values."""
        return {**super().get_config(), "range_db": self.range_db}
