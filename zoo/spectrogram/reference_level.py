"""Scale each clip to a reference level, so that a classifier does not depend on its gain."""

import math
from typing import Any

import keras
from keras import KerasTensor, ops

from zoo.spectrogram.base import Float32Layer

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf  # whose operations convert to TFLite for clips of any length

FRAME_S = 0.020
LOUD_S = 0.100  # a click is shorter, a word, a bark or a knock with its echo is longer


@keras.saving.register_keras_serializable("zoo")
class ReferenceLevel(Float32Layer):
    """Multiply each clip by one gain, so that its loudest moments have a reference level.

    y = x min(10^(reference / 20) / L, 10^(max_gain / 20))

    where L is the level that the clip reaches for 100 ms in all: the fifth largest root mean square
    of its frames of 20 ms, which do not overlap. A click is in one or two frames, so it does not
    change L. Below a level of reference - max_gain the gain is constant: silence stays silence.
    (batch, samples) in and out; it needs the whole clip, so it does not stream.

    Args:
        sample_rate_hz: of the waveform [Hz].
        reference_db: L of the output [dB], 0 dB being a root mean square of 1.
        max_gain_db: highest gain [dB]; there is no lowest.
        **kwargs: as for `keras.layers.Layer`.

    Raises:
        ValueError: a rate or a highest gain that is not positive.
    """

    def __init__(
        self,
        sample_rate_hz: float,
        reference_db: float = -20.0,
        max_gain_db: float = 60.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not sample_rate_hz > 0 or not max_gain_db > 0:
            raise ValueError(
                "`sample_rate_hz` and `max_gain_db` must be positive. "
                f"Received: {sample_rate_hz}, {max_gain_db}."
            )
        self.sample_rate_hz = sample_rate_hz
        self.reference_db, self.max_gain_db = reference_db, max_gain_db
        self.built = True

    def gain(self, x: KerasTensor) -> KerasTensor:
        """Gain (batch, 1) of clips (batch, samples)."""
        frame = max(1, round(FRAME_S * self.sample_rate_hz))
        lowest = 10.0 ** ((self.reference_db - self.max_gain_db) / 10.0)
        if keras.backend.backend() != "tensorflow":
            missing = -x.shape[1] % frame
            frames = ops.reshape(ops.pad(x, ((0, 0), (0, missing))), (x.shape[0], -1, frame))
            power = ops.mean(ops.square(frames), axis=2)
            rank = min(math.ceil(LOUD_S / FRAME_S), power.shape[1])
            loud = ops.maximum(ops.top_k(power, rank)[0][:, -1:], lowest)
            return 10.0 ** (self.reference_db / 20.0) * ops.rsqrt(loud)
        missing = -(x.shape[1] or tf.shape(x)[1]) % frame
        frames = tf.reshape(tf.pad(x, [[0, 0], [0, missing]]), (tf.shape(x)[0], -1, frame))
        power = tf.reduce_mean(tf.square(frames), axis=2)  # (batch, time)
        rank = math.ceil(LOUD_S / FRAME_S)
        if x.shape[1] is None:
            ranked = tf.minimum(rank, tf.shape(power)[1])
        else:
            ranked = min(rank, -(-x.shape[1] // frame))
        largest = tf.math.top_k(power, k=ranked).values
        loud = tf.maximum(largest[:, -1:], lowest)
        return 10.0 ** (self.reference_db / 20.0) * tf.math.rsqrt(loud)

    def call(self, x: KerasTensor) -> KerasTensor:
        """Waveform at the reference level, of the shape of x."""
        return x * self.gain(x)

    def compute_output_shape(self, x_shape: tuple) -> tuple:
        """The shape of x."""
        return tuple(x_shape)

    def get_config(self) -> dict[str, Any]:
        """Settings as plain values."""
        names = ("sample_rate_hz", "reference_db", "max_gain_db")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
