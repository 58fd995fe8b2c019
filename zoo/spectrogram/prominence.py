"""What stands out of a spectrogram: tones that come and go, without the noise that they are in."""

from typing import Any

import keras
from keras import KerasTensor, layers, ops

from zoo.spectrogram.base import Float32Layer


@keras.saving.register_keras_serializable("zoo")
class Prominence(Float32Layer):
    """How far a spectrogram in decibels rises above its surroundings, and above its usual there.

    p[t, f] = x[t, f] - mean of x[t, f - bands] ... x[t, f + bands]
    y[t, f] = p[t, f] - mean over t of p[t, f]

    The first line turns noise of any colour and loudness to zero and leaves tones; the second takes
    away those that never cease: hum, and the colour of a stethoscope. At the rims the mean is over
    the bands that there are. (batch, time, bands, channels) in and out [dB]; a clip is judged as a
    whole, so it does not stream.

    Args:
        bands: half the width of the surroundings, in steps of a linear frequency axis.
        **kwargs: as for `keras.layers.Layer`.
    """

    def __init__(self, bands: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if bands < 1:
            raise ValueError(f"`bands` must be 1 or more. Received: {bands}.")
        self.bands = bands
        self.surroundings = layers.AveragePooling2D(
            (1, 2 * bands + 1), (1, 1), padding="same", dtype="float32"
        )
        self.built = True

    def call(self, x: KerasTensor) -> KerasTensor:
        """Prominence [dB], of the shape of x."""
        above = x - self.surroundings(x)
        return above - ops.mean(above, axis=1, keepdims=True)

    def compute_output_shape(self, x_shape: tuple) -> tuple:
        """The shape of x."""
        return tuple(x_shape)

    def get_config(self) -> dict[str, Any]:
        """Settings as plain values."""
        return {**super().get_config(), "bands": self.bands}
